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
    "entra": {"lifetime_s": [3600, 5400], "enabled": True, "opaque": False, "token_bytes": 1200,
              "skew_s": 0, "clock_offset_s": 0, "other_resources": [],
              # credentials; a secret is a text or {"value", "expires": date or unix time}
              "secrets": [], "expired_secrets": [],
              "assertion_once": True,  # stricter than Entra, whose own client shows one again
              # what the registration asks for, and what is granted of it
              "required": ["CallRecords.Read.All", "User.Read.All", "TeamworkDevice.Read.All",
                           "User.Read"],
              "consent": True,         # all of it, or nothing
              "roles": None,           # a list: just these application permissions
              "propagation_s": 0,      # from a grant until Graph knows of it; "ever": it never does
              # policies: of "app", "user", "device_code", "device_page" (see entra_browser.py)
              "conditional_access": [],
              "user_consent": True,    # people may consent to User.Read themselves
              "other_cloud": None,     # 90038, 900382 or 900432: the tenant lives elsewhere
              # browser
              "redirect_uris": {"web": ["http://localhost"], "public": []},
              "public_flows": False,   # device code without a credential
              "code_s": 600, "device_s": 900, "device_interval_s": 5, "refresh_idle_s": 7776000,
              "slow_down": False},     # RFC 8628's; Entra's page has none, nor has its client
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
