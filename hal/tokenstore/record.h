// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Sealed records and their manifest, the same for every backend. Private to hal/tokenstore.
 * Model:   a file of two slots (base/slots.h) for each record, and ".manifest", which says for each
 *          record how new it must be. All numbers big endian.
 *   record    version (8 bits) | class (8) | epoch (64) | number (64) | random (32) | sealed | tag
 *             ChaCha20-Poly1305; nonce = number | random; bound to all before it, to the store and
 * to the name; key = HKDF(KEK, 'R' | epoch | store | name) manifest  'M' | version (8) | class (8)
 * | store (16 random bytes, made with it) | epoch (64) | last number (64) | count (8) | entries:
 * length (8), name, number (64), fresh (8) | HKDF(KEK, all before it) Nonces:  the manifest takes
 * the next number before a record is sealed with it, and is itself only authenticated. A power cut
 * or a weak random generator cannot repeat one. Nor can an older manifest, as the number is above
 * the old record's, too; of both restored from a copy, epoch or (without a counter) `random` has to
 * tell. A store that is begun anew has other keys. Put:     manifest takes a number (and lists a
 * new name as fresh: it may have no value yet), record into the older slot, manifest demands it,
 * and then both files once more, so that damage to one slot costs nothing. Rollback: an older
 * record than the manifest demands is RC_STALE, and so is one that it does not list. An older
 * manifest is found by its epoch, where the backend has a counter: each change raises it after the
 * manifest says so. A manifest that was found to be behind stays behind through changes that nobody
 * made (by_person): its records have the new epoch, it keeps its own.
 */
#ifndef TOKENSTORE_RECORD_H
#define TOKENSTORE_RECORD_H
#include "base/crypto.h"

#include "backend.h"

/// Version, class, epoch, number, random.
#define RECORD_HEADER_BYTES 22u
#define RECORD_BYTES_MAX    (RECORD_HEADER_BYTES + TOKENSTORE_VALUE_BYTES_MAX + CRYPTO_TAG_BYTES)
#define RECORD_STORE_BYTES  16u
#define RECORD_ENTRY_BYTES  (1u + TOKENSTORE_NAME_BYTES_MAX + 8u + 1u)

/// Of the manifest.
#define RECORD_MANIFEST_BYTES_MAX                                                                  \
    (20u + RECORD_STORE_BYTES + TOKENSTORE_RECORDS_MAX * RECORD_ENTRY_BYTES + SHA256_BYTES)

/// A name that no value can have.
#define RECORD_SIGNING_KEY ".signing-key"

/// Is there a manifest, and of which class does it say it is (not authenticated)?
/// @retval RC_NOTFOUND RC_DENIED RC_CORRUPT RC_IO
RC record_peek(struct tokenstore *t, enum tokenstore_class *stored);
/// Nobody else changes the directory until record_unlock. It goes with the descriptor, too.
/// @param how  LOCK_EX: waits up to TOKENSTORE_BLOCK_MS_MAX. LOCK_SH: does not.
/// @retval RC_RETRY  another program has it. @retval RC_IO
RC record_lock(const struct tokenstore *t, int how);
void record_unlock(const struct tokenstore *t);
/// Check the manifest, begin one if there is none, compare it with the counter. The
/// directory is locked, and has been since the look at what there is.
/// @param begun  there is a valid one: never begin anew.
RC record_open(struct tokenstore *t, bool begun, struct tokenstore_findings *found);
// As in hal/tokenstore.h; arguments were checked. name may be RECORD_SIGNING_KEY.
RC record_put(struct tokenstore *t, struct span name, struct span value);
RC record_get(struct tokenstore *t, struct span name, struct buf *out);
RC record_delete(struct tokenstore *t, struct span name);

/// Visit every file of a directory (of at most 1024), until one is not RC_OK. In front.c.
RC tokenstore_each_file(int dir_fd, RC (*visit)(int dir_fd, const char *name));

#endif
