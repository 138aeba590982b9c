# SPDX-License-Identifier: Apache-2.0
"""The binaries need nothing of the machine: they work in a root directory without /dev and /etc."""
import os
import shutil
import subprocess

import pytest
from world import make_state


def enter(root):
    """The command that runs a program below `root`; skips where the machine forbids it."""
    if os.geteuid() == 0:
        return ["chroot", root]
    # As an ordinary user there too: a box that is root wants a state directory of somebody else.
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--root=" + root]
    probe = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "true"]
    if not shutil.which("unshare") or subprocess.run(probe, capture_output=True).returncode != 0:
        pytest.skip("neither root nor user namespaces: chroot not possible")
    return command


def point_to_root(config):
    config["sandbox"]["ca_file"] = "/ca.pem"


@pytest.fixture
def bare(make_world):
    """A world whose box lives in a directory with two programs and its own files only."""
    world = make_world("quiet", records={"count": 5}, change=point_to_root)
    root = world.box.folder
    for program in (world.box.daemon, world.box.ctl):
        shutil.copy(program, root)
    shutil.copy(world.cloud.state["ca_file"], os.path.join(root, "ca.pem"))
    assert not {"dev", "etc", "proc", "sys"} & set(os.listdir(root))
    return world, root


def test_entropy_needs_no_device(bare):
    """The key of the certificate and all of TLS draw on getrandom()."""
    _, root = bare
    make_state(os.path.join(root, "second"))
    command = enter(root) + ["/anteroomctl", "certificate", "--state", "/second"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("-----BEGIN CERTIFICATE-----")


def test_collects_and_delivers_in_an_empty_root(bare):
    world, root = bare
    command = enter(root) + ["/anteroomd", "--config", "/config.json", "--state", "/state"]
    done = subprocess.run(command + ["--until-idle"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    world.cloud.assert_all_delivered()
