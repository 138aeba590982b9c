// SPDX-License-Identifier: Apache-2.0
/*
 * A transfer as its reader sees it: state, result, and the ring of body bytes.
 */
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "hal/entropy.h"

#include "net/http_state.h"
#include "sys/heap.h"
#include "sys/pages.h"

bool http_ring_put(struct http_ring *ring, struct span bytes)
{
    if (bytes.len > HTTP_RING_BYTES - ring->len) {
        return false;
    }
    size_t tail = (ring->head + ring->len) % HTTP_RING_BYTES;
    size_t first = bytes.len < HTTP_RING_BYTES - tail ? bytes.len : HTTP_RING_BYTES - tail;
    memcpy(ring->bytes + tail, bytes.ptr, first);
    memcpy(ring->bytes, bytes.ptr + first, bytes.len - first);
    ring->len += (uint32_t)bytes.len;
    return true;
}

void http_ring_take(struct http_ring *ring, size_t bytes)
{
    ASSERT(bytes <= ring->len);
    ring->len -= (uint32_t)bytes;
    ring->head = ring->len == 0 ? 0u : (uint32_t)((ring->head + bytes) % HTTP_RING_BYTES);
}

void http_ring_wipe(struct http_ring *ring, size_t bytes)
{
    ASSERT(bytes <= ring->len);
    size_t to_end = HTTP_RING_BYTES - ring->head;
    size_t first = bytes < to_end ? bytes : to_end;
    bytes_wipe(ring->bytes + ring->head, first);
    bytes_wipe(ring->bytes, bytes - first);
    http_ring_take(ring, bytes);
}

void http_ring_forget(struct http_ring *ring)
{
    (void)pages_drop(ring->bytes, HTTP_RING_BYTES); // only saves memory
}

void http_transfer_begin(struct http_transfer *t, const struct http_request *r, struct now now)
{
    uint8_t random[GUID_BYTES];
    hal_entropy_fill(random, sizeof(random));
    t->result = (struct http_result){.fail = HTTP_OK};
    struct buf id = BUF(t->result.client_request_id);
    buf_put_guid(&id, random);
    bool terminated = buf_terminate(&id);
    ASSERT(terminated);

    t->easy = NULL;
    t->lines = NULL;
    t->paused = false;
    t->paused_in_window = false;
    t->too_big = false;
    t->total_at = mono_after(now.mono, r->total_ms);
    t->stall_at = mono_after(now.mono, r->stall_ms);
    t->stall_ms = r->stall_ms;
    t->moved_bytes = 0;
    t->body_bytes_max = r->body_bytes_max;
    t->secret_answer = r->secret_answer;
    t->pool_failures = heap_stats().failures;
    t->validity = (struct tls_validity){.not_before_ms = 0};
    t->head_bytes = 0;
    t->retry_after[0] = '\0';
    t->ring.head = 0;
    t->ring.len = 0;
}

enum http_state http_state(const struct http *h, unsigned slot)
{
    ASSERT(h != NULL && slot < HTTP_TRANSFERS_MAX);
    return h->transfers[slot].state;
}

const struct http_result *http_result(const struct http *h, unsigned slot)
{
    ASSERT(h != NULL && slot < HTTP_TRANSFERS_MAX);
    return &h->transfers[slot].result;
}

struct span http_body(const struct http *h, unsigned slot)
{
    ASSERT(h != NULL && slot < HTTP_TRANSFERS_MAX);
    const struct http_ring *ring = &h->transfers[slot].ring;
    uint32_t to_end = HTTP_RING_BYTES - ring->head;
    return (struct span){.ptr = ring->bytes + ring->head,
                         .len = ring->len < to_end ? ring->len : to_end};
}

uint64_t http_progress(const struct http *h, unsigned slot)
{
    ASSERT(h != NULL && slot < HTTP_TRANSFERS_MAX);
    const struct http_transfer *t = &h->transfers[slot];
    return (uint64_t)t->moved_bytes + t->head_bytes + t->result.body_bytes;
}

struct activity http_activity(const struct http *h)
{
    struct activity a = {.kind = ACTIVITY_IDLE, .until = MONO_NEVER};
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        const struct http_transfer *t = &h->transfers[i];
        if (t->state == HTTP_RUNNING) {
            a.kind = ACTIVITY_WAITING;
            a.until = mono_min(a.until, mono_min(t->total_at, t->stall_at));
            a.progress += http_progress(h, i);
        }
    }
    if (a.kind == ACTIVITY_WAITING) { // the library's own timer; without transfers it may rest
        a.until = mono_min(a.until, h->timer_at);
    }
    return a;
}

bool http_took_lookup_failure(struct http *h)
{
    bool failed = h->lookup_failed;
    h->lookup_failed = false;
    return failed;
}

bool http_is_running(const struct http *h)
{
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        if (h->transfers[i].state == HTTP_RUNNING) {
            return true;
        }
    }
    return false;
}

void http_prove(struct http *h, int64_t wall_ms)
{
    ASSERT(h != NULL);
    bool good = h->validity.not_before_ms <= wall_ms && wall_ms <= h->validity.not_after_ms;
    if (h->unproven && good && !http_is_running(h)) {
        h->unproven = false;
        h->validity = (struct tls_validity){.not_before_ms = 0};
    }
}
