// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/device.h"
#include "base/slots.h"
#include "hal/reset.h"

#include "backend.h"

#define RECORD_NAME  "reset"
#define MAGIC        0x41525331u // "ARS1"
#define HEAD_BYTES   (1u + RESET_BOOT_ID_BYTES + 8u + 8u + 1u)
#define RECORD_BYTES (HEAD_BYTES + RESET_WORDS_BYTES_MAX)
#define RUNNING      RESET_ILLEGAL

_Static_assert(RECORD_BYTES <= SLOTS_SECTOR_BYTES - SLOTS_FRAME_BYTES, "a slot is one sector");
_Static_assert(RESET_WORDS_BYTES_MAX <= UINT8_MAX, "its length is one byte");

/// What the life before left.
struct record {
    enum reset_cause state;
    uint8_t boot_id[RESET_BOOT_ID_BYTES];
    uint64_t uptime_ms, panic_ms;
    struct span words; ///< in the bytes that it was read from
};

static struct slots slots_of(int state_fd)
{
    return (struct slots){
        .dir_fd = state_fd, .name = RECORD_NAME, .magic = MAGIC, .payload_max = RECORD_BYTES};
}

static RC read_record(int state_fd, struct buf *bytes, struct record *out)
{
    struct slots slots = slots_of(state_fd);
    TRY(slots_read(&slots, bytes, NULL));
    struct reader reader = {.left = buf_span(bytes)};
    uint8_t state = reader_u8(&reader);
    struct span boot_id = reader_bytes(&reader, RESET_BOOT_ID_BYTES);
    out->uptime_ms = reader_be64(&reader);
    out->panic_ms = reader_be64(&reader);
    out->words = reader_bytes(&reader, reader_u8(&reader));
    if (!reader_ok(&reader) || state >= RESET_CAUSES) {
        return RC_CORRUPT;
    }
    out->state = (enum reset_cause)state;
    memcpy(out->boot_id, boot_id.ptr, RESET_BOOT_ID_BYTES);
    return RC_OK;
}

static RC write_record(const struct reset *r, enum reset_cause state, struct span words)
{
    char bytes[RECORD_BYTES];
    struct buf b = BUF(bytes);
    struct slots slots = slots_of(r->dir_fd);
    struct span kept = span_sub(words, 0, RESET_WORDS_BYTES_MAX);
    buf_put_u8(&b, (uint8_t)state);
    buf_put(&b, (struct span){.ptr = (const char *)r->boot_id, .len = sizeof(r->boot_id)});
    buf_put_be64(&b, r->noted_ms);
    buf_put_be64(&b, r->panic_ms);
    buf_put_u8(&b, (uint8_t)kept.len);
    buf_put(&b, kept);
    enum rc rc = slots_write(&slots, buf_span(&b));
    return rc == RC_OK || rc == RC_FULL ? rc : RC_IO;
}

/// They were written by a process that was failing: nothing of them reaches a line of log as is.
static void take_words(struct reset *r, struct span words)
{
    for (size_t i = 0; i < words.len && i < RESET_WORDS_BYTES_MAX; i++) {
        char c = words.ptr[i];
        r->words[i] = c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?';
    }
}

/// @param before  NULL: nothing is known.
static enum reset_cause judge(const struct reset *r, const struct record *before, bool bitten)
{
    bool other_boot = !r->same_boot;
    if (before != NULL && other_boot && r->panic_ms > before->panic_ms) {
        return RESET_PANIC;
    }
    if (bitten && other_boot) {
        return RESET_WATCHDOG;
    }
    if (before == NULL) {
        return RESET_FIRST;
    }
    switch (before->state) {
    case RESET_CLEAN:
    case RESET_ASKED:
    case RESET_ASSERT:
        return before->state;
    default:
        return r->same_boot ? RESET_KILLED : RESET_POWER;
    }
}

RC hal_reset_look(struct reset *r, int state_fd)
{
    memset(r, 0, sizeof(*r));
    r->dir_fd = -1;
    r->looked = true;
    enum rc rc = reset_backend_panic_ms(state_fd, &r->panic_ms);
    if (rc != RC_OK) {
        device_say(r->missing, reset_backend_place(), reset_backend_option(), device_why(rc));
    }
    return rc;
}

RC hal_reset_open(struct reset *r, int state_fd, bool bitten)
{
    ASSERT(state_fd >= 0);
    char bytes[RECORD_BYTES];
    struct buf b = BUF(bytes);
    struct record before = {.state = RUNNING};
    if (!r->looked) {
        rc_ignore(hal_reset_look(r, state_fd),
                  "said in missing; a panic looks like a loss of power");
    }
    r->looked = false; // the next life of a test looks anew
    r->dir_fd = state_fd;
    enum rc id_rc = reset_backend_boot_id(state_fd, r->boot_id);
    enum rc read_rc = read_record(state_fd, &b, &before);
    bool known = read_rc == RC_OK;
    r->same_boot =
        known && id_rc == RC_OK && memcmp(before.boot_id, r->boot_id, RESET_BOOT_ID_BYTES) == 0;
    r->cause = judge(r, known ? &before : NULL, bitten);
    if (known) {
        r->uptime_ms = before.uptime_ms;
        r->panic_ms = before.panic_ms > r->panic_ms ? before.panic_ms : r->panic_ms;
        take_words(r, before.words);
    }
    TRY(write_record(r, RUNNING, SPAN_NONE));
    if (read_rc != RC_OK && read_rc != RC_NOTFOUND) {
        return read_rc == RC_CORRUPT || read_rc == RC_TOOBIG ? RC_CORRUPT : RC_IO;
    }
    return id_rc;
}

RC hal_reset_note(struct reset *r, uint64_t uptime_ms)
{
    ASSERT(r->dir_fd >= 0);
    r->noted_ms = uptime_ms;
    return write_record(r, RUNNING, SPAN_NONE);
}

RC hal_reset_words(struct reset *r, enum reset_cause cause, struct span words)
{
    ASSERT(cause == RESET_CLEAN || cause == RESET_ASKED || cause == RESET_ASSERT);
    if (r->dir_fd < 0) {
        return RC_IO; // not opened yet: nothing to write into
    }
    return write_record(r, cause, words);
}

const char *hal_reset_cause_name(enum reset_cause c)
{
    static const char *const names[RESET_CAUSES] = {
        [RESET_ILLEGAL] = "none",
        [RESET_FIRST] = "first",
        [RESET_CLEAN] = "clean",
        [RESET_ASKED] = "asked",
        [RESET_ASSERT] = "assert",
        [RESET_KILLED] = "killed",
        [RESET_WATCHDOG] = "watchdog",
        [RESET_PANIC] = "panic",
        [RESET_POWER] = "power",
    };
    ASSERT(c < RESET_CAUSES);
    return names[c];
}
