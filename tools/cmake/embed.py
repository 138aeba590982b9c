#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Style and script of the status page as C, without what only people need, and the hashes by which
its Content-Security-Policy allows them: made from the same bytes, so they cannot differ.

usage: embed.py --css FILE --js FILE --out FILE
"""
import argparse
import base64
import hashlib
import pathlib
import re

# frame-ancestors stands in every answer: firmware/status/respond.c.
POLICY = (
    "default-src 'none'; style-src '{css}'; script-src '{js}'; img-src data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)


def small_css(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s*([{};,>])\s*", r"\1", text)
    text = re.sub(r"([\w-]): ", r"\1:", text)
    return text.replace(";}", "}").strip()


def small_js(text):
    """Comments and indentation go; names and line ends stay, so that it can still be read."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def allowed(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def c_string(text):
    """Adjacent literals, one for each 80 characters."""
    pieces = [text[at : at + 80] for at in range(0, len(text), 80)]
    quoted = (
        p.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?")
        for p in pieces
    )
    return "\n    ".join(f'"{p}"' for p in quoted)


def constant(name, text):
    return (
        f"static const char {name}_text[] =\n    {c_string(text)};\n"
        f"const struct span {name} = {{.ptr = {name}_text, .len = sizeof({name}_text) - 1u}};\n"
    )


def main():
    parser = argparse.ArgumentParser()
    for name in ("css", "js", "out"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    options = parser.parse_args()
    css = small_css(options.css.read_text(encoding="ascii"))
    js = small_js(options.js.read_text(encoding="ascii"))
    policy = POLICY.format(css=allowed(css), js=allowed(js))
    options.out.write_text(
        "// Made by tools/cmake/embed.py.\n"
        '#include "status/assets.h"\n\n'
        + constant("assets_css", css)
        + constant("assets_js", js)
        + constant("assets_policy", policy),
        encoding="ascii",
    )


if __name__ == "__main__":
    main()
