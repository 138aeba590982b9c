// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The box's setup code: who has it may ask something of the box on its page. Made once, shown by
 * anteroomctl setup-code and printed on the label of boxes that have one.
 * Format: "XXXX-XXXX", each X one of 32 characters that nobody mistakes for another (40 bits); in
 *         the record SETUP_CODE_NAME of the token store.
 */
#ifndef AUTH_SETUP_CODE_H
#define AUTH_SETUP_CODE_H
#include <stdbool.h>

#include "base/rc.h"
#include "hal/tokenstore.h"

#define SETUP_CODE_NAME  "setup-code"
#define SETUP_CODE_CHARS 9u

/// The code that is there. @param code  as below. @retval RC_NOTFOUND none, or it is no code.
/// @retval else  as the token store.
RC setup_code_read(struct tokenstore *store, char code[static SETUP_CODE_CHARS + 1u]);
/**
 * The code, made if there is none (or what is there is no code).
 * @param code  filled, with a NUL behind it. The caller wipes it.
 * @retval else  as the token store; there is no code then.
 */
RC setup_code_ensure(struct tokenstore *store, char code[static SETUP_CODE_CHARS + 1u], bool *made);
/// Another one takes the old one's place.
RC setup_code_renew(struct tokenstore *store, char code[static SETUP_CODE_CHARS + 1u]);

#endif
