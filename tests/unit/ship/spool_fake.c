// SPDX-License-Identifier: Apache-2.0
#include "spool_fake.h"

#include <string.h>

#include "base/assert.h"

void spool_fake_init(struct spool *s, uint64_t events)
{
    ASSERT(events <= SPOOL_FAKE_EVENTS_MAX);
    memset(s, 0, sizeof(*s));
    s->durable = events;
    s->quarantine_max = SPOOL_DEAD_ROWS_MAX;
}

static RC fault(struct spool_fake_fault *f)
{
    if (f->count == 0) {
        return RC_OK;
    }
    f->count--;
    return f->rc;
}

struct span spool_id(const struct spool *s)
{
    (void)s;
    return SPAN("11111111-2222-4333-8444-555555555555");
}

struct spool_stats spool_stats(const struct spool *s)
{
    return (struct spool_stats){.next_seq = s->durable + 1u, .durable_seq = s->durable};
}

uint64_t spool_acked(const struct spool *s, unsigned index)
{
    ASSERT(index == 0);
    return s->acked;
}

RC spool_ack(struct spool *s, unsigned index, uint64_t seq)
{
    ASSERT(index == 0);
    TRY(fault(&s->ack_fault));
    ASSERT(seq >= s->acked && seq <= s->durable);
    s->acked = seq;
    s->acks++;
    return RC_OK;
}

RC spool_read(struct spool *s,
              const struct spool_want *want,
              struct buf scratch,
              struct buf *body,
              struct spool_batch *batch)
{
    uint64_t after_seq = want->after_seq;
    (void)scratch;
    s->reads++;
    TRY(fault(&s->read_fault));
    if (after_seq >= s->durable) {
        return RC_NOTFOUND;
    }
    memset(batch, 0, sizeof(*batch));
    batch->first_seq = after_seq + 1u;
    for (uint64_t seq = after_seq + 1u; seq <= s->durable && batch->count < want->events_max;
         seq++) {
        buf_put_u64(body, seq);
        buf_put_char(body, '\n');
        batch->last_seq = seq;
        batch->count++;
    }
    ASSERT(buf_ok(body));
    batch->body = buf_span(body);
    batch->raw_bytes = body->len;
    return RC_OK;
}

RC spool_bury(struct spool *s, unsigned index, uint64_t seq, struct span reason, struct buf scratch)
{
    (void)scratch;
    ASSERT(index == 0);
    ASSERT(seq > s->acked && seq <= s->durable);
    ASSERT(reason.len > 0 && reason.len < sizeof(s->last_reason));
    TRY(fault(&s->bury_fault));
    if (s->burials[seq] == 0) {
        if (s->buried >= s->quarantine_max) {
            return RC_FULL;
        }
        s->buried++;
    }
    s->burials[seq]++;
    s->last_buried = seq;
    memcpy(s->last_reason, reason.ptr, reason.len);
    s->last_reason[reason.len] = '\0';
    return RC_OK;
}
