// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as a configuration: never a crash; a verdict that is always the same; every fault a
 * line of printable ASCII.
 */
#include "config/config.h"

#include <string.h>

#include "base/assert.h"

static struct config first, second;
static struct config_faults faults, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_faults(enum rc rc)
{
    ASSERT((rc == RC_OK) == (faults.count == 0));
    for (unsigned i = 0; i < faults.count && i < CONFIG_FAULTS_MAX; i++) {
        size_t len = strnlen(faults.text[i], CONFIG_FAULT_BYTES);
        ASSERT(len > 0 && len < CONFIG_FAULT_BYTES);
        for (size_t c = 0; c < len; c++) {
            ASSERT(faults.text[i][c] >= ' ' && faults.text[i][c] <= '~');
        }
    }
}

static void check_good(const struct config *c)
{
    ASSERT(c->sinks_count >= 1 && c->sinks_count <= CONFIG_SINKS_MAX);
    ASSERT(c->cloud >= CLOUD_GLOBAL && c->cloud <= CLOUD_USGOV_L5);
    ASSERT(c->credential == CREDENTIAL_CERTIFICATE || c->credential == CREDENTIAL_SECRET);
    ASSERT(strlen(c->tenant_id) == CONFIG_GUID_BYTES - 1u &&
           strlen(c->client_id) == CONFIG_GUID_BYTES - 1u);
    ASSERT(strncmp(c->authority_url, "https://", 8) == 0 &&
           strncmp(c->graph_url, "https://", 8) == 0);
    ASSERT(c->call_records.retry_base_ms <= c->call_records.retry_cap_ms);
    struct address listen;
    ASSERT(c->permissions < 1u << PERMISSION_USER);
    ASSERT(strncmp(c->redirect_uri, "https://", 8) == 0 ||
           strncmp(c->redirect_uri, "http://localhost", 16) == 0);
    ASSERT(c->status_hosts_count <= CONFIG_HOSTS_MAX);
    if (c->status_listen[0] != '\0') {
        enum rc rc = address_parse_listen(span_from_str(c->status_listen), 1, &listen);
        ASSERT(rc == RC_OK);
        ASSERT(!c->status_plain || address_is_loopback(&listen));
    }
    for (unsigned i = 0; i < c->sinks_count; i++) {
        ASSERT(strncmp(c->sinks[i].url, "https://", 8) == 0 && strlen(c->sinks[i].name) > 0);
        ASSERT(c->sinks[i].batch_events_max >= 1 && c->sinks[i].batch_bytes_max >= 4096);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {.ptr = (const char *)data, .len = size};
    enum rc rc = config_parse(&first, text, &faults);
    check_faults(rc);
    enum rc twice = config_parse(&second, text, &again);
    ASSERT(rc == twice && faults.count == again.count);
    ASSERT(memcmp(&first, &second, sizeof(first)) == 0);
    if (rc == RC_OK) {
        check_good(&first);
    }
    return 0;
}
