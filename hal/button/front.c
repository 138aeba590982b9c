// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <unistd.h>

#include "base/assert.h"
#include "hal/button.h"

#include "backend.h"

static void begin(struct button *b)
{
    memset(b, 0, sizeof(*b));
    b->fd = -1;
}

RC hal_button_probe(struct button *b, int state_fd)
{
    begin(b);
    return button_backend_probe(b, state_fd);
}

RC hal_button_open(struct button *b, int state_fd)
{
    begin(b);
    enum rc rc = button_backend_open(b, state_fd);
    if (rc != RC_OK) {
        hal_button_close(b);
    }
    return rc;
}

void button_moved(struct button *b, bool pressed, struct mono now)
{
    if (pressed == b->pressed) {
        return;
    }
    b->pressed = pressed;
    b->since = now;
    b->felt = true;
    b->told = BUTTON_NOTHING;
}

RC hal_button_read(struct button *b, struct mono now)
{
    ASSERT(b->fd >= 0);
    enum rc rc = button_backend_read(b, now);
    if (rc != RC_OK) {
        button_moved(b, false, now); // a button that is gone is not held for ever
    }
    return rc;
}

bool hal_button_was_pressed(const struct button *b, struct mono now, int64_t within_ms)
{
    return b->pressed || (b->felt && !mono_due(mono_after(b->since, within_ms), now));
}

enum button_event hal_button_event(struct button *b, struct mono now, struct mono *again)
{
    static const int64_t limits[] = {
        [BUTTON_NOTHING] = BUTTON_CODE_MS, [BUTTON_CODE] = BUTTON_FACTORY_MS};
    *again = MONO_NEVER;
    if (!b->pressed || b->told == BUTTON_FACTORY) {
        return BUTTON_NOTHING;
    }
    struct mono due = mono_after(b->since, limits[b->told]);
    *again = due;
    if (!mono_due(due, now)) {
        return BUTTON_NOTHING;
    }
    b->told = b->told == BUTTON_NOTHING ? BUTTON_CODE : BUTTON_FACTORY;
    *again = b->told == BUTTON_FACTORY ? MONO_NEVER : mono_after(b->since, BUTTON_FACTORY_MS);
    return b->told;
}

void hal_button_close(struct button *b)
{
    if (b->fd >= 0) {
        close(b->fd);
    }
    b->fd = -1;
    b->pressed = false;
}
