# SPDX-License-Identifier: Apache-2.0
"""Strict reading of one line that the firmware sent, and the comparable form of its data.

Two JSON values are the same data when their canonical forms are: member order, white space and the
spelling of strings do not matter, the text of a number that is not an integer does.
"""
import hashlib
import json

from .clock import parse_stamp

KEYS = ("type", "tenant", "id", "version", "part", "seq", "event_time", "collected_time", "clock",
        "source", "data")
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


class BadLine(Exception):
    """A line that is not an event as agreed."""


def _number(text):
    return "\0" + text


def _refuse(text):
    raise ValueError("not JSON: %s" % text)


def read(text):
    """Parse JSON keeping the text of non-integers; a later duplicate member wins."""
    return json.loads(text, parse_float=_number, parse_constant=_refuse)


def digest(value):
    """Sixteen bytes that stand for the canonical form of what read() returned."""
    return hashlib.blake2b(_encode(value).encode(), digest_size=16).digest()


def _read_line(text):
    """Like read(), and refuses a member that stands twice in the outermost object."""
    outer = []

    def pairs(items):
        outer[:] = items
        return dict(items)

    value = json.loads(text, parse_float=_number, parse_constant=_refuse, object_pairs_hook=pairs)
    if isinstance(value, dict) and len(value) != len(outer):
        raise BadLine("a member of the envelope twice")
    return value


def event(line):
    """The event of one line (bytes, without its newline)."""
    try:
        value = _read_line(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadLine("not strict JSON in UTF-8: %s" % error) from error
    if not isinstance(value, dict):
        raise BadLine("not an object")
    if set(value) != set(KEYS):
        wrong = sorted(set(value) ^ set(KEYS))
        raise BadLine("keys missing or unknown: %s" % ", ".join(wrong))
    _check_types(value)
    return value


def _check_types(value):
    for name in ("type", "tenant", "id", "clock", "source"):
        if not isinstance(value[name], str):
            raise BadLine("%s is not a string" % name)
    if not value["type"]:
        raise BadLine("type is empty")
    for name in ("version", "part", "seq"):
        if type(value[name]) is not int or value[name] < 0:
            raise BadLine("%s is not a whole number" % name)
    for name in ("event_time", "collected_time"):
        try:
            parse_stamp(value[name])
        except (TypeError, ValueError) as error:
            raise BadLine("%s: %s" % (name, error)) from error
    if not isinstance(value["data"], dict):
        raise BadLine("data is not an object")
