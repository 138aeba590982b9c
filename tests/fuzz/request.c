// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes to the status port's parser: never a crash; every span lies in the text; a refusal has
 * its status; a shorter text never got another verdict; a form's field fits its buffer.
 * First byte: where the text is cut (of 256), and whether it has ended.
 */
#include "status/request.h"

#include <string.h>

#include "base/assert.h"

static char bytes[REQUEST_BODY_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span s, struct span text)
{
    if (s.len > 0) {
        ASSERT(s.ptr >= text.ptr);
        ASSERT(s.ptr + s.len <= text.ptr + text.len);
    }
}

static void check_form(struct span form)
{
    static const struct span names[] = {
        SPAN("token"), SPAN("code"), SPAN("do"), SPAN("value"), SPAN("next"), SPAN("a")};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf out = buf_of(bytes, 64);
        enum rc rc = form_field(form, names[i], &out);
        ASSERT(rc == RC_OK || rc == RC_NOTFOUND || rc == RC_PARSE || rc == RC_TOOBIG);
        ASSERT(buf_ok(&out) && out.len <= 64u);
        ASSERT(rc == RC_OK || out.len == 0);
        ASSERT(out.len <= form.len);
        ASSERT(span_index(buf_span(&out), '\0') == out.len);
    }
}

static void check_request(const struct request *r, struct span text)
{
    ASSERT(r->method >= REQUEST_GET && r->method <= REQUEST_OTHER);
    ASSERT(r->path.len > 0 && r->path.ptr[0] == '/');
    ASSERT(r->path.len + r->query.len <= REQUEST_TARGET_BYTES_MAX);
    ASSERT(r->host.len > 0 && r->body.len <= REQUEST_BODY_BYTES_MAX);
    ASSERT(r->status == 0);
    const struct span spans[] = {
        r->path, r->query, r->host, r->origin, r->fetch_site, r->content_type, r->body};
    for (unsigned i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        check_inside(spans[i], text);
    }
    for (size_t i = 0; i < r->path.len; i++) {
        ASSERT(r->path.ptr[i] > ' ' && r->path.ptr[i] <= '~');
    }
    check_form(r->body);
    check_form(r->query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct request part;
    struct request whole;
    struct span text = {.ptr = (const char *)data + 1, .len = size - 1u};
    bool ended = data[0] % 2u == 1u;
    enum rc first = request_read(span_sub(text, 0, text.len * data[0] / 256u), false, &part);
    enum rc rc = request_read(text, ended, &whole);
    ASSERT(rc == RC_OK || rc == RC_AGAIN || rc == RC_PARSE || rc == RC_TOOBIG ||
           rc == RC_UNSUPPORTED);
    ASSERT(rc != RC_AGAIN || !ended);
    ASSERT((rc == RC_OK) == (whole.status == 0));
    if (first != RC_AGAIN) {
        ASSERT(rc == first || (first == RC_OK && rc == RC_PARSE));
    }
    if (rc == RC_OK) {
        check_request(&whole, text);
    }
    check_form(text);
    return 0;
}
