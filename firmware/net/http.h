// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * HTTPS requests on the loop. The fence around curl (and, with tls.c, around its use of Mbed TLS).
 * Model:   a fixed table of transfers, one per purpose (the caller owns the numbers). http_start
 *          begins, body bytes arrive in the transfer's ring while the loop runs, a full ring pauses
 *          the peer, http_state says when the answer is complete. Nothing is decided here: status
 *          codes are handed up as they came.
 * Rules:   https only, TLS 1.2 and 1.3, trust anchors by blob (pinned roots or the caller's CA,
 *          never the system's), host name verified, no redirects, HTTP/1.1, gzip answers decoded,
 *          TCP_NODELAY, no proxy but the configured one, every time and size bounded. Name lookup
 *          runs beside the loop and never blocks it.
 * Memory:  library memory from the process pool; running out is HTTP_FAIL_MEMORY, never a crash and
 *          never a wrong verdict.
 * Threads: main thread only.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "loop/loop.h"

#define HTTP_TRANSFERS_MAX    16u
#define HTTP_RING_BYTES       (CONFIG_HTTP_RING_KIB * 1024u)
#define HTTP_URL_BYTES_MAX    4096u
#define HTTP_HEADERS_MAX      12u
#define HTTP_HEADER_BYTES_MAX 5120u ///< one request header line, a bearer token included
#define HTTP_ID_BYTES_MAX     64u

enum http_trust {
    HTTP_TRUST_ROOTS = 1, ///< the pinned roots of base/roots.h
    HTTP_TRUST_CA,        ///< only request.ca_pem
};

struct http_request {
    bool post;       ///< GET otherwise
    struct span url; ///< copied; scheme https, no user info. <= HTTP_URL_BYTES_MAX
    /// "Name: value" without CR/LF, copied; unused ones have len 0.
    struct span headers[HTTP_HEADERS_MAX];
    struct span body; ///< POST only; borrowed until the transfer is DONE or cancelled
    enum http_trust trust;
    struct span ca_pem;                          ///< HTTP_TRUST_CA; copied by the library
    struct span client_cert_pem, client_key_pem; ///< mTLS, both or neither; copied by the library
    struct span proxy;                           ///< "http://host:port" or empty
    uint32_t connect_ms;                         ///< 1000..60000
    uint32_t total_ms;                           ///< whole request; 1000..3600000
    /// Longest time at under HTTP_STALL_BYTES_S while the answer is not paused by us, counted from
    /// when the request is sent; noticed within twice this. >= 1000.
    uint32_t stall_ms;
    uint64_t body_bytes_max; ///< of the decoded answer; more is HTTP_FAIL_TOOBIG
    /// The answer is a secret: it is wiped as it is consumed. So is every answer that refuses
    /// (status 400 and above), which may repeat what it was asked with.
    bool secret_answer;
    /// The wall clock is not proven yet: of the peer's certificates "not yet valid" alone is passed
    /// over, and the result says from when to when they are good. Only for asking the time.
    bool time_unproven;
};

#define HTTP_STALL_BYTES_S 100

enum http_state {
    HTTP_FREE = 0,
    HTTP_RUNNING,
    HTTP_DONE
};

enum http_fail {
    HTTP_OK = 0,        ///< there is an answer; look at status
    HTTP_FAIL_RESOLVE,  ///< the name was not found
    HTTP_FAIL_CONNECT,  ///< no connection (refused, unreachable, proxy)
    HTTP_FAIL_TRUST,    ///< the peer's certificate is not good for this name and these anchors
    HTTP_FAIL_TLS,      ///< the handshake or a record failed otherwise
    HTTP_FAIL_TIMEOUT,  ///< connect, total or stall bound
    HTTP_FAIL_CUT,      ///< the connection ended in the middle of the answer
    HTTP_FAIL_TOOBIG,   ///< body_bytes_max
    HTTP_FAIL_ENCODING, ///< content encoding broken
    HTTP_FAIL_MEMORY,   ///< the pool was exhausted during this transfer
    HTTP_FAIL_REFUSED,  ///< the request breaks a rule above (URL, header, bound)
};

/// What is known once the header has arrived (status != 0), complete when DONE.
struct http_result {
    enum http_fail fail;
    int status;                                ///< HTTP status, or 0
    int detail;                                ///< library code, for the fault ring only
    int64_t retry_after_ms;                    ///< parsed and clamped, or 0
    int64_t date_ms;                           ///< the answer's Date, or 0
    uint64_t body_bytes;                       ///< decoded bytes received
    char request_id[HTTP_ID_BYTES_MAX];        ///< the answer's request-id (Graph), NUL-terminated,
                                               ///< printable ASCII only
    char client_request_id[HTTP_ID_BYTES_MAX]; ///< what we sent
    bool claims_challenge;                     ///< WWW-Authenticate named insufficient_claims
    /// time_unproven: when all certificates of the peer's chain are good together; 0 if there was
    /// no handshake.
    int64_t not_before_ms, not_after_ms;
};

struct http; ///< defined in http_state.h for struct app only; others hold a pointer

/// After crypto_init. The loop is kept. @retval RC_RETRY pool too small
RC http_init(struct http *h, struct loop *loop);
void http_deinit(struct http *h);

/**
 * Start a transfer; the slot must be HTTP_FREE.
 * A client-request-id header with a fresh GUID is added to every request.
 * @retval RC_OK     running (a refused request is reported as DONE with HTTP_FAIL_REFUSED).
 * @retval RC_RETRY  the pool has no room now.
 */
RC http_start(struct http *h, unsigned slot, const struct http_request *request, struct now now);
enum http_state http_state(const struct http *h, unsigned slot);
const struct http_result *http_result(const struct http *h, unsigned slot);
/// Counts what moved in the transfer, either way, for whoever watches for a standstill: only
/// compared. While the peer is not stalled it changes at least every stall_ms.
uint64_t http_progress(const struct http *h, unsigned slot);
/// WAITING for its next timer while transfers run, IDLE otherwise.
struct activity http_activity(const struct http *h);
/// Contiguous bytes of the body that wait in the ring (may be fewer than there are in all); empty
/// if none.
struct span http_body(const struct http *h, unsigned slot);
/// Frees ring space; a paused peer goes on. bytes: no more than wait in the ring.
void http_consume(struct http *h, unsigned slot, size_t bytes);
/// Back to FREE, from any state; the rest of the body is thrown away (a running transfer is ended).
/// Keeps the connection if it can.
void http_release(struct http *h, unsigned slot);
/**
 * The time is proven now. Connections that time_unproven transfers made may carry other requests
 * if their certificates are good at wall_ms. Before this, and if one of them is not, such
 * connections are closed before any other request starts (http_start then answers RC_RETRY while
 * one of them is in use).
 */
void http_prove(struct http *h, int64_t wall_ms);
/**
 * Drive timers and end what is over. Called once per turn, after everything that starts, consumes
 * or releases: what those ask for becomes part of the sleep only here.
 * @return when it wants to run next; `now` itself if a transfer has news for its owner.
 */
struct mono http_step(struct http *h, struct now now);
/// End everything and forget all connections: every slot is free afterwards.
void http_reset(struct http *h);
/// Close idle connections and give memory back (nothing to do for a while).
void http_idle(struct http *h);

/// Whether a name was not found, or something timed out (so does a lookup), since the last call.
bool http_took_lookup_failure(struct http *h);

const char *http_fail_name(enum http_fail f); ///< stable, lower case: "resolve", "trust", ...
/// Plain sentence: what happened and what a person can do.
const char *http_fail_text(enum http_fail f);

#endif
