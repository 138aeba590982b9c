# SPDX-License-Identifier: Apache-2.0
"""Scenarios: small JSON files that change some of the defaults below. Unknown names are refused."""
import copy
import json
import os

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")

DEFAULTS = {
    "about": "",
    "seed": 1,
    "time_factor": 1.0,            # windows of the throttling are this much shorter
    "tenant_id": "b7f5c0de-0000-4000-8000-00000000c0de",
    "client_id": "c11e57a0-0000-4000-8000-0000000000a1",
    "records": {
        "count": 300, "days": 30,
        "p2p": 0.55,               # share of peer-to-peer calls
        "group_max": 12,           # participants of the largest ordinary group call
        "fat": True,               # sessions of 5 to 10 KB, else about 2 KB
        "weird": 0.02,             # unknown fields and enum members, a member twice, odd numbers
        "long": 0.01,              # calls that lasted longer than a day
        "late": {"share": 0.0, "after_s": [2, 8]},                 # records that appear later
        "rising": {"share": 0.0, "after_s": [2, 8], "steps": 1},   # versions that rise
        "not_ready": {"share": 0.0, "for_s": [1, 3]},              # listed, but 404 at first
        "meetings": [],            # {"sessions", "participants", "days_ago", "rises_s",
                                   #  "rise_after_page"}
        "samples": False,          # serve ../shared/samples too, where present
    },
    "depth": "sessions",           # what the collector is asked to fetch: "records" for heads only
    "graph": {"page": 60, "sessions_page": 60, "participants_page": 130, "unordered": True,
              "link_style": "mixed",          # path | quoted | mixed
              "retry_after": "seconds",       # seconds | decimal | date | absent | any text
              "limits": {},                   # {"list": [40, 20], "record": [...], "app": [...]}
              "clock_offset_s": 0},
    "entra": {"lifetime_s": [3600, 5400], "consent": True, "enabled": True, "secrets": [],
              "expired_secrets": [], "other_resources": [], "opaque": False, "token_bytes": 1200,
              "skew_s": 0, "clock_offset_s": 0},
    "sink": {"authorization": None, "answer": "json", "max_bytes": None, "max_events": None,
             "poison": None, "reject": None, "unwanted": [], "repeat_status": None,
             "gzip_required": False,
             "outages": []},                  # {"after_s" or "after_events", "for_s"}
    "tls": {"authority": {"key": "rsa"}, "graph": {"key": "rsa"}, "sink": {"key": "ecdsa"}},
    "faults": [],
}
OPEN = {("graph", "limits"), ("sink", "poison"), ("sink", "reject"), ("tls", "authority"),
        ("tls", "graph"), ("tls", "sink")}


def merge(base, change, path=()):
    """Put `change` over `base`, in place; names that the defaults do not have are errors."""
    for name, value in change.items():
        where = path + (name,)
        if name not in base:
            raise ValueError("unknown in scenario: %s" % ".".join(where))
        if isinstance(base[name], dict) and isinstance(value, dict) and where not in OPEN:
            merge(base[name], value, where)
        else:
            base[name] = value
    return base


def load(source=None, **changes):
    """A scenario from a name in scenarios/, a path, or a dict; `changes` go over it."""
    made = copy.deepcopy(DEFAULTS)
    if isinstance(source, str):
        path = source if os.path.exists(source) else os.path.join(HERE, source + ".json")
        with open(path, encoding="utf-8") as text:
            source = json.load(text)
    merge(made, source or {})
    return merge(made, copy.deepcopy(changes))


def names():
    return sorted(n[:-5] for n in os.listdir(HERE) if n.endswith(".json"))
