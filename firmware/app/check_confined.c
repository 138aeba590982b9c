// SPDX-License-Identifier: Apache-2.0
#include "app/check_confined.h"

#include "app/app_state.h"

struct question {
    const char *what, *yes, *no; ///< what is asked, and what the answers mean
};

static const struct question questions[CHECK_CONFINED] = {
    {"filter of system calls",
     CONFIG_CONFINE_LAB
         ? "kernel: system calls are filtered, a foreign one is logged and let through"
         : "kernel: system calls are filtered, a foreign one ends the process",
     "use a kernel with CONFIG_SECCOMP_FILTER, and a container that allows it"},
    {"Landlock, files",
     "kernel: Landlock leaves the process its state directory and the resolver's files",
     "the process may open what its user may open; Linux 5.13 or newer with lsm=landlock has it"},
    {"Landlock, ports",
     "kernel: Landlock leaves the process the ports that it delivers to",
     "the process may connect to any port; Linux 6.7 or newer has it"},
    {"no new executable memory",
     "kernel: memory never becomes executable (MDWE, and the filter)",
     "the filter alone sees to it; Linux 6.3 or newer has it"},
    {"secret memory",
     "kernel: the device key is in memory that the kernel itself does not map (memfd_secret)",
     "locked pages are used; Linux 5.14 or newer has it, some want secretmem.enable=1"},
    {"locked memory",
     "kernel: the pool and the state that keys are kept in are never swapped out; the stack may be",
     "part of them may be, too; start anteroomd as root, or set LimitMEMLOCK to 16 MiB"},
};

void check_confined(struct confined_finding out[static CHECK_CONFINED])
{
    const struct confine_offer offer = confine_ask();
    const bool answers[CHECK_CONFINED] = {
        offer.filter,
        offer.landlock_abi > 0,
        offer.ports,
        offer.mdwe,
        offer.secret_memory,
        app_lockable(sizeof(struct app)),
    };
    for (unsigned i = 0; i < CHECK_CONFINED; i++) {
        const struct question *q = &questions[i];
        const enum confined_verdict without = i == 0 ? CONFINED_WRONG : CONFINED_NO;
        out[i] = answers[i] ? (struct confined_finding){CONFINED_YES, q->yes, ""}
                            : (struct confined_finding){without, q->what, q->no};
    }
}
