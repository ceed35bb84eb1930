/* store_folder — a folder for the fs store of a test, and the program that has it. */
#ifndef WR_TESTS_E2E_STORE_FOLDER_H
#define WR_TESTS_E2E_STORE_FOLDER_H

#include "check.h"
#include "harness/client.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_BODY \
	"{\"intent\":{\"kind\":\"assistant\"},\"profile\":{\"kind\":\"runtime_default\"}}"

/* One process has it at a time, and one connection to that; most tests need no more. */
static struct wr_process server;
static struct wr_client client;
static struct wr_answer answer;
static char folder[64];

static inline void make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/wr-store-XXXXXX");
	wr_test_make_folder(folder);
}

static inline const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static inline void remove_folder(void)
{
	DIR *dir = opendir(folder);

	CHECK(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.')
			CHECK(unlink(path_of(entry->d_name)) == 0);
	closedir(dir);
	CHECK(rmdir(folder) == 0);
}

/* Starts it over the folder, with small segments: there is much to be written ahead. */
static inline void start_with(const char *flag, const char *value)
{
	wr_process_start(&server,
			 WR_ARGUMENTS("--runtime-id", "rt-a", "--fs-root", folder,
				      "--fs-segment-bytes", "5M", flag, value),
			 NULL);
	wr_client_open(&client, &server, NULL);
}

static inline void start(void)
{
	start_with("--durability", "always");
}

/* In good order. */
static inline void stop(void)
{
	wr_client_close(&client);
	CHECK_U64(wr_process_stop(&server), 0);
}

/* As nobody expects it. */
static inline void kill_it(void)
{
	wr_process_signal(&server, SIGKILL);
	CHECK_U64(wr_process_wait(&server, WR_PROCESS_WAIT_MS), WR_PROCESS_SIGNALLED + SIGKILL);
	wr_client_close(&client);
}

static inline void get(const char *target)
{
	wr_client_ask(&client, &answer, "GET", target, NULL, NULL);
}

static inline void post(const char *target, const char *body)
{
	wr_client_ask(&client, &answer, "POST", target, NULL, body);
}

static inline void check_error(unsigned status, const char *code)
{
	CHECK_U64(answer.status, status);
	CHECK_STRING(wr_json_find(answer.body, "error.code"), code);
	CHECK(wr_json_find(answer.body, "error.message").bytes > 0);
}

static inline void check_member(const char *path, const char *expected)
{
	CHECK_STRING(wr_json_find(answer.body, path), expected);
}

#endif
