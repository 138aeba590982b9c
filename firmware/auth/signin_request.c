// SPDX-License-Identifier: Apache-2.0
#include "signin_request.h"

#include "base/assert.h"

#include "auth/auth_proof.h"
#include "auth/credential.h"
#include "auth/life_kept.h"
#include "sys/pages.h"

#define TOTAL_MS_MAX 60000

static void put_value(struct buf *form, const char *before, struct span value)
{
    buf_put_str(form, before);
    buf_put_urlencoded(form, value);
}

static RC put_refresh(struct signin *s, struct buf *form)
{
    char bytes[SIGNIN_REFRESH_BYTES_MAX];
    struct buf token = BUF(bytes);
    int64_t at_ms;
    enum rc rc =
        signin_recall(s->store, SIGNIN_REFRESH_NAME, life_subject(s->config), &at_ms, &token);
    if (rc == RC_OK) {
        put_value(form, "&grant_type=refresh_token&refresh_token=", buf_span(&token));
    }
    buf_wipe(&token);
    return rc == RC_OK || rc == RC_NOTFOUND || rc == RC_RETRY ? rc : RC_CORRUPT;
}

static RC put_grant(struct signin *s, struct buf *form)
{
    switch (s->ask) {
    case SIGNIN_ASK_CODE:
        put_value(form, "&grant_type=authorization_code&code=", span_from_str(s->code));
        put_value(form, "&redirect_uri=", span_from_str(s->config->redirect_uri));
        put_value(form, "&code_verifier=", span_from_str(s->verifier));
        return RC_OK;
    case SIGNIN_ASK_DEVICE:
        put_value(form,
                  "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=",
                  span_from_str(s->code));
        return RC_OK;
    case SIGNIN_ASK_REFRESH:
        return put_refresh(s, form);
    default: // a device code needs no more
        return RC_OK;
    }
}

/// The box's credential. Without one, Entra says whether it wants one.
static RC put_proof(struct signin *s, struct span token_url, int64_t wall_ms, struct buf *form)
{
    const struct auth_proof proof = {
        .config = s->config,
        .store = s->store,
        .token_url = token_url,
        .record = credential_record(s->config->credential, CREDENTIAL_NOW),
    };
    bool expired;
    enum rc rc = auth_proof_put(&proof, wall_ms, form, &expired);
    s->proved = rc == RC_OK;
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

static RC build_form(struct signin *s, int64_t wall_ms)
{
    struct buf url = BUF(s->url), form = BUF(s->body);
    auth_proof_token_url(s->config, &url);
    s->proved = false;
    put_value(&form, "client_id=", span_from_str(s->config->client_id));
    buf_put_str(&form, "&scope=");
    consent_put_scope(s->config, &form);
    enum rc rc = put_grant(s, &form);
    if (rc == RC_OK && s->ask != SIGNIN_ASK_DEVICE_BEGIN && !s->public_client) {
        rc = put_proof(s, buf_span(&url), wall_ms, &form);
    }
    if (s->ask == SIGNIN_ASK_DEVICE_BEGIN) {
        static const struct span last = {.ptr = "token", .len = 5};
        url.len -= last.len;
        buf_put_str(&url, "devicecode");
    }
    ASSERT(buf_ok(&url) && buf_ok(&form));
    s->url_len = url.len;
    s->body_len = form.len;
    return rc;
}

RC signin_request_build(struct signin *s, int64_t wall_ms)
{
    if (s->ask == SIGNIN_ASK_ME) {
        struct buf url = BUF(s->url);
        buf_put_str(&url, s->config->graph_url);
        buf_put_str(&url, "/v1.0/me?$select=displayName,userPrincipalName,id");
        ASSERT(buf_ok(&url));
        s->url_len = url.len;
        s->body_len = 0;
        return RC_OK;
    }
    enum rc rc = build_form(s, wall_ms);
    if (rc != RC_OK) {
        signin_request_wipe(s);
    }
    return rc;
}

RC signin_request_start(struct signin *s, struct now now)
{
    const struct config *c = s->config;
    bool me = s->ask == SIGNIN_ASK_ME;
    struct http_request request = {
        .post = !me,
        .url = {.ptr = s->url, .len = s->url_len},
        .headers = {SPAN("Accept: application/json"),
                    me ? (struct span){.ptr = s->bearer, .len = s->bearer_len}
                       : SPAN("Content-Type: application/x-www-form-urlencoded")},
        .body = {.ptr = s->body, .len = s->body_len},
        .trust = s->ca_pem.len > 0 ? HTTP_TRUST_CA : HTTP_TRUST_ROOTS,
        .ca_pem = s->ca_pem,
        .proxy = span_from_str(c->proxy),
        .connect_ms = c->connect_ms,
        .total_ms = c->total_ms < TOTAL_MS_MAX ? c->total_ms : TOTAL_MS_MAX,
        .stall_ms = c->stall_ms,
        .body_bytes_max = AUTH_ANSWER_BYTES_MAX,
        .secret_answer = true,
    };
    return http_start(s->http, s->slot, &request, now);
}

void signin_request_wipe(struct signin *s)
{
    bytes_wipe(s->body, s->body_len);
    bytes_wipe(s->answer, s->answer_len);
    s->body_len = 0;
    s->answer_len = 0;
    (void)pages_drop(s->body, sizeof(s->body)); // only saves memory
    (void)pages_drop(s->answer, sizeof(s->answer));
}
