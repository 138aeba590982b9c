# SPDX-License-Identifier: Apache-2.0
"""Two credentials side by side: a renewal costs no minute of collecting."""
import datetime
import subprocess

import pytest
from world import wait_until

from world import wait_until

SHORT = [4, 5] # s that a token lives: renewals come while a test looks
OLD, NEW = "old-secret-77aa", "new-secret-88bb"


def ctl(world, *args, given=""):
    return subprocess.run([world.box.ctl, *args, "--state", world.box.state], input=given.encode(),
                          capture_output=True, check=True, timeout=60).stdout.decode()


def put(world, value, *options):
    world.box.secrets.append(value)
    ctl(world, "secret", "put", *options, "client-secret", given=value)


def tokens_of(world):
    """How the requests for a token were answered, in their order."""
    return [entry["answer"] for entry in world.cloud.log()
            if (entry["service"], entry["kind"]) == ("authority", "token")]


def status(world):
    lines = ctl(world, "status").splitlines()
    return {line[:22].strip(): line[22:] for line in lines}


def check_it_went_on(world):
    """No failure was told or suffered, and what is new by now is collected, too."""
    assert not world.log("auth_failed") and not world.log("auth_token_rejected")
    world.cloud.raise_versions(count=3)
    world.wait_delivered()
    world.finish()
    assert not world.log("auth_failed")


@pytest.fixture
def by_secret(make_world):
    world = make_world("quiet", change=lambda config: config.update(credential="secret"),
                       calls={"hot_interval_s": 1, "warm_interval_s": 1, "cold_interval_s": 1},
                       entra={"lifetime_s": SHORT})
    world.cloud.entra(add_secret={"value": OLD})
    put(world, OLD)
    return world


def test_a_secret_that_expires_is_followed_by_the_next_without_a_failure(by_secret):
    world = by_secret.start()
    world.wait_delivered()
    put(world, NEW, "--next", "--expires", "2099-01-31")
    world.wait_log("credential_next_refused", code="A08") # tried, and nobody knows it yet
    assert status(world)["client secret"] == "stored, its end is not known"
    world.cloud.entra(add_secret={"value": NEW})
    world.cloud.entra(expire_secret=OLD)
    world.wait_log("credential_switched", kind="secret", why="secret_expired")
    shown = status(world)
    assert shown["client secret"] == "stored, ends 2099-01-31"
    assert shown["the next one"] == "none"
    check_it_went_on(world)


def test_a_next_secret_that_is_known_takes_over_with_the_next_token(by_secret):
    world = by_secret.start()
    world.wait_delivered()
    world.cloud.entra(add_secret={"value": NEW})
    put(world, NEW, "--next")
    world.wait_log("credential_switched", kind="secret", why="accepted")
    world.cloud.entra(remove_secret=OLD) # nobody needs it any more
    check_it_went_on(world)


@pytest.mark.parametrize("day, word, said", [
    (None, "ok", "its end was not said"), (400, "ok", "its end is far"),
    (7, "wrong", "expires within 30 days")])
def test_the_check_says_how_a_secret_s_end_stands(by_secret, day, word, said):
    if day is not None:
        end = datetime.date.today() + datetime.timedelta(days=day)
        put(by_secret, OLD, "--expires", end.isoformat())
    done = subprocess.run(by_secret.box.command("--check"), capture_output=True, text=True,
                          timeout=60)
    found = [line for line in done.stdout.splitlines() if said in line]
    assert len(found) == 1 and found[0].startswith(word), done.stdout
    assert (done.returncode == 0) == (word == "ok")
    assert word == "ok" or "secret put --next" in found[0]


def test_a_certificate_that_is_replaced_in_the_tenant_is_replaced_on_the_box(make_world):
    world = make_world("quiet", entra={"lifetime_s": SHORT},
                       calls={"hot_interval_s": 1, "warm_interval_s": 1, "cold_interval_s": 1})
    world.start()
    world.wait_delivered()
    old = world.box.certificate()
    new = ctl(world, "certificate", "renew")
    assert new != old and world.box.certificate("--next") == new
    world.wait_log("credential_next_refused", code="A10")
    wait_until(lambda: tokens_of(world)[tokens_of(world).index("401"):].count("200"),
               "the one in use went on")
    world.cloud.entra(certificate=new)
    asked = world.cloud.stats()["tokens"]
    wait_until(lambda: world.cloud.stats()["tokens"] > asked, "no trial from before is under way")
    world.cloud.entra(remove_certificate=old)
    world.wait_log("credential_switched", kind="certificate", why="cert_rejected")
    assert world.box.certificate() == new
    check_it_went_on(world)
