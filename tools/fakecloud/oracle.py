# SPDX-License-Identifier: Apache-2.0
"""What must arrive, what did arrive, and the difference.

The truth comes from records.py and calls.py alone. For each version of a record the oracle keeps
which parts arrived as they should (bit masks), so a thousand-person meeting costs little memory.
"""
from collections import OrderedDict

from . import envelope

TRUTHS_MAX = 512     # versions whose digests are kept at a time
LIST_MAX = 50        # examples of each kind in a report
TYPES = ("call_record", "call_session", "call_participant", "call_complete", "call_quarantined")
TOLD = ("type", "tenant", "id", "version", "part", "source", "data")
WORDS = ("delivered", "missing", "incomplete", "wrong", "dead", "quarantined")


class Truth:
    """Digests of one version of one record."""

    def __init__(self, content, index, level, depth):
        head = content.head(index, level)
        self.head = envelope.digest(_plain(envelope.read(envelope._encode(head))))
        whole = depth == "sessions"
        self.sessions = [envelope.digest(envelope.read(content.session(index, level, n)))
                         for n in range(content.sessions(index, level))] if whole else []
        self.participants = [envelope.digest(envelope.read(content.participant(index, level, n)))
                             for n in range(content.participants(index, level))] if whole else []

    def full(self):
        return 1, (1 << len(self.sessions)) - 1, (1 << len(self.participants)) - 1


def _plain(record):
    """A record as it is compared: no sessions, no participants_v2, no annotations beside them."""
    return {k: v for k, v in record.items()
            if k not in ("sessions", "participants_v2") and "@odata." not in k}


class Version:
    """What arrived of one version of one record."""

    __slots__ = ("head", "sessions", "participants", "complete", "early", "repeats", "wrong",
                 "dead", "full", "given_up")

    def __init__(self):
        self.head = self.sessions = self.participants = 0
        self.complete = self.early = False
        self.repeats = self.dead = 0
        self.wrong = []
        self.full = self.given_up = None

    def got(self):
        return self.head, self.sessions, self.participants


class Oracle:
    """Judge of the run. `moment` is seconds since the start of the cloud."""

    def __init__(self, records, content, tenant, depth="sessions"):
        self.records, self.content, self.tenant, self.depth = records, content, tenant, depth
        self.arrived = {}
        self.announced = {}
        self.truths = OrderedDict()
        self.events = 0
        self.other = {}
        self.told = []       # what the box said of itself
        self.foreign = []
        self.completed = set()

    # -- notes taken during the run

    def listed(self, page, moment):
        """These records were shown in a listing: their versions are known to the client."""
        for index in page:
            level = self.records.level(index, moment)
            if level > self.announced.get(index, -1):
                self.announced[index] = level

    def truth(self, index, level):
        key = (index, level)
        if key in self.truths:
            self.truths.move_to_end(key)
        else:
            self.truths[key] = Truth(self.content, index, level, self.depth)
            if len(self.truths) > TRUTHS_MAX:
                self.truths.popitem(last=False)
        return self.truths[key]

    def event(self, event, dead=False):
        """Take in one event that the sink accepted, or refused for good (dead)."""
        self.events += 1
        kind = event["type"]
        if kind not in TYPES:
            self.other[kind] = self.other.get(kind, 0) + 1
            if len(self.told) < LIST_MAX:
                self.told.append({name: event[name] for name in TOLD})
            return
        index = self.records.find(event["id"])
        level = None if index is None else self.records.plan(index).level(event["version"])
        if index is None or level is None or event["tenant"] != self.tenant:
            self._foreign("%s of record %s version %s tenant %s: no such thing"
                          % (kind, event["id"], event["version"], event["tenant"]))
            return
        version = self.arrived.setdefault(index, {}).setdefault(event["version"], Version())
        if dead:
            version.dead += 1
        self._judge(event, kind, version, index, level)

    def _foreign(self, text):
        if len(self.foreign) < LIST_MAX:
            self.foreign.append(text)

    def _judge(self, event, kind, version, index, level):
        truth, part, data = self.truth(index, level), event["part"], event["data"]
        version.full = truth.full()
        if kind == "call_quarantined":
            version.given_up = str(data.get("reason"))
        elif kind == "call_complete":
            self._complete(event, version, index, truth)
        elif kind == "call_record":
            same = part == 0 and envelope.digest(_plain(data)) == truth.head
            version.head = self._note(version, version.head, 0, same, "call_record part %d" % part)
        else:
            field = "sessions" if kind == "call_session" else "participants"
            wanted = getattr(truth, field)
            same = 1 <= part <= len(wanted) and envelope.digest(data) == wanted[part - 1]
            mask = self._note(version, getattr(version, field), max(part - 1, 0), same,
                              "%s part %d of %d" % (kind, part, len(wanted)))
            setattr(version, field, mask)

    @staticmethod
    def _note(version, mask, bit, same, what):
        """Mark a part as arrived; `mask` with it."""
        if not same:
            if len(version.wrong) < 5:
                version.wrong.append(what)
            return mask
        if mask >> bit & 1:
            version.repeats += 1
        return mask | 1 << bit

    def _complete(self, event, version, index, truth):
        counts = event["data"].get("sessions"), event["data"].get("participants")
        if event["part"] != 0 or counts != (len(truth.sessions), len(truth.participants)):
            version.wrong.append("call_complete says %s sessions, %s participants; there are %d, %d"
                                 % (*counts, len(truth.sessions), len(truth.participants)))
        version.repeats += version.complete
        version.early = version.got() != version.full and not version.dead
        version.complete = True
        self.completed.add(index)

    # -- the report

    def verdict(self, index, moment, announced_only=False):
        """(word, detail) for one record; the words are those of WORDS, and hidden."""
        level = self.records.level(index, moment)
        if announced_only:
            level = min(level, self.announced.get(index, -1))
        if level < 0 or self.records.gone(index):
            return "hidden", ""
        number = self.records.plan(index).number(level)
        versions = self.arrived.get(index, {})
        for known, version in versions.items():
            if version.wrong and version.complete:
                return "wrong", "version %d: %s" % (known, "; ".join(version.wrong))
            if self.records.plan(index).level(known) > self.records.level(index, moment):
                return "wrong", "version %d does not exist yet" % known
        last = versions.get(number)
        if last is None:
            newer = [v for v in versions if v > number and versions[v].complete]
            if announced_only and newer:
                return "delivered", ""
            return "missing", "version %d; arrived: %s" % (number, sorted(versions) or "nothing")
        return self._verdict_last(last, number)

    @staticmethod
    def _verdict_last(last, number):
        if last.dead:
            return "dead", "version %d: %d parts refused by the sink" % (number, last.dead)
        holes = [n for n, got, full in zip(("record", "sessions", "participants"), last.got(),
                                           last.full) if got != full]
        if last.given_up is not None and (holes or not last.complete):
            return "quarantined", "version %d: the box gave it up: %s" % (number, last.given_up)
        if holes or not last.complete:
            return "incomplete", "version %d: without %s" % (
                number, ", ".join(holes + ([] if last.complete else ["call_complete"])))
        if last.early:
            return "incomplete", "version %d: call_complete came before the parts" % number
        return "delivered", ""

    def report(self, moment, announced_only=False):
        """Counts over all records, and examples of everything that is not as it should be."""
        counts = dict.fromkeys(WORDS + ("hidden",), 0)
        examples = {}
        for index in range(self.records.total()):
            word, detail = self.verdict(index, moment, announced_only)
            counts[word] += 1
            if word in ("delivered", "hidden"):
                continue
            if len(examples.setdefault(word, [])) < LIST_MAX:
                examples[word].append({"id": self.records.plan(index).id, "why": detail})
        versions = [v for by_number in self.arrived.values() for v in by_number.values()]
        counts["records"] = self.records.total() - counts.pop("hidden")
        counts["wrong"] += len(self.foreign)
        return {**counts, "duplicated": sum(v.repeats for v in versions),
                "versions_complete": sum(v.complete for v in versions),
                "versions_abandoned": sum(not v.complete for v in versions),
                "events": self.events, "other_events": self.other, "told": self.told,
                "foreign": self.foreign,
                "pending": self.records.pending(moment), "examples": examples}
