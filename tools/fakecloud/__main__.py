# SPDX-License-Identifier: Apache-2.0
"""Run the fake cloud: python3 tools/fakecloud --scenario NAME --dir DIR [--set PATH=JSON]...

Writes DIR/cloud.json (ports, CA file, ids, control port) once it listens, and runs until the
control port's /shutdown, SIGTERM or SIGINT.
"""
import argparse
import asyncio
import gc
import json
import os
import signal
import sys

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    __package__ = "fakecloud"

from fakecloud import scenario as scenario_  # noqa: E402
from fakecloud.cloud import Cloud            # noqa: E402
from fakecloud.control import Control        # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="fakecloud", description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", default=None, help="name in scenarios/ or a JSON file: "
                        + ", ".join(scenario_.names()))
    parser.add_argument("--dir", required=True, help="folder for CA, certificates and cloud.json")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=JSON",
                        help="change one value, e.g. records.count=1000")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent ends")
    return parser.parse_args()


async def orphaned(parent):
    """Returns when `parent` is no longer our parent."""
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


def changes(pairs):
    """["a.b=1"] as {"a": {"b": 1}}."""
    out = {}
    for pair in pairs:
        path, _, text = pair.partition("=")
        names, place = path.split("."), out
        for name in names[:-1]:
            place = place.setdefault(name, {})
        place[names[-1]] = json.loads(text)
    return out


async def run(scenario, folder, with_parent):
    cloud = Cloud(scenario, folder)
    control = Control(cloud)
    await cloud.start()
    await control.listener.open()
    state = dict(cloud.state(), control_url="http://127.0.0.1:%d" % control.listener.port)
    path = os.path.join(folder, "cloud.json")
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(state, out, indent=1)
    os.rename(path + ".new", path)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, control.done.set)
    tasks = {loop.create_task(cloud.watch()), loop.create_task(control.done.wait())}
    if with_parent:
        tasks.add(loop.create_task(orphaned(os.getppid())))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    cloud.stop()
    control.listener.shut()


def main():
    args = arguments()
    os.makedirs(args.dir, exist_ok=True)
    made = scenario_.load(args.scenario, **changes(args.set))
    gc.freeze()
    gc.set_threshold(50000, 20, 50)
    asyncio.run(run(made, args.dir, args.with_parent))


if __name__ == "__main__":
    main()
