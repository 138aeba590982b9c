// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The configuration: plain values, parsed strictly from JSON. No secret is ever in it.
 * Model:  config_parse reads the whole text and reports every fault it finds, each with the path of
 *         the value and the values that are allowed; a configuration with any fault is not used.
 *         Unknown keys, wrong types and out-of-range values are faults.
 * Memory: struct config holds copies; the text is not needed afterwards.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H
#include "base/address.h"
#include "base/rc.h"
#include "base/span.h"

#define CONFIG_TEXT_BYTES_MAX    (64u * 1024u)
#define CONFIG_NAME_BYTES        65u ///< with NUL
#define CONFIG_DESCRIPTION_BYTES 257u
#define CONFIG_GUID_BYTES        37u
#define CONFIG_URL_BYTES         513u
#define CONFIG_SINK_NAME_BYTES   33u
#define CONFIG_PEM_BYTES         8193u
#define CONFIG_FAULTS_MAX        32u
#define CONFIG_FAULT_BYTES       200u
#define CONFIG_SNTP_MAX          4u
#define CONFIG_ADDRESS_BYTES     (ADDRESS_TEXT_BYTES_MAX + 1u)
#define CONFIG_HOSTS_MAX         4u
#define CONFIG_HOST_BYTES        64u
#define CONFIG_STATUS_PORT       8443u ///< of an address without one

enum config_cloud {
    CLOUD_ILLEGAL = 0,
    CLOUD_GLOBAL,
    CLOUD_USGOV_L4,
    CLOUD_USGOV_L5
};

enum config_credential {
    CREDENTIAL_ILLEGAL = 0,
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_SECRET
};

enum config_depth {
    DEPTH_ILLEGAL = 0,
    DEPTH_RECORDS,  ///< what the list carries, nothing more is fetched
    DEPTH_SESSIONS, ///< every session, segment and participant of every record
};

/// What may be granted; a mask has the bit 1 << permission.
enum config_permission {
    PERMISSION_CALL_RECORDS = 0, ///< CallRecords.Read.All
    PERMISSION_USERS,            ///< User.Read.All
    PERMISSION_DEVICES,          ///< TeamworkDevice.Read.All
    PERMISSION_USER,             ///< User.Read, delegated
    CONFIG_PERMISSIONS,
};

/// Ranges and defaults stand in the table of config_keys.c, which anteroomctl config help prints.
struct config_call_records {
    uint32_t backfill_days;  ///< 0..30, default 30
    enum config_depth depth; ///< "records" | "sessions" (default)
    uint32_t window_hours;   ///< width of a listing window; 1..720, default 12
    uint32_t hot_hours;      ///< younger windows are hot; 1..720, default 36
    uint32_t warm_hours;     ///< younger windows are warm; hot_hours..720, default 96
    uint32_t hot_interval_s, warm_interval_s; ///< 1..604800, default 600 and 3600
    uint32_t cold_interval_s;                 ///< 1..604800, default 86400
    uint32_t page_size;      ///< odata.maxpagesize; 1..999, default 0 = the service's own
    uint32_t ready_wait_s;   ///< from its end, a record may answer 404; 1..86400, default 9000
    uint32_t retry_base_ms;  ///< back-off of Graph and of the sign-in; 10..60000, default 1000
    uint32_t retry_cap_ms;   ///< 10..3600000, default 300000
    uint32_t list_per_20s;   ///< our share of Graph's limits; 1..100000, default 26
    uint32_t record_per_20s; ///< 1..100000, default 20
    uint32_t app_per_20s;    ///< 1..100000, default 750
};

struct config_sink {
    char name[CONFIG_SINK_NAME_BYTES];          ///< [a-z0-9-], first a letter
    char url[CONFIG_URL_BYTES];                 ///< https
    char authorization[CONFIG_SINK_NAME_BYTES]; ///< name of the secret whose value follows "Bearer
                                                ///< ", or ""
    char client_certificate[CONFIG_SINK_NAME_BYTES]; ///< mTLS: "device" = the box's own TLS
                                                     ///< certificate and key, or ""
    char ca[CONFIG_PEM_BYTES];                       ///< PEM or "": the pinned roots
    uint32_t batch_events_max;                       ///< 1..10000, default 2000
    uint32_t batch_bytes_max;             ///< uncompressed; 4096..8388608, default 2097152
    uint32_t retry_base_ms, retry_cap_ms; ///< default 1000, 300000
    uint32_t hold_probe_s;                ///< probe while held; default 600; 1..3600
    uint32_t linger_ms;                   ///< wait for a fuller batch; default 2000; 0..60000
};

struct config {
    char name[CONFIG_NAME_BYTES]; ///< infrastructure.name
    char description[CONFIG_DESCRIPTION_BYTES];
    enum config_cloud cloud;
    char tenant_id[CONFIG_GUID_BYTES], client_id[CONFIG_GUID_BYTES]; ///< lower case
    enum config_credential credential;
    unsigned permissions; ///< mask of application permissions that are wanted: those of the
                          ///< sources, and of "permissions"
    char redirect_uri[CONFIG_URL_BYTES]; ///< "sign_in": {"redirect_uri"}; as registered; default
                                         ///< "http://localhost"
    bool call_records_on;                ///< sources.call_records present
    struct config_call_records call_records;
    struct config_sink sinks[CONFIG_SINKS_MAX];
    unsigned sinks_count;         ///< 1..CONFIG_SINKS_MAX
    char proxy[CONFIG_URL_BYTES]; ///< "http://host:port" or ""
    uint32_t connect_ms, total_ms,
        stall_ms; ///< "http": {connect_ms, total_ms, stall_ms}; default 15000, 600000, 30000
    uint32_t spool_map_mib;      ///< "spool": {"map_mib"}; default CONFIG_SPOOL_MAP_MIB
    uint32_t spool_high_percent; ///< default 85; 50..90
    uint32_t commit_ms; ///< longest time that an event stays in RAM only; default 1000; 10..60000
    char sntp[CONFIG_SNTP_MAX]
             [CONFIG_ADDRESS_BYTES]; ///< "time": {"sntp"}; numeric (base/address.h)
    unsigned sntp_count;             ///< 0: no time server is asked
    /// "status": {"listen"}: as address_parse_listen reads it with CONFIG_STATUS_PORT; "": none.
    /// Default CONFIG_STATUS_LISTEN.
    char status_listen[CONFIG_ADDRESS_BYTES];
    bool status_plain; ///< no TLS: loopback, or CONFIG_STATUS_TRUSTED_ADDRESS
    char status_hosts[CONFIG_HOSTS_MAX][CONFIG_HOST_BYTES]; ///< names in Host besides addresses;
                                                            ///< lower case
    unsigned status_hosts_count;
    char authority_url[CONFIG_URL_BYTES]; ///< from the cloud table, or sandbox.authority_url; no
                                          ///< trailing slash
    char graph_url[CONFIG_URL_BYTES];     ///< likewise
    char ca_file[CONFIG_URL_BYTES]; ///< sandbox.ca_file (relative to the configuration file) or ""
};

struct config_faults {
    unsigned count; ///< found in all; the first CONFIG_FAULTS_MAX are kept
    char text[CONFIG_FAULTS_MAX][CONFIG_FAULT_BYTES];
};

/// @retval RC_PARSE  faults say what. @retval RC_TOOBIG text is longer than CONFIG_TEXT_BYTES_MAX.
RC config_parse(struct config *c, struct span text, struct config_faults *faults);
/// Nothing is wrong with it so far, and it does not end (it may not have begun): a file that is
/// still written, or whose copy was broken off.
bool config_is_part(struct span text);
/// As if there were one that names nothing: the board's defaults, no tenant, no host, no source, no
/// sink; a certificate to sign in with; the page on CONFIG_STATUS_LISTEN_UNCONFIGURED.
void config_none(struct config *c);
/// It was parsed: false after config_none.
bool config_is_there(const struct config *c);

/// Cloud table: authority and Graph root, e.g. "https://graph.microsoft.com". NULL for
/// CLOUD_ILLEGAL.
const char *config_cloud_authority(enum config_cloud cloud);
const char *config_cloud_graph(enum config_cloud cloud);

#endif
