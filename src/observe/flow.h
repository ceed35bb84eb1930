/*
 * flow — how one subscriber is brought up to date: the inside of fanout, shared by its files.
 *
 * A Worker's subscriber is a byte position in that Worker's event stream and is sent straight from
 * the log's chunks (worker_flow.c). A runtime-wide one is a sequence, and is sent from a shared
 * buffer in which the cursors of the frames have been replaced (runtime_flow.c).
 */
#ifndef WR_OBSERVE_FLOW_H
#define WR_OBSERVE_FLOW_H

#include "observe/fanout.h"
#include "observe/saved_frame.h"
#include "wire/event_json.h"

enum wr_subscription_state {
	WR_SUBSCRIPTION_LIVE,
	WR_SUBSCRIPTION_CUT,  /* evicted: the rest of its frame, the diagnostic, Close 1013 */
	WR_SUBSCRIPTION_ENDED /* nothing more of the log is sent: closing */
};

/* The app's bytes of a connection; one per subscriber, so every byte counts. */
struct wr_subscription {
	struct wr_list place; /* among those of its stream, or the runtime-wide ones */
	/* Worker: position of the next byte. Runtime-wide: sequence of the last whole frame sent,
	 * or with `offset` != 0 of the frame that is partly sent. */
	uint64_t at;
	union {
		struct wr_saved_frame *saved; /* CUT inside a frame: where its bytes are */
		uint32_t frame_worker;	      /* LIVE, runtime-wide, inside a frame: its stream */
	} in;
	uint32_t worker;	/* scope: number, 0: runtime-wide */
	uint32_t offset : 28;	/* runtime-wide: bytes sent of the frame `at` */
	uint32_t state : 2;	/* enum wr_subscription_state */
	uint32_t is_inside : 1; /* stands inside a frame */
	uint32_t is_open : 1;	/* it became a subscriber */
};

_Static_assert(sizeof(struct wr_subscription) <= 40, "small");
_Static_assert(WR_FRAME_BYTES_MAX < 1u << 28, "an offset in a frame fits");

/* What the shared buffer of the runtime-wide stream holds: frames from behind `after` on. */
enum { WR_RENDERED_FRAMES_MAX = 512, WR_RENDERED_BYTES = 65536 };
struct wr_rendered {
	struct wr_buf bytes;
	uint64_t after;
	uint64_t head; /* newest sequence of the log when it was made */
	uint32_t count;
	struct {
		uint64_t sequence;
		uint32_t end;
		uint32_t worker;
	} frames[WR_RENDERED_FRAMES_MAX];
};

struct wr_fanout {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_fanout_config config;
	struct wr_runtime *runtime;
	struct wr_event_log *log;
	struct wr_ws_group *group;
	struct wr_turn_hook hook;
	struct wr_list runtime_subscribers;
	struct wr_saved_frames saved;
	struct wr_buf scratch;	      /* frames made for one subscriber */
	struct wr_rendered *rendered; /* made with the first runtime-wide subscriber */
	uint64_t flushed;	      /* newest sequence of the last flush */
	bool is_draining;
};

/* Sends what the subscriber lacks, as far as the socket takes it and the turn's share goes. */
void wr_worker_flow_push(struct wr_fanout *fanout, struct wr_subscription *subscription);
void wr_runtime_flow_push(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* The same for all subscribers of a Worker's stream, at the end of a turn. */
void wr_worker_flow_flush(struct wr_fanout *fanout, struct wr_event_stream *stream);

/* Memory below `position` of the stream goes: saves the frame in which the subscriber stands. */
void wr_worker_flow_release(struct wr_fanout *fanout, struct wr_subscription *subscription,
			    struct wr_event_stream *stream, uint64_t position);
void wr_runtime_flow_release(struct wr_fanout *fanout, struct wr_subscription *subscription,
			     struct wr_event_stream *stream, uint64_t position);

/* Sends the rest of the saved frame; false while not all of it is out. */
bool wr_flow_finish_saved(struct wr_fanout *fanout, struct wr_subscription *subscription,
			  uint32_t offset);

/* The subscriber fell off retention and stands between frames: the diagnostic, then Close 1013. */
void wr_flow_expire(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* The subscriber has everything: in a drain that is the moment to say goodbye. */
void wr_flow_caught_up(struct wr_fanout *fanout, struct wr_subscription *subscription);

#endif
