// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Private to config/: the one table of all keys. The reader, the faults and the printed help come
 * from it.
 * Model: the configuration is a handful of sections (JSON objects) of plain keys; a section of a
 *        list is read once per element.
 */
#ifndef CONFIG_CONFIG_KEYS_H
#define CONFIG_CONFIG_KEYS_H
#include "config/config.h"

enum key_kind {
    KEY_SECTION = 1, ///< an object that has a section of its own below
    KEY_LIST,        ///< the list of sinks
    KEY_U32,         ///< low..high
    KEY_TEXT,        ///< low..high bytes of printable UTF-8
    KEY_NAME,        ///< [a-z0-9-], first a letter, at most high
    KEY_GUID,
    KEY_URL,       ///< https
    KEY_BASE_URL,  ///< https, without query; a trailing slash is dropped
    KEY_PROXY,     ///< http://host:port
    KEY_PEM,       ///< one or more certificates
    KEY_ENUM,      ///< one of choices, stored as its number
    KEY_WORD,      ///< one of choices, stored as text, or not at all
    KEY_ADDRESSES, ///< a list of numeric addresses: config.sntp
    KEY_BOOL,
    KEY_REDIRECT,    ///< https, or http://localhost, without query
    KEY_LISTEN,      ///< numeric address, or "off", which is stored as ""
    KEY_HOSTS,       ///< a list of host names: config.status_hosts
    KEY_PERMISSIONS, ///< a list of choices, stored as a mask of their numbers
};

struct choice {
    const char *word;
    int number;
};

#define KEY_NOT_STORED SIZE_MAX

struct config_key {
    const char *name;
    enum key_kind kind;
    bool required;
    size_t offset; ///< of the member in struct config, or in struct config_sink for sinks
    uint32_t low, high, normal; ///< range and default of KEY_U32; length in bytes of texts
    const char *normal_text;    ///< default of a text; NULL: empty
    const struct choice *choices;
    unsigned choices_count;
    const char *meaning; ///< for the help
};

struct config_section {
    const char *path; ///< "" for the top, "sources.call_records"; "sinks[]" for the list
    const char *name; ///< its key in the parent
    int parent;       ///< index of the parent in config_sections, -1 for the top
    const struct config_key *keys;
    unsigned keys_count;
};

enum section_index {
    SECTION_TOP = 0,
    SECTION_INFRASTRUCTURE,
    SECTION_SOURCES,
    SECTION_CALL_RECORDS,
    SECTION_HTTP,
    SECTION_SPOOL,
    SECTION_TIME,
    SECTION_SIGN_IN,
    SECTION_STATUS,
    SECTION_SANDBOX,
    SECTION_SINK,
    SECTION_COUNT,
};

#define SECTION_KEYS_MAX 32u ///< a bit each in the set of keys seen

extern const struct config_section config_sections[SECTION_COUNT];

/// Appends what a key allows: "1..720", "global, usgov_l4, usgov_l5", "a GUID".
void config_put_allowed(struct buf *out, const struct config_key *key);

#endif
