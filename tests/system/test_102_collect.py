# SPDX-License-Identifier: Apache-2.0
"""Collecting as Graph is: late records, moving versions, pages, limits, records not ready yet."""
import os

import pytest
from world import NO_LIMITS, OFTEN, wait_until

MEETING = {"count": 25, "meetings": [{"sessions": 150, "participants": 200}]}
HOUR_MS = 3600 * 1000
IDLE = {"hot_interval_s": 3600, "warm_interval_s": 3600, "cold_interval_s": 3600}


def lists(world):
    """Targets of the first pages of listings, in order; not what only tries the permission."""
    return [row["target"] for row in world.cloud.log()
            if row["kind"] == "list" and "skiptoken" not in row["target"]
            and not row["target"].endswith("$select=id")]


# -- completeness


def test_thirty_days_of_calls_with_everything_in_them(make_world):
    """Weird members, calls of more than a day, samples of real calls where they are at hand."""
    world = make_world("quiet", records={
        "count": 300, "weird": 0.2, "long": 0.1, "samples": True, "group_max": 40})
    world.run()
    world.cloud.assert_all_delivered()
    report = world.cloud.report()
    assert report["records"]["duplicated"] == 0, "nothing failed, so nothing is sent twice"
    assert report["records"]["versions_abandoned"] == 0


@pytest.mark.parametrize("depth", ["records", "sessions"])
def test_depth(make_world, depth):
    world = make_world("quiet", calls={"depth": depth}, depth=depth)
    world.run()
    world.cloud.assert_all_delivered()
    details = world.cloud.requests("graph.record") + world.cloud.requests("graph.sessions")
    assert (details == 0) == (depth == "records")


def test_meeting_of_a_thousand_people(make_world):
    world = make_world("quiet", records={
        "count": 0, "meetings": [{"sessions": 1000, "participants": 1000}]})
    world.run()
    world.cloud.assert_all_delivered()
    assert world.cloud.requests("graph.sessions") == 16       # 60 a page, the first with the record
    assert world.cloud.requests("graph.participants") == 8    # 130 a page


@pytest.mark.parametrize("days", [0, 7, 30])
def test_backfill_days(make_world, days):
    world = make_world("quiet", calls={"backfill_days": days})
    world.run()
    first = len(lists(world))
    assert first in (2 * days + 1, 2 * days + 2), "windows of 12 hours"
    records = world.cloud.report()["records"]
    assert (records["delivered"] == records["records"]) == (days == 30)


def test_newest_first_and_pages_of_the_wanted_size(make_world):
    world = make_world("quiet", calls={"page_size": 7, "window_hours": 24},
                       records={"count": 200})
    world.run()
    world.cloud.assert_all_delivered()
    begins = [t.split("ge%20")[1][:20] for t in lists(world)]
    assert begins == sorted(begins, reverse=True) and len(begins) == len(set(begins)) >= 30
    pages = world.cloud.requests("graph.list")
    assert pages > len(begins)


# -- time


def test_late_records_rising_versions_and_not_ready_ones(make_world):
    # An old record that is not there is given up after some attempts: they must outlast for_s.
    patient = {**OFTEN, "retry_base_ms": 400, "retry_cap_ms": 4000}
    world = make_world("late", calls=patient, records={
        "count": 80, "long": 0.1, "late": {"share": 0.25, "after_s": [1, 4]},
        "rising": {"share": 0.3, "after_s": [1, 3], "steps": 2},
        "not_ready": {"share": 0.2, "for_s": [1.5, 2.5]}})
    world.start()
    report = world.finish()
    assert report["requests"]["graph.record"].get("404", 0) \
        + report["requests"]["graph.participants"].get("404", 0) > 0
    assert report["records"]["versions_complete"] > report["records"]["records"]


def test_versions_that_rise_between_runs(make_world):
    world = make_world("quiet", calls=OFTEN)
    world.run()
    for _ in range(3):
        raised = world.cloud.raise_versions(share=0.3)
        assert raised
        before = world.cloud.requests("graph.record")
        wait_until(lambda: world.run() and world.delivered(), "new versions")
        assert world.cloud.requests("graph.record") - before <= 2 * len(raised)
    world.cloud.assert_all_delivered()


@pytest.mark.parametrize("page", [1, 2, 3])
def test_version_that_moves_while_it_is_paged(make_world, page):
    world = make_world("quiet", records={"count": 3, "meetings": [
        {"sessions": 240, "participants": 140, "rise_after_page": page}]})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["records"]["versions_abandoned"] <= 1
    assert int(world.log("totals")[-1]["restarts"]) >= 1


def test_version_that_moves_again_and_again(make_world):
    world = make_world("moving")
    world.run()
    world.cloud.assert_all_delivered()


def test_record_that_never_becomes_ready_is_given_up_in_time(make_world):
    """ready_wait_s after its end it is quarantined, and upstream is told."""
    world = make_world("quiet", calls={"ready_wait_s": 1}, records={"count": 20})
    victim = {}

    def first_record():
        rows = [r for r in world.cloud.log() if r["kind"] in ("record", "participants")]
        if rows:
            victim["id"] = rows[0]["target"].split("callRecords/")[1][:36]
        return rows
    world.run()
    first_record()
    assert victim["id"]

    other = make_world("quiet", calls={"ready_wait_s": 1}, records={"count": 20})
    other.cloud.fault({"service": "graph", "record": victim["id"]}, {"status": 404})
    other.run()
    records = other.cloud.report()["records"]
    assert (records["delivered"], records["quarantined"]) == (19, 1)
    assert other.log("record_quarantined")[0]["reason"] == "not_found"


# -- schedule


def test_backfill_goes_on_where_it_was(make_world):
    """Killed in the middle: windows that are listed are not listed again before their time."""
    world = make_world("quiet", calls=IDLE, records={"count": 200},
                       change=lambda c: c.update(spool={"commit_ms": 50}))
    world.cloud.fault({"service": "graph", "kind": "list", "every": 1}, {"delay_s": 0.05})
    world.start()
    wait_until(lambda: len(lists(world)) >= 20, "a third of the backfill")
    world.box.kill()
    world.cloud.clear_faults()
    first = lists(world)
    world.run()
    second = lists(world)[len(first):]
    again = set(first) & set(second)
    assert len(again) <= 8, "more than what can have been staged at the kill"
    assert len(set(first) | set(second)) >= 60
    world.cloud.assert_all_delivered()
    assert world.run()
    assert len(lists(world)) == len(first) + len(second), "nothing is due"


def test_nothing_due_means_no_request_but_the_one_that_tries_the_permission(make_world):
    world = make_world("quiet", calls=IDLE)
    world.run()
    before, listed = world.cloud.requests("graph.list"), len(lists(world))
    world.run()
    assert len(lists(world)) == listed
    assert world.cloud.requests("graph.list") == before + 1


def test_until_idle_waits_for_windows_that_fail(make_world):
    world = make_world("quiet", calls=IDLE)
    world.cloud.fault({"service": "graph", "kind": "list"}, {"garbage": True})
    world.start("--until-idle")
    wait_until(lambda: world.cloud.requests("graph.list") > 150, "every window tried twice")
    assert world.alive()
    world.cloud.clear_faults()
    assert world.box.process.wait(60) == 0
    world.cloud.assert_all_delivered()


# -- limits


@pytest.mark.parametrize("form", ["seconds", "decimal", "date", "absent", "soon", "-5", "",
                                  "0"])
def test_throttling_is_obeyed_however_it_is_spelled(make_world, form):
    """Limits well below what is asked for; waits of all shapes, absurd ones too."""
    world = make_world("quiet", time_factor=40, records={"count": 12},
                       graph={"retry_after": form,
                              "limits": {**NO_LIMITS, "list": [20, 20], "record": [6, 20]}})
    world.cloud.fault({"service": "graph", "kind": "record", "nth": [2, 5]},
                      {"status": 429, "headers": {"Retry-After": form}})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["throttled"] + report["faults"][0]["fired"] > 0
    if form in ("seconds", "decimal", "date"):
        assert report["early"] == 0, "asked again before the time"


@pytest.mark.parametrize("text", ["99999999999999999999", "1e300", "86400000", "date+99999999"])
def test_absurd_waits_are_bounded(make_world, text):
    """Nobody can silence the box for good; and it is not held up by it beyond a restart."""
    world = make_world("quiet", calls={"hot_interval_s": 1})
    world.start()
    world.wait_log("life", state="collecting")
    # of the list: a record that is told to wait does so over a restart, too
    world.cloud.fault({"service": "graph", "kind": "list"}, {"status": 429, "retry_after": text})
    assert int(world.wait_log("graph_throttled")["wait_ms"]) <= HOUR_MS
    assert world.box.stop() == 0
    world.cloud.clear_faults()
    world.start()
    world.finish()


def test_own_share_of_the_limits_is_kept(make_world):
    """With its default shares the box never meets the published limits."""
    def default_shares(config):
        for name in ("list_per_20s", "record_per_20s", "app_per_20s"):
            del config["sources"]["call_records"][name]
        config["sources"]["call_records"].update(backfill_days=6)
    world = make_world("quiet", change=default_shares, time_factor=1,
                       records={"count": 40, "days": 6}, graph={"limits": {}})
    world.run()
    assert world.cloud.report()["throttled"] == 0


def test_503_with_retry_after_stops_everybody(make_world):
    world = make_world("quiet", records=MEETING)
    world.cloud.fault({"service": "graph", "every": 10, "count": 4},
                      {"status": 503, "retry_after": "1"})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["faults"][0]["fired"] == 4 and world.log("graph_throttled", status="503")


def test_one_record_that_fails_stops_no_other(make_world):
    """A record that always answers 500 waits; all others are delivered meanwhile."""
    world = make_world("quiet", records={"count": 30})
    number = world.cloud.fault({"service": "graph", "kind": ["record", "participants"],
                                "sample": 0.1}, {"status": 500})
    world.start()

    def rest_delivered():
        records = world.cloud.report()["records"]
        return 0 < records["missing"] == records["records"] - records["delivered"] <= 10
    wait_until(rest_delivered, "all others")
    time_of_fault = world.cloud.requests("graph.participants", "500")
    wait_until(lambda: world.cloud.requests("graph.participants", "500")
               + world.cloud.requests("graph.record", "500") > time_of_fault, "it is tried again")
    world.cloud.call("DELETE", "/faults/%d" % number)
    world.finish()


# -- links


@pytest.mark.parametrize("kind", ["self", "other_origin", "http", "metadata"])
def test_links_that_lead_astray_are_not_followed(make_world, kind):
    """Above all: the bearer token goes to Graph's own origin and nowhere else."""
    world = make_world("quiet", records={"count": 300, "meetings": MEETING["meetings"]},
                       calls={"window_hours": 720}, graph={"page": 20})
    for what in ("list", "record", "sessions", "participants"):
        world.cloud.fault({"service": "graph", "kind": what, "nth": [1, 3]}, {"next_link": kind})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["trapped"] == []
    assert sum(f["fired"] for f in report["faults"]) >= 4


@pytest.mark.parametrize("fault", ["empty_page", "repeat"])
def test_empty_pages_and_repeated_items(make_world, fault):
    world = make_world("quiet", records={"count": 120}, calls={"window_hours": 240},
                       graph={"page": 20})
    world.cloud.fault({"service": "graph", "kind": "list", "every": 2}, {fault: True})
    world.run()
    world.cloud.assert_all_delivered()


def test_odd_pages_all_at_once(make_world):
    world = make_world("paging", records={"count": 200, "days": 30, "meetings": [
        {"sessions": 200, "participants": 300}]})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["trapped"] == []


@pytest.mark.parametrize("style", ["path", "quoted", "mixed"])
def test_both_spellings_of_a_link(make_world, style):
    world = make_world("quiet", records=MEETING,
                       graph={"link_style": style})
    world.run()
    world.cloud.assert_all_delivered()


# -- quarantine


def test_session_that_is_too_large_is_reported_and_the_rest_goes_on(make_world):
    """One element beyond the bound of memory: its record is given up, upstream is told."""
    world = make_world("quiet", records={"count": 12})
    huge = '{"value":[{"id":"x","filler":"%s"}]}' % ("z" * (300 * 1024))
    world.cloud.fault({"service": "graph", "kind": "participants", "sample": 0.2},
                      {"body": huge})
    world.run()
    report = world.cloud.report()
    records = report["records"]
    assert records["quarantined"] >= 1
    assert records["delivered"] + records["quarantined"] == records["records"] == 12
    assert not records["wrong"] and not report["sink"]["errors"]
    assert world.log("record_quarantined")[0]["reason"] == "size"


@pytest.mark.parametrize("item", [
    '{"id":"no-version"}', '{"version":1,"startDateTime":"2026-01-01T00:00:00Z"}', '[]', '7',
    '{"id":"00000000-0000-4000-8000-00000000000e","version":1,"startDateTime":"yesterday"}',
])
def test_listed_item_that_cannot_be_read_is_reported_once(make_world, item):
    world = make_world("quiet", calls=OFTEN, records={"count": 20})
    exist = world.cloud.state["records"]
    world.cloud.fault({"service": "graph", "kind": "list", "nth": 5},
                      {"body": '{"value":[%s]}' % item})
    world.start()
    world.wait_log("record_unreadable")
    report = None

    def again_and_delivered():
        nonlocal report
        report = world.cloud.report()
        return report["records"]["delivered"] == exist
    wait_until(again_and_delivered, "the records of that window by the next listing")
    assert world.box.stop() == 0
    assert report["sink"]["errors"] == 0
    assert len(world.log("record_unreadable")) == 1


def test_state_is_small_after_all_is_delivered(make_world):
    world = make_world("quiet", records={"count": 300})
    world.run()
    assert os.path.getsize(os.path.join(world.box.state, "spool", "data.mdb")) < 8 << 20
