# SPDX-License-Identifier: Apache-2.0
"""Whole runs: what a correct client gets from the oracle, and what an incorrect one gets."""
import json

import pytest
from client import Client, Identity


@pytest.fixture(scope="module")
def identity():
    return Identity()


@pytest.fixture
def signed_in(start_cloud, identity):
    def make(scenario=None, **changes):
        changes.setdefault("time_factor", 1000)
        return Client(start_cloud(scenario, **changes), identity).sign_in()
    return make


def test_everything_collected_is_delivered(signed_in):
    client = signed_in(records={"count": 60, "weird": 0.3, "samples": True})
    client.collect()
    report = client.cloud.assert_all_delivered()
    assert report["records"]["records"] >= 60
    assert report["records"]["duplicated"] == 0
    assert report["client_request_ids"] == {"missing": 0, "repeated": 0, "malformed": 0}


def test_thousand_person_meeting_has_seventeen_pages(signed_in):
    client = signed_in(records={"count": 0, "meetings": [{"sessions": 1000, "participants": 1000}]})
    client.collect()
    client.cloud.assert_all_delivered()
    assert client.cloud.requests("graph.sessions") == 16
    assert client.cloud.requests("graph.record") == 1
    assert client.cloud.requests("graph.participants") == 8


def test_what_is_not_sent_is_missing_or_incomplete(signed_in):
    client = signed_in(records={"count": 3, "p2p": 1})
    one, two, _ = client.list_all()
    client.post(client.events(*client.fetch(one["id"])))
    client.post(client.events(*client.fetch(two["id"]))[:-1])
    records = client.cloud.report()["records"]
    assert (records["delivered"], records["incomplete"], records["missing"]) == (1, 1, 1)
    with pytest.raises(AssertionError):
        client.cloud.assert_all_delivered()


def test_changed_data_is_wrong(signed_in):
    client = signed_in(records={"count": 1, "p2p": 1})
    record, sessions, people = client.fetch(client.list_all()[0]["id"])
    sessions[0]["segments"][0]["media"][0]["streams"][0]["packetUtilization"] += 1
    client.post(client.events(record, sessions, people))
    assert client.cloud.report()["records"]["wrong"] == 1


@pytest.mark.parametrize("part", ["sessions", "people"])
def test_counts_that_lie_are_wrong(signed_in, part):
    client = signed_in(records={"count": 1, "p2p": 0})
    record, sessions, people = client.fetch(client.list_all()[0]["id"])
    (sessions if part == "sessions" else people).pop()
    client.post(client.events(record, sessions, people))
    assert client.cloud.report()["records"]["wrong"] == 1


def test_complete_before_its_parts_is_incomplete(signed_in):
    client = signed_in(records={"count": 1, "p2p": 1})
    events = client.events(*client.fetch(client.list_all()[0]["id"]))
    seqs = [e["seq"] for e in events]
    events = events[-1:] + events[:-1]
    for event, seq in zip(events, seqs):
        event["seq"] = seq
    client.post(events)
    assert client.cloud.report()["records"]["incomplete"] == 1


def test_repeated_events_are_counted_not_refused(signed_in):
    client = signed_in(records={"count": 1, "p2p": 1})
    whole = client.fetch(client.list_all()[0]["id"])
    first = client.events(*whole)
    client.post(first)
    client.post(client.events(*whole))
    records = client.cloud.assert_all_delivered()["records"]
    assert records["duplicated"] == len(first)


def test_risen_version_must_be_fetched_again(signed_in):
    client = signed_in(records={"count": 8, "p2p": 0})
    client.collect()
    raised = client.cloud.raise_versions(count=2)
    report = client.cloud.report()
    assert report["records"]["missing"] == 2 and len(raised) == 2
    assert client.cloud.report(announced=True)["records"]["missing"] == 0
    client.collect()
    client.cloud.assert_all_delivered()


def test_version_that_moves_while_paging_is_seen_by_the_oracle(signed_in):
    meeting = {"sessions": 200, "participants": 10, "rise_after_page": 2}
    client = signed_in(records={"count": 0, "meetings": [meeting]})
    item = client.list_all()[0]
    mixed = client.fetch(item["id"])
    assert client.list_all()[0]["version"] == item["version"] + 1
    client.post(client.events(*mixed))
    assert client.cloud.report()["records"]["wrong"] == 1


def test_abandoned_version_is_not_wrong(signed_in):
    meeting = {"sessions": 200, "participants": 10, "rise_after_page": 2}
    client = signed_in(records={"count": 0, "meetings": [meeting]})
    item = client.list_all()[0]
    client.post(client.events(*client.fetch(item["id"]))[:-1])
    client.collect()
    records = client.cloud.assert_all_delivered()["records"]
    assert records["versions_abandoned"] == 1


def test_late_records_and_rising_versions_come_by_schedule(signed_in):
    client = signed_in(records={"count": 40, "late": {"share": 0.3, "after_s": [4.0, 4.5]},
                                "rising": {"share": 0.3, "after_s": [2.0, 2.5], "steps": 2}})
    early = {r["id"]: r["version"] for r in client.list_all()}
    assert client.cloud.report()["records"]["pending"] > 0
    client.cloud.wait(lambda s: s["elapsed_s"] > 9.6)
    late = {r["id"]: r["version"] for r in client.list_all()}
    assert len(early) < len(late) == 40
    assert any(late[i] > v for i, v in early.items())
    assert client.cloud.report()["records"]["pending"] == 0
    client.collect()
    client.cloud.assert_all_delivered()


def test_same_seed_gives_same_records(signed_in):
    def snapshot():
        client = signed_in(seed=7, records={"count": 10})
        return {r["id"]: (r["version"], r["type"]) for r in client.list_all()}
    assert snapshot() == snapshot()


def test_poisoned_record_counts_as_dead(signed_in):
    client = signed_in(records={"count": 2, "p2p": 1})
    one, two = [r["id"] for r in client.list_all()]
    client.cloud.sink(poison={"ids": [one], "status": 422})
    good, bad = client.events(*client.fetch(two)), client.events(*client.fetch(one))
    assert client.post(good + bad)[0] == 422
    assert client.post(good)[0] == 200
    for event in bad:
        assert client.post([event])[0] == 422
    client.cloud.assert_all_delivered(dead=1)


def test_rejected_event_is_named_in_the_answer(signed_in):
    client = signed_in(records={"count": 1, "p2p": 1})
    item = client.list_all()[0]["id"]
    client.cloud.sink(reject={"ids": [item]})
    events = client.events(*client.fetch(item))
    status, data = client.post(events)
    assert status == 200
    assert [r["seq"] for r in json.loads(data)["rejected"]] == [e["seq"] for e in events]
    client.cloud.assert_all_delivered(dead=1)
