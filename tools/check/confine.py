#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Start a finished anteroomd and read in /proc what it has given up.

usage: confine.py BINARY ...

Everything goes to a proxy that is not there: nothing leaves this machine.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import files

sys.path.insert(0, str(files.ROOT / "tools"))
from fakecloud.launch import make_state  # noqa: E402

START_S_MAX = 60
GUID = "11111111-2222-4333-8444-555555555555"
CONFIG = {
    "infrastructure": {"name": "check"},
    "cloud": "global",
    "tenant_id": GUID,
    "client_id": GUID,
    "credential": "secret",
    "sources": {"call_records": {}},
    "sinks": [{"name": "main", "type": "ndjson", "url": "https://127.0.0.1:9/"}],
    "http": {"proxy": "http://127.0.0.1:9"},
}


def wait_for_lock(process, log):
    """The line that it writes behind its last step; None if it ended before."""
    end = time.monotonic() + START_S_MAX
    while time.monotonic() < end and process.poll() is None:
        line = re.search(r"ev=confined .*", log.read_text())
        if line:
            return line.group(0)
        time.sleep(0.05)
    return None


def status_faults(pid):
    text = pathlib.Path("/proc/%d/status" % pid).read_text()
    found = {k: v.split() for k, v in re.findall(r"^(\w+):[ \t]*(.*)$", text, re.M)}
    expected = {"NoNewPrivs": ["1"], "Seccomp": ["2"]}
    expected.update({name: ["0" * 16] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")})
    if os.geteuid() == 0:
        expected.update({"CapBnd": ["0" * 16], "Groups": []})
    faults = ["%s is %s" % (k, " ".join(found[k])) for k, v in expected.items() if found[k] != v]
    if "0" in found["Uid"] + found["Gid"]:
        faults.append("is root: Uid %s Gid %s" % (found["Uid"], found["Gid"]))
    return faults


def other_faults(pid, line):
    faults = []
    proc = pathlib.Path("/proc/%d" % pid)
    if (proc / "mem").stat().st_uid != 0:
        faults.append("can be dumped")
    if not re.search(r"^Max core file size +0 +0 ", (proc / "limits").read_text(), re.M):
        faults.append("may write a core file")
    if "filter=kill" not in line:
        faults.append("does not end at a forbidden system call: %s" % line)
    return faults


def faults_of(binary, folder):
    config, log, state = folder / "config.json", folder / "log", make_state(str(folder / "state"))
    config.write_text(json.dumps(CONFIG))
    with open(log, "wb") as out:
        process = subprocess.Popen([binary, "--config", str(config), "--state", state],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        line = wait_for_lock(process, log)
        if line is None:
            return ["does not get there: %s" % log.read_text()[-500:]]
        print("confine: %s: %s" % (pathlib.Path(binary).parent.name, line))
        return status_faults(process.pid) + other_faults(process.pid, line)
    finally:
        process.kill()
        process.wait()


def main():
    faults = []
    for binary in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            faults += ["%s: %s" % (binary, f) for f in faults_of(binary, pathlib.Path(folder))]
    return files.report("confine", faults)


if __name__ == "__main__":
    sys.exit(main())
