// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the token store asks of a backend. Private to hal/tokenstore.
 *   front.c   argument checks, directory, and the calls of hal/tokenstore.h
 *   record.c  records and the manifest: the same for all backends (record.h)
 *   softkey.c a signing key in software, for backends that have no better one: it defines the
 *             five functions "signing key" below
 *   file.c, ram.c, tpm2*.c: the backends; each defines all of this file (with softkey.c or not)
 * A module is front.c + record.c + one backend (+ softkey.c), chosen by CMake; bound at link time.
 *
 * Model:   the backend guards one KEK of TOKENSTORE_KEK_BYTES. Everything else that is stored is
 *          sealed under keys that are derived from it. What a backend needs to keep for itself
 *          (sealed blobs) goes into t->dir_fd by base/slots.h, under a name that begins with a dot
 *          and the backend's own name (".tpm2-kek"): names of values never begin so.
 * State:   t->device is the backend's own. t->dir_fd and t->kek are opened and closed by front.c.
 * Missing: `missing` takes what is not there in words, with the board's name for it
 *          ("TPM: /dev/tpmrm0 (TPM_DEVICE) is not there").
 * Threads: main thread only.
 */
#ifndef TOKENSTORE_BACKEND_H
#define TOKENSTORE_BACKEND_H
#include "hal/tokenstore.h"

#define TOKENSTORE_KEK_BYTES 32u

enum tokenstore_class backend_class(void);

/// hal_tokenstore_attach: open the device. t is cleared before (dir_fd -1, device 0).
/// No crypto library is set up yet and a child is still to be forked: take no key into memory.
RC backend_attach(struct tokenstore *t, struct buf *missing);
/**
 * Bring the KEK into t->kek.ptr[0..TOKENSTORE_KEK_BYTES) (secret memory, zero). t->dir_fd is open;
 * the crypto library is set up.
 * @param state_fd  of STATE; borrowed.
 * @param begun     the store has a manifest: the KEK exists, and is never made anew. Otherwise the
 *                  backend makes it if it has none, durable on return.
 * @retval RC_UNSUPPORTED RC_IO (say what in `missing`), RC_DENIED, RC_STALE, RC_RETRY, RC_CORRUPT:
 *                  as hal_tokenstore_open
 */
RC backend_open(struct tokenstore *t, int state_fd, bool begun, struct buf *missing);
/// Release the device. Called once for each attach, in whatever state; t->device is then cleared.
void backend_close(struct tokenstore *t);

/// The monotonic counter that only grows, whatever happens to the disk. Read once at open and once
/// for each put and delete. @retval RC_UNSUPPORTED this backend has none. @retval RC_RETRY RC_IO
RC backend_counter(struct tokenstore *t, uint64_t *value);
/// Raise it to at least `to`, which is one more than it was except after a power cut. Called after
/// the records of this value are durable. Never called where backend_counter has none.
RC backend_raise(struct tokenstore *t, uint64_t to);

// ---- signing key: as the calls of the same name in hal/tokenstore.h; arguments were checked ----

RC backend_make_key(struct tokenstore *t, bool *made);
RC backend_drop_key(struct tokenstore *t);
RC backend_public(struct tokenstore *t, struct buf *der);
RC backend_signs(struct tokenstore *t, enum tokenstore_signature *best);
RC backend_sign(struct tokenstore *t,
                enum tokenstore_signature kind,
                const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                struct buf *out);

#endif
