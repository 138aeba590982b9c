#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn Kconfig and a board's defconfig into .config, autoconf.h and config.cmake.

Stricter than kconfiglib's own commands: a symbol that Kconfig does not know, a value out of range
or a value that did not take effect is an error. A bool that is off is defined as 0, so that
`if (CONFIG_X)` compiles.
"""
import argparse
import os
import pathlib
import sys

import kconfiglib


def write_if_changed(path, text):
    """Keep the time stamp of an unchanged file: every object depends on autoconf.h."""
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def load(kconfig, defconfig, epoch):
    os.environ["ANTEROOM_BUILD_EPOCH"] = str(epoch)
    config = kconfiglib.Kconfig(str(kconfig), warn_to_stderr=False)
    config.warn_assign_undef = True
    config.load_config(str(defconfig))
    faults = list(config.warnings)
    for symbol in config.unique_defined_syms:
        if symbol.user_value is None:
            continue
        wanted = symbol.user_value
        if symbol.type == kconfiglib.BOOL:
            wanted = kconfiglib.TRI_TO_STR[wanted]
        if symbol.str_value != wanted:
            faults.append(f"{symbol.name}: asked for {wanted}, got {symbol.str_value}")
    return config, faults


def value_in_c(symbol):
    if symbol.type == kconfiglib.BOOL:
        return "1" if symbol.str_value == "y" else "0"
    if symbol.type == kconfiglib.STRING:
        return '"' + kconfiglib.escape(symbol.str_value) + '"'
    return symbol.str_value


def header(config):
    lines = ["/* Made by tools/kconfig/generate.py from Kconfig and the board's defconfig. */"]
    lines += [
        f"#define CONFIG_{symbol.name} {value_in_c(symbol)}"
        for symbol in config.unique_defined_syms
    ]
    return "\n".join(lines) + "\n"


def fragment(config):
    return "".join(
        f"set(CONFIG_{symbol.name} {value_in_c(symbol)})\n" for symbol in config.unique_defined_syms
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kconfig", type=pathlib.Path, required=True)
    parser.add_argument("--defconfig", type=pathlib.Path, required=True)
    parser.add_argument("--epoch", type=int, required=True, help="day of the last commit, seconds")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="build directory")
    arguments = parser.parse_args()
    try:
        config, faults = load(arguments.kconfig, arguments.defconfig, arguments.epoch)
    except kconfiglib.KconfigError as error:
        faults = [str(error)]
    if faults:
        print("\n".join(f"kconfig: {fault.strip()}" for fault in faults), file=sys.stderr)
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    config.write_config(str(arguments.out / ".config"), save_old=False)
    write_if_changed(arguments.out / "autoconf.h", header(config))
    write_if_changed(arguments.out / "config.cmake", fragment(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
