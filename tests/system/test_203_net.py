# SPDX-License-Identifier: Apache-2.0
"""The network at its worst: certificates that are not good, cuts, slowness, portals, nonsense."""
import pytest
from world import OFTEN

SERVICES = ("authority", "graph", "sink")
MEETING = {"count": 25, "meetings": [{"sessions": 150, "participants": 200}]}


@pytest.mark.parametrize("kind", ["wrong_ca", "expired", "not_yet", "wrong_name"])
def test_bad_certificate_is_refused_by_all_and_mended(make_world, kind):
    """One service after the other gets a good certificate; before that nothing is sent to it."""
    world = make_world("quiet", tls={s: {"cert": kind} for s in SERVICES})
    world.start()
    cause = world.wait_log("time_unknown")["cause"]
    assert cause == ("certificate_dates" if kind == "not_yet" else "trust")
    world.cloud.tls("authority", cert="good")
    assert world.cloud.requests("authority.token") == world.cloud.requests("graph.list") == 0
    world.cloud.tls("graph", cert="good")
    world.wait_log("time_trusted")
    world.wait_log("ship_failing", reason="trust")
    assert world.cloud.requests("sink.events") == 0
    world.cloud.tls("sink", cert="good")
    world.finish()


def test_certificate_that_goes_bad_while_running(make_world):
    """Connections are kept, so it shows with the next one: the sink comes back as a stranger."""
    world = make_world("quiet", calls=OFTEN)
    world.start()
    world.wait_delivered()
    world.cloud.tls("sink", key="ecdsa", cert="wrong_ca")
    world.cloud.sink(state="down")
    world.cloud.sink(state="up")
    before = world.cloud.requests("sink.events")
    assert world.cloud.raise_versions(count=3)
    world.wait_log("ship_failing", reason="trust")
    assert world.cloud.requests("sink.events") == before
    world.cloud.tls("sink", key="ecdsa", cert="good")
    world.finish()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("key", ["rsa", "ecdsa"])
def test_both_versions_of_tls_with_both_kinds_of_key(make_world, version, key):
    world = make_world("quiet", records={"count": 10},
                       tls={s: {"key": key, "tls": version} for s in SERVICES})
    world.run()
    world.cloud.assert_all_delivered()


ODDITIES = {
    "cut before the answer": {"cut": "request"},
    "cut after the work": {"cut": "answer"},
    "cut in the head of the body": {"cut": 1},
    "cut in the body": {"cut": 700},
    "body shorter than JSON": {"truncate": 900},
    "empty body": {"truncate": 0},
    "garbage": {"garbage": True},
    "page of a proxy as 200": {"status": 200, "html": True},
    "page of a proxy as 502": {"status": 502, "html": True},
    "JSON of another shape": {"json": {"value": {}}},
    "an array": {"body": "[1,2,3]"},
    "text before the JSON": {"prefix": "<!-- -->"},
    "redirect": {"status": 302, "headers": {"Location": "https://127.0.0.1:1/elsewhere"}},
    "gzip that is corrupt": {"gzip": "corrupt"},
    "gzip that is cut": {"gzip": "cut"},
    "byte order mark": {"bom": True},
    "deep nesting": {"body": '{"value":' + "[" * 5000 + "]" * 5000 + "}"},
}


@pytest.mark.parametrize("do", ODDITIES.values(), ids=ODDITIES)
def test_bad_answers_of_graph_are_got_over(make_world, do):
    world = make_world("quiet", records=MEETING)
    for kind in ("list", "record", "participants", "sessions"):
        world.cloud.fault({"service": "graph", "kind": kind, "nth": [1, 4]}, do)
    world.run()
    report = world.cloud.assert_all_delivered()
    assert sum(f["fired"] for f in report["faults"]) >= 5


ODD_BUT_RIGHT = {
    "chunked": {"chunked": True},
    "chunked, not compressed": {"chunked": True, "gzip": "off"},
    "connection closed after each answer": {"close": True},
    "slowly": {"slow_bps": 60000},
    "all items on one page": {"giant": True},
}


@pytest.mark.parametrize("do", ODD_BUT_RIGHT.values(), ids=ODD_BUT_RIGHT)
def test_unusual_answers_of_graph_are_read(make_world, do):
    world = make_world("quiet", records=MEETING)
    world.cloud.fault({"service": "graph"}, do)
    world.run()
    world.cloud.assert_all_delivered()


def test_page_of_eight_mebibytes(make_world):
    """A service that puts a thousand sessions on one page."""
    world = make_world("quiet", records={
        "count": 5, "meetings": [{"sessions": 1200, "participants": 1200}]})
    world.cloud.fault({"service": "graph"}, {"giant": True, "gzip": "off"})
    world.run()
    world.cloud.assert_all_delivered()
    assert world.cloud.requests("graph.sessions") == 0
    assert max(row["bytes_out"] for row in world.cloud.log()) > 8 << 20


@pytest.mark.parametrize("service, kind", [("authority", "token"), ("graph", "list"),
                                           ("graph", "record"), ("sink", "events")])
def test_answer_that_never_comes_is_given_up(make_world, service, kind):
    """stall_ms bounds the wait; the next attempt is served."""
    world = make_world("quiet", change=lambda c: c.update(
        http={"stall_ms": 1000, "connect_ms": 1000, "total_ms": 20000}))
    world.cloud.fault({"service": service, "kind": kind, "nth": 1}, {"delay_s": 300})
    world.run()
    world.cloud.assert_all_delivered()


def test_service_that_refuses_connections_and_comes(make_world):
    """The port answers with a reset at first, for all of them."""
    world = make_world("quiet")
    kinds = zip(SERVICES, ("token", "list", "events"))
    numbers = [world.cloud.fault({"service": s, "kind": k}, {"cut": "request"}) for s, k in kinds]
    every = world.cloud.fault({}, {"cut": "request"})
    world.start()
    world.wait_log("time_unknown", cause="network")
    world.cloud.call("DELETE", "/faults/%d" % every)
    world.wait_log("auth_failed", cause="network")
    world.cloud.call("DELETE", "/faults/%d" % numbers[0])
    world.wait_log("permission_validated", verdict="no_answer")
    world.cloud.call("DELETE", "/faults/%d" % numbers[1])
    world.wait_log("ship_failing", reason="cut")
    world.cloud.clear_faults()
    world.finish()


def test_a_bad_day_in_all_of_it(make_world):
    """The cloud's own scenario of a bad network, with many connections."""
    world = make_world("flaky", records={"count": 60, "weird": 0.1, "meetings": [
        {"sessions": 200, "participants": 200}]})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert sum(f["fired"] for f in report["faults"]) > 40


def test_requests_are_traceable(make_world):
    world = make_world("quiet")
    world.run()
    ids = world.cloud.report()["client_request_ids"]
    assert ids == {"missing": 0, "repeated": 0, "malformed": 0}
