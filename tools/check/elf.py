#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Read a finished binary: true static-PIE, hardened, within its size.

usage: elf.py BINARY ...      (its .debug file lies beside it)

Several ways of building fail in silence (a dynamic PIE, the wrong C library), so only the result
counts.
"""
import json
import pathlib
import re
import subprocess
import sys

import files

BUDGET = files.ROOT / "tests/data/budget.json"
STACK_CHECKS_MIN = 50  # calls of __stack_chk_fail in the program; there are several hundred
FORBIDDEN = ("execve", "execv", "execvp", "posix_spawn", "system", "popen", "dlopen")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def header_faults(binary):
    faults = []
    if not re.search(r"Type:\s+DYN", run("readelf", "-hW", binary)):
        faults.append("is not position independent")
    segments = run("readelf", "-lW", binary)
    if "INTERP" in segments:
        faults.append("asks for a dynamic loader (INTERP)")
    if "GNU_RELRO" not in segments:
        faults.append("has no RELRO")
    stack = re.search(r"GNU_STACK.*", segments)
    if not stack or "E" in stack.group(0).split()[-2]:
        faults.append("has an executable stack")
    if re.search(r"LOAD.* RWE ", segments):
        faults.append("has a writable and executable segment")
    dynamic = run("readelf", "-dW", binary)
    for word, meaning in (
        ("(NEEDED)", "needs a shared library"),
        ("TEXTREL", "has text relocations"),
    ):
        if word in dynamic:
            faults.append(meaning)
    if "BIND_NOW" not in dynamic or not re.search(r"FLAGS_1.*NOW.*PIE", dynamic):
        faults.append("lacks BIND_NOW or the PIE flag")
    return faults


def symbol_faults(binary):
    """The debug file knows the names, the stripped binary holds the code."""
    faults = []
    names = {}
    for line in run("nm", f"{binary}.debug").splitlines():
        fields = line.split()
        if len(fields) == 3:
            names[fields[2]] = int(fields[0], 16)
    for name in FORBIDDEN:
        if name in names:
            faults.append(f"contains {name}()")
    target = names.get("__stack_chk_fail")
    calls = 0
    if target is not None:
        calls = len(
            re.findall(
                rf"call\s+(?:0x)?{target:x}\b", run("objdump", "-d", "--no-show-raw-insn", binary)
            )
        )
    if calls < STACK_CHECKS_MIN:
        faults.append(f"checks its stack in {calls} places only")
    if re.search(rb"/(work|root|home)/", pathlib.Path(binary).read_bytes()):
        faults.append("contains a path of the building machine")
    return faults, calls


def size_limit(binary, budget):
    """Bytes that the firmware may have; anteroomctl runs elsewhere."""
    if pathlib.Path(binary).name != "anteroomd":
        return None
    return budget.get("size_bytes", {}).get("max")


def main():
    budget = json.loads(BUDGET.read_text()) if BUDGET.is_file() else {}
    faults = []
    for binary in sys.argv[1:]:
        found, calls = symbol_faults(binary)
        found = header_faults(binary) + found
        size = pathlib.Path(binary).stat().st_size
        limit = size_limit(binary, budget)
        if limit is not None and size > limit:
            found.append(f"is {size} bytes, at most {limit}")
        print(f"elf: {binary}: {size} bytes{f' of {limit}' if limit else ''}, {calls} stack checks")
        faults += [f"{binary} {fault}" for fault in found]
    return files.report("elf", faults)


if __name__ == "__main__":
    sys.exit(main())
