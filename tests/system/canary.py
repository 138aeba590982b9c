# SPDX-License-Identifier: Apache-2.0
"""Canaries: strings planted where secrets go, and the search for them in all that comes out."""
import base64
import hashlib
import os
import re
import urllib.parse

PIECE_BYTES = 24  # of a long secret: so much of it in one place is a leak
PIECES = 4
READ_BYTES = 1 << 20


def planted(name):
    """The canary of a name: the same in every run, nowhere else in the world."""
    return "canary" + hashlib.sha256(name.encode()).hexdigest()[:26]


def _base64_forms(value):
    """What of it stands in a base64 text that holds it, wherever it begins there."""
    forms = set()
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + value)
        text = text[(0, 2, 3)[shift]:len(text) - (0 if (len(value) + shift) % 3 == 0 else 4)]
        forms |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return forms


def forms(value):
    """How a secret may look: as it is, percent-encoded, base64, hexadecimal, two bytes a letter."""
    raw = value.encode() if isinstance(value, str) else value
    return {raw, urllib.parse.quote(raw, safe="").encode(), raw.hex().encode(),
            raw.hex().upper().encode(), raw.decode("latin-1").encode("utf-16-le"),
            *_base64_forms(raw)}


def pieces(token):
    """Parts of a long secret. Those of its end: how a JWT begins is no secret."""
    raw = token.encode()
    step = len(raw) // 3 // PIECES
    return {raw[-(i + 1) * step:][:PIECE_BYTES] for i in range(PIECES)}


class Canary:
    """One secret: what is searched for, and whether it must be gone from memory, too."""

    def __init__(self, name, where, value=None, spent=False):
        self.name, self.where, self.spent = name, where, spent
        self.value = value or planted(name)
        self.hits = {}

    def search_for(self):
        return pieces(self.value) if len(self.value) > 400 else forms(self.value)

    def look(self, place, content):
        self.hits[place] = self.hits.get(place, 0) + sum(content.count(f)
                                                         for f in self.search_for())

    def total(self):
        return sum(self.hits.values())


def files_of(folder):
    """Every file below a folder with its content, and the name of it."""
    for here, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(here, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                yield os.path.relpath(path, folder), file.read()


def memory_of(pid):
    """(flags, content) of every mapping of a process that can be read; as root."""
    found = []
    with open("/proc/%d/smaps" % pid, encoding="ascii") as text:
        areas = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) r\S+ .*?^VmFlags: (.*?)$", text.read(),
                           re.MULTILINE | re.DOTALL)
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
        for first, end, flags in areas:
            content = bytearray()
            at = int(first, 16)
            try:
                memory.seek(at)
                while at + len(content) < int(end, 16):
                    content += memory.read(min(READ_BYTES, int(end, 16) - at - len(content)))
            except (OSError, ValueError):
                pass  # the kernel's own pages, secret memory: nobody can read them
            found.append((flags.split(), bytes(content)))
    return found
