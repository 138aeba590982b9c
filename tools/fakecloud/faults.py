# SPDX-License-Identifier: Apache-2.0
"""Faults on demand. A fault is {"match": {...}, "do": {...}}; the first one that matches is taken.

match (all must hold; nothing given means always):
  service   authority | graph | sink
  kind      token | devicecode | page | list | record | sessions | participants | users | me |
            devices | events | other (or a list of them)
  method, path        path is a regular expression searched in "path?query" (percent-decoded)
  record    record id; sample: share of record ids, drawn by hash
  after_s, until_s    seconds since the start of the cloud
  nth       number (or list of numbers) of the matching request, from 1; every: each n-th
  count     fire at most so often
  per       "id" | "path": nth, every and count are counted for each record / path
do (several may be combined):
  status, headers, body | json | html | empty     answer this instead of asking the service
  retry_after         text of the header; "date+N" means an HTTP date N seconds ahead
  aadsts              answer this error of the token endpoint
  process             with a canned answer: let the service do its work first (an answer is lost)
  delay_s             wait before answering
  cut                 "request": reset without an answer; "answer": the same, after processing;
                      a number: reset after so many bytes of the body
  truncate            bytes of the body kept, the rest is silently missing (lengths are right)
  slow_bps, chunked, close                         how the answer goes out
  prefix, bom, garbage, gzip ("off" | "corrupt" | "cut")   what the body looks like
  next_link, empty_page, repeat, giant, raise_version, revoke   see graph.py
"""
import json
import random
import re
import urllib.parse

from . import aadsts
from .clock import http_date
from .records import dice, share
from .server import Response

MATCH = {"service", "kind", "method", "path", "record", "sample", "after_s", "until_s", "nth",
         "every", "count", "per"}
DO = {"status", "headers", "body", "json", "html", "empty", "retry_after", "aadsts", "process",
      "delay_s", "cut", "truncate", "slow_bps", "chunked", "close", "prefix", "bom", "garbage",
      "gzip", "next_link", "empty_page", "repeat", "giant", "raise_version", "revoke"}
CANNED = ("status", "aadsts", "html", "empty", "body", "json", "garbage")
HTML = ("<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body><h1>Welcome "
        "to the guest network</h1><p>Please accept the terms of use.</p></body></html>")


class Fault:
    """One fault with its counters."""

    def __init__(self, number, spec):
        match, do = spec.get("match", {}), spec["do"]
        unknown = (set(spec) - {"match", "do"}) | (set(match) - MATCH) | (set(do) - DO)
        if unknown:
            raise ValueError("unknown in fault: %s" % ", ".join(sorted(unknown)))
        self.number, self.match, self.do = number, match, do
        self.path = re.compile(match["path"]) if "path" in match else None
        self.seen, self.fired, self.total = {}, {}, 0

    def takes(self, service, request, elapsed):
        """Count the request if it matches, and say whether the fault strikes it."""
        m = self.match
        if m.get("service", service) != service:
            return False
        if m.get("method", request.method) != request.method:
            return False
        kinds = m.get("kind", request.kind)
        if request.kind not in (kinds if isinstance(kinds, list) else [kinds]):
            return False
        if m.get("record", request.record_id) != request.record_id:
            return False
        if "sample" in m and share(dice(self.number, request.record_id)[0]) >= m["sample"]:
            return False
        if not m.get("after_s", 0) <= elapsed < m.get("until_s", float("inf")):
            return False
        if self.path and not self.path.search(urllib.parse.unquote(request.target)):
            return False
        return self._strikes(request)

    def _strikes(self, request):
        m = self.match
        key = {"id": request.record_id, "path": request.target}.get(m.get("per"), "")
        seen = self.seen[key] = self.seen.get(key, 0) + 1
        if "nth" in m:
            wanted = m["nth"] if isinstance(m["nth"], list) else [m["nth"]]
            if seen not in wanted:
                return False
        if "every" in m and seen % m["every"]:
            return False
        if self.fired.get(key, 0) >= m.get("count", float("inf")):
            return False
        self.fired[key] = self.fired.get(key, 0) + 1
        self.total += 1
        return True


class Faults:
    """The faults in force, in the order in which they were given."""

    def __init__(self, specs, clock):
        self.clock, self.next_number, self.active = clock, 1, []
        for spec in specs:
            self.add(spec)

    def add(self, spec):
        fault = Fault(self.next_number, spec)
        self.active.append(fault)
        self.next_number += 1
        return fault.number

    def clear(self, number=None):
        self.active = [f for f in self.active if number is not None and f.number != number]

    def pick(self, service, request):
        """What is to be done to this request: {} for nothing."""
        elapsed = self.clock.elapsed()
        for fault in self.active:
            if fault.takes(service, request, elapsed):
                return fault.do
        return {}

    def report(self):
        return [{"id": f.number, "fired": f.total, "match": f.match, "do": f.do}
                for f in self.active]


def canned(do, request, now):
    """The answer that a fault puts in place of the service's; None: the service is to answer."""
    if do.get("cut") == "request":
        response = Response(500)
    elif "aadsts" in do:
        response = aadsts.answer(do["aadsts"], now, why="(as the scenario wants it)")
    elif not any(name in do for name in CANNED):
        return None
    else:
        response = _instead(do, request, now)
    for name, value in do.get("headers", {}).items():
        response.headers[name] = str(value)
    if "retry_after" in do:
        response.headers["Retry-After"] = _retry_after(str(do["retry_after"]), now)
    return response


def _instead(do, request, now):
    status = do.get("status", 200)
    base = {"Date": http_date(now), "request-id": request.header("client-request-id", "none")}
    if "html" in do:
        text = HTML if do["html"] is True else do["html"]
        return Response(status, text.encode(), base, "text/html; charset=utf-8")
    if do.get("garbage"):
        noise = random.Random(len(request.target)).randbytes(4096)
        return Response(status, noise, base, "application/json")
    if "json" in do:
        return Response(status, json.dumps(do["json"]).encode(), base, "application/json")
    if "body" in do:
        return Response(status, do["body"].encode(), base, "application/json")
    if do.get("empty") or status < 400:
        return Response(status, b"", base)
    body = {"error": {"code": "", "message": "", "innerError": {"code": str(status)}}}
    return Response(status, json.dumps(body).encode(), base, "application/json")


def _retry_after(text, now):
    return http_date(now + float(text[5:])) if text.startswith("date+") else text


def spoil_body(do, response):
    """Faults of the text, before it is compressed."""
    if do.get("bom"):
        response.body = b"\xef\xbb\xbf" + response.body
    if "prefix" in do:
        response.body = do["prefix"].encode() + response.body
    if "truncate" in do:
        response.body = response.body[:do["truncate"]]


def spoil_wire(do, response):
    """Faults of the transport, after compression."""
    if do.get("gzip") == "corrupt" and len(response.body) > 32:
        middle = len(response.body) // 2
        response.body = response.body[:middle] + b"\xff\x00\xff\x00" + response.body[middle + 4:]
    elif do.get("gzip") == "cut":
        response.body = response.body[:len(response.body) // 2]
    cut = do.get("cut")
    response.cut_after = -1 if cut in ("request", "answer") else cut
    response.slow_bps = do.get("slow_bps")
    response.chunked = bool(do.get("chunked"))
    response.close = bool(do.get("close"))
