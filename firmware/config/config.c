// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The walk: section after section, key after key, and at last what concerns several keys at once.
 * It goes on after a fault, so that a person sees all of them.
 */
#include "config/config.h"

#include <string.h>

#include "base/assert.h"

#include "config_reading.h"

#define TOKENS_MAX 1024u ///< keys and values; a full configuration with all sinks has about 250

const char *config_cloud_authority(enum config_cloud cloud)
{
    switch (cloud) {
    case CLOUD_GLOBAL:
        return "https://login.microsoftonline.com";
    case CLOUD_USGOV_L4:
    case CLOUD_USGOV_L5:
        return "https://login.microsoftonline.us";
    default:
        return NULL;
    }
}

const char *config_cloud_graph(enum config_cloud cloud)
{
    switch (cloud) {
    case CLOUD_GLOBAL:
        return "https://graph.microsoft.com";
    case CLOUD_USGOV_L4:
        return "https://graph.microsoft.us";
    case CLOUD_USGOV_L5:
        return "https://dod-graph.microsoft.us";
    default:
        return NULL;
    }
}

// ---- one section ------------------------------------------------------------

static const struct config_key *find_key(const struct config_section *section, struct span name)
{
    for (unsigned i = 0; i < section->keys_count; i++) {
        if (span_equal(span_from_str(section->keys[i].name), name)) {
            return &section->keys[i];
        }
    }
    return NULL;
}

static void
read_key(struct reading *r, const struct config_section *section, int node, uint32_t *seen)
{
    char text[64]; // longer than any known key; an unknown one is shown as it stands
    struct buf decoded = BUF(text);
    bool short_enough = json_string(r->doc, node, &decoded) == RC_OK;
    struct span name = short_enough ? buf_span(&decoded) : json_raw(r->doc, node);
    const struct config_key *key = find_key(section, name);
    if (key == NULL) {
        config_fault_unknown(r, section, name);
        return;
    }
    uint32_t bit = 1u << (unsigned)(key - section->keys);
    if ((*seen & bit) != 0) {
        config_fault(r, name, "is given twice", "");
        return;
    }
    *seen |= bit;
    config_read_value(r, key, json_value(r->doc, node));
}

static void want_required(struct reading *r, const struct config_section *section, uint32_t seen)
{
    for (unsigned i = 0; i < section->keys_count; i++) {
        const struct config_key *key = &section->keys[i];
        // A section that is missing is told by its own required keys.
        if (key->required && key->kind != KEY_SECTION && (seen & (1u << i)) == 0) {
            config_fault_key(r, key, "is missing");
        }
    }
}

/// Two keys of a section with low <= high; asked only if both are good by themselves.
static void want_order(
    struct reading *r, const char *low, uint32_t low_value, uint32_t high_value, const char *high)
{
    if (low_value > high_value) {
        config_fault(r, span_from_str(low), "is too large", high);
    }
}

/// Whoever can listen on the way reads what is shown, and the setup code when a person types it.
static void check_plain(struct reading *r)
{
    const struct config *c = r->config;
    struct address listen, trusted;
    if (!c->status_plain || c->status_listen[0] == '\0') {
        return;
    }
    enum rc rc = address_parse_listen(span_from_str(c->status_listen), CONFIG_STATUS_PORT, &listen);
    ASSERT(rc == RC_OK);
    if (address_is_loopback(&listen) ||
        (address_parse(span_from_str(CONFIG_STATUS_TRUSTED_ADDRESS), 1, &trusted) == RC_OK &&
         address_same_host(&listen, &trusted))) {
        return;
    }
    config_fault(r,
                 SPAN("plain"),
                 "others on the network could read along at this address",
                 CONFIG_STATUS_TRUSTED_ADDRESS[0] == '\0'
                     ? "false, or a listen on 127.0.0.1 or [::1]"
                     : "false, or a listen on 127.0.0.1, [::1] or " CONFIG_STATUS_TRUSTED_ADDRESS);
}

static void check_together(struct reading *r, enum section_index index)
{
    const struct config_call_records *calls = &r->config->call_records;
    if (index == SECTION_CALL_RECORDS) {
        want_order(r, "hot_hours", calls->hot_hours, calls->warm_hours, "at most warm_hours");
        want_order(
            r, "retry_base_ms", calls->retry_base_ms, calls->retry_cap_ms, "at most retry_cap_ms");
    } else if (index == SECTION_STATUS) {
        check_plain(r);
    } else if (index == SECTION_SINK) {
        const struct config_sink *sink = (const struct config_sink *)(const void *)r->base;
        want_order(
            r, "retry_base_ms", sink->retry_base_ms, sink->retry_cap_ms, "at most retry_cap_ms");
    }
}

/// @param node  the section's object, or JSON_NONE: then its defaults are put and its required keys
/// are missed.
static void read_section(struct reading *r, enum section_index index, int node)
{
    const struct config_section *section = &config_sections[index];
    ASSERT(section->keys_count <= SECTION_KEYS_MAX);
    for (unsigned i = 0; i < section->keys_count; i++) {
        config_set_default(&section->keys[i], r->base);
    }
    unsigned before = r->faults->count;
    uint32_t seen = 0;
    for (int key = json_is_object(r->doc, node) ? json_first(r->doc, node) : JSON_NONE;
         key != JSON_NONE;
         key = json_next(r->doc, key)) { // ends with the object
        read_key(r, section, key, &seen);
    }
    want_required(r, section, seen);
    if (r->faults->count == before) {
        check_together(r, index);
    }
}

// ---- sinks ------------------------------------------------------------------

/// Names that hold what no sink may get.
static bool is_reserved(const char *secret)
{
    static const char *const reserved[] = {
        "client-secret", "device-certificate", "tls-key", "tls-certificate"};
    for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcmp(secret, reserved[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void check_sink(struct reading *r, unsigned index)
{
    const struct config_sink *sinks = r->config->sinks;
    if (is_reserved(sinks[index].authorization)) {
        config_fault(r,
                     SPAN("authorization"),
                     "is the name of a credential of the box itself",
                     "another name");
    }
    for (unsigned i = 0; i < index; i++) {
        if (sinks[index].name[0] != '\0' && strcmp(sinks[i].name, sinks[index].name) == 0) {
            config_fault(r, SPAN("name"), "is the name of an earlier sink", "names that differ");
        }
    }
}

static void read_sink(struct reading *r, unsigned index, int node)
{
    struct buf path = BUF(r->section);
    buf_put_str(&path, "sinks[");
    buf_put_u64(&path, index);
    buf_put_char(&path, ']');
    bool fits = buf_terminate(&path);
    ASSERT(fits);
    if (!json_is_object(r->doc, node)) {
        config_fault(r, SPAN_NONE, "is no object", "an object");
        return;
    }
    r->base = (char *)&r->config->sinks[index];
    read_section(r, SECTION_SINK, node);
    check_sink(r, index);
}

static void read_sinks(struct reading *r, int list)
{
    if (!json_is_array(r->doc, list)) {
        return; // said already
    }
    struct config *c = r->config;
    int node = json_first(r->doc, list);
    for (; node != JSON_NONE && c->sinks_count < CONFIG_SINKS_MAX; node = json_next(r->doc, node)) {
        read_sink(r, c->sinks_count, node);
        c->sinks_count++;
    }
    r->section[0] = '\0';
    const struct config_key *key = find_key(&config_sections[SECTION_TOP], SPAN("sinks"));
    ASSERT(key != NULL);
    if (c->sinks_count == 0) {
        config_fault_key(r, key, "is empty");
    } else if (node != JSON_NONE) {
        config_fault_key(r, key, "is too long");
    }
}

// ---- all of it --------------------------------------------------------------

static void use_cloud_hosts(struct config *c)
{
    if (c->cloud == CLOUD_ILLEGAL) {
        return;
    }
    struct buf authority = BUF(c->authority_url), graph = BUF(c->graph_url);
    if (c->authority_url[0] == '\0') {
        buf_put_str(&authority, config_cloud_authority(c->cloud));
    }
    if (c->graph_url[0] == '\0') {
        buf_put_str(&graph, config_cloud_graph(c->cloud));
    }
}

static void set_section_path(struct reading *r, enum section_index index)
{
    struct buf path = BUF(r->section);
    buf_put_str(&path, config_sections[index].path);
    bool fits = buf_terminate(&path);
    ASSERT(fits);
}

static void read_all(struct reading *r)
{
    int nodes[SECTION_COUNT] = {[SECTION_TOP] = 0};
    for (unsigned i = 0; i < SECTION_SINK; i++) { // a parent stands before its sections
        const struct config_section *section = &config_sections[i];
        if (section->parent >= 0) {
            nodes[i] = json_get(r->doc, nodes[section->parent], span_from_str(section->name));
        }
        set_section_path(r, (enum section_index)i);
        r->base = (char *)r->config;
        if (i == SECTION_SANDBOX && !CONFIG_BOARD_SANDBOX && nodes[i] != JSON_NONE) {
            config_fault(r,
                         SPAN_NONE,
                         "is refused by this board (" CONFIG_BOARD_NAME
                         "); only the board sandbox has it",
                         "");
            continue;
        }
        read_section(r, (enum section_index)i, nodes[i]);
    }
    r->config->call_records_on = json_is_object(r->doc, nodes[SECTION_CALL_RECORDS]);
    if (r->config->call_records_on) {
        r->config->permissions |= 1u << PERMISSION_CALL_RECORDS;
    }
    read_sinks(r, json_get(r->doc, 0, SPAN("sinks")));
    use_cloud_hosts(r->config);
}

void config_none(struct config *c)
{
    memset(c, 0, sizeof(*c));
    for (unsigned i = 0; i < SECTION_SINK; i++) {
        const struct config_section *section = &config_sections[i];
        for (unsigned k = 0; k < section->keys_count; k++) {
            config_set_default(&section->keys[k], (char *)c);
        }
    }
    struct buf listen = BUF(c->status_listen);
    buf_put_str(&listen, CONFIG_STATUS_LISTEN_UNCONFIGURED);
    bool fits = buf_terminate(&listen);
    ASSERT(fits); // the board's
    c->credential = CREDENTIAL_CERTIFICATE;
}

bool config_is_there(const struct config *c)
{
    return c->tenant_id[0] != '\0';
}

static size_t find_bad_byte(struct span text)
{
    struct json_scan scan;
    size_t used = 0;
    json_scan_init(&scan);
    return json_scan_push(&scan, text, &used) == RC_OK ? text.len : used;
}

bool config_is_part(struct span text)
{
    struct json_scan scan;
    size_t used = 0;
    json_scan_init(&scan);
    return json_scan_push(&scan, text, &used) == RC_OK && json_scan_end(&scan) != RC_OK;
}

RC config_parse(struct config *c, struct span text, struct config_faults *faults)
{
    struct json_token tokens[TOKENS_MAX];
    struct json doc;
    memset(c, 0, sizeof(*c));
    faults->count = 0;
    struct reading r = {.config = c, .doc = &doc, .faults = faults, .base = (char *)c};
    if (text.len > CONFIG_TEXT_BYTES_MAX) {
        config_fault(&r, SPAN_NONE, "is longer than 64 KiB", "");
        return RC_TOOBIG;
    }
    enum rc rc = json_parse(&doc, text, tokens, TOKENS_MAX);
    if (rc == RC_TOOBIG) {
        config_fault(&r, SPAN_NONE, "has more than 1024 keys and values", "");
    } else if (rc != RC_OK) {
        config_fault_text(faults, text, find_bad_byte(text));
    } else if (!json_is_object(&doc, 0)) {
        config_fault(&r, SPAN_NONE, "is no object", "an object");
    } else {
        read_all(&r);
    }
    return faults->count == 0 ? RC_OK : RC_PARSE;
}
