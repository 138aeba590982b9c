// SPDX-License-Identifier: Apache-2.0
/*
 * curl's multi interface, driven by sockets and one timer. Each transfer has an easy handle of its
 * own for as long as it runs; connections and names live in the multi handle and are shared.
 *
 * Caveats of curl 8.14 that shaped this file:
 * - A handle with FRESH_CONNECT keeps its old connection while it opens the next, and needs the
 *   memory of two. We never force fresh ones.
 * - What a paused transfer's decoder has already inflated is kept on the heap. A small receive
 *   buffer bounds that: 1 KiB of deflate is at most 1 MiB of zeros.
 * - A transfer that pauses again while it is being resumed reads one more buffer all the same,
 *   unless its other direction is paused too. Without that, a bomb of zeros grows on the heap.
 * - Without QUICK_EXIT, ending a transfer joins its name lookup and blocks until DNS gives up.
 * - What came before the peer has proven who it is could keep it in one call: records that say
 *   nothing, and the body of a proxy's refusal. Both are patched (tools/deps/patches).
 * - Running out of memory inside certificate verification looks like a certificate that is not
 *   trusted. The pool's failures are counted, and decide.
 */
#include "net/http.h"

#include <string.h>

#include <curl/curl.h>

#include "base/assert.h"
#include "base/roots.h"

#include "net/http_state.h"
#include "net/tls.h"
#include "sys/heap.h"

#define RECEIVE_BYTES        1024L
#define SEND_BYTES           16384L
#define CONNECTIONS_IDLE_MAX 8L
#define CONNECTION_IDLE_S    90L // common load balancers forget a silent connection after 100 s
#define CONNECTION_AGE_S     3600L
#define TIMER_ROUNDS_MAX     8u // of work that the library wants done at once, in one turn

_Static_assert(HTTP_RING_BYTES >= CURL_MAX_WRITE_SIZE, "one delivery fits an empty ring");

static const struct {
    CURLoption option;
    long value;
} fixed_options[] = {
    {CURLOPT_NOSIGNAL, 1L},
    {CURLOPT_QUICK_EXIT, 1L},
    {CURLOPT_TCP_NODELAY, 1L},
    {CURLOPT_FOLLOWLOCATION, 0L},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_3},
    {CURLOPT_SSL_VERIFYPEER, 1L},
    {CURLOPT_SSL_VERIFYHOST, 2L},
    {CURLOPT_SSL_SESSIONID_CACHE, 0L},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L},
    {CURLOPT_BUFFERSIZE, RECEIVE_BYTES},
    {CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES},
    {CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_S},
    {CURLOPT_MAXLIFETIME_CONN, CONNECTION_AGE_S},
};

// Empty texts are not "unset": they keep the library from asking the environment for a proxy.
static const struct {
    CURLoption option;
    const char *value;
} fixed_texts[] = {
    {CURLOPT_PROTOCOLS_STR, "https"},
    {CURLOPT_ACCEPT_ENCODING, "gzip"},
    {CURLOPT_USERAGENT, "anteroom"},
    {CURLOPT_NOPROXY, ""},
    {CURLOPT_PROXY, ""},
};

static struct http_transfer *transfer_of(struct http *h, unsigned slot)
{
    ASSERT(h != NULL);
    ASSERT(slot < HTTP_TRANSFERS_MAX);
    return &h->transfers[slot];
}

// ---- Callbacks of the library: copy bytes, set flags -------------------------------------------

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    struct http_transfer *t = context;
    size_t len = one * count;
    if (len > t->body_bytes_max - t->result.body_bytes) {
        t->too_big = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (!http_ring_put(&t->ring, (struct span){.ptr = bytes, .len = len})) {
        t->paused = true;
        t->paused_in_window = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    t->result.body_bytes += len;
    t->news = true;
    return len;
}

static size_t on_header(char *bytes, size_t one, size_t count, void *context)
{
    struct http_transfer *t = context;
    struct span line = {.ptr = bytes, .len = one * count};
    if (!http_answer_line(t, line)) {
        t->too_big = true;
        return CURL_WRITEFUNC_ERROR;
    }
    return line.len;
}

static CURLcode on_tls(CURL *easy, void *config, void *context)
{
    struct tls_validity *unproven = context;
    (void)easy;
    tls_harden(config);
    if (unproven != NULL) {
        tls_defer_not_before(config, unproven);
    }
    return CURLE_OK;
}

// After an error of the library as a whole nothing wakes its transfers again: http_step ends them.
static void act(struct http *h, curl_socket_t fd, int bits)
{
    int running = 0;
    CURLMcode code = curl_multi_socket_action(h->multi, fd, bits, &running);
    if (code != CURLM_OK) {
        h->lost = code;
    }
}

static void on_ready(void *context, int fd, unsigned ready)
{
    struct http *h = context;
    int bits = (ready & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0;
    bits |= (ready & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0;
    act(h, fd, bits);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    struct http *h = context;
    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        loop_unwatch(h->loop, fd);
        return 0;
    }
    unsigned events = (what & CURL_POLL_IN) != 0 ? LOOP_READ : 0u;
    events |= (what & CURL_POLL_OUT) != 0 ? LOOP_WRITE : 0u;
    // Any answer but 0 would end all transfers at once; one that is not watched ends by total_ms.
    rc_ignore(loop_watch(h->loop, fd, events, on_ready, h), "bounded by total_ms");
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct http *h = context;
    (void)multi;
    h->timer_ms = timeout_ms;
    h->timer_asked = true;
    return 0;
}

// ---- Beginning ---------------------------------------------------------------------------------

static bool open_multi(struct http *h)
{
    CURLM *m = curl_multi_init();
    if (m == NULL) {
        return false;
    }
    bool ok = curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK;
    ok = ok && curl_multi_setopt(m, CURLMOPT_SOCKETDATA, h) == CURLM_OK;
    ok = ok && curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK;
    ok = ok && curl_multi_setopt(m, CURLMOPT_TIMERDATA, h) == CURLM_OK;
    ok = ok && curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, CONNECTIONS_IDLE_MAX) == CURLM_OK;
    // Connections that are being closed count too: a peer that never answers cannot pile them up.
    ok = ok &&
         curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_TRANSFERS_MAX) == CURLM_OK;
    if (!ok) {
        (void)curl_multi_cleanup(m);
        return false;
    }
    h->multi = m;
    return true;
}

static void close_multi(struct http *h)
{
    if (h->multi != NULL) {
        CURLMcode code = curl_multi_cleanup(h->multi);
        ASSERT(code == CURLM_OK);
        h->multi = NULL;
    }
    h->timer_asked = false;
    h->timer_at = MONO_NEVER;
    h->lost = CURLM_OK;
    h->unproven = false;
    h->validity = (struct tls_validity){.not_before_ms = 0};
}

RC http_init(struct http *h, struct loop *loop)
{
    ASSERT(h != NULL && loop != NULL);
    h->loop = loop;
    h->multi = NULL;
    h->timer_asked = false;
    h->timer_at = MONO_NEVER;
    h->lost = CURLM_OK;
    h->used = false;
    h->unproven = false;
    h->validity = (struct tls_validity){.not_before_ms = 0};
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        h->transfers[i].state = HTTP_FREE;
        h->transfers[i].news = false;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return RC_RETRY;
    }
    if (!open_multi(h)) {
        curl_global_cleanup();
        return RC_RETRY;
    }
    return RC_OK;
}

void http_reset(struct http *h)
{
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        http_release(h, i);
    }
    close_multi(h); // the next request opens another
}

void http_deinit(struct http *h)
{
    http_reset(h);
    curl_global_cleanup();
}

static const char *scratch_copy(struct http *h, struct span s)
{
    ASSERT(s.len < HTTP_SCRATCH_BYTES);
    memcpy(h->scratch, s.ptr, s.len);
    h->scratch[s.len] = '\0';
    return h->scratch;
}

static bool set_text(struct http *h, CURL *easy, CURLoption option, struct span value)
{
    return curl_easy_setopt(easy, option, scratch_copy(h, value)) == CURLE_OK;
}

static bool set_blob(CURL *easy, CURLoption option, const char *bytes, size_t len, unsigned flags)
{
    // The library never writes through the pointer; its interface only lacks the const.
    struct curl_blob blob = {.data = (void *)(uintptr_t)bytes, .len = len, .flags = flags};
    return curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

static bool set_fixed(CURL *easy, struct http_transfer *t)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof(fixed_options) / sizeof(fixed_options[0]); i++) {
        ok = ok &&
             curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value) == CURLE_OK;
    }
    for (size_t i = 0; i < sizeof(fixed_texts) / sizeof(fixed_texts[0]); i++) {
        ok = ok && curl_easy_setopt(easy, fixed_texts[i].option, fixed_texts[i].value) == CURLE_OK;
    }
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls) == CURLE_OK;
    return ok && curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK;
}

static bool set_trust(struct http *h, CURL *easy, const struct http_request *r)
{
    bool ok =
        r->trust == HTTP_TRUST_ROOTS
            ? set_blob(easy, CURLOPT_CAINFO_BLOB, roots_pem, roots_pem_bytes - 1u, CURL_BLOB_NOCOPY)
            : set_blob(easy, CURLOPT_CAINFO_BLOB, r->ca_pem.ptr, r->ca_pem.len, CURL_BLOB_COPY);
    if (ok && r->client_cert_pem.len > 0) {
        // Mbed TLS reads a PEM key only with the NUL that ends it.
        const char *key = scratch_copy(h, r->client_key_pem);
        ok = set_blob(easy, CURLOPT_SSLKEY_BLOB, key, r->client_key_pem.len + 1u, CURL_BLOB_COPY) &&
             set_blob(easy,
                      CURLOPT_SSLCERT_BLOB,
                      r->client_cert_pem.ptr,
                      r->client_cert_pem.len,
                      CURL_BLOB_COPY);
    }
    return ok;
}

static bool add_line(struct http *h, struct http_transfer *t, struct span line)
{
    struct curl_slist *longer = curl_slist_append(t->lines, scratch_copy(h, line));
    if (longer == NULL) {
        return false;
    }
    t->lines = longer;
    return true;
}

static bool set_lines(struct http *h, struct http_transfer *t, const struct http_request *r)
{
    char text[HTTP_ID_BYTES_MAX + 32u];
    struct buf id = BUF(text);
    buf_put(&id, SPAN("client-request-id: "));
    buf_put_str(&id, t->result.client_request_id);
    // The second removes a header of the library's own: we do not wait for a "100 Continue".
    bool ok = add_line(h, t, buf_span(&id)) && add_line(h, t, SPAN("Expect:"));
    for (unsigned i = 0; ok && i < HTTP_HEADERS_MAX; i++) {
        ok = r->headers[i].len == 0 || add_line(h, t, r->headers[i]);
    }
    return ok && curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines) == CURLE_OK;
}

static bool set_request(struct http *h, struct http_transfer *t, const struct http_request *r)
{
    CURL *easy = t->easy;
    struct tls_validity *unproven = r->time_unproven ? &t->validity : NULL;
    bool ok = curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, unproven) == CURLE_OK;
    ok = ok && set_fixed(easy, t) && set_text(h, easy, CURLOPT_URL, r->url) &&
         set_trust(h, easy, r) && set_lines(h, t, r);
    ok = ok && curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)r->connect_ms) == CURLE_OK;
    ok = ok && (r->proxy.len == 0 || set_text(h, easy, CURLOPT_PROXY, r->proxy));
    if (ok && r->post) {
        const char *body = r->body.len > 0 ? r->body.ptr : "";
        ok = curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len) ==
                 CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK;
    }
    return ok;
}

static void drop_handle(struct http *h, struct http_transfer *t)
{
    if (t->easy != NULL) {
        // Fails only for a handle that was not added yet.
        (void)curl_multi_remove_handle(h->multi, t->easy);
        curl_easy_cleanup(t->easy);
        t->easy = NULL;
    }
    for (struct curl_slist *l = t->lines; l != NULL; l = l->next) {
        bytes_wipe(l->data, strlen(l->data)); // a bearer token is among them
    }
    curl_slist_free_all(t->lines);
    t->lines = NULL;
}

/// The library takes any open connection to the same host whose settings are the same, and our hook
/// into the handshake is none of the settings that it compares. So a connection that was made by
/// the hook is closed before anybody else could get it. Those who ask for the time begin with a
/// handshake of their own, too, but do not disturb each other.
static bool leave_unproven(struct http *h, bool asks_time)
{
    if (!h->unproven) {
        return true;
    }
    if (http_is_running(h)) {
        return asks_time;
    }
    close_multi(h);
    return true;
}

RC http_start(struct http *h, unsigned slot, const struct http_request *request, struct now now)
{
    struct http_transfer *t = transfer_of(h, slot);
    ASSERT(t->state == HTTP_FREE);
    ASSERT(request != NULL);
    if (!leave_unproven(h, request->time_unproven)) {
        return RC_RETRY;
    }
    http_transfer_begin(t, request, now);
    if (!http_request_ok(request)) {
        t->result.fail = HTTP_FAIL_REFUSED;
        t->state = HTTP_DONE;
        t->news = true;
        return RC_OK;
    }
    if (h->multi == NULL && !open_multi(h)) {
        return RC_RETRY;
    }
    h->used = true;
    h->unproven = h->unproven || request->time_unproven;
    t->easy = curl_easy_init();
    bool ok = t->easy != NULL && set_request(h, t, request);
    bytes_wipe(h->scratch, sizeof(h->scratch));
    if (!ok || curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
        drop_handle(h, t);
        return RC_RETRY;
    }
    t->state = HTTP_RUNNING;
    return RC_OK;
}

// ---- Ending ------------------------------------------------------------------------------------

static void finish(struct http *h, struct http_transfer *t, CURLcode code)
{
    ASSERT(t->state == HTTP_RUNNING);
    t->result.fail = http_verdict(t, (int)code);
    h->lookup_failed |= t->result.fail == HTTP_FAIL_RESOLVE || t->result.fail == HTTP_FAIL_TIMEOUT;
    t->result.detail = (int)code;
    t->result.not_before_ms = t->validity.not_before_ms;
    t->result.not_after_ms = t->validity.not_after_ms;
    h->validity = tls_validity_both(h->validity, t->validity);
    rc_ignore(time_parse_retry_after(
                  span_from_str(t->retry_after), h->now.wall, &t->result.retry_after_ms),
              "stays 0 if there was none");
    drop_handle(h, t);
    t->state = HTTP_DONE;
    t->news = true;
}

static void take(struct http_transfer *t, size_t bytes)
{
    if (t->secret_answer || t->result.status >= 400) {
        http_ring_wipe(&t->ring, bytes);
    } else {
        http_ring_take(&t->ring, bytes);
    }
}

void http_release(struct http *h, unsigned slot)
{
    struct http_transfer *t = transfer_of(h, slot);
    if (t->state == HTTP_RUNNING) {
        h->validity = tls_validity_both(h->validity, t->validity);
        drop_handle(h, t);
    }
    t->state = HTTP_FREE;
    t->news = false;
    take(t, t->ring.len);
}

// ---- Running -----------------------------------------------------------------------------------

void http_consume(struct http *h, unsigned slot, size_t bytes)
{
    struct http_transfer *t = transfer_of(h, slot);
    take(t, bytes);
    if (t->state != HTTP_RUNNING || !t->paused ||
        HTTP_RING_BYTES - t->ring.len < CURL_MAX_WRITE_SIZE) {
        return;
    }
    t->paused = false; // the next line may deliver, and pause again
    CURLcode code = curl_easy_pause(t->easy, CURLPAUSE_CONT);
    if (code == CURLE_OK && t->paused) {
        code = curl_easy_pause(t->easy, CURLPAUSE_ALL);
    }
    if (code != CURLE_OK) {
        finish(h, t, code);
    }
}

static int64_t moved_bytes(CURL *easy)
{
    curl_off_t down = 0;
    curl_off_t up = 0;
    long head = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
    (void)curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &head);
    return down + up + head;
}

// Until the request is sent, connect_ms is the bound.
static bool request_sent(CURL *easy)
{
    long bytes = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0;
}

static bool is_stalled(struct http_transfer *t, struct mono now)
{
    if (!mono_due(t->stall_at, now)) {
        return false;
    }
    int64_t moved = moved_bytes(t->easy);
    bool slow = moved - t->moved_bytes < (int64_t)t->stall_ms * HTTP_STALL_BYTES_S / 1000;
    bool stalled = slow && !t->paused_in_window && request_sent(t->easy);
    t->moved_bytes = moved;
    t->paused_in_window = t->paused;
    t->stall_at = mono_after(now, t->stall_ms);
    return stalled;
}

static void arm_timer(struct http *h)
{
    if (h->timer_asked) {
        h->timer_asked = false;
        h->timer_at = h->timer_ms < 0 ? MONO_NEVER : mono_after(h->now.mono, h->timer_ms);
    }
}

static void run_timer(struct http *h)
{
    arm_timer(h);
    for (unsigned i = 0; i < TIMER_ROUNDS_MAX && mono_due(h->timer_at, h->now.mono); i++) {
        h->timer_at = MONO_NEVER;
        act(h, CURL_SOCKET_TIMEOUT, 0);
        arm_timer(h);
    }
}

static void collect(struct http *h)
{
    // A transfer ends once, so there are never more messages than slots.
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        int left = 0;
        struct CURLMsg *message = curl_multi_info_read(h->multi, &left);
        if (message == NULL) {
            return;
        }
        ASSERT(message->msg == CURLMSG_DONE);
        CURLcode code = message->data.result; // the message dies with its handle
        struct http_transfer *t = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        ASSERT(t != NULL);
        finish(h, t, code);
    }
}

static void end_lost(struct http *h)
{
    CURLcode code = h->lost == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR;
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        if (h->transfers[i].state == HTTP_RUNNING) {
            finish(h, &h->transfers[i], code);
        }
    }
    close_multi(h); // the next request opens another
}

struct mono http_step(struct http *h, struct now now)
{
    ASSERT(h != NULL);
    h->now = now;
    if (h->multi != NULL) {
        run_timer(h);
        collect(h);
    }
    if (h->lost != CURLM_OK) {
        end_lost(h);
    }
    struct mono next = h->timer_at;
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        struct http_transfer *t = &h->transfers[i];
        if (t->state == HTTP_RUNNING) {
            if (mono_due(t->total_at, now.mono) || is_stalled(t, now.mono)) {
                finish(h, t, CURLE_OPERATION_TIMEDOUT);
            }
            next = mono_min(next, mono_min(t->total_at, t->stall_at));
        }
        if (t->news) {
            t->news = false;
            next = now.mono; // its owner has something to look at
        }
    }
    return next;
}

void http_idle(struct http *h)
{
    ASSERT(h != NULL);
    if (!h->used) {
        return;
    }
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        if (h->transfers[i].state == HTTP_FREE) {
            http_ring_forget(&h->transfers[i].ring);
        }
    }
    if (!http_is_running(h)) {
        close_multi(h); // the next request opens another
        h->used = false;
    }
}
