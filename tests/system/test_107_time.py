# SPDX-License-Identifier: Apache-2.0
"""What time it is: a box whose kernel is wrong by any amount, hosts and time servers that lie."""
import os
import socket
import struct
import threading
import time

import pytest
import world as _world  # noqa: F401  (it knows where fakecloud is)

from fakecloud.hardware import Devices

YEAR_S = 365 * 86400
TO_1970_S = 2208988800


class KernelClock:
    """STATE/sandbox/clock: what is added to the wall clock of the box's kernel."""

    def __init__(self, box, offset_s):
        self.devices = Devices(box.state)
        self.devices.write("clock", self.encode(offset_s))

    @staticmethod
    def encode(offset_s):
        return struct.pack(">q", int(offset_s * 1000))

    def step(self, offset_s):
        """While the box runs: the file is mapped, so it is changed in place."""
        with open(self.devices.path("clock"), "r+b") as data:
            data.write(self.encode(offset_s))


class TimeServer:
    """An SNTP server of one thread; lie_s: None stays silent."""

    def __init__(self, lie_s=0.0):
        self.lie_s, self.asked = lie_s, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            packet, client = self.socket.recvfrom(512)
            if len(packet) < 48:
                return
            self.asked += 1
            if self.lie_s is None:
                continue
            now = time.time() + self.lie_s + TO_1970_S
            stamp = struct.pack(">II", int(now) % 2**32, int(now % 1 * 2**32) or 1)
            self.socket.sendto(struct.pack(">BBbb", 0x24, 2, 6, -20) + bytes(12) + bytes(8) +
                               packet[40:48] + stamp + stamp, client)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.thread.join(10)
        self.socket.close()


@pytest.fixture
def time_server():
    made = []

    def make(lie_s=0.0):
        made.append(TimeServer(lie_s))
        return made[-1]

    yield make
    for server in made:
        server.close()


def nothing_but_the_time_was_asked(world):
    stats = world.cloud.stats()
    assert stats["tokens"] == 0 and stats["batches"] == 0, stats
    assert world.cloud.requests("graph.list") == 0
    assert not world.log("auth_token_good")


# -- the kernel's clock


@pytest.mark.parametrize("offset_s, shown", [
    (-time.time(), "unknown"), (4070908800 - time.time(), "unknown"),
    (-YEAR_S, "unknown"), (YEAR_S, "floor"), (2147483700 - time.time(), "unknown"),
    (4294967400 - time.time(), "unknown")],
    ids=["1970", "2099", "a_year_behind", "a_year_ahead", "2038", "2106"])
def test_box_with_a_wrong_clock_collects_everything(make_world, offset_s, shown):
    world = make_world("quiet")
    KernelClock(world.box, offset_s)
    world.run()
    world.cloud.assert_all_delivered()
    assert world.log("started")[-1]["clock"] == shown
    told = world.log("time_trusted")[-1]
    assert abs(int(told["kernel_offset_ms"]) + offset_s * 1000) < 2000
    assert world.log("clock_stepped")[0]["by"] == "https"


@pytest.mark.parametrize("step_s", [YEAR_S, -YEAR_S])
def test_step_of_a_year_while_it_runs_changes_nothing(make_world, step_s):
    world = make_world("quiet", calls={"hot_interval_s": 1, "warm_interval_s": 1,
                                       "cold_interval_s": 1},
                       records={"count": 30, "rising": {"share": 0.5, "after_s": [1, 6]}})
    clock = KernelClock(world.box, 0)
    world.start()
    world.wait_log("time_trusted")
    clock.step(step_s)
    line = world.wait_log("clock_stepped", by="kernel")
    assert abs(int(line["new_ms"]) - int(line["old_ms"]) - step_s * 1000) < 3000
    world.finish()
    assert len(world.log("time_trusted")) == 1


def test_floor_of_an_earlier_run_is_the_least_that_a_box_in_1970_shows(make_world):
    world = make_world("quiet")
    before = time.time()
    world.run()
    KernelClock(world.box, -time.time())
    world.run()
    started = world.log("started")[-1]
    shown = time.mktime(time.strptime(started["ts"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert started["clock"] == "unknown"
    assert before - 302 <= shown <= time.time()
    world.cloud.assert_all_delivered()


def test_damaged_floor_is_said_and_begun_anew(make_world):
    world = make_world("quiet")
    world.run()
    path = os.path.join(world.box.state, "clock-floor")
    with open(path, "r+b") as record:
        record.write(bytes(os.path.getsize(path)))
    world.run()
    assert world.log("clock_floor_unusable", cause="corrupt")
    world.run()
    assert len(world.log("clock_floor_unusable")) == 1
    world.cloud.assert_all_delivered()


# -- the hosts


@pytest.mark.parametrize("offset_h", [9, 2, -2])
def test_hosts_that_differ_by_hours_are_not_believed(make_world, offset_h):
    world = make_world("quiet", entra={"clock_offset_s": offset_h * 3600})
    world.start()
    cause = "below_floor" if offset_h < 0 else "hosts_disagree"
    line = world.wait_log("time_unknown")
    assert line["cause"] in ("hosts_disagree", cause) and line["text"]
    nothing_but_the_time_was_asked(world)
    world.cloud.entra(clock_offset_s=0)
    world.finish()
    assert len(world.log("time_unknown")) == 1


def test_hosts_that_lie_together_are_caught_by_their_certificates(make_world):
    world = make_world("quiet", entra={"clock_offset_s": YEAR_S}, graph={"clock_offset_s": YEAR_S})
    world.start()
    assert world.wait_log("time_unknown")["cause"] == "certificate_dates"
    nothing_but_the_time_was_asked(world)


@pytest.mark.parametrize("service", ["authority", "graph"])
@pytest.mark.parametrize("cert, cause", [
    ("expired", "trust"), ("not_yet", "certificate_dates"), ("wrong_ca", "trust"),
    ("wrong_name", "trust")])
def test_certificate_that_is_not_good_proves_no_time(make_world, service, cert, cause):
    world = make_world("quiet")
    world.cloud.tls(service, cert=cert)
    world.start()
    assert world.wait_log("time_unknown")["cause"] == cause
    nothing_but_the_time_was_asked(world)
    world.cloud.tls(service, cert="good")
    world.finish()


def test_host_that_is_down_is_waited_for(make_world):
    world = make_world("quiet")
    world.cloud.fault({"service": "graph"}, {"cut": "request"})
    world.start()
    assert world.wait_log("time_unknown")["cause"] == "network"
    nothing_but_the_time_was_asked(world)
    world.cloud.clear_faults()
    world.finish()


def test_connections_that_proved_the_time_are_the_ones_that_are_used(make_world):
    world = make_world("quiet", records={"count": 1})
    world.run()
    assert world.cloud.stats()["connections"]["authority"] == 1


# -- time servers


def sntp(*servers):
    def change(config):
        config["time"] = {"sntp": [s.address for s in servers]}
    return change


def test_time_server_that_agrees_lets_it_collect(make_world, time_server):
    servers = [time_server(), time_server(20.0)]
    world = make_world("quiet", change=sntp(*servers))
    KernelClock(world.box, -time.time())
    world.run()
    world.cloud.assert_all_delivered()
    assert all(s.asked for s in servers)


@pytest.mark.parametrize("lie_s, cause", [
    (YEAR_S, "sntp_differs"), (-YEAR_S, "sntp_differs"), (75.0, "sntp_differs"),
    (None, "sntp_silent")])
def test_time_server_that_lies_or_is_silent_stops_it(make_world, time_server, lie_s, cause):
    server = time_server(lie_s)
    world = make_world("quiet", change=sntp(server))
    world.start()
    assert world.wait_log("time_unknown")["cause"] == cause
    nothing_but_the_time_was_asked(world)
    server.lie_s = 0.0
    world.finish()
