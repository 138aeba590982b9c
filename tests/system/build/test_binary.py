# SPDX-License-Identifier: Apache-2.0
"""The binaries as built: what the checks promise holds, and the checks themselves notice."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("ANTEROOM_BUILD", ROOT / "build/sandbox"))


def elf_check(*binaries):
    command = ["/usr/bin/python3", "-B", str(ROOT / "tools/check/elf.py"), *map(str, binaries)]
    return subprocess.run(command, capture_output=True, text=True)


def test_both_binaries_are_hardened_static_pies():
    done = elf_check(BUILD / "anteroomd", BUILD / "anteroomctl")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["-pie", "-fPIE"], "INTERP"),
        (["-pie", "-fPIE"], "shared library"),
        (["-no-pie", "-static"], "position independent"),
        (["-static-pie", "-fPIE", "-z", "execstack"], "executable stack"),
        (["-static-pie", "-fPIE", "-Wl,-z,norelro"], "RELRO"),
    ],
)
def test_the_elf_check_notices(tmp_path, options, complaint):
    (tmp_path / "a.c").write_text("int main(void) { return 0; }\n")
    binary = tmp_path / "a"
    subprocess.run(["gcc", *options, "-o", str(binary), str(tmp_path / "a.c")], check=True)
    subprocess.run(["cp", str(binary), f"{binary}.debug"], check=True)
    done = elf_check(binary)
    assert done.returncode == 1
    assert complaint in done.stdout


def test_the_sbom_lists_what_is_linked():
    bill = json.loads((BUILD / "sbom.cdx.json").read_text())
    names = {component["name"] for component in bill["components"]}
    wanted = {"mbedtls", "curl", "lmdb", "jsmn", "zlib", "qrencode", "musl"}
    wanted |= {"libgcc", "ca-certificates"}
    assert names - wanted == set() and wanted - names <= {"libgcc"}
    assert bill["bomFormat"] == "CycloneDX"
    for component in bill["components"]:
        assert component["version"] and component["licenses"] and component["purl"]


def test_the_sbom_names_the_patches_of_what_is_linked():
    bill = json.loads((BUILD / "sbom.cdx.json").read_text())
    named = {
        f"{component['name']}/{property['value']}"
        for component in bill["components"]
        for property in component.get("properties", [])
        if property["name"] == "anteroom:patch"
    }
    linked = {component["name"] for component in bill["components"]}
    patches = (ROOT / "tools/deps/patches").glob("*/*.patch")
    there = {f"{file.parent.name}/{file.name}" for file in patches if file.parent.name in linked}
    assert named == there
    assert len(named) >= 4
