# SPDX-License-Identifier: Apache-2.0
"""Throttling as Microsoft publishes it: sliding windows; refused requests count as well.

The time factor shortens the windows, so that a test meets a 20 s limit within a second.
"""
from collections import OrderedDict, deque

from .clock import http_date

KEYS_MAX = 4096  # windows kept for single records; the oldest are forgotten
PUBLISHED = {"app": (1500, 20.0), "list": (40, 20.0), "record": (40, 20.0)}


class Window:
    """One sliding window: at most `limit` requests within `span_s`."""

    def __init__(self, limit, span_s):
        self.limit, self.span_s = limit, span_s
        self.times = deque()

    def take(self, now):
        """0 if the request passes, else the seconds until one would."""
        while self.times and self.times[0] <= now - self.span_s:
            self.times.popleft()
        self.times.append(now)
        if self.limit == 0:
            return self.span_s
        if len(self.times) <= self.limit:
            return 0.0
        if len(self.times) > 2 * self.limit:
            self.times.popleft()
        return max(self.times[-self.limit] + self.span_s - now, 0.001)


class Limits:
    """The windows of one app in one tenant, and whether the client kept to the answers."""

    def __init__(self, settings, factor):
        self.settings = settings
        self.factor = factor
        self.windows = OrderedDict()
        self.gates = {}
        self.throttled = 0
        self.early = 0

    def _window(self, kind, key):
        name = (kind, key)
        if name not in self.windows:
            limit, span_s = self.settings.get(kind, PUBLISHED[kind])
            self.windows[name] = Window(limit, span_s / self.factor)
            if len(self.windows) > KEYS_MAX:
                self.windows.popitem(last=False)
        return self.windows[name]

    def check(self, kind, key, now):
        """Seconds to wait, 0 when the request may pass. Kinds: list, record."""
        gate = self.gates.get((kind, key))
        if gate is not None:
            if now < gate - 0.05:
                self.early += 1
            else:
                del self.gates[(kind, key)]
        wait = max(self._window("app", "").take(now), self._window(kind, key).take(now))
        if wait > 0:
            self.throttled += 1
        return wait

    def announce(self, kind, key, now, wait_s):
        """Remember a Retry-After that was given, to count the requests that did not obey it."""
        self.gates[(kind, key)] = now + wait_s
        if len(self.gates) > KEYS_MAX:
            self.gates.pop(next(iter(self.gates)))


def retry_after(form, wait_s, now):
    """Spell a wait in the form that the scenario asks for, with the wait that it then means."""
    whole = int(wait_s) + 1
    if form == "decimal":
        return "%.3f" % wait_s, wait_s
    if form == "date":
        return http_date(int(now) + whole), whole
    if form == "absent":
        return None, 0
    if form in ("seconds", None):
        return str(whole), whole
    return str(form), 0  # absurd on purpose: the text of the scenario as it stands
