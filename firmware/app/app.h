// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The composition: all memory of the program, start, turns, stop.
 */
#ifndef APP_APP_H
#define APP_APP_H
#include "app/options.h"

struct app;

/// The one instance; CONFIG_APP_RAM_KIB bounds it at compile time.
struct app *app_instance(void);
/// Everything from options to exit code: start, run until told or idle, stop.
enum exit_code app_main(struct app *app, const struct options *options);

#endif
