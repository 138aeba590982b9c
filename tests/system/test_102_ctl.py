# SPDX-License-Identifier: Apache-2.0
"""anteroomctl, as an operator uses it: exit codes, modes of files, what is printed where."""
import json
import os
import pathlib
import pty
import re
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from world import ROOT, make_state

CTL = os.path.join(os.environ.get("ANTEROOM_BUILD", os.path.join(ROOT, "build", "sandbox")),
                   "anteroomctl")
GOOD = {"infrastructure": {"name": "x"}, "tenant_id": "0a0b0c0d-1111-2222-3333-444455556666",
        "client_id": "0a0b0c0d-1111-2222-3333-444455556666", "credential": "secret",
        "sinks": [{"name": "main", "url": "https://sink.example/in"}]}


def ctl(*args, given=b""):
    return subprocess.run([CTL, *map(str, args)], input=given, capture_output=True, timeout=60)


@pytest.fixture
def state(tmp_path):
    return pathlib.Path(make_state(tmp_path / "state"))


def test_certificate_is_made_once_and_printed_alone(state):
    first = ctl("certificate", "--state", state, "--name", "Head office")
    second = ctl("certificate", "--state", state)
    assert first.returncode == 0 and second.returncode == 0
    assert first.stdout == second.stdout
    cert = x509.load_pem_x509_certificate(first.stdout)
    assert cert.subject.rfc4514_string() == "CN=Head office"
    assert cert.public_key().key_size == 3072
    assert b"PRIVATE" not in first.stdout + first.stderr
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in (state / "tokens").iterdir()} == {
        ".manifest": 0o600, ".signing-key": 0o600, "device-certificate": 0o600}
    assert b"signs PS256" in first.stderr and b"token store of class file" in first.stderr
    assert stat.S_IMODE((state / "tokens").stat().st_mode) == 0o700


def test_certificate_of_a_lost_key_is_not_replaced_in_silence(state):
    assert ctl("certificate", "--state", state).returncode == 0
    os.unlink(state / "tokens" / ".signing-key")
    refused = ctl("certificate", "--state", state)
    assert refused.returncode == 70 and refused.stdout == b""
    assert ctl("key", "remove", "--state", state).returncode == 0
    assert ctl("certificate", "--state", state).returncode == 0


def test_removed_key_is_made_anew(state):
    assert ctl("key", "remove", "--state", state).returncode == 66
    first = ctl("certificate", "--state", state)
    assert ctl("key", "remove", "--state", state).returncode == 0
    second = ctl("certificate", "--state", state)
    assert second.returncode == 0 and first.stdout != second.stdout


def test_tls_has_a_certificate_of_its_own(state):
    first = ctl("certificate", "--state", state, "--tls")
    assert first.returncode == 0 and b"PRIVATE" not in first.stdout + first.stderr
    assert b"ECDSA P-256" in first.stderr
    cert = x509.load_pem_x509_certificate(first.stdout)
    assert cert.public_key().curve.name == "secp256r1"
    assert ctl("certificate", "--state", state, "--tls").stdout == first.stdout
    assert ctl("certificate", "--state", state).stdout != first.stdout
    assert ctl("secret", "remove", "--state", state, "tls-key").returncode == 0
    assert ctl("certificate", "--state", state, "--tls").returncode == 70


def test_secret_is_stored_without_its_line_end_and_never_printed(state):
    for given in (b"sw0rd&fish", b"sw0rd&fish\n", b"sw0rd&fish\r\n"):
        done = ctl("secret", "put", "--state", state, "client-secret", given=given)
        assert done.returncode == 0 and b"sw0rd" not in done.stdout + done.stderr
        assert b"sw0rd" not in (state / "tokens" / "client-secret").read_bytes()
    assert ctl("secret", "remove", "--state", state, "client-secret").returncode == 0
    assert ctl("secret", "remove", "--state", state, "client-secret").returncode == 66


@pytest.mark.parametrize("name, given, code", [
    ("tls-key", b"x", 64), ("device-certificate", b"x", 64), ("../x", b"x", 64),
    ("UPPER", b"x", 64), ("empty", b"", 65), ("empty", b"\n", 65), ("lines", b"a\nb\n", 65),
    ("big", b"x" * 4097, 65), ("biggest", b"x" * 4096, 0)])
def test_secret_that_cannot_be_one_is_refused(state, name, given, code):
    assert ctl("secret", "put", "--state", state, name, given=given).returncode == code
    assert (state / "tokens" / name).exists() == (code == 0)


def status_of(state, *args):
    """The lines of `status`, by their labels; those of a next one stand behind the one in use."""
    done = ctl("status", "--state", state, *args)
    assert done.returncode == 0, done.stderr
    found, last = {}, ""
    for line in done.stdout.decode().splitlines():
        label, value = line[:22].rstrip(), line[22:]
        label = last + ", next" if label == "  the next one" else label
        found[label] = value
        last = label
    return found


def test_a_box_that_was_never_started_has_a_status_and_gets_no_store_by_it(state):
    assert status_of(state) == {"token store": "not made yet: this box has never been started"}
    assert list(state.iterdir()) == []


def test_a_next_secret_stands_beside_the_one_in_use_each_with_its_end(state):
    put = ("secret", "put", "--state", state)
    assert ctl(*put, "client-secret", given=b"old\n").returncode == 0
    assert status_of(state)["client secret"] == "stored, its end is not known"
    assert status_of(state)["client secret, next"] == "none"
    assert ctl(*put, "--expires", "2099-01-31", "client-secret", given=b"old").returncode == 0
    assert ctl(*put, "--next", "--expires", "2099-12-31", "client-secret",
               given=b"new").returncode == 0
    assert status_of(state)["client secret"] == "stored, ends 2099-01-31"
    assert status_of(state)["client secret, next"] == "stored, ends 2099-12-31"
    assert ctl(*put, "--next", "client-secret", given=b"newer").returncode == 0
    assert status_of(state)["client secret, next"] == "stored, its end is not known"
    assert ctl("secret", "remove", "--state", state, "client-secret-next").returncode == 0
    assert ctl("secret", "remove", "--state", state, "client-secret").returncode == 0
    assert {p.name for p in (state / "tokens").iterdir()} == {".manifest"}


@pytest.mark.parametrize("args, code", [
    (("--expires", "2027-02-30", "client-secret"), 64),
    (("--expires", "soon", "client-secret"), 64),
    (("--expires", "2020-01-01", "client-secret"), 65), (("--expires", "2099-01-01", "main"), 64),
    (("--next", "main"), 64), (("client-secret-next",), 64), (("client-secret-expires",), 64),
    (("setup-code",), 64), (("refresh-token",), 64), (("life",), 64),
    (("device-certificate-next",), 64), (("--expires",), 64)])
def test_a_secret_whose_end_or_name_makes_no_sense_is_refused(state, args, code):
    done = ctl("secret", "put", "--state", state, *args, given=b"x")
    assert done.returncode == code, done.stderr
    assert not (state / "tokens").exists()


def test_the_next_certificate_is_of_the_same_key_and_made_once(state):
    assert ctl("certificate", "renew", "--state", state).returncode == 66
    first = ctl("certificate", "--state", state, "--name", "Head office").stdout
    assert ctl("certificate", "--next", "--state", state).returncode == 66
    made = ctl("certificate", "renew", "--state", state, "--name", "Head office")
    assert made.returncode == 0 and made.stdout != first
    assert ctl("certificate", "renew", "--state", state).stdout == made.stdout
    assert ctl("certificate", "--next", "--state", state).stdout == made.stdout
    assert ctl("certificate", "--state", state).stdout == first, "the one in use stays"
    old, new = (x509.load_pem_x509_certificate(pem) for pem in (first, made.stdout))
    assert old.public_key().public_numbers() == new.public_key().public_numbers()
    assert old.serial_number != new.serial_number
    assert new.subject == old.subject and new.not_valid_after > old.not_valid_after
    shown = status_of(state)
    assert old.fingerprint(hashes.SHA256()).hex() in shown["certificate"]
    assert new.fingerprint(hashes.SHA256()).hex() in shown["certificate, next"]
    assert ctl("certificate", "--next", "--tls", "--state", state).returncode == 64
    assert ctl("key", "remove", "--state", state).returncode == 0
    assert status_of(state)["certificate, next"] == "none"


def test_the_setup_code_is_made_once_shown_when_asked_and_can_be_replaced(state):
    first = ctl("setup-code", "--state", state)
    assert first.returncode == 0 and re.fullmatch(rb"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}\n",
                                                  first.stdout)
    assert ctl("setup-code", "--state", state).stdout == first.stdout
    assert status_of(state)["setup code"] == "made; --code shows it"
    assert status_of(state, "--code")["setup code"] == first.stdout.decode().strip()
    second = ctl("setup-code", "--state", state, "--new")
    assert second.returncode == 0 and second.stdout != first.stdout
    assert first.stdout.strip() not in (state / "tokens" / "setup-code").read_bytes()


def test_secret_is_not_read_from_a_terminal(state):
    try:
        leader, follower = pty.openpty()
    except OSError:
        pytest.skip("no terminals on this machine (/dev/pts is not mounted)")
    done = subprocess.run([CTL, "secret", "put", "--state", str(state), "a"], stdin=follower,
                          capture_output=True, timeout=10)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 64 and b"terminal" in done.stderr


def test_store_that_others_can_read_is_refused(state):
    assert ctl("secret", "put", "--state", state, "a", given=b"x").returncode == 0
    os.chmod(state / "tokens" / "a", 0o644)
    assert ctl("secret", "put", "--state", state, "b", given=b"x").returncode == 77
    assert ctl("certificate", "--state", state).returncode == 77
    assert ctl("secret", "put", "--state", state / "none", "b", given=b"x").returncode == 73


def test_config_check_says_all_that_is_wrong(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(GOOD))
    assert ctl("config", "check", path).returncode == 0
    path.write_text(json.dumps({**GOOD, "cloud": "moon", "urll": 1, "spool": {"map_mib": 1}}))
    done = ctl("config", "check", path)
    assert done.returncode == 78
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 3
    assert any(line.endswith("spool.map_mib: 1 is out of range; allowed: 8..2048")
               for line in lines)
    assert ctl("config", "check", tmp_path / "none").returncode == 66
    assert b"sources.call_records.window_hours: 1..720" in ctl("config", "help").stdout


@pytest.mark.parametrize("args", [(), ("nothing",), ("secret",), ("secret", "put", "a"),
                                  ("certificate",), ("certificate", "--state"),
                                  ("status",), ("forget",),
                                  ("setup-code", "--next", "--state", "x"),
                                  ("config", "check"), ("config", "check", "a", "b"),
                                  ("config", "help", "--state", "x")])
def test_command_lines_that_make_no_sense_are_usage_errors(args):
    assert ctl(*args).returncode == 64


def test_help_and_version():
    assert b"secret put --state DIR [--next] [--expires YYYY-MM-DD] NAME" in ctl("--help").stdout
    assert ctl("--version").stdout.startswith(b"anteroomctl board=sandbox ")
