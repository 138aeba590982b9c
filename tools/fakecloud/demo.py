# SPDX-License-Identifier: Apache-2.0
"""tools/dev demo: the shipped binary against the fake cloud, shown as it happens.

30 days of calls with late records and rising versions, a 1,000-person meeting whose version moves
while it is being read, throttling, and one outage of the sink. Around the binary stands a box
(hardware.py): its LED, its watchdog and its init; in the middle anteroomd is killed, and later
stopped until the watchdog resets the box. The last line says what the oracle found; the exit
status is 0 only if every call was delivered whole. With --setup the box is new, and somebody sets
it up (newcomer.py).
"""
import argparse
import os
import re
import shutil
import signal
import socket
import sys
import time

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    __package__ = "fakecloud"

from fakecloud import newcomer                                # noqa: E402
from fakecloud.face import Face                               # noqa: E402
from fakecloud.hardware import Board                          # noqa: E402
from fakecloud.launch import ROOT, Box, CloudProcess          # noqa: E402
from fakecloud.report import BAD, BOLD, DIM, GOOD, paint, render, size  # noqa: E402
from fakecloud.troubles import Troubles                       # noqa: E402

RUN_S_MAX = 600
SETTLED_S_MAX = 60    # after the last change of the cloud: what has not arrived then does not
WATCHDOG_MS = 20000   # the shortest that the firmware takes; a box in the field has 60 s
WATCHDOG_RATE = 3     # and this board's chip counts faster than the world
WIDTH = 30            # of a progress bar
CALL_RECORDS = {      # as in production, but in seconds instead of minutes and hours
    "backfill_days": 30, "hot_interval_s": 5, "warm_interval_s": 5, "cold_interval_s": 5,
    "list_per_20s": 2000, "record_per_20s": 800, "app_per_20s": 40000,
    "retry_base_ms": 200, "retry_cap_ms": 2000,
}
SINK = {"retry_base_ms": 200, "retry_cap_ms": 1000, "linger_ms": 200, "batch_events_max": 500}


def arguments():
    parser = argparse.ArgumentParser(prog="tools/dev demo", description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=300, help="number of calls (300)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated data (1)")
    parser.add_argument("--keep", action="store_true", help="leave cloud and collector running")
    parser.add_argument("--setup", action="store_true",
                        help="a new box that nobody knows yet: set it up in a browser")
    args = parser.parse_args()
    if args.calls < 1:
        parser.error("--calls: at least 1")
    return args


class View:
    """Progress: a small panel on a terminal, plain lines elsewhere."""

    def __init__(self):
        self.live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.height = 0
        self.notes, self.page = 0, None
        self.last_line = 0.0

    def wipe(self):
        if self.height:
            sys.stdout.write("\033[%dA\033[J" % self.height)
        self.height = 0

    def say(self, text):
        self.wipe()
        print(text, flush=True)

    def note(self, at, text):
        self.say("  %s  %s" % (paint("%6.1f s" % at, DIM, self.live), text))

    def show(self, stats, face):
        for at, text in stats["notes"][self.notes:]:
            self.note(at, text)
        self.notes = len(stats["notes"])
        if face.page() != self.page:
            self.page = face.page()
            self.note(stats["elapsed_s"], "the box's page: %s" % self.page)
        if self.live:
            self.wipe()
            lines = self.panel(stats) + face.panel()
            print("\n".join(lines), flush=True)
            self.height = len(lines)
        elif time.monotonic() - self.last_line >= 1:
            self.last_line = time.monotonic()
            print("  %6.1f s  listed %d of %d, whole %d, sink %s with %d events; %s" % (
                stats["elapsed_s"], stats["announced"], stats["records"], stats["complete"],
                "up" if stats["sink_up"] else "DOWN", stats["events"], face.line()), flush=True)

    def panel(self, stats):
        asked = sum(v for n, row in stats["requests"].items() if n.startswith("graph.")
                    for k, v in row.items() if k != "bytes")
        read = sum(row.get("bytes", 0) for n, row in stats["requests"].items() if "graph" in n)
        up = paint("up", GOOD, True) if stats["sink_up"] else paint("DOWN", BAD, True)
        return ["",
                "  Graph   %s  %d of %d calls listed" % (
                    bar(stats["announced"], stats["records"]), stats["announced"],
                    stats["records"]),
                "          %d requests, %s read, %d times 429, %s changes to come" % (
                    asked, size(read), stats["throttled"], stats["pending"]),
                "  sink    %s  %d of %d calls whole" % (
                    bar(stats["complete"], stats["records"]), stats["complete"], stats["records"]),
                "          %s, %d events in %d batches, %s" % (
                    up, stats["events"], stats["batches"], size(stats["bytes_in"]))]


def bar(part, whole):
    done = WIDTH * part // max(whole, 1)
    return paint("█" * done, GOOD, True) + paint("░" * (WIDTH - done), DIM, True)


def free_port():
    """For the page: known before the box starts, since the app registration names it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepare(args):
    """A fresh folder with a running cloud and a configured box on its hardware."""
    port = free_port()
    more = {"entra": newcomer.settings(port)} if args.setup else {}
    folder = os.path.join(ROOT, "build", "demo")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    cloud = CloudProcess("demo", folder, seed=args.seed, records={"count": args.calls - 1}, **more)
    cloud.start()
    try:
        box = Box(cloud, folder)
        box.config["infrastructure"] = {"name": "Head office", "description": "the demo"}
        box.config["sources"]["call_records"] = CALL_RECORDS
        box.config["sinks"][0].update(SINK)
        newcomer.configure(box.config, port)
        box.prepare(token="demo-token", known=not args.setup)
        board = Board(box, watchdog_rate=WATCHDOG_RATE)
        board.devices.limit_watchdog(WATCHDOG_MS, WATCHDOG_MS)
    except BaseException:
        cloud.stop()
        raise
    return cloud, board


def collect(cloud, board, view):
    """The box runs as in the field until all is delivered, or until it is clear that it will not
    be. Meanwhile it is mistreated. What is to be said about that, one line each."""
    face, troubles = Face(board), Troubles(cloud, board, view)
    begin, settled = time.monotonic(), None
    while time.monotonic() - begin < RUN_S_MAX and not board.given_up():
        stats = cloud.stats()
        troubles.step(stats)
        view.show(stats, face)
        if troubles.over() and not stats["pending"]:
            records = cloud.report()["records"]
            if records["delivered"] == records["records"]:
                break
            settled = settled or time.monotonic()
            if time.monotonic() - settled > SETTLED_S_MAX:
                break
        time.sleep(0.1)
    if board.given_up():
        view.say("demo: anteroomd ended with status %s; its log is %s" % (
            board.lives[-1].status, board.box.log_file))
    return troubles.told


def keep_running(cloud, board):
    print("\n  Running: graph %(graph_url)s, sink %(sink_url)s, control %(control_url)s"
          % cloud.state)
    print("  devices: %s\n  log: %s\n  Ctrl-C ends it."
          % (board.devices.folder, board.box.log_file), flush=True)
    view, face = View(), Face(board)
    try:
        while not board.given_up() and cloud.process.poll() is None:
            if view.live:
                view.show(cloud.stats(), face)
            time.sleep(0.1)
    except KeyboardInterrupt:
        print()


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    view = View()
    print(paint("\n  Anteroom demo", BOLD, view.live) + ": %d calls of 30 days, seed %d; one is "
          "a meeting of 1,000 people\n" % (args.calls, args.seed), flush=True)
    cloud, board = prepare(args)
    try:
        begin = time.monotonic()
        board.power_on()
        if args.setup:
            return 0 if newcomer.guide(cloud, board, view) else 1
        told = collect(cloud, board, view)
        status = 0 if args.keep else board.power_off()
        seconds = time.monotonic() - begin
        report = cloud.report()
        view.wipe()
        print("\n" + render(report, view.live) + "\n")
        last = told + [verdict(report)]
        print("  %.1f s, everything under %s" % (seconds, os.path.relpath(board.box.folder, ROOT)))
        if args.keep:
            print("\n".join(last))
            keep_running(cloud, board)
    except KeyboardInterrupt:
        last, report = ["demo: interrupted"], None
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)  # what we started is ended first
        board.cut_for_good()
        cloud.stop()
    print("\n".join(last))
    return 0 if report and flawless(report) and len(told) == 2 and status == 0 else 1


def verdict(report):
    r = report["records"]
    line = "demo: delivered %d of %d records, %d missing, %d incomplete" % (
        r["delivered"], r["records"], r["missing"], r["incomplete"])
    rest = {"wrong": r["wrong"], "malformed": report["sink"]["errors"], "dead": r["dead"],
            "quarantined": r["quarantined"]}
    more = ", ".join("%d %s" % (n, word) for word, n in rest.items() if n)
    return line + (", " + more if more else "")


def flawless(report):
    return re.fullmatch(r"demo: delivered (\d+) of \1 records, 0 missing, 0 incomplete",
                        verdict(report)) is not None


if __name__ == "__main__":
    sys.exit(main())
