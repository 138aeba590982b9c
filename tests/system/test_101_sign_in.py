# SPDX-License-Identifier: Apache-2.0
"""The sign-in of the shipped binary: certificate and secret, every refusal ends by itself."""
import re

from world import wait_until

SECRET = "pa ss&+%=wörd"


def use_secret(config):
    config["credential"] = "secret"


def test_certificate_signs_in_with_one_request(make_world):
    world = make_world(records={"count": 3})
    world.start()
    world.finish()
    assert world.cloud.stats()["tokens"] == 1
    assert not world.log("auth_failed")


def test_secret_with_odd_characters_signs_in(make_world):
    world = make_world(records={"count": 3}, entra={"secrets": [SECRET]}, change=use_secret)
    world.box.put_secret("client-secret", SECRET)
    world.start()
    world.finish()
    assert not world.log("auth_failed")


def test_wrong_secret_is_told_once_and_the_right_one_is_picked_up(make_world):
    world = make_world(records={"count": 3}, entra={"secrets": ["right"]}, change=use_secret)
    world.box.put_secret("client-secret", "wr0ngsecret")
    world.start()
    told = world.wait_log("auth_failed", cause="secret_wrong", aadsts=7000215)
    assert re.fullmatch(r"[0-9a-f-]{36}", told["trace_id"])
    world.box.put_secret("client-secret", "right")
    world.wait_log("auth_token_good")
    world.finish()
    assert len(world.log("auth_failed")) == 1
    assert "wr0ngsecret" not in world.box.log_text()


def test_missing_secret_asks_nobody_and_is_picked_up(make_world):
    world = make_world(records={"count": 3}, entra={"secrets": [SECRET]}, change=use_secret)
    world.start()
    world.wait_log("auth_failed", cause="no_credential")
    assert world.cloud.stats()["tokens"] == 0
    world.box.put_secret("client-secret", SECRET)
    world.finish()


def test_clock_two_hours_off_is_corrected_by_the_date_of_the_answer(make_world):
    for offset_s in (7200, -7200):
        world = make_world(records={"count": 3}, entra={"clock_offset_s": offset_s})
        world.start()
        world.finish()
        assert len(world.log("auth_failed", cause="clock")) == 1


def test_short_lived_tokens_are_renewed_while_they_are_in_use(make_world):
    world = make_world(records={"count": 3}, entra={"lifetime_s": [2, 3]},
                       calls={"hot_interval_s": 1, "warm_interval_s": 1, "cold_interval_s": 1})
    world.start()
    world.wait_delivered()
    first = world.cloud.stats()["tokens"]
    wait_until(lambda: world.cloud.stats()["tokens"] >= first + 2, "two renewals")
    world.finish()
    assert not world.log("auth_token_rejected")
    assert len(world.log("auth_token_good")) == 1


def test_token_that_graph_refuses_is_replaced(make_world):
    world = make_world(records={"count": 3})
    world.cloud.fault({"service": "graph", "count": 1}, {"status": 401})
    world.start()
    world.finish()
    assert len(world.log("auth_token_rejected")) == 1
    assert world.cloud.stats()["tokens"] == 2


def test_passing_errors_of_entra_are_waited_out(make_world):
    world = make_world(records={"count": 3})
    world.cloud.fault({"service": "authority", "count": 3}, {"aadsts": 90033})
    world.start()
    world.finish()
    assert world.log("auth_failed")[0]["code"] == "A06"
    assert len(world.log("auth_failed")) == 1
