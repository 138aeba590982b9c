// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The memory of net/http.h, for whoever owns it (struct app) and for the files of net/ itself.
 * Nobody else looks inside.
 */
#ifndef NET_HTTP_STATE_H
#define NET_HTTP_STATE_H
#include "net/http.h"
#include "net/tls.h"

#define HTTP_RETRY_AFTER_BYTES_MAX 40u           ///< a longer header value is no date and no number
#define HTTP_ANSWER_HEAD_BYTES_MAX (64u * 1024u) ///< all header lines of an answer together
#define HTTP_PROXY_BYTES_MAX       256u
#define HTTP_SCRATCH_BYTES         (HTTP_HEADER_BYTES_MAX + 1u)

/// Body bytes between the library's callback and the reader. Starts at 0 again whenever it is
/// empty, so that small answers touch few pages.
struct http_ring {
    uint32_t head, len;
    char bytes[HTTP_RING_BYTES];
};

struct http_transfer {
    enum http_state state;
    struct http_result result;
    void *easy;  ///< the library's handle while RUNNING
    void *lines; ///< request headers, the library's list
    bool news;   ///< something arrived or ended since http_step last looked
    bool paused, paused_in_window, too_big, secret_answer;
    struct mono total_at, stall_at;
    uint32_t stall_ms;
    int64_t moved_bytes; ///< sent and received when the stall window began
    uint64_t body_bytes_max;
    struct tls_validity validity; ///< of the peer, if time_unproven
    uint64_t pool_failures;       ///< of the process when the transfer began
    uint32_t head_bytes;
    char retry_after[HTTP_RETRY_AFTER_BYTES_MAX];
    struct http_ring ring;
};

struct http {
    struct loop *loop;
    void *multi;
    struct now now;
    int lost;         ///< the library's word for why it lost track of its transfers, or 0
    int64_t timer_ms; ///< what the library asked for; -1: nothing
    bool timer_asked; ///< timer_ms was not yet turned into timer_at
    struct mono timer_at;
    bool used;          ///< since http_idle
    bool lookup_failed; ///< since http_took_lookup_failure
    /// There may be connections whose certificates' dates nobody has judged yet, ...
    bool unproven;
    struct tls_validity validity; ///< ... which are good together when this says so
    struct http_transfer transfers[HTTP_TRANSFERS_MAX];
    char scratch[HTTP_SCRATCH_BYTES]; ///< NUL-terminated copies for the library; wiped after use
};

// Private to net/.

/// Appends all bytes or none (false).
bool http_ring_put(struct http_ring *ring, struct span bytes);
void http_ring_take(struct http_ring *ring, size_t bytes); ///< bytes <= ring->len
void http_ring_wipe(struct http_ring *ring, size_t bytes); ///< the same, and nothing stays behind
/// Give whole pages back to the kernel; the ring is empty.
void http_ring_forget(struct http_ring *ring);

/// Everything but state, news and the library's own: ready to run.
void http_transfer_begin(struct http_transfer *t, const struct http_request *r, struct now now);

bool http_is_running(const struct http *h); ///< any transfer

/// What the library's code for the end of a transfer means (verdict.c).
enum http_fail http_verdict(const struct http_transfer *t, int library_code);

/// Whether a request obeys the rules of net/http.h (request.c).
bool http_request_ok(const struct http_request *r);

/// One header line of an answer, status lines included (answer.c). False: more head than we accept.
bool http_answer_line(struct http_transfer *t, struct span line);

#endif
