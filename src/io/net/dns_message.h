/*
 * dns_message — a question for the addresses of a name, and the answer of a name server (RFC 1035
 * 4), as bytes: pure, without sockets, clock or memory.
 *
 * The answer is a stranger's: names are followed through compression only backwards and up to 255
 * octets, aliases (CNAME) up to WR_DNS_ALIAS_COUNT_MAX, and what is not for the question that was
 * asked is no answer at all. Names are compared as labels, without the case of ASCII letters.
 */
#ifndef WR_IO_DNS_MESSAGE_H
#define WR_IO_DNS_MESSAGE_H

#include "bytes/buf.h"
#include "bytes/view.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

enum wr_dns_type { WR_DNS_A = 1, WR_DNS_AAAA = 28 };

enum {
	WR_DNS_NAME_BYTES_MAX = 253, /* as text, without the last dot */
	WR_DNS_QUESTION_BYTES_MAX = 12 + 255 + 4,
	/* We say nothing of larger datagrams, so 512 is what a server may send; some send more. */
	WR_DNS_ANSWER_BYTES_MAX = 1232,
	WR_DNS_ALIAS_COUNT_MAX = 8,
	WR_DNS_ADDRESS_COUNT_MAX = 8
};

struct wr_dns_answer {
	uint8_t addresses[WR_DNS_ADDRESS_COUNT_MAX][16]; /* of A the first four bytes */
	uint32_t count;
	uint32_t ttl_s; /* the shortest on the way */
	bool is_cut;	/* TC: there may be more */
};

/* Labels of 1 to 63 letters, digits, '-' and '_', dots between them; at most 253 characters. */
bool wr_dns_name_is_valid(struct wr_view name);

/* Appends one question for a valid name, with the wish for recursion. */
enum wr_status wr_dns_question_write(struct wr_buf *out, uint16_t id, struct wr_view name,
				     enum wr_dns_type type);

/*
 * WR_OK: count > 0. WR_NOT_FOUND: no such name, or no address of that type.
 * WR_MISMATCH: not an answer, or to another question: wait for another one.
 * WR_SYNTAX: malformed. WR_UNAVAILABLE: the server says that it cannot or will not tell.
 */
enum wr_status wr_dns_answer_read(struct wr_dns_answer *self, struct wr_view message, uint16_t id,
				  struct wr_view name, enum wr_dns_type type);

#endif
