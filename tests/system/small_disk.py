# SPDX-License-Identifier: Apache-2.0
"""A small disk of its own for a box: it can be full, or die, without harm to the machine's."""
import errno
import os
import subprocess


class SmallDisk:
    """A tmpfs over a box's state directory, in a mount namespace of its own."""

    MOUNT = 'mount -t tmpfs -o size=%dm,mode=700 tmpfs "$1"'
    THEN = "echo ready"

    def __init__(self, box, mib):
        script = " && ".join(('cp -a "$1" "$1.copy"', self.MOUNT % mib, 'cp -a "$1.copy/." "$1"',
                              self.THEN, "exec cat"))
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
        with open(path, "wb") as out:
            while True:  # the box takes of the disk meanwhile
                free = os.statvfs(self.state)
                try:
                    os.posix_fallocate(out.fileno(), 0,
                                       free.f_bavail * free.f_frsize - (left_kib << 10))
                    return path
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    out.truncate(0)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(10)


class DyingDisk(SmallDisk):
    """An ext4 that becomes read-only when it finds a fault, as disks do in the field. The devices
    of the sandbox board are files of another one: they go on."""

    MOUNT = ('truncate -s %dM "$1.img" && mkfs.ext4 -q -O ^has_journal "$1.img" && '
             'mount -o loop,errors=remount-ro "$1.img" "$1"')
    THEN = ('mkdir -m 700 "$1/sandbox" && mount -t tmpfs -o mode=700 tmpfs "$1/sandbox" && '
            'chown --reference="$1" "$1/sandbox" && '
            'echo "ready $(grep " $1 " /proc/self/mounts | cut -d" " -f1)"')

    def die(self):
        """The file system finds a fault in itself."""
        name = os.path.basename(self.says.split()[1])
        with open("/sys/fs/ext4/%s/trigger_fs_error" % name, "w", encoding="ascii") as fault:
            fault.write("1")
