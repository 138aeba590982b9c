// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Token store: keeps small secrets across reboots, unreadable off this device as far as the
 * backend can make it so, and holds the box's signing key.
 * Model:    named values in two-slot records; put replaces the whole value or changes nothing. The
 *           record's key is derived from one 32-byte key-encryption key (KEK) that the backend
 *           guards, and from the record's name; a record under another name does not open.
 *           The signing key (RSA-3072, or the TPM's largest) is made in the store, and
 *           hal_tokenstore_sign is its only use.
 * Memory:   struct tokenstore and secret memory (base/secret.h) for the KEK; callers own every
 *           buffer and wipe it.
 * Time:     a call waits up to TOKENSTORE_BLOCK_MS_MAX for another program that changes the store,
 *           and as long for each sequence of commands to a device (a get has none; opening, a
 *           signature, a delete, a put a few). Making a key takes up to TOKENSTORE_MAKE_MS_MAX.
 *           While the loop runs, anteroomd gets and signs, and puts seldom: a new refresh token,
 *           a credential that takes the other's place, a certificate once in years.
 * Others:   several processes may have the store open (anteroomctl beside anteroomd): a change
 *           locks the directory, and nothing is remembered between calls but the KEK.
 * Threads:  main thread only.
 * Backends: tpm2 (KEK sealed in a TPM 2.0, the signing key never outside of it), file (KEK made of
 *           a device key whose place the board names), ram (nothing outlives the handle: tests).
 *           All pass tests/contract/tokenstore.c.
 */
#ifndef HAL_TOKENSTORE_H
#define HAL_TOKENSTORE_H
#include <stdint.h>

#include "base/rc.h"
#include "base/secret.h"
#include "base/span.h"

#define TOKENSTORE_VALUE_BYTES_MAX     4096u ///< largest value
#define TOKENSTORE_NAME_BYTES_MAX      32u   ///< names: 1..32 of [a-z0-9-], first a letter
#define TOKENSTORE_RECORDS_MAX         32u   ///< values, a signing key in software among them
#define TOKENSTORE_DIGEST_BYTES        32u   ///< SHA-256
#define TOKENSTORE_SIGNATURE_BYTES_MAX 512u
#define TOKENSTORE_PUBLIC_BYTES_MAX    600u ///< SubjectPublicKeyInfo, DER
#define TOKENSTORE_BLOCK_MS_MAX        5000
#define TOKENSTORE_MAKE_MS_MAX         120000

/// How well the KEK is guarded, best first; lower is better and never gets worse in silence.
enum tokenstore_class {
    TOKENSTORE_CLASS_ILLEGAL = 0,
    TOKENSTORE_CLASS_TPM,  ///< sealed in a TPM
    TOKENSTORE_CLASS_FILE, ///< a device key in a file: against a copied disk only where it is not
                           ///< on that disk
    TOKENSTORE_CLASS_RAM,
};

enum tokenstore_signature {
    TOKENSTORE_SIGNATURE_ILLEGAL = 0,
    TOKENSTORE_PS256, ///< RSASSA-PSS, SHA-256, salt of 32 bytes (RFC 7518 3.5)
    TOKENSTORE_RS256, ///< RSASSA-PKCS1-v1_5, SHA-256: a TPM that salts PSS otherwise
};

/// What the store found out, besides its result.
struct tokenstore_findings {
    bool rolled_back; ///< records are older than the backend's counter says: restored from a copy;
                      ///< until the next change with by_person
    bool downgraded;  ///< the records were written under a better class than this backend's
    char missing[96]; ///< RC_UNSUPPORTED, RC_IO: what is not there, and the board's name for it
};

struct tokenstore {
    int dir_fd; ///< STATE/tokens; -1: closed
    enum tokenstore_class class;
    struct secret kek; ///< base/secret.h
    uintptr_t device;  ///< the backend's own
    uint32_t sign_ms;  ///< what the last signature took, where a device makes it
    /// false; the caller may set it after hal_tokenstore_attach: what it puts and deletes is put
    /// and deleted by a person, who was told of rolled_back. Other changes do not end that.
    bool by_person;
    /// Called often while a key is made, which may outlast a watchdog. NULL; the caller may set it
    /// after hal_tokenstore_attach.
    void (*while_waiting)(void *context);
    void *context;
};

/**
 * Open the device (the TPM), while we may still: before privileges are given up. Once, first.
 * @param found  filled, whatever the result.
 * @retval RC_UNSUPPORTED  the device that the board names is not there: never worked around.
 * @retval RC_DENIED       no permission.  @retval RC_IO @covtest
 */
RC hal_tokenstore_attach(struct tokenstore *t, struct tokenstore_findings *found);
/**
 * Open the store below the state directory, making it if it is not there.
 * @param state_fd  directory handle; borrowed for the call.
 * @param found     filled, whatever the result.
 * @retval RC_DENIED       it, or a file in it, can be read by others: refused, nothing is repaired.
 * @retval RC_STALE        the records were sealed for another state of the machine (PCRs): they
 *                         stay as they are.
 * @retval RC_RETRY        the device is busy or locked out for now, or another program changes the
 *                         store all the time.
 * @retval RC_CORRUPT      the KEK's own record or the manifest does not check: damaged, or from
 *                         another box, backend or device key. Nothing is begun anew by itself.
 * @retval RC_UNSUPPORTED  the device key is not there, or is none.
 * @retval RC_IO           the directory or the device fails. @covtest
 */
RC hal_tokenstore_open(struct tokenstore *t, int state_fd, struct tokenstore_findings *found);
/// As hal_tokenstore_open, but makes none. @retval RC_NOTFOUND  there is none yet; it is not open.
RC hal_tokenstore_look(struct tokenstore *t, int state_fd, struct tokenstore_findings *found);
void hal_tokenstore_close(struct tokenstore *t); ///< wipes the KEK; closing twice is fine

/// What a result of attach or open says to a person, and what they can do. Never NULL.
struct tokenstore_words {
    const char *what, *advice;
};
struct tokenstore_words hal_tokenstore_words(enum rc rc, const struct tokenstore_findings *found);

enum tokenstore_class hal_tokenstore_class(const struct tokenstore *t);
const char *hal_tokenstore_class_name(enum tokenstore_class c); ///< "tpm", "file", "ram"

/**
 * Replace a value. Durable on return: after a power cut the record holds the old or the new value,
 * never a mix. Written, flushed and read back before it counts.
 * @param value  1..TOKENSTORE_VALUE_BYTES_MAX bytes; borrowed for the call.
 * @retval RC_PARSE   the name breaks the rule above.
 * @retval RC_TOOBIG  value is longer than the maximum (or empty); nothing changed.
 * @retval RC_FULL    TOKENSTORE_RECORDS_MAX values are there, or the disk is full.
 * @retval RC_RETRY   the device or another program is busy for now; the old or the new value
 *                    stands.
 * @retval RC_CORRUPT the manifest does not check; nothing changed.
 * @retval RC_IO      device refused; the old or the new value stands. @covtest
 */
RC hal_tokenstore_put(struct tokenstore *t, struct span name, struct span value);
/**
 * Read a value, appended to out.
 * @retval RC_NOTFOUND  there is none. @retval RC_TOOBIG out has not enough room.
 * @retval RC_CORRUPT   no slot of the record checks (authenticated, its name included).
 * @retval RC_STALE     the record is older than the store knows: restored from a copy.
 * @retval RC_RETRY     another process is changing it at this moment.
 * @retval RC_DENIED    the file can be read by others. @retval RC_IO @covtest
 */
RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out);
/// Remove a value, durable on return. @retval RC_NOTFOUND there is none. @retval RC_IO @covtest
RC hal_tokenstore_delete(struct tokenstore *t, struct span name);

/**
 * Make the signing key if there is none (RC_OK, *made = false, if there is).
 * @retval RC_UNSUPPORTED  the device offers no RSA key of 2048 bits or more.
 * @retval RC_RETRY  the device is busy or locked out for now. @retval RC_IO @covtest
 */
RC hal_tokenstore_make_key(struct tokenstore *t, bool *made);
/// Remove the signing key, for good. @retval RC_NOTFOUND @retval RC_IO @covtest
RC hal_tokenstore_drop_key(struct tokenstore *t);
/// SubjectPublicKeyInfo of the signing key, DER, appended. @retval RC_NOTFOUND @retval RC_CORRUPT
/// @retval RC_TOOBIG @retval RC_IO @covtest
RC hal_tokenstore_public(struct tokenstore *t, struct buf *der);
/// The best signature that this key gives as RFC 7518 wants it; found out once, when it was made.
/// @retval RC_NOTFOUND no key. @retval RC_CORRUPT @retval RC_IO @covtest
RC hal_tokenstore_signs(struct tokenstore *t, enum tokenstore_signature *best);
/**
 * Sign a SHA-256 digest, appended to out.
 * @retval RC_NOTFOUND  no key.  @retval RC_TOOBIG  out has not enough room.
 * @retval RC_RETRY     the device is busy or locked out for now.
 * @retval RC_STALE     the machine is in another state than the key was made for (PCRs).
 * @retval RC_UNSUPPORTED  PS256 asked of a key that cannot.  @retval RC_CORRUPT  @retval RC_IO
 * @covtest
 */
RC hal_tokenstore_sign(struct tokenstore *t,
                       enum tokenstore_signature kind,
                       const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                       struct buf *out);

#endif
