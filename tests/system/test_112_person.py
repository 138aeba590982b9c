# SPDX-License-Identifier: Apache-2.0
"""Who authorised the box: a person signs in by the link or by device code, and it is kept; what is
in the way is said, and nothing is asked for ever."""
import html
import os
import re
import subprocess
import urllib.parse

import pytest
from listening import free_port, listen, port_of, send, status_of
from world import wait_until

from person import Person

FEW = {"count": 3}
LINK = re.compile(r'href="?([^" >]*/oauth2/v2\.0/authorize\?[^" >]*)')
CODE = re.compile(r"<p class=big>([A-Z0-9-]+)</p>")
ADMIN = "Ada Admin"
OTHER_APPLICATION = "99999999-8888-4777-8666-555555555555"


class Desk:
    """A person at the box's page, and whoever they are at Entra."""

    def __init__(self, world, lives=1):
        self.world = world
        self.port = port_of(world, lives=lives)
        world.wait_log("auth_token_good", count=lives)

    def sign_in(self, *states):
        """What /status says of the person, once it is one of these."""
        def there():
            found = status_of(self.port)["sign_in"]
            return found if found["state"] in states else None
        return wait_until(there, "a sign-in that is " + " or ".join(states))

    def ask(self, do):
        assert send(self.port, self.world.box, do).status == 303

    def link(self):
        self.ask("sign_in")
        self.sign_in("code")
        return html.unescape(LINK.search(self.port.get("/").text())[1])

    def comes_back(self, person):
        """The browser is sent to the box's own page."""
        parts = urllib.parse.urlsplit(person.left)
        assert parts.netloc == self.port.host
        assert self.port.get(parts.path + "?" + parts.query).status == 303

    def by_link(self, who=ADMIN, action="Accept"):
        person = Person(self.world.cloud).open(self.link()).press(who)
        if person.left is None:
            person.press(action)
        self.comes_back(person)

    def code(self):
        """A device code as the page shows it."""
        self.ask("device_code")
        self.sign_in("device")
        return CODE.search(self.port.get("/").text())[1]

    def by_code(self):
        """The code is typed on another device."""
        cloud, code = self.world.cloud, self.code()
        Person(cloud).open(cloud.state["authority_url"] + "/devicelogin").press(
            "Next", user_code=code).press(ADMIN).press("Accept")


@pytest.fixture
def desk(make_world):
    def make(platform="web", **entra):
        number = free_port()
        home = "https://127.0.0.1:%d/redirect" % number

        def change(config):
            listen(number)(config)
            config["sign_in"] = {"redirect_uri": home}
        world = make_world("quiet", records=FEW, change=change, entra={
            "redirect_uris": {"web": [], "public": [], platform: [home]},
            "device_interval_s": 1, **entra})
        return Desk(world.start())
    return make


def check_nothing_told(world):
    """No token is in the log, none is readable in the state directory."""
    words = world.cloud.credentials()["refresh_tokens"]
    assert words
    log = world.box.log_text()
    for folder, _, names in os.walk(os.path.join(world.box.state, "tokens")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            assert not any(w.encode() in data for w in words), name
    assert not any(w in log for w in words)
    assert ADMIN not in log


@pytest.mark.parametrize("platform", ["web", "public"])
def test_by_the_link(desk, platform):
    at = desk(platform)
    at.by_link()
    found = at.sign_in("done")
    assert found["who"] == ADMIN
    assert ADMIN in at.port.get("/").text()
    assert len(at.world.cloud.credentials()["refresh_tokens"]) == 1
    assert bool(at.world.log("signin_proof", now="without")) == (platform == "public")
    check_nothing_told(at.world)
    at.world.finish()


def test_by_device_code(desk):
    at = desk()
    at.by_code()
    assert at.sign_in("done")["who"] == ADMIN
    check_nothing_told(at.world)


def test_a_restart_knows_who_it_was_and_asks_nobody(desk):
    at = desk()
    at.by_link()
    at.sign_in("done")
    assert at.world.box.stop() == 0
    at.world.start()
    again = Desk(at.world, lives=2)
    assert again.sign_in("done")["who"] == ADMIN
    assert len(at.world.cloud.credentials()["refresh_tokens"]) == 1
    assert at.world.cloud.stats()["requests"]["graph.me"]["200"] == 1


def authorised_by(box):
    """As `anteroomctl status` says it, beside the running box."""
    done = subprocess.run([box.ctl, "status", "--state", box.state], capture_output=True,
                          text=True, check=True, timeout=60)
    line = [line for line in done.stdout.splitlines() if line.startswith("authorised by")][0]
    return line[len("authorised by"):].strip()


def test_a_box_that_moves_to_another_application_names_nobody_who_authorised_the_first(desk):
    at = desk()
    box = at.world.box
    assert authorised_by(box) == "nobody has signed in on this box"
    at.by_link()
    at.sign_in("done")
    assert authorised_by(box).startswith(ADMIN + ", ")
    assert box.stop() == 0
    first = box.config["client_id"]
    box.config["client_id"] = OTHER_APPLICATION
    box.write_config()
    at.world.start()
    assert status_of(port_of(at.world, lives=2))["sign_in"]["who"] == ""
    wait_until(lambda: ADMIN not in authorised_by(box), "nobody is named")
    assert at.world.log("life_begun_anew", why="another_tenant_or_application")
    assert authorised_by(box) == "nobody, for this tenant and application"
    assert box.stop() == 0
    box.config["client_id"] = first
    box.write_config()
    at.world.start()
    port = port_of(at.world, lives=3)
    wait_until(lambda: status_of(port)["sign_in"]["who"] == ADMIN, "the page knows them again")
    wait_until(lambda: authorised_by(box).startswith(ADMIN + ", "), "it is the first one's again")


@pytest.mark.parametrize("offset_h", [2, -2])
def test_a_clock_of_entra_that_differs_keeps_nobody_from_signing_in(desk, offset_h):
    at = desk()
    at.world.cloud.entra(clock_offset_s=offset_h * 3600)
    at.ask("validate")
    at.world.wait_log("auth_failed", cause="clock")
    at.world.wait_log("auth_token_good", count=2)
    at.by_link()
    found = at.sign_in("done", "failed")
    assert (found["state"], found["who"]) == ("done", ADMIN), found["text"]


def test_somebody_declines(desk):
    at = desk()
    at.world.cloud.entra(withdraw=["User.Read"])
    at.by_link(action="Cancel")
    found = at.sign_in("failed")
    assert "declined" in found["text"]
    assert not at.world.cloud.credentials()["refresh_tokens"]
    at.world.finish()


def test_what_answers_no_link_of_the_box_leaves_no_trace(desk):
    at = desk()
    for number in range(20):
        assert at.port.get("/redirect?code=x&state=guess%d" % number).status == 303
    assert not at.world.log("wish") and not at.world.log("redirect_ignored")
    at.by_link()
    assert at.sign_in("done")["who"] == ADMIN
    assert len(at.world.log("wish", kind="redirect")) == 1


def test_a_policy_that_blocks_device_codes_is_explained_and_not_tried_again(desk):
    at = desk(conditional_access=["device_code"])
    at.by_code()
    found = at.sign_in("failed")
    assert "policy" in found["text"] and "link" in found["text"]
    line = at.world.wait_log("signin_failed")
    assert (line["cause"], line["aadsts"]) == ("blocked", "53003")
    at.by_link()                     # the other way is open
    assert at.sign_in("done")["who"] == ADMIN
    assert len(at.world.log("signin_failed")) == 1
