/* resolver_private — what the files of the resolver share: names, how they are asked for, and how
 * that ends.
 */
#ifndef WR_IO_RESOLVER_PRIVATE_H
#define WR_IO_RESOLVER_PRIVATE_H

#include "io/net/dns_message.h"
#include "io/net/resolver.h"

enum wr_question_kind { WR_QUESTION_AAAA, WR_QUESTION_A };
enum { WR_QUESTION_KIND_COUNT = 2 };

/* A name that is asked for, or was: one for all who want it. */
struct wr_question {
	struct wr_list place;
	struct wr_list lookups;
	struct wr_resolver *resolver;
	enum wr_status status; /* WR_MORE: it is being asked */
	bool prefers_ipv4;
	uint64_t kept_until_ms;
	/* Of the try that is under way, then the last. WR_MORE: no answer yet. */
	enum wr_status statuses[WR_QUESTION_KIND_COUNT];
	struct wr_dns_answer answers[WR_QUESTION_KIND_COUNT];
	uint16_t ids[WR_QUESTION_KIND_COUNT];
	int fd; /* -1: none */
	struct wr_watch watch;
	struct wr_timer due; /* the end of the try */
	uint8_t try_count;
	uint8_t name_bytes;
	char name[WR_DNS_NAME_BYTES_MAX]; /* in lower case */
};

struct wr_resolver {
	struct wr_reactor *reactor;
	struct wr_allocator *allocator;
	struct wr_resolver_config config;
	struct wr_list questions; /* the oldest first */
	uint32_t question_count;
};

/* ---- resolver_question.c ---- */

/* Ends a try, if there is one. */
void wr_question_close(struct wr_question *self);
/* It is decided: those who wait are told soon. */
void wr_question_end(struct wr_question *self, enum wr_status status, uint64_t kept_ms);

/* ---- resolver_ask.c ---- */

/* Begins to ask name servers. wr_question_end comes, maybe from within. */
void wr_question_ask(struct wr_question *self);

#endif
