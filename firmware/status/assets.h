// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Style and script of the page (page.css, page.js) and the policy that allows these bytes and no
 * others; made by tools/cmake/embed.py when the firmware is built.
 */
#ifndef STATUS_ASSETS_H
#define STATUS_ASSETS_H
#include "base/span.h"

extern const struct span assets_css, assets_js, assets_policy;

#endif
