#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a CycloneDX SBOM of exactly what was linked.

The linker's maps say which archives gave members; lock.json and sources.json say what these are.
An archive that is not in the lock is an error, so that nothing can slip into the firmware unseen.
jsmn is a header without an archive: it counts when the jsmn fence (module json) is linked.
"""
import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse
import uuid

ARCHIVES = {
    "libcurl.a": "curl",
    "libmbedtls.a": "mbedtls",
    "liblmdb.a": "lmdb",
    "libqrencode.a": "qrencode",
    "libtss2.a": "tpm2-tss",
    "libz.a": "zlib",
    "libc.a": "musl",
    "libjson.a": "jsmn",
}
COMPILER = {"libgcc.a", "libgcc_eh.a"}
EMPTY = {"libpthread.a", "libm.a", "libdl.a", "librt.a"}  # musl keeps everything in libc.a


def debian_version(package):
    out = subprocess.run(
        ["dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package],
        capture_output=True,
        text=True,
        check=True,
    )
    return out.stdout.split()


def linked_names(maps, build):
    """Names of the components whose archives gave members to a program."""
    names = set()
    for path in maps:
        for archive in set(re.findall(r"(\S+\.a)[(:]", path.read_text())):
            file = pathlib.PurePath(archive)
            if file.name in ARCHIVES:
                names.add(ARCHIVES[file.name])
            elif file.name in COMPILER:
                names.add("libgcc")
            elif file.name not in EMPTY and not (build / archive).resolve().is_relative_to(
                build.resolve()
            ):
                raise SystemExit(f"sbom: {archive} is linked, and nobody says what it is")
    return names


def purl(name, version):
    return f"pkg:deb/debian/{name}@{urllib.parse.quote(version)}?arch=source"


def component(package, source):
    version = source["version"]
    upstream = re.sub(r"-[^-]*$", "", version.partition(":")[2] or version).rpartition("really")[2]
    return {
        "type": "library",
        "bom-ref": purl(package["name"], version),
        "name": package["name"],
        "version": upstream,
        "description": package["use"],
        "licenses": [{"expression": package["licence"]}],
        "hashes": [{"alg": "SHA-256", "content": source["files"][0]["sha256"]}],
        "purl": purl(package["name"], version),
        "properties": [{"name": "debian:version", "value": version}]
        + [{"name": "anteroom:patch", "value": name} for name in source.get("patches", [])]
        + [
            {"name": "source:sha256:" + file["file"], "value": file["sha256"]}
            for file in source["files"]
        ],
    }


def machine_component(package, name, licence, use):
    """What the machine's own Debian gave: the compiler's runtime, the root certificates."""
    source, version = debian_version(package)
    return {
        "type": "library",
        "bom-ref": purl(source, version) + "#" + name,
        "name": name,
        "version": version,
        "description": use,
        "licenses": [{"expression": licence}],
        "purl": purl(source, version),
    }


def bill(lock, sources, names, epoch):
    by_name = {source["name"]: source for source in sources}
    components = [
        component(package, by_name[package["name"]])
        for package in lock["packages"]
        if package["name"] in names
    ]
    if "libgcc" in names:
        components.append(
            machine_component(
                "libgcc-12-dev",
                "libgcc",
                "GPL-3.0-or-later WITH GCC-exception-3.1",
                "compiler runtime",
            )
        )
    components.append(
        machine_component(
            "ca-certificates",
            "ca-certificates",
            "MPL-2.0",
            "root certificates, chosen by fingerprint",
        )
    )
    stamp = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    identity = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, identity)),
        "version": 1,
        "metadata": {
            "timestamp": stamp,
            "component": {
                "type": "firmware",
                "bom-ref": "anteroom",
                "name": "anteroom",
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "anteroom", "dependsOn": [each["bom-ref"] for each in components]}
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lock", type=pathlib.Path, required=True)
    parser.add_argument("--sources", type=pathlib.Path, required=True)
    parser.add_argument("--map", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--epoch", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    lock = json.loads(arguments.lock.read_text())
    sources = json.loads(arguments.sources.read_text())
    maps = [path for path in arguments.map if path.is_file()]
    names = linked_names(maps, arguments.out.parent)
    for package in lock["packages"]:
        if package["name"] in names and not package["linked"]:
            raise SystemExit(f"sbom: {package['name']} must not be linked")
    text = json.dumps(bill(lock, sources, names, arguments.epoch), indent=2) + "\n"
    arguments.out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
