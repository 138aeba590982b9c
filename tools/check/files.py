# SPDX-License-Identifier: Apache-2.0
"""What the checks look at: the project's own files, tracked or about to be."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CODE = ("firmware", "hal", "include", "board", "tools/ctl")  # what ends in the box


def all_files():
    """Paths relative to the root, sorted; without git (a source archive) everything but build/."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        paths = [pathlib.Path(line) for line in listed.stdout.splitlines()]
    else:
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        paths = [path for path in paths if not {"build", "node_modules", ".git"} & set(path.parts)]
    return sorted(path for path in paths if (ROOT / path).is_file())


def sources(*endings, under=None):
    found = [path for path in all_files() if path.suffix in endings]
    if under is not None:
        found = [path for path in found if any(path.is_relative_to(top) for top in under)]
    return found


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def blank_comments_and_strings(text):
    """C text with comments and literals blanked, lines kept, so that patterns meet code only."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
    )

    def blank(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, text)


def report(name, faults):
    """Print faults; the exit status of a check."""
    for fault in faults:
        print(f"{name}: {fault}")
    return 1 if faults else 0
