# SPDX-License-Identifier: Apache-2.0
"""A fake cloud and the shipped binary against it, as the tests of this directory use them.

The configuration is that of production with waits of milliseconds where production has minutes;
the binary knows nothing about being tested. Tests wait for conditions, never for a time.
"""
import os
import re
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
for _folder in (os.path.join(ROOT, "tests", "support"), os.path.join(ROOT, "tools")):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)

from cloud import Box, FakeCloud, give_state, make_state  # noqa: E402,F401

WAIT_S_MAX = 180     # of any condition; far more than a busy machine needs
RUN_S_MAX = 300      # of a run with --until-idle
TOKEN = "sink-token-1"
SIGSYS_MEANS = ("a system call outside of firmware/sys/syscalls_*.h ended the box: dmesg has its "
                "number, a board with CONFIG_CONFINE_LAB=y goes on")
QUICK = {"retry_base_ms": 50, "retry_cap_ms": 400}
CALL_RECORDS = {"backfill_days": 30, "list_per_20s": 100000, "record_per_20s": 100000,
                "app_per_20s": 100000, **QUICK}
SINK = {"linger_ms": 50, "hold_probe_s": 1, **QUICK}
OFTEN = {"hot_interval_s": 1, "warm_interval_s": 1, "cold_interval_s": 1}
NO_LIMITS = {"list": [1000000, 20], "record": [1000000, 20], "app": [1000000, 20]}
# What must never stand in a log: a JWT (token or assertion), a key, a header, a link, data of a
# call; and the word of a program that found a bug in itself.
UNWANTED = re.compile(r"eyJ[A-Za-z0-9_-]{8}|PRIVATE KEY|Bearer |client_assertion|client_secret="
                      r"|skiptoken|contoso|ev=assert_failed")


def wait_until(condition, what, timeout_s=WAIT_S_MAX, step_s=0.05):
    """Poll until condition() is true; its value. Fails the test after the time."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "not within %s s: %s" % (timeout_s, what)
        time.sleep(step_s)


def lines_of(text, event):
    """The log lines of one event, each as a dict of its members."""
    found = []
    for line in text.splitlines():
        if re.search(r"\bev=%s\b" % event, line):
            found.append({k: v.strip('"') for k, v in
                          re.findall(r'(\w+)=("[^"]*"|\S*)', line)})
    return found


class TestBox(Box):
    """A box that remembers the secrets it was given, for the search in its log."""

    __test__ = False

    def __init__(self, *args):
        super().__init__(*args)
        self.secrets = []

    def put_secret(self, name, value):
        self.secrets.append(value)
        super().put_secret(name, value)


class World:
    """One cloud and one box. `change` is called with the configuration before it is written."""

    board = "sandbox"

    def __init__(self, folder, scenario="quiet", calls=None, sink=None, change=None, **changes):
        self.board = changes.pop("board", self.board)
        changes.setdefault("records", {"count": 30})
        changes["graph"] = {"limits": NO_LIMITS, **changes.get("graph", {})}
        self.cloud = FakeCloud(scenario, folder, **changes).start()
        try:
            self.box = self.make_box(os.path.join(str(folder), "box"), calls, sink, change)
        except BaseException:
            self.cloud.stop()
            raise
        self.boxes = [self.box]

    def make_box(self, folder, calls=None, sink=None, change=None):
        box = TestBox(self.cloud, folder, self.board)
        box.config["sources"]["call_records"] = {**CALL_RECORDS, **(calls or {})}
        box.config["sinks"][0].update({**SINK, **(sink or {})})
        if change:
            change(box.config)
        return box.prepare(TOKEN)

    def run(self, timeout_s=RUN_S_MAX):
        """To the end with --until-idle; must end well. The log so far."""
        result = self.box.run(timeout_s=timeout_s)
        assert result.status != -signal.SIGSYS, SIGSYS_MEANS
        assert result.status == 0, "ended with %s" % result.status
        return result.log

    def start(self, *extra):
        self.box.start(*extra)
        return self

    def alive(self):
        return self.box.process.poll() is None

    def wait_log(self, event, count=1, **members):
        """Wait until the log has `count` lines of an event with these members; the last one."""
        def enough():
            found = self.log(event, **members)
            return found if len(found) >= count else None
        return wait_until(enough, "log line ev=%s %s" % (event, members or ""))[-1]

    def log(self, event, **members):
        wanted = {k: str(v) for k, v in members.items()}.items()
        return [line for line in lines_of(self.box.log_text(), event) if wanted <= line.items()]

    def delivered(self):
        """Is everything that exists by now whole at the sink?"""
        assert self.box.process.poll() != -signal.SIGSYS, SIGSYS_MEANS
        r = self.cloud.report()["records"]
        return r["delivered"] + r["dead"] == r["records"] and not r["pending"]

    def wait_delivered(self, timeout_s=WAIT_S_MAX):
        wait_until(self.delivered, "everything delivered", timeout_s, 0.1)

    def finish(self, dead=0):
        """Everything arrived; SIGTERM ends the box with 0; nothing is wrong. The report."""
        self.wait_delivered()
        assert self.alive(), "the box ended by itself with %s" % self.box.process.returncode
        assert self.box.stop() == 0
        return self.cloud.assert_all_delivered(dead=dead)

    def close(self):
        for box in self.boxes:
            box.kill()
        self.cloud.stop()


def judge(worlds):
    """No log of theirs has what must not be in one."""
    for world in worlds:
        for box in world.boxes:
            text = box.log_text()
            assert not UNWANTED.search(text), "in the log: %s" % UNWANTED.search(text)
            leaked = [s for s in box.secrets if s in text]
            assert not leaked, "a secret in the log: %s" % leaked
