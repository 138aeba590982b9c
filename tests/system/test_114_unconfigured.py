# SPDX-License-Identifier: Apache-2.0
"""A box without a configuration: it says what it waits for and where, asks nobody for anything, and
goes on by itself when the file comes."""
import json
import os
import re
import subprocess

import jsonschema
import pytest
from listening import ctl, listen, port_of, send, status_of, wait_state
from world import ROOT, wait_until

SCHEMA = os.path.join(ROOT, "firmware", "status", "status.schema.json")
SOME = {"count": 12}
EXIT_AGAIN, EXIT_CONFIG = 75, 78
OUTGROWN_BYTES = 700 << 20


class Waiting:
    """A board whose box has no configuration yet: take() has put the file aside."""

    def __init__(self, world):
        self.world, self.box, self.board = world, world.box, world.board
        self.file = world.box.config_file

    def take(self):
        with open(self.file, encoding="utf-8") as text:
            self.text = text.read()
        os.unlink(self.file)
        return self

    def port(self, lives):
        wait_until(lambda: len(self.world.log("started")) >= lives, "life %d" % lives)
        return port_of(self.world, lives=lives)

    def enrol(self, port):
        """What the page offers is what the box signs in with later."""
        self.world.cloud.entra(certificate=port.get("/certificate").text())

    def put(self, text=None):
        """As somebody does who logs in: it is written where it belongs."""
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(text or self.text)

    def move(self):
        """As a tool does that leaves nothing half done."""
        with open(self.file + ".new", "w", encoding="utf-8") as out:
            out.write(self.text)
        os.rename(self.file + ".new", self.file)


@pytest.fixture
def waiting(make_board):
    """A box that nobody knows, on a board with init, watchdog and LED; its configuration is put
    aside."""
    world = make_board("quiet", records=SOME, change=listen())
    subprocess.run([world.box.ctl, "key", "remove", "--state", world.box.state], check=True)
    world.cloud.entra(forget=True)
    return Waiting(world).take()


def asked(world):
    return world.cloud.stats()["requests"]


def restarts(report):
    """Why it was started, as upstream was told."""
    return [e["data"]["cause"] for e in report["records"]["told"] if e["type"] == "box_restarted"]


@pytest.mark.parametrize("how", ["put", "move"])
def test_a_box_without_a_configuration_waits_for_it_and_goes_on_to_collect(waiting, how):
    waiting.board.power_on()
    port = waiting.port(1)
    found = wait_state(port, "unconfigured")
    assert found["state"]["reason"] == "C01" and found["state"]["level"] == "setup"
    assert waiting.file in found["state"]["what"] and found["state"]["next"]
    assert found["sinks"] == [] and found["credential"]["kind"] == "certificate"
    waiting.enrol(port)
    assert asked(waiting.world) == {}
    getattr(waiting, how)()
    port = waiting.port(2)
    wait_state(port, "collecting")
    waiting.world.wait_delivered()
    first, second = waiting.board.lives
    assert first.status == EXIT_AGAIN and second.ended is None and waiting.board.bites == 0
    again = waiting.world.log("restart")[-1]
    assert again["cause"] == "clean" and again["level"] == "0"
    assert status_of(port)["box"]["ladder_level"] == 0
    assert waiting.board.power_off() == 0
    waiting.world.cloud.assert_all_delivered()


def test_everything_that_it_says_of_itself_makes_sense_without_a_tenant(waiting):
    waiting.board.power_on()
    port = waiting.port(1)
    wait_until(lambda: status_of(port)["state"]["led_code"] == 4, "the code of a set-up")
    with open(SCHEMA, encoding="utf-8") as text:
        jsonschema.validate(status_of(port), json.load(text))
    page = port.get("/").text()
    assert waiting.file in page and "/certificate" in page and "Unconfigured" in page
    for word in ("<button", "Open the consent page", "class=qr", "login.microsoft"):
        assert word not in page, word
    assert port.get("/healthz").status == 200
    metrics = port.get("/metrics").text()
    assert 'anteroom_state{state="unconfigured"} 1' in metrics
    assert 'anteroom_state_reason{reason="C01"} 1' in metrics
    assert "anteroom_sink_state{" not in metrics
    for do in ("validate", "sign_in", "device_code"):
        answer = send(port, waiting.box, do)
        assert answer.status == 403 and "no configuration" in answer.text(), do
    line = json.loads(wait_until(
        lambda: [s for s in waiting.board.devices.read("console").splitlines() if s],
        "a line of the console")[0])
    assert (line["state"], line["reason"]) == ("unconfigured", "C01")
    assert "setup code" in ctl(waiting.box, "status")
    wait_until(lambda: waiting.board.led() == (True, "blue"), "a blue flash")
    assert waiting.board.fed_ago_ms() is not None
    assert asked(waiting.world) == {} and len(waiting.board.lives) == 1


def test_a_wrong_file_ends_it_as_ever_and_no_watchdog_is_left_to_bite(waiting):
    waiting.board.power_on()
    waiting.port(1)
    assert waiting.board.devices.watchdog() is not None
    waiting.put("{}")
    wait_until(waiting.board.given_up, "init gives it up")
    assert [life.status for life in waiting.board.lives] == [EXIT_AGAIN, EXIT_CONFIG]
    assert "tenant_id" in waiting.box.log_text()
    assert waiting.board.devices.watchdog() is None


@pytest.mark.parametrize("share", [0, 0.5], ids=["empty", "half"])
def test_a_file_that_is_only_begun_when_the_box_starts_is_waited_for(waiting, share):
    """A boot, or a directory that was just made, falls into somebody's copying."""
    with open(waiting.file, "w", encoding="utf-8") as out:
        out.write(waiting.text[:int(len(waiting.text) * share)])
        out.flush()
        waiting.board.power_on()
        port = waiting.port(1)
        found = wait_state(port, "unconfigured")
        waiting.enrol(port)
        assert "a part is missing at the end of " + waiting.file in found["state"]["what"]
        assert waiting.world.log("configuration_ends_too_early")
        out.write(waiting.text[out.tell():])
    wait_state(waiting.port(2), "collecting")
    assert [life.status for life in waiting.board.lives] == [EXIT_AGAIN, None]
    assert waiting.board.power_off() == 0


def test_a_copy_that_is_broken_off_is_waited_for_until_it_is_made_anew(waiting):
    waiting.board.power_on()
    port = waiting.port(1)
    wait_state(port, "unconfigured")
    waiting.enrol(port)
    waiting.put(waiting.text[:-20])
    wait_state(waiting.port(2), "unconfigured")
    assert waiting.world.log("configuration_ends_too_early")
    waiting.put()
    wait_state(waiting.port(3), "collecting")
    assert waiting.board.power_off() == 0


def test_a_store_that_outgrew_the_boards_default_is_opened_without_the_file(waiting):
    """Its map needs address space, twice for a moment, by whichever quota it grew."""
    store = os.path.join(waiting.box.state, "spool", "data.mdb")
    waiting.board.power_on()
    waiting.port(1)
    assert waiting.board.power_off() == 0
    os.truncate(store, OUTGROWN_BYTES)
    waiting.board.power_on()
    wait_state(waiting.port(2), "unconfigured")
    with open("/proc/%d/limits" % waiting.box.process.pid, encoding="utf-8") as text:
        soft = {name: int(bytes_) for name, bytes_ in re.findall(
            r"^(Max (?:address space|file size))\s+(\d+)", text.read(), re.M)}
    assert soft["Max address space"] > 2 * OUTGROWN_BYTES
    assert soft["Max file size"] > OUTGROWN_BYTES
    assert not waiting.world.log("store_reset")
    assert waiting.board.power_off() == 0


def test_what_was_collected_before_is_kept_and_delivered_when_the_file_is_back(make_board):
    world = make_board("quiet", records=SOME, change=listen())
    world.cloud.fault({"service": "sink"}, {"status": 503})
    world.board.power_on()
    wait_until(lambda: status_of(port_of(world))["sources"][0]["done"] == SOME["count"],
               "everything is collected")
    assert world.board.power_off() == 0
    waiting = Waiting(world).take()
    world.cloud.clear_faults()
    world.board.power_on()
    found = wait_state(waiting.port(2), "unconfigured")
    held = found["store"]["events"]
    assert held >= SOME["count"]
    waiting.put()
    wait_state(waiting.port(3), "collecting")
    world.wait_delivered()
    assert int(world.log("started")[-1]["held"]) == held + 1, "and why it was started"
    assert not world.log("life_begun_anew"), "what it knows of its tenant stays, too"
    wait_until(lambda: restarts(world.cloud.report()), "upstream is told why")
    assert world.board.power_off() == 0
    # Once, by the life that has a tenant again: the one without had nobody to tell it of.
    assert restarts(world.cloud.assert_all_delivered()) == ["clean"]
