// SPDX-License-Identifier: Apache-2.0
// A box without a configuration, or with a part of one, is unconfigured, and waits for one: it goes
// by the board's defaults and knows nobody whom it could ask for anything. When the file comes the
// life ends, and the next one reads it as whoever started us: this one has given that up.
#include <unistd.h>

#include "base/assert.h"

#include "app/app_state.h"
#include "sys/log.h"

/// For people: absolute, since STATE is our working directory soon; its end, if it is long.
static void name_file(struct app *a)
{
    char text[2u * FILES_PATH_BYTES_MAX], from[FILES_PATH_BYTES_MAX];
    struct buf whole = BUF(text), out = BUF(a->config_at);
    struct span path = span_from_str(a->options.config_path);

    if (path.ptr[0] != '/' && getcwd(from, sizeof(from)) != NULL) {
        buf_put_str(&whole, from);
        buf_put_char(&whole, '/');
    }
    buf_put(&whole, path);
    path = buf_ok(&whole) ? buf_span(&whole) : path;
    if (path.len >= out.cap) {
        buf_put_str(&out, "...");
        path = span_sub(path, path.len - (out.cap - 1u - out.len), path.len);
    }
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        buf_put_char(&out, c < ' ' || c > '~' || c == '"' ? '?' : c);
    }
    bool fits = buf_terminate(&out);
    ASSERT(fits);
}

void app_tell_awaited(const struct app *a)
{
    LOG_WARN("ev=%s file=\"%s\" now=unconfigured_and_waiting_for_it advice=%s",
             a->config_part ? "configuration_ends_too_early" : "no_configuration",
             a->config_at,
             a->config_part ? "write_it_anew_if_nobody_is_at_it" : "write_it_there");
}

bool app_await_config(struct app *a)
{
    bool named = a->options.config_path[0] != '\0';
    if (!named || a->options.check || a->options.until_idle) { // asked for what it cannot do
        return false;
    }
    config_none(&a->config);
    a->ca_pem = SPAN_NONE;
    name_file(a);
    enum rc rc = arrival_watch(&a->arrival, a->options.config_path);
    if (rc != RC_OK) {
        LOG_WARN("ev=configuration_not_watched cause=%s now=%s "
                 "advice=start_the_box_again_if_it_does_not_see_the_file_within_a_minute",
                 rc_name(rc),
                 rc == RC_UNSUPPORTED ? "looked_for_every_10_s" : "not_looked_for");
    }
    return true;
}

void app_await_no_more(struct app *a)
{
    arrival_close(&a->arrival);
    a->config_at[0] = '\0';
}

bool app_awaits_config(const struct app *a)
{
    return a->config_at[0] != '\0';
}

static void came(struct app *a)
{
    LOG_INFO("ev=configuration_came as=%s now=starting_anew",
             a->arrival.last ? "file" : "directory_on_its_way");
    app_end_for_restart(a, EXIT_TEMPFAIL, "");
    a->by_hand = true;
}

static void on_arrival(void *context, int fd, unsigned ready)
{
    struct app *a = context;

    (void)fd;
    (void)ready;
    if (arrival_take(&a->arrival)) {
        came(a);
    }
}

RC app_watch_arrival(struct app *a)
{
    return a->arrival.fd < 0 ? RC_OK
                             : loop_watch(&a->loop, a->arrival.fd, LOOP_READ, on_arrival, a);
}

void app_step_arrival(struct app *a, struct now now)
{
    if (arrival_look(&a->arrival, now.mono)) {
        came(a);
    }
}
