# SPDX-License-Identifier: Apache-2.0
"""The store under pressure: a sink that is away, a full map, a full disk, a broken file."""
import os
import random

import pytest
from world import QUICK, wait_until

BACKFILL = {"count": 200, "meetings": [{"sessions": 1000, "participants": 1000}]}
ANONYMOUS_KIB_MAX = 8 * 1024  # the budget is kept by tools/dev bench; this only says "bounded"


def memory_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as text:
        rows = [line.split() for line in text]
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[-1] == "kB"}


def test_sink_away_for_the_whole_backfill(make_world, record_property):
    world = make_world("quiet", records=BACKFILL)
    world.cloud.sink(state="down")
    world.start()
    records, seen = world.cloud.state["records"], []

    def all_fetched():
        seen.append(memory_kib(world.box.process.pid))
        # every record once, and the version of the paged one a second time
        return world.cloud.requests("graph.record", "200") > records
    wait_until(all_fetched, "all details fetched")
    peak = {name: max(s[name] for s in seen) for name in ("Rss", "Anonymous")}
    record_property("peak_kib", peak)
    print("peak KiB: %s" % peak)
    assert peak["Anonymous"] < ANONYMOUS_KIB_MAX
    assert world.cloud.stats()["events"] == 0
    assert world.box.stop() == 0

    world.cloud.sink(state="up")
    asked = world.cloud.requests("graph.record") + world.cloud.requests("graph.list")
    assert world.run()
    assert int(world.log("started")[-1]["held"]) > 2000
    world.cloud.assert_all_delivered()
    again = world.cloud.requests("graph.record") + world.cloud.requests("graph.list")
    assert again - asked <= 2, "what was in the store was fetched again"


def test_collecting_pauses_when_the_map_is_full_and_goes_on(make_world):
    meetings = [{"sessions": 700, "participants": 20, "days_ago": n + 1} for n in range(9)]
    world = make_world("quiet", records={"count": 20, "meetings": meetings},
                       change=lambda c: c.update(spool={"map_mib": 8, "high_percent": 50}))
    world.cloud.sink(state="down")
    world.start()
    paused = world.wait_log("collecting_paused")
    assert int(paused["used_percent"]) >= 48  # 50 with what is still in memory
    assert not world.delivered()
    world.cloud.sink(state="up")
    world.finish()
    assert world.log("collecting_resumed")
    assert os.path.getsize(os.path.join(world.box.state, "spool", "data.mdb")) <= 8 << 20


def test_map_full_to_the_brim_and_killed_goes_on(make_world):
    """The same at the highest high-water mark, with a restart in between."""
    meetings = [{"sessions": 900, "participants": 20, "days_ago": n + 1} for n in range(12)]
    world = make_world("quiet", records={"count": 20, "meetings": meetings},
                       change=lambda c: c.update(spool={"map_mib": 8, "high_percent": 90}))
    world.cloud.sink(state="down")
    world.start()
    world.wait_log("collecting_paused")
    world.box.kill()
    world.start()
    world.wait_log("collecting_paused", 2)
    world.cloud.sink(state="up")
    world.finish()
    assert not world.log("store_reset")


# -- the disk


FULL_DISK = {"count": 60, "meetings": [{"sessions": 600, "participants": 400, "days_ago": n + 1}
                                       for n in range(4)]}


def test_disk_full_and_room_again(make_world, small_disk):
    world = make_world("quiet", records=FULL_DISK)
    disk = small_disk(world.box, 32)
    world.cloud.sink(state="down")
    world.start()
    wait_until(lambda: os.path.exists(os.path.join(disk.state, "spool", "data.mdb")), "a store")
    ballast = disk.fill(left_kib=64)
    world.wait_log("commit_failed")
    assert world.alive()
    os.unlink(ballast)
    world.wait_log("commit_recovered")
    world.cloud.sink(state="up")
    world.finish()
    assert not world.log("store_reset")


def test_disk_full_while_the_sink_takes(make_world, small_disk):
    """On a disk that stays full, what is held goes out, makes room, and the rest follows."""
    world = make_world("quiet", records=FULL_DISK)
    disk = small_disk(world.box, 32)
    world.start()
    wait_until(lambda: world.cloud.stats()["events"] > 0, "first events")
    disk.fill(left_kib=0)
    world.finish()
    assert not world.log("store_reset")


def test_disk_full_and_killed(make_world, small_disk):
    world = make_world("quiet", records=FULL_DISK)
    disk = small_disk(world.box, 32)
    world.cloud.sink(state="down")
    world.start()
    wait_until(lambda: os.path.exists(os.path.join(disk.state, "spool", "data.mdb")), "a store")
    ballast = disk.fill(left_kib=64)
    world.wait_log("commit_failed")
    world.box.kill()
    os.unlink(ballast)
    world.cloud.sink(state="up")
    world.start()
    world.finish()
    assert not world.log("store_reset")


def test_disk_full_from_the_beginning_is_said(make_world, small_disk):
    world = make_world("quiet")
    disk = small_disk(world.box, 4)
    ballast = disk.fill(left_kib=0)
    assert world.box.run(timeout_s=30).status == 74
    os.unlink(ballast)
    world.run()
    world.cloud.assert_all_delivered()


# -- the file


def store_file(world):
    return os.path.join(world.box.state, "spool", "data.mdb")


def flip(path, dice):
    with open(path, "r+b") as store:
        size = os.path.getsize(path)
        for page in range(2 * 4096, size, 4096):
            store.seek(page + dice.randrange(64))
            store.write(bytes([dice.randrange(256)]))


def truncate(path, _dice):
    os.truncate(path, 16 * 4096)  # the file is longer than its content: cut into the content


def truncate_odd(path, _dice):
    os.truncate(path, 5000)


def garbage(path, dice):
    with open(path, "r+b") as store:
        store.write(dice.randbytes(os.path.getsize(path)))


def zeros(path, _dice):
    with open(path, "r+b") as store:
        store.write(bytes(os.path.getsize(path)))


def empty(path, _dice):
    os.truncate(path, 0)


@pytest.mark.parametrize("harm", [flip, truncate, truncate_odd, garbage, zeros, empty])
def test_broken_store_is_set_aside_and_all_is_fetched_again(make_world, harm):
    dice = random.Random(7)
    world = make_world("quiet", records={"count": 60})
    world.cloud.fault({"service": "sink", "nth": 2}, {"status": 503})
    world.start()
    world.wait_delivered()
    world.cloud.sink(state="down")             # something is held when the store breaks
    asked = world.cloud.requests("graph.record", "200")
    world.cloud.raise_versions(count=8)
    world.box.config["sources"]["call_records"].update(hot_interval_s=1, warm_interval_s=1,
                                                       cold_interval_s=1)
    assert world.box.stop() == 0
    world.box.write_config()
    world.start()
    wait_until(lambda: world.cloud.requests("graph.record", "200") >= asked + 8, "new versions")
    assert world.box.stop() == 0

    harm(store_file(world), dice)
    fetched = world.cloud.requests("graph.record", "200")
    world.cloud.sink(state="up")
    world.start()
    world.wait_log("store_reset")
    assert os.path.isdir(os.path.join(world.box.state, "spool.broken-1"))
    wait_until(lambda: world.cloud.requests("graph.record", "200") >= fetched + 60, "all again")
    report = world.finish()
    assert report["records"]["other_events"]["store_reset"] == 1
    assert report["sink"]["devices"] == 2, "a new store has a new name"


def test_only_the_newest_broken_store_is_kept(make_world):
    dice = random.Random(8)
    world = make_world("quiet", records={"count": 10}, sink=QUICK)
    for _ in range(3):
        world.run()
        garbage(store_file(world), dice)
    world.run()
    kept = sorted(n for n in os.listdir(world.box.state) if n.startswith("spool.broken-"))
    assert kept == ["spool.broken-3"]
    report = world.cloud.assert_all_delivered()
    assert report["records"]["other_events"]["store_reset"] == 3


def test_a_missing_store_is_no_broken_one(make_world):
    world = make_world("quiet", records={"count": 10})
    world.run()
    for name in ("data.mdb", "lock.mdb"):
        path = os.path.join(world.box.state, "spool", name)
        if os.path.exists(path):
            os.unlink(path)
    os.rmdir(os.path.join(world.box.state, "spool"))
    world.run()
    assert not world.log("store_reset")
    world.cloud.assert_all_delivered()


def test_more_records_than_the_work_list_takes_at_once(make_world):
    """Above 5,000 pending records no new window is opened; the rest is listed all the same."""
    world = make_world("quiet", records={"count": 5300, "fat": False, "p2p": 1.0})
    world.run()
    assert int(world.log("totals")[-1]["listed"]) == 5300
    world.cloud.assert_all_delivered()
