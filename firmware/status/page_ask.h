// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The half of the page that asks something of a person: what is to be done, and the form.
 */
#ifndef STATUS_PAGE_ASK_H
#define STATUS_PAGE_ASK_H
#include "status/render.h"

/// Consent, certificates to upload, sign-in under way; hidden if there is nothing to do.
/// @return where in b the QR code of the consent link belongs; 0: nowhere.
size_t page_to_do(struct buf *b, const struct snapshot *s);
/// The setup code and what it allows; hidden if there is nothing that it could be used for.
void page_form(struct buf *b, const struct snapshot *s, const struct render_page *page);

#endif
