# SPDX-License-Identifier: Apache-2.0
"""A small disk of its own for a box: it can be full without filling the machine's."""
import os
import subprocess


class SmallDisk:
    """A tmpfs over a box's state directory, in a mount namespace of its own."""

    def __init__(self, box, mib):
        script = ('cp -a "$1" "$1.copy" && mount -t tmpfs -o size=%dm,mode=700 tmpfs "$1" && '
                  'cp -a "$1.copy/." "$1" && echo ready && exec cat') % mib
        self.holder = subprocess.Popen(["unshare", "-m", "sh", "-c", script, "sh", box.state],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
        self.says = self.holder.stdout.readline().decode()
        self.state = "/proc/%d/root%s" % (self.holder.pid, box.state)
        inside = ["nsenter", "--mount=/proc/%d/ns/mnt" % self.holder.pid]
        plain = box.command
        box.command = lambda *extra: inside + plain(*extra)

    def fill(self, left_kib):
        """A file that leaves this much; its path."""
        path = os.path.join(self.state, "ballast")
        free = os.statvfs(self.state)
        size = free.f_bavail * free.f_frsize - (left_kib << 10)
        with open(path, "wb") as out:
            os.posix_fallocate(out.fileno(), 0, size)
        return path

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(10)
