/*
 * bounds — every bound in the system, with its reason and what a peer sees beyond it.
 *
 * Many are defaults that a flag may change (runtime_server/config.h names the flag); the constant
 * is then the default. Bytes, milliseconds, counts: the last word of the name says which.
 */
#ifndef WR_BOUNDS_H
#define WR_BOUNDS_H

#include <stdint.h>

/* ---- HTTP: what one request may cost (RFC 9112; reliability 6) ---- */

/* Request line and all field lines together. Real clients stay below 4 KiB. Beyond: 431, close. */
#define WR_HTTP_HEAD_BYTES_MAX 16384u
/* Request target, and one field line. Beyond: 414; 431. */
#define WR_HTTP_TARGET_BYTES_MAX 8192u
#define WR_HTTP_FIELD_BYTES_MAX 8192u
/* Field lines of one message. The parsed head is a fixed array of this size. Beyond: 431. */
#define WR_HTTP_FIELD_COUNT_MAX 100u
/* Body of a request (contract 2.2): exactly this size is accepted. Beyond: 413. */
#define WR_HTTP_BODY_BYTES_MAX 2097152u
/* Bodies that all connections together may hold unfinished. Beyond: 503. */
#define WR_HTTP_BODIES_BYTES_MAX 8388608u
/* A chunk-size line with its extension; framing that a chunked body may spend beyond 1/8 of its
 * payload (a peer that sends mostly framing is refused). Beyond: 400, close. */
#define WR_HTTP_CHUNK_LINE_BYTES_MAX 32u
#define WR_HTTP_CHUNK_OVERHEAD_BYTES_MAX 16384u
/* Time for a head from its first byte, for a body (then WR_HTTP_BODY_RATE), and idle between. */
#define WR_HTTP_HEAD_MS_MAX 10000u
#define WR_HTTP_BODY_MS_MAX 30000u
#define WR_HTTP_BODY_BYTES_PER_SECOND_MIN 1024u
#define WR_HTTP_IDLE_MS_MAX 120000u
/* Once the process is stopping: time for a request that is only half here. Beyond: 408, close. */
#define WR_HTTP_DRAIN_REQUEST_MS_MAX 1000u
/* Requests served on one connection. Beyond: the last answer says Connection: close. */
#define WR_HTTP_REQUESTS_MAX 10000u
/* A 401 reads no more of a body than this before it closes. */
#define WR_HTTP_UNAUTHENTICATED_BODY_BYTES_MAX 65536u

/* ---- connections ---- */

/* All connections. Lowered to what the descriptor limit leaves. Beyond: static 503, close. */
#define WR_CONN_COUNT_MAX 16384u
/* Descriptors kept back for the store, the log, listeners and the poller; and per child process. */
#define WR_FD_RESERVE_COUNT 32u
#define WR_FD_PER_CHILD_COUNT 3u
/* Connections that have not yet shown a token (when one is configured). Beyond: oldest idle goes.
 */
#define WR_CONN_UNAUTHENTICATED_COUNT_MAX 64u
/* Output a connection may hold before its producers pause, and where they resume. */
#define WR_CONN_OUTPUT_BYTES_MAX 262144u
#define WR_CONN_OUTPUT_BYTES_RESUME 131072u
/* All queued output together. Beyond: the connection that would pass it is closed. */
#define WR_CONN_OUTPUTS_BYTES_MAX 33554432u
/* No byte taken by the peer for this long while output waits: reset. */
#define WR_CONN_SEND_MS_MAX 15000u
/* Work per reactor turn: accepts, bytes read and requests served per connection. */
#define WR_TURN_ACCEPT_COUNT_MAX 16u
#define WR_TURN_READ_BYTES_MAX 65536u
#define WR_TURN_REQUEST_COUNT_MAX 32u
/* How long a listener rests when accept finds no descriptor even with the reserve one. */
#define WR_ACCEPT_PAUSE_MS 500u
/* Refusals by static 503 in one turn. */
#define WR_TURN_REFUSAL_COUNT_MAX 32u

/* ---- TLS (reliability 11) ---- */

/* Of a server: connections, and of them those in the handshake. Beyond: the slowest handshake goes
 * when it has had a second, else the new connection is refused with an alert. */
#define WR_TLS_CONN_COUNT_MAX 128u
#define WR_TLS_HANDSHAKE_COUNT_MAX 16u
/* Time for a handshake, and for records that are left when a connection is closed. */
#define WR_TLS_HANDSHAKE_MS_MAX 10000u
#define WR_TLS_LINGER_MS_MAX WR_CONN_SEND_MS_MAX
/* Handshakes of one turn: none is begun beyond this. */
#define WR_TURN_HANDSHAKE_MS_MAX 10u
/* A connection's memory: the engine (4 KiB), a record of any peer (browsers, curl and OpenSSL do
 * not negotiate smaller ones), and a record of ours of 4 KiB of plaintext. */
#define WR_TLS_IN_BYTES 16709u
#define WR_TLS_OUT_BYTES 4181u
/* Files: our chain and key, and whom we trust. */
#define WR_TLS_CHAIN_COUNT_MAX 8u
#define WR_TLS_CHAIN_BYTES_MAX 65536u
#define WR_TLS_KEY_BYTES_MAX 65536u
#define WR_TLS_ANCHORS_BYTES_MAX 2097152u
/* A server's name (RFC 6066 3; the engine has room for no more). */
#define WR_TLS_NAME_BYTES_MAX 255u

/* ---- JSON ---- */

/* Nesting of arrays and objects. Beyond: WR_TOO_LARGE, 400. */
#define WR_JSON_DEPTH_MAX 128u
/* Characters of one number. Beyond: WR_TOO_LARGE, 400. */
#define WR_JSON_NUMBER_BYTES_MAX 256u

/* ---- WebSocket (RFC 6455) ---- */

/* Payload of a control frame (5.5). */
#define WR_WS_CONTROL_BYTES_MAX 125u
/* Inbound message on an observation stream, and its fragments; beyond: 1009. */
#define WR_WS_MESSAGE_BYTES_MAX 16384u
#define WR_WS_FRAGMENT_COUNT_MAX 32u
/* Control frames a minute beyond those of the keep-alive. Beyond: 1008. */
#define WR_WS_CONTROL_PER_MINUTE_MAX 64u
/* Silence before we ping, and time for the answer; kernel limit for unacknowledged data. */
#define WR_WS_PING_MS 20000u
#define WR_WS_PONG_MS_MAX 20000u
#define WR_TCP_USER_TIMEOUT_MS 30000u
/* Time for the peer to answer our Close before the connection is dropped. */
#define WR_WS_CLOSE_MS_MAX 5000u

/* ---- Runtime ---- */

/* Content of one input = one event = one line of a child, raw. Beyond: 400 / refused at source. */
#define WR_EVENT_BYTES_MAX 1048576u
/* Identifier in a path (longer ones cannot pass a Backend). */
#define WR_ID_BYTES_MAX 120u
/* Workers of one Runtime. Beyond: 507 limit_workers. */
#define WR_WORKER_COUNT_MAX 4096u
/* Events and frame bytes kept per Worker, and for all Workers together. Beyond: oldest go, from
 * the Worker furthest above its fair share. */
#define WR_WORKER_RETENTION_EVENTS 1024u
#define WR_WORKER_RETENTION_BYTES 1048576u
#define WR_RETENTION_EVENTS 262144u
#define WR_RETENTION_BYTES 16777216u
/* The same for transcript items. */
#define WR_WORKER_TRANSCRIPT_BYTES 4194304u
#define WR_TRANSCRIPT_BYTES 67108864u
/* Items of one transcript page: also the default page (contract 2.9); bytes of content in it. */
#define WR_TRANSCRIPT_PAGE_ITEMS_MAX 256u
#define WR_TRANSCRIPT_PAGE_BYTES_MAX 1048576u
/* Events of one batch of the library's poll interface (contract 5.5). */
#define WR_EVENT_BATCH_ITEMS_MAX 256u
/* Workers and bytes in a runtime-wide snapshot; transcript items and content bytes in a
 * Worker's. Beyond: marked as truncated, the REST lists have the rest. */
#define WR_SNAPSHOT_WORKER_COUNT_MAX 256u
#define WR_SNAPSHOT_BYTES_MAX 1048576u
#define WR_SNAPSHOT_ENTRY_COUNT_MAX 256u
#define WR_SNAPSHOT_ENTRY_BYTES_MAX 262144u
/* Inputs that may queue at a busy Worker whose policy says so: unless it is told, and at most; and
 * bytes of their content. Beyond: 409 worker_busy. */
#define WR_QUEUE_INPUTS 16u
#define WR_QUEUE_INPUTS_MAX 256u
#define WR_QUEUE_BYTES_MAX (2u * WR_EVENT_BYTES_MAX)
/* What queued inputs of all Workers may cost together: content, and what an entry takes beside it.
 * Beyond: likewise. */
#define WR_QUEUES_BYTES_MAX 33554432u
#define WR_QUEUE_ENTRY_BYTES 64u
/* Inputs of a Worker of which the log does not know that their turn began. Beyond: 409. */
#define WR_QUEUE_TRACKED_MAX (2u * WR_QUEUE_INPUTS_MAX)
/* Unfinished output blocks of a turn that a snapshot can show; beyond: the oldest bytes go. */
#define WR_IN_FLIGHT_BLOCK_COUNT_MAX 16u
#define WR_IN_FLIGHT_BYTES_MAX 262144u

/* ---- config bundles (contract 9) ---- */

/* One text of a bundle. Beyond: 400 invalid_request. */
#define WR_CONFIG_TEXT_BYTES_MAX 2048u
#define WR_CONFIG_BUNDLE_ID_BYTES_MAX 128u
/* Profiles and declarations of one bundle (their lines are sorted for its digest, in memory of that
 * many numbers), and all texts of it together. Beyond: 413 payload_too_large. */
#define WR_CONFIG_PROFILE_COUNT_MAX 128u
#define WR_CONFIG_DECLARATION_COUNT_MAX 512u
#define WR_CONFIG_BUNDLE_BYTES_MAX 262144u
/* Bundles of one Runtime, and their texts together: they are in memory and in every checkpoint.
 * Beyond: 507 limit_config_bundles. */
#define WR_CONFIG_BUNDLE_COUNT_MAX 256u
#define WR_CONFIG_BUNDLES_BYTES_MAX 2097152u

/* ---- observation ---- */

/* Bytes one subscriber may be sent in one turn. */
#define WR_SUBSCRIBER_TURN_BYTES_MAX 1048576u
/* Memory chunks of the event log. */
#define WR_LOG_CHUNK_BYTES_MIN 512u
#define WR_LOG_CHUNK_BYTES_MAX 65536u
/* Rest frames kept for subscribers that were cut off in the middle of one. Beyond: reset. */
#define WR_CUT_BYTES_MAX 4194304u

/* ---- the log on disk (reliability 3) ---- */

/* A segment, prepared as a whole ahead: seconds of writing on an SD card, and what is read again
 * at a start is at most a few of them. */
#define WR_STORE_SEGMENT_BYTES 8388608u
/* All files. Beyond: the oldest events are given up; when none can be, 507 store_full. */
#define WR_STORE_BYTES_MAX 1073741824u
/* Durability `interval`: what a power cut may take back. */
#define WR_STORE_INTERVAL_MS 100u
/* Sealed segments are read again from the disk, 256 KiB in this time: 64 KiB/s, a full log in some
 * five hours; and from then on once a day. */
#define WR_STORE_SCRUB_MS 4000u
#define WR_STORE_SCRUB_REST_MS 86400000u
/* One record: an event with its names and numbers around it. */
#define WR_STORE_PAYLOAD_BYTES_MAX (WR_EVENT_BYTES_MAX + 65536u)

/* ---- child processes (reliability 10) ---- */

/* Children at once. Beyond: 409 worker_busy. */
#define WR_CHILD_COUNT_MAX 32u
/* One line of a child's output; beyond: typed event, the line is dropped. */
#define WR_CHILD_LINE_BYTES_MAX WR_EVENT_BYTES_MAX
/* Input a child has not yet taken. Beyond: 409 worker_busy. */
#define WR_CHILD_INPUT_BYTES_MAX (2u * WR_EVENT_BYTES_MAX)
/* The end of its stderr that is kept for the error event. */
#define WR_CHILD_STDERR_BYTES_MAX 65536u
/* Read from one child in one turn. */
#define WR_CHILD_TURN_BYTES_MAX 65536u
/* Between closing stdin, TERM and KILL. */
#define WR_CHILD_GRACE_MS 5000u
/* Start-up of a jsonl child until its `ready`. */
#define WR_CHILD_READY_MS_MAX 30000u
/* Back-off between starts of a child that dies often. */
#define WR_CHILD_BACKOFF_MS_MIN 1000u
#define WR_CHILD_BACKOFF_MS_MAX 60000u
/* Who lives so long has not died early. */
#define WR_CHILD_STABLE_MS 10000u
/* jsonl: from `cancel` to `done`. */
#define WR_CHILD_INTERRUPT_MS_MAX 2000u
/* Its descriptors. */
#define WR_CHILD_FD_COUNT_MAX 256u

/* ---- conversations with a model ---- */

/* Turns under way at once, each with a connection of its own. Beyond: 409 worker_busy. */
#define WR_OPENAI_TURN_COUNT_MAX 64u
/* Content of earlier messages that is sent with an input (some 64 k tokens), and their number.
 * Beyond: the oldest are left out, and said. */
#define WR_OPENAI_HISTORY_BYTES_MAX 262144u
#define WR_OPENAI_HISTORY_COUNT_MAX 2048u
/* One event of a stream, and one line of it. Beyond: an `error` event. */
#define WR_OPENAI_STREAM_BYTES_MAX 1048576u
/* An answer that is not a stream, as JSON. Beyond: likewise. */
#define WR_OPENAI_BODY_BYTES_MAX 4194304u
/* What is read of an answer that is an error, and shown of its message. */
#define WR_OPENAI_ERROR_BYTES_MAX 4096u
#define WR_OPENAI_MESSAGE_BYTES_MAX 256u
/* Tool calls of one answer. Beyond: an `error` event. */
#define WR_OPENAI_CALL_COUNT_MAX 32u
/* Silence before the first word (large models load and read for minutes), and after it. */
#define WR_OPENAI_FIRST_TOKEN_MS_MAX 600000u
#define WR_OPENAI_SILENCE_MS_MAX 120000u
/* Beyond that without a word, while other things come: comments that keep a connection open. */
#define WR_OPENAI_MUTE_MS_MAX 3600000u
/* Tries beyond the first; the pauses between them; what a Retry-After may ask for. */
#define WR_OPENAI_RETRY_COUNT_MAX 4u
#define WR_OPENAI_RETRY_MS_MIN 1000u
#define WR_OPENAI_RETRY_MS_MAX 30000u
#define WR_OPENAI_RETRY_AFTER_MS_MAX 60000u
/* From the end of a stream to the end of its answer: else the connection is not used again. */
#define WR_OPENAI_END_MS_MAX 50u

/* ---- process ---- */

/* From SIGTERM to the end. */
#define WR_DRAIN_MS_MAX 30000u
/* Shortest token off loopback: 128 bits in the densest usual spelling (base64). */
#define WR_TOKEN_BYTES_MIN 22u
#define WR_TOKEN_BYTES_MAX 512u
#define WR_TOKEN_COUNT_MAX 32u

/* ---- their relations ---- */

/* JSON escapes a byte in at most six; a frame adds an envelope below 2 KiB. */
#define WR_FRAME_BYTES_MAX (6u * WR_EVENT_BYTES_MAX + 16384u)

_Static_assert(WR_HTTP_TARGET_BYTES_MAX < WR_HTTP_HEAD_BYTES_MAX, "a target fits its head");
_Static_assert(WR_HTTP_FIELD_BYTES_MAX < WR_HTTP_HEAD_BYTES_MAX, "a field fits its head");
_Static_assert(WR_EVENT_BYTES_MAX < WR_HTTP_BODY_BYTES_MAX, "an input fits a body");
_Static_assert(WR_CHILD_INPUT_BYTES_MAX > WR_EVENT_BYTES_MAX, "an input fits a child's queue");
_Static_assert(WR_CONN_OUTPUT_BYTES_RESUME < WR_CONN_OUTPUT_BYTES_MAX, "hysteresis");
_Static_assert(WR_QUEUE_INPUTS <= WR_QUEUE_INPUTS_MAX, "the usual queue is possible");
_Static_assert(WR_QUEUES_BYTES_MAX > 2 * WR_QUEUE_BYTES_MAX, "one Worker does not take all");
_Static_assert(WR_LOG_CHUNK_BYTES_MIN < WR_LOG_CHUNK_BYTES_MAX, "chunk sizes");
_Static_assert(WR_ID_BYTES_MAX < WR_LOG_CHUNK_BYTES_MIN, "ids are small");
_Static_assert(WR_CONFIG_BUNDLE_BYTES_MAX < WR_EVENT_BYTES_MAX, "a bundle fits a record");
_Static_assert(WR_STORE_PAYLOAD_BYTES_MAX < WR_STORE_SEGMENT_BYTES / 4, "records fit a segment");
_Static_assert(WR_STORE_SEGMENT_BYTES <= WR_STORE_BYTES_MAX / 4, "a log has several segments");

#endif
