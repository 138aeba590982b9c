# SPDX-License-Identifier: Apache-2.0
"""A TPM 2.0 in software (swtpm), with a device node that the firmware opens like any other.

The node is a pseudo-terminal in raw mode; a thread carries commands and answers between it and
swtpm, one at a time, as the kernel's driver does, and can be slow, deaf or rude on demand.

    with SoftTpm(directory) as tpm:      # tpm.device is the path
        tpm.ask("delay 500")

For a test in C: softtpm.py DIRECTORY COMMAND ... runs the command with ANTEROOM_TPM_DEVICE (path),
ANTEROOM_TPM_CONTROL (a socket that takes the lines below, and answers with one line each) and
ANTEROOM_TPM_TRAFFIC (all that went over the bus), and ends with its status.

    delay MS        each answer comes so much later
    refuse CODE N   the next N commands are answered with this code; they do not reach the TPM
    refuse CODE N CC  only those with this command code
    say HEX         the next answer is this, whatever the TPM says
    flip SEED       in each answer one bit, drawn from this sequence, arrives wrong (0: stop)
    deaf            nothing is answered any more (until "hear")
    hear
    gone            the device is unplugged
    reset           the machine starts anew: PCRs are zero, what was loaded is gone
    send HEX        somebody else's command; answers with what the TPM says, in hexadecimal
    count           answers with the number of commands so far
"""
import os
import pathlib
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import termios
import threading
import tty

STARTUP = 0x144
HEADER = struct.Struct(">HII")


class SoftTpm:
    """One TPM. Its state stays in the directory: a second one there is the same TPM again."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state = self.directory / "state"
        self.state.mkdir(exist_ok=True)
        self.traffic = self.directory / "traffic"
        self.control = self.directory / "control"
        self.delay_s, self.refusals, self.commands = 0.0, [], 0
        self.sayings, self.flips = [], None
        self.hearing, self.lock = threading.Event(), threading.Lock()
        self.hearing.set()
        self.wake = threading.Event()

    def __enter__(self):
        if shutil.which("swtpm") is None:
            raise FileNotFoundError("swtpm is not installed: tools/deps/packages.sh test")
        self.traffic.write_bytes(b"")
        self.start_tpm()
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.device = os.ttyname(self.slave)
        self.wake_begin, self.wake_end = os.pipe()
        self.bridge = threading.Thread(target=self.carry, daemon=True)
        self.bridge.start()
        return self

    def __exit__(self, *_):
        if not self.wake.is_set():
            self.unplug()
        os.close(self.slave)
        os.close(self.wake_begin)
        os.close(self.wake_end)
        self.stop_tpm()

    def start_tpm(self):
        self.wire, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}",
             "--fd", str(theirs.fileno()), "--flags", "not-need-init,startup-clear",
             "--log", f"file={self.directory / 'log'}"],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        theirs.close()

    def stop_tpm(self):
        self.wire.close()
        self.process.terminate()
        self.process.wait()

    def unplug(self):
        """Closing the master makes the node fail for whoever has it open."""
        self.wake.set()
        self.hearing.set()
        os.write(self.wake_end, b"x")
        self.bridge.join()

    def carry(self):
        """Until the device is unplugged."""
        try:
            while not self.wake.is_set():
                answer = self.answer(self.read_message(self.read_node))
                self.hearing.wait()
                self.wake.wait(self.delay_s)
                if select.select([self.master], [], [], 0)[0]:
                    continue  # whoever asked is gone, and somebody else asks: it is not theirs
                while answer:
                    answer = answer[os.write(self.master, answer):]
        except EOFError:
            pass
        os.close(self.master)

    def read_node(self, wanted):
        ready, _, _ = select.select([self.master, self.wake_begin], [], [])
        if self.wake_begin in ready:
            raise EOFError
        return os.read(self.master, wanted)

    @staticmethod
    def read_message(read):
        message = b""
        while len(message) < HEADER.size or len(message) < HEADER.unpack(message[:10])[1]:
            wanted = HEADER.unpack(message[:10])[1] if len(message) >= HEADER.size else HEADER.size
            piece = read(wanted - len(message))
            if not piece:
                raise EOFError
            message += piece
        return message

    def answer(self, command):
        self.commands += 1
        code = HEADER.unpack(command[:10])[2]
        if code == STARTUP:  # somebody opened the node: the driver forgets what it had for others
            # what is still on its way inside the kernel arrives when it is asked about
            while select.select([self.slave], [], [], 0)[0]:
                termios.tcflush(self.slave, termios.TCIFLUSH)
        for refusal in self.refusals:
            if refusal["left"] > 0 and refusal["command"] in (None, code):
                refusal["left"] -= 1
                return HEADER.pack(0x8001, HEADER.size, refusal["code"])
        answer = self.pass_on(command)
        with self.traffic.open("ab") as file:
            file.write(command + answer)
        return self.spoil(answer)

    def spoil(self, answer):
        if self.sayings:
            return self.sayings.pop(0)
        if self.flips is None:
            return answer
        bits = bytearray(answer)
        bit = self.flips.randrange(8 * len(bits))
        bits[bit // 8] ^= 1 << bit % 8
        return bytes(bits)

    def pass_on(self, command):
        with self.lock:
            self.wire.sendall(command)
            return self.read_message(self.wire.recv)

    def ask(self, line):
        """One line of the control language above; returns the answer."""
        word, *rest = line.split()
        if word == "delay":
            self.delay_s = int(rest[0]) / 1000
        elif word == "refuse":
            only = int(rest[2], 0) if len(rest) > 2 else None
            self.refusals.append({"code": int(rest[0], 0), "left": int(rest[1]), "command": only})
        elif word == "say":
            self.sayings.append(bytes.fromhex(rest[0]))
        elif word == "flip":
            self.flips = random.Random(int(rest[0])) if int(rest[0]) else None
        elif word == "deaf":
            self.hearing.clear()
        elif word == "hear":
            self.hearing.set()
        elif word == "gone":
            self.unplug()
        elif word == "reset":
            with self.lock:
                self.stop_tpm()
                self.start_tpm()
        elif word == "send":
            return self.pass_on(bytes.fromhex(rest[0])).hex()
        elif word == "count":
            return str(self.commands)
        else:
            raise ValueError(line)
        return "ok"

    def serve(self):
        """Take control lines from a socket, for a test in another language."""
        listener = socket.socket(socket.AF_UNIX)
        self.control.unlink(missing_ok=True)
        # A path of the build tree may be longer than an address of a socket may be.
        here = os.open(self.directory, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/{self.control.name}")
        listener.listen()

        def loop():
            while True:
                peer, _ = listener.accept()
                with peer, peer.makefile("rw") as lines:
                    for line in lines:
                        lines.write(self.ask(line) + "\n")
                        lines.flush()

        threading.Thread(target=loop, daemon=True).start()


def main():
    directory, *command = sys.argv[1:]
    shutil.rmtree(directory, ignore_errors=True)
    with SoftTpm(directory) as tpm:
        tpm.serve()
        environment = dict(os.environ, ANTEROOM_TPM_DEVICE=tpm.device,
                           ANTEROOM_TPM_CONTROL=str(tpm.control),
                           ANTEROOM_TPM_TRAFFIC=str(tpm.traffic))
        return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
