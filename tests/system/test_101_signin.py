# SPDX-License-Identifier: Apache-2.0
"""Signing in: both credentials, every kind of refusal with its stable code, all recoverable."""
import os
import re

import pytest
from world import OFTEN, wait_until

CALLS = {"retry_base_ms": 20, "retry_cap_ms": 100}
SECRET = "s3cret~of-the_application.0123456789"
ODD_SECRET = "pa ss&+%=wörd"


def secret_mode(config):
    config["credential"] = "secret"


def make_with_secret(make_world, secret=SECRET):
    world = make_world("quiet", calls=CALLS, change=secret_mode)
    world.box.put_secret("client-secret", secret)
    world.cloud.entra(secrets=[secret])
    return world


@pytest.fixture
def world(make_world):
    return make_world("quiet", calls=CALLS)


def failed_and_recovers(world, code, cause, mend):
    """The refusal stands in the log with its code; when it is mended, everything arrives."""
    line = world.wait_log("auth_failed")
    assert (line["code"], line["cause"]) == (code, cause), line
    assert line["text"] and line["trace_id"] is not None
    if "aadsts" in line and line["aadsts"] != "0":
        assert re.fullmatch(r"[0-9a-f-]{36}", line["trace_id"]), "what Microsoft's support asks for"
    assert world.alive()
    mend()
    world.finish()
    assert len(world.log("auth_failed")) == 1, "one line an episode"
    assert world.log("auth_token_good")
    return line


def test_with_the_box_own_certificate(world):
    world.run()
    world.cloud.assert_all_delivered()
    assert world.cloud.report()["tokens_issued"] == 1
    assert not world.cloud.report()["token_refusals"]


@pytest.mark.parametrize("secret", [SECRET, ODD_SECRET], ids=["plain", "odd characters"])
def test_with_a_secret(make_world, secret):
    world = make_with_secret(make_world, secret)
    world.run()
    world.cloud.assert_all_delivered()
    assert not world.log("auth_failed")


def test_certificate_that_is_not_registered(world):
    world.cloud.entra(forget=True)
    world.start()
    line = failed_and_recovers(world, "A10", "cert_rejected", lambda: world.cloud.entra(
        certificate=world.box.certificate()))
    assert line["aadsts"] == "700027"


def test_wrong_secret_then_the_right_one(make_world):
    world = make_with_secret(make_world)
    world.box.put_secret("client-secret", "another one")
    world.start()
    line = failed_and_recovers(world, "A08", "secret_wrong",
                               lambda: world.box.put_secret("client-secret", SECRET))
    assert line["aadsts"] == "7000215"


def test_expired_secret(make_world):
    world = make_with_secret(make_world)
    world.cloud.entra(expired_secrets=[SECRET])
    world.start()
    failed_and_recovers(world, "A09", "secret_expired",
                        lambda: world.cloud.entra(expired_secrets=[]))


def test_missing_secret(make_world):
    world = make_world("quiet", calls=CALLS, change=secret_mode)
    world.cloud.entra(secrets=[SECRET])
    world.start()
    world.wait_log("auth_failed")
    assert world.cloud.stats()["tokens"] == 0, "without a credential nobody is asked"
    failed_and_recovers(world, "A02", "no_credential",
                        lambda: world.box.put_secret("client-secret", SECRET))


def test_unknown_application(make_world):
    other = "00000000-1111-4222-8333-444444444444"
    world = make_world("quiet", calls=CALLS, change=lambda c: c.update(client_id=other))
    world.start()
    line = world.wait_log("auth_failed")
    assert (line["code"], line["aadsts"]) == ("A12", "700016")
    assert world.alive() and world.box.stop() == 0


def test_unknown_tenant(make_world):
    other = "00000000-1111-4222-8333-444444444444"
    world = make_world("quiet", calls=CALLS, change=lambda c: c.update(tenant_id=other))
    world.start()
    line = world.wait_log("auth_failed")
    assert (line["code"], line["aadsts"]) == ("A13", "90002")
    assert world.alive() and world.box.stop() == 0


@pytest.mark.parametrize("do, code, cause", [
    ({"aadsts": 65001}, "A15", "consent"),
    ({"aadsts": 53003}, "A16", "policy"),
    ({"aadsts": 50076}, "A16", "policy"),
    ({"aadsts": 90038}, "A14", "wrong_cloud"),
    ({"aadsts": 7000112}, "A12", "app_unknown"),
    ({"aadsts": 500011}, "A17", "configuration"),
    ({"aadsts": 90055}, "A07", "throttled"),
    ({"aadsts": 90055, "retry_after": "1"}, "A07", "throttled"),
    ({"aadsts": 90033}, "A06", "service"),
    ({"aadsts": 90006}, "A06", "service"),
    ({"status": 502, "html": True}, "A06", "service"),
    ({"status": 200, "html": True}, "A18", "nonsense"),
    ({"status": 403, "html": True}, "A18", "nonsense"),
    ({"garbage": True}, "A18", "nonsense"),
    ({"status": 200, "empty": True}, "A18", "nonsense"),
    ({"json": {"token_type": "Bearer", "expires_in": 3600}}, "A18", "nonsense"),
    ({"json": {"token_type": "mac", "expires_in": 3600, "access_token": "a.b.c"}}, "A18",
     "nonsense"),
    ({"json": {"token_type": "Bearer", "expires_in": 3600, "access_token": "x\r\nHost: y"}},
     "A18", "nonsense"),
    ({"truncate": 60}, "A18", "nonsense"),
    ({"cut": "request"}, "A04", "network"),
    ({"cut": 20}, "A04", "network"),
    ({"status": 302, "headers": {"Location": "https://elsewhere.example/"}}, "A18", "nonsense"),
], ids=lambda v: str(v)[:40] if isinstance(v, dict) else None)
def test_refusals_have_a_code_and_pass(world, do, code, cause):
    world.cloud.fault({"service": "authority", "kind": "token"}, do)
    world.start()
    failed_and_recovers(world, code, cause, world.cloud.clear_faults)


def test_passing_errors_are_told_once_and_waited_out(world):
    world.cloud.fault({"service": "authority", "kind": "token", "count": 3}, {"aadsts": 90033})
    world.start()
    world.finish()
    assert [line["code"] for line in world.log("auth_failed")] == ["A06"]


@pytest.mark.parametrize("offset_h", [9, 2, -2])
def test_clock_that_differs_is_corrected_by_what_the_peer_says(make_world, offset_h):
    """The peer's clock goes astray later, by hours ahead or behind: the first assertion is refused,
    the second is dated by the answer."""
    world = make_world("quiet", calls={**CALLS, **OFTEN})
    world.start()
    world.wait_log("auth_token_good")
    world.cloud.entra(clock_offset_s=offset_h * 3600)
    world.cloud.fault({"service": "graph", "kind": "list", "count": 1}, {"status": 401})
    line = world.wait_log("auth_failed")
    assert (line["code"], line["cause"], line["aadsts"]) == ("A03", "clock", "500133")
    assert line["retry_ms"] == "0"
    world.finish()


@pytest.mark.parametrize("kind", ["list", "record", "participants", "sessions"])
def test_token_revoked_in_the_middle(make_world, kind):
    world = make_world("quiet", calls=CALLS, records={
        "count": 40, "meetings": [{"sessions": 250, "participants": 300}]})
    # Far enough apart for kinds that several lanes ask for at a time: one new token must not do.
    second = 30 if kind in ("record", "participants") else 4
    world.cloud.fault({"service": "graph", "kind": kind, "nth": [2, second]}, {"revoke": True})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["tokens_issued"] >= 2
    assert world.log("auth_token_rejected")


def test_token_that_graph_refuses_once_is_replaced(world):
    world.cloud.fault({"service": "graph", "kind": "list", "count": 1}, {"status": 401})
    world.start()
    world.finish()
    assert len(world.log("auth_token_rejected")) == 1
    assert world.cloud.stats()["tokens"] == 2


def test_token_is_renewed_before_it_expires(make_world):
    """Tokens that live for a few seconds: new ones come in time, no request carries a dead one."""
    world = make_world("quiet", calls={**CALLS, "hot_interval_s": 1}, entra={"lifetime_s": [5, 6]})
    world.start()
    wait_until(lambda: world.cloud.stats()["tokens"] >= 3, "renewals")
    world.finish()
    assert len(world.log("auth_token_good")) == 1, "a renewal is no news"
    assert world.cloud.requests("graph.list", "401") == 0
    assert not world.log("auth_token_rejected")


def test_consent_that_is_missing_is_told_and_nothing_is_collected_without_it(world):
    """Consent that comes later is test_113_life.py's matter."""
    world.cloud.entra(consent=False)
    world.start()
    assert world.wait_log("life", state="awaiting_consent")["code"] == "P01"
    assert world.box.stop() == 0
    assert world.cloud.requests("graph.list") == 0, "Graph is not asked for what nobody granted"
    world.cloud.entra(consent=True)
    world.start()
    world.finish()


def test_nothing_secret_is_kept_readable_by_others(world):
    world.run()
    for folder, _folders, files in os.walk(world.box.state):
        assert os.stat(folder).st_mode & 0o077 == 0, folder
        for name in files:
            path = os.path.join(folder, name)
            assert os.stat(path).st_mode & 0o077 == 0, path
