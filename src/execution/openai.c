#include "execution/openai_private.h"

#include "check.h"

/* ---- the port ---- */

static struct wr_openai_profile *profile_of(void *port)
{
	return wr_container_of(port, struct wr_openai_profile, port);
}

static enum wr_status admit(void *port, uint32_t worker, const struct wr_input *input,
			    const struct wr_undelivered *waiting)
{
	const struct wr_openai *self = profile_of(port)->origin->set;
	struct wr_crew_member *member = wr_crew_find(&self->crew, worker);

	(void)input;
	if (self->crew.is_draining)
		return WR_UNAVAILABLE;
	if (waiting->count != 0 || (member != NULL && self->crew.ops->is_live(member)))
		return WR_BUSY;
	return self->turn_count < WR_OPENAI_TURN_COUNT_MAX ? WR_OK : WR_BUSY;
}

static void deliver(void *port, uint32_t worker, const struct wr_input *input, uint64_t sequence)
{
	const struct wr_openai *self = profile_of(port)->origin->set;
	const struct wr_worker *target = wr_runtime_worker(self->crew.reports.runtime, worker);

	/* For one that is being stopped nothing is begun that would be broken off at once. */
	if (target != NULL && target->now.status == WR_WORKER_RUNNING)
		wr_crew_deliver(port, worker, input, sequence);
}

static const struct wr_execution_ops openai_ops = {
	.admit = admit,
	.deliver = deliver,
	.interrupt = wr_crew_interrupt,
	.stop = wr_crew_stop,
	.cancel = wr_crew_cancel,
};

enum wr_status wr_openai_execution(struct wr_openai *self, struct wr_openai_profile *profile,
				   struct wr_execution *out)
{
	enum wr_status status = WR_OK;

	if (wr_openai_profile_fault(profile) != NULL)
		return WR_INVALID;
	if (profile->origin == NULL)
		status = wr_openai_origin_use(self, profile);
	profile->port.crew = &self->crew;
	if (status == WR_OK)
		*out = (struct wr_execution){
			.ops = &openai_ops, .context = &profile->port, .has_turns = true};
	return status;
}

/* ---- life ---- */

void wr_openai_init(struct wr_openai *self, struct wr_reactor *reactor,
		    struct wr_allocator *allocator)
{
	*self = (struct wr_openai){.reactor = reactor, .allocator = allocator};
	wr_crew_init(&self->crew, &wr_openai_worker_ops, reactor, allocator);
}

void wr_openai_deinit(struct wr_openai *self)
{
	wr_crew_deinit(&self->crew);
	wr_openai_origins_free(self);
}
