// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One loop, one server on loopback and its clients, for the tests of net/serve.h. The server's time
 * is the tests' own; the kernel's moves bytes.
 */
#ifndef SERVE_WORLD_H
#define SERVE_WORLD_H
#include <setjmp.h> // for cmocka
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/serve_state.h"

#define TURNS_MAX 4000u

extern struct serve server;
extern struct loop server_loop;
extern int64_t server_ms; ///< what the server believes the time to be

/// cmocka fixtures.
int serve_setup(void **state);
int serve_teardown(void **state);

/// Plain, on a port that the kernel chooses.
void serve_start(const char *listen);
/// One step, and what the kernel has for it. @return when the server wants to run next.
struct mono serve_turn(void);
/// Turns until it is so; fails after TURNS_MAX of them.
void serve_until(bool (*so)(unsigned c), unsigned c);
/// Turns until nothing happens any more at this time.
void serve_settle(void);

bool is_free(unsigned c);
bool is_reading(unsigned c);
bool is_shaking(unsigned c);
bool is_ended(unsigned c); ///< the peer says no more
bool is_full(unsigned c);
bool is_accepted(unsigned count); ///< so many in all
bool all_free(unsigned unused);

/// Connected from this address ("127.0.0.1"), non-blocking.
int client_from(const char *address);
int client(void);           ///< from 127.0.0.1, or ::1 if the server is there
void client_leaves(int fd); ///< at the latest when the test ends
void client_says(int fd, const char *text);
/// Reads what is there; false: the end, or the connection is gone.
bool client_hears(int fd, struct buf *to);
/// Turns until the server has ended this connection; everything it said is in `to`.
void client_hears_all(int fd, struct buf *to);
bool client_is_gone(int fd); ///< the server has closed it; reads nothing
void client_goes(int fd);    ///< the same, as soon as the kernel brings the news

#endif
