// SPDX-License-Identifier: Apache-2.0
#include "config_keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct choice clouds[] = {
    {"global", CLOUD_GLOBAL},
    {"usgov_l4", CLOUD_USGOV_L4},
    {"usgov_l5", CLOUD_USGOV_L5},
};
static const struct choice credentials[] = {
    {"certificate", CREDENTIAL_CERTIFICATE},
    {"secret", CREDENTIAL_SECRET},
};
static const struct choice depths[] = {
    {"records", DEPTH_RECORDS},
    {"sessions", DEPTH_SESSIONS},
};
static const struct choice sink_types[] = {{"ndjson", 0}};
static const struct choice client_certificates[] = {{"device", 0}};
static const struct choice permissions[] = {
    {"CallRecords.Read.All", PERMISSION_CALL_RECORDS},
    {"User.Read.All", PERMISSION_USERS},
    {"TeamworkDevice.Read.All", PERMISSION_DEVICES},
};

// clang-format off
#define TOP(member)    offsetof(struct config, member)
#define CALLS(member)  offsetof(struct config, call_records.member)
#define SINK(member)   offsetof(struct config_sink, member)
#define CHOICES(list)  .choices = (list), .choices_count = COUNT(list)
#define RANGE(from, to, otherwise) .low = (from), .high = (to), .normal = (otherwise)

static const struct config_key top[] = {
    { "infrastructure", KEY_SECTION, .required = true,
      .meaning = "what this box serves" },
    { "cloud", KEY_ENUM, .offset = TOP(cloud), CHOICES(clouds), .normal = CLOUD_GLOBAL,
      .meaning = "Microsoft cloud of the tenant" },
    { "tenant_id", KEY_GUID, .required = true, .offset = TOP(tenant_id),
      .meaning = "directory (tenant) ID" },
    { "client_id", KEY_GUID, .required = true, .offset = TOP(client_id),
      .meaning = "application (client) ID" },
    { "credential", KEY_ENUM, .required = true, .offset = TOP(credential), CHOICES(credentials),
      .meaning = "what the box signs in with: its own certificate, or the secret client-secret" },
    { "sources", KEY_SECTION,
      .meaning = "what is collected" },
    { "permissions", KEY_PERMISSIONS, .offset = TOP(permissions), CHOICES(permissions),
      .meaning = "application permissions that are asked for besides those that the sources need" },
    { "sinks", KEY_LIST, .required = true, .low = 1, .high = CONFIG_SINKS_MAX,
      .meaning = "where it goes" },
    { "http", KEY_SECTION,
      .meaning = "how the network is used" },
    { "spool", KEY_SECTION,
      .meaning = "the store of unsent events" },
    { "time", KEY_SECTION,
      .meaning = "who is asked for the time besides Microsoft's hosts" },
    { "sign_in", KEY_SECTION,
      .meaning = "how a person signs in" },
    { "status", KEY_SECTION,
      .meaning = "the status port: the page, /status, /metrics" },
    { "sandbox", KEY_SECTION,
      .meaning = "other servers than Microsoft's; board sandbox only" },
};

static const struct config_key infrastructure[] = {
    { "name", KEY_TEXT, .required = true, .offset = TOP(name), .low = 1,
      .high = CONFIG_NAME_BYTES - 1u,
      .meaning = "its name" },
    { "description", KEY_TEXT, .offset = TOP(description), .high = CONFIG_DESCRIPTION_BYTES - 1u,
      .meaning = "anything" },
};

static const struct config_key sources[] = {
    { "call_records", KEY_SECTION,
      .meaning = "Teams call records; collected if this is present" },
};

static const struct config_key call_records[] = {
    { "backfill_days", KEY_U32, .offset = CALLS(backfill_days), RANGE(0, 30, 30),
      .meaning = "days before the first start that are fetched too" },
    { "depth", KEY_ENUM, .offset = CALLS(depth), CHOICES(depths), .normal = DEPTH_SESSIONS,
      .meaning = "the listed records only, or all their sessions and participants" },
    { "window_hours", KEY_U32, .offset = CALLS(window_hours), RANGE(1, 720, 12),
      .meaning = "width of a listing window" },
    { "hot_hours", KEY_U32, .offset = CALLS(hot_hours), RANGE(1, 720, 36),
      .meaning = "windows younger than this are listed every hot_interval_s" },
    { "warm_hours", KEY_U32, .offset = CALLS(warm_hours), RANGE(1, 720, 96),
      .meaning = "windows younger than this every warm_interval_s; >= hot_hours" },
    { "hot_interval_s", KEY_U32, .offset = CALLS(hot_interval_s), RANGE(1, 604800, 600),
      .meaning = "seconds" },
    { "warm_interval_s", KEY_U32, .offset = CALLS(warm_interval_s), RANGE(1, 604800, 3600),
      .meaning = "seconds" },
    { "cold_interval_s", KEY_U32, .offset = CALLS(cold_interval_s), RANGE(1, 604800, 86400),
      .meaning = "seconds; all older windows" },
    { "page_size", KEY_U32, .offset = CALLS(page_size), RANGE(1, 999, 0),
      .meaning = "records a page; not given (0): as the service likes" },
    { "ready_wait_s", KEY_U32, .offset = CALLS(ready_wait_s), RANGE(1, 86400, 9000),
      .meaning = "seconds after its end that a record may be missing before it is given up" },
    { "retry_base_ms", KEY_U32, .offset = CALLS(retry_base_ms), RANGE(10, 60000, 1000),
      .meaning = "first wait after a failure, sign-in included" },
    { "retry_cap_ms", KEY_U32, .offset = CALLS(retry_cap_ms), RANGE(10, 3600000, 300000),
      .meaning = "longest wait after failures; >= retry_base_ms" },
    { "list_per_20s", KEY_U32, .offset = CALLS(list_per_20s), RANGE(1, 100000, 26),
      .meaning = "our share of the limit on listing" },
    { "record_per_20s", KEY_U32, .offset = CALLS(record_per_20s), RANGE(1, 100000, 20),
      .meaning = "our share of the limit on one record" },
    { "app_per_20s", KEY_U32, .offset = CALLS(app_per_20s), RANGE(1, 100000, 750),
      .meaning = "our share of the limit on the application" },
};

static const struct config_key http[] = {
    { "proxy", KEY_PROXY, .offset = TOP(proxy), .high = CONFIG_URL_BYTES - 1u,
      .meaning = "HTTP proxy for everything" },
    { "connect_ms", KEY_U32, .offset = TOP(connect_ms), RANGE(1000, 60000, 15000),
      .meaning = "longest time to connect" },
    { "total_ms", KEY_U32, .offset = TOP(total_ms), RANGE(1000, 3600000, 600000),
      .meaning = "longest time of a request" },
    { "stall_ms", KEY_U32, .offset = TOP(stall_ms), RANGE(1000, 600000, 30000),
      .meaning = "longest time that next to nothing arrives" },
};

static const struct config_key spool[] = {
    { "map_mib", KEY_U32, .offset = TOP(spool_map_mib), RANGE(8, 2048, CONFIG_SPOOL_MAP_MIB),
      .meaning = "size of the store, MiB" },
    { "high_percent", KEY_U32, .offset = TOP(spool_high_percent), RANGE(50, 90, 85),
      .meaning = "collecting pauses when the store is this full" },
    { "commit_ms", KEY_U32, .offset = TOP(commit_ms), RANGE(10, 60000, 1000),
      .meaning = "longest time that an event is in memory only" },
};

static const struct config_key time_keys[] = {
    { "sntp", KEY_ADDRESSES, .high = CONFIG_SNTP_MAX,
      .meaning = "time servers that must agree before the time is believed; not given: none" },
};

static const struct config_key sign_in[] = {
    { "redirect_uri", KEY_REDIRECT, .offset = TOP(redirect_uri), .high = CONFIG_URL_BYTES - 1u,
      .normal_text = "http://localhost",
      .meaning = "where the browser is sent back to, exactly as the app registration names it" },
};

static const struct config_key status[] = {
    { "listen", KEY_LISTEN, .offset = TOP(status_listen), .high = CONFIG_ADDRESS_BYTES - 1u,
      .normal_text = CONFIG_STATUS_LISTEN,
      .meaning = "where it listens; port 0: the kernel chooses; off: there is none" },
    { "plain", KEY_BOOL, .offset = TOP(status_plain),
      .meaning = "without TLS; on loopback, or on a link that the board trusts" },
    { "hosts", KEY_HOSTS, .high = CONFIG_HOSTS_MAX,
      .meaning = "names that browsers call this box by, besides its addresses" },
};

static const struct config_key sandbox[] = {
    { "authority_url", KEY_BASE_URL, .offset = TOP(authority_url), .high = CONFIG_URL_BYTES - 1u,
      .meaning = "instead of the cloud's sign-in host" },
    { "graph_url", KEY_BASE_URL, .offset = TOP(graph_url), .high = CONFIG_URL_BYTES - 1u,
      .meaning = "instead of the cloud's Graph host" },
    { "ca_file", KEY_TEXT, .offset = TOP(ca_file), .low = 1, .high = CONFIG_URL_BYTES - 1u,
      .meaning = "PEM file with their roots, relative to the configuration" },
};

static const struct config_key sink[] = {
    { "name", KEY_NAME, .required = true, .offset = SINK(name), .low = 1,
      .high = CONFIG_SINK_NAME_BYTES - 1u,
      .meaning = "its name; no two alike" },
    { "type", KEY_WORD, .offset = KEY_NOT_STORED, CHOICES(sink_types),
      .meaning = "its protocol" },
    { "url", KEY_URL, .required = true, .offset = SINK(url), .high = CONFIG_URL_BYTES - 1u,
      .meaning = "where events are posted" },
    { "authorization", KEY_NAME, .offset = SINK(authorization), .low = 1,
      .high = CONFIG_SINK_NAME_BYTES - 1u,
      .meaning = "name of the secret that is sent as bearer token (anteroomctl secret put)" },
    { "client_certificate", KEY_WORD, .offset = SINK(client_certificate),
      CHOICES(client_certificates), .high = CONFIG_SINK_NAME_BYTES - 1u,
      .meaning = "mutual TLS with the box's own certificate" },
    { "ca", KEY_PEM, .offset = SINK(ca), .high = CONFIG_PEM_BYTES - 1u,
      .meaning = "roots that the sink's certificate must come from; not given: the built-in ones" },
    { "batch_events_max", KEY_U32, .offset = SINK(batch_events_max), RANGE(1, 10000, 2000),
      .meaning = "most events in a request" },
    { "batch_bytes_max", KEY_U32, .offset = SINK(batch_bytes_max), RANGE(4096, 8388608, 2097152),
      .meaning = "most bytes in a request, before compression" },
    { "retry_base_ms", KEY_U32, .offset = SINK(retry_base_ms), RANGE(10, 60000, 1000),
      .meaning = "first wait after a failure" },
    { "retry_cap_ms", KEY_U32, .offset = SINK(retry_cap_ms), RANGE(10, 3600000, 300000),
      .meaning = "longest wait after failures; >= retry_base_ms" },
    { "hold_probe_s", KEY_U32, .offset = SINK(hold_probe_s), RANGE(1, 3600, 600),
      .meaning = "seconds between attempts while the sink refuses us" },
    { "linger_ms", KEY_U32, .offset = SINK(linger_ms), RANGE(0, 60000, 2000),
      .meaning = "wait for a fuller request" },
};

#define KEYS(list) (list), COUNT(list)
const struct config_section config_sections[SECTION_COUNT] = {
    [SECTION_TOP] = { "", "", -1, KEYS(top) },
    [SECTION_INFRASTRUCTURE] = { "infrastructure", "infrastructure", SECTION_TOP,
                                 KEYS(infrastructure) },
    [SECTION_SOURCES] = { "sources", "sources", SECTION_TOP, KEYS(sources) },
    [SECTION_CALL_RECORDS] = { "sources.call_records", "call_records", SECTION_SOURCES,
                               KEYS(call_records) },
    [SECTION_HTTP] = { "http", "http", SECTION_TOP, KEYS(http) },
    [SECTION_SPOOL] = { "spool", "spool", SECTION_TOP, KEYS(spool) },
    [SECTION_TIME] = { "time", "time", SECTION_TOP, KEYS(time_keys) },
    [SECTION_SIGN_IN] = { "sign_in", "sign_in", SECTION_TOP, KEYS(sign_in) },
    [SECTION_STATUS] = { "status", "status", SECTION_TOP, KEYS(status) },
    [SECTION_SANDBOX] = { "sandbox", "sandbox", SECTION_TOP, KEYS(sandbox) },
    [SECTION_SINK] = { "sinks[]", "sinks", SECTION_TOP, KEYS(sink) },
};

// clang-format on

static void put_range(struct buf *out, const struct config_key *key)
{
    buf_put_u64(out, key->low);
    buf_put_str(out, "..");
    buf_put_u64(out, key->high);
}

static void put_choices(struct buf *out, const struct config_key *key)
{
    for (unsigned i = 0; i < key->choices_count; i++) {
        buf_put_str(out, i > 0 ? ", " : "");
        buf_put_str(out, key->choices[i].word);
    }
}

void config_put_allowed(struct buf *out, const struct config_key *key)
{
    static const char *const words[] = {
        [KEY_SECTION] = "an object",
        [KEY_GUID] = "a GUID like 01234567-89ab-cdef-0123-456789abcdef",
        [KEY_URL] = "https://host[:port][/path], without user name and fragment",
        [KEY_BASE_URL] = "https://host[:port][/path], without user name, query and fragment",
        [KEY_PROXY] = "http://host:port",
        [KEY_PEM] = "PEM text of certificates",
        [KEY_BOOL] = "true, false",
        [KEY_REDIRECT] = "https://host[:port][/path] or http://localhost[:port][/path]",
        [KEY_LISTEN] = "a numeric address like 192.0.2.1, [::]:8443, 127.0.0.1:0; off",
    };
    switch (key->kind) {
    case KEY_U32:
        put_range(out, key);
        break;
    case KEY_ENUM:
    case KEY_WORD:
        put_choices(out, key);
        break;
    case KEY_TEXT:
        put_range(out, key);
        buf_put_str(out, " bytes of printable text");
        break;
    case KEY_NAME:
        put_range(out, key);
        buf_put_str(out, " characters of a-z 0-9 -, first a letter");
        break;
    case KEY_LIST:
        buf_put_str(out, "a list of ");
        put_range(out, key);
        buf_put_str(out, " objects");
        break;
    case KEY_ADDRESSES:
        buf_put_str(out, "a list of at most ");
        buf_put_u64(out, key->high);
        buf_put_str(out, " numeric addresses like 192.0.2.1 or [2001:db8::1]:123");
        break;
    case KEY_HOSTS:
        buf_put_str(out, "a list of at most ");
        buf_put_u64(out, key->high);
        buf_put_str(out, " host names");
        break;
    case KEY_PERMISSIONS:
        buf_put_str(out, "a list of ");
        put_choices(out, key);
        break;
    default:
        buf_put_str(out, words[key->kind]);
        break;
    }
}
