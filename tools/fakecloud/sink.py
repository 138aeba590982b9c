# SPDX-License-Identifier: Apache-2.0
"""The upstream: takes batches of events, checks everything about them, and fails when told to.

Behaviour (settings, changed at run time through the control port):
  authorization   value that the Authorization header must have, null for none
  answer          "json" {"accepted":n,"rejected":[]} | "empty" | "garbage" (still 200)
  max_bytes       413 for larger bodies (as sent);  max_events   413 for more lines
  poison          {"ids": [...], "share": x, "status": 400|422}: such batches are refused
  reject          {"ids": [...], "share": x}: such events are refused one by one, in the answer
  unwanted        texts that must not stand in any event
  repeat_status   status for a batch whose key was seen before, null: the usual answer
"""
import base64
import hashlib
import json
import re
import zlib
from collections import OrderedDict

from . import envelope
from .clock import http_date
from .records import dice, share
from .server import Response

ERRORS_MAX = 200
KEYS_KEPT_MAX = 200000
TEXT_BYTES_MAX = 256 << 20
_KEY = re.compile(r"(.{1,200})-(\d+)-(\d+)")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


def gunzip(body):
    """The text of exactly one well-formed gzip stream; ValueError for anything else."""
    unpacker = zlib.decompressobj(31)
    try:
        text = unpacker.decompress(body, TEXT_BYTES_MAX)
    except zlib.error as error:
        raise ValueError("gzip: %s" % error) from error
    if not unpacker.eof or unpacker.unused_data or unpacker.unconsumed_tail:
        raise ValueError("gzip: not exactly one complete stream")
    return text


class Sink:
    """State of the upstream."""

    def __init__(self, settings, cloud):
        self.s, self.cloud = settings, cloud
        self.keys = OrderedDict()
        self.next_seq = {}
        self.errors = []
        self.error_count = 0
        self.counts = dict.fromkeys(("batches", "repeated_batches", "events", "bytes_in",
                                     "bytes_text", "refused", "rejected_events", "gaps",
                                     "rewinds"), 0)
        self.last_device = ""

    def error(self, text):
        self.error_count += 1
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(text)

    # -- one batch

    def handle(self, request):
        now = self.cloud.clock.now()
        if request.method != "POST":
            self.error("%s instead of POST" % request.method)
            return Response(405, b"", {"Date": http_date(now)})
        if self.s["authorization"] is not None \
                and request.header("authorization") != self.s["authorization"]:
            self.counts["refused"] += 1
            return Response(401, b"", {"Date": http_date(now), "WWW-Authenticate": "Bearer"})
        if self._too_large(request):
            self.counts["refused"] += 1
            return Response(413, b"", {"Date": http_date(now)})
        response = self._take(request)
        response.headers["Date"] = http_date(now)
        return response

    def _too_large(self, request):
        if self.s["max_bytes"] is not None and len(request.body) > self.s["max_bytes"]:
            return True
        count = request.header("x-batch-count")
        return self.s["max_events"] is not None and count.isdigit() \
            and int(count) > self.s["max_events"]

    def _take(self, request):
        problems = []
        lines = self._lines(request, problems)
        events = []
        for line in lines:
            try:
                events.append(envelope.event(line))
            except envelope.BadLine as bad:
                problems.append("%s: %r" % (bad, line[:160]))
        self._check_order(request, events, problems)
        for problem in problems[:20]:
            self.error(problem)
        if problems:
            self.error_count += max(len(problems) - 20, 0)
        if self._poisoned(events):
            self.counts["refused"] += 1
            return self._refuse(events)
        return self._accept(request, events)

    def _lines(self, request, problems):
        """Check the headers against the body; the lines of its text."""
        if request.header("content-type") != "application/x-ndjson":
            problems.append("Content-Type %r" % request.header("content-type"))
        if request.header("x-expect-seen"):
            problems.append("Expect: 100-continue was sent")
        match = _DIGEST.fullmatch(request.header("content-digest"))
        wanted = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        if not match or match.group(1) != wanted:
            problems.append("Content-Digest %r does not fit the content"
                            % request.header("content-digest"))
        text = request.body
        coding = request.header("content-encoding", "identity").lower()
        if coding == "gzip":
            try:
                text = gunzip(request.body)
            except ValueError as error:
                problems.append(str(error))
                return []
        elif coding != "identity" or self.s["gzip_required"]:
            problems.append("Content-Encoding %r" % coding)
        self.counts["bytes_in"] += len(request.body)
        self.counts["bytes_text"] += len(text)
        for unwanted in self.s["unwanted"]:
            if unwanted.encode() in text:
                problems.append("unwanted in an event: %r" % unwanted)
        if not text.endswith(b"\n"):
            problems.append("the last line has no end")
        return text[:-1].split(b"\n")

    def _check_order(self, request, events, problems):
        seqs = [e["seq"] for e in events]
        if any(b != a + 1 for a, b in zip(seqs, seqs[1:])):
            problems.append("seq does not rise one by one: %s ..." % seqs[:10])
        if request.header("x-batch-count") != str(len(events)):
            problems.append("X-Batch-Count %r, %d events"
                            % (request.header("x-batch-count"), len(events)))
        if not request.header("x-batch-seq").isdigit():
            problems.append("X-Batch-Seq %r" % request.header("x-batch-seq"))
        match = _KEY.fullmatch(request.header("idempotency-key"))
        named = [int(match.group(2)), int(match.group(3))] if match else []
        if not seqs or named != [seqs[0], seqs[-1]]:
            problems.append("Idempotency-Key %r, seq %s to %s" % (
                request.header("idempotency-key"), seqs[:1], seqs[-1:]))

    # -- verdicts

    def _hit(self, rule, event):
        if not rule:
            return False
        return event["id"] in rule.get("ids", ()) \
            or share(dice("sink", event["id"])[0]) < rule.get("share", 0)

    def _poisoned(self, events):
        return any(self._hit(self.s["poison"], e) for e in events)

    def _refuse(self, events):
        if len(events) == 1:
            self.cloud.oracle.event(events[0], dead=True)
        status = self.s["poison"].get("status", 400)
        return Response(status, b'{"error":"a record in this batch cannot be taken"}', {},
                        "application/json")

    def _accept(self, request, events):
        key = request.header("idempotency-key")
        content = b"".join(envelope.digest([e[k] for k in envelope.KEYS]) for e in events)
        content = hashlib.blake2b(content, digest_size=16).digest()
        if key in self.keys:
            return self._repeated(key, content, events)
        self.keys[key] = content
        if len(self.keys) > KEYS_KEPT_MAX:
            self.keys.popitem(last=False)
        self._follow(key, events)
        self.counts["batches"] += 1
        return self._keep(events)

    def _repeated(self, key, content, events):
        self.counts["repeated_batches"] += 1
        if self.keys[key] != content:
            self.error("Idempotency-Key %r came again with other content" % key)
            return self._keep(events)
        if self.s["repeat_status"]:
            return Response(self.s["repeat_status"])
        return self._answer(len(events), [e for e in events if self._hit(self.s["reject"], e)])

    def _follow(self, key, events):
        """Does the batch begin where the last one of this device ended?"""
        device = key.rsplit("-", 2)[0]
        first, after = events[0]["seq"] if events else 0, events[-1]["seq"] + 1 if events else 0
        wanted = self.next_seq.get(device, first)
        self.counts["gaps"] += first > wanted
        self.counts["rewinds"] += first < wanted
        self.next_seq[device] = max(after, wanted)
        self.last_device = device

    def _keep(self, events):
        rejected = [e for e in events if self._hit(self.s["reject"], e)]
        refused = {e["seq"] for e in rejected}
        for event in events:
            self.cloud.oracle.event(event, dead=event["seq"] in refused)
        self.counts["events"] += len(events)
        self.counts["rejected_events"] += len(rejected)
        return self._answer(len(events), rejected)

    def _answer(self, count, rejected):
        if self.s["answer"] == "garbage":
            return Response(200, b'<html>ok{{{"accepted":\xff\xfe', {}, "application/json")
        if self.s["answer"] == "empty" and not rejected:
            return Response(204)
        body = {"accepted": count - len(rejected),
                "rejected": [{"seq": e["seq"], "error": "unwanted"} for e in rejected]}
        return Response(200, json.dumps(body).encode(), {}, "application/json")

    def report(self):
        return {**self.counts, "errors": self.error_count, "error_texts": self.errors,
                "devices": len(self.next_seq)}
