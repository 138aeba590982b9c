// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Made-up snapshots: one for each thing that a page can show, the largest that there can be, and
 * one of an attacker's making.
 */
#ifndef TESTS_UNIT_STATUS_SNAPSHOTS_H
#define TESTS_UNIT_STATUS_SNAPSHOTS_H
#include "status/snapshot.h"

enum snapshots_scene {
    SCENE_UNCONFIGURED = 0,
    SCENE_AWAITING_CONSENT,
    SCENE_VALIDATING,
    SCENE_PROPAGATING,
    SCENE_COLLECTING,
    SCENE_DEGRADED,
    SCENE_ATTENTION,
    SCENE_SIGNING_IN, ///< by link: an address is to be pasted
    SCENE_DEVICE_CODE,
    SCENE_EXPIRING, ///< the next certificate waits to be uploaded
    SCENE_HOLDING,
    SCENE_NO_CONFIGURATION,
    SCENE_LARGEST,
    SCENE_HOSTILE,
    SCENE_EMPTY, ///< nothing is in it
    SCENES,
};

extern const char *const snapshots_names[SCENES]; ///< for files: "awaiting_consent", ...

/// s borrows from static memory of this file.
void snapshots_make(enum snapshots_scene scene, struct snapshot *s);

#endif
