/*
 * json/strings — the inside of a JSON string: its escapes and its UTF-8.
 *
 * The reader checks every string while it looks for the closing quote, so what is decoded later is
 * known to be good. Implements RFC 8259 section 7 and RFC 3629; wr_json_decode_string* of reader.h
 * live here too. Private to this folder.
 */
#ifndef WR_CODEC_JSON_STRINGS_H
#define WR_CODEC_JSON_STRINGS_H

#include "status.h"

#include <stdbool.h>

/* Checks a string from *at (behind the opening quote) to its closing quote, where *at then stands.
 * WR_OK; WR_MORE when `end` comes first; WR_SYNTAX or WR_ENCODING, with *at on the first byte at
 * which no string can go on. *has_escapes becomes true when there is an escape. */
enum wr_status wr_json_string_check(const char **at, bool *has_escapes, const char *end);

#endif
