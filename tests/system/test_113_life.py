# SPDX-License-Identifier: Apache-2.0
"""What administrators do to a box, and what its status says of it: edges of the life against the
fake cloud. The table itself is walked edge by edge, by virtual time, in tests/unit/auth.
"""
import os
import re
import subprocess

import pytest
from world import CALL_RECORDS, OFTEN, wait_until

CALLS, USERS, DEVICES = "CallRecords.Read.All", "User.Read.All", "TeamworkDevice.Read.All"
REDIRECT = "http://localhost"


class Life:
    """A box with its page, and what its status says."""

    def __init__(self, world):
        self.world, self.cloud, self.lives = world, world.cloud, 1
        self.page = self.open()

    def open(self):
        from person import BoxPage
        self.world.wait_log("status_port", count=self.lives)
        return BoxPage(self.world)

    def state(self):
        return self.page.status()["state"]

    def becomes(self, name, **members):
        """Wait for a state; asking again now, as a person at the page would. Its members."""
        def there():
            now = self.state()
            return now if now["name"] == name and all(now[k] == v for k, v in members.items()) \
                else self.look_again()
        return wait_until(there, "state %s %s" % (name, members), step_s=0.5)

    def look_again(self):
        self.page.press("Look again now")

    def later(self, by_s):
        """The power goes, and comes back when so much time is over for everybody."""
        self.world.box.kill()
        self.cloud.entra(clock_offset_s=by_s)
        self.cloud.graph(clock_offset_s=by_s)
        self.world.start()
        self.lives += 1
        self.page = self.open()

    def verdicts(self):
        return {p["name"]: p["verdict"] for p in self.page.status()["permissions"]}

    def person(self, label):
        """Somebody follows the consent link of the page and presses buttons."""
        from person import Person
        return Person(self.cloud).open(self.page.link("Open the consent page")).press(label)


@pytest.fixture
def start(make_world):
    """start(wanted, **settings of entra): a running box that the tenant knows."""
    def make(wanted=(CALLS,), **entra):
        def change(config):
            config["status"] = {"listen": "127.0.0.1:0"}
            config["sign_in"] = {"redirect_uri": REDIRECT}
            config["permissions"] = list(wanted)
        world = make_world("quiet", calls={**CALL_RECORDS, **OFTEN}, change=change, entra=entra)
        return Life(world.start())
    return make


def test_consent_given_late_is_noticed_without_any_redirect(start):
    life = start(consent=False)
    life.becomes("awaiting_consent")
    assert not life.cloud.requests("graph.list"), "nothing is collected before it is granted"
    life.person("Ada Admin").press("Accept")
    life.becomes("collecting")
    life.world.wait_delivered()


def test_consent_given_in_part_collects_what_answers_and_names_what_lacks(start):
    life = start((CALLS, USERS, DEVICES), roles=[CALLS, DEVICES])
    life.becomes("degraded")
    assert USERS in life.state()["what"] and life.verdicts()[USERS] == "missing"
    life.world.wait_delivered()
    life.cloud.entra(grant=[USERS], revoke=True)
    life.becomes("collecting")


def test_consent_declined_is_told_when_the_address_is_pasted(start):
    life = start(consent=False)
    life.becomes("awaiting_consent")
    person = life.person("Ada Admin").press("Cancel")
    assert "error=consent_required" in person.left
    life.page.press("Take this address", value=person.left)
    assert life.state()["name"] == "awaiting_consent" and life.world.alive()


def test_consent_withdrawn_is_seen_with_the_next_token(start):
    life = start()
    life.becomes("collecting")
    life.cloud.entra(consent=False, revoke=True)
    wait_until(lambda: life.verdicts()[CALLS] == "missing" or life.look_again(), "it lacks",
               step_s=0.5)
    assert life.state()["name"] != "collecting"
    life.cloud.entra(consent=True, revoke=True)
    life.becomes("collecting")


def test_403_after_consent_is_waited_for_with_a_countdown_and_ends_by_itself(start):
    life = start(consent=False, propagation_s="ever")
    life.becomes("awaiting_consent")
    life.cloud.entra(grant=[CALLS])
    state = life.becomes("propagating")
    assert 0 < state["propagation_left_s"] <= 135 * 60
    assert life.verdicts()[CALLS] == "forbidden"
    life.cloud.entra(propagation_s=0)
    life.becomes("collecting")
    life.world.wait_delivered()


def test_a_life_that_cannot_be_read_is_said_to_begin_anew_and_found_out_again(start):
    life = start()
    box = life.world.box
    life.becomes("collecting")
    assert box.stop() == 0
    path = os.path.join(box.state, "tokens", "life")
    with open(path, "r+b") as record:
        for at in (40, os.path.getsize(path) // 2 + 40): # both copies
            record.seek(at)
            record.write(b"????")
    done = subprocess.run([box.ctl, "status", "--state", box.state], capture_output=True,
                          text=True, check=True, timeout=60)
    assert "sign-in               cannot be read: damaged\n" in done.stdout
    life.world.start()
    life.world.wait_log("life_unreadable", cause="corrupt", now="begun_anew")
    life.world.wait_log("life", count=2, state="collecting")
    assert box.stop() == 0
    life.world.start()
    life.world.wait_log("life", count=3, state="collecting")
    assert len(life.world.log("life_unreadable")) == 1
    life.world.finish()


HOUR_S = 3600
ASKED_FOR = {CALLS: "list", USERS: "users", DEVICES: "devices"}


def refuses(life, permission, status):
    """Graph answers with this status whatever needs the permission."""
    life.cloud.fault({"service": "graph", "kind": ASKED_FOR[permission]}, {"status": status})


def test_403_that_lasts_too_long_names_the_permission_over_a_kill_and_ends_by_itself(start):
    life = start(consent=False, propagation_s="ever")
    life.becomes("awaiting_consent")
    life.cloud.entra(grant=[CALLS])
    assert life.becomes("propagating")["propagation_left_s"] > 134 * 60
    life.later(HOUR_S)
    left = life.becomes("propagating")["propagation_left_s"]
    assert 60 * 60 < left <= 75 * 60, "the countdown went on"
    assert not life.world.log("graph_forbidden"), "nothing is collected meanwhile"
    life.later(3 * HOUR_S)
    state = life.becomes("attention")
    assert CALLS in state["what"] and not state["propagation_left_s"]
    life.cloud.entra(propagation_s=0)
    life.becomes("collecting")
    life.world.wait_delivered()


def test_enabling_with_a_warning_collects_what_answers_and_is_kept(start):
    life = start((CALLS, USERS), consent=False)
    refuses(life, USERS, 403)
    life.becomes("awaiting_consent")
    life.cloud.entra(consent=True, revoke=True)
    life.becomes("propagating")
    assert (life.verdicts()[CALLS], life.verdicts()[USERS]) == ("good", "forbidden")
    assert not life.cloud.report()["records"]["delivered"]
    life.page.press("Enable with a warning")
    state = life.becomes("degraded")
    assert USERS in state["what"]
    life.world.wait_delivered()
    life.later(3 * HOUR_S) # accepted is accepted
    life.becomes("degraded")
    life.cloud.clear_faults()
    life.becomes("collecting")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_one_permission_that_does_not_answer_leaves_the_other_one_collecting(start, status):
    life = start((CALLS, DEVICES))
    life.becomes("collecting")
    refuses(life, DEVICES, status)
    asked = life.cloud.requests("graph.devices")
    wait_until(lambda: life.cloud.requests("graph.devices") >= asked + 2 or life.look_again(),
               "it was asked", step_s=0.5)
    life.cloud.raise_versions(count=3)
    life.world.wait_delivered()
    assert life.state()["name"] in ("collecting", "degraded", "attention")
    assert len(life.world.log("auth_token_rejected")) <= 1


@pytest.mark.parametrize("change, back", [
    ({"enabled": False}, {"enabled": True}),
    ({"other_cloud": 90038}, {"other_cloud": None}),
    ({"conditional_access": ["app"]}, {"conditional_access": []})],
    ids=["application off", "another cloud", "conditional access"])
def test_what_needs_an_administrator_is_said_and_ends_by_itself(start, change, back):
    life = start()
    life.becomes("collecting")
    life.cloud.entra(**change, revoke=True)
    state = life.becomes("attention")
    assert state["what"] and state["advice"] and state["reason"]
    life.cloud.entra(**back)
    life.becomes("collecting")
    life.world.wait_delivered()


def test_token_endpoint_that_is_down_needs_nobody(start):
    life = start()
    life.becomes("collecting")
    number = life.cloud.fault({"service": "authority", "kind": "token"},
                              {"status": 503, "empty": True})
    life.cloud.entra(revoke=True)
    life.world.wait_log("auth_failed")
    assert life.world.alive() and number
    life.cloud.clear_faults()
    life.becomes("collecting")
    life.world.wait_delivered()


@pytest.mark.parametrize("status, word", [(401, "tokens"), (429, "fewer"), (500, "problem"),
                                          (503, "overloaded")])
def test_a_graph_that_gives_no_records_is_said_where_they_come_from(start, status, word):
    life = start()
    life.becomes("collecting")

    def source(level):
        found = life.page.status()["sources"][0]
        return found if found["level"] == level else None
    life.cloud.fault({"service": "graph", "kind": ["list", "record"]}, {"status": status})
    assert word in wait_until(lambda: source("warn"), "it is told")["text"]
    life.cloud.clear_faults()
    wait_until(lambda: source("good"), "it is over")
    life.world.wait_delivered()


def device_sign_in(life):
    """The person with the code that the page shows, at the question whether to go on."""
    from person import Person
    life.world.wait_log("time_trusted")
    life.page.press("Sign in with a code")
    where = life.page.link("/devicelogin")
    code = re.search(r"Sign in with this code (\S+) Enter it at", life.page.person.text)[1]
    return Person(life.cloud).open(where).press("Next", user_code=code).press("Ada Admin")


def test_device_code_tells_who_authorised_the_box(start):
    life = start(device_interval_s=1)
    device_sign_in(life).press("Accept")
    life.world.wait_log("signin_done")
    life.page.says("Ada Admin")


def test_device_code_that_a_policy_blocks_is_explained_and_not_asked_again(start):
    life = start(device_interval_s=1, conditional_access=["device_code"])
    device_sign_in(life).press("Accept")
    assert life.world.wait_log("signin_failed")["aadsts"] == "53003"
    asked = life.cloud.requests("authority.devicecode")
    life.becomes("collecting")
    life.world.wait_delivered()
    assert asked == 1 == life.cloud.requests("authority.devicecode")
