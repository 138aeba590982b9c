// SPDX-License-Identifier: Apache-2.0
#include "serve_fake.h"

#include <string.h>

#include "base/assert.h"

// The tests' own memory; struct serve itself is never looked into, so any address does as the
// handle.
static struct serve_fake *current;
static char handle;

static struct serve_fake_conn *conn_of(const struct serve *s, unsigned c)
{
    ASSERT(s != NULL);
    ASSERT(current != NULL);
    ASSERT(c < SERVE_CONNECTIONS);
    return &current->conns[c];
}

void serve_fake_init(struct serve_fake *f)
{
    memset(f, 0, sizeof(*f));
    f->port = 40000;
    current = f;
}

struct serve *serve_fake_handle(void)
{
    return (struct serve *)(void *)&handle;
}

static struct address address_of(const char *text, uint16_t port)
{
    struct address a = {0};
    enum rc rc = address_parse(span_from_str(text), port, &a);
    ASSERT(rc == RC_OK);
    return a;
}

void serve_fake_connect(struct serve_fake *f, unsigned c, const char *local, const char *peer)
{
    ASSERT(c < SERVE_CONNECTIONS);
    struct serve_fake_conn *k = &f->conns[c];
    ASSERT(k->state == SERVE_FREE);
    k->state = SERVE_READING;
    k->local = address_of(local, 8443);
    k->peer = address_of(peer, f->port);
    f->port = f->port < 60000 ? (uint16_t)(f->port + 1u) : 40000;
    k->input_bytes = 0;
    k->ended = false;
    k->parts_count = 0;
    k->answer_bytes = 0;
    k->answer[0] = '\0';
}

void serve_fake_send(struct serve_fake *f, unsigned c, struct span bytes)
{
    ASSERT(c < SERVE_CONNECTIONS);
    struct serve_fake_conn *k = &f->conns[c];
    size_t room = sizeof(k->input) - k->input_bytes;
    size_t len = bytes.len < room ? bytes.len : room;
    if (k->state != SERVE_READING || len == 0) {
        return;
    }
    memcpy(k->input + k->input_bytes, bytes.ptr, len);
    k->input_bytes += len;
}

void serve_fake_end(struct serve_fake *f, unsigned c)
{
    ASSERT(c < SERVE_CONNECTIONS);
    f->conns[c].ended = true;
}

const char *serve_fake_take(struct serve_fake *f, unsigned c)
{
    ASSERT(c < SERVE_CONNECTIONS);
    struct serve_fake_conn *k = &f->conns[c];
    ASSERT(k->state != SERVE_READING); // nobody has answered
    for (unsigned i = 0; i < k->parts_count; i++) {
        struct span part = k->parts[i];
        ASSERT(part.len <= SERVE_FAKE_ANSWER_BYTES - k->answer_bytes);
        if (part.len > 0) {
            memcpy(k->answer + k->answer_bytes, part.ptr, part.len);
            k->answer_bytes += part.len;
        }
    }
    k->answer[k->answer_bytes] = '\0';
    serve_fake_leave(f, c);
    return k->answer;
}

void serve_fake_leave(struct serve_fake *f, unsigned c)
{
    ASSERT(c < SERVE_CONNECTIONS);
    f->conns[c].state = SERVE_FREE;
    f->conns[c].parts = NULL;
    f->conns[c].parts_count = 0;
}

// ---- net/serve.h --------------------------------------------------------------------------------

enum serve_state serve_state(const struct serve *s, unsigned c)
{
    return conn_of(s, c)->state;
}

struct span serve_input(const struct serve *s, unsigned c)
{
    const struct serve_fake_conn *k = conn_of(s, c);
    return (struct span){.ptr = k->input, .len = k->input_bytes};
}

bool serve_input_ended(const struct serve *s, unsigned c)
{
    return conn_of(s, c)->ended;
}

bool serve_input_full(const struct serve *s, unsigned c)
{
    return conn_of(s, c)->input_bytes == SERVE_IN_BYTES;
}

struct address serve_peer(const struct serve *s, unsigned c)
{
    return conn_of(s, c)->peer;
}

struct address serve_local(const struct serve *s, unsigned c)
{
    return conn_of(s, c)->local;
}

void serve_answer(struct serve *s, unsigned c, const struct span *parts, unsigned count)
{
    struct serve_fake_conn *k = conn_of(s, c);
    ASSERT(k->state == SERVE_READING);
    ASSERT(count >= 1 && count <= SERVE_PARTS_MAX);
    k->parts = parts;
    k->parts_count = count;
    k->answers++;
    k->state = SERVE_ANSWERING;
}

void serve_drop(struct serve *s, unsigned c)
{
    struct serve_fake_conn *k = conn_of(s, c);
    k->drops++;
    k->state = SERVE_FREE;
}
