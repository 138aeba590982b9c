// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One GET of a JSON answer from Graph, taken apart while it arrives: elements of chosen arrays one
 * by one, then the rest. The answer's failure is put into one of the classes that callers act on;
 * nothing is decided here.
 */
#ifndef GRAPH_FETCH_H
#define GRAPH_FETCH_H
#include "config/config.h"
#include "graph/graph.h"
#include "graph/record.h"
#include "json/json.h"
#include "net/http.h"

#define FETCH_ELEMENT_BYTES (CONFIG_JSON_ELEMENT_KIB * 1024u)
#define FETCH_REST_BYTES    (64u * 1024u)
/// No answer is longer than this: 1,000 sessions at the largest element would be 250 MiB, on 17
/// pages.
#define FETCH_BODY_BYTES_MAX (64ull * 1024u * 1024u)

enum fetch_got {
    FETCH_WAIT,    ///< nothing now
    FETCH_ELEMENT, ///< an element stands in fetch_element(), until fetch_taken()
    FETCH_TOOBIG,  ///< an element was longer than the buffer; fetch_taken() goes on behind it
    FETCH_END,     ///< the rest stands in fetch_rest(); the transfer is free again
    FETCH_FAILED,  ///< see fail; the transfer is free again
};

enum fetch_fail {
    FETCH_FAIL_NONE = 0,
    FETCH_FAIL_NETWORK,      ///< no complete answer
    FETCH_FAIL_THROTTLED,    ///< 429, 503, 509
    FETCH_FAIL_UNAUTHORIZED, ///< 401
    FETCH_FAIL_FORBIDDEN,    ///< 402, 403
    FETCH_FAIL_NOTFOUND,     ///< 404, 410
    FETCH_FAIL_SERVER,       ///< other 5xx
    FETCH_FAIL_REFUSED,      ///< other 4xx, redirects: this request is not answered, however often
    FETCH_FAIL_NONSENSE,     ///< 200 without the JSON it should be
};

struct fetch {
    unsigned slot;
    bool active;
    bool holds; ///< an element (or the news of one too big) waits for fetch_taken()
    enum fetch_got held;
    struct json_cut cut;
    enum fetch_fail fail;
    int status;
    uint64_t bytes_taken;   ///< of all bodies so far
    uint32_t generation;    ///< of the token that it was asked with
    int64_t retry_after_ms; ///< 0: none
    char url[LINK_BYTES_MAX + 1];
    size_t url_len;
    char element_bytes[FETCH_ELEMENT_BYTES];
    char rest_bytes[FETCH_REST_BYTES];
};

/// What all requests have in common.
struct fetch_settings {
    struct http *http;
    const struct config *config;
    struct span ca_pem;
};

void fetch_init(struct fetch *f, unsigned slot);
/// Begin building the URL: <graph_url>/v1.0/communications/callRecords + what follows.
void fetch_url(struct fetch *f, const struct config *config, struct span id, struct span tail);
void fetch_url_link(struct fetch *f, struct span checked_link);
/// Start f->url. @retval RC_RETRY no memory for a transfer now.
RC fetch_start(struct fetch *f,
               const struct fetch_settings *s,
               struct graph_token token,
               struct span array,
               struct now now);
/// Advance; `where` is the fault ring's literal.
enum fetch_got
fetch_next(struct fetch *f, const struct fetch_settings *s, const char *where, struct now now);
void fetch_taken(struct fetch *f);
struct span fetch_element(const struct fetch *f);
struct span fetch_rest(const struct fetch *f);
void fetch_cancel(struct fetch *f, const struct fetch_settings *s);
const char *fetch_fail_name(enum fetch_fail fail); ///< for log lines
/// Answer -> class. Pure.
enum fetch_fail fetch_classify(enum http_fail fail, int status);

#endif
