#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dependency rule: what may include what, and one owner file for each library.

The compiler enforces most of it (a module sees only the directories it declares); this check holds
the declarations themselves to the rule, and the includes inside one directory.
"""
import re
import sys

import files

MECHANISMS = {"json", "net", "spool", "loop", "sys"}
POLICIES = {"auth", "timesync", "graph", "ship", "config", "status"}
# sys is the voice of everything: log lines and the fault ring. net lives on the loop.
MECHANISM_EXTRA = {"net": {"loop", "sys"}, "spool": {"sys"}, "loop": {"sys"}}
# A policy sees every mechanism, and of the other policies only the plain struct of the
# configuration.
POLICY_HEADERS = {"config/config.h"}
# The one contract below which base itself has nothing: keys and nonces need randomness.
BASE_CRYPTO = r"firmware/base/crypto\w*\.c"
BASE_CRYPTO_HEADERS = {"hal/entropy.h"}
FENCES = {
    r"curl/": r"firmware/net/(http|verdict)\.c",
    r"(mbedtls|psa)/": r"firmware/(net/tls(_server)?\.c|base/crypto\w*\.[ch])",
    r"lmdb\.h": r"firmware/spool/spool\w*\.[ch]",
    r"zlib\.h": r"firmware/base/deflate\.c",
    r"jsmn\.h": r"firmware/json/json\.c",
    r"qrencode\.h": r"firmware/status/qr\.c",
    r"tss2/": r"hal/tokenstore/tpm2\w*\.[ch]",
}
C_HEADERS = set(
    "assert ctype errno float inttypes iso646 limits locale math signal stdalign stdarg "
    "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string time".split()
)
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.MULTILINE)
MODULE = re.compile(r"anteroom_module\(\s*(\w+)\s+LAYER\s+(\w+)([^)]*)\)")


def allowed_tops(path):
    """First path components that a file of the tree may include with quotes."""
    parts = path.parts
    if parts[0] == "include":
        return {"base": {"base"}, "hal": {"base", "hal"}, "board": {"base", "hal", "board"}}[
            parts[1]
        ]
    if parts[0] == "hal":
        # The sandbox board's devices live in one place.
        place = {"sandbox"} if path.name == "sandbox.c" else set()
        return {"base", "hal", parts[1]} | place
    if parts[0] == "board":
        return {"base", "hal", "board"}
    module = parts[1]
    if module == "base":
        return {"base"}
    if module in MECHANISMS:
        return {"base", "hal", module} | MECHANISM_EXTRA.get(module, set())
    if module in POLICIES:
        return {"base", "hal", module} | MECHANISMS
    return {"base", "hal", "board", "app"} | MECHANISMS | POLICIES


def include_faults(path):
    faults = []
    text = files.read(path)
    for quote, name in INCLUDE.findall(text):
        if quote == "<":
            for library, owner in FENCES.items():
                if re.match(library, name) and not re.fullmatch(owner, path.as_posix()):
                    faults.append(f"{path}: <{name}> belongs into {owner} only")
            if path.is_relative_to("include/base") and name.removesuffix(".h") not in C_HEADERS:
                faults.append(f"{path}: <{name}> is not a C standard header")
        elif "/" in name:
            extra = set(POLICY_HEADERS)
            if re.fullmatch(BASE_CRYPTO, path.as_posix()):
                extra |= BASE_CRYPTO_HEADERS
            if name.partition("/")[0] not in allowed_tops(path) and name not in extra:
                faults.append(f'{path}: must not include "{name}"')
        elif name != "autoconf.h" and not (files.ROOT / path.parent / name).is_file():
            faults.append(f'{path}: "{name}" is not in its own directory')
    return faults


def declared_faults(path):
    """DEPS of a module against the same rule."""
    faults = []
    for name, layer, rest in MODULE.findall(files.read(path)):
        match = re.search(r"\bDEPS\b((?:\s+[a-z_0-9]+)*)", rest)
        deps = set(match.group(1).split()) if match else set()
        allowed = {
            "base": {"base", "roots"},
            "hal": {"base", "sandbox"} if name.endswith("_sandbox") else {"base"},
            "board": {"base"},
            "mechanism": {"base", "roots"} | MECHANISM_EXTRA.get(name, set()),
            "policy": {"base", "roots", "config"} | MECHANISMS,
        }.get(layer)
        if allowed is not None and deps - allowed:
            faults.append(
                f"{path}: {name} ({layer}) must not depend on {', '.join(sorted(deps - allowed))}"
            )
    return faults


def main():
    faults = []
    for path in files.sources(".c", ".h", under=("firmware", "hal", "include", "board")):
        faults += include_faults(path)
    for path in files.all_files():
        if path.name == "CMakeLists.txt" and path.parts[0] in ("firmware", "hal", "board"):
            faults += declared_faults(path)
    return files.report("layers", faults)


if __name__ == "__main__":
    sys.exit(main())
