/* backlog — one Worker, a witness of its stream and one of the runtime-wide stream. */
#ifndef WR_TESTS_OBSERVE_BACKLOG_H
#define WR_TESTS_OBSERVE_BACKLOG_H

#include "unit/observe/reader.h"

static struct witness witnesses[2]; /* runtime-wide, the Worker's */

static inline void begin(void)
{
	rig_open();
	rig_create();
	rig_turn();
	for (uint32_t worker = 0; worker <= 1; worker++)
		witness_open(&witnesses[worker], worker);
}

static inline void look(void)
{
	rig_turns(3);
	for (uint32_t worker = 0; worker <= 1; worker++)
		witness_look(&witnesses[worker]);
}

static inline void end(void)
{
	for (uint32_t worker = 0; worker <= 1; worker++)
		witness_close(&witnesses[worker]);
	rig_close();
}

static inline void say(unsigned count, size_t bytes)
{
	for (unsigned i = 0; i < count; i++) {
		rig_say(1, bytes);
		look();
	}
}

/* The cursor behind the frame of that index. */
static inline const char *cursor_behind(uint32_t worker, size_t index)
{
	return frame_cursor(witness_frame(&witnesses[worker], index));
}

/* The reader has everything that the witness has from a frame on. */
static inline void check_all(const struct reader *reader, size_t index)
{
	check_prefix(reader, 0, &witnesses[reader->worker], index);
	CHECK_U64(reader->bytes, witness_from(&witnesses[reader->worker], index).bytes);
}

#endif
