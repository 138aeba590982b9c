# SPDX-License-Identifier: Apache-2.0
"""Support of the system tests: a fake cloud in a process of its own, a box (anteroomd) against it.

    with FakeCloud("quiet", tmp_path, records={"count": 50}) as cloud:
        box = Box(cloud, tmp_path / "box")
        box.prepare()
        assert box.run(timeout_s=60).status == 0
        cloud.assert_all_delivered()
"""
import os
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
if os.path.join(ROOT, "tools") not in sys.path:
    sys.path.insert(0, os.path.join(ROOT, "tools"))

from fakecloud.launch import Box, CloudProcess, give_state, make_state  # noqa: E402

__all__ = ["Box", "FakeCloud", "give_state", "make_state"]


class FakeCloud(CloudProcess):
    """A running fake cloud, with what tests ask of it. See fakecloud/launch.py for the rest."""

    def wait(self, condition, timeout_s=30, step_s=0.05):
        """Poll the statistics until condition(stats) holds; returns them, fails after the time."""
        end = time.monotonic() + timeout_s
        while True:
            stats = self.stats()
            if condition(stats):
                return stats
            assert time.monotonic() < end, "not within %s s; last: %s" % (timeout_s, stats)
            time.sleep(step_s)

    def assert_all_delivered(self, announced=False, dead=0):
        """Every record whole at the sink, nothing wrong, nothing malformed. Returns the report."""
        report = self.report(announced)
        records, problems = report["records"], []
        for word in ("missing", "incomplete", "wrong"):
            if records[word]:
                examples = records["examples"].get(word, records["foreign"])
                problems.append("%s: %s" % (word, examples[:5]))
        if records["delivered"] + dead != records["records"]:
            problems.append("delivered %d, dead %d of %d" % (records["delivered"], records["dead"],
                                                             records["records"]))
        if report["sink"]["errors"]:
            problems.append("sink: %s" % report["sink"]["error_texts"][:5])
        if report["trapped"]:
            problems.append("went elsewhere: %s" % report["trapped"][:5])
        if report["wire_errors"]:
            problems.append("wire: %s" % report["wire_errors"])
        assert not problems, "; ".join(problems)
        return report
