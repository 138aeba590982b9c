// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What clock.c and clock_parse.c share: the proleptic Gregorian calendar, years 1 to 9999.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H
#include <stdint.h>

#define CALENDAR_MS_MIN (-62135596800000) ///< 0001-01-01T00:00:00.000Z
#define CALENDAR_MS_MAX 253402300799999   ///< 9999-12-31T23:59:59.999Z

/// Days from 1970-01-01 to a date. month 1..12, day 1..31.
int64_t calendar_days(int64_t year, int64_t month, int64_t day);

#endif
