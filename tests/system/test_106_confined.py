# SPDX-License-Identifier: Apache-2.0
"""What the shipped binary has given up once it runs, as /proc shows it, and what it refuses."""
import os
import re
import subprocess

import pytest
from world import give_state, make_state

NOBODY_ELSE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


def proc(world, name):
    with open("/proc/%d/%s" % (world.box.process.pid, name), encoding="ascii") as text:
        return text.read()


def status(world):
    return {k: v.strip() for k, v in re.findall(r"^(\w+):(.*)$", proc(world, "status"), re.M)}


@pytest.fixture
def running(make_world):
    """A box that has delivered everything and goes on."""
    world = make_world("quiet", records={"count": 8})
    world.start()
    world.wait_delivered()
    return world


def test_it_has_no_capability_and_gets_no_privilege(running):
    found = status(running)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(found[name], 16) == 0, name
    assert found["NoNewPrivs"] == "1"


@NOBODY_ELSE
def test_started_as_root_it_is_the_owner_of_its_state(running):
    owner = os.stat(running.box.state)
    found = status(running)
    assert found["Uid"].split() == [str(owner.st_uid)] * 4
    assert found["Gid"].split() == [str(owner.st_gid)] * 4
    assert found["Groups"] == "" and int(found["CapBnd"], 16) == 0
    assert owner.st_uid != 0


def test_it_cannot_be_dumped_nor_looked_into(running):
    """The kernel gives the files of a process that is not dumpable to root."""
    assert os.stat("/proc/%d/mem" % running.box.process.pid).st_uid == 0
    assert re.search(r"^Max core file size +0 +0 ", proc(running, "limits"), re.M)


def test_its_resources_are_limited(running):
    limits = {name: (soft, hard) for name, soft, hard in re.findall(
        r"^(Max .*?)  +(\S+) +(\S+)", proc(running, "limits"), re.M)}
    most = {"Max open files": 256, "Max data size": 64 << 20, "Max file size": 1 << 30,
            "Max address space": 1 << 30, "Max msgqueue size": 0, "Max realtime priority": 0}
    for name, value in most.items():
        soft, hard = limits[name]
        assert soft == hard and int(hard) <= value, (name, limits[name])


def test_it_lives_in_its_state_directory(running):
    assert os.path.samefile("/proc/%d/cwd" % running.box.process.pid, running.box.state)


def run_for(box, *extra):
    return subprocess.run(box.command(*extra), capture_output=True, text=True, timeout=60)


@NOBODY_ELSE
@pytest.mark.parametrize("owner", [(0, 0), (64777, 0), (0, 64777)])
def test_a_state_that_belongs_to_root_is_77_and_says_what_to_do(make_world, owner):
    world = make_world("quiet")
    there = sorted(os.listdir(world.box.state))
    os.chown(world.box.state, *owner)
    done = run_for(world.box, "--until-idle")
    assert done.returncode == 77 and "chown -R USER:GROUP" in done.stderr
    checked = run_for(world.box, "--check")
    assert checked.returncode == 78 and "chown -R USER:GROUP" in checked.stdout
    ctl = subprocess.run([world.box.ctl, "secret", "put", "--state", world.box.state, "a"],
                         input="x", capture_output=True, text=True, timeout=60)
    assert ctl.returncode == 77 and "chown -R USER:GROUP" in ctl.stderr
    assert sorted(os.listdir(world.box.state)) == there, "nothing was made"
    give_state(world.box.state)
    world.run()


@NOBODY_ELSE
def test_what_root_does_with_anteroomctl_belongs_to_the_box(make_world, tmp_path):
    world = make_world("quiet")
    state = make_state(str(tmp_path / "state"))
    subprocess.run([world.box.ctl, "certificate", "--state", state], check=True,
                   capture_output=True, timeout=60)
    for here, folders, files in os.walk(state):
        for name in folders + files:
            assert os.lstat(os.path.join(here, name)).st_uid == os.stat(state).st_uid


def test_a_state_directory_given_relative_to_where_it_was_started(make_world):
    world = make_world("quiet")
    done = subprocess.run(
        [world.box.daemon, "--config", "config.json", "--state", "state", "--until-idle"],
        cwd=world.box.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    world.cloud.assert_all_delivered()
