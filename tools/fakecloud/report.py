# SPDX-License-Identifier: Apache-2.0
"""The oracle's report as a table for people."""
import sys

GOOD, BAD, DIM, BOLD, OFF = "\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"


def paint(text, colour, on):
    return colour + text + OFF if on else text


def size(count):
    """A number of bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 10000 or unit == "GB":
            return "%d %s" % (count, unit) if unit == "B" else "%.1f %s" % (count, unit)
        count /= 1024


def _row(name, value, note, bad, colour):
    text = "  %-22s %10s" % (name, "{:,}".format(value))
    if bad is None:
        return text + "  " + paint(note, DIM, colour)
    mark = paint("ok", GOOD, colour) if not bad else paint("NOT AS IT SHOULD BE", BAD, colour)
    return text + "  " + mark + ("  " + paint(note, DIM, colour) if note else "")


def render(report, colour=None):
    """The whole table as text."""
    colour = sys.stdout.isatty() if colour is None else colour
    records, sink = report["records"], report["sink"]
    rows = [paint("calls", BOLD, colour),
            _row("existed", records["records"], "each at its last version", None, colour),
            _row("delivered whole", records["delivered"], "every part, bit for bit",
                 records["delivered"] + records["dead"] != records["records"], colour)]
    for word in ("missing", "incomplete", "wrong"):
        rows.append(_row(word, records[word], "", records[word] > 0, colour))
    for word, note in (("dead", "refused by the sink for good"),
                       ("quarantined", "given up by the box")):
        if records[word]:
            rows.append(_row(word, records[word], note, None, colour))
    rows += [_row("versions completed", records["versions_complete"], "older too", None, colour),
             _row("parts sent again", records["duplicated"], "after restarts", None, colour),
             paint("sink", BOLD, colour),
             _row("events", sink["events"], "in %d batches, %s gzip of %s" % (
                 sink["batches"], size(sink["bytes_in"]), size(sink["bytes_text"])), None, colour),
             _row("batches repeated", sink["repeated_batches"], "same key, content", None, colour),
             _row("malformed", sink["errors"], "; ".join(sink["error_texts"][:2]),
                  sink["errors"] > 0, colour),
             paint("requests", BOLD, colour)]
    for name, row in sorted(report["requests"].items()):
        answers = ", ".join("%s: %d" % (k, v) for k, v in sorted(row.items()) if k != "bytes")
        total = sum(v for k, v in row.items() if k != "bytes")
        rows.append(_row(name, total, answers, None, colour))
    rows.append(_row("throttled (429)", report["throttled"],
                     "%d came too early all the same" % report["early"], None, colour))
    for word, examples in records["examples"].items():
        for example in examples[:5]:
            rows.append("  %s %s: %s" % (paint(word, BAD, colour), example["id"], example["why"]))
    return "\n".join(rows)
