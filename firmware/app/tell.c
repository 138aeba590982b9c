// SPDX-License-Identifier: Apache-2.0
// What the box tells upstream about itself.
#include <inttypes.h>

#include "app/app_state.h"
#include "sys/log.h"

/// Stage one event of our own, and commit it: it is about something that may come again at once.
static bool
tell(struct app *a, const char *type, uint64_t version, struct span data, struct now now)
{
    const struct event e = {.type = type,
                            .source = "anteroom",
                            .tenant = span_from_str(a->config.tenant_id),
                            .id = spool_id(&a->spool),
                            .version = version,
                            .event_ms = now.wall.ms,
                            .data = data};

    if (event_emit(&a->spool, buf_of(a->line, sizeof(a->line)), &e, now) != RC_OK ||
        spool_commit(&a->spool) != RC_OK) {
        LOG_WARN("ev=not_reported type=%s why=store_takes_nothing_now", type);
        return false;
    }
    return true;
}

/// The store was begun anew: what it held and no sink had is fetched again from Graph.
static void tell_store_reset(struct app *a, struct now now)
{
    char data[256];
    struct buf b = BUF(data);

    buf_put_str(&b, "{\"reason\":");
    json_put_string(&b, span_from_str(a->store_reason));
    buf_put_str(&b, ",\"backfill_days\":");
    buf_put_u64(&b, a->config.call_records.backfill_days);
    buf_put_char(&b, '}');
    LOG_ERROR("ev=store_reset reason=%s now=fetching_again", a->store_reason);
    (void)tell(a, EVENT_STORE_RESET, 1, buf_span(&b), now);
}

static void tell_restarted(struct app *a, struct now now)
{
    struct ladder *l = &a->health.ladder;
    enum reset_cause cause = ladder_to_tell(l, a->reset.cause);
    char data[512];
    struct buf b = BUF(data);

    buf_put_str(&b, "{\"cause\":");
    json_put_string(&b, span_from_str(hal_reset_cause_name(cause)));
    buf_put_str(&b, ",\"uptime_s\":");
    buf_put_u64(&b, a->reset.uptime_ms / 1000u);
    buf_put_str(&b, ",\"words\":");
    json_put_string(&b, span_from_str(a->reset.words));
    buf_put_str(&b, ",\"level\":");
    buf_put_u64(&b, l->level);
    buf_put_str(&b, ",\"boots\":");
    buf_put_u64(&b, l->boots);
    buf_put_char(&b, '}');
    bool told = tell(a, EVENT_BOX_RESTARTED, spool_next_seq(&a->spool), buf_span(&b), now);
    ladder_untold(l, told ? RESET_ILLEGAL : cause);
}

void app_tell_start(struct app *a, struct now now)
{
    if (a->store_found == SPOOL_FOUND_BROKEN) {
        tell_store_reset(a, now);
    }
    if (a->reset.cause == RESET_FIRST) {
        return;
    }
    if (app_awaits_config(a)) { // nobody's yet: the first start with a tenant tells the worst
        ladder_untold(&a->health.ladder, a->reset.cause);
    } else {
        tell_restarted(a, now);
    }
}

void app_tell_factory_asked(struct app *a, struct now now)
{
    LOG_WARN("ev=button asked=factory_configuration now=noted_and_reported");
    (void)tell(a, EVENT_FACTORY_ASKED, spool_next_seq(&a->spool), SPAN("{\"by\":\"button\"}"), now);
}
