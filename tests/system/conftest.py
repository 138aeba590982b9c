# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: worlds that end with their test, what is shown of failed ones."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

LOG_LINES_SHOWN = 40


@pytest.fixture
def make_world(tmp_path, request):
    """make_world(scenario, calls=, sink=, change=, **changes of the scenario): see world.World."""
    from world import World, judge
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
