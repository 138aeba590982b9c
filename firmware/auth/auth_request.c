// SPDX-License-Identifier: Apache-2.0
#include "auth_request.h"

#include "base/assert.h"

RC auth_request_build(struct auth *a, int64_t wall_ms)
{
    const struct config *c = a->config;
    struct buf url = BUF(a->url);
    auth_proof_token_url(c, &url);
    ASSERT(buf_ok(&url));
    a->url_len = url.len;
    struct buf form = BUF(a->body);
    buf_put_str(&form, "grant_type=client_credentials&client_id=");
    buf_put_urlencoded(&form, span_from_str(c->client_id));
    buf_put_str(&form, "&scope=");
    buf_put_urlencoded(&form, span_from_str(c->graph_url));
    buf_put_str(&form, "%2F.default");
    const struct auth_proof proof = {
        .config = c,
        .store = a->store,
        .token_url = buf_span(&url),
        .record = credential_record(c->credential, a->asking),
    };
    enum rc rc = auth_proof_put(&proof, wall_ms, &form, &a->certificate_expired);
    a->body_len = form.len;
    if (rc != RC_OK) {
        auth_request_wipe(a);
        return rc;
    }
    ASSERT(buf_ok(&form));
    return RC_OK;
}

void auth_request_wipe(struct auth *a)
{
    bytes_wipe(a->body, a->body_len);
    a->body_len = 0;
}
