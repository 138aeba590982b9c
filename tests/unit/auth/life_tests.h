// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Tests of one program in several files: life.c, which has the table, runs them all.
 */
#ifndef TESTS_UNIT_AUTH_LIFE_TESTS_H
#define TESTS_UNIT_AUTH_LIFE_TESTS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern const struct CMUnitTest life_consent_tests[], life_signin_tests[];
extern const size_t life_consent_tests_count, life_signin_tests_count;

#endif
