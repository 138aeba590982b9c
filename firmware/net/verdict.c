// SPDX-License-Identifier: Apache-2.0
/*
 * What the library's word for the end of a transfer means to us.
 */
#include <curl/curl.h>

#include "net/http_state.h"
#include "sys/heap.h"

static const struct {
    CURLcode code;
    enum http_fail fail;
} verdicts[] = {
    {CURLE_OK, HTTP_OK},
    {CURLE_URL_MALFORMAT, HTTP_FAIL_REFUSED},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_FAIL_RESOLVE},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_FAIL_CONNECT},
    {CURLE_COULDNT_CONNECT, HTTP_FAIL_CONNECT},
    {CURLE_PROXY, HTTP_FAIL_CONNECT},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_FAIL_TRUST},
    {CURLE_SSL_CONNECT_ERROR, HTTP_FAIL_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_FAIL_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_FAIL_TLS},
    {CURLE_SSL_CIPHER, HTTP_FAIL_TLS},
    {CURLE_OPERATION_TIMEDOUT, HTTP_FAIL_TIMEOUT},
    {CURLE_BAD_CONTENT_ENCODING, HTTP_FAIL_ENCODING},
    {CURLE_TOO_LARGE, HTTP_FAIL_TOOBIG},
    {CURLE_OUT_OF_MEMORY, HTTP_FAIL_MEMORY},
};

static bool proxy_refused(CURL *easy)
{
    long code = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &code);
    return code != 0 && code / 100 != 2;
}

enum http_fail http_verdict(const struct http_transfer *t, int library_code)
{
    CURLcode code = (CURLcode)library_code;
    if (t->too_big) {
        return HTTP_FAIL_TOOBIG;
    }
    if (code != CURLE_OK && heap_stats().failures != t->pool_failures) {
        return HTTP_FAIL_MEMORY;
    }
    if (code != CURLE_OK && proxy_refused(t->easy)) {
        return HTTP_FAIL_CONNECT;
    }
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (verdicts[i].code == code) {
            return verdicts[i].fail;
        }
    }
    return HTTP_FAIL_CUT; // whatever else the peer did, there is no whole answer
}
