// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crypto.h"
#include "base/slots.h"
#include "hal/entropy.h"

#define VERSION         1u
#define RECORD_MAGIC    0x544b5331u // "TKS1"
#define MANIFEST_MAGIC  0x544b4d31u // "TKM1"
#define MANIFEST_NAME   ".manifest"
#define MANIFEST_DOMAIN 'M'
#define RECORD_DOMAIN   'R'
#define NONCE_AT        10u // of the header: number, random
#define LOCK_WAIT_MS    10
#define LOCK_TRIES      ((unsigned)TOKENSTORE_BLOCK_MS_MAX / LOCK_WAIT_MS)
#define OWNER_BYTES_MAX (RECORD_STORE_BYTES + TOKENSTORE_NAME_BYTES_MAX)
#define AAD_BYTES_MAX   (RECORD_HEADER_BYTES + OWNER_BYTES_MAX)

_Static_assert(RECORD_BYTES_MAX <= SLOTS_PAYLOAD_MAX, "the largest value fits a slot");
_Static_assert(RECORD_MANIFEST_BYTES_MAX <= SLOTS_PAYLOAD_MAX, "the largest manifest fits a slot");
_Static_assert(RECORD_HEADER_BYTES - NONCE_AT == CRYPTO_NONCE_BYTES,
               "the nonce stands in the header");

struct entry {
    char name[TOKENSTORE_NAME_BYTES_MAX + 1u];
    uint64_t number; ///< the record has this one or a later
    bool fresh;      ///< it may have none: the first put was not finished
};

struct manifest {
    char store[RECORD_STORE_BYTES];
    uint64_t epoch; ///< 0: the backend has no counter
    uint64_t last;  ///< number that was given out
    unsigned count;
    struct entry entries[TOKENSTORE_RECORDS_MAX];
};

static struct span kek_of(const struct tokenstore *t)
{
    return (struct span){.ptr = t->kek.ptr, .len = TOKENSTORE_KEK_BYTES};
}

// ---- manifest ---------------------------------------------------------------

static struct slots manifest_slots(const struct tokenstore *t)
{
    return (struct slots){.dir_fd = t->dir_fd,
                          .name = MANIFEST_NAME,
                          .magic = MANIFEST_MAGIC,
                          .payload_max = RECORD_MANIFEST_BYTES_MAX};
}

/// Takes what stands before the entries.
static RC read_head(struct reader *r, struct manifest *m, enum tokenstore_class *class)
{
    bool known = reader_u8(r) == MANIFEST_DOMAIN;
    known = reader_u8(r) == VERSION && known;
    *class = (enum tokenstore_class)reader_u8(r);
    struct span store = reader_bytes(r, RECORD_STORE_BYTES);
    m->epoch = reader_be64(r);
    m->last = reader_be64(r);
    m->count = reader_u8(r);
    if (!known || r->short_ || m->count > TOKENSTORE_RECORDS_MAX) {
        return RC_CORRUPT;
    }
    memcpy(m->store, store.ptr, RECORD_STORE_BYTES);
    return RC_OK;
}

static RC read_entries(struct reader *r, struct manifest *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct entry *e = &m->entries[i];
        size_t len = reader_u8(r);
        struct span name = reader_bytes(r, len);
        if (r->short_ || len == 0 || len > TOKENSTORE_NAME_BYTES_MAX ||
            span_index(name, '\0') < len) {
            return RC_CORRUPT;
        }
        memcpy(e->name, name.ptr, len);
        e->name[len] = '\0';
        e->number = reader_be64(r);
        e->fresh = reader_u8(r) != 0;
    }
    return reader_ok(r) ? RC_OK : RC_CORRUPT;
}

static RC manifest_parse(const struct tokenstore *t, struct span text, struct manifest *m)
{
    uint8_t digest[SHA256_BYTES];
    enum tokenstore_class class;
    if (text.len < SHA256_BYTES) {
        return RC_CORRUPT;
    }
    struct span body = span_sub(text, 0, text.len - SHA256_BYTES);
    crypto_derive(kek_of(t), body, digest);
    if (!span_equal_secret(span_sub(text, body.len, SHA256_BYTES),
                           (struct span){.ptr = (char *)digest, .len = SHA256_BYTES})) {
        return RC_CORRUPT;
    }
    struct reader r = {.left = body};
    TRY(read_head(&r, m, &class));
    return class == t->class ? read_entries(&r, m) : RC_CORRUPT;
}

static RC manifest_read(const struct tokenstore *t, struct manifest *m)
{
    char bytes[RECORD_MANIFEST_BYTES_MAX];
    struct buf text = BUF(bytes);
    struct slots s = manifest_slots(t);
    TRY(slots_read(&s, &text, NULL));
    return manifest_parse(t, buf_span(&text), m);
}

static RC manifest_write(const struct tokenstore *t, const struct manifest *m)
{
    char bytes[RECORD_MANIFEST_BYTES_MAX];
    uint8_t digest[SHA256_BYTES];
    struct buf text = BUF(bytes);
    struct slots s = manifest_slots(t);
    buf_put_u8(&text, MANIFEST_DOMAIN);
    buf_put_u8(&text, VERSION);
    buf_put_u8(&text, (uint8_t)t->class);
    buf_put(&text, (struct span){.ptr = m->store, .len = RECORD_STORE_BYTES});
    buf_put_be64(&text, m->epoch);
    buf_put_be64(&text, m->last);
    buf_put_u8(&text, (uint8_t)m->count);
    for (unsigned i = 0; i < m->count; i++) {
        const struct entry *e = &m->entries[i];
        struct span name = span_from_str(e->name);
        buf_put_u8(&text, (uint8_t)name.len);
        buf_put(&text, name);
        buf_put_be64(&text, e->number);
        buf_put_u8(&text, e->fresh);
    }
    crypto_derive(kek_of(t), buf_span(&text), digest);
    buf_put(&text, (struct span){.ptr = (char *)digest, .len = SHA256_BYTES});
    ASSERT(buf_ok(&text));
    return slots_write(&s, buf_span(&text));
}

/// A change of this epoch is complete: both slots say so, and the counter is raised to it. A
/// manifest that is behind the counter (restored) stays behind until a person makes a change: it is
/// found again at the next look.
static RC manifest_commit(struct tokenstore *t, struct manifest *m, uint64_t epoch)
{
    bool restored = epoch > m->epoch + 1u;
    if (!restored || t->by_person) {
        m->epoch = epoch;
    }
    TRY(manifest_write(t, m));
    TRY(manifest_write(t, m));
    return epoch > 0 ? backend_raise(t, epoch) : RC_OK;
}

static struct entry *find(struct manifest *m, struct span name)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (span_equal(span_from_str(m->entries[i].name), name)) {
            return &m->entries[i];
        }
    }
    return NULL;
}

/// Of the next change. What a power cut left behind may be ahead of the counter by one.
static RC next_epoch(struct tokenstore *t, const struct manifest *m, uint64_t *epoch)
{
    uint64_t counter = 0;
    enum rc rc = backend_counter(t, &counter);
    *epoch = rc == RC_OK ? (counter > m->epoch ? counter : m->epoch) + 1u : 0;
    return rc == RC_UNSUPPORTED ? RC_OK : rc;
}

RC record_peek(struct tokenstore *t, enum tokenstore_class *stored)
{
    char bytes[RECORD_MANIFEST_BYTES_MAX];
    struct buf text = BUF(bytes);
    struct slots s = manifest_slots(t);
    struct manifest m;
    TRY(slots_read(&s, &text, NULL));
    struct reader r = {.left = buf_span(&text)};
    return read_head(&r, &m, stored);
}

RC record_lock(const struct tokenstore *t, int how)
{
    for (unsigned left = how == LOCK_EX ? LOCK_TRIES : 1u; flock(t->dir_fd, how | LOCK_NB) != 0;) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return RC_IO;
        }
        if (--left == 0) {
            return RC_RETRY;
        }
        (void)poll(NULL, 0, LOCK_WAIT_MS); // a signal that ends it early costs a try
    }
    return RC_OK;
}

void record_unlock(const struct tokenstore *t)
{
    int failed = flock(t->dir_fd, LOCK_UN);
    ASSERT(failed == 0);
}

/// Inside the store a vanished manifest is damage, whatever its file says.
static RC as_damage(enum rc rc)
{
    return rc == RC_NOTFOUND ? RC_CORRUPT : rc;
}

RC record_open(struct tokenstore *t, bool begun, struct tokenstore_findings *found)
{
    struct manifest m = {0};
    uint64_t counter = 0;
    enum rc rc = manifest_read(t, &m);
    if (!begun && (rc == RC_NOTFOUND || rc == RC_CORRUPT)) {
        m = (struct manifest){0};
        hal_entropy_fill(m.store, sizeof(m.store));
        TRY(next_epoch(t, &m, &counter));
        m.epoch = counter; // nothing is in it that could be older
        return manifest_commit(t, &m, counter);
    }
    TRY(as_damage(rc));
    rc = backend_counter(t, &counter);
    if (rc == RC_OK && counter < m.epoch) {
        rc = backend_raise(t, m.epoch); // the power went before
    }
    found->rolled_back = rc == RC_OK && counter > m.epoch;
    return rc == RC_UNSUPPORTED ? RC_OK : rc;
}

// ---- records ----------------------------------------------------------------

static struct slots record_slots(const struct tokenstore *t,
                                 struct span name,
                                 char path[static TOKENSTORE_NAME_BYTES_MAX + 1u])
{
    struct buf b = buf_of(path, TOKENSTORE_NAME_BYTES_MAX + 1u);
    buf_put(&b, name);
    bool fits = buf_terminate(&b);
    ASSERT(fits);
    return (struct slots){
        .dir_fd = t->dir_fd, .name = path, .magic = RECORD_MAGIC, .payload_max = RECORD_BYTES_MAX};
}

/// Store and name, which key and seal of a record are bound to.
static struct span
owner_of(const struct manifest *m, struct span name, char bytes[static OWNER_BYTES_MAX])
{
    struct buf b = buf_of(bytes, OWNER_BYTES_MAX);
    buf_put(&b, (struct span){.ptr = m->store, .len = RECORD_STORE_BYTES});
    buf_put(&b, name);
    ASSERT(buf_ok(&b));
    return buf_span(&b);
}

/// Key and nonce of a record. The epoch makes other keys of a store that was restored.
/// @param aad  AAD_BYTES_MAX bytes that the box keeps.
static void set_box(const struct tokenstore *t,
                    struct span header,
                    struct span owner,
                    struct buf *aad,
                    struct crypto_box *box)
{
    char bytes[1u + 8u + OWNER_BYTES_MAX];
    struct buf info = BUF(bytes);
    buf_put_u8(&info, RECORD_DOMAIN);
    buf_put(&info, span_sub(header, 2, 8));
    buf_put(&info, owner);
    buf_put(aad, header);
    buf_put(aad, owner);
    ASSERT(header.len == RECORD_HEADER_BYTES && buf_ok(&info) && buf_ok(aad));
    crypto_derive(kek_of(t), buf_span(&info), box->key);
    memcpy(box->nonce, header.ptr + NONCE_AT, CRYPTO_NONCE_BYTES);
    box->aad = buf_span(aad);
}

static void
put_header(const struct tokenstore *t, uint64_t epoch, uint64_t number, struct buf *record)
{
    uint32_t random;
    hal_entropy_fill(&random, sizeof(random));
    buf_put_u8(record, VERSION);
    buf_put_u8(record, (uint8_t)t->class);
    buf_put_be64(record, epoch);
    buf_put_be64(record, number);
    buf_put_be32(record, random);
}

static void
seal(const struct tokenstore *t, struct span owner, struct span value, struct buf *record)
{
    char aad_bytes[AAD_BYTES_MAX];
    struct buf aad = BUF(aad_bytes);
    struct crypto_box box;
    set_box(t, buf_span(record), owner, &aad, &box);
    enum rc rc = crypto_seal(&box, value, record);
    ASSERT(rc == RC_OK);
    bytes_wipe(&box, sizeof(box));
}

/// Appends the value; *number is what the record says of itself, authenticated.
static RC unseal(const struct tokenstore *t,
                 struct span owner,
                 struct span record,
                 uint64_t *number,
                 struct buf *out)
{
    char aad_bytes[AAD_BYTES_MAX];
    struct buf aad = BUF(aad_bytes);
    struct crypto_box box;
    struct reader r = {.left = record};
    struct span header = span_sub(record, 0, RECORD_HEADER_BYTES);
    bool known = reader_u8(&r) == VERSION;
    known = reader_u8(&r) == (uint8_t)t->class && known;
    (void)reader_be64(&r); // epoch
    *number = reader_be64(&r);
    (void)reader_be32(&r);
    if (!known || r.short_) {
        return RC_CORRUPT;
    }
    set_box(t, header, owner, &aad, &box);
    enum rc rc = crypto_unseal(&box, r.left, out);
    bytes_wipe(&box, sizeof(box));
    return rc;
}

/// Entry of a name, made if there is none; it has the number that comes next.
static struct entry *take_number(struct manifest *m, struct span name)
{
    struct entry *e = find(m, name);
    if (e == NULL && m->count == TOKENSTORE_RECORDS_MAX) {
        return NULL;
    }
    m->last++;
    if (e == NULL) {
        e = &m->entries[m->count++];
        struct buf text = BUF(e->name);
        buf_put(&text, name);
        bool fits = buf_terminate(&text);
        ASSERT(fits);
        e->number = m->last;
        e->fresh = true;
    }
    return e;
}

/// A delete that a power cut ended has taken the file and left the entry, which asks for a record
/// that there is not.
static bool is_gone(const struct tokenstore *t, const char *path)
{
    struct stat st;
    return fstatat(t->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

/// An older manifest may be behind the record that it lists.
static RC pass_number(const struct tokenstore *t,
                      const struct slots *s,
                      struct span owner,
                      struct manifest *m)
{
    uint64_t number = 0;
    char bytes[RECORD_BYTES_MAX], value_bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf record = BUF(bytes), value = BUF(value_bytes);
    enum rc rc = slots_read(s, &record, NULL);
    if (rc == RC_NOTFOUND || rc == RC_CORRUPT) {
        return RC_OK;
    }
    TRY(rc);
    rc = unseal(t, owner, buf_span(&record), &number, &value);
    buf_wipe(&value);
    if (rc == RC_OK && number > m->last) {
        m->last = number;
    }
    return RC_OK; // one that does not open has another key
}

static RC put_locked(struct tokenstore *t, struct span name, struct span value)
{
    struct manifest m;
    uint64_t epoch;
    char path[TOKENSTORE_NAME_BYTES_MAX + 1u], bytes[RECORD_BYTES_MAX], id[OWNER_BYTES_MAX];
    struct buf record = BUF(bytes);
    struct slots s = record_slots(t, name, path);
    TRY(manifest_read(t, &m));
    struct span owner = owner_of(&m, name, id);
    TRY(pass_number(t, &s, owner, &m));
    TRY(next_epoch(t, &m, &epoch));
    struct entry *e = take_number(&m, name);
    if (e == NULL) {
        return RC_FULL;
    }
    e->fresh = e->fresh || is_gone(t, s.name);
    TRY(manifest_write(t, &m));
    put_header(t, epoch, m.last, &record);
    seal(t, owner, value, &record);
    TRY(slots_write(&s, buf_span(&record)));
    e->number = m.last;
    e->fresh = false;
    TRY(manifest_commit(t, &m, epoch));
    return slots_write(&s, buf_span(&record));
}

RC record_put(struct tokenstore *t, struct span name, struct span value)
{
    TRY(record_lock(t, LOCK_EX));
    enum rc rc = as_damage(put_locked(t, name, value));
    record_unlock(t);
    return rc;
}

static RC get_once(struct tokenstore *t, struct span name, struct buf *out)
{
    struct manifest m;
    uint64_t number;
    char path[TOKENSTORE_NAME_BYTES_MAX + 1u], bytes[RECORD_BYTES_MAX], id[OWNER_BYTES_MAX];
    struct buf record = BUF(bytes);
    struct slots s = record_slots(t, name, path);
    TRY(as_damage(manifest_read(t, &m)));
    const struct entry *e = find(&m, name);
    enum rc rc = slots_read(&s, &record, NULL);
    if (rc == RC_CORRUPT && (e == NULL || e->fresh)) {
        return RC_NOTFOUND; // the power went while the first value was written
    }
    TRY(rc);
    size_t len = out->len;
    TRY(unseal(t, owner_of(&m, name, id), buf_span(&record), &number, out));
    if (e == NULL || number < e->number) {
        bytes_wipe(out->ptr + len, out->len - len);
        out->len = len;
        return RC_STALE;
    }
    return RC_OK;
}

RC record_get(struct tokenstore *t, struct span name, struct buf *out)
{
    enum rc rc = get_once(t, name, out);
    if (rc != RC_STALE && rc != RC_CORRUPT) {
        return rc;
    }
    // It may be that somebody changes it between two looks: once more, while nobody can.
    TRY(record_lock(t, LOCK_SH));
    rc = get_once(t, name, out);
    record_unlock(t);
    return rc;
}

static RC delete_locked(struct tokenstore *t, struct span name)
{
    struct manifest m;
    uint64_t epoch;
    char path[TOKENSTORE_NAME_BYTES_MAX + 1u];
    struct slots s = record_slots(t, name, path);
    TRY(as_damage(manifest_read(t, &m)));
    struct entry *e = find(&m, name);
    if (e == NULL) {
        return RC_NOTFOUND;
    }
    TRY(next_epoch(t, &m, &epoch));
    bool was = unlinkat(t->dir_fd, s.name, 0) == 0;
    if ((!was && errno != ENOENT) || fsync(t->dir_fd) != 0) {
        return RC_IO;
    }
    *e = m.entries[--m.count];
    TRY(manifest_commit(t, &m, epoch));
    return was ? RC_OK : RC_NOTFOUND;
}

RC record_delete(struct tokenstore *t, struct span name)
{
    TRY(record_lock(t, LOCK_EX));
    enum rc rc = delete_locked(t, name);
    record_unlock(t);
    return rc;
}
