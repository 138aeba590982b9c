#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must not be in the project: paths and hosts of a machine, others' source, keys."""
import re
import shutil
import subprocess
import sys
import urllib.parse

import files

FILE_BYTES_MAX = 512 * 1024
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/[\w.]")
THIRD_PARTY_NAMES = {
    "jsmn.h",
    "lmdb.h",
    "mdb.c",
    "midl.c",
    "zlib.h",
    "curl.h",
    "cmocka.h",
    "deflate.h.in",
}
PRIVATE_KEY = re.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/=\s]{200,}")
COPYRIGHT = re.compile(r"Copyright\s+(\(c\)|©|\d{4})", re.IGNORECASE)


def machine_hosts():
    """Hosts that this machine installs from. Found out here, so that no file has to name them."""
    outputs = []
    commands = [["apt-get", "indextargets", "--format", "$(REPO_URI)"]]
    if shutil.which("npm"):
        commands.append(["npm", "config", "get", "registry"])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        outputs += done.stdout.split()
    hosts = {urllib.parse.urlparse(uri).hostname for uri in outputs}
    return {host for host in hosts if host and host not in ("localhost", "127.0.0.1")}


def faults_of(path, hosts):
    faults = []
    if path.name in THIRD_PARTY_NAMES:
        faults.append(f"{path}: third-party source comes from tools/deps, not from the repository")
    if (files.ROOT / path).stat().st_size > FILE_BYTES_MAX:
        faults.append(f"{path}: larger than {FILE_BYTES_MAX} bytes")
    text = files.read(path)
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            faults.append(f"{path}:{number}: a path of one machine")
        if any(host in line for host in hosts):
            faults.append(f"{path}:{number}: names a host that this machine installs from")
    if (
        path.suffix in (".c", ".h", ".py")
        and COPYRIGHT.search(text)
        and path.parts[:2] != ("tools", "check")
    ):
        faults.append(f"{path}: a foreign copyright line")
    if PRIVATE_KEY.search(text):
        faults.append(f"{path}: a private key")
    if path.name == "package-lock.json" and '"resolved"' in text:
        faults.append(
            f"{path}: names registry addresses (npm: omit-lockfile-registry-resolved=true)"
        )
    return faults


def main():
    hosts = machine_hosts()
    faults = []
    for path in files.all_files():
        if path.parts[:2] == ("tests", "data") and path.suffix not in (".json", ".py"):
            continue  # fuzz corpora are arbitrary bytes
        faults += faults_of(path, hosts)
    return files.report("text", faults)


if __name__ == "__main__":
    sys.exit(main())
