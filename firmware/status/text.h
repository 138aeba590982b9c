// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Text for where it is put: escaped, harmless, and never longer than was said.
 * Model:  whole characters are taken while they fit; what does not fit is cut off with "…". What is
 *         no UTF-8 becomes U+FFFD; control characters, line and paragraph separators and what
 *         turns the direction of text become a blank, so that nobody can draw with them.
 */
#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H
#include "base/span.h"

#include "status/snapshot.h"

// What a text may take where it is shown, in bytes; the whole answer stays within its bound so.
#define TEXT_WORD_BYTES     32u ///< of a closed list; a name that somebody configured
#define TEXT_CLAUSE_BYTES   96u
#define TEXT_NAME_BYTES     130u ///< of the infrastructure, of a person
#define TEXT_SENTENCE_BYTES 576u

enum text_place {
    TEXT_HTML = 1, ///< content or a value in double quotes
    TEXT_JSON,     ///< inside the quotes
    TEXT_LABEL,    ///< Prometheus: inside the quotes of a label's value
};

/// @param max  bytes that are written at most, escapes included.
void text_put(struct buf *b, enum text_place place, struct span s, size_t max);

/// Of a string that may be missing.
struct span text_of(const char *nul_terminated_or_null);
/// "good", "wait", "setup", "warn", "bad"; "none".
const char *text_level(enum snapshot_level level);
/// Whether there is such a time; SNAPSHOT_NEVER: no.
bool text_is_time(int64_t s);

#endif
