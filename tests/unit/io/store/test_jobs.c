/* Goal: jobs run one after the other, the urgent ones first, each is reported once, and nothing is
 * lost at the end. Method: the same jobs inline, where every step is ours, and on the thread, which
 * is held at a gate while jobs are posted behind it. Run it under ThreadSanitizer, too. */
#include "io/store/jobs.h"

#include "harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* What happened, in its order; written by one thread at a time. */
struct story {
	char steps[64];
	size_t step_count;
	char ends[64];
	size_t end_count;
};

struct task {
	struct wr_job job;
	struct story *story;
	char name;
	unsigned steps;
	struct wr_jobs *jobs; /* where `next` is posted at the end */
	struct task *next;
	int gate; /* a step waits for a byte from here, -1: does not */
	bool has_signals_blocked;
};

static struct task *task_of(struct wr_job *job)
{
	return wr_container_of(job, struct task, job);
}

static bool run_task(struct wr_job *job)
{
	struct task *task = task_of(job);
	sigset_t mask;
	char byte;

	if (task->gate >= 0)
		CHECK(read(task->gate, &byte, 1) == 1);
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
	task->has_signals_blocked = sigismember(&mask, SIGTERM) == 1;
	task->story->steps[task->story->step_count++] = task->name;
	return --task->steps == 0;
}

static void end_task(struct wr_job *job)
{
	struct task *task = task_of(job);

	task->story->ends[task->story->end_count++] = task->name;
	if (task->next != NULL)
		wr_jobs_post(task->jobs, &task->next->job);
}

static struct task make_task(struct story *story, char name, enum wr_job_urgency urgency,
			     unsigned steps)
{
	return (struct task){
		.job = {.urgency = urgency, .run = run_task, .done = end_task},
		.story = story,
		.name = name,
		.steps = steps,
		.gate = -1,
	};
}

static void post(struct wr_jobs *jobs, struct task *task)
{
	wr_list_init(&task->job.place);
	wr_jobs_post(jobs, &task->job);
}

static struct wr_jobs *new_jobs(bool is_inline)
{
	struct wr_jobs *jobs = NULL;

	CHECK_STATUS(wr_jobs_new(&jobs, wr_test_allocator(), is_inline), WR_OK);
	return jobs;
}

static void wait_readable(int fd)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN};

	while (poll(&entry, 1, 5000) < 0)
		CHECK(errno == EINTR);
	CHECK((entry.revents & POLLIN) != 0);
}

static bool is_readable(int fd)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN};

	return poll(&entry, 1, 0) == 1;
}

static void check_story(struct story *story, const char *steps, const char *ends)
{
	CHECK_STRING(wr_view_of(story->steps, story->step_count), steps);
	CHECK_STRING(wr_view_of(story->ends, story->end_count), ends);
}

static void test_inline_nothing_runs_until_a_step_and_nothing_ends_until_a_poll(void)
{
	struct wr_jobs *jobs = new_jobs(true);
	struct story story = {0};
	struct task a = make_task(&story, 'a', WR_JOB_SYNC, 1);

	CHECK(wr_jobs_fd(jobs) == -1);
	CHECK(!wr_jobs_step(jobs));
	post(jobs, &a);
	wr_jobs_poll(jobs);
	check_story(&story, "", "");
	CHECK(wr_jobs_step(jobs));
	check_story(&story, "a", "");
	CHECK(!wr_jobs_step(jobs));
	wr_jobs_poll(jobs);
	check_story(&story, "a", "a");
	wr_jobs_poll(jobs);
	check_story(&story, "a", "a");
	wr_jobs_free(jobs);
}

static void test_inline_a_sync_overtakes_what_works_in_steps(void)
{
	struct wr_jobs *jobs = new_jobs(true);
	struct story story = {0};
	struct task slow = make_task(&story, 'b', WR_JOB_BACKGROUND, 3);
	struct task other = make_task(&story, 'c', WR_JOB_BACKGROUND, 2);
	struct task sync = make_task(&story, 's', WR_JOB_SYNC, 1);

	post(jobs, &slow);
	post(jobs, &other);
	CHECK(wr_jobs_step(jobs));
	post(jobs, &sync);
	while (wr_jobs_step(jobs))
		;
	wr_jobs_poll(jobs);
	check_story(&story, "bsbbcc", "sbc");
	wr_jobs_free(jobs);
}

static void test_inline_draining_runs_what_an_end_posts(void)
{
	struct wr_jobs *jobs = new_jobs(true);
	struct story story = {0};
	struct task a = make_task(&story, 'a', WR_JOB_BACKGROUND, 2);
	struct task b = make_task(&story, 'b', WR_JOB_SYNC, 1);

	wr_list_init(&b.job.place);
	a.next = &b;
	a.jobs = jobs;
	wr_jobs_drain(jobs);
	post(jobs, &a);
	wr_jobs_drain(jobs);
	check_story(&story, "aab", "ab");
	wr_jobs_free(jobs);
}

static void test_inline_freeing_runs_to_the_end_and_reports_nothing(void)
{
	struct wr_jobs *jobs = new_jobs(true);
	struct story story = {0};
	struct task a = make_task(&story, 'a', WR_JOB_BACKGROUND, 2);
	struct task b = make_task(&story, 'b', WR_JOB_SYNC, 1);

	post(jobs, &a);
	post(jobs, &b);
	wr_jobs_free(jobs);
	check_story(&story, "baa", "");
}

static void test_thread_reports_through_the_descriptor(void)
{
	struct wr_jobs *jobs = new_jobs(false);
	struct story story = {0};
	struct task a = make_task(&story, 'a', WR_JOB_SYNC, 2);
	int fd = wr_jobs_fd(jobs);

	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	CHECK(!is_readable(fd));
	post(jobs, &a);
	wait_readable(fd);
	wr_jobs_poll(jobs);
	check_story(&story, "aa", "a");
	CHECK(!is_readable(fd));
	CHECK(a.has_signals_blocked);
	a.steps = 1;
	post(jobs, &a); /* its memory was given back: it serves again */
	wait_readable(fd);
	wr_jobs_poll(jobs);
	check_story(&story, "aaa", "aa");
	wr_jobs_free(jobs);
}

static void test_thread_a_sync_overtakes_what_works_in_steps(void)
{
	struct wr_jobs *jobs = new_jobs(false);
	struct story story = {0};
	struct task slow = make_task(&story, 'b', WR_JOB_BACKGROUND, 3);
	struct task other = make_task(&story, 'c', WR_JOB_BACKGROUND, 1);
	struct task sync = make_task(&story, 's', WR_JOB_SYNC, 1);
	int gate[2];

	CHECK(pipe(gate) == 0);
	slow.gate = gate[0];
	post(jobs, &slow);
	post(jobs, &other);
	post(jobs, &sync); /* now: the first step of `slow` has begun or not */
	CHECK(write(gate[1], "123", 3) == 3);
	wr_jobs_drain(jobs);
	if (story.steps[0] == 's')
		check_story(&story, "sbbbc", "sbc");
	else
		check_story(&story, "bsbbc", "sbc");
	wr_jobs_free(jobs);
	close(gate[0]);
	close(gate[1]);
}

static void test_thread_draining_waits_also_for_what_an_end_posts(void)
{
	struct wr_jobs *jobs = new_jobs(false);
	struct story story = {0};
	struct task a = make_task(&story, 'a', WR_JOB_BACKGROUND, 2);
	struct task b = make_task(&story, 'b', WR_JOB_SYNC, 1);

	wr_list_init(&b.job.place);
	a.next = &b;
	a.jobs = jobs;
	wr_jobs_drain(jobs);
	post(jobs, &a);
	wr_jobs_drain(jobs);
	check_story(&story, "aab", "ab");
	CHECK(!is_readable(wr_jobs_fd(jobs)));
	wr_jobs_free(jobs);
}

static void test_thread_freeing_runs_to_the_end_and_reports_nothing(void)
{
	for (unsigned round = 0; round < 50; round++) {
		struct wr_jobs *jobs = new_jobs(false);
		struct story story = {0};
		struct task a = make_task(&story, 'a', WR_JOB_SYNC, 3);
		struct task b = make_task(&story, 'b', WR_JOB_SYNC, 1);

		post(jobs, &a);
		post(jobs, &b);
		wr_jobs_free(jobs);
		check_story(&story, "aaab", "");
	}
}

/* Jobs that are posted while others end, as the store does: each is reported once, in its order. */
static void test_thread_a_chain_of_jobs_loses_none(void)
{
	enum { ROUNDS = 2000 };
	struct wr_jobs *jobs = new_jobs(false);
	size_t ended = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct story story = {0};
		struct task a = make_task(&story, 'a', WR_JOB_SYNC, 1);
		struct task b = make_task(&story, 'b', WR_JOB_SYNC, 1);

		post(jobs, &a);
		if (round % 2 == 0)
			wr_jobs_poll(jobs);
		post(jobs, &b);
		while (story.end_count < 2) {
			wait_readable(wr_jobs_fd(jobs));
			wr_jobs_poll(jobs);
		}
		check_story(&story, "ab", "ab");
		ended += story.end_count;
	}
	CHECK_U64(ended, ROUNDS * 2);
	wr_jobs_free(jobs);
}

static void test_no_memory_is_said(void)
{
	struct wr_jobs *jobs = NULL;

	wr_test_fail_allocation(1, false);
	CHECK_STATUS(wr_jobs_new(&jobs, wr_test_allocator(), true), WR_NO_MEMORY);
}

static void test_no_descriptors_for_a_helper_is_said(void)
{
	struct wr_jobs *jobs = NULL;
	int next = dup(0);
	struct rlimit limit;

	CHECK(next >= 0 && close(next) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)next;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_STATUS(wr_jobs_new(&jobs, wr_test_allocator(), false), WR_IO);
	limit.rlim_cur++; /* for one end of the pipe */
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_STATUS(wr_jobs_new(&jobs, wr_test_allocator(), false), WR_IO);
	limit.rlim_cur = limit.rlim_max; /* the test goes on to its end */
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(dup(0) == next);
}

const struct wr_test wr_tests[] = {
	WR_TEST(test_inline_nothing_runs_until_a_step_and_nothing_ends_until_a_poll),
	WR_TEST(test_inline_a_sync_overtakes_what_works_in_steps),
	WR_TEST(test_inline_draining_runs_what_an_end_posts),
	WR_TEST(test_inline_freeing_runs_to_the_end_and_reports_nothing),
	WR_TEST(test_thread_reports_through_the_descriptor),
	WR_TEST(test_thread_a_sync_overtakes_what_works_in_steps),
	WR_TEST(test_thread_draining_waits_also_for_what_an_end_posts),
	WR_TEST(test_thread_freeing_runs_to_the_end_and_reports_nothing),
	WR_TEST(test_thread_a_chain_of_jobs_loses_none),
	WR_TEST(test_no_memory_is_said),
	WR_TEST(test_no_descriptors_for_a_helper_is_said),
	WR_TEST_END,
};
