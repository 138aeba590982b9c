# SPDX-License-Identifier: Apache-2.0
"""The hardware twin by itself, against programs of a few lines in the place of anteroomd."""
import os
import subprocess
import time

import pytest

from fakecloud.hardware import Board, boottime_ms

WAIT_S_MAX = 30


class Script:
    """A box whose firmware is a line of shell; $STATE is its state directory."""

    def __init__(self, folder, text):
        self.state, self.text, self.process = str(folder), text, None

    def start(self, *arguments):
        self.process = subprocess.Popen(["/bin/sh", "-c", self.text, "firmware", *arguments],
                                        env={**os.environ, "STATE": self.state})


def wait_until(condition):
    end = time.monotonic() + WAIT_S_MAX
    while not condition():
        assert time.monotonic() < end, "not within %d s" % WAIT_S_MAX
        time.sleep(0.01)


@pytest.fixture
def make_board(tmp_path):
    made = []

    def make(text, **settings):
        made.append(Board(Script(tmp_path, text), **{"pause_s": 0, **settings}))
        return made[-1]

    yield make
    for board in made:
        board.cut_for_good()


def arm(board, timeout_ms, fed_ago_ms=0):
    board.devices.write("watchdog", "timeout_ms=%d fed_ms=%d armed=1\n" % (
        timeout_ms, boottime_ms() - fed_ago_ms))


def test_a_watchdog_that_nobody_feeds_resets_the_box_into_another_boot(make_board):
    board = make_board("exec sleep 1000").power_on()
    first = board.life()
    arm(board, 60000, fed_ago_ms=61000)
    wait_until(lambda: len(board.lives) == 2)
    assert first.by == "watchdog" and first.status == -9 and board.bites == 1
    assert board.devices.read("bitten") == "" and os.path.exists(board.devices.path("bitten"))
    assert board.devices.watchdog() is None, "a reset stops the chip"
    assert board.lives[1].boot_id != first.boot_id
    assert board.devices.read("boot_id").strip() == board.lives[1].boot_id


def test_a_stopped_process_is_bitten_too_and_the_chip_may_run_faster_than_the_world(make_board):
    board = make_board("exec sleep 1000", watchdog_rate=2000).power_on()
    board.hang()
    arm(board, 60000)
    wait_until(lambda: board.bites == 1 and board.life())
    assert board.lives[0].by == "watchdog"


def test_a_watchdog_that_is_fed_or_stopped_does_not_bite(make_board):
    board = make_board("exec sleep 1000").power_on()
    arm(board, 60000, fed_ago_ms=59000)
    wait_until(lambda: (board.fed_ago_ms() or (0, 0))[0] > 59000)
    arm(board, 60000)
    wait_until(lambda: board.fed_ago_ms()[0] < 59000)
    board.devices.write("watchdog", "timeout_ms=60000 fed_ms=0 armed=0\n")
    wait_until(lambda: board.fed_ago_ms() is None)
    assert board.bites == 0 and len(board.lives) == 1


def test_init_starts_again_what_was_killed_and_what_failed_in_the_same_boot(make_board):
    board = make_board('[ -e "$STATE/once" ] && exec sleep 1000; touch "$STATE/once"; exit 70')
    board.power_on("--an-option")
    wait_until(lambda: len(board.lives) == 2)
    board.kill()
    wait_until(lambda: len(board.lives) == 3)
    assert [life.status for life in board.lives] == [70, -9, None]
    assert {life.boot_id for life in board.lives} == {board.boot_id}
    assert board.lives[2].process.args[-1] == "--an-option"


@pytest.mark.parametrize("status", [0, 64, 66, 77, 78])
def test_init_leaves_alone_what_ended_in_order_or_would_fail_again(make_board, status):
    board = make_board("exit %d" % status).power_on()
    wait_until(board.given_up)
    assert [life.status for life in board.lives] == [status]


def test_init_waits_its_pause(make_board):
    board = make_board("exit 71", pause_s=1000).power_on()
    wait_until(lambda: board.life() is None)
    assert not board.given_up() and len(board.lives) == 1


def test_a_power_cut_is_another_boot_and_leaves_no_word(make_board):
    board = make_board("exec sleep 1000").power_on()
    board.power_cut()
    assert [life.by for life in board.lives] == ["power", None]
    assert board.lives[0].boot_id != board.lives[1].boot_id
    assert not os.path.exists(board.devices.path("bitten"))


def test_an_orderly_end_is_a_sigterm_without_a_next_life(make_board):
    board = make_board('trap "exit 0" TERM; touch "$STATE/ready"; while :; do sleep 0.01; done')
    board.power_on()
    wait_until(lambda: os.path.exists(os.path.join(board.box.state, "ready")))
    assert board.power_off() == 0
    assert len(board.lives) == 1 and board.life() is None


def test_the_led_is_read_as_it_is_lit(make_board):
    board = make_board("exec sleep 1000")
    assert board.devices.led() == (False, "off")
    for text, seen in (("on=1 colour=green\n", (True, "green")), ("on=0 colour=amber\n",
                       (False, "amber")), ("on=1 colour=off\n", (False, "off"))):
        board.devices.write("led", text)
        assert board.devices.led() == seen


def test_a_flash_glows_for_a_moment(make_board):
    board = make_board("exec sleep 1000").power_on()
    board.devices.write("led", "on=1 colour=amber\n")
    wait_until(lambda: board.led() == (True, "amber"))
    board.devices.write("led", "on=0 colour=off\n")
    wait_until(lambda: board.led(within_s=0) == (False, "off"))
    assert [change[1:] for change in board.flashes][-2:] == [(True, "amber"), (False, "off")]


def test_the_button_is_a_pipe_that_somebody_listens_to(make_board):
    board = make_board('mkfifo "$STATE/sandbox/button"; '
                       'exec cat "$STATE/sandbox/button" >"$STATE/heard"')
    board.power_on()

    def pressed():
        try:
            board.devices.press()
            return True
        except OSError:
            return False
    wait_until(pressed)
    wait_until(lambda: board.lives[0].status == 0)
    with open(os.path.join(board.box.state, "heard"), encoding="ascii") as heard:
        assert heard.read() == "1"


def test_freezing_sets_one_byte(make_board):
    board = make_board("exec sleep 1000")
    board.devices.freeze(3)
    with open(board.devices.path("freeze"), "rb") as data:
        assert data.read() == bytes(3) + b"\1" + bytes(60)
    board.devices.freeze(3, False)
    with open(board.devices.path("freeze"), "rb") as data:
        assert data.read() == bytes(64)
