# SPDX-License-Identifier: Apache-2.0
"""Removal on purpose: what is wiped, that it is looked for, what a cut in the middle leaves, and
what is said to be revoked in the tenant."""
import os
import pty
import re
import shutil
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from listening import listen, port_of, send, wait_state
from world import TOKEN, give_state, wait_until

STAYS = {"clock-floor", "spool.lock", "sandbox"}
CANARY = b"canary-3f9c1b7e-of-a-record-that-was-set-aside"
SAMPLE_BYTES = 24
EXIT_USAGE, EXIT_TEMPFAIL, EXIT_NOPERM = 64, 75, 77


def below(folder):
    for here, _, files in os.walk(folder):
        for name in files:
            yield os.path.join(here, name)


def contents(path):
    """Of what is a file: the sandbox's button is a pipe."""
    if not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def samples_of(state):
    """Pieces of everything that is to go: sealed records, keys, the store, what was set aside."""
    found = {CANARY}
    for path in below(state):
        if os.path.relpath(path, state).split(os.sep)[0] in STAYS:
            continue
        content = contents(path)
        for at in range(0, len(content) - SAMPLE_BYTES, max(SAMPLE_BYTES, len(content) // 64)):
            piece = content[at:at + SAMPLE_BYTES]
            if len(set(piece)) > SAMPLE_BYTES // 2: # says something
                found.add(piece)
    return found


def check_nothing_left(state, samples):
    assert len(samples) > 20, "too little to look for"
    assert set(os.listdir(state)) <= STAYS
    for path in below(state):
        content = contents(path)
        left = [piece for piece in samples if piece in content]
        assert not left, "%s still holds %s" % (path, left[:3])


def ctl(world, *args, given=b""):
    return subprocess.run([world.box.ctl, *args, "--state", world.box.state], input=given,
                          capture_output=True, timeout=120)


def thumbprint(pem):
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()


@pytest.fixture
def lived(make_world):
    """A box that has collected, with all that a life leaves in STATE."""
    world = make_world("quiet")
    world.run()
    world.box.put_secret("client-secret", "canary-secret-5d2f")
    assert ctl(world, "setup-code").returncode == 0
    assert ctl(world, "certificate", "renew").returncode == 0
    aside = os.path.join(world.box.state, "spool.broken-1")
    os.makedirs(aside, mode=0o700)
    with open(os.path.join(aside, "data.mdb"), "wb") as out:
        out.write(CANARY * 5000)
    give_state(world.box.state)
    world.samples = samples_of(world.box.state)
    world.thumbprints = [thumbprint(world.box.certificate(*which)) for which in ((), ("--next",))]
    return world


def ask_by_page(world):
    """What the box writes when somebody asks for it on its page."""
    with open(os.path.join(world.box.state, "forget"), "w", encoding="ascii"):
        pass
    give_state(world.box.state)


def check_new_life(world):
    """Other keys; the tenant has to be told of them; then everything is collected once more."""
    assert thumbprint(world.box.certificate()) not in world.thumbprints
    world.box.prepare(TOKEN)
    world.run()
    world.cloud.assert_all_delivered()


def test_a_forgotten_box_holds_nothing_of_its_life_and_begins_a_new_one(lived):
    done = ctl(lived, "forget", "--yes")
    assert done.returncode == 0, done.stderr
    check_nothing_left(lived.box.state, lived.samples)
    check_new_life(lived)


@pytest.mark.skipif(os.geteuid() != 0, reason="plays an owner that cannot enter STATE")
def test_a_box_that_cannot_look_whether_it_was_to_forget_uses_nothing_and_says_so(lived):
    ask_by_page(lived)
    os.chmod(lived.box.state, 0o600)
    result = lived.box.run()
    assert result.status == EXIT_NOPERM
    assert "it cannot be looked whether somebody asked to forget everything" in result.log
    os.chmod(lived.box.state, 0o700)
    lived.start()
    lived.wait_log("forgotten")


def test_what_is_to_be_revoked_is_named_and_no_secret_is(lived):
    done = ctl(lived, "forget", "--yes")
    said = done.stdout.decode()
    for print_of_it in lived.thumbprints:
        assert said.count(print_of_it) == 1, said
    for words in ("app registration, Certificates & secrets", "the client secret of this box",
                  "admin consent", "sinks"):
        assert words in said, said
    assert "sessions" not in said, "nobody had signed in"
    for secret in lived.box.secrets:
        assert secret.encode() not in done.stdout + done.stderr


def test_a_box_that_runs_is_not_pulled_from_under_itself(lived):
    lived.start()
    lived.wait_log("started", 2)
    done = ctl(lived, "forget", "--yes")
    assert done.returncode == EXIT_TEMPFAIL and b"stop it first" in done.stderr
    assert lived.alive()
    assert lived.box.stop() == 0
    assert thumbprint(lived.box.certificate()) == lived.thumbprints[0]
    assert not os.path.exists(os.path.join(lived.box.state, "forget"))


def test_it_asks_first_and_takes_one_word_for_an_answer(lived):
    try:
        leader, follower = pty.openpty()
    except OSError:
        pytest.skip("no terminals on this machine (/dev/pts is not mounted)")
    assert ctl(lived, "forget").returncode == EXIT_USAGE, "nobody to ask"
    command = [lived.box.ctl, "forget", "--state", lived.box.state]
    for answer, code in ((b"yes\n", EXIT_USAGE), (b"\n", EXIT_USAGE), (b"forget\n", 0)):
        before = set(os.listdir(lived.box.state))
        os.write(leader, answer)
        done = subprocess.run(command, stdin=follower, capture_output=True, timeout=120)
        assert done.returncode == code, done.stderr
        assert b"Type forget" in done.stderr
        assert code == 0 or set(os.listdir(lived.box.state)) == before
    os.close(leader)
    os.close(follower)
    check_nothing_left(lived.box.state, lived.samples)


def test_what_somebody_else_put_there_is_left_alone_and_told(lived):
    path = os.path.join(lived.box.state, "box.json")
    with open(path, "w", encoding="ascii") as out:
        out.write("a configuration")
    done = ctl(lived, "forget", "--yes")
    assert done.returncode == 0 and b"box.json: no box puts it there" in done.stderr
    assert contents(path) == b"a configuration"
    os.unlink(path)
    check_nothing_left(lived.box.state, lived.samples)


def test_a_store_that_does_not_open_any_more_can_be_forgotten(lived):
    os.truncate(os.path.join(lived.box.state, "tokens", ".manifest"), 100)
    done = ctl(lived, "forget", "--yes")
    assert done.returncode == 0, done.stderr
    assert b"could not be read" in done.stdout
    check_nothing_left(lived.box.state, lived.samples)


def test_another_directory_is_not_wiped_for_a_mistyped_name(tmp_path, make_world):
    world = make_world("quiet")
    home = tmp_path / "home"
    (home / "letters").mkdir(parents=True)
    (home / "letters" / "one").write_text("dear")
    give_state(str(home))
    done = subprocess.run([world.box.ctl, "forget", "--yes", "--state", str(home)],
                          capture_output=True, timeout=60)
    assert (home / "letters" / "one").read_text() == "dear", done.stderr


def test_asked_for_by_the_page_it_is_done_before_the_next_life_reads_anything(lived):
    ask_by_page(lived)
    lived.start()
    lived.wait_log("forgotten")
    lived.wait_log("started", 2)
    text = lived.box.log_text()
    told = [text.rindex("ev=" + event) for event in ("forgetting", "forgotten", "token_store ",
                                                     "identity_made")]
    assert told == sorted(told), "in another order"
    lived.box.kill()
    assert ctl(lived, "forget", "--yes").returncode == 0 # of the new life
    check_nothing_left(lived.box.state, lived.samples)
    check_new_life(lived)


def killed_at(command, number):
    """Killed by its own `number`th removal of a file. @return False: it came to its end."""
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                           "inject=unlinkat:signal=SIGKILL:when=%d" % number, *command],
                          capture_output=True, timeout=120)
    return done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


@pytest.fixture
def at_the_box(make_board):
    """Somebody with the code, who has pressed the button of a box that collects."""
    world = make_board(change=listen())
    world.board.power_on()
    world.port = port_of(world)
    wait_state(world.port, "collecting")
    world.board.devices.press()
    wait_until(lambda: "value=forget" in world.port.get("/").text(), "the button to be seen")
    world.board.devices.press(False)
    return world


def test_whoever_reads_that_the_box_forgets_can_pull_the_plug(at_the_box):
    world = at_the_box
    answer = send(world.port, world.box, "forget")
    world.board.power_cut()
    assert answer.status == 200 and "The box forgets" in answer.text()
    world.wait_log("forgotten")


def test_what_cannot_be_begun_is_said_on_the_page(at_the_box):
    world = at_the_box
    mark = os.path.join(world.box.state, "forget")
    os.mkdir(mark)  # no file can be made there
    send(world.port, world.box, "forget")
    wait_until(lambda: "Nothing was forgotten" in world.port.get("/").text(), "the truth")
    os.rmdir(mark)
    assert world.log("forget_not_begun") and not world.log("forget_asked")
    assert send(world.port, world.box, "forget").status == 200
    world.wait_log("forgotten")


@pytest.mark.parametrize("by_page", (False, True))
def test_killed_in_the_middle_of_it_the_next_start_comes_to_the_end(lived, by_page):
    if not shutil.which("strace"):
        pytest.skip("strace is not there")
    if by_page:
        ask_by_page(lived)
        command = lived.box.command("--until-idle")
    else:
        command = [lived.box.ctl, "forget", "--yes", "--state", lived.box.state]
    for number in (1, 2, 3): # each goes on where the one before was ended
        assert killed_at(command, number), "removal %d" % number
        assert os.path.exists(os.path.join(lived.box.state, "forget")), "the mark goes last"
        assert not set(os.listdir(lived.box.state)) <= STAYS
    lived.start()
    lived.wait_log("forgotten")
    lived.wait_log("identity_made")
    lived.box.kill()
    assert not os.path.exists(os.path.join(lived.box.state, "forget"))
    assert ctl(lived, "forget", "--yes").returncode == 0 # of the new life
    check_nothing_left(lived.box.state, lived.samples)


def test_what_cannot_be_wiped_is_named_and_nothing_starts(lived):
    """A directory where there should be none cannot be, deeper than any box makes it."""
    deep = os.path.join(lived.box.state, "spool", *["d"] * 12)
    os.makedirs(deep)
    give_state(lived.box.state)
    ask_by_page(lived)
    done = subprocess.run(lived.box.command("--until-idle"), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode != 0 and "is not gone" in done.stderr
    assert "ev=started" not in done.stdout + done.stderr
    assert re.search(r"ev=forgotten", done.stdout + done.stderr) is None
    shutil.rmtree(os.path.join(lived.box.state, "spool", "d"))
    lived.start()
    lived.wait_log("forgotten")
