#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Limits of size and shape, banned calls, files that nothing builds."""
import re
import sys

import files

FILE_LINES_MAX = 600
HEADER_LINES_MAX = 200
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 5
NESTING_MAX = 3
COLUMNS_MAX = 100

ALLOCATORS = (
    "malloc calloc realloc reallocarray free aligned_alloc posix_memalign strdup strndup "
    "asprintf vasprintf"
)
BANNED = (
    "alloca strcpy strncpy stpcpy strcat strncat sprintf vsprintf strtok strtok_r atoi atol atoll "
    "atof system popen sleep usleep nanosleep time rand srand random localtime localtime_r gets "
    "setjmp longjmp sigsetjmp siglongjmp"
)
ALLOCATOR_OWNER = "firmware/sys/heap.c"
CALL = r"(?<![\w.>])({})\s*\("
ALLOCATOR_CALL = re.compile(CALL.format(ALLOCATORS.replace(" ", "|")))
BANNED_CALL = re.compile(CALL.format(BANNED.replace(" ", "|")))
# Comparing a secret takes as long as it agrees: base/crypto.h has a comparison in constant time.
SECRET_COMPARE = re.compile(r"\bmemcmp\s*\([^;]*(secret|token|password|passphrase)", re.IGNORECASE)
FUNCTION_START = re.compile(r"^[A-Za-z_][^;{}#]*\([^;{}]*\)\s*\n\{\n", re.MULTILINE)


def parameters_count(signature):
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    depth, count = 0, 1
    for character in inside:
        depth += (character == "(") - (character == ")")
        count += character == "," and depth == 0
    return 0 if inside.strip() in ("", "void") else count


def nesting(body):
    """Deepest block in a function body; braces of initialisers do not count."""
    deepest, stack = 0, []
    for match in re.finditer(r"[{}]", body):
        if match.group(0) == "{":
            before = body[: match.start()].rstrip()
            stack.append(
                bool(re.search(r"(\)|\belse|\bdo)$", before)) and not before.endswith("})")
            )
            deepest = max(deepest, sum(stack))
        elif stack:
            stack.pop()
    return deepest


def function_faults(path, code):
    faults = []
    for match in FUNCTION_START.finditer(code):
        end = code.find("\n}", match.end() - 1)
        if end < 0:
            continue
        signature = match.group(0).rsplit("{", 1)[0].strip()
        names = re.findall(r"(\w+)\s*\(", signature)
        name = next(each for each in names if each not in ("__attribute__", "format"))
        number = code.count("\n", 0, match.start()) + 1
        where = f"{path}:{number}: {name}()"
        lines = code.count("\n", match.start(), end) + 2
        if lines > FUNCTION_LINES_MAX:
            faults.append(f"{where} has {lines} lines, at most {FUNCTION_LINES_MAX}")
        if parameters_count(signature) > PARAMETERS_MAX:
            faults.append(f"{where} has more than {PARAMETERS_MAX} parameters")
        depth = nesting(code[match.end() : end])
        if depth > NESTING_MAX:
            faults.append(f"{where} nests {depth} deep, at most {NESTING_MAX}")
    return faults


def banned_faults(path, code):
    faults = []
    for number, line in enumerate(code.splitlines(), 1):
        where = f"{path}:{number}:"
        if path.as_posix() != ALLOCATOR_OWNER and ALLOCATOR_CALL.search(line):
            faults.append(f"{where} our code calls no allocator: {line.strip()}")
        if BANNED_CALL.search(line):
            faults.append(f"{where} banned call: {line.strip()}")
        if SECRET_COMPARE.search(line):
            faults.append(f"{where} memcmp on a secret: {line.strip()}")
        if re.match(r"\s*#\s*(ifdef|ifndef|if|elif)\b.*\bCONFIG_", line) and path.suffix == ".c":
            faults.append(f"{where} no conditional compilation by CONFIG_: use if (CONFIG_X)")
    return faults


def line_faults(path, text, lines_max):
    faults = []
    lines = text.splitlines()
    if len(lines) > lines_max:
        faults.append(f"{path}: {len(lines)} lines, at most {lines_max}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            faults.append(f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}")
        if re.search(r"\b(TODO|FIXME|XXX)\b", line) and path.parts[:2] != ("tools", "check"):
            faults.append(f"{path}:{number}: unfinished business does not belong into the source")
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
        faults.append(f"{path}: no SPDX-License-Identifier at its top")
    return faults


def dead_files():
    """C sources that no CMakeLists.txt names."""
    built = "\n".join(
        files.read(path) for path in files.all_files() if path.name == "CMakeLists.txt"
    )
    return [
        f"{path}: no CMakeLists.txt names it"
        for path in files.sources(".c")
        if not re.search(rf"(?<![\w-]){re.escape(path.name)}\b", built)
    ]


def main():
    faults = dead_files()
    for path in files.sources(".c", ".h", ".py", ".sh", ".cmake"):
        text = files.read(path)
        faults += line_faults(
            path, text, HEADER_LINES_MAX if path.suffix == ".h" else FILE_LINES_MAX
        )
        if path.suffix in (".c", ".h"):
            code = files.blank_comments_and_strings(text)
            faults += function_faults(path, code)
            if any(path.is_relative_to(top) for top in files.CODE):
                faults += banned_faults(path, code)
    return files.report("tidy", faults)


if __name__ == "__main__":
    sys.exit(main())
