// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Pieces of HTML that every part of the page is made of.
 */
#ifndef STATUS_PAGE_PUT_H
#define STATUS_PAGE_PUT_H
#include "base/span.h"

#include "status/snapshot.h"

/// Escaped, cut at max bytes.
void page_text(struct buf *b, const char *text, size_t max);
/// "awaiting_consent" as "Awaiting consent".
void page_word(struct buf *b, const char *word);
/// With separators: 12,345.
void page_count(struct buf *b, uint64_t v);
/// "45 s", "12 min", "2 h 05 min", "3 d 4 h"; less than nothing is nothing.
void page_duration(struct buf *b, int64_t s);
/// "12 s ago", "never".
void page_ago(struct buf *b, int64_t s);
/// "9.0 MiB".
void page_bytes(struct buf *b, uint64_t bytes);
/// One of a definition list; the value follows, then page_reading_end.
void page_reading(struct buf *b, const char *name);
void page_reading_end(struct buf *b);
/// Whole reading with a number.
void page_reading_count(struct buf *b, const char *name, uint64_t v);
/// <em class=LEVEL>text</em>
void page_verdict(struct buf *b, enum snapshot_level level, const char *text);
/// Whether it may stand in an href: https, of a length that a page has room for.
bool page_is_link(const char *url);
/// <a ...>text</a> in a new window, if it may; else nothing.
void page_link(struct buf *b, const char *url, const char *text);

#endif
