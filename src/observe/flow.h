/*
 * flow — how one subscriber is brought up to date: the inside of fanout, shared by its files.
 *
 * A Worker's subscriber is a byte position in that Worker's event stream and is sent straight from
 * the log's chunks (worker_flow.c). A runtime-wide one is a sequence, and is sent from a shared
 * buffer in which the cursors of the frames have been replaced (runtime_flow.c). One whose next
 * frame is no longer in memory is a sequence, too, and is sent from the same kind of buffer, filled
 * from what the feed has stored (stored_flow.c). Who waits for the feed is sent nothing but control
 * frames; opening.c has those that are not open yet.
 *
 *	WAITING --- the feed knows where it begins ---> one of AHEAD, LIVE, STORED
 *
 *	AHEAD ---- a frame behind its sequence is there
 *	           |
 *	           v  memory is overtaken, and the store has it          the feed must fetch it
 *	          LIVE ----------------------------------------> STORED ----------------> PARKED
 *	           |  ^                                           |  | ^                    |
 *	           |  '------- what comes next is in memory ------'  | '---- wr_fanout_resume-'
 *	           | overtaken, and no store has it                  | given up, or cannot be read
 *	           v                                                 v
 *	          CUT (inside a frame) -- its rest, then on, or --> ENDED <-- any of them
 */
#ifndef WR_OBSERVE_FLOW_H
#define WR_OBSERVE_FLOW_H

#include "observe/fanout.h"
#include "observe/rendered.h"
#include "observe/saved_frame.h"

enum wr_subscription_state {
	WR_SUBSCRIPTION_LIVE,
	WR_SUBSCRIPTION_CUT,	 /* its frame is gone: its rest comes from a saved copy */
	WR_SUBSCRIPTION_ENDED,	 /* closing: is in no list, and holds nothing */
	WR_SUBSCRIPTION_STORED,	 /* reads what memory no longer has from the store */
	WR_SUBSCRIPTION_WAITING, /* the feed does not know yet where it begins */
	WR_SUBSCRIPTION_AHEAD,	 /* of a Worker: has more than the log has seen */
	WR_SUBSCRIPTION_PARKED	 /* STORED, and the feed does not have yet what comes next */
};

/* The token of one who waits. */
struct wr_waiting_cursor {
	uint32_t bytes;
	char text[];
};
/* The longest that is kept, and shown to a feed: twice those of ours. */
#define WR_WAITING_CURSOR_BYTES_MAX 64u

/* Lists of those that wait, by scope, so that a resume does not look at all of them. */
enum { WR_WAITING_LISTS = 16 };

#define WR_OFFSET_BITS 27
#define WR_OFFSET_MASK ((1u << WR_OFFSET_BITS) - 1)

/* The app's bytes of a connection; one per subscriber, so every byte counts. */
struct wr_subscription {
	/* LIVE, CUT, AHEAD: among those of its stream, or the runtime-wide ones. STORED: in the
	 * backlog while its socket takes bytes, else in no list. WAITING, PARKED: in `waiting`, or
	 * when it is to be opened in `resumed`. */
	struct wr_list place;
	/* LIVE, of a Worker: position of the next byte. Else a sequence: up to there it has
	 * everything, or with `offset` != 0 that frame is partly sent. */
	uint64_t at;
	union {
		struct wr_saved_frame *saved; /* CUT inside a frame: where its bytes are */
		uint32_t frame_worker;	      /* LIVE, runtime-wide, inside a frame: its stream */
		uint64_t sequence; /* LIVE, of a Worker, behind: of the frame with byte `at` */
		struct wr_waiting_cursor *cursor; /* WAITING; NULL: none was given */
	} in;
	uint32_t worker; /* scope: number, 0: runtime-wide */
	/* Bytes sent of the frame `at`, where that is a sequence. */
	uint32_t offset : WR_OFFSET_BITS;
	uint32_t state : 3;	/* enum wr_subscription_state */
	uint32_t is_inside : 1; /* stands inside a frame */
	uint32_t is_open : 1;	/* it became a subscriber */
};

_Static_assert(sizeof(struct wr_subscription) <= 40, "small");
_Static_assert(WR_FRAME_BYTES_MAX <= WR_OFFSET_MASK, "an offset in a frame fits");

struct wr_fanout {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_fanout_config config;
	struct wr_feed feed;
	struct wr_event_log *log; /* of the feed */
	struct wr_ws_group *group;
	struct wr_turn_hook hook;
	struct wr_list runtime_subscribers;
	struct wr_list backlog; /* STORED ones that can be sent to; the first is next */
	struct wr_list resumed; /* WAITING ones whose feed may know now; the first is next */
	struct wr_list waiting[WR_WAITING_LISTS];
	struct wr_saved_frames saved;
	struct wr_buf scratch;	      /* frames made for one subscriber */
	struct wr_rendered *rendered; /* made with the first subscriber that needs it */
	uint64_t flushed;	      /* newest sequence of the last flush */
	bool is_draining;
};

/* ---- WAITING, PARKED ---- */

/* Where those of a scope wait. */
static inline struct wr_list *wr_flow_waiting(struct wr_fanout *fanout, uint32_t scope)
{
	return &fanout->waiting[scope % WR_WAITING_LISTS];
}
/* Asks again about the resumed ones, a share of each turn. */
void wr_opening_turn(struct wr_fanout *fanout);

/* ---- LIVE, AHEAD ---- */

/* Sends what the subscriber lacks, as far as the socket takes it and the turn's share goes. */
void wr_worker_flow_push(struct wr_fanout *fanout, struct wr_subscription *subscription);
void wr_runtime_flow_push(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* The same for all subscribers of a Worker's stream, at the end of a turn. */
void wr_worker_flow_flush(struct wr_fanout *fanout, struct wr_event_stream *stream);

/* Memory below `position` of the stream goes: whoever stands there goes on from the store, or from
 * a saved copy of the frame in which it stands. */
void wr_worker_flow_release(struct wr_fanout *fanout, struct wr_subscription *subscription,
			    struct wr_event_stream *stream, uint64_t position);
void wr_runtime_flow_release(struct wr_fanout *fanout, struct wr_subscription *subscription,
			     struct wr_event_stream *stream, uint64_t position);

/* ---- STORED, PARKED ---- */

/* A subscriber stands at `sequence` (inside that frame when `offset` is not 0), which memory has
 * left behind: it becomes STORED. False, and nothing has changed, when the store does not have what
 * it lacks. */
bool wr_stored_flow_enter(struct wr_fanout *fanout, struct wr_subscription *subscription,
			  uint64_t sequence, uint32_t offset);
/* It can be sent to: it gets its turns from now on. */
void wr_stored_flow_push(struct wr_fanout *fanout, struct wr_subscription *subscription);
/* A PARKED one, which is in no list: the feed may have now what it waits for. */
void wr_stored_flow_resume(struct wr_fanout *fanout, struct wr_subscription *subscription);
/* The backlog's share of a reactor turn, in equal parts. */
void wr_stored_flow_turn(struct wr_fanout *fanout);

/* ---- what the flows need of each other ---- */

/* Brings it up to date as its state asks for. */
void wr_flow_push(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* Highest sequence of a scope that memory does not have. */
uint64_t wr_flow_gone(const struct wr_fanout *fanout, uint32_t worker);

/* A subscriber has everything up to `sequence` and stands between frames: it goes on with what
 * follows, from memory or store, or expires. It may be gone on return. */
void wr_flow_go_on(struct wr_fanout *fanout, struct wr_subscription *subscription,
		   uint64_t sequence);

/* The shared buffer; NULL when there is no memory for it. */
struct wr_rendered *wr_flow_rendered(struct wr_fanout *fanout);

/* The subscriber stands `offset` bytes behind the beginning of the rendered frames. */
void wr_flow_stand(struct wr_subscription *subscription, const struct wr_rendered *rendered,
		   size_t offset);

/* CUT: sends the rest of the saved frame, then goes on. */
void wr_flow_finish_saved(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* ---- how a subscription ends (flow_end.c) ---- */

/* Takes it out of its list, and gives back what its state holds. It is ENDED. */
void wr_flow_leave(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* Empties the scratch buffer, and gives memory beyond the usual back. */
void wr_flow_reset_scratch(struct wr_fanout *fanout);

/* Sends the frame that was made in the scratch buffer. WR_OK; WR_CLOSED; WR_TOO_LARGE,
 * WR_NO_MEMORY, also of making it. */
enum wr_status wr_flow_send_scratch(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* Says why, as the feed puts it, and closes; between frames only. The subscription may be gone on
 * return. */
void wr_flow_end(struct wr_fanout *fanout, struct wr_subscription *subscription,
		 enum wr_feed_news news, enum wr_status why, uint64_t sequence);

/* What comes next is gone for good, and the subscriber stands between frames: the same. */
void wr_flow_expire(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* Ends it without a word: nothing may be said inside a frame, or there is no memory to say it. A
 * reset cannot be taken for an orderly end, and the peer still has its cursor. The subscription may
 * be gone on return. */
void wr_flow_abort(struct wr_fanout *fanout, struct wr_subscription *subscription);

/* The subscriber has everything that can be had now: in a drain that is the moment to say goodbye.
 */
void wr_flow_caught_up(struct wr_fanout *fanout, struct wr_subscription *subscription);

#endif
