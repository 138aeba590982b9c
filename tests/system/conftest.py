# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: worlds that end with their test, what is shown of failed ones."""
import os
import re
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

LOG_LINES_SHOWN = 40
# What must never stand in a log: a JWT (token or assertion), a key, a header, a link, data of a
# call; and the word of a program that found a bug in itself.
UNWANTED = re.compile(r"eyJ[A-Za-z0-9_-]{8}|PRIVATE KEY|Bearer |client_assertion|client_secret="
                      r"|skiptoken|contoso|ev=assert_failed")


def judge(worlds):
    """No log of theirs has what must not be in one."""
    for world in worlds:
        for box in world.boxes:
            text = box.log_text()
            assert not UNWANTED.search(text), "in the log: %s" % UNWANTED.search(text)
            leaked = [s for s in box.secrets if s in text]
            assert not leaked, "a secret in the log: %s" % leaked


@pytest.fixture
def make_world(tmp_path, request):
    """make_world(scenario, calls=, sink=, change=, **changes of the scenario): see world.World."""
    from world import World
    made = request.node.worlds = []

    def make(scenario="quiet", **settings):
        made.append(World(tmp_path / str(len(made)), scenario, **settings))
        return made[-1]

    yield make
    for world in made:
        world.close()
    judge(made)


@pytest.fixture
def small_disk():
    from small_disk import SmallDisk
    disks = []

    def make(box, mib, kind=SmallDisk):
        if os.getuid() != 0:
            pytest.skip("mounting a small disk needs root")
        disks.append(kind(box, mib))
        if not disks[-1].says.startswith("ready"):
            pytest.skip("it cannot be mounted here: %s" % disks[-1].says.strip())
        return disks[-1]

    yield make
    for disk in disks:
        disk.close()


@pytest.fixture
def make_board(make_world):
    """make_board(scenario, rate=, pause_s=, ...): a world whose box is on its hardware; the board
    is world.board, not switched on yet."""
    from fakecloud.hardware import Board
    made = []

    def make(scenario="quiet", rate=1, pause_s=0.05, **settings):
        world = make_world(scenario, **settings)
        world.board = Board(world.box, pause_s=pause_s, watchdog_rate=rate)
        made.append(world)
        return world

    yield make
    for world in made:
        world.board.cut_for_good()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when != "call" or not report.failed:
        return
    for world in getattr(item, "worlds", ()):
        for box in world.boxes:
            lines = box.log_text().splitlines()[-LOG_LINES_SHOWN:]
            report.sections.append(("log of anteroomd", "\n".join(lines)))
        try:
            stats = world.cloud.stats()
        except (OSError, ValueError) as error:
            stats = "none: %s" % error
        report.sections.append(("fake cloud", str(stats)))
