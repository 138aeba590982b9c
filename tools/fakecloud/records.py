# SPDX-License-Identifier: Apache-2.0
"""Which calls exist, when each becomes visible and when its versions rise.

Everything follows from (seed, index) by hashing, so a hundred thousand records cost one start time
and one index each; a record's id holds its index, enciphered, and needs no table either.
"""
import array
import bisect
import functools
import hashlib
import struct

from .clock import TICKS, parse_stamp, ticks

DAY_S = 86400
RETENTION_S = 30 * DAY_S
LATENESS_S = 150 * 60


def dice(*parts):
    """Twelve 32-bit numbers that depend on the parts and nothing else."""
    text = "/".join(str(p) for p in parts).encode()
    return struct.unpack("<12I", hashlib.blake2b(text, digest_size=48).digest())


def share(number):
    return number / 4294967296.0


def uuid_of(*parts):
    text = hashlib.blake2b("/".join(str(p) for p in parts).encode(), digest_size=16).hexdigest()
    return "%s-%s-4%s-%s%s-%s" % (text[:8], text[8:12], text[13:16], "89ab"[int(text[16], 16) & 3],
                                  text[17:20], text[20:])


class Plan:
    """What is fixed about one record from the beginning; the content is made in calls.py."""

    __slots__ = ("index", "id", "start", "end", "kind", "sessions", "participants", "base", "step",
                 "times", "ready_s", "style", "digits", "weird", "rise_after_page", "sample")

    def number(self, level):
        """Version number of the level-th state of the record."""
        return self.base + level * self.step

    def level(self, version):
        """The state that carries a version number, None when none ever could."""
        steps, rest = divmod(version - self.base, self.step)
        return steps if rest == 0 and steps >= 0 else None


def with_extra(count, level):
    """Items of a record at a level: from level 1 on, late ones stand between the first ones."""
    period = 16 if count >= 100 else 4
    return count if level == 0 else count + (count - 1) // period


def ordinal(count, level, position):
    """Stable number of the item at a position: an item keeps it while others are put before it."""
    period = 16 if count >= 100 else 4
    return position + position // period if level == 0 else position


class Records:
    """All records of a scenario. `moment` is seconds since the start of the cloud throughout."""

    def __init__(self, settings, seed, clock, samples=()):
        self.s, self.seed, self.clock = settings, seed, clock
        self.raised = {}
        self.special = []
        self.by_id = {}
        self.count = settings["count"]
        self.plan = functools.lru_cache(maxsize=1 << 17)(self._plan)
        self._mask = dice(seed, "mask")[0]
        for number, meeting in enumerate(settings["meetings"]):
            self._add_special(self._meeting(number, meeting))
        for number, sample in enumerate(samples):
            self._add_special(self._sample(number, sample))
        self._index()

    # -- identity

    def _id(self, index):
        head = uuid_of(self.seed, "record", index)[:28]
        key = dice(self.seed, "cipher", head)[0]
        return "%s%08x" % (head, index ^ key ^ self._mask)

    def find(self, record_id):
        """Index of a record id, None when it names nothing of ours."""
        if record_id in self.by_id:
            return self.by_id[record_id]
        if len(record_id) != 36:
            return None
        try:
            key = dice(self.seed, "cipher", record_id[:28])[0]
            index = int(record_id[28:], 16) ^ key ^ self._mask
        except ValueError:
            return None
        known = 0 <= index < self.count and self.plan(index).id == record_id
        return index if known else None

    # -- plans

    def _plan(self, index):
        if index >= self.count:
            return self.special[index - self.count]
        s, d, t0 = self.s, dice(self.seed, index), self.clock.t0
        plan = Plan()
        plan.index, plan.id, plan.sample, plan.rise_after_page = index, self._id(index), None, None
        plan.kind = "peerToPeer" if share(d[1]) < s["p2p"] else "groupCall"
        plan.participants, plan.sessions = 2, 1
        if plan.kind == "groupCall":
            plan.participants = 3 + d[2] % max(s["group_max"] - 2, 1)
            plan.sessions = plan.participants + d[2] // 65536 % 2
        length_s = 20 + share(d[3]) ** 2 * 7000
        begin_s = t0 - s["days"] * DAY_S + 7200 + share(d[0]) * (s["days"] * DAY_S - 4 * 3600)
        if share(d[5]) < s["long"]:
            length_s = (25 + 40 * share(d[3])) * 3600
            begin_s = max(min(begin_s, t0 - 3 * 3600 - length_s), t0 - s["days"] * DAY_S + 7200)
        first_s = 0.0
        if share(d[6]) < s["late"]["share"]:
            first_s = between(s["late"]["after_s"], d[7])
            begin_s = t0 - 60 - share(d[0]) * (LATENESS_S - 60 - first_s - 10) - length_s
        plan.digits = (7, 7, 7, 3, 6, 0)[d[8] % 6]
        grain = 10 ** (7 - plan.digits)
        plan.start = ticks(begin_s) // grain * grain
        plan.end = ticks(begin_s + length_s) // grain * grain
        plan.base, plan.step = 1 + d[9] % 3, 1 + d[9] // 8 % 2
        plan.times = self._rises(first_s, d[10], d[11])
        plan.ready_s = first_s
        if share(d[4]) < s["not_ready"]["share"]:
            plan.ready_s = first_s + between(s["not_ready"]["for_s"], d[4] * 7 & 0xffffffff)
        plan.style = d[8] // 64 % 8
        plan.weird = share(d[8] * 31 & 0xffffffff) < s["weird"]
        return plan

    def _rises(self, first_s, chance, when):
        rising = self.s["rising"]
        times = [first_s]
        if share(chance) < rising["share"]:
            gap = between(rising["after_s"], when)
            times += [first_s + gap * (n + 1) for n in range(rising["steps"])]
        return tuple(times)

    def _meeting(self, number, meeting):
        plan = Plan()
        plan.index = self.count + len(self.special)
        plan.id, plan.sample = uuid_of(self.seed, "meeting", number), None
        plan.kind, plan.style, plan.digits, plan.weird = "groupCall", 0, 7, False
        plan.start = ticks(self.clock.t0 - meeting.get("days_ago", 2.5) * DAY_S)
        plan.end = plan.start + 5400 * TICKS
        plan.sessions = meeting.get("sessions", 1000)
        plan.participants = meeting.get("participants", plan.sessions)
        plan.base, plan.step, plan.ready_s = 1, 1, 0.0
        plan.times = tuple([0.0] + list(meeting.get("rises_s", [])))
        plan.rise_after_page = meeting.get("rise_after_page")
        return plan

    def _sample(self, number, sample):
        plan = Plan()
        plan.index = self.count + len(self.special)
        plan.id, plan.sample = sample["id"], sample
        plan.kind, plan.style, plan.digits, plan.weird = sample["type"], number % 8, 7, False
        plan.start = parse_stamp(sample["startDateTime"])
        plan.end = parse_stamp(sample["endDateTime"])
        plan.sessions = len(sample.get("sessions", ()))
        plan.participants = len(sample.get("participants_v2", ()))
        plan.base, plan.step, plan.ready_s = sample["version"], 1, 0.0
        plan.times, plan.rise_after_page = (0.0,), None
        return plan

    def _add_special(self, plan):
        self.special.append(plan)
        self.by_id[plan.id] = plan.index

    def _index(self):
        plans = sorted((self._plan(i).start, i) for i in range(self.total()))
        self._starts = array.array("q", (p[0] for p in plans))
        self._order = array.array("L", (p[1] for p in plans))

    def total(self):
        return self.count + len(self.special)

    # -- time

    def raise_version(self, index, moment):
        """A new version comes into being now."""
        self.raised.setdefault(index, []).append(moment)

    def times(self, index):
        times = self.plan(index).times
        return sorted(times + tuple(self.raised[index])) if index in self.raised else times

    def level(self, index, moment):
        """Current state of a record: -1 before it appears, else the number of rises so far."""
        return bisect.bisect_right(self.times(index), moment) - 1

    def gone(self, index):
        return self.plan(index).end < ticks(self.clock.now() - RETENTION_S)

    def pending(self, moment):
        """Rises and late records that the schedule still holds."""
        return sum(len(t) - bisect.bisect_right(t, moment)
                   for t in (self.times(i) for i in range(self.total())))

    def pending_cheap(self, moment):
        """The same for a progress view: None where counting would take too long."""
        return self.pending(moment) if self.total() <= 5000 else None

    def window(self, low, high, moment):
        """Indexes of the visible records with low <= start < high, by start."""
        first = bisect.bisect_left(self._starts, low) if low is not None else 0
        last = bisect.bisect_left(self._starts, high) if high is not None else len(self._starts)
        return array.array("L", (i for i in self._order[first:last]
                                 if self.level(i, moment) >= 0 and not self.gone(i)))


def between(bounds, number):
    return bounds[0] + share(number) * (bounds[1] - bounds[0])
