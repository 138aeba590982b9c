# SPDX-License-Identifier: Apache-2.0
"""The little OData that the call records API speaks; everything else is refused, as Graph does."""
import base64
import binascii
import json
import re

from .clock import parse_stamp

RECORD_FIELDS = ("id", "version", "type", "modalities", "lastModifiedDateTime", "startDateTime",
                 "endDateTime", "joinWebUrl", "organizer", "participants", "organizer_v2")
SESSION_FIELDS = ("id", "modalities", "startDateTime", "endDateTime", "isTest", "failureInfo",
                  "caller", "callee")
_TERM = re.compile(r"startDateTime (lt|le|gt|ge) (\S+)")


class Invalid(Exception):
    """A query that Graph answers with 400."""


def options(request, allowed):
    """Query options as a dict; unknown or repeated ones are refused."""
    out = {}
    for name, value in request.query:
        if name not in allowed:
            raise Invalid("Query option '%s' is not allowed." % name)
        if name in out:
            raise Invalid("Query option '%s' was specified more than once." % name)
        out[name] = value
    return out


def window(text):
    """Half-open tick bounds (low, high) of a $filter, None where it is open."""
    low = high = None
    for term in text.split(" and ") if text else ():
        match = _TERM.fullmatch(term.strip())
        if not match:
            raise Invalid("Invalid filter clause: '%s'." % term)
        try:
            tick = parse_stamp(match.group(2))
        except ValueError as error:
            raise Invalid(str(error)) from error
        if match.group(1) in ("ge", "gt"):
            tick += match.group(1) == "gt"
            low = tick if low is None else max(low, tick)
        else:
            tick += match.group(1) == "le"
            high = tick if high is None else min(high, tick)
    return low, high


def select(text, known):
    """List of selected properties, None for all."""
    if text is None:
        return None
    names = [n.strip() for n in text.split(",")]
    for name in names:
        if name not in known:
            raise Invalid("Could not find a property named '%s'." % name)
    return names


def expand(text):
    """What a record's $expand asks for: {"participants_v2": ..., "sessions": segments or not}."""
    out = {}
    for part in _split(text or ""):
        if part == "participants_v2":
            out["participants_v2"] = True
        elif part == "sessions":
            out["sessions"] = False
        elif re.fullmatch(r"sessions\(\s*\$expand=segments\s*\)", part):
            out["sessions"] = True
        else:
            raise Invalid("Parsing OData Select and Expand failed: '%s'." % part)
    return out


def _split(text):
    """Split at commas that stand outside parentheses."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return parts + [text[start:].strip()] if text else []


def page_size(request, largest):
    """Prefer: odata.maxpagesize=n, at most `largest`."""
    for part in request.header("prefer").split(","):
        name, _, value = part.strip().partition("=")
        if name.strip().lower() == "odata.maxpagesize":
            if not value.strip().isdigit() or int(value) < 1:
                raise Invalid("Invalid odata.maxpagesize.")
            return min(int(value), largest)
    return largest


def make_token(**state):
    text = json.dumps(state, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_token(text, *names):
    """The numbers inside a $skiptoken of ours."""
    try:
        state = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        values = [state[n] for n in names]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise Invalid("Badly formed token.") from error
    if not all(isinstance(v, int) and v >= 0 for v in values):
        raise Invalid("Badly formed token.")
    return values
