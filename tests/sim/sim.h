// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Power cuts: a scenario's workload is carried out and recorded once (trace.h), then for every
 * point in it the states that a cut there may leave (disk.h) are written and judged, each by the
 * real code, in processes that may crash.
 *   ANTEROOM_SIM_STATES  how many states a program tries (default: SIM_STATES_DEFAULT)
 *   ANTEROOM_SEED        another sequence
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_WHY_BYTES 160u

enum sim_verdict {
    SIM_SETTLED = 0, ///< nothing was under way, and what was acknowledged is there
    SIM_OLD,         ///< as before the operation that was under way
    SIM_NEW,         ///< as after it
    SIM_LOST,        ///< something acknowledged is not there, or it is a mix
    SIM_UNOPENABLE,
    SIM_KILLED, ///< the code was killed by a signal, or did not come to an end
    SIM_VERDICTS,
};

/// One state. Good ones are SIM_OLD or SIM_NEW by the version they show.
struct sim_cut {
    const char *dir;
    uint32_t old, new; ///< versions that are allowed
    uint64_t seed;
};

struct sim_scenario {
    const char *name;
    /// Carry the workload out in `dir`, naming the versions with trace_changes_to and trace_done.
    /// Returns the number of the operation from which on the power is cut.
    /// @param before  the cut of the workload before, which `dir` shows; NULL: it is empty.
    size_t (*record)(const char *dir, uint64_t seed, const struct sim_cut *before);
    /// Open what a cut left, compare it with the version, go on working with it.
    enum sim_verdict (*judge)(const struct sim_cut *cut, char why[static SIM_WHY_BYTES]);
    uint64_t states;         ///< at least so many, in as many workloads as that takes
    uint32_t states_a_point; ///< 2: none and all of what is pending; more: by chance
    bool chained;            ///< a workload goes on where a cut left the one before
    bool torn;               ///< sectors are not atomic
    bool control;            ///< negative: bad states are what is looked for, and not shown
};

struct sim_counts {
    uint64_t by[SIM_VERDICTS];
    uint64_t states;
};

/// Runs it and prints its row of the table, and the first bad states.
struct sim_counts sim_run(const struct sim_scenario *s);
uint64_t sim_bad(const struct sim_counts *c); ///< lost, unopenable, killed
/// `share` per mille of ANTEROOM_SIM_STATES (default SIM_STATES_DEFAULT).
uint64_t sim_states(unsigned share);

#endif
