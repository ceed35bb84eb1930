/* Goal: a command that is sent again after a crash, because its answer never came, has one effect
 * and the answer of the first time. Method: the real program over a folder, killed in between; keys
 * and ids chosen by the client. */
#include "e2e/store_folder.h"

#define INPUT "{\"kind\":\"user\",\"content\":\"once\"}"
#define CHOSEN                                                                       \
	"{\"worker_id\":\"w:1\",\"intent\":{\"kind\":\"task\",\"objective\":\"o\"}," \
	"\"profile\":{\"kind\":\"builtin\",\"value\":\"builtin:coder\"},"            \
	"\"mount_refs\":[{\"name\":\"n\",\"reference\":\"r\"}]}"

static void post_with_key(struct wr_client *from, const char *target, const char *key,
			  const char *body)
{
	char fields[256];

	snprintf(fields, sizeof fields, "Content-Type: application/json\r\nIdempotency-Key: %s\r\n",
		 key);
	wr_client_ask(from, &answer, "POST", target, fields, body);
}

static void end_life(unsigned number)
{
	if (number % 2 == 0)
		kill_it();
	else
		stop();
}

static void test_keys_hold_across_every_end_of_the_process(void)
{
	static const struct {
		const char *target, *body;
		unsigned status;
		const char *paths[4]; /* what must be the same in every answer */
	} commands[] = {
		{"/v1/workers",
		 CREATE_BODY,
		 201,
		 {"worker.worker_id", "worker.last_event_id", "worker.transcript_len",
		  "worker.phase"}},
		{"/v1/workers/worker-00000001/input",
		 INPUT,
		 200,
		 {"ack.transcript_sequence", "ack.event_id", "ack.status"}},
		{"/v1/workers/worker-00000001/stop",
		 "{\"reason\":\"r\"}",
		 200,
		 {"ack.event_id", "ack.status"}},
	};
	char first[WR_COUNT(commands)][4][64];

	make_folder();
	start();
	for (unsigned life = 0; life < 4; life++) {
		for (size_t i = 0; i < WR_COUNT(commands); i++) {
			wr_test_case(commands[i].target);
			post_with_key(&client, commands[i].target, "key-1", commands[i].body);
			CHECK_U64(answer.status, commands[i].status);
			for (size_t p = 0; p < 4 && commands[i].paths[p] != NULL; p++) {
				if (life == 0)
					wr_json_copy(first[i][p], 64, answer.body,
						     commands[i].paths[p]);
				else
					check_member(commands[i].paths[p], first[i][p]);
			}
		}
		post_with_key(&client, "/v1/workers", "key-1", CREATE_BODY " ");
		check_error(422, "idempotency_mismatch");
		end_life(life);
		start();
	}
	get("/v1/workers");
	CHECK(wr_json_find(answer.body, "workers.1").data == NULL);
	check_member("workers.0.transcript_len", "1");
	check_member("workers.0.status", "stopped");
	stop();
	remove_folder();
}

/* The answer never comes: the process is gone before, or was never asked. */
static void test_an_input_of_unknown_fate_can_be_sent_again(void)
{
	make_folder();
	start();
	post("/v1/workers", CREATE_BODY);
	for (unsigned i = 0; i < 8; i++) {
		char key[16];
		snprintf(key, sizeof key, "unknown-%u", i);
		wr_client_send_request(&client, "POST", "/v1/workers/worker-00000001/input",
				       i % 2 == 0 ? "Content-Type: application/json\r\n"
						    "Idempotency-Key: lost\r\n"
						  : "Content-Type: application/json\r\n"
						    "Idempotency-Key: lost-too\r\n",
				       INPUT);
		kill_it();
		start();
		post_with_key(&client, "/v1/workers/worker-00000001/input", key, INPUT);
		CHECK_U64(answer.status, 200);
	}
	post_with_key(&client, "/v1/workers/worker-00000001/input", "lost", INPUT);
	CHECK_U64(answer.status, 200);
	post_with_key(&client, "/v1/workers/worker-00000001/input", "lost-too", INPUT);
	CHECK_U64(answer.status, 200);
	get("/v1/workers/worker-00000001/transcript");
	check_member("transcript.total_items", "10");
	stop();
	remove_folder();
}

/* Two clients, one key, at the same time: the second waits for what the first one waits for. */
static void test_twins_on_their_way_have_one_effect(void)
{
	static const char fields[] = "Content-Type: application/json\r\nIdempotency-Key: twin\r\n";
	struct wr_client twins[4];
	char first[1024];

	make_folder();
	start();
	post("/v1/workers", CREATE_BODY);
	for (unsigned i = 0; i < 4; i++) {
		wr_client_open(&twins[i], &server, NULL);
		wr_client_send_request(&twins[i], "POST", "/v1/workers/worker-00000001/input",
				       fields, INPUT);
	}
	for (unsigned i = 0; i < 4; i++) {
		wr_client_receive(&twins[i], &answer);
		CHECK_U64(answer.status, 200);
		if (i == 0)
			wr_json_copy(first, sizeof first, answer.body, "ack");
		else
			check_member("ack", first);
		wr_client_close(&twins[i]);
	}
	get("/v1/workers/worker-00000001/transcript");
	check_member("transcript.total_items", "1");
	stop();
	remove_folder();
}

static void test_a_chosen_id_makes_a_create_repeatable(void)
{
	make_folder();
	start();
	for (unsigned life = 0; life < 3; life++) {
		post("/v1/workers", CHOSEN);
		CHECK_U64(answer.status, 201);
		check_member("worker.worker_id", "w:1");
		check_member("worker.last_event_id", "2");
		post("/v1/workers", "{\"worker_id\":\"w:1\",\"intent\":{\"kind\":\"assistant\"},"
				    "\"profile\":{\"kind\":\"runtime_default\"}}");
		check_error(409, "worker_exists");
		end_life(life);
		start();
	}
	get("/v1/workers");
	CHECK(wr_json_find(answer.body, "workers.1").data == NULL);
	check_member("workers.0.worker_id", "w:1");
	stop();
	remove_folder();
}

/* Nothing of it is visible yet, and still the commands know each other. */
static void test_commands_follow_each_other_without_waiting_for_answers(void)
{
	static const char json[] = "Content-Type: application/json\r\n";

	make_folder();
	start();
	wr_client_send_request(&client, "POST", "/v1/workers", json, CHOSEN);
	wr_client_send_request(&client, "POST", "/v1/workers/w:1/input", json, INPUT);
	wr_client_send_request(&client, "POST", "/v1/workers/w:1/interrupt", json, "{}");
	wr_client_send_request(&client, "POST", "/v1/workers/w:1/stop", json, "{}");
	wr_client_send_request(&client, "POST", "/v1/workers/w:1/input", json, INPUT);
	wr_client_send_request(&client, "POST", "/v1/workers/w:2/input", json, INPUT);
	wr_client_send_request(&client, "GET", "/v1/workers/w:1/transcript", NULL, NULL);
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 201);
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 200);
	check_member("ack.worker_ref.worker_id", "w:1");
	check_member("ack.transcript_sequence", "1");
	wr_client_receive(&client, &answer);
	check_error(501, "unsupported_operation");
	wr_client_receive(&client, &answer);
	CHECK_U64(answer.status, 200);
	check_member("ack.status", "stopped");
	wr_client_receive(&client, &answer);
	check_error(409, "worker_not_running");
	wr_client_receive(&client, &answer);
	check_error(404, "worker_not_found");
	/* It was asked before anything was visible: there was no such Worker to be read. */
	wr_client_receive(&client, &answer);
	CHECK(answer.status == 200 || answer.status == 404);
	get("/v1/workers/w:1/transcript");
	check_member("transcript.total_items", "1");
	stop();
	remove_folder();
}

const struct wr_test wr_tests[] = {
	WR_TEST_LIMIT(test_keys_hold_across_every_end_of_the_process, 30),
	WR_TEST_LIMIT(test_an_input_of_unknown_fate_can_be_sent_again, 30),
	WR_TEST(test_twins_on_their_way_have_one_effect),
	WR_TEST_LIMIT(test_a_chosen_id_makes_a_create_repeatable, 30),
	WR_TEST(test_commands_follow_each_other_without_waiting_for_answers),
	WR_TEST_END,
};
