// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as a record or as a manifest of the token store, in slots whose checksum is right; the
 * manifest with the right digest behind it, as if whoever made it had the key. Never a crash; a
 * record gives no value; a manifest leads to the value that was put, or to none.
 */
#include "hal/tokenstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crypto.h"
#include "base/slots.h"

#include "state_dir.h"
#include "tokenstore_ram/record.h"

#define RECORD   0x544b5331u
#define MANIFEST 0x544b4d31u

static struct state_dir state;
static struct tokenstore store;
static struct tokenstore_findings found;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(void)
{
    state_dir_remove(&state);
}

static void furnish(void)
{
    state_dir_prefer_memory();
    bool good = crypto_init() == RC_OK && state_dir_make(&state) &&
                hal_tokenstore_attach(&store, &found) == RC_OK &&
                hal_tokenstore_open(&store, state.fd, &found) == RC_OK;
    ASSERT(good && atexit(clean) == 0);
}

/// As record.c lays them out: a file is what its own slots say, so the sizes must agree.
static void put_file(const char *name, uint32_t magic, uint32_t bytes, struct span payload)
{
    struct slots s = {.dir_fd = store.dir_fd, .name = name, .magic = magic, .payload_max = bytes};
    enum rc rc = slots_write(&s, payload);
    ASSERT(rc == RC_OK);
}

static void put_manifest(struct span body)
{
    char bytes[RECORD_MANIFEST_BYTES_MAX];
    uint8_t digest[SHA256_BYTES];
    struct buf text = BUF(bytes);
    struct span kek = {.ptr = store.kek.ptr, .len = TOKENSTORE_KEK_BYTES};
    buf_put(&text, span_sub(body, 0, sizeof(bytes) - SHA256_BYTES));
    crypto_derive(kek, buf_span(&text), digest);
    buf_put(&text, (struct span){.ptr = (const char *)digest, .len = SHA256_BYTES});
    put_file(".manifest", MANIFEST, RECORD_MANIFEST_BYTES_MAX, buf_span(&text));
}

static enum rc get(void)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf out = BUF(bytes);
    enum rc rc = hal_tokenstore_get(&store, SPAN("a"), &out);
    ASSERT(rc == RC_OK ? span_equal(buf_span(&out), SPAN("value")) : out.len == 0);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (state.path[0] == '\0') {
        furnish();
    }
    if (size == 0) {
        return 0;
    }
    struct span rest = {.ptr = (const char *)data + 1, .len = size - 1u};
    unlinkat(state.fd, "tokens/.manifest", 0); // the last input may have spoiled it
    unlinkat(state.fd, "tokens/a", 0);
    unlinkat(state.fd, "tokens/b", 0);
    hal_tokenstore_close(&store);
    bool good = hal_tokenstore_attach(&store, &found) == RC_OK &&
                hal_tokenstore_open(&store, state.fd, &found) == RC_OK &&
                hal_tokenstore_put(&store, SPAN("a"), SPAN("value")) == RC_OK;
    ASSERT(good);
    if (data[0] % 2u == 0) {
        put_file("a", RECORD, RECORD_BYTES_MAX, span_sub(rest, 0, RECORD_BYTES_MAX));
        enum rc rc = get();
        ASSERT(rc == RC_CORRUPT);
    } else {
        put_manifest(rest);
        (void)get();
        rc_ignore(record_open(&store, true, &found), "any result but a crash");
        rc_ignore(hal_tokenstore_put(&store, SPAN("b"), SPAN("other")), "the same");
        rc_ignore(hal_tokenstore_delete(&store, SPAN("a")), "the same");
    }
    return 0;
}
