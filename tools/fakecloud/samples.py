# SPDX-License-Identifier: Apache-2.0
"""Sample records from a folder of example answers, moved in time to lie within the last days.

The folder is optional: $ANTEROOM_SHARED/samples, or ../shared/samples beside the project.
"""
import json
import os

from .clock import TICKS, parse_stamp, stamp, ticks

FILES = ("calls/failed-call.json", "calls/peer-to-peer.json",
         "graph/callrecord-get-expand-sessions-segments.json",
         "graph/callrecord-get-expand-participants_v2.json", "graph/callrecords-list.json")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def folder():
    shared = os.environ.get("ANTEROOM_SHARED", os.path.join(ROOT, "..", "shared"))
    return os.path.join(shared, "samples")


def _shift(item, by):
    """Move every ...DateTime of a sample by a number of ticks."""
    if isinstance(item, list):
        return [_shift(i, by) for i in item]
    if not isinstance(item, dict):
        return item
    out = {}
    for key, value in item.items():
        if key.endswith("DateTime") and isinstance(value, str):
            out[key] = stamp(parse_stamp(value) + by)
        else:
            out[key] = _shift(value, by)
    return out


def _records_of(document):
    for item in document.get("value", [document]):
        yield {k: v for k, v in item.items()
               if k != "@odata.context" and not k.endswith("@odata.nextLink")}


def load(clock):
    """The samples that are present, by id; files about one call are put together."""
    merged = {}
    for name in FILES:
        path = os.path.join(folder(), name)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8-sig") as source:
            for record in _records_of(json.load(source)):
                merged.setdefault(record["id"], {}).update(record)
    out = []
    for number, record in enumerate(merged.values()):
        wanted = ticks(clock.t0) - (number + 1) * 86400 * TICKS
        out.append(_shift(record, wanted - parse_stamp(record["startDateTime"])))
    return out
