# SPDX-License-Identifier: Apache-2.0
"""Run the fake cloud: /usr/bin/python3 tools/fakecloud --scenario NAME --dir DIR [--set PATH=JSON]...

Writes DIR/cloud.json (ports, CA file, ids, control port) once it listens, and runs until the control
port's /shutdown, SIGTERM or SIGINT.
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
    return parser.parse_args()


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


async def run(scenario, folder):
    cloud = Cloud(scenario, folder)
    control = Control(cloud)
    await cloud.start()
    await control.listener.open()
    state = dict(cloud.state(), control_url="http://127.0.0.1:%d" % control.listener.port)
    path = os.path.join(folder, "cloud.json")
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(state, out, indent=1)
    os.rename(path + ".new", path)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, control.done.set)
    watcher = asyncio.get_running_loop().create_task(cloud.watch())
    done = asyncio.get_running_loop().create_task(control.done.wait())
    await asyncio.wait({watcher, done}, return_when=asyncio.FIRST_COMPLETED)
    watcher.cancel()
    cloud.stop()
    control.listener.shut()


def main():
    args = arguments()
    os.makedirs(args.dir, exist_ok=True)
    made = scenario_.load(args.scenario, **changes(args.set))
    gc.freeze()
    gc.set_threshold(50000, 20, 50)
    asyncio.run(run(made, args.dir))


if __name__ == "__main__":
    main()
