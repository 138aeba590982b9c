// SPDX-License-Identifier: Apache-2.0
/*
 * The ring is the module's own memory, an exception to "no mutable globals": a fault is noted where
 * it happens, in code that has no business holding a pointer to the ring, and there is one machine
 * to show it for.
 */
#include "sys/fault.h"

#include <stddef.h>

#include "base/assert.h"

static struct fault ring[FAULT_RING_COUNT];
static uint64_t count;

static void copy_printable(char *to, size_t to_bytes, const char *from)
{
    size_t len = 0;
    for (; from != NULL && from[len] != '\0' && len < to_bytes - 1u; len++) {
        to[len] = from[len] > ' ' && from[len] < 0x7f ? from[len] : '?';
    }
    to[len] = '\0';
}

void fault_note(struct now now, const char *where, enum rc rc, const struct fault_detail *detail)
{
    static const struct fault_detail nothing;
    ASSERT(where != NULL);
    const struct fault_detail *d = detail != NULL ? detail : &nothing;
    struct fault *f = &ring[count % FAULT_RING_COUNT];
    f->when = now;
    f->where = where;
    f->rc = rc;
    f->status = d->status;
    f->detail = d->code;
    copy_printable(f->request_id, sizeof(f->request_id), d->request_id);
    copy_printable(f->client_request_id, sizeof(f->client_request_id), d->client_request_id);
    count++;
}

const struct fault *fault_at(unsigned index)
{
    if (index >= FAULT_RING_COUNT || index >= count) {
        return NULL;
    }
    return &ring[(count - 1u - index) % FAULT_RING_COUNT];
}

uint64_t fault_count(void)
{
    return count;
}
