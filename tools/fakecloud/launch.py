# SPDX-License-Identifier: Apache-2.0
"""Start and steer a fake cloud in a process of its own, and a box (anteroomd) against it.

Used by the demo and, through tests/support/cloud.py, by the system tests.
"""
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
START_S_MAX = 30
# Owner of state directories where we are root: the box does not run as root.
STATE_OWNER = 64777
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def make_state(folder):
    """A state directory as an installer makes it; started as root the box becomes its owner."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    give_state(folder)
    return folder


def give_state(folder):
    """Give a state directory, with what root put into it, to the user that the box becomes."""
    if os.geteuid() != 0:
        return
    os.chown(folder, STATE_OWNER, STATE_OWNER)
    for here, folders, files in os.walk(folder):
        for name in folders + files:
            os.chown(os.path.join(here, name), STATE_OWNER, STATE_OWNER, follow_symlinks=False)


def traced(command):
    """With ANTEROOM_TRACE=DIRECTORY each run leaves a trace for tools/check/syscalls.py there."""
    folder = os.environ.get("ANTEROOM_TRACE")
    if not folder:
        return command
    name = os.path.join(folder, "%d-%d.trace" % (os.getpid(), time.monotonic_ns()))
    return ["strace", "-D", "-f", "-qq", "-o", name] + command


class CloudProcess:
    """A running fake cloud. `changes` are laid over the scenario (see scenario.py)."""

    def __init__(self, scenario, folder, **changes):
        self.folder = os.path.join(str(folder), "cloud")
        self.scenario, self.changes = scenario, changes
        self.process = None
        self.state = {}

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, "cloud.json")
        if os.path.exists(path):
            os.unlink(path)
        command = [PYTHON, os.path.join(ROOT, "tools", "fakecloud"), "--dir", self.folder,
                   "--with-parent"]
        if self.scenario:
            command += ["--scenario", self.scenario]
        for name, value in self.changes.items():
            command += ["--set", "%s=%s" % (name, json.dumps(value))]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        end = time.monotonic() + START_S_MAX
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the fake cloud did not start")
            time.sleep(0.02)
        with open(path, encoding="utf-8") as text:
            self.state = json.load(text)
        return self

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # -- the control port

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.state["control_url"] + path, data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode(errors="replace")) from error

    def report(self, announced=False):
        """The oracle's report; with `announced`, only what a listing has shown is demanded."""
        return self.call("GET", "/report" + ("?announced=1" if announced else ""))

    def stats(self):
        return self.call("GET", "/stats")

    def log(self):
        return self.call("GET", "/log")

    def credentials(self):
        return self.call("GET", "/credentials")

    def fault(self, match, do):
        return self.call("POST", "/faults", {"match": match, "do": do})[0]

    def clear_faults(self):
        self.call("DELETE", "/faults")

    def sink(self, **settings):
        self.call("POST", "/sink", settings)

    def entra(self, **settings):
        self.call("POST", "/entra", settings)

    def graph(self, **settings):
        self.call("POST", "/graph", settings)

    def tls(self, service, **settings):
        self.call("POST", "/tls", {service: settings})

    def raise_versions(self, **rule):
        """Give records a new version now: ids=[...], share=x or count=n. Returns their ids."""
        return self.call("POST", "/records", {"raise": rule})["raised"]

    def requests(self, name, answer=None):
        """Requests of a class such as "graph.list", all or those with one answer ("200", "cut")."""
        row = self.stats()["requests"].get(name, {})
        return row.get(answer, 0) if answer else sum(v for k, v in row.items() if k != "bytes")


class Result:
    """How a run of anteroomd ended."""

    def __init__(self, status, log, seconds):
        self.status, self.log, self.seconds = status, log, seconds


class Box:
    """One anteroomd with its state directory and its configuration."""

    def __init__(self, cloud, folder, board="sandbox"):
        self.cloud, self.folder = cloud, str(folder)
        build = os.environ.get("ANTEROOM_BUILD", os.path.join(ROOT, "build", board))
        self.daemon, self.ctl = os.path.join(build, "anteroomd"), os.path.join(build, "anteroomctl")
        self.state = os.path.join(self.folder, "state")
        self.config_file = os.path.join(self.folder, "config.json")
        self.log_file = os.path.join(self.folder, "anteroomd.log")
        self.process = None
        make_state(self.state)
        self.config = self.default_config()

    def default_config(self):
        """A configuration with the intervals that tests like; change it before prepare()."""
        state = self.cloud.state
        with open(state["ca_file"], encoding="ascii") as pem:
            ca = pem.read()
        return {
            "infrastructure": {"name": "Test room", "description": "a box against the fake cloud"},
            "cloud": "global", "tenant_id": state["tenant_id"], "client_id": state["client_id"],
            "credential": "certificate",
            "sources": {"call_records": {"backfill_days": 30}},
            "sinks": [{"name": "main", "type": "ndjson", "url": state["sink_url"],
                       "authorization": "main-token", "ca": ca}],
            "sandbox": {"authority_url": state["authority_url"], "graph_url": state["graph_url"],
                        "ca_file": state["ca_file"]},
        }

    def write_config(self):
        with open(self.config_file, "w", encoding="utf-8") as out:
            json.dump(self.config, out, indent=1)

    def put_secret(self, name, value):
        subprocess.run([self.ctl, "secret", "put", "--state", self.state, name],
                       input=value.encode(), check=True, capture_output=True, timeout=30)

    def certificate(self, *options):
        """The box's certificate as PEM; made at first need. "--tls": the one for sinks."""
        done = subprocess.run([self.ctl, "certificate", "--state", self.state, *options],
                              check=True, capture_output=True, timeout=60)
        return done.stdout.decode()

    def prepare(self, token="sink-token-1", known=True):
        """Write the configuration, store the sink's token, register the certificate (if known)."""
        self.write_config()
        self.put_secret("main-token", token)
        self.cloud.sink(authorization="Bearer " + token)
        if known and self.config["credential"] == "certificate":
            self.cloud.entra(certificate=self.certificate())
        return self

    def command(self, *extra):
        return [self.daemon, "--config", self.config_file, "--state", self.state, *extra]

    def start(self, *extra):
        """Start anteroomd in the background; its log goes to a file that grows over restarts."""
        log = open(self.log_file, "ab")
        self.process = subprocess.Popen(traced(self.command(*extra)),
                                        stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=subprocess.STDOUT)
        log.close()
        return self.process

    def kill(self):
        """kill -9, as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, timeout_s=20):
        """SIGTERM and wait. Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def log_text(self):
        if not os.path.exists(self.log_file):
            return ""
        with open(self.log_file, encoding="utf-8", errors="replace") as text:
            return text.read()

    def run(self, *extra, timeout_s=120):
        """Run with --until-idle to its end (killed after the time: status None)."""
        begin = time.monotonic()
        self.start("--until-idle", *extra)
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            status = None
        return Result(status, self.log_text(), time.monotonic() - begin)
