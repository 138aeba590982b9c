# SPDX-License-Identifier: Apache-2.0
"""What the status port costs and how soon it answers, beside a collector that is at work.

Latency is a client's: from the request to the last byte of the answer.
"""
import os
import re
import statistics
import subprocess
import sys
import time

from bed import PAGE, ROOT
from box import Box, memory

sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from port import Answer, Port  # noqa: E402

SETTLE_S = 6        # after a start, until nothing of it is left to do
CONNECTIONS = 4     # as many as the port has
EVERY_TLS_S = 0.34  # the port shakes three hands a second
CROWD = os.path.join(ROOT, "tests", "support", "crowd.py")
SLOW_CLIENTS = 1000
CROWD_S = 15


def listening(bench, plain=False, sink=True):
    box = Box(bench.bed, bench.build, sink=sink)
    box.config["status"] = {"listen": "127.0.0.1:0", "plain": plain}
    box.use_sink(sink)
    return box


def port_of(box):
    found = []

    def told():
        found[:] = re.findall(r"ev=status_port url=(\S+) fingerprint=(\S+)", box.log())
        return bool(found)

    box.watch_for(told)
    url, fingerprint = found[-1]
    return Port(url, None if fingerprint == "none" else fingerprint)


def ask(port, target="/status"):
    """(seconds of the answer, seconds with connecting and shaking hands, the answer)."""
    began = time.perf_counter()
    with port.connect() as wire:
        asked = time.perf_counter()
        answer = Answer(wire.send(port.bytes_of("GET", target)).read())
        ended = time.perf_counter()
    assert answer.status == 200, answer.raw[:200]
    return ended - asked, ended - began, answer


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class PortBench:
    """The rows of `port`."""

    def __init__(self, bench):
        self.bench = bench

    def run(self):
        self.latency()
        self.crowd()
        self.memory()

    # -- how soon

    def sample(self, plain, runs):
        """Every answer to /status during backfills."""
        bench, took = self.bench, []
        for _ in range(runs):
            box = listening(bench, plain).start()
            try:
                port = port_of(box)
                bench.wait_first_page(box)
                while bench.delivered() < 2 * bench.args.slim:
                    took.append(ask(port)[:2])
                    if not plain:
                        time.sleep(max(0, EVERY_TLS_S - took[-1][1]))
            finally:
                box.stop()
                bench.bed.forget()
        return [1e3 * t[0] for t in took], [1e3 * t[1] for t in took]

    def latency(self):
        bench = self.bench
        bench.bed.fill("slim", bench.args.slim)
        plain, _ = self.sample(True, 3)
        _, tls = self.sample(False, 6)
        bench.say("port: %d answers without TLS, %d with, beside a backfill" % (
            len(plain), len(tls)))
        bench.figures["port_p99_ms"] = percentile(plain, 0.99)
        bench.figures["port_tls_p99_ms"] = percentile(tls, 0.99)
        bench.figures["port_tls_ms"] = statistics.median(tls)

    # -- what a crowd takes

    def spent(self, box):
        """Share of one processor in CROWD_S, in percent."""
        began, at = box.sample().cpu_s, time.monotonic()
        time.sleep(CROWD_S)
        return 100 * (box.sample().cpu_s - began) / (time.monotonic() - at)

    def crowd(self):
        """The collector is one thread: what others take of its processor is what it has less."""
        bench = self.bench
        bench.say("port: %d slow clients" % SLOW_CLIENTS)
        bench.bed.fill("slim", PAGE)
        shares = []
        for _ in range(3):
            box = listening(bench).start()
            port = port_of(box)
            self.settle(box)
            alone = self.spent(box)
            crowd = subprocess.Popen(
                [sys.executable, CROWD, str(port.address[1]), str(SLOW_CLIENTS), "slow",
                 str(4 * CROWD_S)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                assert crowd.stdout.readline().strip() == "ready"
                shares.append(self.spent(box) - alone)
                ask(port)
            finally:
                crowd.terminate()
                crowd.wait()
                box.stop()
                bench.bed.forget()
        bench.figures["port_crowd_percent"] = statistics.median(shares)

    # -- what it keeps

    def settle(self, box):
        box.watch(lambda: self.bench.delivered() >= 2 * PAGE, every_s=0.1)
        time.sleep(SETTLE_S)
        return memory(box.process.pid)

    def memory(self):
        bench = self.bench
        bench.say("port: memory closed, open, and with %d connections" % CONNECTIONS)
        bench.bed.fill("slim", PAGE)
        closed, opened, connected = [], [], []
        for _ in range(3):
            box = Box(bench.bed, bench.build).start()
            closed.append(self.settle(box)[0])
            box.stop()
            bench.bed.forget()
            box = listening(bench).start()
            port = port_of(box)
            opened.append(self.settle(box)[0])
            wires = [port.connect() for _ in range(CONNECTIONS)]
            for wire in wires:
                wire.send(port.bytes_of("GET", "/status")[:-2])
            time.sleep(0.2)
            connected.append((memory(box.process.pid)[0] - opened[-1]) / CONNECTIONS)
            for wire in wires:
                wire.close()
            box.stop()
            bench.bed.forget()
        bench.figures["port_open_kib"] = statistics.median(opened) - statistics.median(closed)
        bench.figures["port_connection_kib"] = statistics.median(connected)
        box = listening(bench).start()
        port = port_of(box)
        self.settle(box)
        bench.figures["port_page_bytes"] = len(ask(port, "/")[2].raw)
        box.stop()
        bench.bed.forget()
