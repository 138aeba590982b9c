# SPDX-License-Identifier: Apache-2.0
"""The status port under those who mean no good: a crowd of slow clients, requests that are made up.

The collector goes on, a good reader is answered, nothing is lost, and afterwards the libraries hold
no memory and no descriptor more than before. Resident pages are shown, not judged: which of its
buffers have pages is the collector's business. Loopback only.
ANTEROOM_PORT_FUZZ_S: for how long requests are made up (default 15; 600 for a release).
"""
import contextlib
import json
import os
import re
import subprocess

import pytest
from listening import answers, listen, port_of
from world import ROOT, WAIT_S_MAX, wait_until

from fakecloud.launch import PYTHON
from port import Answer, NoAnswer

CROWD = os.path.join(ROOT, "tests", "support", "crowd.py")
SLOW_CLIENTS = 1000
ROUNDS = 2               # of work, with the crowd and without it
CONNECTIONS = 4          # as many as the port has
PATIENCE_S = 20          # of a good reader in a crowd, who is answered within a few seconds
FUZZ_CLIENTS = 12
REST_S = 3               # the port gives pages back two seconds after its last connection
SWAY_BYTES = 4096        # what open connections to Graph hold differs by their tickets; of
                         # thousands of callers a few bytes each would be more
FUZZ_S = int(os.environ.get("ANTEROOM_PORT_FUZZ_S", "15"))
RECORDS = {"count": 150, "fat": False}
PAUSES = {"hot_interval_s": 4, "warm_interval_s": 4, "cold_interval_s": 4}   # it rests in between


class Crowd:
    """tests/support/crowd.py as a process."""

    def __init__(self, port, count, kind, seconds=600):
        self.process = subprocess.Popen(
            [PYTHON, "-B", CROWD, str(port.address[1]), str(count), kind, str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def running(self):
        return self.process.poll() is None

    def stop(self):
        """What they did. The end of its standard input is theirs."""
        out, _ = self.process.communicate(timeout=WAIT_S_MAX)
        return json.loads(out)


@contextlib.contextmanager
def crowd_at(port, count, kind, seconds=600):
    crowd = Crowd(port, count, kind, seconds)
    try:
        yield crowd
    finally:
        if crowd.running():
            crowd.process.kill()
            crowd.process.wait()


def metric(port, name):
    text = port.get("/metrics").text()
    return float(re.search(r"^%s (\S+)$" % name, text, re.M)[1])


def anonymous_kib(world):
    with open("/proc/%d/smaps_rollup" % world.box.process.pid, encoding="ascii") as text:
        return int(re.search(r"^Anonymous: +(\d+)", text.read(), re.M)[1])


def descriptors(world):
    return len(os.listdir("/proc/%d/fd" % world.box.process.pid))


class Size:
    """How large the process is once it has nothing to do: heap, memory, descriptors."""

    def __init__(self, world, port):
        self.kib = anonymous_kib(world)
        self.heap = metric(port, "anteroom_heap_used_bytes")
        self.descriptors = descriptors(world)

    def fits(self, before):
        return (self.heap <= before.heap + SWAY_BYTES
                and self.descriptors <= before.descriptors)

    def __str__(self):
        return "heap %d B, anonymous %d KiB, %d descriptors" % (self.heap, self.kib,
                                                                self.descriptors)


def work(world, port):
    """Every record gets a version more, and is collected and delivered again; a good reader is
    answered meanwhile."""
    world.cloud.raise_versions(share=1)
    wait_until(lambda: answers(port), "an answer for a good reader")
    world.wait_delivered()


def with_readers(world, port):
    """How large it is while as many as it takes have their answers; pages go back now and then:
    this is what it may keep. None: a busy machine let one of them come too late."""
    with contextlib.ExitStack() as stack:
        try:
            wires = [stack.enter_context(port.connect()) for _ in range(CONNECTIONS)]
            for wire in wires:
                wire.send(port.bytes_of("GET", "/"))
            assert all(Answer(wire.read()).status == 200 for wire in wires)
        except (NoAnswer, OSError):
            return None
        return anonymous_kib(world)


def settled(world, port):
    """How large it is after the same work, and as many readers at once as it takes."""
    for _ in range(ROUNDS):
        work(world, port)
    most = wait_until(lambda: with_readers(world, port), "as many readers at once as it takes")
    sizes = []

    def the_same_twice():
        sizes.append(Size(world, port))
        return len(sizes) > 1 and (sizes[-1].heap, sizes[-1].descriptors) == (
            sizes[-2].heap, sizes[-2].descriptors)
    wait_until(the_same_twice, "a box that has settled", step_s=1)
    sizes[-1].kib = max(most, *(size.kib for size in sizes))
    return sizes[-1]


@pytest.fixture
def busy(make_world):
    def make(**more):
        world = make_world("quiet", records=RECORDS, calls=PAUSES, change=listen(**more))
        world.start()
        world.port = port_of(world)
        world.port.patience_s = PATIENCE_S
        world.wait_delivered()
        return world
    return make


def as_before(world, before):
    last = []

    def small_again():
        last[:] = [Size(world, world.port)]
        return last[0].fits(before)
    try:
        wait_until(small_again, "the size of before", step_s=REST_S)
    finally:
        print("before: %s; after: %s" % (before, last[0] if last else "?"))


def test_a_thousand_slow_clients_take_nothing_from_anybody(busy):
    world = busy()
    before = settled(world, world.port)
    with crowd_at(world.port, SLOW_CLIENTS, "slow") as crowd:
        for _ in range(ROUNDS):
            work(world, world.port)
        assert crowd.running()
        did = crowd.stop()
    assert did["connected"] >= SLOW_CLIENTS and did["bytes"] > 0, did
    as_before(world, before)
    assert not world.log("health", state="late")
    world.finish()


@pytest.mark.parametrize("kind, more", [("fuzz", {}), ("fuzz-plain", {"plain": True})])
def test_made_up_requests_change_nothing(busy, kind, more):
    world = busy(**more)
    before = settled(world, world.port)
    with crowd_at(world.port, FUZZ_CLIENTS, kind, FUZZ_S) as crowd:
        for _ in range(ROUNDS):
            work(world, world.port)
        wait_until(lambda: not crowd.running(), "everything was tried", FUZZ_S + WAIT_S_MAX)
        did = crowd.stop()
    assert did["connected"] >= FUZZ_CLIENTS and "400" in did["answers"], did
    as_before(world, before)
    kinds = {line.get("kind") or line.get("wish") for event in ("wish", "status_wish")
             for line in world.log(event)}
    assert kinds <= {"redirect"}, "something was done for somebody without the code"
    assert not world.log("health", state="late")
    world.finish()
