# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any moment loses nothing: the store and what the sink has always account for all."""
import contextlib
import os
import random
import time

from world import wait_until

KILLS = 200
SEED = 20260
LIFE_S = (0.005, 0.25)
RELIST = {"hot_interval_s": 3, "warm_interval_s": 3, "cold_interval_s": 3}
CHANGES = [  # what the cloud does to records between two lives, now and then
    lambda cloud: cloud.raise_versions(share=0.1, count=10),
    lambda cloud: cloud.sink(state="down"),
    lambda cloud: cloud.sink(state="up"),
    lambda cloud: cloud.fault({"service": "sink", "count": 1}, {"cut": "answer"}),
    lambda cloud: cloud.fault({"service": "graph", "kind": "record", "count": 2}, {"cut": 700}),
    lambda cloud: cloud.entra(revoke=True),
]


def forget(world):
    """A box that crashes all the time waits for a reset in the end (test_205_health.py). Here it
    does not remember: what is looked for is in the store."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(world.box.state, "ladder"))
    return True


def start(world):
    forget(world)
    world.start()


def live_a_little(world, dice):
    """One life: until a random moment, or until something new was seen to arrive."""
    before = world.cloud.stats()["events"] if dice.random() < 0.5 else None
    life_s = dice.uniform(*LIFE_S)
    start(world)
    end = time.monotonic() + life_s
    while time.monotonic() < end:
        if before is not None and world.cloud.stats()["events"] != before:
            break
        time.sleep(0.002)
    assert world.alive(), "it ended by itself with %s" % world.box.process.returncode
    world.box.kill()


def test_two_hundred_kills_lose_nothing(make_world):
    dice = random.Random(SEED)
    world = make_world("quiet", calls=RELIST, records={
        "count": 150, "weird": 0.05,
        "meetings": [{"sessions": 400, "participants": 500, "days_ago": 3, "rise_after_page": 4}]})
    for _ in range(KILLS):
        if dice.random() < 0.15:
            dice.choice(CHANGES)(world.cloud)
        live_a_little(world, dice)
    world.cloud.clear_faults()
    world.cloud.sink(state="up")
    assert len(world.log("store_reset")) == 0, "a kill broke the store"
    assert world.cloud.stats()["complete"] > 0, "no life got anywhere"
    wait_until(lambda: forget(world) and world.run() and world.delivered(), "all delivered")
    world.cloud.assert_all_delivered()


def test_kills_right_after_the_start(make_world):
    """While the store is being checked, too: the next start finds no damage. It may find the lock
    of the watchdog in the hands of a checking child that was born in that moment: then it ends
    with 75, and an init starts it again."""
    dice = random.Random(SEED)
    world = make_world("quiet", records={"count": 60, "meetings": [{"sessions": 700}]})
    world.cloud.sink(state="down")
    start(world)
    wait_until(lambda: world.cloud.requests("graph.record") > 61, "a store with something in it")
    in_use = 0
    for _ in range(60):
        world.box.kill()
        start(world)
        time.sleep(dice.uniform(0, 0.03))
        status = world.box.process.poll()
        assert status in (None, 75), "it ended by itself with %s" % status
        in_use += status == 75
    assert in_use < 10, "the lock is left behind, not just a moment late"
    if not world.alive():
        start(world)
    world.cloud.sink(state="up")
    world.finish()
    assert not world.log("store_reset")


def test_kills_with_a_store_that_is_nearly_full(make_world):
    dice = random.Random(SEED)
    meetings = [{"sessions": 500, "participants": 30, "days_ago": n + 1} for n in range(14)]
    world = make_world("quiet", records={"count": 30, "meetings": meetings},
                       change=lambda c: c.update(spool={"map_mib": 8, "high_percent": 50}))
    world.cloud.sink(state="down")
    start(world)
    world.wait_log("collecting_paused")
    for number in range(40):
        world.box.kill()
        world.cloud.sink(state="up" if number % 4 == 3 else "down")
        live_a_little(world, dice)
        start(world)
    world.cloud.sink(state="up")
    world.finish()
    assert not world.log("store_reset")
