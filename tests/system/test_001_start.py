# SPDX-License-Identifier: Apache-2.0
"""The program as a program: command line, exit codes, --check, signals, log lines, empty chroot."""
import copy
import json
import os
import re
import shutil
import signal
import stat
import subprocess

import pytest
from world import ROOT, make_state, wait_until

from fakecloud.hardware import Devices

EXIT = {"usage": 64, "no input": 66, "store": 74, "in use": 75, "no permission": 77, "config": 78}


def call(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


@pytest.fixture
def world(make_world):
    return make_world("quiet", records={"count": 8})


def check(world, *extra):
    return call(*world.box.command("--check", *extra))


def tree(folder):
    """Every path below a folder with its mode and content."""
    found = {}
    for here, _folders, files in os.walk(folder):
        found[here] = os.stat(here).st_mode
        for name in files:
            path = os.path.join(here, name)
            with open(path, "rb") as data:
                found[path] = os.stat(path).st_mode, data.read()
    return found


# -- the command line


def test_help_tells_options_and_exit_codes(world):
    done = call(world.box.daemon, "--help")
    assert done.returncode == 0
    for word in ("--config", "--state", "--check", "--until-idle", "--version"):
        assert word in done.stdout
    for code in (0, *EXIT.values(), 70, 71):
        assert re.search(r"\b%d\b" % code, done.stdout), code


def test_version_names_the_board(world):
    done = call(world.box.daemon, "--version")
    assert done.returncode == 0 and "board=sandbox" in done.stdout


@pytest.mark.parametrize("arguments", [
    [], ["--config", "x"], ["--state", "x"], ["--no-such-option"], ["--config"],
    ["--config", "x", "--state", "y", "surplus"],
])
def test_wrong_usage_is_64(world, arguments):
    done = call(world.box.daemon, *arguments)
    assert done.returncode == EXIT["usage"]
    assert done.stderr and not done.stdout


def test_no_configuration_file_is_66_where_it_cannot_be_waited_for(world):
    """Without --until-idle it is waited for: test_114_unconfigured.py."""
    for name in ("/does/not/exist", ""):
        done = call(world.box.daemon, "--config", name, "--state", world.box.state, "--until-idle")
        assert done.returncode == EXIT["no input"] and name + ": no such file" in done.stderr
    done = call(world.box.daemon, "--config", "", "--state", world.box.state)
    assert done.returncode == EXIT["no input"] and "no such file" in done.stderr
    done = call(world.box.daemon, "--config", "/does/not/exist", "--state", world.box.state,
                "--check")
    assert done.returncode == EXIT["config"] and "/does/not/exist: no such file" in done.stderr


def test_a_configuration_file_that_cannot_be_read_is_66(world):
    for path in (world.box.folder, world.box.config_file + "/below"):
        done = call(world.box.daemon, "--config", path, "--state", world.box.state)
        assert done.returncode == EXIT["no input"], done.stderr
        assert path + ": cannot be read" in done.stderr


def test_no_state_directory_is_74(world):
    done = call(world.box.daemon, "--config", world.box.config_file, "--state", "/does/not/exist")
    assert done.returncode == EXIT["store"] and "/does/not/exist" in done.stderr


def test_second_instance_is_75_and_the_first_goes_on(world):
    world.start()
    world.wait_log("started")
    done = call(*world.box.command("--until-idle"))
    assert done.returncode == EXIT["in use"] and done.stderr
    world.finish()


@pytest.mark.parametrize("what, mode", [("tokens", 0o755), ("file", 0o644), ("file", 0o660)])
def test_secrets_that_others_can_read_are_77(world, what, mode):
    folder = os.path.join(world.box.state, "tokens")
    name = next(n for n in sorted(os.listdir(folder)) if n.startswith("main-token"))
    path = folder if what == "tokens" else os.path.join(folder, name)
    os.chmod(path, mode)
    done = call(*world.box.command("--until-idle"))
    assert done.returncode == EXIT["no permission"] and "others" in done.stderr
    assert check(world).returncode == EXIT["config"]


# -- the configuration


def faults_of(world, text):
    with open(world.box.config_file, "w", encoding="utf-8") as out:
        out.write(text)
    run = call(*world.box.command("--until-idle"))
    checked = check(world)
    ctl = call(world.box.ctl, "config", "check", world.box.config_file)
    assert run.returncode == checked.returncode == EXIT["config"], run.stderr
    assert ctl.returncode != 0
    assert "Traceback" not in run.stderr
    return run.stderr


CHANGES = {  # path that the message must name: what is put there, and a word of the allowed values
    "tenant_id": ("7", "GUID"),
    "client_id": (7, "GUID"),
    "credential": ("password", "certificate, secret"),
    "cloud": ("mars", "global"),
    "surplus": (1, "known keys"),
    "infrastructure.nam": ("x", "known keys"),
    "infrastructure.name": ("", "1.."),
    "sources.call_records.backfill_days": (31, "0..30"),
    "sources.call_records.window_hours": (0, "1..720"),
    "sources.call_records.depth": ("deep", "records, sessions"),
    "sources.call_records.hot_interval_s": (-1, "1..604800"),
    "sources.call_records.retry_base_ms": (1.5, "10..60000"),
    "sources.call_records.retry_cap_ms": ("5", "10..3600000"),
    "sinks[0].url": ("http://127.0.0.1/", "https"),
    "sinks[0].type": ("kafka", "ndjson"),
    "sinks[0].authorization": ("Upper Case", "a-z"),
    "sinks[0].batch_events_max": (0, "1..10000"),
    "sinks[0].batch_bytes_max": (1 << 40, "4096..8388608"),
    "sinks[0].ca": ("no certificate", "PEM"),
    "sinks[0].colour": ("red", "known keys"),
    "sandbox.graph_url": ("ftp://x", "https"),
    "spool.map_mib": (7, "8..2048"),
    "spool.high_percent": (95, "50..90"),
    "http.proxy": ("https://user:word@proxy", "http://host:port"),
    "sinks": ([], "1.."),
}


def put(config, path, value):
    parts = [int(p) if p.isdigit() else p for p in re.findall(r"\w+", path)]
    for part in parts[:-1]:
        config = config.setdefault(part, {}) if isinstance(config, dict) else config[part]
    config[parts[-1]] = value


@pytest.mark.parametrize("path", CHANGES)
def test_each_fault_names_its_path_and_what_is_allowed(world, path):
    value, allowed = CHANGES[path]
    config = copy.deepcopy(world.box.config)
    put(config, path, value)
    said = faults_of(world, json.dumps(config))
    line = next((s for s in said.splitlines() if "%s:" % path in s), "")
    assert allowed in line, said
    assert "1 fault" in said, said


def test_all_faults_are_said_at_once(world):
    config = copy.deepcopy(world.box.config)
    chosen = ["tenant_id", "cloud", "surplus", "sources.call_records.backfill_days",
              "sinks[0].url", "spool.map_mib", "http.proxy"]
    for path in chosen:
        put(config, path, CHANGES[path][0])
    del config["client_id"]
    said = faults_of(world, json.dumps(config))
    for path in chosen + ["client_id"]:
        assert "%s:" % path in said, path
    assert "%d fault" % (len(chosen) + 1) in said


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"cloud":"global","cloud":"global"}',
                                  '{"tenant_id":"\\ud800"}', "{} {}", "\x00", '{"a":' * 2000])
def test_what_is_no_configuration_at_all(world, text):
    assert faults_of(world, text)


def test_values_are_not_repeated_in_messages(world):
    """Somebody pastes a secret at the wrong place: it must not get into a log."""
    config = copy.deepcopy(world.box.config)
    config["credential"] = "hunter2-is-my-secret"
    config["sinks"][0]["authorization"] = "Bearer hunter2-is-my-secret"
    config["sinks"][0]["url"] = "https://user:hunter2@127.0.0.1/"
    assert "hunter2" not in faults_of(world, json.dumps(config))


def test_configuration_of_64_kib_and_more(world):
    assert faults_of(world, json.dumps({"description": "x" * 70000}))


def test_the_example_of_the_help_is_complete(world):
    done = call(world.box.ctl, "config", "help")
    assert done.returncode == 0
    for path in ("backfill_days", "retry_cap_ms", "hold_probe_s", "map_mib", "stall_ms", "proxy"):
        assert path in done.stdout


def generic_build():
    path = os.path.join(ROOT, "build", "generic_x86_64", "anteroomd")
    if not os.path.exists(path):
        pytest.skip("build/generic_x86_64 is not there: tools/dev build generic_x86_64")
    return path


def test_other_boards_refuse_the_sandbox_part(world):
    done = call(generic_build(), "--config", world.box.config_file, "--state", world.box.state)
    assert done.returncode == EXIT["config"]
    assert "sandbox:" in done.stderr


def test_other_boards_take_the_same_configuration_without_it(world):
    config = copy.deepcopy(world.box.config)
    del config["sandbox"]
    with open(world.box.config_file, "w", encoding="utf-8") as out:
        json.dump(config, out)
    done = call(generic_build(), "--config", world.box.config_file, "--state", world.box.state,
                "--check")
    assert "sandbox" not in done.stderr and "configuration" in done.stdout
    # This machine lacks devices that the board has; each is told by the board's name for it.
    wrong = [s for s in done.stdout.splitlines() if s.startswith("wrong")]
    others = [s for s in wrong if "not there" not in s or "CONFIG_" not in s]
    assert others == [], done.stdout + done.stderr


# -- --check


def test_check_of_a_good_box_changes_nothing(world):
    before = tree(world.box.folder)
    done = check(world)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong " not in done.stdout and "0 thing" in done.stdout
    assert tree(world.box.folder) == before
    assert world.cloud.stats()["requests"] == {}, "it asks nobody"


def test_check_begins_nothing_in_an_empty_state_directory(world, tmp_path):
    state = make_state(str(tmp_path / "empty"))
    done = call(world.box.daemon, "--config", world.box.config_file, "--state", state, "--check")
    assert done.returncode == EXIT["config"]
    assert "not made yet" in done.stdout and "main-token" in done.stdout
    assert os.listdir(state) == []


def test_check_says_everything_that_is_wrong_on_the_box(make_world):
    """Certificate mode without a key, two secrets missing: three findings in one go."""
    def two_sinks(config):
        first = config["sinks"][0]
        config["sinks"].append({**first, "name": "second", "authorization": "second-token"})
    world = make_world("quiet", change=two_sinks)
    folder = os.path.join(world.box.state, "tokens")
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    done = check(world)
    assert done.returncode == EXIT["config"]
    wrong = [s for s in done.stdout.splitlines() if s.startswith("wrong")]
    assert len(wrong) == 3, done.stdout
    for word in ("main-token", "second-token", "key"):
        assert any(word in s for s in wrong), word


def test_check_says_configuration_and_state_directory_at_once(world):
    config = copy.deepcopy(world.box.config)
    config["cloud"] = "mars"
    config["sinks"][0]["linger_ms"] = -1
    with open(world.box.config_file, "w", encoding="utf-8") as out:
        json.dump(config, out)
    done = call(world.box.daemon, "--config", world.box.config_file, "--state", "/does/not/exist",
                "--check")
    assert done.returncode == EXIT["config"]
    said = done.stdout + done.stderr
    for word in ("cloud:", "sinks[0].linger_ms:", "state directory", "clock"):
        assert word in said, said


def test_check_finds_a_damaged_key(world):
    folder = os.path.join(world.box.state, "tokens")
    path = os.path.join(folder, ".signing-key")
    with open(path, "r+b") as key:
        key.seek(40)
        key.write(b"????")
        key.flush()
        assert check(world).returncode == 0  # there are two copies
        key.seek(os.path.getsize(path) // 2 + 40)
        key.write(b"????")
    done = check(world)
    assert done.returncode == EXIT["config"]
    assert any(s.startswith("wrong") and "key" in s for s in done.stdout.splitlines())


def test_check_finds_an_unreadable_ca_file(world):
    world.box.config["sandbox"]["ca_file"] = "not-there.pem"
    world.box.write_config()
    done = check(world)
    assert done.returncode == EXIT["config"] and "not-there.pem" in done.stdout + done.stderr


# -- signals and idleness


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_in_the_middle_ends_it_well(make_world, number):
    world = make_world("quiet", records={"count": 200})
    world.start()
    wait_until(lambda: world.cloud.requests("graph.record") > 10, "in the middle of it")
    world.box.process.send_signal(number)
    assert world.box.process.wait(20) == 0
    assert world.log("stopped")
    world.run()
    world.cloud.assert_all_delivered()


def test_signal_in_the_middle_of_the_start_leaves_no_armed_watchdog(make_world):
    """While it makes its key, or wherever it is by then: it ends in order."""
    world = make_world("quiet")
    subprocess.run([world.box.ctl, "key", "remove", "--state", world.box.state], check=True)
    devices = Devices(world.box.state)
    world.start()
    wait_until(devices.watchdog, "the watchdog is armed")
    world.box.process.send_signal(signal.SIGTERM)
    assert world.box.process.wait(60) == 0
    assert devices.watchdog() is None
    world.start()
    assert world.wait_log("restart", cause="clean")


def test_signal_while_all_peers_are_silent(make_world):
    world = make_world("quiet", faults=[{"match": {}, "do": {"delay_s": 300}}])
    world.start()
    wait_until(lambda: world.cloud.stats()["connections"]["authority"], "a request")
    assert world.box.stop() == 0


def test_until_idle_ends_with_0(world):
    world.run()
    world.cloud.assert_all_delivered()
    world.run()


def test_first_start_makes_a_key(make_world):
    """Without anteroomctl before: the box makes key and certificate, and says what to do."""
    world = make_world("quiet")
    folder = os.path.join(world.box.state, "tokens")
    for name in os.listdir(folder):
        if name.startswith("device"):
            os.unlink(os.path.join(folder, name))
    world.start()
    world.wait_log("identity_made")
    assert world.wait_log("auth_failed")["cause"] == "cert_rejected"
    world.cloud.entra(certificate=world.box.certificate())
    world.finish()


# -- the log


def test_log_lines_are_key_value(make_world):
    world = make_world("flaky", records={"count": 40})
    world.run()
    lines = world.box.log_text().splitlines()
    assert len(lines) > 5
    pair = r'[a-z0-9_]+=("[^"]*"|[^\s"]*)'
    for line in lines:
        assert re.fullmatch(r"ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(info|warn|error) "
                            r"ev=[a-z_]+( %s)*" % pair, line), line
        assert len(line) <= 640


def test_log_is_rate_limited(make_world):
    """Hundreds of failures: a handful of lines, and the number of those that were held back."""
    world = make_world("quiet", calls={"retry_base_ms": 10, "retry_cap_ms": 10,
                                       "hot_interval_s": 1})
    world.start()
    world.wait_log("life", state="collecting")
    world.cloud.fault({"service": "graph"}, {"status": 429})
    wait_until(lambda: world.cloud.requests("graph.list") > 400, "many failures")
    assert world.box.stop() == 0
    assert 1 <= len(world.log("graph_throttled")) <= 40


def test_failing_sink_is_one_line_an_episode(make_world):
    world = make_world("quiet", sink={"retry_base_ms": 10, "retry_cap_ms": 10})
    world.cloud.fault({"service": "sink"}, {"status": 500})
    world.start()
    wait_until(lambda: world.cloud.requests("sink.events") > 150, "many failures")
    assert len(world.log("ship_failing")) == 1
    world.cloud.clear_faults()
    world.finish()
    assert len(world.log("ship_recovered")) == 1


def test_records_are_not_named_in_the_log(make_world):
    world = make_world("quiet", calls={"ready_wait_s": 1}, records={"count": 20})
    world.cloud.fault({"service": "graph", "kind": "participants", "sample": 0.3}, {"status": 404})
    world.run()
    assert world.log("record_quarantined")
    guid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    assert not re.search("record=%s" % guid, world.box.log_text())


# -- the smallest world


@pytest.fixture
def in_chroot(make_world):
    """A box whose root directory holds its binary, its configuration, its state and its CA."""
    if os.getuid() != 0:
        pytest.skip("chroot needs root")
    world = make_world("quiet")
    root = world.box.folder
    shutil.copy(world.box.daemon, os.path.join(root, "anteroomd"))
    shutil.copy(world.cloud.state["ca_file"], os.path.join(root, "ca.pem"))
    world.box.config["sandbox"]["ca_file"] = "ca.pem"
    world.box.write_config()
    world.box.command = lambda *extra: ["chroot", root, "/anteroomd", "--config", "/config.json",
                                        "--state", "/state", *extra]
    assert sorted(os.listdir(root)) == ["anteroomd", "ca.pem", "config.json", "state"]
    return world


def test_check_in_an_empty_chroot(in_chroot):
    done = check(in_chroot)
    assert done.returncode == 0, done.stdout + done.stderr


def test_whole_run_in_an_empty_chroot(in_chroot):
    """No /dev, no /proc, no /etc: entropy, TLS, store and clock need none of them."""
    in_chroot.run()
    in_chroot.cloud.assert_all_delivered()
    made = [n for n in os.listdir(in_chroot.box.folder) if n != "anteroomd.log"]
    assert sorted(made) == ["anteroomd", "ca.pem", "config.json", "state"]


def test_key_is_made_in_an_empty_chroot(in_chroot):
    folder = os.path.join(in_chroot.box.state, "tokens")
    for name in os.listdir(folder):
        if name.startswith("device"):
            os.unlink(os.path.join(folder, name))
    in_chroot.start()
    in_chroot.wait_log("identity_made")
    in_chroot.wait_log("auth_failed", cause="cert_rejected")
    assert in_chroot.box.stop() == 0
    for name in os.listdir(folder):
        assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600


def test_no_network_at_all(make_world):
    """A namespace without even loopback: it waits, says why, and ends when it is asked to."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        pytest.skip("a network namespace cannot be made here")
    world = make_world("quiet")
    plain = world.box.command
    world.box.command = lambda *extra: ["unshare", "-n"] + plain(*extra)
    world.start()
    assert world.wait_log("time_unknown")["cause"] == "network"
    assert world.box.stop() == 0
