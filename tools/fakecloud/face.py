# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a box: its LED with the code that it flashes, and its watchdog."""
import os
import re

from .report import DIM, OFF, paint

COLOURS = {"green": "\033[32m", "amber": "\033[33m", "red": "\033[31m", "blue": "\033[34m"}
CODE = re.compile(r"\bev=(?:led code=(\d+)|restart )")
PAGE = re.compile(r"\bev=status_port\b.*?\burl=(\S+) fingerprint=(\S+)")
NORMAL = 10
WORDS = {
    0: "dead, or no power", 1: "about to reset, or holding still", 2: "applies something new",
    3: "something new was undone", 4: "waiting for setup", 5: "no network",
    6: "no time, or a bad certificate", 7: "the cloud refuses the box",
    8: "keeps data, the sink is away", 9: "store nearly full", 10: "normal",
}


class Face:
    """LED and watchdog of one board (hardware.Board), as text."""

    def __init__(self, board):
        self.board = board
        self.code, self._page, self.fingerprint, self._read = None, None, None, 0

    def led(self):
        """(lit, colour, code or None, words)."""
        lit, colour = self.board.led()
        if self.board.life() is None:
            self.code = None
            return lit, colour, None, "nobody drives it"
        self._follow()
        return lit, colour, self.code, WORDS.get(self.code, "starts")

    def _follow(self):
        """The code is the log's last word on it: changes are logged, the LED only flashes."""
        path = self.board.box.log_file
        if not os.path.exists(path):
            return
        with open(path, "rb") as log:
            log.seek(self._read)
            text = log.read()
        end = text.rfind(b"\n") + 1     # a line that is not whole yet is read next time
        self._read += end
        for found in CODE.finditer(text[:end].decode("utf-8", "replace")):
            self.code = int(found[1] or NORMAL)     # every life begins with that one
        for found in PAGE.finditer(text[:end].decode("utf-8", "replace")):
            self._page, self.fingerprint = found.groups()

    def page(self):
        """Address of the box's status page, None until it says one."""
        self._follow()
        return self._page

    def watchdog(self):
        fed = self.board.fed_ago_ms()
        return "not armed" if fed is None else "fed %.0f s ago, bites after %.0f s" % (
            fed[0] / 1000, fed[1] / 1000)

    def panel(self):
        """The lines of a panel on a terminal."""
        lit, colour, code, words = self.led()
        dot = COLOURS.get(colour, DIM) + "●" + OFF if lit else paint("○", DIM, True)
        return ["  LED     %s %s%s" % (dot, "" if code is None else "code %d: " % code, words),
                "  watchdog  %s" % self.watchdog()] + (
                    ["  page    %s" % self._page] if self._page else [])

    def line(self):
        """In a plain line: no colours, and no flashing."""
        _, _, code, words = self.led()
        return "LED %s (%s), watchdog %s" % ("-" if code is None else code, words, self.watchdog())
