// SPDX-License-Identifier: Apache-2.0
#define _XOPEN_SOURCE 700 // nftw
#include "sim.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "support/seeded.h"
#include "trace.h"

#define SEED_DEFAULT 20261123u
#define WORKERS      2u
#define JUDGE_S_MAX  60u
#define SHOWN_MAX    3u
#define DIR_BYTES    256u

// One process that judges every WORKERS-th state; shared with the one that counts.
struct worker {
    uint64_t at;    // number of the state in work
    uint64_t first; // to begin with
    struct sim_counts counts;
    uint32_t shown;
    char why[SHOWN_MAX][SIM_WHY_BYTES + 80u];
    char dir[DIR_BYTES];
};

struct run {
    const struct sim_scenario *scenario;
    struct sim_cut *before; // shared; where the next workload begins
    char next_dir[DIR_BYTES];
    size_t first_op;
    uint64_t seed, round;
    struct worker *workers;
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL || *text == 0 ? otherwise : strtoull(text, NULL, 10);
}

uint64_t sim_states(unsigned share)
{
    return from_environment("ANTEROOM_SIM_STATES", SIM_STATES_DEFAULT) * share / 1000u;
}

uint64_t sim_bad(const struct sim_counts *c)
{
    return c->by[SIM_LOST] + c->by[SIM_UNOPENABLE] + c->by[SIM_KILLED];
}

// ---- directories ------------------------------------------------------------

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    return ftw->level == 0 ? 0 : remove(path);
}

static void empty(const char *dir)
{
    if (nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(dir);
        abort();
    }
}

// In memory where that is possible: nothing here has to outlive the machine.
static void make_dir(char dir[static DIR_BYTES])
{
    const char *tmp = getenv("ANTEROOM_TMP");
    (void)snprintf(dir, DIR_BYTES, "/dev/shm/anteroom-sim-XXXXXX");
    if (mkdtemp(dir) != NULL) {
        return;
    }
    (void)snprintf(dir, DIR_BYTES, "%s/sim-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        abort();
    }
}

static void remove_dir(const char *dir)
{
    empty(dir);
    (void)rmdir(dir);
}

// ---- judging ----------------------------------------------------------------

static void count(struct worker *w, enum sim_verdict verdict, const char *text)
{
    w->counts.by[verdict]++;
    w->counts.states++;
    if (verdict >= SIM_LOST && w->shown < SHOWN_MAX) {
        (void)snprintf(w->why[w->shown++], sizeof(w->why[0]), "%s", text);
    }
}

static void judge(const struct run *run,
                  struct worker *w,
                  const struct disk *d,
                  const struct trace_op *op,
                  uint32_t number)
{
    char why[SIM_WHY_BYTES] = "";
    char text[SIM_WHY_BYTES + 80u];
    uint64_t seed = run->seed ^ (w->at << 20);
    struct sim_cut cut = {.dir = w->dir, .old = op->old, .new = op->new};
    cut.seed = seeded_next(&seed);
    if (!disk_write(d, (struct disk_choice){.number = number, .seed = cut.seed}, w->dir)) {
        perror("sim: cannot write a state");
        abort();
    }
    (void)alarm(JUDGE_S_MAX);
    enum sim_verdict verdict = run->scenario->judge(&cut, why);
    if (verdict < SIM_LOST && cut.old == cut.new) {
        verdict = SIM_SETTLED;
    }
    (void)snprintf(text,
                   sizeof(text),
                   "workload %llu state %llu (operation kind %d, choice %u): %s",
                   (unsigned long long)run->round,
                   (unsigned long long)w->at,
                   (int)op->kind,
                   number,
                   why);
    count(w, verdict, text);
    empty(w->dir);
}

// All states of one point in the workload. Which of them are this worker's follows from their
// number.
static uint64_t judge_point(const struct run *run,
                            struct worker *w,
                            const struct disk *d,
                            const struct trace_op *op,
                            uint64_t number)
{
    uint32_t pending = disk_pending(d);
    bool all_tried = pending < 2u && !run->scenario->torn; // none of it, all of it
    uint32_t states = all_tried || pending == 0 ? pending + 1u : run->scenario->states_a_point;
    uint64_t mine = (uint64_t)(w - run->workers);
    for (uint32_t i = 0; i < states; i++, number++) {
        if (number % WORKERS == mine && number >= w->first) {
            w->at = number;
            judge(run, w, d, op, i);
        }
    }
    return number;
}

_Noreturn static void work(const struct run *run, struct worker *w)
{
    struct disk *d = disk_begin();
    uint64_t number = 0;
    disk_torn(d, run->scenario->torn);
    for (size_t i = 0; i < trace_count(); i++) {
        const struct trace_op *op = trace_at(i);
        bool flushes = op->kind == TRACE_SYNC || op->kind == TRACE_SYNC_DIR || op->at_once;
        bool cuts = i >= run->first_op;
        disk_start(d, op);
        if (cuts && (!flushes || op->at_once)) {
            number = judge_point(run, w, d, op, number);
        }
        disk_finish(d, op);
        if (cuts && flushes) {
            number = judge_point(run, w, d, op, number);
        }
    }
    _exit(0);
}

// ---- a round ----------------------------------------------------------------

// One of the states of this workload, for the next one to begin with.
_Noreturn static void leave_one(struct run *run)
{
    struct disk *d = disk_begin();
    uint64_t seed = run->seed ^ 0xc4a1u;
    size_t ops = trace_count() - run->first_op;
    size_t last = run->first_op + seeded_below(&seed, (unsigned)ops);
    for (size_t i = 0; i <= last; i++) {
        disk_start(d, trace_at(i));
        if (i < last || seeded_below(&seed, 2) == 0) {
            disk_finish(d, trace_at(i));
        }
    }
    struct disk_choice choice = {.number = seeded_below(&seed, 8), .seed = seeded_next(&seed)};
    run->before->old = trace_at(last)->old;
    run->before->new = trace_at(last)->new;
    empty(run->next_dir);
    _exit(disk_write(d, choice, run->next_dir) ? 0 : 1);
}

static void prepare_next(struct run *run)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        leave_one(run);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        perror("sim: cannot prepare the next workload");
        abort();
    }
}

// Carries the workload out and records it.
static void record(struct run *run)
{
    bool goes_on = run->scenario->chained && run->round > 0;
    if (!goes_on) {
        empty(run->next_dir);
    }
    trace_begin(run->next_dir);
    size_t found = trace_count();
    if (goes_on) {
        trace_may_be(run->before->old, run->before->new);
    }
    run->first_op = run->scenario->record(run->next_dir, run->seed, goes_on ? run->before : NULL);
    trace_end();
    run->first_op = run->first_op < found ? found : run->first_op;
}

static pid_t start(const struct run *run, struct worker *w)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        work(run, w);
    }
    if (pid < 0) {
        perror("sim: fork");
        abort();
    }
    return pid;
}

// Runs a worker to its end, however often what it judges kills it.
static void finish(const struct run *run, struct worker *w, pid_t pid)
{
    char text[64];
    int status = 0;
    for (;;) {
        if (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
            continue;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            return;
        }
        (void)snprintf(text,
                       sizeof(text),
                       "workload %llu state %llu: status %x",
                       (unsigned long long)run->round,
                       (unsigned long long)w->at,
                       (unsigned)status);
        count(w, SIM_KILLED, text);
        empty(w->dir);
        w->first = w->at + 1u;
        pid = start(run, w);
    }
}

static void round_of(struct run *run)
{
    pid_t pids[WORKERS];
    record(run);
    for (unsigned i = 0; i < WORKERS; i++) {
        run->workers[i].first = 0;
        make_dir(run->workers[i].dir);
        pids[i] = start(run, &run->workers[i]);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        finish(run, &run->workers[i], pids[i]);
        remove_dir(run->workers[i].dir);
    }
    if (run->scenario->chained) {
        prepare_next(run);
    }
}

static void print_row(const struct sim_scenario *s, const struct sim_counts *c, uint64_t seed)
{
    static bool has_head;
    if (!has_head) {
        (void)printf("%-24s %8s %8s %8s %8s %6s %10s %6s  %s\n",
                     "scenario",
                     "states",
                     "settled",
                     "old",
                     "new",
                     "lost",
                     "unopenable",
                     "killed",
                     "seed");
        has_head = true;
    }
    (void)printf("%-24s %8llu", s->name, (unsigned long long)c->states);
    static const int widths[SIM_VERDICTS] = {8, 8, 8, 6, 10, 6};
    for (unsigned i = 0; i < SIM_VERDICTS; i++) {
        (void)printf(" %*llu", widths[i], (unsigned long long)c->by[i]);
    }
    (void)printf("  %llu\n", (unsigned long long)seed);
}

static void *shared(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("sim: no memory");
        abort();
    }
    return p;
}

struct sim_counts sim_run(const struct sim_scenario *s)
{
    struct sim_counts sum = {.states = 0};
    size_t bytes = WORKERS * sizeof(struct worker);
    uint64_t seed = from_environment("ANTEROOM_SEED", SEED_DEFAULT);
    struct run run = {.scenario = s};
    run.workers = shared(bytes);
    run.before = shared(sizeof(*run.before));
    make_dir(run.next_dir);
    run.before->dir = run.next_dir;
    for (uint64_t before = UINT64_MAX; sum.states < s->states && sum.states != before;) {
        before = sum.states;
        memset(&sum, 0, sizeof(sum));
        run.seed = seed + run.round * 1000003u;
        round_of(&run);
        run.round++;
        for (unsigned i = 0; i < WORKERS; i++) {
            sum.states += run.workers[i].counts.states;
            for (unsigned v = 0; v < SIM_VERDICTS; v++) {
                sum.by[v] += run.workers[i].counts.by[v];
            }
        }
    }
    print_row(s, &sum, seed);
    for (unsigned i = 0; i < WORKERS && !s->control; i++) {
        for (unsigned k = 0; k < run.workers[i].shown; k++) {
            (void)printf("  %s\n", run.workers[i].why[k]);
        }
    }
    (void)fflush(stdout);
    remove_dir(run.next_dir);
    (void)munmap(run.before, sizeof(*run.before));
    (void)munmap(run.workers, bytes);
    return sum;
}
