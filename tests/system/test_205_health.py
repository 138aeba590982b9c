# SPDX-License-Identifier: Apache-2.0
"""A box that heals itself: the shipped binary on the sandbox board's hardware.

What resets it, starts it again, freezes a machine or presses the button is fakecloud/hardware.py.
Nobody waits for a real minute: the watchdog chip's clock runs faster where a bite is waited for.
"""
import os
import re

import pytest
from world import OFTEN, wait_until

from fakecloud.hardware import Devices
from small_disk import DyingDisk

RATE = 40            # of the watchdog chip's clock, where the process does not feed it any more
SOME = {"count": 40}
FULL_DISK = {"count": 60, "meetings": [{"sessions": 600, "participants": 400, "days_ago": n + 1}
                                       for n in range(4)]}


def graph_requests(world):
    """For calls; the time is asked for, too."""
    return sum(world.cloud.requests("graph." + kind)
               for kind in ("list", "record", "participants", "sessions"))


def collects_again(world):
    """Graph is asked by a life that began after this call."""
    life, asked = world.board.life(), graph_requests(world)
    return lambda: world.board.life() not in (None, life) and graph_requests(world) > asked


def wait_for_next_life(world, act):
    again = collects_again(world)
    act()
    wait_until(again, "another life that asks Graph")


def runs(world):
    """The present life has come to its first turn: it listens to SIGTERM."""
    restarts_, started = world.log("restart"), world.log("started")
    return len(restarts_) >= len(world.board.lives) and started \
        and started[-1]["ts"] >= restarts_[-1]["ts"]


def finish(world, told=None):
    """Everything arrived, a restart of that cause included; an orderly end is a 0 and stops the
    watchdog. The report."""
    world.wait_delivered()
    wait_until(lambda: told is None or told in restarts(world.cloud.report()), "upstream is told")
    wait_until(lambda: runs(world), "the last life has begun")
    assert world.board.power_off() == 0
    assert world.board.devices.watchdog() is None, "nobody will feed it"
    assert world.board.devices.led() == (False, "off")
    return world.cloud.assert_all_delivered()


def restarts(report):
    """What upstream was told about restarts, and that none can be taken for a repeat."""
    told = [event for event in report["records"]["told"] if event["type"] == "box_restarted"]
    keys = {(e["tenant"], e["id"], e["version"], e["part"]) for e in told}
    assert len(keys) == len(told), "an event that looks like a repeat of another"
    return [event["data"]["cause"] for event in told]


# -- why it started anew


def test_killed_is_started_again_and_nothing_is_lost(make_board):
    world = make_board(records=SOME, calls=OFTEN)
    world.board.power_on()
    world.wait_log("restart", cause="first")
    wait_until(lambda: world.cloud.stats()["complete"] > 0, "something arrived")
    wait_for_next_life(world, world.board.kill)
    world.wait_log("restart", cause="killed")
    assert world.board.bites == 0
    finish(world, told="killed")


def test_power_cut_is_another_boot_without_last_words(make_board):
    world = make_board(records=SOME, calls=OFTEN)
    world.board.power_on()
    wait_until(lambda: world.cloud.stats()["complete"] > 0, "something arrived")
    wait_for_next_life(world, world.board.power_cut)
    world.wait_log("restart", cause="power")
    finish(world, told="power")


def test_stopped_process_is_bitten_by_the_watchdog(make_board):
    world = make_board(records=SOME, calls=OFTEN)
    world.board.power_on()
    wait_until(lambda: world.cloud.stats()["complete"] > 0, "something arrived")
    again = collects_again(world)
    world.board.hang()
    world.board.watchdog_rate = RATE
    wait_until(lambda: world.board.bites, "a bite")
    world.board.watchdog_rate = 1
    wait_until(again, "another life that asks Graph")
    assert world.board.lives[0].by == "watchdog"
    world.wait_log("restart", cause="watchdog")
    finish(world, told="watchdog")


def test_an_orderly_end_is_known_as_one(make_board):
    world = make_board(records=SOME)
    world.board.power_on()
    finish(world)
    world.board.power_on()
    world.wait_log("restart", cause="clean")
    report = finish(world, told="clean")
    assert set(restarts(report)) == {"clean"}


def test_a_kernel_panic_is_believed_before_the_watchdog(make_board):
    world = make_board(records=SOME)
    world.board.power_on()
    world.wait_log("started")
    world.board.devices.write("panic", "")
    world.board.power_cut()
    world.wait_log("restart", cause="panic")
    finish(world, told="panic")


# -- what is not there is not worked around


@pytest.mark.parametrize("device, words", [
    ("watchdog", "watchdog"), ("led", "LED"), ("button", "button")])
def test_a_device_that_the_board_has_and_that_is_not_there_is_refused(make_board, device, words):
    world = make_board(records=SOME)
    world.board.devices.take_away(device)
    world.board.power_on()
    wait_until(world.board.given_up, "a refusal")
    assert world.board.lives[0].status == 78
    assert re.search(r"%s.*STATE/sandbox/absent.*not there" % words, world.box.log_text())
    assert world.cloud.stats()["tokens"] == 0


def test_a_watchdog_that_takes_another_timeout_is_adapted_to_and_said(make_board):
    world = make_board(records=SOME)
    world.board.devices.limit_watchdog(25000, 30000)
    world.board.power_on()
    world.wait_log("started")
    assert world.board.fed_ago_ms()[1] == 30000
    assert re.search(r"ev=\S*watchdog\S* .*timeout_ms=30000", world.box.log_text())
    finish(world)


def test_a_watchdog_that_bites_too_soon_is_refused(make_board):
    world = make_board(records=SOME)
    world.board.devices.limit_watchdog(1000, 5000)
    world.board.power_on()
    wait_until(world.board.given_up, "a refusal")
    assert world.board.lives[0].status == 78
    assert "CONFIG_WATCHDOG_TIMEOUT_S" in world.box.log_text()
    assert world.board.devices.watchdog() is None, "a refused watchdog is not left armed"


# -- the LED and the button


def test_the_led_beats_while_all_is_well_and_is_dark_when_the_box_ends(make_board):
    world = make_board(records=SOME)
    world.board.power_on()
    wait_until(lambda: sum(1 for c in world.board.flashes if c[1:] == (True, "green")) >= 3,
               "three beats of the heart")
    finish(world)


def test_the_led_shows_that_the_sink_is_away_and_that_it_is_back(make_board):
    world = make_board(records=SOME, calls=OFTEN)
    world.board.power_on()
    world.wait_delivered()
    world.cloud.sink(state="down")
    world.cloud.raise_versions(count=5)
    world.wait_log("led", code=8)
    wait_until(lambda: world.board.led()[1] == "amber", "amber")
    world.cloud.sink(state="up")
    world.wait_log("led", code=10)
    finish(world)


def test_the_led_shows_that_the_cloud_refuses_the_box(make_board):
    world = make_board(records=SOME, calls={"hot_interval_s": 1})
    world.board.power_on()
    world.wait_log("life", state="collecting")
    world.cloud.fault({"service": "authority"}, {"aadsts": 700027})
    world.cloud.entra(revoke=True)
    world.wait_log("led", code=7)
    world.cloud.clear_faults()
    world.wait_log("life", 2, state="collecting")
    world.wait_log("led", code=10)
    finish(world)


# -- machines that stand still, and what is done about it


MACHINES = {"auth": 1, "graph": 2, "store": 3, "http": 4, "ship": 5}
RARELY = {"hot_interval_s": 4, "warm_interval_s": 4, "cold_interval_s": 4}
SHORTEST_MS = 20000  # timeout of the watchdog: a missed wake-up is noticed after a quarter of it


def impatient(config):
    """What is under way is given up soon, so that it counts as standing still soon."""
    config["http"] = {"connect_ms": 5000, "stall_ms": 1000}


def give_work(world, machine):
    """Something that the machine promises itself to do soon: what it then misses is noticed."""
    if machine == "ship":
        world.cloud.sink(state="down")
        world.wait_log("ship_failing")
    elif machine == "auth":
        world.cloud.entra(revoke=True)
    elif machine != "graph":     # which lists on its own schedule
        world.cloud.raise_versions(count=10)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_frozen_machine_is_noticed_and_built_anew(make_board, machine):
    world = make_board(records=SOME, calls=RARELY, change=impatient)
    world.board.devices.limit_watchdog(SHORTEST_MS, SHORTEST_MS)
    world.board.power_on()
    world.wait_delivered()
    if machine == "ship":
        world.cloud.raise_versions(count=10)
    world.board.devices.freeze(MACHINES[machine], machine != "ship")
    give_work(world, machine)
    world.board.devices.freeze(MACHINES[machine])
    world.wait_log("health", machine=machine, state="late", level=1)
    world.board.devices.freeze(MACHINES[machine], False)
    world.cloud.sink(state="up")
    finish(world)
    assert len(world.board.lives) == 1 and world.board.bites == 0


def test_a_machine_that_stays_frozen_ends_the_process_and_says_so_in_its_last_words(make_board):
    world = make_board(records=SOME, calls=RARELY, change=impatient)
    world.board.devices.limit_watchdog(SHORTEST_MS, SHORTEST_MS)
    world.board.power_on()
    world.wait_delivered()
    world.board.devices.freeze(MACHINES["graph"])
    world.wait_log("ladder", action="process", cause="graph")
    wait_until(lambda: len(world.board.lives) > 1, "the next life")
    assert world.board.lives[0].status == 70 and world.board.bites == 0
    world.board.devices.freeze(MACHINES["graph"], False)
    told = world.wait_log("restart", cause="asked")
    assert "graph" in told["words"]
    finish(world, told="asked")


def live_and_die(world):
    """One more life ends, by a crash or, where the box asks for its reset, by the watchdog."""
    number = len(world.board.lives)
    wait_until(lambda: len(world.log("restart")) >= number, "the life has begun")
    said = [line for line in world.log("ladder") if line["ts"] >= world.log("restart")[-1]["ts"]]
    if said and said[-1]["action"] == "hold":
        return
    if said and said[-1]["action"] == "reboot":
        world.board.watchdog_rate = RATE
    else:
        world.board.kill()
    wait_until(lambda: len(world.board.lives) > number, "the next life")
    world.board.watchdog_rate = 1


def test_a_crash_loop_ends_in_a_box_that_holds_still_fed_and_visible(make_board):
    world = make_board(records=SOME, calls=OFTEN, pause_s=0)
    world.board.power_on()
    while not world.log("ladder", action="hold"):
        assert len(world.board.lives) < 30, "it would restart for ever"
        live_and_die(world)
    assert world.board.bites == 3, "restarts of the process did not help, nor did the box's"
    world.wait_log("led", code=1)
    wait_until(lambda: world.board.led()[1] == "red", "red")
    fed_ms = world.board.devices.watchdog()[1]
    wait_until(lambda: world.board.devices.watchdog()[1] > fed_ms, "it is fed")
    assert world.board.life() is world.board.lives[-1]
    wait_for_next_life(world, world.board.power_cut)   # somebody pulls the plug: it tries again
    finish(world)


def test_the_button_held_five_seconds_counts_the_code_out_and_fifteen_ask_for_the_factory(
        make_board):
    world = make_board(records=SOME)
    world.board.power_on()
    world.wait_log("started")
    world.board.devices.press()
    shown = world.wait_log("button", shown="code")
    assert shown["code"] == "10"
    world.wait_log("button", asked="factory_configuration")
    world.board.devices.press(False)
    wait_until(lambda: world.cloud.report()["records"]["other_events"].get("factory_asked") == 1,
               "upstream is told")
    finish(world)
    assert len(world.log("button")) == 2


# -- a disk that is full, a disk that cannot be written


def test_a_full_disk_leaves_the_box_fed_visible_and_whole(make_board, small_disk):
    world = make_board(records=FULL_DISK)
    disk = small_disk(world.box, 32)
    world.board.devices = Devices(disk.state)
    world.cloud.sink(state="down")
    world.board.power_on()
    wait_until(lambda: graph_requests(world) > 0, "a store that has begun")
    ballast = disk.fill(left_kib=64)
    world.wait_log("commit_failed")
    wait_until(lambda: world.board.led()[0], "a light")
    fed_ms = world.board.devices.watchdog()[1]
    wait_until(lambda: world.board.devices.watchdog()[1] > fed_ms, "it is fed")
    world.board.kill()
    wait_until(lambda: len(world.log("restart", cause="killed")) > 0, "a life on a full disk")
    os.unlink(ballast)
    world.cloud.sink(state="up")
    finish(world)
    assert world.board.bites == 0
def test_a_disk_that_became_read_only_leaves_the_box_fed_and_visible(make_board, small_disk):
    world = make_board(records=FULL_DISK, calls=OFTEN)
    disk = small_disk(world.box, 64, DyingDisk)
    world.board.devices = Devices(disk.state)
    world.cloud.sink(state="down")
    world.board.power_on()
    wait_until(lambda: graph_requests(world) > 0, "a store that has begun")
    disk.die()
    world.wait_log("commit_failed")
    wait_until(lambda: world.board.led()[0], "a light")
    for _ in range(2):
        fed_ms = world.board.devices.watchdog()[1]
        wait_until(lambda: world.board.devices.watchdog()[1] > fed_ms, "it is fed")
    assert world.alive() and len(world.board.lives) == 1, "it works on as well as it can"
    assert world.board.power_off() == 0, "and ends in order when it is told to"


