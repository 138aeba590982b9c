# SPDX-License-Identifier: Apache-2.0
"""The hardware of the sandbox board, and the init that runs on it.

A sandbox box has its devices as files below STATE/sandbox (board/sandbox). This module is what
stands behind them on a real board: mains that can fail, a watchdog chip that resets a box which
does not feed it, an LED that somebody looks at, a button that somebody presses. And it is the init
of the box: it starts anteroomd, and starts it again when it ended, as README.md says. It knows the
files and the exit codes, nothing else of the firmware.

    board = Board(box).power_on()
    board.kill()                 # kill -9: init starts the next life after its pause
    board.hang()                 # kill -STOP: the watchdog bites, the box is reset
    board.power_off()            # SIGTERM and wait: the exit status
"""
import collections
import os
import re
import signal
import subprocess
import threading
import time
import uuid

INIT_PAUSE_S = 2.0                   # of an init between the end of a service and its next start
NOT_AGAIN = (0, 64, 66, 77, 78)      # ended in order, or nothing that a restart would mend
TICK_S = 0.02
FLASHES_MAX = 2000                   # of the LED that are remembered
LED = re.compile(r"on=([01]) colour=([a-z]+)")
WATCHDOG = re.compile(r"timeout_ms=(\d+) fed_ms=(\d+) armed=([01])")


def boottime_ms():
    """The clock that the firmware feeds by: time asleep counts."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000000


class Life:
    """One process of anteroomd: when it began, how it ended."""

    def __init__(self, process, boot_id):
        self.process, self.pid, self.boot_id = process, process.pid, boot_id
        self.began = time.monotonic()
        self.ended = None
        self.status = None      # exit code, or minus the signal
        self.by = None          # "watchdog" or "power" if it was the hardware, else None

    def close(self, by=None):
        self.status = self.process.wait()
        self.ended, self.by = time.monotonic(), by
        return self


class Devices:
    """The files of STATE/sandbox, as hardware reads and writes them."""

    def __init__(self, state):
        self.state, self.folder = state, os.path.join(state, "sandbox")

    def path(self, name):
        return os.path.join(self.folder, name)

    def own(self, path):
        """What hardware leaves there belongs to whom STATE belongs to."""
        if os.geteuid() == 0:
            owner = os.stat(self.state)
            os.chown(path, owner.st_uid, owner.st_gid)

    def write(self, name, data):
        if not os.path.isdir(self.folder):
            os.mkdir(self.folder, 0o700)
            self.own(self.folder)
        path = self.path(name)
        with open(path + ".new", "wb") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(data if isinstance(data, bytes) else data.encode())
        self.own(path + ".new")
        os.rename(path + ".new", path)

    def remove(self, name):
        if os.path.exists(self.path(name)):
            os.unlink(self.path(name))

    def read(self, name):
        try:
            with open(self.path(name), "rb") as data:
                return data.read().decode("ascii", "replace")
        except FileNotFoundError:
            return ""

    def led(self):
        """(lit, colour), ("off" for none)."""
        found = LED.search(self.read("led"))
        return (found[1] == "1" and found[2] != "off", found[2]) if found else (False, "off")

    def watchdog(self):
        """(timeout_ms, fed_ms) of an armed watchdog, else None."""
        found = WATCHDOG.search(self.read("watchdog"))
        return (int(found[1]), int(found[2])) if found and found[3] == "1" else None

    def freeze(self, machine, on=True):
        """Byte n not 0: machine n makes no step. The file is mapped: changed in place."""
        if not os.path.exists(self.path("freeze")):
            self.write("freeze", bytes(64))
        with open(self.path("freeze"), "r+b") as data:
            data.seek(machine)
            data.write(b"\1" if on else b"\0")

    def press(self, down=True):
        """The button, held or let go. Fails where nobody listens to it."""
        pipe = os.open(self.path("button"), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"1" if down else b"0")
        finally:
            os.close(pipe)

    def limit_watchdog(self, min_ms=20000, max_ms=2046000):
        """A chip that takes no other timeouts."""
        self.write("limits", "min_ms=%d max_ms=%d\n" % (min_ms, max_ms))

    def take_away(self, *names):
        """Devices that are not there at the next start."""
        self.write("absent", " ".join(names) + "\n")


class Board:
    """One box on its hardware. `watchdog_rate`: the chip's clock may run faster than the world's,
    so that nobody waits a minute for a bite; feeding resets it as ever. `devices` may be changed
    for a box whose state directory is seen elsewhere from here."""

    def __init__(self, box, pause_s=INIT_PAUSE_S, watchdog_rate=1.0):
        self.box, self.pause_s, self.watchdog_rate = box, pause_s, watchdog_rate
        self.devices = Devices(box.state)
        self.lives, self.bites = [], 0
        self.flashes = collections.deque(maxlen=FLASHES_MAX)    # (moment, lit, colour) of changes
        self.arguments = ()
        self.boot_id = None
        self._lock = threading.RLock()
        self._thread = None
        self._on = False
        self._start_at = None        # when init starts the next life; None: it does not
        self._fed_ms = None
        self._counter_ms = 0.0       # of the watchdog chip
        self._looked_ms = 0

    # -- what a person or the mains do

    def power_on(self, *arguments):
        with self._lock:
            assert not self._on
            self.arguments = arguments
            self._on = True
            self._boot()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def power_cut(self, back=True):
        """The mains fail, and come back at once: another boot."""
        with self._lock:
            self._end("power", signal.SIGKILL)
            self._disarm()
            if back:
                self._boot()

    def power_off(self, timeout_s=30):
        """An orderly end: SIGTERM, and no next life. The exit status; None: it was not running."""
        with self._lock:
            life, self._start_at = self.life(), None
            self._on = False
        self._join()
        if life is None:
            return None
        life.process.send_signal(signal.SIGTERM)
        try:
            life.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            life.process.kill()
        return life.close().status

    def cut_for_good(self):
        """No power any more; for the end of tests."""
        with self._lock:
            self._on, self._start_at = False, None
            self._end("power", signal.SIGKILL)
        self._join()

    def kill(self):
        """kill -9, as the kernel does when memory is short."""
        with self._lock:
            self.life().process.kill()

    def hang(self):
        """kill -STOP: a process that is there and does nothing."""
        with self._lock:
            self.life().process.send_signal(signal.SIGSTOP)

    # -- what can be looked at

    def life(self):
        """The running life, or None."""
        with self._lock:
            return self.lives[-1] if self.lives and self.lives[-1].ended is None else None

    def given_up(self):
        """Init will not start it again by itself."""
        with self._lock:
            return self.life() is None and self._start_at is None

    def led(self, within_s=0.3):
        """(lit, colour) as an eye sees it: a flash of the last moments still glows."""
        since = time.monotonic() - within_s
        for moment, lit, colour in list(self.flashes)[::-1]:
            if lit:
                return True, colour
            if moment < since:
                break
        return False, "off"

    def fed_ago_ms(self):
        """(ms since the last feeding by the chip's clock, timeout) if armed, else None."""
        with self._lock:
            armed = self.devices.watchdog()
            return (self._counter_ms, armed[0]) if armed else None

    # -- the hardware itself

    def _run(self):
        while True:
            with self._lock:
                if not self._on:
                    return
                self._init()
                self._watch()
                self._glance()
            time.sleep(TICK_S)

    def _join(self):
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _boot(self):
        """The machine starts: another boot id, a watchdog that is not armed, init."""
        self.boot_id = str(uuid.uuid4())
        self.devices.write("boot_id", self.boot_id + "\n")
        self._start()

    def _start(self):
        self._start_at = None
        self.box.start(*self.arguments)
        self.lives.append(Life(self.box.process, self.boot_id))

    def _init(self):
        """Init: a life that ended is followed by the next after a pause, unless it said no."""
        life, now = self.life(), time.monotonic()
        if life is not None and life.process.poll() is not None:
            life.close()
            if life.status not in NOT_AGAIN:
                self._start_at = now + self.pause_s
        if self._start_at is not None and now >= self._start_at:
            self._start()

    def _glance(self):
        """Remember when the LED changed."""
        lit, colour = self.devices.led()
        if not self.flashes or self.flashes[-1][1:] != (lit, colour):
            self.flashes.append((time.monotonic(), lit, colour))

    def _watch(self):
        """The watchdog chip: counts up, is set back by feeding, bites."""
        armed, now_ms = self.devices.watchdog(), boottime_ms()
        if armed is None:
            self._fed_ms = None
            return
        timeout_ms, fed_ms = armed
        if fed_ms != self._fed_ms:
            self._counter_ms = max(0, now_ms - fed_ms)
        else:
            self._counter_ms += (now_ms - self._looked_ms) * self.watchdog_rate
        self._fed_ms, self._looked_ms = fed_ms, now_ms
        if self._counter_ms >= timeout_ms:
            self._bite()

    def _bite(self):
        self.bites += 1
        self._end("watchdog", signal.SIGKILL)
        self._disarm()
        self.devices.write("bitten", "")
        self._boot()

    def _disarm(self):
        """A reset stops the chip."""
        armed = self.devices.watchdog()
        if armed is not None:
            self.devices.write("watchdog", "timeout_ms=%d fed_ms=%d armed=0\n" % armed)
        self._fed_ms = None

    def _end(self, by, how):
        life = self.life()
        self._start_at = None
        if life is not None:
            if life.process.poll() is None:
                life.process.send_signal(how)
            else:
                by = None
            life.close(by)
