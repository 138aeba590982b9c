# SPDX-License-Identifier: Apache-2.0
"""One anteroomd under measurement: start, look at it through /proc, stop.

Nothing is measured inside it.
"""
import json
import os
import signal
import subprocess
import sys
import time

from bed import CLIENT, ROOT, TENANT

sys.path.insert(0, os.path.join(ROOT, "tools"))
from fakecloud.launch import make_state  # noqa: E402


class Sample:
    """What /proc says at one moment."""

    def __init__(self, pid):
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        self.cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        with open("/proc/%d/io" % pid, encoding="ascii") as f:
            io = dict(line.split(": ") for line in f.read().splitlines())
        self.written = int(io["write_bytes"])
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            status = dict(line.split(":", 1) for line in f.read().splitlines())
        self.switches = int(status["voluntary_ctxt_switches"])


def memory(pid):
    """(anonymous, total without the pages of the store's map), KiB, by smaps."""
    anonymous = total = 0
    store = False
    try:
        with open("/proc/%d/smaps" % pid, encoding="ascii", errors="replace") as f:
            for line in f:
                head = line.split(None, 1)[0]
                if "-" in head and not head.endswith(":"):
                    store = line.rstrip().endswith("data.mdb")
                elif head == "Rss:" and not store:
                    total += int(line.split()[1])
                elif head == "Anonymous:":
                    anonymous += int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return anonymous, total


class Box:
    """A box whose sink is the bed, or nobody."""

    def __init__(self, bed, build, depth="records", sink=True):
        self.bed = bed
        self.daemon, self.ctl = os.path.join(build, "anteroomd"), os.path.join(build, "anteroomctl")
        self.folder = os.path.join(bed.folder, "box")
        self.state, self.file = os.path.join(self.folder, "state"), os.path.join(
            self.folder, "config.json"
        )
        subprocess.run(["rm", "-rf", self.folder], check=True)
        make_state(self.state)
        with open(bed.ca, encoding="ascii") as pem:
            ca = pem.read()
        self.config = {
            "infrastructure": {"name": "bench"},
            "cloud": "global",
            "tenant_id": TENANT,
            "client_id": CLIENT,
            "credential": "secret",
            "sources": {
                "call_records": {
                    "depth": depth,
                    "backfill_days": 0,
                    "window_hours": 720,
                    "list_per_20s": 100000,
                    "record_per_20s": 100000,
                    "app_per_20s": 100000,
                }
            },
            "sinks": [
                {
                    "name": "main",
                    "type": "ndjson",
                    "url": bed.base + "/events",
                    "authorization": "main-token",
                    "ca": ca,
                    "retry_cap_ms": 1000,
                }
            ],
            "sandbox": {"authority_url": bed.base, "graph_url": bed.base, "ca_file": bed.ca},
            "spool": {"map_mib": 2048},
        }
        self.use_sink(sink)
        for name in ("client-secret", "main-token"):
            subprocess.run(
                [self.ctl, "secret", "put", "--state", self.state, name],
                input=b"bench",
                check=True,
                capture_output=True,
            )
        self.process = None

    def use_sink(self, there):
        self.config["sinks"][0]["url"] = (
            self.bed.base + "/events" if there else "https://127.0.0.1:1/events"
        )
        with open(self.file, "w", encoding="utf-8") as out:
            json.dump(self.config, out)

    def start(self, *extra):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.began = time.time()
            self.process = subprocess.Popen(
                [self.daemon, "--config", self.file, "--state", self.state, *extra],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as text:
            return text.read()

    def sample(self):
        return Sample(self.process.pid)

    def watch(self, done, timeout_s=600, every_s=0.02):
        """Sample memory until done(); returns the peaks (anonymous, total) in KiB."""
        peak = (0, 0)
        end = time.monotonic() + timeout_s
        while not done():
            now = memory(self.process.pid)
            peak = tuple(max(a, b) for a, b in zip(peak, now))
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError("the box did not get there:\n" + self.log()[-2000:])
            time.sleep(every_s)
        return peak

    def watch_for(self, done, timeout_s=60):
        """Wait for something; the process may come and go meanwhile."""
        end = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > end:
                raise RuntimeError("it did not come to that:\n" + self.log()[-2000:])
            time.sleep(0.002)

    def stop(self, how=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
