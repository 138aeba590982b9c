// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "hal/clock.h"

#define SERVERS_MAX  16
#define FILES_MAX    8
#define TURNS_MS_MAX 60000

extern char **environ;

struct loop world_loop;
struct http world_http;

static struct {
    pid_t pid;
    int to; // closing it ends the peer
    char directory[256];
    unsigned servers;
    char names[SERVERS_MAX][16];
    char addresses[SERVERS_MAX][32];
} peer;

static char body[WORLD_BODY_BYTES_MAX];

static void read_ports(FILE *from)
{
    char name[16];
    int port = 0;
    while (fscanf(from, "%15s", name) == 1 && strcmp(name, "ready") != 0) {
        assert_true(peer.servers < SERVERS_MAX);
        assert_int_equal(fscanf(from, "%d", &port), 1);
        snprintf(peer.names[peer.servers], sizeof(peer.names[0]), "%s", name);
        snprintf(peer.addresses[peer.servers], sizeof(peer.addresses[0]), "localhost:%d", port);
        peer.servers++;
    }
}

int peer_start(void **state)
{
    (void)state;
    const char *scratch = getenv("ANTEROOM_TMP");
    snprintf(peer.directory, sizeof(peer.directory), "%s/peer", scratch != NULL ? scratch : "/tmp");
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) {
        return -1;
    }
    char python[] = "/usr/bin/python3";
    char quiet[] = "-Wignore";
    char script[] = "tests/support/peer.py";
    char *arguments[] = {python, quiet, script, peer.directory, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, in[1]);
    int rc = posix_spawn(&peer.pid, python, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    peer.to = in[1];
    FILE *from = fdopen(out[0], "r");
    if (rc != 0 || from == NULL) {
        return -1;
    }
    read_ports(from);
    (void)fclose(from);
    return peer.servers > 0 ? 0 : -1;
}

int peer_stop(void **state)
{
    (void)state;
    close(peer.to);
    return waitpid(peer.pid, NULL, 0) == peer.pid ? 0 : -1;
}

const char *peer_at(const char *server)
{
    for (unsigned i = 0; i < peer.servers; i++) {
        if (strcmp(peer.names[i], server) == 0) {
            return peer.addresses[i];
        }
    }
    fail_msg("no server %s", server);
    return "";
}

struct span peer_file(const char *file)
{
    static struct {
        char name[32];
        char text[8192];
        size_t len;
    } files[FILES_MAX];

    unsigned i = 0;
    while (i < FILES_MAX - 1 && files[i].len > 0 && strcmp(files[i].name, file) != 0) {
        i++;
    }
    if (files[i].len == 0) {
        char path[320];
        snprintf(path, sizeof(path), "%s/%s", peer.directory, file);
        snprintf(files[i].name, sizeof(files[i].name), "%s", file);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        files[i].len = fread(files[i].text, 1, sizeof(files[i].text), f);
        (void)fclose(f);
    }
    return (struct span){.ptr = files[i].text, .len = files[i].len};
}

struct http_request request_for_url(const char *url)
{
    return (struct http_request){.url = span_from_str(url),
                                 .trust = HTTP_TRUST_CA,
                                 .ca_pem = peer_file("ca.pem"),
                                 .connect_ms = 20000,
                                 .total_ms = 60000,
                                 .stall_ms = 30000,
                                 .body_bytes_max = WORLD_BODY_BYTES_MAX};
}

struct http_request request_for(const char *server, const char *path)
{
    static char url[200];
    snprintf(url, sizeof(url), "https://%s/%s", peer_at(server), path);
    return request_for_url(url);
}

int world_setup(void **state)
{
    (void)state;
    if (crypto_init() != RC_OK || loop_init(&world_loop) != RC_OK) {
        return -1;
    }
    hal_clock_set(loop_now().mono, loop_now().wall.ms);
    crypto_set_time(loop_now().wall.ms);
    return http_init(&world_http, &world_loop) == RC_OK ? 0 : -1;
}

int world_teardown(void **state)
{
    (void)state;
    http_deinit(&world_http);
    loop_deinit(&world_loop);
    return 0;
}

void world_turn(int64_t until_ms)
{
    struct now now = loop_now();
    struct mono next = http_step(&world_http, now);
    (void)loop_wait(&world_loop, mono_min(next, mono_after(now.mono, until_ms)));
}

void world_start(unsigned slot, const struct http_request *r)
{
    assert_int_equal(http_start(&world_http, slot, r, loop_now()), RC_OK);
}

void world_finish(unsigned slot)
{
    struct mono bound = mono_after(loop_now().mono, TURNS_MS_MAX);
    while (http_state(&world_http, slot) != HTTP_DONE) {
        assert_false(mono_due(bound, loop_now().mono));
        world_turn(1000);
    }
}

struct world_answer world_run_slowly(const struct http_request *r, size_t bytes, int64_t turn_ms)
{
    struct world_answer a = {.body = body};
    struct mono began = loop_now().mono;
    struct mono bound = mono_after(began, TURNS_MS_MAX);
    struct mono read_at = began;
    world_start(0, r);
    for (;;) {
        struct mono now = loop_now().mono;
        assert_false(mono_due(bound, now));
        struct span s = http_body(&world_http, 0);
        bool done = http_state(&world_http, 0) == HTTP_DONE;
        if (done && s.len == 0) {
            break;
        }
        if (s.len > 0 && mono_due(read_at, now)) {
            s.len = s.len < bytes ? s.len : bytes;
            assert_true(a.bytes + s.len <= sizeof(body));
            memcpy(body + a.bytes, s.ptr, s.len);
            a.bytes += s.len;
            http_consume(&world_http, 0, s.len);
            read_at = mono_after(now, turn_ms);
        }
        world_turn(turn_ms > 0 ? turn_ms : 1000 * !done);
    }
    a.ran_ms = loop_now().mono.ms - began.ms;
    a.result = *http_result(&world_http, 0);
    http_release(&world_http, 0);
    return a;
}

struct world_answer world_run(const struct http_request *r)
{
    return world_run_slowly(r, SIZE_MAX, 0);
}

unsigned world_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned count = 0;
    assert_non_null(d);
    while (readdir(d) != NULL) {
        count++;
    }
    closedir(d);
    return count;
}

size_t peer_bytes_wrong(const char *bytes, size_t len)
{
    char line[64];
    size_t wrong = 0;
    for (size_t at = 0, i = 0; at < len; i++) {
        int n = snprintf(line,
                         sizeof(line),
                         "{\"id\":\"%06zu\",\"callee\":\"c%03zu\",\"type\":\"groupCall\"}\n",
                         i,
                         i % 997);
        for (int c = 0; c < n && at < len; c++, at++) {
            wrong += bytes[at] != line[c];
        }
    }
    return wrong;
}
