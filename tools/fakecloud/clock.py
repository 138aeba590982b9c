# SPDX-License-Identifier: Apache-2.0
"""Time as the cloud sees it: real wall clock, seconds since the start, and Graph's timestamps.

A "tick" is 100 ns since 1970, the resolution that Graph prints (0 to 7 decimals).
"""
import calendar
import email.utils
import re
import time

TICKS = 10_000_000
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?Z")


class Clock:
    """Wall clock with a fixed beginning; `offset_s` makes one service's clock wrong on purpose."""

    def __init__(self):
        self.t0 = time.time()
        self._m0 = time.monotonic()

    def now(self):
        return self.t0 + self.elapsed()

    def elapsed(self):
        return time.monotonic() - self._m0


def ticks(unix_s):
    return int(unix_s * TICKS)


def stamp(tick, digits=7):
    """Print a tick as Graph does: trailing zeros of the fraction dropped, at most `digits`."""
    seconds, fraction = divmod(tick, TICKS)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    part = ("%07d" % fraction)[:digits].rstrip("0")
    return text + ("." + part if part else "") + "Z"


def parse_stamp(text):
    """Tick of an ISO 8601 UTC timestamp with 0 to 7 decimals; ValueError for anything else."""
    match = _STAMP.fullmatch(text)
    if not match:
        raise ValueError("not a UTC timestamp: %r" % text)
    year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= calendar.monthrange(max(year, 1), month)[1]
            and hour < 24 and minute < 60 and second < 60):
        raise ValueError("no such time: %r" % text)
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    return seconds * TICKS + int((match.group(7) or "0").ljust(7, "0"))


def http_date(unix_s):
    return email.utils.formatdate(unix_s, usegmt=True)
