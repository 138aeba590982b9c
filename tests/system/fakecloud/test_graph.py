# SPDX-License-Identifier: Apache-2.0
"""Graph: queries, paging, limits and faults."""
import http.client
import json
import ssl
import time
import urllib.parse

import pytest
from client import BASE, Client, Identity

FILTER = "startDateTime ge 2000-01-01T00:00:00Z and startDateTime lt 2100-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def identity():
    return Identity()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory, identity):
    """One cloud for all tests that change nothing about it."""
    from cloud import FakeCloud
    records = {"count": 200, "meetings": [{"sessions": 130, "participants": 300}]}
    with FakeCloud(None, tmp_path_factory.mktemp("graph"), records=records,
                   time_factor=1000) as running:
        yield Client(running, identity).sign_in()


@pytest.fixture
def own(start_cloud, identity):
    def make(**changes):
        changes.setdefault("time_factor", 1000)
        return Client(start_cloud(None, **changes), identity).sign_in()
    return make


def query(text):
    return BASE + "?$filter=" + urllib.parse.quote(text)


def test_windows_tile_without_gap_or_overlap(quiet):
    stamps = sorted(r["startDateTime"] for r in quiet.list_all())
    assert len(stamps) == 201
    middle = stamps[100]
    before = quiet.list("2000-01-01T00:00:00Z", middle)
    after = quiet.pages(query("startDateTime lt 2100-01-01T00:00:00.000Z and startDateTime ge "
                              + middle))
    ids = [r["id"] for r in before + after]
    assert len(ids) == len(set(ids)) == 201
    assert all(r["startDateTime"] < middle for r in before)


def test_page_size_is_sixty_or_less_when_asked(quiet):
    page = json.loads(quiet.get(query(FILTER))[2])
    assert len(page["value"]) == 60 and "organizer_v2" in page["value"][0]
    assert "sessions" not in page["value"][0]
    page = json.loads(quiet.get(query(FILTER), Prefer="odata.maxpagesize=7")[2])
    assert len(page["value"]) == 7
    page = json.loads(quiet.get(query(FILTER), Prefer="odata.maxpagesize=500")[2])
    assert len(page["value"]) == 60


def test_select_limits_the_fields(quiet):
    page = json.loads(quiet.get(query(FILTER) + "&$select=id,version")[2])
    assert set(page["value"][0]) == {"id", "version"}
    page = json.loads(quiet.get(page["@odata.nextLink"])[2])
    assert set(page["value"][0]) == {"id", "version"}


@pytest.mark.parametrize("target", [
    BASE + "?$top=5", BASE + "?$orderby=startDateTime", BASE + "?$expand=sessions", BASE + "?x=1",
    BASE + "?$select=nonsense", BASE + "?$skiptoken=abc", BASE + "?$filter=endDateTime%20ge%202000",
    BASE + "?$filter=startDateTime%20ge%202026-01-01", "/v1.0/groups", BASE + "/x/y"])
def test_what_graph_refuses_is_refused(quiet, target):
    status, _, data = quiet.get(target)
    assert status == 400 and json.loads(data)["error"]["code"] == "BadRequest"


def test_no_token_and_unknown_record(quiet):
    assert quiet.get(BASE, Authorization="")[0] == 401
    assert quiet.get(BASE, Authorization="Bearer nonsense")[0] == 401
    assert quiet.get(BASE + "/00000000-0000-4000-8000-000000000000")[0] == 404


def test_ids_and_date_are_in_the_answer(quiet):
    _, headers, _ = quiet.get(BASE, **{"client-request-id": "11111111-2222-3333-4444-555555555555"})
    assert headers["client-request-id"] == "11111111-2222-3333-4444-555555555555"
    assert headers["request-id"] and headers["Date"]


def test_expansions_and_their_links(quiet):
    item = next(r for r in quiet.list_all() if r["type"] == "groupCall" and r["joinWebUrl"]
                and len(quiet.fetch(r["id"])[1]) == 130)
    target = "%s/%s?$expand=%s" % (BASE, item["id"], urllib.parse.quote(
        "participants_v2,sessions($expand=segments)", safe=""))
    record = json.loads(quiet.get(target)[2])
    assert len(record["sessions"]) == 60 and len(record["participants_v2"]) == 130
    assert "segments" in record["sessions"][0]
    more = json.loads(quiet.get(record["sessions@odata.nextLink"])[2])
    assert len(more["value"]) == 60 and "segments" in more["value"][0]
    people = quiet.pages(record["participants_v2@odata.nextLink"])
    assert len(people) == 170
    bare = json.loads(quiet.get("%s('%s')/sessions" % (BASE, item["id"]))[2])
    assert "segments" not in bare["value"][0]


def test_list_is_throttled_in_windows(own):
    client = own(records={"count": 1}, time_factor=10)
    statuses = [client.get(BASE)[0] for _ in range(45)]
    assert statuses[:40] == [200] * 40 and statuses[40:] == [429] * 5
    _, headers, data = client.get(BASE)
    assert 1 <= int(headers["Retry-After"]) <= 3
    assert json.loads(data)["error"]["code"] == "TooManyRequests"
    assert client.cloud.report()["early"] > 0
    time.sleep(2.2)
    assert client.get(BASE)[0] == 200


def test_one_record_is_throttled_alone(own):
    client = own(records={"count": 2}, time_factor=10)
    one, two = [r["id"] for r in client.list_all()]
    assert [client.get(BASE + "/" + one)[0] for _ in range(41)][-1] == 429
    assert client.get(BASE + "/" + two)[0] == 200


@pytest.mark.parametrize("form, check", [
    ("decimal", lambda t: "." in t), ("date", lambda t: t.endswith("GMT")),
    ("absent", lambda t: t is None), ("99999999999", lambda t: t == "99999999999")])
def test_retry_after_in_every_form(own, form, check):
    client = own(records={"count": 1}, graph={"retry_after": form, "limits": {"list": [0, 20]}})
    status, headers, _ = client.get(BASE)
    assert status == 429 and check(headers["Retry-After"])


def test_not_ready_record_is_listed_but_not_found(own):
    client = own(records={"count": 5, "not_ready": {"share": 1, "for_s": [4, 5]}})
    items = client.list_all()
    assert [client.get(BASE + "/" + r["id"])[0] for r in items].count(404) > 0
    client.cloud.wait(lambda s: s["elapsed_s"] > 5.1)
    assert {client.get(BASE + "/" + r["id"])[0] for r in items} == {200}


def test_page_faults(own):
    client = own(records={"count": 70})

    def page(do):
        client.cloud.clear_faults()
        client.cloud.fault({"service": "graph", "kind": "list", "count": 1}, do)
        return json.loads(client.get(query(FILTER))[2])

    assert page({"next_link": "self"})["@odata.nextLink"].endswith(query(FILTER))
    assert client.state["trap_url"] in page({"next_link": "other_origin"})["@odata.nextLink"]
    assert page({"next_link": "http"})["@odata.nextLink"].startswith("http://")
    assert page({"next_link": "relative"})["@odata.nextLink"].startswith("/v1.0")
    assert "@odata.nextLink" not in page({"next_link": "missing"})
    assert len(page({"giant": True})["value"]) == 70
    items = page({"repeat": True})["value"]
    assert items[0] == items[-1] and len(items) == 61
    empty = page({"empty_page": True})
    assert empty["value"] == [] and len(client.pages(empty["@odata.nextLink"])) == 70


def test_wire_faults(own):
    client = own(records={"count": 70})

    def broken(do):
        client.cloud.clear_faults()
        client.cloud.fault({"path": r"startDateTime ge", "count": 1}, do)
        return client.get(query(FILTER))

    for do in ({"cut": "request"}, {"cut": "answer"}, {"cut": 100}):
        with pytest.raises((http.client.HTTPException, ConnectionError, ssl.SSLError)):
            broken(do)
    with pytest.raises(ValueError):
        json.loads(broken({"truncate": 500})[2])
    assert broken({"html": True, "status": 200})[2].startswith(b"<!DOCTYPE")
    assert broken({"bom": True})[2].startswith(b"\xef\xbb\xbf{")
    assert broken({"status": 503, "retry_after": "date+3"})[1]["Retry-After"].endswith("GMT")
    assert json.loads(broken({"chunked": True})[2])["value"]
    begin = time.monotonic()
    assert broken({"slow_bps": 20000})[0] == 200
    assert time.monotonic() - begin > 0.1


def test_faults_can_be_counted_per_record(own):
    client = own(records={"count": 3})
    client.cloud.fault({"kind": "record", "per": "id", "nth": [1, 2]}, {"status": 500})
    for item in client.list_all():
        assert [client.get(BASE + "/" + item["id"])[0] for _ in range(3)] == [500, 500, 200]
    with pytest.raises(ValueError):
        client.cloud.fault({"knd": "record"}, {"status": 500})


def test_fault_can_raise_the_version_between_two_pages(own):
    client = own(records={"count": 1})
    item = client.list_all()[0]
    client.cloud.fault({"kind": "record", "nth": 1}, {"raise_version": True})
    versions = [json.loads(client.get(BASE + "/" + item["id"])[2])["version"] for _ in range(2)]
    assert versions[1] > versions[0] == item["version"]


def test_bad_certificates_are_bad(own):
    client = own(records={"count": 1})
    for kind in ("expired", "not_yet", "wrong_name", "wrong_ca"):
        client.cloud.tls("graph", cert=kind)
        client.connections.clear()
        with pytest.raises(ssl.SSLCertVerificationError):
            client.get(BASE)
    for settings in ({"tls": "1.2", "key": "ecdsa"}, {"tls": "1.3", "key": "rsa"}):
        client.cloud.tls("graph", **settings)
        client.connections.clear()
        assert client.get(BASE)[0] == 200
        sock = next(iter(client.connections.values())).sock
        assert sock.version() == "TLSv" + settings["tls"]
