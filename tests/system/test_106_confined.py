# SPDX-License-Identifier: Apache-2.0
"""What the shipped binary has given up once it runs, as /proc shows it, and what it refuses."""
import http.client
import os
import re
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading
import urllib.parse

import pytest
from world import ROOT, give_state, make_state

NOBODY_ELSE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


def proc(world, name):
    with open("/proc/%d/%s" % (world.box.process.pid, name), encoding="ascii") as text:
        return text.read()


def status(world):
    return {k: v.strip() for k, v in re.findall(r"^(\w+):(.*)$", proc(world, "status"), re.M)}


@pytest.fixture
def running(make_world):
    """A box that has delivered everything and goes on."""
    world = make_world("quiet", records={"count": 8})
    world.start()
    world.wait_delivered()
    return world


def test_it_has_no_capability_and_gets_no_privilege(running):
    found = status(running)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(found[name], 16) == 0, name
    assert found["NoNewPrivs"] == "1"


def test_its_system_calls_are_filtered(running):
    found = status(running)
    assert found["Seccomp"] == "2" and int(found.get("Seccomp_filters", 1)) >= 1
    assert running.log("confined")[0]["filter"] == "kill"


@NOBODY_ELSE
def test_started_as_root_it_is_the_owner_of_its_state(running):
    owner = os.stat(running.box.state)
    found = status(running)
    assert found["Uid"].split() == [str(owner.st_uid)] * 4
    assert found["Gid"].split() == [str(owner.st_gid)] * 4
    assert found["Groups"] == "" and int(found["CapBnd"], 16) == 0
    assert owner.st_uid != 0


def test_it_cannot_be_dumped_nor_looked_into(running):
    """The kernel gives the files of a process that is not dumpable to root."""
    assert os.stat("/proc/%d/mem" % running.box.process.pid).st_uid == 0
    assert re.search(r"^Max core file size +0 +0 ", proc(running, "limits"), re.M)


def test_its_resources_are_limited(running):
    limits = {name: (soft, hard) for name, soft, hard in re.findall(
        r"^(Max .*?)  +(\S+) +(\S+)", proc(running, "limits"), re.M)}
    most = {"Max open files": 256, "Max data size": 64 << 20, "Max file size": 1 << 30,
            "Max address space": 1 << 30, "Max msgqueue size": 0, "Max realtime priority": 0}
    for name, value in most.items():
        soft, hard = limits[name]
        assert soft == hard and int(hard) <= value, (name, limits[name])


def test_it_lives_in_its_state_directory(running):
    assert os.path.samefile("/proc/%d/cwd" % running.box.process.pid, running.box.state)


def run_for(box, *extra):
    return subprocess.run(box.command(*extra), capture_output=True, text=True, timeout=60)


@NOBODY_ELSE
@pytest.mark.parametrize("owner", [(0, 0), (64777, 0), (0, 64777)])
def test_a_state_that_belongs_to_root_is_77_and_says_what_to_do(make_world, owner):
    world = make_world("quiet")
    there = sorted(os.listdir(world.box.state))
    os.chown(world.box.state, *owner)
    done = run_for(world.box, "--until-idle")
    assert done.returncode == 77 and "chown -R USER:GROUP" in done.stderr
    checked = run_for(world.box, "--check")
    assert checked.returncode == 78 and "chown -R USER:GROUP" in checked.stdout
    ctl = subprocess.run([world.box.ctl, "secret", "put", "--state", world.box.state, "a"],
                         input="x", capture_output=True, text=True, timeout=60)
    assert ctl.returncode == 77 and "chown -R USER:GROUP" in ctl.stderr
    assert sorted(os.listdir(world.box.state)) == there, "nothing was made"
    give_state(world.box.state)
    world.run()


@NOBODY_ELSE
def test_what_root_does_with_anteroomctl_belongs_to_the_box(make_world, tmp_path):
    world = make_world("quiet")
    state = make_state(str(tmp_path / "state"))
    subprocess.run([world.box.ctl, "certificate", "--state", state], check=True,
                   capture_output=True, timeout=60)
    for here, folders, files in os.walk(state):
        for name in folders + files:
            assert os.lstat(os.path.join(here, name)).st_uid == os.stat(state).st_uid


def test_a_state_directory_given_relative_to_where_it_was_started(make_world):
    world = make_world("quiet")
    done = subprocess.run(
        [world.box.daemon, "--config", "config.json", "--state", "state", "--until-idle"],
        cwd=world.box.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    world.cloud.assert_all_delivered()


class Truncating(socketserver.BaseRequestHandler):
    """A name server that has no room in a datagram, and answers over TCP: 127.0.0.1."""

    def handle(self):
        over_tcp = not isinstance(self.request, tuple)
        question = self.request.recv(512)[2:] if over_tcp else self.request[0]
        name = question[12:question.index(b"\0", 12) + 5]
        is_a = over_tcp and name[-4:-2] == b"\0\1"
        flags = b"\x81\x80" if over_tcp else b"\x83\x80"  # TC
        answer = question[:2] + flags + b"\0\1\0" + bytes([is_a]) + bytes(4) + name
        if is_a:
            answer += b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"
        if over_tcp:
            self.server.asked += 1
            self.request.sendall(len(answer).to_bytes(2, "big") + answer)
        else:
            self.request[1].sendto(answer, self.client_address)


class Streams(socketserver.TCPServer):
    allow_reuse_address = True
    asked = 0


@NOBODY_ELSE
def test_a_name_server_without_room_in_a_datagram_is_asked_over_tcp(make_world, tmp_path):
    """The C library wants to send with the first packet of the connection; the filter says no."""
    address = ("127.0.0.10", 53)
    world = make_world("quiet", change=at_a_name("sink.test"))
    etc = OtherEtc(str(tmp_path / "etc"), world.box)
    try:
        if etc.says != "ready\n":
            pytest.skip("no mount namespace here: %s" % etc.says.strip())
        etc.write("resolv.conf", "nameserver 127.0.0.10\n")
        with socketserver.UDPServer(address, Truncating) as datagrams, \
                Streams(address, Truncating) as streams:
            for server in (datagrams, streams):
                threading.Thread(target=server.serve_forever, daemon=True).start()
            world.start()
            failed = world.wait_log("ship_failing")
            for server in (datagrams, streams):
                server.shutdown()
        assert streams.asked
        assert failed["reason"] == "trust", "found: only the certificate has another name"
    finally:
        world.box.kill()
        etc.close()


def test_check_says_what_the_kernel_grants(make_world):
    world = make_world("quiet")
    done = run_for(world.box, "--check")
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if "kernel:" in line]
    for word in ("system calls", "files", "ports", "executable", "secret", "swapped|locked"):
        assert any(re.match("(ok|no) .*(%s)" % word, line) for line in lines), word
    locked = [line for line in lines if "swapped" in line]
    assert all("the stack may be" in line for line in locked), "it is not locked"


def test_every_system_call_is_on_the_list(make_world, monkeypatch, tmp_path):
    """A call outside would end the box; this says which one it was, and that the filter is on."""
    if not shutil.which("strace"):
        pytest.skip("strace is not there")
    world = make_world("quiet", records={"count": 8})
    monkeypatch.setenv("ANTEROOM_TRACE", str(tmp_path))
    world.run()
    traces = [str(path) for path in tmp_path.glob("*.trace")]
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "check", "syscalls.py"),
                           *traces], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    world.cloud.assert_all_delivered()


def at_loopback(config):
    config["status"] = {"listen": "127.0.0.1:0"}


def test_the_status_port_answers_from_behind_the_filter(make_world):
    """It was opened before; taking callers in and shaking hands with them comes after."""
    world = make_world("quiet", change=at_loopback)
    world.start()
    where = urllib.parse.urlsplit(world.wait_log("status_port")["url"])
    world.wait_log("confined")
    found = status(world)
    for path, code in (("/", 200), ("/status", 200), ("/metrics", 200), ("/no", 404)):
        trust = ssl.create_default_context()
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
        port = http.client.HTTPSConnection(where.hostname, where.port, timeout=60, context=trust)
        port.request("GET", path)
        assert port.getresponse().status == code, path
        port.close()
    assert found["Seccomp"] == "2" and world.log("confined")[0]["filter"] == "kill"
    assert world.box.process.poll() is None


# -- names


def at_a_name(name):
    def change(config):
        config["sinks"][0]["url"] = config["sinks"][0]["url"].replace("127.0.0.1", name)
    return change


def test_names_are_looked_up_behind_the_filter(make_world):
    """The lookup runs in a thread of its own and reads the resolver's files."""
    world = make_world("quiet", change=at_a_name("localhost"))
    world.run()
    world.cloud.assert_all_delivered()


class OtherEtc:
    """A directory that the box sees as /etc, in a mount namespace of its own."""

    def __init__(self, folder, box):
        self.folder = folder
        os.mkdir(folder)
        self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.write("hosts", "127.0.0.1 localhost\n")
        script = 'mount --bind "$1" /etc && echo ready && exec cat'
        self.holder = subprocess.Popen(["unshare", "-m", "sh", "-c", script, "sh", folder],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
        self.says = self.holder.stdout.readline().decode()
        inside = ["nsenter", "--mount=/proc/%d/ns/mnt" % self.holder.pid]
        plain = box.command
        box.command = lambda *extra: inside + plain(*extra)

    def write(self, name, text):
        """As resolvers' managers do it: a new file in the place of the old one."""
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(text)
        os.rename(path + ".new", path)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(10)


@NOBODY_ELSE
def test_a_replaced_resolver_file_ends_in_75_and_the_next_start_reads_it(make_world, tmp_path):
    world = make_world("quiet", change=at_a_name("sink.test"))
    etc = OtherEtc(str(tmp_path / "etc"), world.box)
    try:
        if etc.says != "ready\n":
            pytest.skip("no mount namespace here: %s" % etc.says.strip())
        world.start()
        world.wait_log("ship_failing", reason="resolve")
        etc.write("hosts", "127.0.0.1 localhost sink.test\n")
        assert world.box.process.wait(120) == 75
        assert world.log("resolver_replaced")
        world.start()
        world.wait_log("started", 2)
        world.wait_log("auth_token_good", 2)
    finally:
        world.box.kill()
        etc.close()
