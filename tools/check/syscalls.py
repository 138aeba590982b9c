#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of system calls of firmware/sys/syscalls_ARCH.h: held against traces, or made of them.

  syscalls.py TRACE ...           fail if a trace has a call that neither list nor rules know
  syscalls.py --write TRACE ...   add what the traces have; calls with a rule stay in the rules

A trace is what `strace -f -o FILE anteroomd ...` writes; what counts is what comes after the
filter. The system tests make one each with ANTEROOM_TRACE=DIRECTORY in the environment; use a
board with CONFIG_CONFINE_LAB=y for it, which says what it misses and goes on.
"""
import argparse
import pathlib
import platform
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILTER = ROOT / "firmware/sys/confine_filter.c"
# What no trace shows, or only some machine's or some day's, and why it must not be a surprise.
BY_DESIGN = {
    "adjtimex": "is the clock synchronised",
    "bind": "name lookup",
    "clock_gettime": "a clock that the vdso does not have",
    "epoll_wait": "kernels without epoll_pwait",
    "eventfd2": "the library's lookups wake the loop",
    "exit": "end of a lookup's thread",
    "flock": "token store: a second look at what seems damaged",
    "fstatfs": "room on the disk",
    "fsync": "small records",
    "futex": "locks, waiting for a thread",
    "membarrier": "threads of musl",
    "mlock2": "pages that were given back are locked again before Linux 5.18",
    "munlock": "likewise",
    "newfstatat": "files by name",
    "open": "files of the resolver",
    "ppoll": "poll of newer C libraries",
    "pread64": "small records",
    "readv": "stdio: files of the resolver",
    "recvmsg": "name lookup of newer C libraries",
    "renameat": "a file that is made whole under another name",
    "restart_syscall": "a wait that a stop signal interrupted",
    "rt_sigaction": "abort",
    "rt_sigprocmask": "making a thread, abort",
    "rt_sigreturn": "end of a signal handler",
    "sched_yield": "locks under contention",
    "shutdown": "connections",
    "statx": "stat of newer C libraries",
    "unlinkat": "what such a file left behind",
}


def header_of(machine):
    return ROOT / ("firmware/sys/syscalls_%s.h" % machine)


def listed(header, part):
    text = header.read_text() if header.exists() else ""
    found = re.search(r"#define %s\(X\)(.*?[^\\])\n" % part, text, re.S)
    return set(re.findall(r"X\((\w+)\)", found.group(1))) if found else set()


def ruled():
    return set(re.findall(r"\{SYS_(\w+),", FILTER.read_text()))


def traced(path):
    """Names of the calls after the filter was installed, in any thread."""
    names, locked = set(), False
    for line in pathlib.Path(path).read_text(errors="replace").splitlines():
        call = re.match(r"(?:\d+ +)?(?:<\.\.\. )?(\w+)(?:\(| resumed)", line)
        if not call:
            continue
        if locked:
            names.add(call.group(1))
        locked = locked or "seccomp(SECCOMP_SET_MODE_FILTER" in line
    return names


def macro(name, calls):
    rows = ["#define %s(X)" % name] + ["    X(%s)" % call for call in sorted(calls)]
    width = 99
    return "\n".join(row.ljust(width) + "\\" for row in rows[:-1]) + "\n" + rows[-1] + "\n"


def write(header, machine, seen):
    known = ruled()
    rare = set(BY_DESIGN) - seen
    why = "".join("//   %-16s %s\n" % (name, BY_DESIGN[name]) for name in sorted(rare))
    header.write_text(
        "// SPDX-License-Identifier: Apache-2.0\n"
        "// System calls of a running box on %s; made by tools/check/syscalls.py, see there.\n"
        "// Calls that are allowed with some arguments only stand in confine_filter.c.\n"
        "#ifndef SYS_SYSCALLS_H\n#define SYS_SYSCALLS_H\n\n"
        "// Seen in traces of the system tests.\n%s\n// Seen by chance only:\n%s%s\n#endif\n"
        % (machine, macro("SYSCALLS_SEEN", seen - known), why,
           macro("SYSCALLS_BY_DESIGN", rare - known)))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--machine", default=platform.machine())
    p.add_argument("--write", action="store_true")
    p.add_argument("traces", nargs="+", metavar="TRACE")
    args = p.parse_args()
    header = header_of(args.machine)
    seen = set().union(*(traced(path) for path in args.traces))
    if not seen:
        print("syscalls: no trace has a filter in it: was it made with strace -f?")
        return 1
    old = listed(header, "SYSCALLS_SEEN")
    if args.write:
        write(header, args.machine, seen | old)
        return 0
    unknown = seen - old - listed(header, "SYSCALLS_BY_DESIGN") - ruled()
    if unknown:
        print("syscalls: not in %s: %s" % (header.relative_to(ROOT), " ".join(sorted(unknown))))
    counts = (len(seen), len(args.traces), len(unknown))
    print("syscalls: %d calls in %d traces, %d unknown" % counts)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
