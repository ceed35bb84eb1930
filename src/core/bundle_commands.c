/* Config bundles of a Runtime (contract 9): stored by a command, read as they are visible. */
#include "core/commit.h"

#include "core/repeat.h"

static enum wr_status refuse(struct wr_error *error, enum wr_status status, const char *detail)
{
	*error = (struct wr_error){.status = status, .detail = detail};
	return status;
}

/* It is there already, in these words: only that a key was used is new. */
static enum wr_status store_again(struct wr_runtime *self, const struct wr_bundle *kept,
				  const struct wr_key *key, struct wr_error *error)
{
	const struct wr_ack ack = {.status = WR_WORKER_RUNNING, .event_id = kept->sequence};
	enum wr_status status = WR_OK;

	if (key != NULL)
		status = wr_repeat_keep(self, NULL, key, WR_OPERATION_STORE_BUNDLE, &ack);
	return status == WR_OK ? WR_OK : refuse(error, status, NULL);
}

static enum wr_status store_new(struct wr_runtime *self, const struct wr_config_bundle *bundle,
				const struct wr_key *key, struct wr_error *error)
{
	struct wr_event event = {.kind = WR_EVENT_BUNDLE_STORED};
	enum wr_status status;

	if (!wr_bundles_have_room(&self->bundles, bundle))
		return refuse(error, WR_FULL, "bundle limit");
	if (key != NULL)
		wr_repeat_attach(self, &event, key);
	event.as.bundle = *bundle;
	status = wr_commit(self, &event);
	return status == WR_OK ? WR_OK : refuse(error, status, NULL);
}

enum wr_status wr_runtime_store_bundle(struct wr_runtime *self,
				       const struct wr_config_bundle *bundle,
				       const struct wr_key *key, struct wr_error *error)
{
	const struct wr_kept_key *used = NULL;
	const struct wr_bundle *kept;
	enum wr_status status = WR_OK;

	*error = (struct wr_error){.status = WR_OK};
	if (key != NULL)
		status = wr_repeat_find(self, &used, key, WR_OPERATION_STORE_BUNDLE);
	if (status != WR_OK)
		return refuse(error, status, NULL);
	if (used != NULL)
		return WR_OK;
	if (self->is_stopped)
		return refuse(error, WR_STOPPED, NULL);
	status = wr_config_bundle_check(bundle, error);
	if (status != WR_OK)
		return status;
	kept = wr_bundles_find(&self->bundles, bundle->id);
	if (kept != NULL && wr_config_bundle_is_same(&kept->value, bundle))
		return store_again(self, kept, key, error);
	return store_new(self, bundle, key, error);
}

/* ---- reading ---- */

static const struct wr_config_bundle *value_of(const struct wr_bundle *bundle)
{
	return bundle == NULL ? NULL : &bundle->value;
}

const struct wr_config_bundle *wr_runtime_find_bundle(const struct wr_runtime *self,
						      struct wr_view id)
{
	return value_of(wr_bundles_find_at(&self->bundles, id, self->log.shown_sequence));
}

const struct wr_config_bundle *wr_runtime_next_bundle(const struct wr_runtime *self,
						      struct wr_view after)
{
	return value_of(wr_bundles_next_at(&self->bundles, after, self->log.shown_sequence));
}

enum wr_status wr_runtime_judge_bundle(const struct wr_runtime *self, struct wr_view id,
				       struct wr_view digest, const struct wr_config_bundle **out)
{
	*out = wr_runtime_find_bundle(self, id);
	if (*out == NULL)
		return WR_NO_BUNDLE;
	return wr_view_equal((*out)->digest, digest) ? WR_OK : WR_DIGEST_MISMATCH;
}
