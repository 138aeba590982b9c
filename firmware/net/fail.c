// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include "net/http.h"

struct words {
    const char *name, *text;
};

static const struct words words[] = {
    [HTTP_OK] = {"ok", "The server answered."},
    [HTTP_FAIL_RESOLVE] = {"resolve",
                           "The server's name was not found: check the name, the network cable and "
                           "the DNS server of this network."},
    [HTTP_FAIL_CONNECT] = {"connect",
                           "No connection to the server or to the proxy: check the address, the "
                           "firewall and the proxy setting."},
    [HTTP_FAIL_TRUST] = {"trust",
                         "The server's certificate is not good for its name, for this date or for "
                         "the trusted authorities: check the clock, the address and the configured "
                         "CA, and whether a device on the way inspects encrypted traffic."},
    [HTTP_FAIL_TLS] = {"tls",
                       "The encrypted connection failed: the server must speak TLS 1.2 or 1.3, and "
                       "accept the client certificate if one is configured."},
    [HTTP_FAIL_TIMEOUT] =
        {"timeout", "The server was too slow or the way to it is blocked: it is tried again."},
    [HTTP_FAIL_CUT] = {"cut",
                       "The connection ended in the middle of the answer: it is tried again."},
    [HTTP_FAIL_TOOBIG] = {"too_big", "The answer is larger than this program accepts."},
    [HTTP_FAIL_ENCODING] = {"encoding", "The answer's compression is broken."},
    [HTTP_FAIL_MEMORY] = {"memory",
                          "The memory reserved for connections was used up: it is tried again, one "
                          "thing at a time."},
    [HTTP_FAIL_REFUSED] = {"refused",
                           "The request breaks a rule of this program and was not sent: only https "
                           "addresses without user names are allowed."},
};

static const struct words *words_of(enum http_fail f)
{
    ASSERT((unsigned)f < sizeof(words) / sizeof(words[0]));
    return &words[f];
}

const char *http_fail_name(enum http_fail f)
{
    return words_of(f)->name;
}

const char *http_fail_text(enum http_fail f)
{
    return words_of(f)->text;
}
