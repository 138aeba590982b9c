// SPDX-License-Identifier: Apache-2.0
#include "snapshots.h"

#include <string.h>

#define VERIFY_BYTES 128u
#define LINK_BYTES   425u ///< the longest that becomes a QR code

const char *const snapshots_names[SCENES] = {
    [SCENE_UNCONFIGURED] = "unconfigured",
    [SCENE_AWAITING_CONSENT] = "awaiting_consent",
    [SCENE_VALIDATING] = "validating",
    [SCENE_PROPAGATING] = "propagating",
    [SCENE_COLLECTING] = "collecting",
    [SCENE_DEGRADED] = "degraded",
    [SCENE_ATTENTION] = "attention",
    [SCENE_SIGNING_IN] = "signing_in",
    [SCENE_DEVICE_CODE] = "device_code",
    [SCENE_EXPIRING] = "expiring",
    [SCENE_HOLDING] = "holding",
    [SCENE_NO_CONFIGURATION] = "no_configuration",
    [SCENE_LARGEST] = "largest",
    [SCENE_HOSTILE] = "hostile",
    [SCENE_EMPTY] = "empty",
};

static const char consent[] =
    "https://login.microsoftonline.com/3fa85f64-5717-4562-b3fc-2c963f66afa6/v2.0/adminconsent"
    "?client_id=8d7c6b5a-1f2e-4d3c-9b8a-7f6e5d4c3b2a&scope=https%3A%2F%2Fgraph.microsoft.com"
    "%2F.default&redirect_uri=http%3A%2F%2Flocalhost&state=Zk3v9qT1xW7pR5sY2mB8nA";
static const char sign_in[] =
    "https://login.microsoftonline.com/3fa85f64-5717-4562-b3fc-2c963f66afa6/oauth2/v2.0/authorize"
    "?client_id=8d7c6b5a-1f2e-4d3c-9b8a-7f6e5d4c3b2a&response_type=code&state=Zk3v9qT1xW7pR5sY2m";
static const char hex[] = "3b9f0c6a7e1d5528c4f7a0b1d2e3f40516273849a0b1c2d3e4f5061728394a5b";

static const struct snapshot_permission permissions[] = {
    {"CallRecords.Read.All",
     "who called whom, when, and how well it went",
     "good",
     "granted and answering",
     true,
     false,
     SNAPSHOT_GOOD,
     4210},
    {"User.Read.All",
     "names and departments for the people in the records",
     "good",
     "granted and answering",
     true,
     false,
     SNAPSHOT_GOOD,
     4210},
    {"TeamworkDevice.Read.All",
     "Teams Rooms devices and their health",
     "good",
     "granted and answering",
     true,
     false,
     SNAPSHOT_GOOD,
     4210},
    {"User.Read",
     "who authorised this box",
     "none",
     "nobody has signed in",
     false,
     true,
     SNAPSHOT_SETUP,
     SNAPSHOT_NEVER},
};

static const struct snapshot_source sources[] = {
    {.name = "call_records",
     .state = "on",
     .text = "",
     .level = SNAPSHOT_GOOD,
     .listed = 18422,
     .done = 18419,
     .requests = 40211,
     .throttled = 2,
     .failures = 1,
     .pending = 3,
     .last_age_s = 12},
    {.name = "users",
     .state = "on",
     .text = "",
     .level = SNAPSHOT_GOOD,
     .listed = 640,
     .done = 640,
     .requests = 9,
     .last_age_s = 1804},
    {.name = "devices",
     .state = "unavailable",
     .text = "Graph does not offer this in this cloud. The box asks again every day.",
     .level = SNAPSHOT_WARN,
     .requests = 4,
     .failures = 4,
     .last_age_s = SNAPSHOT_NEVER},
};

static const struct snapshot_sink sinks[] = {
    {.name = "lake",
     .state = "idle",
     .reason = "",
     .level = SNAPSHOT_GOOD,
     .sent = 88120,
     .batches = 912,
     .backlog = 14,
     .oldest_age_s = 2,
     .last_age_s = 6},
    {.name = "siem",
     .state = "holding",
     .reason = "answers 403: credentials or rights",
     .level = SNAPSHOT_BAD,
     .sent = 81002,
     .batches = 840,
     .retries = 31,
     .backlog = 7132,
     .oldest_age_s = 9412,
     .last_age_s = 9420},
};

#define SAY(s, text)    ((s)->what = SPAN(text))
#define NEXT(s, text)   ((s)->next = SPAN(text))
#define ADVISE(s, text) ((s)->advice = SPAN(text))

static void led(struct snapshot *s, unsigned code, const char *shows)
{
    s->led_code = code;
    s->led_shows = shows;
}

static void state(struct snapshot *s, const char *name, enum snapshot_level level)
{
    s->state = name;
    s->level = level;
}

static void
verdicts(struct snapshot *s, const char *verdict, const char *text, enum snapshot_level level)
{
    for (unsigned i = 0; i + 1 < s->permissions_count; i++) {
        s->permissions[i].verdict = verdict;
        s->permissions[i].text = text;
        s->permissions[i].level = level;
        s->permissions[i].age_s = 41;
    }
}

/// No source has begun.
static void idle(struct snapshot *s)
{
    for (unsigned i = 0; i < s->sources_count; i++) {
        s->sources[i] = (struct snapshot_source){
            .name = s->sources[i].name,
            .state = "waiting",
            .text = "for the permission",
            .level = SNAPSHOT_WAIT,
            .last_age_s = SNAPSHOT_NEVER,
        };
    }
    s->sinks_count = 1;
    s->sinks[0] = (struct snapshot_sink){.name = "lake",
                                         .state = "idle",
                                         .level = SNAPSHOT_GOOD,
                                         .oldest_age_s = SNAPSHOT_NEVER,
                                         .last_age_s = SNAPSHOT_NEVER};
    memset(s->collected, 0, sizeof(s->collected));
    memset(s->sent, 0, sizeof(s->sent));
    s->store_events = s->store_bytes = s->store_percent = 0;
    s->oldest_age_s = SNAPSHOT_NEVER;
    s->uptime_s = 412;
}

/// A box that does what it is there for.
static void make_usual(struct snapshot *s)
{
    *s = (struct snapshot){
        .name = "Building 7, meeting rooms",
        .reason = "",
        .propagation_left_s = SNAPSHOT_NEVER,
        .consent_link = "",
        .permissions_count = 4,
        .sources_count = 3,
        .sinks_count = 2,
        .credential = {true, true, (int64_t)571 * 86400, ""},
        .signin = {"done", "", "Adele Vance", 86400 * 3, "", "", "", 0},
        .tokens = 412,
        .token_failures = 1,
        .board = "generic_x86_64",
        .serial_end = "7Q2K",
        .build = "8f21c07",
        .clock = "trusted",
        .wall_ms = 1795450000000,
        .uptime_s = 1290311,
        .restart_cause = "power",
        .boots = 14,
        .token_class = "tpm",
        .store_events = 7146,
        .store_bytes = 9433088,
        .store_quota_bytes = 67108864,
        .store_percent = 14,
        .dead_events = 2,
        .oldest_age_s = 9412,
        .heap_used_bytes = 1212416,
        .heap_peak_bytes = 2162688,
        .heap_bytes = 4194304,
        .wakeups = 1402211,
        .watchdog_slack_ms = 41250,
        .port_requests = 5211,
        .port_refused = 3,
    };
    memcpy(s->permissions, permissions, sizeof(permissions));
    memcpy(s->sources, sources, sizeof(sources));
    memcpy(s->sinks, sinks, sizeof(sinks));
    memcpy(s->credential.thumbprint, hex, sizeof(hex));
    memcpy(s->fingerprint, hex, sizeof(hex));
    memcpy(s->serial_hash, hex, 16);
    for (unsigned i = 0; i < SNAPSHOT_MINUTES; i++) {
        s->collected[i] = 18 + i * 7 % 23 + (i % 10 == 3 ? 60 : 0);
        s->sent[i] = i > 20 && i < 27 ? 0 : 17 + i * 5 % 21 + (i == 20 ? 180 : 0);
    }
    state(s, "collecting", SNAPSHOT_GOOD);
    led(s, 10, "green, one short flash every 3 s");
    SAY(s, "Everything that is wanted answers. Records are collected and sent.");
    NEXT(s, "The permissions are looked at again in 22 h 49 min.");
    s->permissions[3] = (struct snapshot_permission){
        "User.Read",
        "who authorised this box",
        "good",
        "granted and answering",
        true,
        true,
        SNAPSHOT_GOOD,
        259200,
    };
}

static void make_unconfigured(struct snapshot *s)
{
    idle(s);
    state(s, "unconfigured", SNAPSHOT_SETUP);
    led(s, 4, "blue, one short flash every 2 s");
    SAY(s, "The box has made its key and certificate, and Microsoft does not know them yet.");
    NEXT(s, "The box tries to sign in again in 4 min.");
    ADVISE(s, "Upload the certificate to the app registration.");
    s->reason = "A10";
    s->signin = (struct snapshot_signin){"off", "", "", SNAPSHOT_NEVER, "", "", "", 0};
    verdicts(s, "none", "not looked at yet", SNAPSHOT_WAIT);
}

static void make_no_configuration(struct snapshot *s)
{
    make_unconfigured(s);
    s->name = "";
    s->no_configuration = true;
    SAY(s,
        "The box has no configuration yet, so it asks nobody for anything: there is no file "
        "/etc/anteroom/config.json.");
    NEXT(s, "Once the file is there, the box starts anew by itself, reads it and signs in.");
    ADVISE(s,
           "Write the configuration (anteroomctl config help lists its keys), look at it with "
           "anteroomctl config check, and put it there.");
    s->reason = "C01";
    s->clock = "floor";
    s->wall_ms = 0;
    s->credential.expires_in_s = SNAPSHOT_NEVER;
    s->sinks_count = 0;
    s->sources_count = 1;
    s->sources[0].state = "off";
    s->sources[0].text = "not configured";
    for (unsigned i = 0; i < s->permissions_count; i++) {
        s->permissions[i].wanted = false;
        s->permissions[i].age_s = SNAPSHOT_NEVER;
    }
}

static void make_awaiting(struct snapshot *s)
{
    idle(s);
    state(s, "awaiting_consent", SNAPSHOT_SETUP);
    led(s, 7, "amber, 6 flashes");
    SAY(s, "The box signs in. No permission that it needs is granted yet.");
    NEXT(s, "The box looks again in 48 s.");
    ADVISE(s, "Give consent with the link or the QR code below.");
    s->consent_wanted = true;
    s->consent_link = consent;
    s->signin = (struct snapshot_signin){"off", "", "", SNAPSHOT_NEVER, "", "", "", 0};
    verdicts(s, "missing", "not granted", SNAPSHOT_SETUP);
}

static void make_propagating(struct snapshot *s)
{
    idle(s);
    state(s, "propagating", SNAPSHOT_WAIT);
    led(s, 8, "amber, 1 s on, 1 s off");
    SAY(s,
        "Consent is given, and Graph still answers 403 Forbidden. This is expected: it takes "
        "between 10 minutes and 2 hours.");
    NEXT(s, "Graph is asked again in 4 min.");
    ADVISE(s, "Nothing. Or enable with a warning, and what answers already is collected.");
    s->propagation_left_s = 5523;
    s->can_enable = true;
    verdicts(s, "forbidden", "granted, and Graph still says no (403)", SNAPSHOT_WAIT);
    s->permissions[1] = permissions[1];
}

static void make_attention(struct snapshot *s)
{
    state(s, "attention", SNAPSHOT_BAD);
    led(s, 7, "amber, 6 flashes");
    SAY(s,
        "The secret has expired. Nothing can be collected; Graph keeps the records for 30 days.");
    NEXT(s, "The box tries to sign in again in 38 min.");
    ADVISE(s,
           "Make a new secret in the app registration and store it, or change to the "
           "certificate.");
    s->reason = "A09";
    s->credential = (struct snapshot_credential){true, false, -7300, ""};
    s->signin.state = "lost";
    s->signin.text = "The sign-in of who authorised this box is not accepted any more. Somebody "
                     "may sign in again; collecting does not depend on it.";
    s->permissions[3].verdict = "missing";
    s->permissions[3].text = "not granted";
    s->permissions[3].level = SNAPSHOT_WARN;
}

static void make_degraded(struct snapshot *s)
{
    state(s, "degraded", SNAPSHOT_WARN);
    led(s, 7, "amber, 6 flashes");
    SAY(s, "Collecting what answers. TeamworkDevice.Read.All is not granted.");
    NEXT(s, "It is looked at again in 12 min.");
    ADVISE(s, "Grant it with the link below, or take it out of the configuration.");
    s->enabled_with_warning = true;
    s->consent_wanted = true;
    s->consent_link = consent;
    s->permissions[2].verdict = "missing";
    s->permissions[2].text = "not granted";
    s->permissions[2].level = SNAPSHOT_BAD;
}

static void make_expiring(struct snapshot *s)
{
    s->level = SNAPSHOT_WARN;
    s->credential.expires_in_s = (int64_t)19 * 86400 + 7200;
    s->credential_next = (struct snapshot_credential){true, true, (int64_t)730 * 86400, ""};
    memcpy(s->credential_next.thumbprint, hex, sizeof(hex));
    ADVISE(s, "Upload the next certificate beside the old one before it expires.");
}

#define REPEAT_BYTES 1024u
static char many_w[REPEAT_BYTES + 1], many_bad[REPEAT_BYTES + 1], largest_link[LINK_BYTES + 1],
    largest_place[VERIFY_BYTES + 1];

/// Every number at its largest.
static void fill_numbers(struct snapshot *s)
{
    s->led_code = UINT32_MAX;
    s->tokens = s->token_failures = s->uptime_s = s->store_events = s->store_bytes = UINT64_MAX;
    s->store_quota_bytes = s->dead_events = s->heap_used_bytes = s->heap_peak_bytes = UINT64_MAX;
    s->heap_bytes = s->wakeups = s->port_requests = s->port_refused = UINT64_MAX;
    s->boots = s->level_of_ladder = s->store_percent = UINT32_MAX;
    s->watchdog_slack_ms = INT64_MAX;
    s->wall_ms = INT64_MAX;
    for (unsigned i = 0; i < SNAPSHOT_MINUTES; i++) {
        s->collected[i] = i % 2u == 0 ? UINT32_MAX : 0;
        s->sent[i] = i % 2u == 0 ? 0 : UINT32_MAX;
    }
}

/// Every text of the snapshot, and every number.
static void fill(struct snapshot *s, const char *text)
{
    const int64_t age = INT64_MAX / 1000;

    s->name = s->state = s->reason = s->led_shows = s->board = s->serial_end = s->build = s->clock =
        s->restart_cause = s->token_class = text;
    s->what = s->next = s->advice = span_from_str(text);
    fill_numbers(s);
    s->propagation_left_s = age;
    s->can_enable = s->enabled_with_warning = s->consent_wanted = s->holding = true;
    s->permissions_count = SNAPSHOT_PERMISSIONS_MAX;
    s->sources_count = SNAPSHOT_SOURCES_MAX;
    s->sinks_count = SNAPSHOT_SINKS_MAX;
    for (unsigned i = 0; i < SNAPSHOT_PERMISSIONS_MAX; i++) {
        s->permissions[i] = (struct snapshot_permission){
            text,
            text,
            text,
            text,
            true,
            true,
            SNAPSHOT_SETUP,
            age,
        };
    }
    for (unsigned i = 0; i < SNAPSHOT_SOURCES_MAX; i++) {
        s->sources[i] = (struct snapshot_source){
            text,
            text,
            text,
            SNAPSHOT_SETUP,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT32_MAX,
            age,
        };
    }
    for (unsigned i = 0; i < SNAPSHOT_SINKS_MAX; i++) {
        s->sinks[i] = (struct snapshot_sink){
            text,
            text,
            text,
            SNAPSHOT_SETUP,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            UINT64_MAX,
            age,
            age,
        };
    }
    s->credential.expires_in_s = age;
    s->credential_next = s->credential;
    s->signin = (struct snapshot_signin){text, text, text, age, text, text, text, age};
    s->oldest_age_s = age;
}

static void make_largest(struct snapshot *s)
{
    memset(many_w, 'W', REPEAT_BYTES);
    memset(largest_link, 'w', LINK_BYTES);
    memcpy(largest_link, "https://", 8);
    memset(largest_place, 'w', VERIFY_BYTES);
    memcpy(largest_place, "https://", 8);
    fill(s, many_w);
    s->consent_link = largest_link;
    s->signin.link = largest_link;
    s->signin.verify_at = largest_place;
}

/// Quotes of every kind, markup, ends of script and comment, control characters, separators, what
/// turns the direction of text, bytes that are no UTF-8.
static void make_hostile(struct snapshot *s)
{
    static const char unit[] =
        "\"'`><script>alert(1)</script><!-- --> & \\ \n\r\t\x01\x7F"
        "\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAE\xC2\x85\xC3\x28\xFF\xED\xA0\x80"
        "{}=,javascript:\xF0\x9F\x94\xA5";

    for (size_t i = 0; i < REPEAT_BYTES; i++) {
        many_bad[i] = unit[i % (sizeof(unit) - 1u)];
    }
    fill(s, many_bad);
    s->consent_link = many_bad;
    memset(s->fingerprint, '"', sizeof(s->fingerprint) - 1u);
    memset(s->serial_hash, '<', sizeof(s->serial_hash) - 1u);
    memset(s->credential.thumbprint, '\'', sizeof(s->credential.thumbprint) - 1u);
}

static void make_empty(struct snapshot *s)
{
    *s = (struct snapshot){.propagation_left_s = SNAPSHOT_NEVER};
}

static void make_validating(struct snapshot *s)
{
    idle(s);
    state(s, "validating", SNAPSHOT_WAIT);
    led(s, 8, "amber, 1 s on, 1 s off");
    SAY(s, "Consent is given. Graph is being asked for each permission.");
    NEXT(s, "Done in a few seconds.");
    verdicts(s, "none", "being asked", SNAPSHOT_WAIT);
    s->permissions[0] = permissions[0];
}

static void make_signing_in(struct snapshot *s)
{
    s->signin = (struct snapshot_signin){"code", "", "", SNAPSHOT_NEVER, "", "", sign_in, 840};
}

static void make_device_code(struct snapshot *s)
{
    s->signin = (struct snapshot_signin){
        "device",
        "",
        "",
        SNAPSHOT_NEVER,
        "HJKQ7F2PL",
        "https://microsoft.com/devicelogin",
        "",
        742,
    };
}

static void make_holding(struct snapshot *s)
{
    s->level = SNAPSHOT_BAD;
    s->holding = true;
    s->level_of_ladder = 5;
    s->clock = "floor";
    s->restart_cause = "watchdog";
    led(s, 1, "red, fast without a pause");
}

void snapshots_make(enum snapshots_scene scene, struct snapshot *s)
{
    static void (*const makers[SCENES])(struct snapshot * s) = {
        [SCENE_UNCONFIGURED] = make_unconfigured,
        [SCENE_AWAITING_CONSENT] = make_awaiting,
        [SCENE_VALIDATING] = make_validating,
        [SCENE_PROPAGATING] = make_propagating,
        [SCENE_DEGRADED] = make_degraded,
        [SCENE_ATTENTION] = make_attention,
        [SCENE_SIGNING_IN] = make_signing_in,
        [SCENE_DEVICE_CODE] = make_device_code,
        [SCENE_EXPIRING] = make_expiring,
        [SCENE_HOLDING] = make_holding,
        [SCENE_NO_CONFIGURATION] = make_no_configuration,
        [SCENE_LARGEST] = make_largest,
        [SCENE_HOSTILE] = make_hostile,
        [SCENE_EMPTY] = make_empty,
    };

    make_usual(s);
    if (makers[scene] != NULL) {
        makers[scene](s);
    }
}
