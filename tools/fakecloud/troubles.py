# SPDX-License-Identifier: Apache-2.0
"""What the demo does to a running anteroomd, and how long until it collects again.

The end of a trouble is the first request of the next life that Graph answers: seen by the cloud on
a connection that did not exist before, and on the cloud's own clock.
"""
import time

COLLECTING = ("list", "record", "participants", "sessions")   # and not a question for the time

class Trouble:
    """One attack on the process. `share`: part of all calls that is whole when it comes."""

    def __init__(self, share, name, then, act):
        self.share, self.name, self.then, self.act = share, name, then, act
        self.at_s = self.connections = self.lives = None

    def due(self, stats):
        return stats["complete"] >= self.share * stats["records"] and stats["sink_up"]


class Troubles:
    """Two of them, one after the other: kill -9, then kill -STOP."""

    def __init__(self, cloud, board, view):
        self.cloud, self.board, self.view = cloud, board, view
        self.todo = [
            Trouble(0.2, "kill -9", "init starts it again after its pause", board.kill),
            Trouble(0.5, "kill -STOP", "the watchdog will bite; its clock runs %g times as fast "
                    "here" % board.watchdog_rate, board.hang)]
        self.now, self.told = None, []
        self.offset_s = cloud.stats()["elapsed_s"] - time.monotonic()  # the cloud's clock from ours

    def over(self):
        return not self.todo and self.now is None

    def step(self, stats):
        if self.now is not None:
            self._look()
        elif self.todo and self.todo[0].due(stats) and self.board.life():
            self._begin(self.todo.pop(0))

    def _begin(self, trouble):
        trouble.lives = len(self.board.lives)
        trouble.connections = self.cloud.stats()["connections"]["graph"]
        trouble.at_s = time.monotonic() + self.offset_s
        trouble.act()
        self.now = trouble
        self.view.note(trouble.at_s, "%s of anteroomd: %s" % (trouble.name, trouble.then))

    def _look(self):
        trouble = self.now
        if len(self.board.lives) == trouble.lives:
            return
        new = [row["at"] for row in self.cloud.log() if row["service"] == "graph"
               and row["kind"] in COLLECTING and row["conn"] > trouble.connections
               and row["at"] > trouble.at_s]
        if new:
            self.now = None
            self.told.append(self._tell(trouble, self.board.lives[trouble.lives - 1], new[0]))
            self.view.note(new[0], "it collects again: " + self.told[-1][len("demo: "):])

    def _tell(self, trouble, life, back_s):
        ended_s = life.ended + self.offset_s
        if life.by == "watchdog":
            return "demo: %s: the watchdog reset the box after %.1f s, recovered %.2f s later" % (
                trouble.name, ended_s - trouble.at_s, back_s - ended_s)
        return "demo: %s: recovered in %.2f s, init's pause of %g s included" % (
            trouble.name, back_s - trouble.at_s, self.board.pause_s)
