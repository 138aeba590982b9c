// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A scripted net/http.h for unit tests: link it instead of the net module.
 * Model:  one fake at a time (http_fake_init makes it the current one). Answers are queued per
 *         slot, or made by a function; every request is recorded. A request without an answer keeps
 *         running until one is queued. Time moves only in http_step: one call brings the header and
 *         the next piece of the body, so a test sees each stage.
 * Checks: the rules of net/http.h that a caller can break (slot free, https, header lengths, no CR
 *         or LF) are asserted.
 */
#ifndef TESTS_SUPPORT_HTTP_FAKE_H
#define TESTS_SUPPORT_HTTP_FAKE_H
#include "net/http.h"

#define HTTP_FAKE_ANSWERS_MAX 64u
#define HTTP_FAKE_HISTORY_MAX 512u
#define HTTP_FAKE_BODY_BYTES  (256u * 1024u) ///< recorded of a request; body_bytes has all

struct http_fake_answer {
    enum http_fail fail; ///< HTTP_OK: there is an answer
    int status;          ///< 0 with a fail that comes before the header
    struct span body;    ///< borrowed until the slot is released
    size_t piece_bytes;  ///< most that one http_step brings and one http_body shows; 0 = all that
                         ///< the ring holds
    int64_t retry_after_ms;
    int64_t date_ms;
    const char *request_id; ///< or NULL
    bool claims_challenge;
    int64_t not_before_ms, not_after_ms;
};

struct http_fake_request {
    struct http_request asked; ///< as passed; its spans are not valid later, the copies below are
    char url[HTTP_URL_BYTES_MAX + 1u]; ///< NUL-terminated
    char headers[HTTP_HEADERS_MAX][HTTP_HEADER_BYTES_MAX + 1u];
    char body[HTTP_FAKE_BODY_BYTES];
    size_t body_bytes;
    struct now when;
};

/// Makes an answer for a request. False: none yet (it keeps running).
typedef bool http_fake_respond(void *context,
                               unsigned slot,
                               const struct http_fake_request *request,
                               struct http_fake_answer *answer);

struct http_fake_slot {
    enum http_state state;
    struct http_result result;
    struct http_fake_request request; ///< the last one
    unsigned requests;                ///< started on this slot so far
    struct http_fake_answer answer;
    bool answered;
    size_t shown, taken; ///< of the answer's body: arrived, consumed
    uint64_t moved;      ///< on the wire beside that: set by tests
    struct http_fake_answer queue[HTTP_FAKE_ANSWERS_MAX];
    unsigned queue_head, queue_count;
};

struct http_fake {
    struct http_fake_slot slots[HTTP_TRANSFERS_MAX];
    http_fake_respond *respond;
    void *respond_context;
    unsigned start_retries; ///< that many next http_start calls answer RC_RETRY (no memory)
    unsigned requests;      ///< started in all
    int64_t proven_ms;      ///< of the latest http_prove, or 0

    struct {
        unsigned slot;
        char url[512]; ///< cut
        struct now when;
    } history[HTTP_FAKE_HISTORY_MAX]; ///< the first ones
};

void http_fake_init(struct http_fake *f); ///< zeroes it and makes it the current one
struct http *http_fake_handle(void);      ///< what to pass as struct http *

/// Queue an answer for the next (or the running, not yet answered) request of a slot.
void http_fake_queue(struct http_fake *f, unsigned slot, const struct http_fake_answer *answer);
/// Short forms.
void http_fake_queue_body(struct http_fake *f, unsigned slot, int status, const char *body);
void http_fake_queue_fail(struct http_fake *f, unsigned slot, enum http_fail fail);
/// Ask this function when a slot's queue is empty.
void http_fake_respond_with(struct http_fake *f, http_fake_respond *respond, void *context);

const struct http_fake_request *http_fake_request(const struct http_fake *f,
                                                  unsigned slot); ///< last of the slot
/// Value of a request header of the last request ("" if there is none), name without case.
const char *http_fake_header(const struct http_fake *f, unsigned slot, const char *name);
/// True if the recorded body of the last request holds the text.
bool http_fake_body_has(const struct http_fake *f, unsigned slot, const char *text);

#endif
