// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The record of the token store in which struct life_kept outlives a restart: lines of text, with
 * a version, strict. It is about one tenant and application: with others a life begins anew.
 */
#ifndef AUTH_LIFE_KEPT_H
#define AUTH_LIFE_KEPT_H
#include "base/rc.h"
#include "hal/tokenstore.h"

#include "auth/life.h"

#define LIFE_KEPT_NAME      "life" ///< in the token store
#define LIFE_KEPT_BYTES_MAX 256u
// The record says what the box is about to whoever has no configuration beside it (anteroomctl): a
// box that is about something else now writes it anew at its start.

/// What the record is about: cloud, tenant and application of the configuration.
uint32_t life_subject(const struct config *c);
void life_write(const struct life_kept *kept, uint32_t subject, struct buf *out);
/// Of version 1, too, which had one first 403 for all permissions together.
/// @param kept  untouched unless RC_OK. @retval RC_PARSE unreadable, or of another version.
/// @retval RC_STALE it is about another tenant or application. In both cases: as if there were
/// none.
RC life_read(struct span text, uint32_t subject, struct life_kept *kept);

/// From the token store. @param kept  filled, whatever the result: unless one was read, it is a
/// life that begins. @retval RC_OK also if there is none. @retval RC_STALE it is about another
/// tenant or application. @retval RC_PARSE RC_CORRUPT RC_RETRY RC_IO RC_DENIED RC_TOOBIG it cannot
/// be read.
RC life_load(struct tokenstore *store, const struct config *c, struct life_kept *kept);
/// @retval as hal_tokenstore_put.
RC life_save(struct tokenstore *store, const struct config *c, const struct life_kept *kept);

#endif
