// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Trust anchors for Entra ID and Graph: the few roots that Microsoft publishes, and no others.
 * Model:   read-only data, made at build time by tools/deps/roots.py from tools/deps/roots.lock.
 * Memory:  in the program's read-only pages.
 * Use:     add `roots` to DEPS of the module that reads it.
 */
#ifndef BASE_ROOTS_H
#define BASE_ROOTS_H

/** PEM certificates one after the other, ending with a NUL byte. */
extern const char roots_pem[];

/** Size of roots_pem in bytes, the final NUL included (Mbed TLS counts it, curl does not). */
extern const unsigned roots_pem_bytes;

#endif
