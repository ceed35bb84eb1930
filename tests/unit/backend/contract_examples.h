/* contract_examples — the examples of contract 8 that a browser sees or sends, by their names. */
#ifndef WR_TESTS_UNIT_BACKEND_CONTRACT_EXAMPLES_H
#define WR_TESTS_UNIT_BACKEND_CONTRACT_EXAMPLES_H

#include "check.h"
#include "harness/harness.h"

static const struct contract_example {
	const char *name, *json;
} contract_examples[] = {
	{"b-runtimes",
	 "{\"workspace_id\":\"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01\",\"limit\":200,"
	 "\"items\":[{\"runtime_id\":\"embedded-worker-runtime\",\"label\":\"Embedded runtime\","
	 "\"kind\":\"embedded_worker_runtime\",\"status\":\"running\",\"source\":{"
	 "\"kind\":\"embedded_worker_runtime\",\"status\":\"active\",\"identity_authority\":"
	 "\"runtime_registry_projection\","
	 "\"note\":\"in "
	 "process\"},\"host_ids\":[\"embedded-01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01-"
	 "c2ca39ab6066c0e4\"],"
	 "\"capabilities\":{\"can_list_hosts\":true,\"can_list_workers\":true,"
	 "\"can_get_worker\":true,\"can_spawn_worker\":true,\"can_stop_worker\":false,"
	 "\"can_accept_input\":true,\"can_stream_events\":false,\"can_read_bounded_transcript\":"
	 "true,"
	 "\"has_workspace_fs\":false,\"has_shell\":false,\"has_git\":false,"
	 "\"supports_worktrees\":false,\"supports_backend_internal_tools\":true,"
	 "\"local_pod_inspection\":\"not_applicable\",\"workspace_scope\":\"backend_internal\","
	 "\"max_workers\":200,\"os\":\"linux\",\"arch\":\"x86_64\"},\"diagnostics\":[]}],"
	 "\"source\":\"worker_runtime_registry\",\"diagnostics\":[]}"},
	{"b-hosts",
	 "{\"workspace_id\":\"01978c52-1f3a-7c11-9b2e-5d0a6c4e8f01\",\"limit\":200,"
	 "\"items\":[{\"runtime_id\":\"local-worker-runtime\",\"host_id\":\"local-01978c52-1f3a-"
	 "7c11-9b2e-5d0a6c4e8f01-c2ca39ab6066c0e4\","
	 "\"label\":\"project\",\"kind\":\"local-worker-host\",\"status\":\"available\","
	 "\"observed_at\":\"2026-06-26T06:00:00.123456789+00:00\",\"last_seen_at\":null,"
	 "\"capabilities\":{\"can_list_hosts\":true,\"can_list_workers\":true,"
	 "\"can_get_worker\":true,\"can_spawn_worker\":false,\"can_stop_worker\":false,"
	 "\"can_accept_input\":false,\"can_stream_events\":false,\"can_read_bounded_transcript\":"
	 "false,"
	 "\"has_workspace_fs\":false,\"has_shell\":false,\"has_git\":false,"
	 "\"supports_worktrees\":false,\"supports_backend_internal_tools\":false,"
	 "\"local_pod_inspection\":\"available\",\"workspace_scope\":\"current_workspace\","
	 "\"max_workers\":200,\"os\":\"linux\",\"arch\":\"x86_64\"},\"diagnostics\":[]}],"
	 "\"source\":\"worker_runtime_registry\",\"diagnostics\":[]}"},
	{"b-worker",
	 "{\"runtime_id\":\"remote:build-box\",\"worker_id\":\"worker-00000001\","
	 "\"host_id\":\"remote-remote-build-box-cf8b3d243e00ad01\",\"label\":\"worker-00000001\","
	 "\"role\":\"coder\",\"profile\":\"builtin:coder\",\"workspace\":{"
	 "\"visibility\":\"remote_runtime\",\"identity\":\"runtime_registry_worker\"},"
	 "\"state\":\"running\",\"status\":\"running\",\"last_seen_at\":null,"
	 "\"implementation\":{\"kind\":\"remote_worker_runtime\",\"display_hint\":\"remote "
	 "worker\"},"
	 "\"capabilities\":{\"can_accept_input\":true,\"can_stream_events\":true,"
	 "\"can_stop\":true,\"can_spawn_followup\":false,\"can_read_bounded_transcript\":true},"
	 "\"diagnostics\":[{\"code\":\"remote_runtime_projection\",\"severity\":\"info\","
	 "\"message\":\"identity only\"}]}"},
	{"b-spawn", "{\"intent\":{\"kind\":\"ticket_role\",\"ticket_id\":\"00001M0AB3CDE\","
		    "\"role\":\"coder\"},\"requested_worker_name\":\"friendly\",\"acceptance\":{"
		    "\"kind\":\"run_accepted\",\"expected_segments\":0}}"},
	{"b-spawnres", "{\"state\":\"rejected\",\"acceptance_evidence\":[],\"diagnostics\":[{"
		       "\"code\":\"embedded_runtime_no_socket\",\"severity\":\"warning\","
		       "\"message\":\"no sockets here\"}]}"},
	{"b-input", "{\"kind\":\"user\",\"content\":\"hello\"}"},
	{"b-inputres", "{\"state\":\"accepted\",\"runtime_id\":\"embedded-worker-runtime\","
		       "\"worker_id\":\"worker-00000001\",\"transcript_sequence\":1,\"event_id\":3,"
		       "\"diagnostics\":[]}"},
	{"b-lifecycle", "{\"reason\":\"operator request\"}"},
	{"b-lifecycleres",
	 "{\"state\":\"accepted\",\"runtime_id\":\"remote:build-box\",\"worker_id\":\"worker-"
	 "00000001\","
	 "\"event_id\":9,\"diagnostics\":[{\"code\":\"remote_runtime_lifecycle_accepted\","
	 "\"severity\":\"info\",\"message\":\"worker is stopped\"}]}"},
	{"b-transcript",
	 "{\"state\":\"accepted\",\"runtime_id\":\"embedded-worker-runtime\","
	 "\"worker_id\":\"worker-00000001\",\"start\":0,\"limit\":10,\"total_items\":1,"
	 "\"items\":[{\"sequence\":1,\"role\":\"user\",\"content\":\"hello\","
	 "\"event_id\":3}],\"diagnostics\":[]}"},
	{"b-error", "{\"error\":\"Not Found\",\"message\":\"unknown runtime `nope`\"}"},
};

static inline struct wr_view contract_example(const char *name)
{
	size_t i = 0;

	while (i < WR_COUNT(contract_examples) && strcmp(contract_examples[i].name, name) != 0)
		i++;
	CHECK(i < WR_COUNT(contract_examples));
	return wr_view_of_string(contract_examples[i].json);
}

#endif
