// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What of a person's sign-in outlives a restart: two records of the token store, each a time (ISO
 * 8601), a blank, whom it is about (life_subject: of a box that is configured for another tenant or
 * application, nobody's name is shown there and nobody's token sent), a line end, and the refresh
 * token or the name.
 */
#ifndef AUTH_SIGNIN_KEEP_H
#define AUTH_SIGNIN_KEEP_H
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

#define SIGNIN_DATE_BYTES        36u ///< with what stands beside it, and the line end
#define SIGNIN_REFRESH_BYTES_MAX (TOKENSTORE_VALUE_BYTES_MAX - SIGNIN_DATE_BYTES)

/// Durable on return. @retval RC_TOOBIG text has no room beside the time. @retval else as
/// hal_tokenstore_put.
RC signin_keep(struct tokenstore *store,
               const char *name,
               uint32_t subject,
               int64_t wall_ms,
               struct span text);
/// @param text  appended. @retval RC_CORRUPT not what signin_keep wrote. @retval RC_STALE it is
/// about another subject. @retval else as hal_tokenstore_get.
RC signin_recall(struct tokenstore *store,
                 const char *name,
                 uint32_t subject,
                 int64_t *wall_ms,
                 struct buf *text);
/// RC_OK also if there is none. @retval else as hal_tokenstore_delete.
RC signin_forget(struct tokenstore *store, const char *name);

#endif
