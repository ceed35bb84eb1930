/*
 * config_bundle — what a Backend declares for the Workers that it wants made: profiles, and things
 * that are referred to by name (contract 9). Values only; bundles.h keeps them.
 *
 * A bundle is known by its id, and by a digest over all that it says, so that a create can name
 * exactly the content that its Backend means. It carries names and references, never a secret, a
 * path or anything else of a host: what looks like that is refused here.
 *
 * Views are borrowed; all text is valid UTF-8 before it comes here.
 */
#ifndef WR_CORE_CONFIG_BUNDLE_H
#define WR_CORE_CONFIG_BUNDLE_H

#include "bytes/buf.h"
#include "bytes/sha256.h"
#include "core/command.h"

/* A packed list of rows, each a kind and two texts: u8, then the texts as in struct wr_pairs. Made
 * with wr_rows_append, walked with wr_rows_next, stored as it is. */
struct wr_rows {
	struct wr_view packed;
	uint32_t count;
};

struct wr_row {
	uint8_t kind;
	struct wr_view first, second; /* may be absent */
};

/* Appends a row to `out`, which holds nothing but the list. Status of the buffer. */
enum wr_status wr_rows_append(struct wr_buf *out, const struct wr_row *row);
/* Takes the first row off *rest (start with rows.packed). False at the end or when damaged: then
 * nothing is taken. */
bool wr_rows_next(struct wr_view *rest, struct wr_row *row);
/* Whether the list has exactly `count` rows, none of a kind above `kind_max`, and nothing behind
 * them. */
bool wr_rows_are_whole(const struct wr_rows *rows, unsigned kind_max);

/* The numbers are part of the stored form; `unsupported` is a word of the protocol, but is always
 * refused. X(NAME, word) */
#define WR_DECLARATION_LIST(X)                  \
	X(SECRET_REF, "secret_ref")             \
	X(MOUNT_GRANT, "mount_grant")           \
	X(NETWORK_POLICY, "network_policy")     \
	X(SHELL_POLICY, "shell_policy")         \
	X(GIT_POLICY, "git_policy")             \
	X(CAPABILITY_GRANT, "capability_grant") \
	X(UNSUPPORTED, "unsupported")
enum wr_declaration_kind {
#define WR_DECLARATION_ENUM(name, word) WR_DECLARATION_##name,
	WR_DECLARATION_LIST(WR_DECLARATION_ENUM)
#undef WR_DECLARATION_ENUM
};

/* "secret_ref", ... */
struct wr_view wr_declaration_word(enum wr_declaration_kind kind);

struct wr_config_bundle {
	struct wr_view id, digest, revision, workspace_id, created_at;
	struct wr_view source, detail; /* provenance; detail may be absent */
	struct wr_rows profiles;     /* kind: enum wr_profile_kind; value (absent: runtime_default),
					label (may be absent) */
	struct wr_rows declarations; /* kind: enum wr_declaration_kind; name, reference */
};

enum { WR_CONFIG_DIGEST_BYTES = 2 * WR_SHA256_BYTES };

/* 1 to 128 bytes of [A-Za-z0-9._:-], the first a letter or digit. */
bool wr_config_bundle_id_is_valid(struct wr_view id);
/* Nothing but [A-Za-z0-9:._@+-]; how it begins depends on its kind. */
bool wr_config_reference_is_valid(struct wr_view reference);
/* 64 lower-case hex digits. */
bool wr_config_digest_is_valid(struct wr_view digest);

/* Whether a text may be shown to anybody: at most 2048 bytes, no control characters (C0, DEL, C1),
 * and nothing that looks as if it named something of a host, whatever the case of its letters:
 *
 *	a path: a backslash or `../` anywhere; `/`, `~` or `./` at the beginning of a word, which is
 *at the start and behind every byte but ASCII letters, digits, `.`, `_`, `~` and `/` (so a URL is
 *refused, too); `file:` anywhere; a cache, session or socket: `cache`, `session`, `socket` or
 *`.sock` anywhere.
 *
 * NULL, or what is wrong. */
const char *wr_config_text_fault(struct wr_view text);

/* Bytes of all texts, rows as they are packed. */
size_t wr_config_bundle_bytes(const struct wr_config_bundle *bundle);
/* Whether its lists are whole and no longer than they may be: what digest and bundles.h ask of
 * any. */
bool wr_config_bundle_is_sound(const struct wr_config_bundle *bundle);
/* Whether two say the same, in the same words and order. */
bool wr_config_bundle_is_same(const struct wr_config_bundle *a, const struct wr_config_bundle *b);

/* SHA-256 over what the bundle says (contract 9), as 64 lower-case hex digits. The order of its
 * rows does not count, nor whether an empty text is there. The bundle is sound. */
void wr_config_bundle_digest(const struct wr_config_bundle *bundle,
			     char out[WR_CONFIG_DIGEST_BYTES]);

/* Judges a bundle that is to be stored, in the order of contract 9. WR_OK; WR_TOO_LARGE (a bound of
 * bounds.h); WR_INVALID; WR_DIGEST_MISMATCH; WR_NOT_FOUND (a profile without a name);
 * WR_NO_DECLARATION (a kind, or a reference of it, that is not supported). error->detail tells. */
enum wr_status wr_config_bundle_check(const struct wr_config_bundle *bundle,
				      struct wr_error *error);

/* Whether the bundle declares the profile of a create. */
bool wr_config_bundle_declares(const struct wr_config_bundle *bundle, enum wr_profile_kind kind,
			       struct wr_view value);

#endif
