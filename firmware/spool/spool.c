// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Opening and closing. The stored formats are described in spool_rows.c, the files in
 * spool_files.c.
 */
#include "spool/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"

#include "spool/spool_claim.h"
#include "spool/spool_db.h"

#define MAP_MIB_MIN      8u
#define MAP_MIB_MAX      2048u
#define HIGH_PERCENT_MIN 50u
#define HIGH_PERCENT_MAX 90u

static enum rc set_path(struct spool *s, const char *state_dir)
{
    struct buf path = BUF(s->path);
    buf_put_str(&path, state_dir);
    buf_put_str(&path, "/" SPOOL_DIR);
    return buf_terminate(&path) ? RC_OK : RC_IO;
}

static enum rc begin_anew(struct spool *s, int dir_fd)
{
    TRY(files_create(s, dir_fd));
    return db_open(s) == RC_OK ? RC_OK : RC_IO;
}

static enum rc open_checked(struct spool *s,
                            const struct spool_options *options,
                            int dir_fd,
                            enum spool_found *found,
                            struct buf *reason)
{
    enum rc rc = files_probe(dir_fd);
    if (rc == RC_NOTFOUND) {
        *found = SPOOL_FOUND_NONE;
        return begin_anew(s, dir_fd);
    }
    TRY(rc);
    enum check_verdict verdict = check_store(s, options, reason);
    if (verdict == CHECK_GOOD) {
        *found = SPOOL_FOUND_GOOD;
        return db_open(s) == RC_OK ? RC_OK : RC_IO;
    }
    if (verdict != CHECK_BROKEN) {
        return verdict == CHECK_LATE ? RC_RETRY : RC_IO;
    }
    *found = SPOOL_FOUND_BROKEN;
    TRY(files_set_aside(dir_fd));
    return begin_anew(s, dir_fd);
}

static enum rc open_locked(struct spool *s,
                           const struct spool_options *options,
                           int dir_fd,
                           enum spool_found *found,
                           struct buf *reason)
{
    TRY(spool_claim(dir_fd, &s->lock_fd));
    enum rc rc = open_checked(s, options, dir_fd, found, reason);
    if (rc != RC_OK) {
        (void)close(s->lock_fd);
    }
    return rc;
}

static void forget_everything(struct spool *s)
{
    s->env = NULL;
    s->page_bytes = 0;
    s->durable_seq = 0;
    s->commits = 0;
    s->commit_failures = 0;
    s->sinks_count = 0;
    s->block.count = 0;
    s->block.bytes = 0;
    s->block.sealed = false;
    stage_clear(&s->stage);
}

RC spool_open(struct spool *s,
              const struct spool_options *options,
              enum spool_found *found,
              struct buf *reason)
{
    ASSERT(!s->is_open);
    ASSERT(options->map_mib >= MAP_MIB_MIN && options->map_mib <= MAP_MIB_MAX);
    ASSERT(options->high_percent >= HIGH_PERCENT_MIN && options->high_percent <= HIGH_PERCENT_MAX);
    forget_everything(s);
    s->map_bytes = (uint64_t)options->map_mib * 1024u * 1024u;
    s->high_percent = options->high_percent;
    TRY(set_path(s, options->state_dir));
    int dir_fd = open(options->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return RC_IO;
    }
    enum rc rc = open_locked(s, options, dir_fd, found, reason);
    (void)close(dir_fd);
    s->is_open = rc == RC_OK;
    return rc;
}

void spool_close(struct spool *s)
{
    if (!s->is_open) {
        return;
    }
    db_close(s);
    deflate_close(&s->block.deflate);
    (void)close(s->lock_fd);
    s->is_open = false;
    forget_everything(s);
}

void spool_reopen(struct spool *s)
{
    ASSERT(s->is_open);
    db_close(s);
}

struct span spool_id(const struct spool *s)
{
    return (struct span){.ptr = s->guid, .len = sizeof(s->guid)};
}

struct spool_stats spool_stats(const struct spool *s)
{
    uint64_t pages = s->page_bytes == 0 ? 0 : s->map_bytes / s->page_bytes;
    return (struct spool_stats){
        .next_seq = spool_next_seq(s),
        .durable_seq = s->durable_seq,
        .events_held = s->durable_seq + 1u - s->counts.first_held,
        .bytes_held = s->counts.event_bytes,
        .used_percent = pages == 0 ? 0 : (uint32_t)(s->counts.used_pages * 100u / pages),
        .commits = s->commits,
        .commit_failures = s->commit_failures,
        .dead_rows = s->counts.dead_rows,
    };
}
