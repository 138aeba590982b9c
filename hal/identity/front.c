// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/assert.h"
#include "base/crypto.h"
#include "base/device.h"
#include "hal/identity.h"

#include "backend.h"

#define ENDS_BYTES 4u // of a line, of a text: not of the serial number
#define SHOWN_MAX  (sizeof(((struct identity *)NULL)->serial_end) - 1u)

/// What makers leave in the field when they have nothing to put there.
static const char *const placeholders[] = {
    "To be filled by O.E.M.",
    "To be filled by O.E.M",
    "Default string",
    "System Serial Number",
    "Serial Number",
    "Chassis Serial Number",
    "Not Specified",
    "Not Applicable",
    "Not Available",
    "None",
    "N/A",
    "Unknown",
    "Invalid",
    "Empty",
    "OEM",
    "O.E.M.",
    "0123456789",
    "1234567890",
    "123456789",
    "0123456789ABCDEF",
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = span_sub(s, 1, s.len);
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1u])) {
        s.len--;
    }
    return s;
}

static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool is_one_character(struct span s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] != s.ptr[0]) {
            return false;
        }
    }
    return true;
}

static bool is_placeholder(struct span serial)
{
    for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
        if (span_equal_nocase(serial, span_from_str(placeholders[i]))) {
            return true;
        }
    }
    return is_one_character(serial);
}

static void take(struct identity *i, struct span serial)
{
    char bytes[IDENTITY_SERIAL_BYTES_MAX + sizeof(CONFIG_BOARD_NAME) + 1u];
    struct buf b = BUF(bytes);
    buf_put(&b, serial);
    buf_put_char(&b, '|');
    buf_put_str(&b, CONFIG_BOARD_NAME);
    ASSERT(buf_ok(&b));
    sha256(buf_span(&b), i->serial_sha256);
    buf_wipe(&b);
    size_t shown = serial.len / 2u < SHOWN_MAX ? serial.len / 2u : SHOWN_MAX;
    memcpy(i->serial_end, serial.ptr + serial.len - shown, shown);
}

RC hal_identity_read(struct identity *i, int state_fd)
{
    char bytes[IDENTITY_SERIAL_BYTES_MAX + ENDS_BYTES];
    struct buf b = BUF(bytes);
    memset(i, 0, sizeof(*i));
    i->board = CONFIG_BOARD_NAME;
    TRY(identity_backend_serial(i, state_fd, &b));
    struct span serial = trim(buf_span(&b));
    const char *fault = NULL;
    if (serial.len == 0) {
        fault = "empty";
    } else if (serial.len > IDENTITY_SERIAL_BYTES_MAX) {
        fault = "too long";
    } else if (!is_printable(serial)) {
        fault = "not a text";
    } else if (is_placeholder(serial)) {
        fault = "the maker left it unfilled";
    }
    if (fault == NULL) {
        take(i, serial);
    } else {
        device_say(i->missing, identity_backend_place(), identity_backend_option(), fault);
    }
    buf_wipe(&b);
    return fault == NULL ? RC_OK : RC_UNSUPPORTED;
}
