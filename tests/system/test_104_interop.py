# SPDX-License-Identifier: Apache-2.0
"""Signing in to an authorization server that nobody here wrote: npm's oidc-provider.

It knows the box by the public key of its certificate, and finds by itself what is wrong with an
assertion. Its packages are installed by tools/dev (npm ci) from the lock file in interop/.
"""
import base64
import json
import os
import shutil
import subprocess
import threading

import pytest
from cryptography import x509
from world import ROOT, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = os.path.join(ROOT, "build", "interop")
CALLS = {"retry_base_ms": 20, "retry_cap_ms": 100}

if not shutil.which("node"):
    pytest.skip("node is not installed", allow_module_level=True)
if not os.path.isdir(os.path.join(MODULES, "node_modules", "oidc-provider")):
    pytest.skip("oidc-provider is not installed: tools/dev test system does it",
                allow_module_level=True)


def public_jwk(pem):
    numbers = x509.load_pem_x509_certificate(pem.encode()).public_key().public_numbers()

    def text(number):
        data = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    return {"kty": "RSA", "use": "sig", "alg": "PS256", "n": text(numbers.n), "e": text(numbers.e)}


class Provider:
    """The server as a process, and what it says."""

    def __init__(self, world, folder, mode, ahead_s):
        settings = {"modules": MODULES, "mode": mode, "ahead_s": ahead_s,
                    "cert": os.path.join(world.cloud.folder, "rsa-good.pem"),
                    "key": os.path.join(world.cloud.folder, "rsa-key.pem"),
                    "jwk": public_jwk(world.box.certificate()),
                    "tenant": world.box.config["tenant_id"],
                    "client": world.box.config["client_id"]}
        path = os.path.join(str(folder), "provider.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(settings, out)
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "interop", "provider.mjs"), path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.said = [json.loads(self.process.stdout.readline())]
        threading.Thread(target=self._listen, daemon=True).start()
        self.url = "https://127.0.0.1:%d" % self.said[0]["port"]

    def _listen(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def refusals(self):
        return [s["why"] for s in self.said if "refused" in s]

    def grants(self):
        return sum("granted" in s for s in self.said)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def sign_in(make_world, tmp_path):
    """sign_in(mode): a box whose authority is the provider, running."""
    providers = []

    def make(mode="good", ahead_s=0, prepare=None):
        world = make_world("quiet", calls=CALLS)
        if prepare:
            prepare(world)
        provider = Provider(world, tmp_path, mode, ahead_s)
        providers.append(provider)
        world.box.config["sandbox"]["authority_url"] = provider.url
        world.box.write_config()
        world.start()
        return world, provider

    yield make
    for provider in providers:
        provider.close()


def test_it_grants_a_token_that_the_box_uses(sign_in):
    world, provider = sign_in()
    world.wait_log("auth_token_good")
    wait_until(lambda: provider.grants() >= 1, "what it said")
    assert not provider.refusals()
    assert not world.log("auth_failed")
    # Graph does not know the token, of course: it says 401, and the box asks for another one.
    world.wait_log("auth_token_rejected")
    wait_until(lambda: provider.grants() >= 2, "another token")
    assert world.cloud.requests("graph.list", "401") >= 1
    assert world.alive()


def test_wrong_audience(sign_in):
    """The token endpoint has another name than the one that the box wrote into its assertion."""
    world, provider = sign_in("other_audience")
    line = world.wait_log("auth_failed")
    assert (line["code"], line["cause"], line["status"]) == ("A10", "cert_rejected", "401")
    wait_until(provider.refusals, "what it said")
    assert all("audience" in why for why in provider.refusals())
    assert world.alive()


def test_a_clock_that_graph_does_not_share_is_not_believed(sign_in):
    """Its clock is nine hours ahead of Graph's: the time stays unknown, and nobody signs in."""
    world, provider = sign_in(ahead_s=9 * 3600)
    assert world.wait_log("time_unknown")["cause"] == "hosts_disagree"
    wait_until(lambda: world.cloud.requests("graph.other") >= 5, "it asks again")
    assert not provider.grants() and not provider.refusals(), "no token was asked for"
    assert world.alive()


def test_replayed_assertion(sign_in):
    """Somebody presented the assertion before the box did: refused, and the next one is new."""
    world, provider = sign_in("replay")
    line = world.wait_log("auth_failed")
    assert (line["code"], line["cause"]) == ("A10", "cert_rejected")
    wait_until(lambda: provider.grants() >= 3, "each assertion is a new one")
    assert set(provider.refusals()) == {"client assertion tokens must only be used once"}
    assert world.alive()


def test_key_that_it_does_not_know(sign_in):
    """The provider was told the key of another box: the signature does not fit."""
    def other_box(world):
        other = world.make_box(os.path.join(world.box.folder, "other"))
        world.box.certificate = other.certificate
    world, provider = sign_in(prepare=other_box)
    line = world.wait_log("auth_failed")
    assert (line["code"], line["cause"]) == ("A10", "cert_rejected")
    wait_until(provider.refusals, "what it said")
    assert "signature" in provider.refusals()[0]


def test_client_that_it_does_not_know(sign_in):
    world, provider = sign_in()
    world.wait_log("auth_token_good")
    assert world.box.stop() == 0
    world.box.config["client_id"] = "00000000-1111-4222-8333-444444444444"
    world.box.write_config()
    world.start()
    assert world.wait_log("auth_failed")["cause"] in ("app_unknown", "cert_rejected")
    wait_until(provider.refusals, "what it said")
