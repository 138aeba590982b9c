// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/assert.h"

#include "config_reading.h"

#define LINE_BYTES 1024u ///< longer than any fault before it is cut

/// Keep it, cut to its row with "..." at the end; count it in any case.
static void keep(struct config_faults *faults, const struct buf *line)
{
    static const char dots[] = "...";
    if (faults->count < CONFIG_FAULTS_MAX) {
        char *row = faults->text[faults->count];
        bool cut = line->len >= CONFIG_FAULT_BYTES || !buf_ok(line);
        size_t len = cut ? CONFIG_FAULT_BYTES - sizeof(dots) : line->len;
        len = len < line->len ? len : line->len;
        memcpy(row, line->ptr, len);
        memcpy(row + len, cut ? dots : "", cut ? sizeof(dots) : 1u);
    }
    faults->count++;
}

/// Key names and numbers, as far as they are printable ASCII.
static void put_echo(struct buf *line, struct span text)
{
    struct span shown = span_sub(text, 0, CONFIG_ECHO_BYTES_MAX);
    for (size_t i = 0; i < shown.len; i++) {
        buf_put_char(line, shown.ptr[i] >= ' ' && shown.ptr[i] <= '~' ? shown.ptr[i] : '?');
    }
    buf_put_str(line, shown.len < text.len ? "..." : "");
}

static void put_path(struct buf *line, const struct reading *r, struct span key)
{
    buf_put_str(line, r->section);
    buf_put_str(line, r->section[0] != '\0' && key.len > 0 ? "." : "");
    put_echo(line, key);
    if (line->len == 0) {
        buf_put_str(line, "configuration");
    }
    buf_put_str(line, ": ");
}

void config_fault(struct reading *r, struct span key, const char *what, const char *allowed)
{
    char text[LINE_BYTES];
    struct buf line = BUF(text);
    put_path(&line, r, key);
    buf_put_str(&line, what);
    if (allowed[0] != '\0') {
        buf_put_str(&line, "; allowed: ");
        buf_put_str(&line, allowed);
    }
    keep(r->faults, &line);
}

void config_fault_key(struct reading *r, const struct config_key *key, const char *what)
{
    char text[256];
    struct buf allowed = BUF(text);
    config_put_allowed(&allowed, key);
    bool fits = buf_terminate(&allowed);
    ASSERT(fits);
    config_fault(r, span_from_str(key->name), what, text);
}

void config_fault_number(struct reading *r, const struct config_key *key, struct span number)
{
    char text[CONFIG_ECHO_BYTES_MAX + 32u];
    struct buf what = BUF(text);
    put_echo(&what, number);
    buf_put_str(&what, " is out of range");
    bool fits = buf_terminate(&what);
    ASSERT(fits);
    config_fault_key(r, key, text);
}

void config_fault_unknown(struct reading *r, const struct config_section *section, struct span key)
{
    char text[LINE_BYTES];
    struct buf line = BUF(text);
    put_path(&line, r, key);
    buf_put_str(&line, "unknown key; known keys: ");
    for (unsigned i = 0; i < section->keys_count; i++) {
        buf_put_str(&line, i > 0 ? ", " : "");
        buf_put_str(&line, section->keys[i].name);
    }
    keep(r->faults, &line);
}

void config_fault_text(struct config_faults *faults, struct span text, size_t at)
{
    char bytes[LINE_BYTES];
    struct buf line = BUF(bytes);
    uint64_t row = 1, column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        column = text.ptr[i] == '\n' ? 1 : column + 1u;
        row += text.ptr[i] == '\n';
    }
    buf_put_str(&line, "line ");
    buf_put_u64(&line, row);
    buf_put_str(&line, ", column ");
    buf_put_u64(&line, column);
    buf_put_str(&line,
                at < text.len ? ": this is not JSON (RFC 8259)" : ": the text ends too early");
    keep(faults, &line);
}
