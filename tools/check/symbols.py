#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our objects call no allocator, and carry the stack protector. The compiler's output counts.

usage: symbols.py BUILD     BUILD: build/target-tests, whose archives are compiled without LTO
"""
import pathlib
import re
import subprocess
import sys

import files

ALLOCATORS = set(
    "malloc calloc realloc reallocarray free aligned_alloc memalign posix_memalign valloc strdup "
    "strndup asprintf vasprintf getline getdelim open_memstream scandir".split()
)
OWNER = "heap.c"  # the pool itself
# A build without the flag has none at all; below this share something is off.
PROTECTED_OBJECTS_MIN = 10


def undefined(archive):
    """(object file, symbol) of every reference that an archive leaves open."""
    out = subprocess.run(
        ["nm", "--undefined-only", str(archive)], capture_output=True, text=True, check=True
    ).stdout
    member = ""
    for line in out.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line.split():
            yield member, line.split()[-1]


def main():
    build = pathlib.Path(sys.argv[1])
    archives = sorted(
        path for top in ("firmware", "hal", "board") for path in (build / top).rglob("lib*.a")
    )
    if not archives:
        return files.report("symbols", [f"no archives in {build}"])
    faults, protected = [], set()
    for archive in archives:
        for member, symbol in undefined(archive):
            if symbol in ALLOCATORS and not re.match(rf"{re.escape(OWNER)}\b", member):
                faults.append(f"{archive.name}({member}) calls {symbol}")
            if symbol == "__stack_chk_fail":
                protected.add((archive.name, member))
    if len(protected) < PROTECTED_OBJECTS_MIN:
        faults.append(f"only {len(protected)} objects carry the stack protector")
    print(f"symbols: {len(archives)} archives, {len(protected)} objects with stack protector")
    return files.report("symbols", faults)


if __name__ == "__main__":
    sys.exit(main())
