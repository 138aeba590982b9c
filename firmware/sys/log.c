// SPDX-License-Identifier: Apache-2.0
/*
 * One line, one write(2): lines of several writers of the same pipe do not mix, and nothing is
 * buffered when we die. The moment and the call sites' buckets are the module's own memory, an
 * exception to "no mutable globals": a log call stands where a decision is made and must not need a
 * pointer to be passed there.
 */
#include "sys/log.h"

#include <stdarg.h>
#include <stdio.h>

#include <unistd.h>

#include "base/assert.h"
#include "base/crypto.h"

#define LINE_BYTES_MAX 640u
#define TAIL_BYTES     32u ///< kept free behind the caller's text for what we add

static struct now moment;

static const char *const level_names[] = {"", "error", "warn", "info", "debug"};

void log_set_now(struct now now)
{
    moment = now;
}

static void refill(struct log_site *site)
{
    int64_t now_ms = moment.mono.ms;
    if (!site->used) {
        *site = (struct log_site){.refill_at_ms = now_ms, .tokens = LOG_BURST, .used = true};
        return;
    }
    int64_t earned = (now_ms - site->refill_at_ms) / LOG_REFILL_MS;
    if (earned >= LOG_BURST - site->tokens) {
        site->tokens = LOG_BURST;
        site->refill_at_ms = now_ms;
    } else if (earned > 0) {
        site->tokens += (int32_t)earned;
        site->refill_at_ms += earned * LOG_REFILL_MS;
    }
}

// What came from outside must not forge a line, nor reach a terminal as an escape sequence.
static void make_printable(struct buf line, size_t from)
{
    for (size_t i = from; i < line.len; i++) {
        if (line.ptr[i] < ' ' || line.ptr[i] > '~') {
            line.ptr[i] = '?';
        }
    }
}

__attribute__((format(printf, 2, 0))) static void
put_text(struct buf *line, const char *format, va_list arguments)
{
    size_t from = line->len;
    size_t room = line->cap - line->len - TAIL_BYTES;
    // clang 14 does not see that the caller has called va_start.
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    int wanted = vsnprintf(line->ptr + from, room, format, arguments);
    ASSERT(wanted >= 0);
    line->len += (size_t)wanted < room ? (size_t)wanted : room - 1u;
    make_printable(*line, from);
}

void log_line(struct log_site *site, int level, const char *format, ...)
{
    ASSERT(site != NULL && format != NULL);
    ASSERT(level >= 1 && level <= 4);
    refill(site);
    if (site->tokens == 0) {
        site->suppressed++;
        return;
    }
    site->tokens--;

    char text[LINE_BYTES_MAX];
    struct buf line = BUF(text);
    buf_put(&line, SPAN("ts="));
    time_put_iso(&line, moment.wall.ms);
    buf_put(&line, SPAN(" level="));
    buf_put_str(&line, level_names[level]);
    buf_put_char(&line, ' ');
    va_list arguments;
    va_start(arguments, format);
    put_text(&line, format, arguments);
    va_end(arguments);
    if (site->suppressed > 0) {
        buf_put(&line, SPAN(" suppressed="));
        buf_put_u64(&line, site->suppressed);
        site->suppressed = 0;
    }
    buf_put_char(&line, '\n');
    ASSERT(buf_ok(&line));
    // A log that cannot be written is no reason to stop collecting.
    ssize_t written = write(STDERR_FILENO, line.ptr, line.len);
    (void)written;
}

struct log_id log_id(struct span id)
{
    uint8_t digest[SHA256_BYTES];
    struct log_id out;
    struct buf text = BUF(out.text);
    sha256(id, digest);
    buf_put_hex(&text, (struct span){.ptr = (const char *)digest, .len = 4});
    bool terminated = buf_terminate(&text);
    ASSERT(terminated);
    return out;
}
