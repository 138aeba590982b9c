# SPDX-License-Identifier: Apache-2.0
"""A board's list of backends is checked when its build is configured: what is wrong is named."""
import os
import re
import subprocess

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
CONTRACTS = sorted(name.removesuffix(".h") for name in os.listdir(os.path.join(ROOT, "include/hal"))
                   if name.endswith(".h"))
HEAD = """
cmake_minimum_required(VERSION 3.25)
set(BOARD mybox)
include("%s/tools/cmake/AnteroomBoard.cmake")
function(known)
  set_property(GLOBAL APPEND PROPERTY ANTEROOM_MODULES ${ARGN})
  foreach(module ${ARGN})
    set_property(GLOBAL PROPERTY ANTEROOM_LAYER_${module} hal)
  endforeach()
endfunction()
""" % ROOT


def backends(**instead):
    """One backend for each contract; `instead` replaces, or with None leaves out."""
    chosen = {device: device + "_linux" for device in CONTRACTS}
    chosen.update(instead)
    return [name for name in chosen.values() if name]


def configure(tmp_path, chosen, *settings):
    """What cmake says of the board; empty: it is good."""
    script = tmp_path / "board.cmake"
    known = {name for name in " ".join(chosen).split() if name != "loop"}
    script.write_text(HEAD + "".join("set(%s)\n" % setting for setting in settings) +
                      "known(%s)\nanteroom_board_check(%s)\n" % (" ".join(sorted(known)),
                                                                 " ".join(chosen)))
    done = subprocess.run(["cmake", "-P", str(script)], capture_output=True, text=True, timeout=60)
    said = re.sub(r"\s+", " ", done.stderr)
    assert (done.returncode == 0) == (said == ""), said
    return said


def test_a_board_with_one_backend_for_each_contract_is_good(tmp_path):
    assert configure(tmp_path, backends()) == ""


@pytest.mark.parametrize("device", CONTRACTS)
def test_a_device_without_backend_is_named(tmp_path, device):
    said = configure(tmp_path, backends(**{device: None}))
    assert "0 backends for the device '%s'" % device in said


@pytest.mark.parametrize("device", CONTRACTS)
def test_a_device_with_two_backends_is_named(tmp_path, device):
    said = configure(tmp_path, backends() + [device + "_other"])
    assert "2 backends for the device '%s' (%s_linux, %s_other)" % (device, device, device) in said


def test_what_is_no_backend_is_named(tmp_path):
    assert "'loop' is no backend" in configure(tmp_path, backends() + ["loop"])


@pytest.mark.parametrize("device", ["led", "button"])
def test_a_device_is_left_out_on_purpose_or_not_at_all(tmp_path, device):
    symbol = "CONFIG_%s_NONE" % device.upper()
    lacking = backends(**{device: device + "_none"})
    assert symbol in configure(tmp_path, lacking)
    assert symbol in configure(tmp_path, backends(), symbol + " 1")
    assert configure(tmp_path, lacking, symbol + " 1") == ""


@pytest.mark.parametrize("name", ["watchdog_sandbox", "entropy_sandbox", "tokenstore_ram"])
def test_what_anybody_can_play_or_what_forgets_is_for_the_sandbox_board(tmp_path, name):
    played = backends(**{name.partition("_")[0]: name})
    assert "CONFIG_BOARD_SANDBOX" in configure(tmp_path, played)
    assert configure(tmp_path, played, "CONFIG_BOARD_SANDBOX 1") == ""


def test_an_led_of_sysfs_has_a_name(tmp_path):
    assert "CONFIG_LED_NAME" in configure(tmp_path, backends(led="led_sysfs"))
    named = configure(tmp_path, backends(led="led_sysfs"), 'CONFIG_LED_GREEN "box:green:status"')
    assert named == ""
