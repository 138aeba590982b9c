#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the trust anchors named in roots.lock as a C file.

They are taken from the machine's ca-certificates by fingerprint.

The names of the files there do not matter, only what is in them; a fingerprint that is not found is
an error.
"""
import argparse
import base64
import hashlib
import pathlib
import re
import sys

PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def wanted_roots(lock):
    rows = [line.split(maxsplit=1) for line in lock.read_text().splitlines()]
    return [(row[0], row[1]) for row in rows if row and not row[0].startswith("#")]


def available_roots(directory):
    """Fingerprint -> DER of every certificate below the directory."""
    found = {}
    for path in sorted(directory.rglob("*.crt")):
        for body in PEM.findall(path.read_text(errors="replace")):
            der = base64.b64decode("".join(body.split()))
            found[hashlib.sha256(der).hexdigest()] = der
    return found


def c_source(roots):
    lines = [
        "/* Made by tools/deps/roots.py from tools/deps/roots.lock. */",
        '#include "base/roots.h"',
        "",
        "const char roots_pem[] =",
    ]
    for name, der in roots:
        lines.append(f"    /* {name} */")
        lines.append('    "-----BEGIN CERTIFICATE-----\\n"')
        text = base64.b64encode(der).decode()
        lines += [f'    "{text[at:at + 64]}\\n"' for at in range(0, len(text), 64)]
        lines.append('    "-----END CERTIFICATE-----\\n"')
    lines[-1] += ";"
    lines.append("const unsigned roots_pem_bytes = (unsigned)sizeof(roots_pem);")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lock", type=pathlib.Path, required=True)
    parser.add_argument(
        "--certificates", type=pathlib.Path, default="/usr/share/ca-certificates/mozilla"
    )
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    found = available_roots(arguments.certificates)
    roots = []
    for fingerprint, name in wanted_roots(arguments.lock):
        if fingerprint not in found:
            print(
                f"roots: {name} ({fingerprint}) is not in {arguments.certificates}", file=sys.stderr
            )
            return 1
        roots.append((name, found[fingerprint]))
    arguments.out.write_text(c_source(roots))
    return 0


if __name__ == "__main__":
    sys.exit(main())
