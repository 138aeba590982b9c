#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the shipped binary on the bed, hold it against tests/data/budget.json, print the table.

  tools/dev bench [--slim N] [--fat N] [--runs N] [--json FILE] [--markdown] [NAME ...]

The real road: token, verified TLS, every nextLink, validation, durable commits with their index
rows, gzip upstream, acknowledged and deleted. CPU is user + system of the whole process by /proc,
bytes written are its write_bytes, memory is smaps. Medians of the runs.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

import bed as bed_module
from bed import Bed, ROOT
from box import Box, memory
from port_cost import PortBench

sys.path.insert(0, os.path.join(ROOT, "tools"))
from fakecloud.hardware import Board  # noqa: E402

NAMES = [
    "size",
    "slim",
    "fat",
    "meeting",
    "idle",
    "start",
    "restart",
    "recovery",
    "growth",
    "instructions",
    "port",
]


SIZED = ("sandbox", "sandbox_tpm", "generic_x86_64")  # the largest of them counts


class Bench:
    def __init__(self, args):
        self.args = args
        self.build = os.path.join(ROOT, "build", "sandbox")
        self.bed = Bed(os.path.join(ROOT, "build", "bench"))
        self.figures = {}

    def say(self, text):
        print("  .. " + text, file=sys.stderr, flush=True)

    def delivered(self):
        return sum(
            r[4]
            for r in self.bed.requests()
            if r[1] == "POST" and r[5].startswith("/events") and r[2] == 200
        )

    def bulk(self, kind, count):
        """CPU, bytes written, bytes sent per record and peak memory of one bulk run."""
        pages = (count + bed_module.PAGE - 1) // bed_module.PAGE
        box = Box(self.bed, self.build).start()
        try:
            state = {"last": 0, "at": 0.0}

            def done():
                requests = self.bed.requests()
                lists = sum(
                    1 for r in requests if r[5].startswith("/pages/") or "callRecords" in r[5]
                )
                events = sum(r[4] for r in requests if r[1] == "POST")
                if events != state["last"]:
                    state["last"], state["at"] = events, time.monotonic()
                # Every record gives its record and its completion; then nothing new for longer
                # than commit and linger take.
                return lists >= pages and events >= 2 * count and time.monotonic() - state["at"] > 4

            peak = box.watch(done, every_s=0.25)
            sample = box.sample()
            sent = sum(
                r[3] for r in self.bed.requests() if r[1] == "POST" and r[5].startswith("/events")
            )
        finally:
            box.stop()
        self.bed.forget()
        return {
            "cpu_us": sample.cpu_s * 1e6 / count,
            "written": sample.written / count,
            "sent": sent / count,
            "anon_kib": peak[0],
            "rss_kib": peak[1],
        }

    def median_bulk(self, kind, count):
        size = self.bed.fill(kind, count)
        runs = []
        for number in range(self.args.runs):
            self.say(
                "%s: %d records of %d B, run %d of %d"
                % (kind, count, size, number + 1, self.args.runs)
            )
            runs.append(self.bulk(kind, count))
        figure = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        self.figures["cpu_us_%s" % kind] = figure["cpu_us"]
        self.figures["written_bytes_%s" % kind] = figure["written"]
        self.figures["sent_bytes_%s" % kind] = figure["sent"]
        self.figures["anon_kib_%s" % kind] = figure["anon_kib"]

    def slim(self):
        self.median_bulk("slim", self.args.slim)

    def fat(self):
        self.median_bulk("fat", self.args.fat)

    def meeting(self):
        """1,000 people in 8 MiB pages, the sink down: the most memory that a record can cost."""
        size = self.bed.fill("meeting", 1)
        self.say("meeting: 17 pages, %.1f MiB each, sink down" % (size / 2**20))
        box = Box(self.bed, self.build, depth="sessions", sink=False).start()
        try:
            fetched = []

            def done():
                if sum(r[5].startswith("/pages/") for r in self.bed.requests()) >= 27:
                    fetched.append(time.monotonic())
                return fetched and time.monotonic() - fetched[0] > 2  # until it is committed

            peak = box.watch(done, every_s=0.004)
        finally:
            box.stop()
        self.bed.forget()
        self.figures["anon_kib_peak"], self.figures["rss_kib_peak"] = peak

    def idle(self):
        """After a bulk of work: everything delivered, nothing due."""
        self.bed.fill("slim", 2000)
        box = Box(self.bed, self.build).start()
        try:
            self.say("idle: 2000 records delivered, then 20 s of nothing")
            box.watch(lambda: self.delivered() >= 4000, every_s=0.2)
            time.sleep(9)
            before = box.sample()
            time.sleep(11)
            after = box.sample()
            self.figures["anon_kib_idle"] = memory(box.process.pid)[0]
            self.figures["wakeups_per_s"] = (after.switches - before.switches) / 11
        finally:
            box.stop()
        self.bed.forget()

    def first_request_s(self, box):
        """Until the sign-in: the time, which is asked for before it, is in it."""
        box.watch(lambda: [r for r in self.bed.requests() if r[1] == "POST"], every_s=0.002)
        return next(r[0] for r in self.bed.requests() if r[1] == "POST") - box.began

    def start(self):
        self.bed.fill("slim", 100)
        times = []
        for _ in range(5):
            box = Box(self.bed, self.build).start()
            times.append(self.first_request_s(box))
            box.stop()
            self.bed.forget()
        self.figures["start_s"] = statistics.median(times)

    def restart(self):
        """kill -9 with a backlog of records, then the time to the next life's first request."""
        count = self.args.slim
        self.bed.fill("slim", count)
        self.say("restart: kill -9 with %d records in the store" % count)
        box = Box(self.bed, self.build, sink=False).start()
        pages = (count + bed_module.PAGE - 1) // bed_module.PAGE
        box.watch(lambda: len(self.graph_requests()) >= pages, every_s=0.2)
        time.sleep(3)
        box.stop(signal.SIGKILL)
        self.bed.forget()
        box.use_sink(True)
        box.start()
        self.figures["restart_s"] = self.first_request_s(box)
        box.stop()
        self.bed.forget()

    def recovery(self):
        """kill -9 of a box that collects, under an init: from the signal to the first request that
        Graph gets from the next life. Init's pause is in it."""
        self.bed.fill("slim", 20000)
        times = []
        for number in range(3):
            box = Box(self.bed, self.build, sink=False)
            board = Board(box)
            board.power_on()
            try:
                box.watch(lambda: len(self.graph_requests()) >= 20, every_s=0.002)
                self.say("recovery: kill -9, init's pause is %g s, %d of 3" % (
                    board.pause_s, number + 1))
                killed = time.time()
                board.kill()
                box.watch_for(lambda: len(board.lives) == 2)
                began = time.time() - (time.monotonic() - board.lives[1].began)

                def since():
                    return [r[0] for r in self.graph_requests() if r[0] > began]

                box.watch_for(since)
                times.append(since()[0] - killed)
            finally:
                board.cut_for_good()
                self.bed.forget()
        self.figures["recovery_s"] = statistics.median(times)

    def port(self):
        PortBench(self).run()

    def wait_first_page(self, box):
        box.watch_for(lambda: self.graph_requests())

    def graph_requests(self):
        time_asked = ("openid-configuration", "/v1.0/")
        return [
            r for r in self.bed.requests() if r[1] == "GET" and not r[5].endswith(time_asked)
        ]

    def size(self):
        sizes = {}
        for board in SIZED:
            path = os.path.join(ROOT, "build", board, "anteroomd")
            if os.path.exists(path):
                sizes[board] = os.path.getsize(path)
        self.say("size: " + ", ".join("%s %d" % pair for pair in sorted(sizes.items())))
        self.figures["size_bytes"] = max(sizes.values())

    def growth(self):
        """What a record costs in the store behind 10 k, 100 k and 1 M (see spool_bench.c)."""
        program = os.path.join(ROOT, "build", "target-tests", "tools", "bench", "spool_bench")
        if not os.path.exists(program):
            self.say("growth: left out; `tools/dev bench` builds what it needs")
            return
        self.bed.fill("slim", 2000)
        lines = os.path.join(self.bed.folder, "lines.ndjson")
        with open(lines, "w", encoding="utf-8") as out:
            for page in range(20):
                with open(
                    os.path.join(self.bed.folder, "pages", "p%d.json" % page), encoding="utf-8"
                ) as text:
                    for item in json.load(text)["value"]:
                        out.write(
                            json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n"
                        )
        for backlog in (10_000, 100_000, 1_000_000):
            folder = os.path.join(self.bed.folder, "growth")
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder, mode=0o700)
            self.say("growth: backlog of %d records" % backlog)
            done = subprocess.run(
                [program, folder, lines, str(backlog), "100000", "2048"],
                capture_output=True,
                check=True,
            )
            steady = re.search(
                r"^steady .*cpu +([0-9.]+) us/record +written +([0-9]+) bytes",
                done.stdout.decode(),
                re.M,
            )
            self.figures["growth_cpu_us_%d" % backlog] = float(steady.group(1))
            self.figures["growth_written_%d" % backlog] = float(steady.group(2))
            shutil.rmtree(folder)
        costs = [self.figures["growth_cpu_us_%d" % b] for b in (10_000, 100_000, 1_000_000)]
        self.figures["growth_percent"] = (max(costs) / costs[0] - 1) * 100

    def instructions(self):
        """Instructions per slim record by callgrind, on a build for the machine's own C library."""
        daemon = os.path.join(ROOT, "build", "callgrind")
        configure = [
            "cmake",
            "-G",
            "Ninja",
            "-S",
            ROOT,
            "-B",
            daemon,
            "-DCMAKE_C_COMPILER=gcc",
            "-DCMAKE_BUILD_TYPE=None",
            "-DANTEROOM_EPOCH=1795392000",
        ]
        for command in (configure, ["cmake", "--build", daemon, "--target", "anteroomd"]):
            if subprocess.run(command, capture_output=True).returncode != 0:
                self.say("instructions: the host build of anteroomd fails; left out")
                return
        counts = []
        for records in (1000, 3000):
            self.bed.fill("slim", records)
            box = Box(self.bed, self.build)
            out = os.path.join(self.bed.folder, "callgrind.out")
            box.process = subprocess.Popen(
                [
                    "valgrind",
                    "--tool=callgrind",
                    "--callgrind-out-file=" + out,
                    os.path.join(daemon, "anteroomd"),
                    "--config",
                    box.file,
                    "--state",
                    box.state,
                    "--until-idle",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            box.process.wait(300)
            self.bed.forget()
            with open(out, encoding="ascii", errors="replace") as text:
                totals = [line for line in text if line.startswith(("totals:", "summary:"))]
            counts.append(int(totals[-1].split()[1]))
        self.figures["instructions_slim"] = (counts[1] - counts[0]) / 2000


def show(figures, budget, markdown):
    """The table; returns how many bounds are broken."""
    broken = 0
    rows = []
    for key, entry in budget.items():
        if key not in figures:
            continue
        value, bound = figures[key], entry["max"]
        good = bound is None or value <= bound
        broken += not good
        rows.append(
            (
                entry["what"],
                "%.*f %s" % (entry.get("digits", 0), value, entry["unit"]),
                "" if bound is None else "%g %s" % (bound, entry["unit"]),
                "" if bound is None else "yes" if good else "NO",
            )
        )
    if markdown:
        print("| what | measured | bound | held |\n|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(row) + " |")
    else:
        widths = [
            max(len(r[i]) for r in rows + [("what", "measured", "bound", "held")]) for i in range(4)
        ]
        for row in [("what", "measured", "bound", "held")] + rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    return broken


def main():
    p = argparse.ArgumentParser(prog="tools/dev bench", description=__doc__.splitlines()[0])
    p.add_argument(
        "--slim", type=int, default=50000, help="records of the slim set (default 50000)"
    )
    p.add_argument("--fat", type=int, default=5000, help="records of the fat set (default 5000)")
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--json", help="also write the figures there")
    p.add_argument("--markdown", action="store_true")
    p.add_argument("names", nargs="*", help="some of: " + " ".join(NAMES))
    args = p.parse_args()
    bench = Bench(args)
    bench.bed.start()
    try:
        for name in args.names or NAMES:
            getattr(bench, name)()
    finally:
        bench.bed.stop()
    with open(os.path.join(ROOT, "tests", "data", "budget.json"), encoding="utf-8") as text:
        budget = json.load(text)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump(bench.figures, out, indent=1)
    print(
        "records of %s"
        % ("../shared/perf-bed" if os.path.exists(bed_module.GENERATOR) else "the fake cloud")
    )
    broken = show(bench.figures, budget, args.markdown)
    print(
        "bench: %d of %d bounds held"
        % (
            len([k for k in budget if k in bench.figures and budget[k]["max"] is not None])
            - broken,
            len([k for k in budget if k in bench.figures and budget[k]["max"] is not None]),
        )
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
