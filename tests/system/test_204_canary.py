# SPDX-License-Identifier: Apache-2.0
"""No secret comes out: canaries in every secret that the box meets, and the search for them.

Plain data, and shown in the log or in events on purpose: tenant and client id (they name the app
registration), host and port of every service (a person has to see what does not answer), the name
and the description of the infrastructure, the box's certificate and its thumbprint, Microsoft's
trace ids, the names of secrets. Records are data: they go to the sink, and into no log.
"""
import json
import os
import re
import resource
import signal
import subprocess

import pytest
from canary import Canary, files_of, memory_of, planted
from cryptography import x509
from world import wait_until

CALLS = {"retry_base_ms": 20, "retry_cap_ms": 100, "hot_interval_s": 1, "warm_interval_s": 1,
         "cold_interval_s": 1}
RECORDS = {"count": 30, "weird": 0.1, "meetings": [{"sessions": 150, "participants": 80}]}
EXIT_CONFIG = 78


class Search:
    """The canaries of a test, and everything that was looked through."""

    def __init__(self):
        self.canaries = []

    def plant(self, name, where, value=None, spent=False):
        self.canaries.append(Canary(name, where, value, spent))
        return self.canaries[-1].value

    def look(self, place, content, only=None):
        for canary in self.canaries:
            if only is None or only(canary):
                canary.look(place, content if isinstance(content, bytes) else content.encode())

    def look_at_world(self, world):
        """The log, everything below STATE, and whatever else lies about."""
        with open(world.box.log_file, "rb") as log:
            self.look("log", log.read())
        for name, content in files_of(world.box.state):
            self.look("state", content)
            assert not re.search(r"(^|/)core", name), "a core file"
        done = subprocess.run(world.box.command("--check"), capture_output=True, timeout=60)
        self.look("--check", done.stdout + done.stderr)

    def look_at_memory(self, world):
        """What is over must be gone; what is in use must be where no core and no swap take it."""
        if os.getuid() != 0:
            pytest.skip("reading a process's memory needs root")
        for flags, content in memory_of(world.box.process.pid):
            self.look("memory", content, lambda canary: canary.spent)
            if "dd" not in flags:
                self.look("memory in a dump", content, lambda canary: not canary.spent)

    def verdict(self):
        """Print the table; every canary was seen nowhere."""
        for canary in self.canaries:
            print("%-28s %-48s %d hits in %d places" % (canary.name, canary.where, canary.total(),
                                                       len(canary.hits)))
        found = {c.name: {p: n for p, n in c.hits.items() if n} for c in self.canaries if c.total()}
        assert not found, "leaked: %s" % found
        assert all(c.hits for c in self.canaries)
        return len(self.canaries)


@pytest.fixture
def search():
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # the box has to refuse by itself
    yield Search()
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def tokens(world):
    return world.cloud.credentials()["tokens"]


def echo(service, status, text, **more):
    """A service that writes back what it should have kept to itself, in every place it has."""
    return {"service": service, "count": 1, **more}, {
        "status": status,
        "json": {"error": "invalid_client", "error_description": text, "message": text,
                 "rejected": [{"seq": 1, "error": text}]},
        "headers": {"WWW-Authenticate": "Bearer error=\"%s\"" % text,
                    "Set-Cookie": "session=" + text, "Retry-After": "0"}}


# -- the stages of a box that signs in with a secret


def make_box(make_world, search):
    path = search.plant("path of a sink", "its URL in the configuration")
    query = search.plant("key in a sink's query", "its URL in the configuration")
    bearer = search.plant("bearer, replaced", "token store", spent=True)

    def change(config):
        config["credential"] = "secret"
        config["sinks"][0]["url"] += "/%s?key=%s" % (path, query)
    world = make_world("quiet", calls=CALLS, change=change, records=RECORDS,
                       sink={"batch_events_max": 10})
    world.box.put_secret("main-token", bearer)
    world.cloud.sink(authorization="Bearer " + bearer)
    return world, bearer


def sign_in_badly_then_well(world, search):
    wrong = search.plant("client secret, wrong", "token store; Entra's answer", spent=True)
    first = search.plant("client secret, replaced", "token store", spent=True)
    world.cloud.entra(secrets=[first])
    world.cloud.fault(*echo("authority", 401, "AADSTS7000215: Invalid client secret: " + wrong))
    world.box.put_secret("client-secret", wrong)
    world.start()
    world.wait_log("auth_failed")
    world.box.put_secret("client-secret", first)
    world.wait_log("auth_token_good")
    world.wait_delivered()


def renew_the_token(world, search):
    second = search.plant("client secret, in use", "token store")
    world.cloud.entra(secrets=[second])
    world.box.put_secret("client-secret", second)
    search.plant("access token, revoked", "Entra", tokens(world)[-1], spent=True)
    world.cloud.entra(revoke=True)
    wait_until(lambda: world.cloud.stats()["tokens"] >= 2, "a second token")
    search.plant("access token, refused", "Entra; Graph's answer", tokens(world)[-1], spent=True)
    world.cloud.fault(*echo("graph", 401, "no good: " + tokens(world)[-1]))
    wait_until(lambda: world.cloud.stats()["tokens"] >= 3, "a third token")
    search.plant("access token, in use", "Entra", tokens(world)[-1])


def refuse_at_the_sink(world, search, old):
    bearer = search.plant("bearer, in use", "token store; the sink's answer")
    wrong = search.plant("bearer, wrong", "token store", spent=True)
    spare = search.plant("bearer, removed", "token store", spent=True)
    cookie = search.plant("cookie", "the sink's answer", spent=True)
    location = search.plant("signature in a redirect", "the sink's answer", spent=True)
    world.cloud.sink(authorization="Bearer " + bearer)
    world.box.put_secret("spare-token", spare)
    world.box.put_secret("main-token", wrong)
    world.cloud.fault(*echo("sink", 401, "who is %s?" % old))
    world.cloud.fault({"service": "sink", "count": 1}, {"status": 307, "headers": {
        "Set-Cookie": "id=" + cookie,
        "Location": world.cloud.state["trap_url"] + "/?sig=" + location}})
    world.cloud.fault(*echo("sink", 400, "what is %s?" % wrong))
    world.cloud.raise_versions(count=20)
    world.wait_log("ship_failing")
    subprocess.run([world.box.ctl, "secret", "remove", "--state", world.box.state, "spare-token"],
                   check=True, capture_output=True, timeout=30)
    world.box.put_secret("main-token", bearer)
    world.wait_log("ship_recovered")


def paging_tokens(world, search):
    """What Graph's links carry opens its pages to whoever has it."""
    targets = [row["target"] for row in world.cloud.log()]
    values = [m.group(1) for m in (re.search(r"skiptoken=([^&]+)", t) for t in targets) if m]
    search.plant("token of a page", "Graph's links", values[0])


def test_box_with_a_secret(make_world, search):
    world, old = make_box(make_world, search)
    sign_in_badly_then_well(world, search)
    renew_the_token(world, search)
    refuse_at_the_sink(world, search, old)
    world.cloud.sink(unwanted=[c.value for c in search.canaries])
    world.cloud.raise_versions(count=25)
    world.wait_delivered()
    paging_tokens(world, search)
    search.look_at_memory(world)
    world.box.process.send_signal(signal.SIGABRT)
    assert world.box.process.wait(20) != 0
    search.look_at_world(world)
    world.start()
    world.cloud.raise_versions(count=5)
    world.finish()
    search.look_at_world(world)
    assert search.verdict() >= 14


# -- a box that signs in with its own key


def key_texts(certificate):
    """How a private key begins in DER: its version, then the modulus; in PEM as base64 of that."""
    numbers = x509.load_pem_x509_certificate(certificate.encode()).public_key().public_numbers()
    modulus = b"\x00" + numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    return b"\x02\x01\x00\x02\x82" + len(modulus).to_bytes(2, "big") + modulus[:32]


def test_box_with_its_own_key(make_world, search):
    world = make_world("quiet", calls=CALLS, records={"count": 20})
    certificate = world.box.certificate()
    key = key_texts(certificate)
    search.plant("signing key", "made on the box", key.decode("latin-1"), spent=True)
    search.canaries[-1].search_for = lambda: {key}
    world.start()
    world.wait_delivered()
    first = world.cloud.credentials()["assertions"][-1]
    search.plant("client assertion, used", "made on the box", first, spent=True)
    world.cloud.fault(*echo("authority", 401, "AADSTS700027: bad assertion " + first))
    world.cloud.entra(revoke=True)
    world.wait_log("auth_failed")
    wait_until(lambda: world.cloud.stats()["tokens"] >= 2, "a second token")
    second = world.cloud.credentials()["assertions"][-1]
    search.plant("client assertion, last", "made on the box", second, spent=True)
    search.plant("access token, revoked", "Entra", tokens(world)[0], spent=True)
    world.cloud.raise_versions(count=20)
    world.wait_delivered()
    search.look_at_memory(world)
    search.look_at_world(world)
    world.finish()
    assert search.verdict() == 4


# -- what is refused is not quoted


def refused_configurations(search, good):
    """Configurations with a secret where none belongs, as people write them; the last is cut."""
    user = search.plant("password in a sink's URL", "a configuration that is refused")
    proxy = search.plant("password of a proxy", "a configuration that is refused")
    inline = search.plant("bearer in place of its name", "a configuration that is refused")
    unknown = search.plant("secret under a name unknown", "a configuration that is refused")
    cut = search.plant("secret in a cut file", "a configuration that is refused")
    for change in (lambda c: c["sinks"][0].update(url="https://u:%s@127.0.0.1/x" % user),
                   lambda c: c.update(http={"proxy": "http://u:%s@127.0.0.1:3128" % proxy}),
                   lambda c: c["sinks"][0].update(authorization="Bearer " + inline),
                   lambda c: c.update(client_secret=unknown)):
        config = json.loads(json.dumps(good))
        change(config)
        yield json.dumps(config)
    yield json.dumps(good)[:-1] + ',"client_secret":"%s' % cut


def test_what_is_refused_is_not_quoted(make_world, search):
    world = make_world("quiet", records={"count": 1})
    box = world.box
    for text in refused_configurations(search, box.config):
        with open(box.config_file, "w", encoding="utf-8") as out:
            out.write(text)
        for command in (box.command("--until-idle"), box.command("--check"),
                        [box.ctl, "config", "check", box.config_file]):
            done = subprocess.run(command, capture_output=True, timeout=60)
            assert done.returncode == EXIT_CONFIG, done
            search.look(os.path.basename(command[0]), done.stdout + done.stderr)
    world.start().wait_log("configuration_ends_too_early")   # as a service it waits for the rest
    assert box.stop() == 0
    search.look("anteroomd", box.log_text().encode())
    for name, text in (("two lines", "%s\nmore"), ("too long", "%s" * 300)):
        value = search.plant("secret of " + name, "anteroomctl secret put")
        done = subprocess.run([box.ctl, "secret", "put", "--state", box.state, "main-token"],
                              input=(text.replace("%s", value)).encode(), capture_output=True,
                              timeout=60)
        assert done.returncode != 0
        search.look("anteroomctl", done.stdout + done.stderr)
    for _, content in files_of(box.state):
        search.look("state", content)
    assert search.verdict() == 7


def test_the_search_finds_what_is_there():
    """The search can fail: every form of a canary that it knows, in every place."""
    canary = Canary("a", "b")
    for form in canary.search_for():
        before = canary.total()
        canary.look("somewhere", b"..." + form + b"...")
        assert canary.total() > before
    if os.getuid() == 0:
        value = planted("a").encode()
        assert any(value in content for _, content in memory_of(os.getpid()))
