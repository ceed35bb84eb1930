/*
 * The two queues, the running job and the finished ones are one state under one mutex. A step runs
 * without it. The pipe holds at most one byte: it is written when the first of a group is finished
 * and emptied when the group is taken, both under the mutex, so that no report is missed and the
 * helper never waits for the reactor.
 */
#include "io/store/jobs.h"

#include "io/descriptor.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* A job has a few small structs and one call of the system on its stack. */
enum { STACK_BYTES = 131072 };

struct wr_jobs {
	struct wr_allocator *allocator;
	bool is_inline;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t posted; /* the helper waits for it */
	pthread_cond_t ended;  /* drain waits for it */
	int pipe[2];	       /* read end, write end; -1 inline */

	/* under the mutex */
	struct wr_list queues[2]; /* by urgency */
	struct wr_list finished;
	bool is_running;
	bool is_stopping;
	bool is_told; /* the byte is in the pipe */
};

static struct wr_job *job_of(struct wr_list *place)
{
	return wr_list_entry(place, struct wr_job, place);
}

/* Takes the most urgent job out of its queue; NULL: there is none. */
static struct wr_job *take_job(struct wr_jobs *self)
{
	for (unsigned i = 0; i < WR_COUNT(self->queues); i++) {
		struct wr_list *first = self->queues[i].next;

		if (first == &self->queues[i])
			continue;
		wr_list_remove(first);
		return job_of(first);
	}
	return NULL;
}

static void tell(struct wr_jobs *self)
{
	ssize_t put;

	if (self->is_inline || self->is_told)
		return;
	do
		put = write(self->pipe[1], "", 1);
	while (put < 0 && errno == EINTR);
	self->is_told = put == 1;
	wr_assert(self->is_told); /* an empty pipe of ours takes a byte */
}

/* A step is over: the job goes to the finished ones, or back to the head of its queue. */
static void put_back(struct wr_jobs *self, struct wr_job *job, bool is_finished)
{
	struct wr_list *queue = &self->queues[job->urgency];

	if (is_finished) {
		wr_list_push(&self->finished, &job->place);
		tell(self);
	} else {
		wr_list_push(queue->next, &job->place);
	}
}

static void *run_helper(void *context)
{
	struct wr_jobs *self = context;
	struct wr_job *job;
	bool is_finished;

	pthread_mutex_lock(&self->mutex);
	for (;;) {
		job = take_job(self);
		if (job == NULL) {
			if (self->is_stopping)
				break;
			pthread_cond_wait(&self->posted, &self->mutex);
			continue;
		}
		self->is_running = true;
		pthread_mutex_unlock(&self->mutex);
		is_finished = job->run(job);
		pthread_mutex_lock(&self->mutex);
		self->is_running = false;
		put_back(self, job, is_finished);
		pthread_cond_signal(&self->ended);
	}
	pthread_mutex_unlock(&self->mutex);
	return NULL;
}

/* A thread with a small stack, or where that is too small (thread-local storage lives on it) with
 * the usual one. Signals stay with the reactor's thread. */
static bool start_thread(struct wr_jobs *self)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	size_t bytes = STACK_BYTES;
	bool has_attributes;
	int failed = EINVAL;

#ifdef PTHREAD_STACK_MIN
	if (bytes < (size_t)PTHREAD_STACK_MIN)
		bytes = (size_t)PTHREAD_STACK_MIN;
#endif
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	has_attributes = pthread_attr_init(&attributes) == 0;
	if (has_attributes && pthread_attr_setstacksize(&attributes, bytes) == 0)
		failed = pthread_create(&self->thread, &attributes, run_helper, self);
	if (failed == EINVAL)
		failed = pthread_create(&self->thread, NULL, run_helper, self);
	if (has_attributes)
		pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0;
}

static bool open_pipe(struct wr_jobs *self)
{
	if (pipe(self->pipe) != 0)
		return false;
	return wr_descriptor_prepare(self->pipe[0], true) &&
	       wr_descriptor_prepare(self->pipe[1], true);
}

static void release(struct wr_jobs *self)
{
	for (unsigned i = 0; i < WR_COUNT(self->pipe); i++)
		if (self->pipe[i] >= 0)
			close(self->pipe[i]);
	pthread_cond_destroy(&self->ended);
	pthread_cond_destroy(&self->posted);
	pthread_mutex_destroy(&self->mutex);
	wr_allocator_free(self->allocator, self, sizeof *self);
}

enum wr_status wr_jobs_new(struct wr_jobs **out, struct wr_allocator *allocator, bool is_inline)
{
	struct wr_jobs *self = wr_allocator_take_zeroed(allocator, sizeof *self);

	if (self == NULL)
		return WR_NO_MEMORY;
	self->allocator = allocator;
	self->is_inline = is_inline;
	self->pipe[0] = self->pipe[1] = -1;
	for (unsigned i = 0; i < WR_COUNT(self->queues); i++)
		wr_list_init(&self->queues[i]);
	wr_list_init(&self->finished);
	/* With default attributes these cannot fail on any system that we build for. */
	wr_assert(pthread_mutex_init(&self->mutex, NULL) == 0);
	wr_assert(pthread_cond_init(&self->posted, NULL) == 0);
	wr_assert(pthread_cond_init(&self->ended, NULL) == 0);
	if (!is_inline && (!open_pipe(self) || !start_thread(self))) {
		release(self);
		return WR_IO;
	}
	*out = self;
	return WR_OK;
}

void wr_jobs_free(struct wr_jobs *self)
{
	if (self->is_inline) {
		while (wr_jobs_step(self))
			;
	} else {
		pthread_mutex_lock(&self->mutex);
		self->is_stopping = true;
		pthread_cond_signal(&self->posted);
		pthread_mutex_unlock(&self->mutex);
		wr_assert(pthread_join(self->thread, NULL) == 0);
	}
	release(self);
}

void wr_jobs_post(struct wr_jobs *self, struct wr_job *job)
{
	wr_assert(wr_list_is_empty(&job->place)); /* not posted already */
	wr_assert(job->run != NULL && job->done != NULL);
	pthread_mutex_lock(&self->mutex);
	wr_list_push(&self->queues[job->urgency], &job->place);
	pthread_cond_signal(&self->posted);
	pthread_mutex_unlock(&self->mutex);
}

int wr_jobs_fd(const struct wr_jobs *self)
{
	return self->pipe[0];
}

/* Moves all nodes of one ring to an empty head. */
static void move_all(struct wr_list *to, struct wr_list *from)
{
	wr_list_each (node, after, from) {
		wr_list_remove(node);
		wr_list_push(to, node);
	}
}

void wr_jobs_poll(struct wr_jobs *self)
{
	struct wr_list taken;
	char byte;

	wr_list_init(&taken);
	pthread_mutex_lock(&self->mutex);
	move_all(&taken, &self->finished);
	if (self->is_told)
		self->is_told = read(self->pipe[0], &byte, 1) != 1;
	pthread_mutex_unlock(&self->mutex);
	while (!wr_list_is_empty(&taken)) {
		struct wr_job *job = job_of(taken.next);

		wr_list_remove(&job->place);
		job->done(job); /* its memory is the poster's again */
	}
}

static bool has_posted(const struct wr_jobs *self)
{
	return self->is_running || !wr_list_is_empty(&self->queues[WR_JOB_SYNC]) ||
	       !wr_list_is_empty(&self->queues[WR_JOB_BACKGROUND]);
}

/* Waits until something is finished; inline does it. False: nothing was posted any more. */
static bool wait_for_any(struct wr_jobs *self)
{
	bool has_any;

	if (self->is_inline)
		while (wr_jobs_step(self))
			;
	pthread_mutex_lock(&self->mutex);
	while (wr_list_is_empty(&self->finished) && has_posted(self))
		pthread_cond_wait(&self->ended, &self->mutex);
	has_any = !wr_list_is_empty(&self->finished);
	pthread_mutex_unlock(&self->mutex);
	return has_any;
}

void wr_jobs_drain(struct wr_jobs *self)
{
	while (wait_for_any(self))
		wr_jobs_poll(self);
}

bool wr_jobs_step(struct wr_jobs *self)
{
	struct wr_job *job;

	wr_assert(self->is_inline);
	job = take_job(self);
	if (job == NULL)
		return false;
	put_back(self, job, job->run(job));
	return true;
}
