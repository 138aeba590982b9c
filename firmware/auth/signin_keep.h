// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What of a person's sign-in outlives a restart: two records of the token store, each a time (ISO
 * 8601), a line end, and the refresh token or the name.
 */
#ifndef AUTH_SIGNIN_KEEP_H
#define AUTH_SIGNIN_KEEP_H
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

#define SIGNIN_DATE_BYTES        25u ///< with its line end
#define SIGNIN_REFRESH_BYTES_MAX (TOKENSTORE_VALUE_BYTES_MAX - SIGNIN_DATE_BYTES)

/// Durable on return. @retval RC_TOOBIG text has no room beside the time. @retval else as
/// hal_tokenstore_put.
RC signin_keep(struct tokenstore *store, const char *name, int64_t wall_ms, struct span text);
/// @param text  appended. @retval RC_CORRUPT not what signin_keep wrote. @retval else as
/// hal_tokenstore_get.
RC signin_recall(struct tokenstore *store, const char *name, int64_t *wall_ms, struct buf *text);
/// RC_OK also if there is none. @retval else as hal_tokenstore_delete.
RC signin_forget(struct tokenstore *store, const char *name);

#endif
