// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <stdlib.h>

#include "base/assert.h"

static struct world the_world;
static char request_text[2u * SERVE_IN_BYTES];
static char form_text[2u * SERVE_IN_BYTES];

// ---- status/render.h ----------------------------------------------------------------------------

static void put_or_fail(struct buf *out, const char *text)
{
    buf_put_str(out, text);
    if (the_world.page_too_big) {
        out->overflow = true;
    }
}

void render_json(const struct snapshot *s, struct buf *out)
{
    put_or_fail(out, "{\"state\":\"");
    buf_put_str(out, s->state);
    buf_put_str(out, "\"}");
}

void render_metrics(const struct snapshot *s, struct buf *out)
{
    (void)s;
    put_or_fail(out, "anteroom_up 1\n");
}

void render_line(const struct snapshot *s, struct buf *out)
{
    (void)s;
    put_or_fail(out, "{}\n");
}

unsigned render_page(const struct snapshot *s,
                     const struct render_page *page,
                     struct buf *out,
                     struct span *parts)
{
    the_world.pages++;
    (void)snprintf(the_world.token, sizeof(the_world.token), "%s", page->token);
    buf_put_str(out, page->token);
    buf_put_str(out, "\" notice=\"");
    buf_put_str(out, page->notice);
    buf_put_str(out, page->notice_bad ? "\" bad" : "\" good");
    buf_put_str(out, page->can_forget ? " can_forget " : " ");
    put_or_fail(out, s->state);
    parts[0] = SPAN("<page token=\"");
    parts[1] = buf_span(out);
    parts[2] = SPAN("</page>");
    return buf_ok(out) ? 3 : 0;
}

struct span render_page_csp(void)
{
    return SPAN("default-src 'none'; form-action 'self'");
}

// ---- the world ----------------------------------------------------------------------------------

static struct span certificate(void *context, bool next)
{
    struct world *w = context;
    return span_from_str(next ? w->next_certificate : w->certificate);
}

struct world *world_begin(void)
{
    struct world *w = &the_world;
    memset(w, 0, sizeof(*w));
    serve_fake_init(&w->serve);
    w->now = (struct now){.mono = {.ms = 1000}};
    w->snapshot.state = "collecting";
    w->snapshot.level = SNAPSHOT_GOOD;
    w->config.tenant_id[0] = '0'; // there is a configuration
    w->certificate = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n";
    w->next_certificate = "";
    struct status_setup setup = {.config = &w->config,
                                 .serve = serve_fake_handle(),
                                 .setup_code = SPAN(WORLD_CODE),
                                 .secret = {1, 2, 3},
                                 .certificate = certificate,
                                 .context = w};
    status_init(&w->status, &setup);
    return w;
}

void world_step(struct world *w)
{
    const struct snapshot *snap = status_wants(&w->status) ? &w->snapshot : NULL;
    w->until = status_step(&w->status, snap, w->present, w->now, &w->wish);
}

const char *world_ask(struct world *w, const char *request)
{
    serve_fake_connect(&w->serve, 0, WORLD_LOCAL, WORLD_PEER);
    serve_fake_send(&w->serve, 0, span_from_str(request));
    world_step(w);
    return serve_fake_take(&w->serve, 0);
}

const char *world_get(struct world *w, const char *target)
{
    (void)snprintf(
        request_text, sizeof(request_text), "GET %s HTTP/1.1\r\n" WORLD_HOST "\r\n", target);
    return world_ask(w, request_text);
}

const char *world_post(struct world *w, const char *lines, const char *form)
{
    (void)snprintf(request_text,
                   sizeof(request_text),
                   "POST /action HTTP/1.1\r\n" WORLD_HOST
                   "Content-Type: application/x-www-form-urlencoded\r\n%s"
                   "Content-Length: %zu\r\n\r\n%s",
                   lines,
                   strlen(form),
                   form);
    return world_ask(w, request_text);
}

const char *world_form(struct world *w, const char *code, const char *word)
{
    struct address peer = {.bytes = {192, 0, 2, 9}};
    char token[GUARD_TOKEN_BYTES];
    guard_token(&w->status.guard, peer, w->now.mono, token);
    (void)snprintf(form_text, sizeof(form_text), "token=%s&code=%s&do=%s", token, code, word);
    return form_text;
}

int world_status(const char *answer)
{
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0) {
        return 0;
    }
    return (int)strtol(answer + 9, NULL, 10);
}

bool world_has(const char *answer, const char *text)
{
    return strstr(answer, text) != NULL;
}

const char *world_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    ASSERT(end != NULL);
    return end + 4;
}
