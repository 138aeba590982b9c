// SPDX-License-Identifier: Apache-2.0
// What the process gives up, and when: sys/confine.h says how.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/resource.h>

#include "base/assert.h"
#include "base/secret.h"

#include "app/app_state.h"
#include "spool/spool_claim.h"
#include "sys/heap.h"
#include "sys/log.h"

#define SECRETS_BYTES (256u * 1024u) ///< what the token store locks, and more

static void say(const struct app *a, const char *what, const char *advice)
{
    fprintf(stderr, "anteroomd: %s: %s; %s\n", a->options.state_dir, what, advice);
}

static enum exit_code say_refusal(const struct app *a, enum rc rc)
{
    if (rc == RC_OK) {
        return EXIT_DONE;
    }
    say(a, a->confine.wrong, a->confine.advice);
    return rc == RC_DENIED ? EXIT_NOPERM : EXIT_OSERR;
}

enum exit_code app_open_state(struct app *a)
{
    a->state_fd = open(a->options.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->state_fd < 0) {
        say(a, strerror(errno), "make the state directory, and give it to an unprivileged user");
        return EXIT_IOERR;
    }
    // Now: a device may make something in it.
    return say_refusal(a, confine_owner(&a->confine, a->state_fd));
}

bool app_lockable(size_t more)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
           limit.rlim_cur >= SECRETS_BYTES + CONFIG_HEAP_KIB * 1024u + more;
}

/// Keys and tokens pass through the libraries' pool and through struct app. Where little may be
/// locked the token store comes first, then the pool.
static void guard_memory(struct app *a)
{
    bool pool = app_lockable(0);
    bool own = app_lockable(sizeof(*a));

    // What cannot be locked is kept out of dumps all the same.
    pool = (pool ? heap_guard() : heap_hide()) == RC_OK && pool;
    own = (own ? secret_guard(a, sizeof(*a)) : secret_hide(a, sizeof(*a))) == RC_OK && own;

    a->memory = pool && own ? "locked" : pool ? "pool_locked" : "not_locked";
    if (!pool || !own) {
        LOG_WARN("ev=memory_not_locked what=%s now=it_may_be_swapped_out "
                 "advice=start_as_root_or_set_LimitMEMLOCK_to_16_MiB",
                 pool ? "own" : "all");
    }
}

uint64_t app_store_bytes(const struct app *a)
{
    const uint64_t quota = (uint64_t)a->config.spool_map_mib << 20,
                   held = spool_file_bytes(a->state_fd);

    return held > quota ? held : quota;
}

enum exit_code app_become(struct app *a)
{
    enum exit_code code =
        say_refusal(a, confine_user(&a->confine, a->state_fd, app_store_bytes(a)));

    if (code != EXIT_DONE) {
        return code;
    }
    if (a->confine.had_capabilities) {
        LOG_INFO("ev=capabilities_dropped uid=%u", a->confine.uid);
    }
    guard_memory(a);
    return EXIT_DONE;
}

#define PORT_HTTPS 443u
#define PORT_DNS   53u ///< answers too long for a datagram

struct ports {
    uint16_t list[CONFINE_PORTS_MAX];
    unsigned count;
};

static void add_port(struct ports *p, uint16_t port)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (p->list[i] == port) {
            return;
        }
    }
    ASSERT(p->count < CONFINE_PORTS_MAX);
    p->list[p->count++] = port;
}

/// The port of "https://host[:port][/path]", which the configuration has checked.
static void add_port_of(struct ports *p, const char *url)
{
    const char *host = strstr(url, "://");
    if (host == NULL) {
        return;
    }
    host += strlen("://");
    const size_t len = strcspn(host, "/?#");
    const char *colon = NULL;
    for (size_t i = 0; i < len; i++) {
        colon = host[i] == ':' ? host + i : host[i] == ']' ? NULL : colon;
    }
    add_port(p, colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : PORT_HTTPS);
}

static struct ports needed_ports(const struct config *c)
{
    struct ports p = {.count = 0};

    if (!config_is_there(c)) {
        return p; // nobody is asked for anything
    }
    add_port(&p, PORT_DNS);
    if (c->proxy[0] != '\0') {
        add_port_of(&p, c->proxy); // everything goes through it
        return p;
    }
    add_port(&p, PORT_HTTPS);
    add_port_of(&p, c->authority_url);
    add_port_of(&p, c->graph_url);
    for (unsigned i = 0; i < c->sinks_count; i++) {
        add_port_of(&p, c->sinks[i].url);
    }
    return p;
}

enum exit_code app_lock(struct app *a)
{
    const struct ports ports = needed_ports(&a->config);

    if (confine_lock(&a->confine, a->state_fd, ports.list, ports.count) != RC_OK) {
        fprintf(stderr, "anteroomd: %s; %s\n", a->confine.wrong, a->confine.advice);
        return EXIT_OSERR;
    }
    LOG_INFO("ev=confined uid=%u memory=%s landlock_abi=%d ports=%s mdwe=%s filter=%s",
             a->confine.uid,
             a->memory,
             a->confine.landlock_abi,
             a->confine.ports_limited ? "limited" : "open",
             a->confine.mdwe ? "yes" : "no",
             !a->confine.filtered ? "none"
             : CONFIG_CONFINE_LAB ? "log"
                                  : "kill");
    return EXIT_DONE;
}

bool app_resolver_lost(struct app *a)
{
    if (!confine_resolver_lost(&a->confine)) {
        return false;
    }
    LOG_ERROR("ev=resolver_replaced now=stopping_so_that_the_next_start_reads_the_new_file");
    return true;
}
