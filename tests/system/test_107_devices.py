# SPDX-License-Identifier: Apache-2.0
"""--check and the devices of the board: said by name, and neither armed nor changed."""
import os
import subprocess

import pytest

EXIT_CONFIG = 78


@pytest.fixture
def world(make_world):
    return make_world("quiet")


def check(world):
    return subprocess.run(world.box.command("--check"), capture_output=True, text=True, timeout=60)


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
    for line in ("ok     watchdog", "ok     LED", "ok     button",
                 "ok     traces of a kernel panic",
                 "ok     serial number ...0417 of board sandbox"):
        assert line in done.stdout.splitlines(), done.stdout
    assert "ANT-2026" not in done.stdout + done.stderr, "the serial number stays in the box"
    left = os.listdir(os.path.join(world.box.state, "sandbox"))
    assert not {"watchdog", "led", "button", "freeze"} & set(left), left


def test_check_names_every_device_that_is_missing_and_what_to_do(world):
    put(world, "absent", "watchdog led button reset\n")
    put(world, "serial", "To be filled by O.E.M.\n")
    done = check(world)
    assert done.returncode == EXIT_CONFIG
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert len(wrong) == 5, done.stdout
    for line, name in zip(wrong, ("watchdog", "LED", "button", "panic", "serial number")):
        assert name in line and "STATE/sandbox/" in line and "build for a board" in line, line
