# SPDX-License-Identifier: Apache-2.0
"""A box whose secrets are in a TPM: it signs in with a key that is nowhere else."""
import os
import shutil
import subprocess

import pytest

from listening import listen
from world import ROOT, give_state
from softtpm import SoftTpm

SIGN_MS_MAX = 500
WAKEUPS_MAX = 2000 # of a run; a box that asks itself again and again has ten times as many
EXIT_CONFIG, EXIT_IOERR = 78, 74
NO_PASSWORD = "00000009400000090000000000"
EXTEND_PCR_7 = "send 80020000004100000182" + "00000007" + NO_PASSWORD + "00000001000b" + "01" * 32


@pytest.fixture
def tpm(tmp_path, monkeypatch):
    if not os.path.exists(os.path.join(ROOT, "build/sandbox_tpm/anteroomd")):
        pytest.skip("build/sandbox_tpm is not there: tools/dev build sandbox_tpm")
    with SoftTpm(tmp_path / "tpm") as soft:
        monkeypatch.setenv("ANTEROOM_TPM_DEVICE", soft.device)
        yield soft


@pytest.fixture
def world(make_world, tpm):
    return make_world("quiet", board="sandbox_tpm")


def tokens_of(world):
    return os.path.join(world.box.state, "tokens")


def put_back(world, copy):
    shutil.rmtree(tokens_of(world))
    shutil.copytree(copy, tokens_of(world))
    give_state(world.box.state)


def all_files(folder):
    for here, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(here, name)
            if os.path.isfile(path):  # the sandbox's button is a pipe
                with open(path, "rb") as file:
                    yield name, file.read()


def test_it_signs_in_with_the_tpms_key_and_collects(world):
    log = world.run()
    assert world.delivered()
    assert "class=tpm" in log
    assert int(world.log("auth_token_good")[0]["sign_ms"]) < SIGN_MS_MAX
    assert world.log("identity_made") == [], "anteroomctl made it, and it is the same TPM"


def test_neither_token_nor_private_key_is_in_any_file_or_on_the_bus(world, tpm):
    world.run()
    secrets = [s.encode() for s in world.box.secrets] + [b"PRIVATE KEY"]
    files = list(all_files(world.box.state)) + list(all_files(tpm.directory))
    assert {".tpm2-kek", ".tpm2-key", "traffic"} <= {name for name, _ in files}
    found = [(name, s) for name, data in files for s in secrets if s in data]
    assert found == []


def test_what_a_killed_box_had_loaded_is_no_hindrance(world):
    for count in range(5):  # the TPM has room for three objects, and each life leaves two
        world.start()
        world.wait_log("auth_token_good", count=count + 1)
        world.box.kill()
    world.run()
    assert world.delivered()


def test_a_busy_tpm_is_asked_again(world, tpm):
    tpm.ask("refuse 0x921 3 0x15d")  # locked out, TPM2_Sign
    world.run()
    assert world.delivered()


def test_a_slow_tpm_is_waited_for(world, tpm):
    tpm.ask("delay 40")
    world.run()
    assert world.delivered()


def test_without_the_tpm_it_does_not_start_and_says_why(world, monkeypatch):
    monkeypatch.setenv("ANTEROOM_TPM_DEVICE", "/dev/no-such-tpm")
    result = world.box.run()
    assert result.status == EXIT_CONFIG
    assert "/dev/no-such-tpm (CONFIG_TPM_DEVICE) is not there" in result.log


def test_another_boot_chain_opens_nothing_and_spoils_nothing(world, tpm):
    tpm.ask(EXTEND_PCR_7)
    before = sorted(all_files(tokens_of(world)))
    result = world.box.run()
    assert result.status == EXIT_IOERR
    assert "another state of this machine" in result.log
    assert sorted(all_files(tokens_of(world))) == before
    tpm.ask("reset")
    world.run()
    assert world.delivered()


def test_the_disk_in_another_box_opens_nothing(world, tmp_path, monkeypatch):
    with SoftTpm(tmp_path / "other") as other:
        monkeypatch.setenv("ANTEROOM_TPM_DEVICE", other.device)
        result = world.box.run()
        assert result.status == EXIT_IOERR
        assert "another TPM" in result.log


def test_a_restored_directory_is_noticed(world, tmp_path):
    shutil.copytree(tokens_of(world), tmp_path / "copy")
    world.box.put_secret("other-token", "something-new-1")
    put_back(world, tmp_path / "copy")
    world.run()
    assert world.log("token_store_rolled_back")
    assert int(world.log("totals")[-1]["wakeups"]) < WAKEUPS_MAX, "it waits, it does not spin"


def test_a_restored_box_makes_no_key_and_says_so_until_somebody_changes_the_store(world, tmp_path):
    command = [world.box.ctl, "key", "remove", "--state", world.box.state]
    assert subprocess.run(command, timeout=60).returncode == 0
    shutil.copytree(tokens_of(world), tmp_path / "copy")
    world.box.put_secret("other-token", "something-new-1")
    put_back(world, tmp_path / "copy")
    for count in range(2):
        world.start()
        world.wait_log("confined", count=count + 1)
        world.box.kill()
    assert len(world.log("token_store_rolled_back")) == 2
    assert world.log("identity_made") == []
    world.box.put_secret("other-token", "something-new-2")
    world.start()
    world.wait_log("identity_made")
    assert len(world.log("token_store_rolled_back")) == 2


def test_nor_does_the_status_port_change_a_restored_store(make_world, tpm, tmp_path):
    world = make_world("quiet", board="sandbox_tpm", change=listen())
    shutil.copytree(tokens_of(world), tmp_path / "copy")  # nothing of the port's is in it
    world.box.put_secret("other-token", "something-new-1")
    put_back(world, tmp_path / "copy")
    for count in range(2):
        world.start()
        world.wait_log("confined", count=count + 1)
        world.box.kill()
    assert len(world.log("token_store_rolled_back")) == 2
    assert world.log("setup_code_made") == [] and len(world.log("status_port_shut")) == 2


def test_a_credential_that_a_restored_box_changes_over_to_by_itself_ends_no_warning(
        make_world, tpm, tmp_path):
    world = make_world("quiet", board="sandbox_tpm",
                       change=lambda config: config.update(credential="secret"),
                       entra={"lifetime_s": [4, 5]})
    for value, option in (("old-secret-77aa", ()), ("new-secret-88bb", ("--next",))):
        world.box.secrets.append(value)
        subprocess.run([world.box.ctl, "secret", "put", *option, "client-secret", "--state",
                        world.box.state], input=value.encode(), check=True, timeout=60,
                       capture_output=True)
        world.cloud.entra(add_secret={"value": value})
    shutil.copytree(tokens_of(world), tmp_path / "copy")
    world.box.put_secret("other-token", "something-new-1")
    put_back(world, tmp_path / "copy")
    world.start()
    world.wait_log("credential_switched", kind="secret")
    world.box.kill()
    world.start()
    world.wait_log("confined", count=2)
    world.box.kill()
    assert len(world.log("token_store_rolled_back")) == 2
    world.box.put_secret("other-token", "something-new-2")
    world.start()
    world.wait_log("confined", count=3)
    assert len(world.log("token_store_rolled_back")) == 2


def test_check_names_the_tpm(world, monkeypatch):
    command = world.box.command("--check")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    monkeypatch.setenv("ANTEROOM_TPM_DEVICE", "/dev/no-such-tpm")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "CONFIG_TPM_DEVICE" in done.stdout and done.returncode != 0


@pytest.mark.parametrize("by_page", (False, True))
def test_a_forgotten_box_makes_another_key_in_the_same_tpm(world, by_page):
    world.run()
    first, copy = world.box.certificate(), tokens_of(world) + ".copy"
    shutil.copytree(tokens_of(world), copy)
    if by_page:
        with open(os.path.join(world.box.state, "forget"), "w", encoding="ascii"):
            pass
        give_state(world.box.state)
        world.start()
        world.wait_log("identity_made")
        world.box.kill()
    else:
        subprocess.run([world.box.ctl, "forget", "--yes", "--state", world.box.state], check=True,
                       capture_output=True, timeout=60)
        assert not os.path.exists(tokens_of(world))
    world.cloud.entra(forget=True) # as the administrator is told to
    world.box.prepare()
    assert world.box.certificate() != first
    world.run()
    assert world.delivered()
    assert world.log("token_store_rolled_back") == []
    put_back(world, copy) # what a thief of the old disk has
    done = subprocess.run(world.box.command("--check"), capture_output=True, text=True, timeout=60)
    assert "older than this machine knows" in done.stdout + done.stderr
