// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a record costs in the spool: CPU and bytes written, at a steady backlog.
 *   spool_bench DIRECTORY NDJSON BACKLOG RECORDS [MAP_MIB]
 * Fills the store in DIRECTORY (which must exist and be empty) up to BACKLOG records, then appends
 * and acknowledges RECORDS more at that backlog, each with one row of the index. Lines are those of
 * NDJSON (one JSON object a line), over and over. One result line for the filling, one for the
 * steady state.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/spool_state.h"

#define ACK_EVENTS   700u
#define BODY_BYTES   (512u * 1024u)
#define SEEN_BYTES   24u
#define PRUNE_BEHIND 2000000u // records after which a row of the index is removed

static struct spool spool;
static char body_bytes[BODY_BYTES];
static char scratch_bytes[SPOOL_BLOCK_RAW_BYTES_MAX];
static const char *corpus;
static size_t corpus_bytes, corpus_at;

struct cost {
    double cpu_us;
    uint64_t written;
};

static void must(enum rc rc, const char *what)
{
    if (rc != RC_OK) {
        (void)fprintf(stderr, "%s: %s\n", what, rc_name(rc));
        exit(1);
    }
}

static uint64_t written_bytes(void)
{
    char text[512];
    FILE *f = fopen("/proc/self/io", "r");
    size_t got = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1u, f);
    if (f != NULL) {
        (void)fclose(f);
    }
    text[got] = '\0';
    const char *at = strstr(text, "\nwrite_bytes: ");
    return at == NULL ? 0 : strtoull(at + strlen("\nwrite_bytes: "), NULL, 10);
}

static struct cost cost_now(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
                 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    return (struct cost){.cpu_us = cpu, .written = written_bytes()};
}

static uint64_t anonymous_kib(void)
{
    char line[256];
    uint64_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtoull(line + 8, NULL, 10);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kib;
}

static void map_corpus(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0) {
        perror(path);
        exit(1);
    }
    corpus_bytes = (size_t)st.st_size;
    corpus = mmap(NULL, corpus_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    (void)close(fd);
    if (corpus == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
}

static struct span next_line(void)
{
    if (corpus_at >= corpus_bytes) {
        corpus_at = 0;
    }
    const char *from = corpus + corpus_at;
    const char *end = memchr(from, '\n', corpus_bytes - corpus_at);
    size_t bytes = end == NULL ? corpus_bytes - corpus_at : (size_t)(end - from);
    corpus_at += bytes + 1u;
    return (struct span){.ptr = from, .len = bytes};
}

// Start time, which rises, and an id, which does not.
static struct span seen_key(uint64_t n, struct buf key)
{
    uint64_t id = n * 0x9e3779b97f4a7c15u;
    buf_put_be64(&key, n * 7000u);
    buf_put_be64(&key, id ^ (id >> 29));
    buf_put_be64(&key, id * 0xbf58476d1ce4e5b9u);
    return buf_span(&key);
}

static void put_record(uint64_t n)
{
    static const char seen[SEEN_BYTES] = "format, version, parts";
    char key_bytes[SEEN_BYTES];
    struct span value = {.ptr = seen, .len = sizeof(seen)};
    must(spool_append(&spool, next_line()), "append");
    must(spool_put(&spool, SPOOL_SEEN, seen_key(n, BUF(key_bytes)), value), "put");
    if (n > PRUNE_BEHIND) {
        must(spool_delete(&spool, SPOOL_SEEN, seen_key(n - PRUNE_BEHIND, BUF(key_bytes))),
             "delete");
    }
    if (spool_wants_commit(&spool)) {
        must(spool_commit(&spool), "commit");
    }
}

static void deliver(uint64_t backlog)
{
    for (;;) {
        struct spool_stats stats = spool_stats(&spool);
        uint64_t acked = spool_acked(&spool, 0);
        struct spool_batch batch;
        struct buf body = BUF(body_bytes);
        struct buf scratch = BUF(scratch_bytes);
        if (stats.durable_seq < acked + backlog + ACK_EVENTS) {
            return;
        }
        struct spool_want want = {
            .after_seq = acked, .events_max = ACK_EVENTS, .raw_max = 4u << 20};
        must(spool_read(&spool, &want, scratch, &body, &batch), "read");
        must(spool_ack(&spool, 0, batch.last_seq), "ack");
    }
}

static void run(const char *phase, uint64_t from, uint64_t to, uint64_t backlog)
{
    struct cost before = cost_now();
    for (uint64_t n = from; n < to; n++) {
        put_record(n);
        deliver(backlog);
    }
    struct cost after = cost_now();
    double records = (double)(to - from);
    struct spool_stats stats = spool_stats(&spool);
    (void)printf("%-6s backlog %7" PRIu64
                 "  cpu %6.2f us/record  written %6.0f bytes/record  used %2u %%  "
                 "events held %" PRIu64 "  anonymous %" PRIu64 " KiB\n",
                 phase,
                 backlog,
                 (after.cpu_us - before.cpu_us) / records,
                 (double)(after.written - before.written) / records,
                 stats.used_percent,
                 stats.events_held,
                 anonymous_kib());
}

int main(int argc, char **argv)
{
    char reason_bytes[64];
    struct buf reason = BUF(reason_bytes);
    struct span names[1] = {SPAN("main")};
    enum spool_found found;
    if (argc < 5) {
        (void)fprintf(stderr, "usage: spool_bench DIRECTORY NDJSON BACKLOG RECORDS [MAP_MIB]\n");
        return 2;
    }
    uint64_t backlog = strtoull(argv[3], NULL, 10);
    uint64_t records = strtoull(argv[4], NULL, 10);
    uint64_t map_mib = argc > 5 ? strtoull(argv[5], NULL, 10) : 256u;
    struct spool_options options = {
        .state_dir = argv[1], .map_mib = (uint32_t)map_mib, .high_percent = 90};
    map_corpus(argv[2]);
    must(spool_open(&spool, &options, &found, &reason), "open");
    must(spool_set_sinks(&spool, names, 1), "sinks");
    run("fill", 0, backlog, backlog);
    run("steady", backlog, backlog + records, backlog);
    spool_close(&spool);
    return 0;
}
