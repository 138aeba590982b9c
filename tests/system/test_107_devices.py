# SPDX-License-Identifier: Apache-2.0
"""The board's devices and the shipped program: what is missing is named, never worked around."""
import fcntl
import os
import re
import subprocess

import pytest

EXIT_CONFIG = 78


@pytest.fixture
def world(make_world):
    return make_world("quiet")


def check(world):
    return subprocess.run(world.box.command("--check"), capture_output=True, text=True, timeout=60)


def run(world):
    return subprocess.run(world.box.command("--until-idle"), capture_output=True, text=True,
                          timeout=120)


def put(world, name, text):
    """As the hardware does: owned like STATE."""
    folder = os.path.join(world.box.state, "sandbox")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="ascii") as out:
        out.write(text)
    if os.geteuid() == 0:
        owner = os.stat(world.box.state)
        for path in (folder, os.path.join(folder, name)):
            os.chown(path, owner.st_uid, owner.st_gid)


def test_check_finds_the_devices_and_leaves_them_alone(world):
    put(world, "serial", "ANT-2026-00417\n")
    done = check(world)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("ok     watchdog", "ok     LED", "ok     button", "ok     console",
                 "ok     traces of a kernel panic",
                 "ok     serial number ...0417 of board sandbox"):
        assert line in done.stdout.splitlines(), done.stdout
    assert "ANT-2026" not in done.stdout + done.stderr, "the serial number stays in the box"
    left = os.listdir(os.path.join(world.box.state, "sandbox"))
    assert not {"watchdog", "led", "button", "console", "freeze"} & set(left), left


def test_check_names_every_device_that_is_missing_and_what_to_do(world):
    put(world, "absent", "watchdog led button console reset\n")
    put(world, "serial", "To be filled by O.E.M.\n")
    done = check(world)
    assert done.returncode == EXIT_CONFIG
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert len(wrong) == 6, done.stdout
    for line, name in zip(wrong, ("watchdog", "LED", "button", "console", "panic",
                                 "serial number")):
        assert name in line and "STATE/sandbox/" in line and "build for a board" in line, line


@pytest.mark.parametrize("name,words", [("watchdog", "watchdog"), ("led", "LED"),
                                        ("button", "button"), ("console", "console"),
                                        ("identity", "serial number")])
def test_a_box_without_a_device_that_its_board_has_does_not_start(world, name, words):
    put(world, "absent", name)
    done = run(world)
    assert done.returncode == EXIT_CONFIG, done.stderr
    assert "not started" in done.stderr and words in done.stderr, done.stderr
    assert world.cloud.stats()["requests"] == {}


def test_a_panic_of_the_kernel_is_told_once_and_by_the_next_life(world):
    causes = []
    for boot, panicked in ((1, False), (2, True), (3, False)):
        put(world, "boot_id", "%08d-0000-4000-8000-000000000000\n" % boot)
        if panicked:
            put(world, "panic", "")
        done = run(world)
        assert done.returncode == 0, done.stdout + done.stderr
        causes += re.findall(r"ev=restart cause=(\w+)", done.stdout + done.stderr)
    assert causes == ["first", "panic", "clean"]


def test_traces_of_a_panic_that_nobody_keeps_are_said_to_be_missing(world):
    put(world, "absent", "reset")
    done = run(world)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ev=panics_not_seen" in done.stdout + done.stderr


def test_a_watchdog_that_a_predecessor_still_holds_is_waited_for(world):
    """The child of a box that was killed a moment ago, say."""
    world.run()
    path = os.path.join(world.box.state, "sandbox", "watchdog")
    with open(path, "r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        world.start()
        world.wait_log("watchdog_held")
    world.wait_log("confined", 2)
    assert world.box.stop() == 0
