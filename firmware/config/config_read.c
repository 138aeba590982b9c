// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One value: its type, its form, its range; then it is stored at its offset.
 */
#include <string.h>

#include "base/assert.h"

#include "config_reading.h"
#include "config_values.h"

_Static_assert(sizeof(enum config_cloud) == sizeof(uint32_t), "enums are stored like numbers");
_Static_assert(sizeof(enum config_credential) == sizeof(uint32_t), "enums are stored like numbers");
_Static_assert(sizeof(enum config_depth) == sizeof(uint32_t), "enums are stored like numbers");

static void store_u32(char *base, const struct config_key *key, uint32_t value)
{
    memcpy(base + key->offset, &value, sizeof(value));
}

void config_set_default(const struct config_key *key, char *base)
{
    if (key->kind == KEY_U32 || key->kind == KEY_ENUM) {
        store_u32(base, key, key->normal);
    } else if (key->normal_text != NULL) {
        struct buf text = buf_of(base + key->offset, key->high + 1u);
        buf_put_str(&text, key->normal_text);
        bool fits = buf_terminate(&text);
        ASSERT(fits); // the table's, or the board's
        ASSERT(text.len == 0 || config_text_ok(key, buf_span(&text)));
    }
}

static const char *type_of(const struct json *doc, int node)
{
    bool truth;
    if (json_is_string(doc, node)) {
        return "is a text";
    }
    if (json_is_object(doc, node)) {
        return "is an object";
    }
    if (json_is_array(doc, node)) {
        return "is a list";
    }
    if (json_is_null(doc, node)) {
        return "is null";
    }
    return json_bool(doc, node, &truth) == RC_OK ? "is true or false" : "is a number";
}

static bool is_number(const struct json *doc, int node)
{
    return strcmp(type_of(doc, node), "is a number") == 0;
}

static void read_u32(struct reading *r, const struct config_key *key, int node)
{
    int64_t value;
    if (!is_number(r->doc, node)) {
        config_fault_key(r, key, type_of(r->doc, node));
        return;
    }
    if (json_i64(r->doc, node, &value) != RC_OK || value < key->low || value > key->high) {
        config_fault_number(r, key, json_raw(r->doc, node));
        return;
    }
    store_u32(r->base, key, (uint32_t)value);
}

static void read_bool(struct reading *r, const struct config_key *key, int node)
{
    bool truth = false;
    if (json_bool(r->doc, node, &truth) != RC_OK) {
        config_fault_key(r, key, type_of(r->doc, node));
    }
    memcpy(r->base + key->offset, &truth, sizeof(truth));
}

static const struct choice *find_choice(const struct config_key *key, struct span word)
{
    for (unsigned i = 0; i < key->choices_count; i++) {
        if (span_equal(span_from_str(key->choices[i].word), word)) {
            return &key->choices[i];
        }
    }
    return NULL;
}

static bool is_china(const struct config_key *key, struct span word)
{
    return strcmp(key->name, "cloud") == 0 && span_starts(word, SPAN("china"));
}

static void read_choice(struct reading *r, const struct config_key *key, int node)
{
    char text[32];
    struct buf word = BUF(text);
    bool readable = json_string(r->doc, node, &word) == RC_OK;
    const struct choice *choice = readable ? find_choice(key, buf_span(&word)) : NULL;
    if (choice == NULL && readable && is_china(key, buf_span(&word))) {
        config_fault_key(r, key, "the cloud in China (21Vianet) has no call records");
    } else if (choice == NULL) {
        config_fault_key(r, key, "is none of the known words");
    } else if (key->kind == KEY_ENUM) {
        store_u32(r->base, key, (uint32_t)choice->number);
    } else if (key->offset != KEY_NOT_STORED) {
        memcpy(r->base + key->offset, choice->word, strlen(choice->word) + 1u);
    }
}

static void lower(char *text)
{
    for (; *text != '\0'; text++) { // bounded by its form
        *text = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
    }
}

static void finish_text(const struct config_key *key, struct buf *text)
{
    if (key->kind == KEY_BASE_URL && text->len > 0 && text->ptr[text->len - 1u] == '/') {
        text->len--;
    }
    if (key->kind == KEY_LISTEN && span_equal(buf_span(text), SPAN("off"))) {
        buf_reset(text);
    }
    bool fits = buf_terminate(text);
    ASSERT(fits);
    if (key->kind == KEY_GUID) {
        lower(text->ptr);
    }
}

static void read_text(struct reading *r, const struct config_key *key, int node)
{
    // high is one less than the array, so there is always room for the NUL.
    uint32_t high = key->kind == KEY_GUID ? CONFIG_GUID_BYTES - 1u : key->high;
    struct buf text = buf_of(r->base + key->offset, high + 1u);
    enum rc rc = json_string(r->doc, node, &text);
    if (rc == RC_TOOBIG || text.len > high) {
        config_fault_key(r, key, "is too long");
    } else if (rc != RC_OK || !config_text_ok(key, buf_span(&text))) {
        config_fault_key(r, key, "has a wrong form");
    } else {
        finish_text(key, &text);
        return;
    }
    memset(r->base + key->offset, 0, high + 1u);
}

// ---- lists ------------------------------------------------------------------

static bool read_address(struct reading *r, const struct config_key *key, int node)
{
    struct config *c = r->config;
    struct address ignored;
    struct buf text = buf_of(c->sntp[c->sntp_count], CONFIG_ADDRESS_BYTES);
    if (json_string(r->doc, node, &text) != RC_OK ||
        address_parse(buf_span(&text), 1, &ignored) != RC_OK || !buf_terminate(&text)) {
        config_fault_key(r, key, "has an element of a wrong form");
        return false;
    }
    c->sntp_count++;
    return true;
}

static bool read_host(struct reading *r, const struct config_key *key, int node)
{
    struct config *c = r->config;
    struct buf text = buf_of(c->status_hosts[c->status_hosts_count], CONFIG_HOST_BYTES);
    if (json_string(r->doc, node, &text) != RC_OK || !config_host_ok(buf_span(&text)) ||
        !buf_terminate(&text)) {
        config_fault_key(r, key, "has an element of a wrong form");
        return false;
    }
    lower(text.ptr);
    c->status_hosts_count++;
    return true;
}

static bool read_permission(struct reading *r, const struct config_key *key, int node)
{
    char text[32];
    struct buf word = BUF(text);
    bool readable = json_string(r->doc, node, &word) == RC_OK;
    const struct choice *choice = readable ? find_choice(key, buf_span(&word)) : NULL;
    unsigned bit = choice == NULL ? 0 : 1u << (unsigned)choice->number;
    if (choice == NULL || (r->config->permissions & bit) != 0) {
        config_fault_key(
            r, key, choice == NULL ? "names an unknown permission" : "names a permission twice");
        return false;
    }
    r->config->permissions |= bit;
    return true;
}

static void read_list(struct reading *r, const struct config_key *key, int list)
{
    typedef bool element(struct reading *, const struct config_key *, int);
    element *read = key->kind == KEY_ADDRESSES ? read_address
                    : key->kind == KEY_HOSTS   ? read_host
                                               : read_permission;
    // A longer list of choices has one twice.
    unsigned most = key->kind == KEY_PERMISSIONS ? key->choices_count + 1u : key->high;
    if (!json_is_array(r->doc, list)) {
        config_fault_key(r, key, type_of(r->doc, list));
        return;
    }
    int node = json_first(r->doc, list);
    for (unsigned i = 0; node != JSON_NONE && i < most; i++) {
        if (!read(r, key, node)) {
            return;
        }
        node = json_next(r->doc, node);
    }
    if (node != JSON_NONE) {
        config_fault_key(r, key, "is too long");
    }
}

void config_read_value(struct reading *r, const struct config_key *key, int node)
{
    switch (key->kind) {
    case KEY_SECTION:
        if (!json_is_object(r->doc, node)) {
            config_fault_key(r, key, type_of(r->doc, node));
        }
        break;
    case KEY_LIST:
        if (!json_is_array(r->doc, node)) {
            config_fault_key(r, key, type_of(r->doc, node));
        }
        break;
    case KEY_U32:
        read_u32(r, key, node);
        break;
    case KEY_BOOL:
        read_bool(r, key, node);
        break;
    case KEY_ADDRESSES:
    case KEY_HOSTS:
    case KEY_PERMISSIONS:
        read_list(r, key, node);
        break;
    default:
        if (!json_is_string(r->doc, node)) {
            config_fault_key(r, key, type_of(r->doc, node));
        } else if (key->kind == KEY_ENUM || key->kind == KEY_WORD) {
            read_choice(r, key, node);
        } else {
            read_text(r, key, node);
        }
        break;
    }
}
