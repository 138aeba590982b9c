# SPDX-License-Identifier: Apache-2.0
"""Delivering: what the upstream answers, from "yes" to nonsense, and what the box makes of it."""
import os

import pytest
from recorder import Recorder
from world import TOKEN, wait_until

MEETING = {"count": 25, "meetings": [{"sessions": 150, "participants": 200}]}


@pytest.fixture
def world(make_world):
    return make_world("quiet", records=MEETING, sink={"batch_events_max": 100})


def sink_log(world):
    return [row for row in world.cloud.log() if row["service"] == "sink"]


# -- authorization


def test_bearer_token_is_sent_and_checked(world):
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["sink"]["refused"] == 0


def test_wrong_token_holds_until_the_right_one_is_stored(world):
    world.box.put_secret("main-token", "wrong")
    world.start()
    world.wait_log("ship_failing", state="hold", reason="status_401")
    assert world.alive()
    world.box.put_secret("main-token", TOKEN)
    world.finish()
    assert world.log("ship_recovered")


def test_missing_token_holds_until_it_is_stored(make_world):
    def other_name(config):
        config["sinks"][0]["authorization"] = "another-token"
    world = make_world("quiet", change=other_name)
    world.start()
    world.wait_log("ship_failing", state="hold", reason="secret_missing")
    assert world.cloud.requests("sink.events") == 0
    world.box.put_secret("another-token", TOKEN)
    world.finish()


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 410, 302, 308])
def test_refusals_hold_and_drop_nothing(world, status):
    """A person has to look; the probe goes on, and nothing is lost meanwhile."""
    world.cloud.fault({"service": "sink"}, {
        "status": status, "headers": {"Location": world.cloud.state["trap_url"] + "/x"}})
    world.start()
    world.wait_log("ship_failing", state="hold", reason="status_%d" % status)
    seen = world.cloud.requests("sink.events")
    wait_until(lambda: world.cloud.requests("sink.events") > seen, "a probe")
    world.cloud.clear_faults()
    report = world.finish()
    assert report["trapped"] == [] and report["records"]["dead"] == 0


# -- the sink's token in the store


def test_damaged_token_holds_and_a_new_one_counts_at_once(world):
    """Both copies are damaged: nothing is sent with a guess, nothing is lost, the box goes on."""
    path = os.path.join(world.box.state, "tokens", "main-token")
    with open(path, "r+b") as token:
        for at in (40, os.path.getsize(path) // 2 + 40):
            token.seek(at)
            token.write(b"????")
    world.start()
    world.wait_log("ship_failing", reason="secret_unreadable")
    assert world.cloud.requests("sink.events") == 0
    world.box.put_secret("main-token", "sink-token-1")
    world.finish()
    world.cloud.assert_all_delivered()


# -- mutual TLS


def test_mutual_tls_with_the_certificate_of_the_box(make_world):
    def mutual(config):
        config["sinks"][0]["client_certificate"] = "device"
    world = make_world("quiet", change=mutual)
    world.cloud.tls("sink", key="ecdsa", client_ca=world.box.certificate("--tls"))
    world.run()
    world.cloud.assert_all_delivered()


def test_mutual_tls_without_certificate_delivers_nothing_and_drops_nothing(make_world):
    world = make_world("quiet")
    world.cloud.tls("sink", key="ecdsa", client_ca=world.box.certificate("--tls"))
    world.start()
    world.wait_log("ship_failing")
    assert world.cloud.requests("sink.events") == 0
    world.cloud.tls("sink", key="ecdsa")
    world.finish()


# -- the sink's word


@pytest.mark.parametrize("settings", [{"max_bytes": 20000}, {"max_events": 3}, {"max_events": 1}])
def test_413_makes_batches_smaller(world, settings):
    world.cloud.sink(**settings)
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["sink"]["refused"] > 0 and report["records"]["duplicated"] == 0


@pytest.mark.parametrize("status", [400, 422])
def test_poison_is_buried_and_the_rest_delivered(world, status):
    world.cloud.sink(poison={"share": 0.08, "status": status})
    world.run()
    records = world.cloud.report()["records"]
    assert records["dead"] >= 1
    assert records["delivered"] + records["dead"] == records["records"]
    world.cloud.assert_all_delivered(dead=records["dead"])
    assert world.log("ship_buried")


def test_rejected_events_are_buried_one_by_one(world):
    world.cloud.sink(reject={"share": 0.1})
    world.run()
    report = world.cloud.report()
    records = report["records"]
    assert records["dead"] >= 1
    world.cloud.assert_all_delivered(dead=records["dead"])
    buried = [int(line["total"]) for line in world.log("ship_buried")]
    assert buried == list(range(1, len(buried) + 1)) and buried
    assert report["sink"]["rejected_events"] >= len(buried)


@pytest.mark.parametrize("repeat", [None, 409, 204])
def test_lost_answer_is_asked_for_again_under_the_same_key(world, repeat):
    """The sink took the batch, its answer was cut: the same bytes under the same key."""
    world.cloud.sink(repeat_status=repeat)
    world.cloud.fault({"service": "sink", "nth": [1, 3, 4]}, {"cut": "answer"})
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["sink"]["repeated_batches"] >= 2
    assert report["records"]["duplicated"] == 0 and report["sink"]["gaps"] == 0


@pytest.mark.parametrize("do", [
    {"status": 503, "retry_after": "1"}, {"status": 503, "retry_after": "date+1"},
    {"status": 503}, {"status": 429, "retry_after": "0.3"}, {"status": 500}, {"status": 502,
                                                                               "html": True},
    {"status": 408}, {"cut": "request"}, {"status": 507}, {"status": 599},
], ids=str)
def test_trouble_that_passes_is_tried_again(world, do):
    world.cloud.fault({"service": "sink", "nth": [1, 3]}, do)
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["records"]["duplicated"] == 0
    assert world.log("ship_failing", state="backoff") and world.log("ship_recovered")


@pytest.mark.parametrize("answer", ["json", "empty", "garbage"])
def test_any_body_of_a_2xx_means_taken(world, answer):
    world.cloud.sink(answer=answer)
    world.run()
    report = world.cloud.assert_all_delivered()
    assert report["records"]["duplicated"] == 0


@pytest.mark.parametrize("do", [
    {"json": {"accepted": 1, "rejected": [{"seq": 999999999}]}, "process": True},
    {"json": {"rejected": "all"}, "process": True},
    {"json": {"rejected": [[], 7, {"seq": -1}, {"seq": "x"}, {}]}, "process": True},
    {"body": '{"rejected":[' + '{"seq":0},' * 5000, "process": True},
    {"body": "[" * 100000, "process": True},
    {"garbage": True, "process": True},
    {"slow_bps": 300},
    {"delay_s": 0.5},
    {"chunked": True},
    {"close": True},
], ids=lambda do: str(do)[:50])
def test_odd_answers_bury_nothing(world, do):
    world.cloud.fault({"service": "sink", "count": 6}, do)
    world.run()
    world.cloud.assert_all_delivered()
    assert not world.log("ship_buried")


def test_sink_that_comes_and_goes(make_world):
    world = make_world("quiet", records={"count": 150}, sink={"batch_events_max": 60},
                       **{"faults": [{"match": {"service": "sink", "every": 3},
                                      "do": {"delay_s": 0.02}}]})
    world.start()
    for _ in range(8):
        events = world.cloud.stats()["events"]
        wait_until(lambda before=events: world.cloud.stats()["events"] > before
                   or world.delivered(), "some go through")
        world.cloud.sink(state="down")
        world.cloud.raise_versions(count=1)
        world.cloud.sink(state="up")
    world.box.config["sources"]["call_records"].update(hot_interval_s=1, warm_interval_s=1,
                                                       cold_interval_s=1)
    world.box.write_config()
    assert world.box.stop() == 0
    world.start()
    world.finish()


# -- two sinks


@pytest.fixture
def two_sinks(make_world):
    made = []

    def make(**settings):
        def second(config):  # its port is known only later, when the recorder is there
            first = config["sinks"][0]
            config["sinks"].append({**first, "name": "second", "authorization": "second-token"})
        world = make_world("quiet", records=MEETING, change=second, **settings)
        recorder = Recorder(world.cloud)
        made.append(recorder)
        world.box.config["sinks"][1]["url"] = recorder.url
        world.box.write_config()
        world.box.put_secret("second-token", "token-of-the-second")
        return world, recorder

    yield make
    for recorder in made:
        recorder.stop()


def test_two_sinks_get_the_same(two_sinks):
    world, recorder = two_sinks()
    recorder.start()
    world.run()
    world.cloud.assert_all_delivered()
    assert len(recorder.complete()) == world.cloud.state["records"]
    seqs = sorted(e["seq"] for e in recorder.events)
    assert seqs == list(range(1, len(seqs) + 1))
    assert {h["Authorization"] for h in recorder.headers} == {"Bearer token-of-the-second"}
    assert all(h["Content-Type"] == "application/x-ndjson" for h in recorder.headers)


def test_one_sink_away_does_not_stop_the_other(two_sinks):
    world, recorder = two_sinks(sink={"batch_events_max": 100})
    world.start()
    world.wait_delivered()
    world.wait_log("ship_failing", sink="second")
    assert recorder.events == []
    assert world.box.stop() == 0
    held = len(world.log("started"))
    world.start()
    assert int(world.wait_log("started", held + 1)["held"]) > 0
    before = world.cloud.stats()["batches"]
    assert before > 2
    recorder.start()
    wait_until(lambda: len(recorder.complete()) == world.cloud.state["records"], "the second one")
    assert world.box.stop() == 0
    again = world.cloud.stats()["batches"] - before
    assert again <= 2, "box_restarted, and the last one if the stop came before its answer was read"
    world.run()
    world.cloud.assert_all_delivered()


def test_a_sink_that_is_added_later_gets_what_is_still_held(two_sinks):
    world, recorder = two_sinks()
    both = world.box.config["sinks"]
    world.box.config["sinks"] = both[:1]
    world.box.write_config()
    world.run()
    world.cloud.assert_all_delivered()
    world.box.config["sinks"] = both
    world.box.write_config()
    recorder.start()
    world.run()
    of_calls = [e for e in recorder.events if e["type"] != "box_restarted"]
    assert of_calls == [], "all of it was released before"
    world.box.config["sinks"] = both[1:]
    world.box.config["sources"]["call_records"].update(hot_interval_s=1, warm_interval_s=1,
                                                       cold_interval_s=1)
    world.box.write_config()
    raised = world.cloud.raise_versions(count=4)
    wait_until(lambda: world.run() and len(recorder.complete()) >= len(raised), "new versions")
    of_calls = [e for e in recorder.events if e["type"] != "box_restarted"]
    assert {e["id"] for e in of_calls} == set(raised)
