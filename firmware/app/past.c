// SPDX-License-Identifier: Apache-2.0
// What one life leaves to the next: why it ended, and how far up the ladder the box is. Records
// that cannot be written are said once and stop nothing.
#include <inttypes.h>

#include "base/assert.h"
#include "base/slots.h"

#include "app/app_state.h"
#include "sys/log.h"

#define LADDER_MAGIC  0x414c4431u    // "ALD1"
#define NOTE_FIRST_MS LADDER_LOOP_MS // so that a boot that was none of a loop is known as such
#define NOTE_MS       3600000

enum record {
    RECORD_RESET = 0,
    RECORD_LADDER
};

// An assertion has no argument to carry a context.
static struct reset *last_words;

static void on_assert(const char *text)
{
    rc_ignore(hal_reset_words(last_words, RESET_ASSERT, span_from_str(text)), "the end is near");
}

static struct slots ladder_slots(const struct app *a)
{
    return (struct slots){.dir_fd = a->state_fd,
                          .name = "ladder",
                          .magic = LADDER_MAGIC,
                          .payload_max = LADDER_RECORD_BYTES};
}

/// Once for each record, and again when it worked in between.
static void said(struct app *a, enum record record, enum rc rc)
{
    static const char *const names[] = {[RECORD_RESET] = "reset", [RECORD_LADDER] = "ladder"};
    unsigned bit = 1u << record;

    if (rc != RC_OK && (a->unwritable & bit) == 0) {
        LOG_WARN("ev=record_not_written record=%s cause=%s now=the_older_one_stands",
                 names[record],
                 rc_name(rc));
    }
    a->unwritable = rc == RC_OK ? a->unwritable & ~bit : a->unwritable | bit;
}

void app_store_ladder(struct app *a)
{
    const struct slots slots = ladder_slots(a);
    char bytes[LADDER_RECORD_BYTES];
    struct buf record = BUF(bytes);
    struct mono now = loop_now().mono;

    if (!ladder_to_store(&a->health.ladder, now)) {
        return;
    }
    ladder_encode(&a->health.ladder, &record);
    ASSERT(buf_ok(&record));
    enum rc rc = slots_write(&slots, buf_span(&record));
    said(a, RECORD_LADDER, rc);
    ladder_stored(&a->health.ladder, rc, now);
}

static void read_ladder(struct app *a)
{
    const struct slots slots = ladder_slots(a);
    char bytes[LADDER_RECORD_BYTES];
    struct buf record = BUF(bytes);
    enum rc rc = slots_read(&slots, &record, NULL);

    if (rc == RC_OK) {
        rc = ladder_decode(&a->health.ladder, buf_span(&record));
    } else {
        ladder_init(&a->health.ladder);
    }
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        LOG_WARN("ev=ladder_forgotten cause=%s now=all_its_budgets_are_full_again", rc_name(rc));
    }
}

enum exit_code app_recall(struct app *a)
{
    const struct ladder_facts facts = {.probation = 0};
    struct health *h = &a->health;
    enum rc rc = hal_reset_open(&a->reset, a->state_fd, a->watchdog.bitten);

    if (rc == RC_CORRUPT) {
        LOG_WARN("ev=reset_record_damaged now=begun_anew");
        rc = RC_OK;
    }
    said(a, RECORD_RESET, rc);
    last_words = &a->reset;
    assert_set_hook(on_assert);
    a->note_due = mono_after(a->started.mono, NOTE_FIRST_MS);
    read_ladder(a);
    enum ladder_level level = ladder_start(&h->ladder, &a->reset, &facts, a->started);
    app_store_ladder(a);
    LOG_INFO("ev=restart cause=%s uptime_s=%" PRIu64 " boots=%" PRIu32 " lives=%" PRIu32
             " level=%d words=\"%s\"",
             hal_reset_cause_name(a->reset.cause),
             a->reset.uptime_ms / 1000u,
             h->ladder.boots,
             h->ladder.lives,
             (int)h->ladder.level,
             a->reset.words);
    app_climbed(a, level, h->ladder.cause, a->started);
    app_await_reset(a);
    return EXIT_DONE;
}

struct mono app_note_life(struct app *a, struct now now)
{
    if (mono_due(a->note_due, now.mono)) {
        uint64_t uptime_ms = (uint64_t)(now.mono.ms - a->started.mono.ms);
        said(a, RECORD_RESET, hal_reset_note(&a->reset, uptime_ms));
        a->note_due = mono_after(now.mono, NOTE_MS);
    }
    return a->note_due;
}

void app_leave_words(struct app *a, enum reset_cause cause, const char *words)
{
    a->reset.noted_ms = (uint64_t)(loop_now().mono.ms - a->started.mono.ms);
    said(a, RECORD_RESET, hal_reset_words(&a->reset, cause, span_from_str(words)));
}
