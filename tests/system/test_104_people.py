# SPDX-License-Identifier: Apache-2.0
"""A person's sign-in at an authorization server that nobody here wrote: npm's oidc-provider.

First a small client of our own goes the whole way, so that the server is known to do its part;
then the box does. Its packages are installed by tools/dev (npm ci) from the lock file in interop/.
"""
import base64
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from world import ROOT, FakeCloud, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "fakecloud"))
MODULES = os.path.join(ROOT, "build", "interop")
REDIRECT = "http://localhost/redirect"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

if not shutil.which("node"):
    pytest.skip("node is not installed", allow_module_level=True)
if not os.path.isdir(os.path.join(MODULES, "node_modules", "oidc-provider")):
    pytest.skip("oidc-provider is not installed: tools/dev test system does it",
                allow_module_level=True)


class Provider:
    """The server as a process, and what it says."""

    def __init__(self, cloud, folder, jwk):
        state = cloud.state
        self.client, self.tenant = state["client_id"], state["tenant_id"]
        settings = {"modules": MODULES, "cert": os.path.join(cloud.folder, "rsa-good.pem"),
                    "key": os.path.join(cloud.folder, "rsa-key.pem"), "jwk": jwk,
                    "tenant": self.tenant, "client": self.client, "redirectUri": REDIRECT}
        path = os.path.join(str(folder), "people.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(settings, out)
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "interop", "people.mjs"), path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.said = [json.loads(self.process.stdout.readline())]
        threading.Thread(target=self._listen, daemon=True).start()
        self.url = "https://127.0.0.1:%d" % self.said[0]["port"]
        self.scope = self.url + "/User.Read"
        self.context = ssl.create_default_context(cafile=state["ca_file"])

    def _listen(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def endpoint(self, name):
        return "%s/%s/oauth2/v2.0/%s" % (self.url, self.tenant, name)

    def link(self, **change):
        members = {"client_id": self.client, "redirect_uri": REDIRECT, "response_type": "code",
                   "response_mode": "query", "prompt": "select_account", "state": "s1",
                   "scope": "openid offline_access " + self.scope, "code_challenge": CHALLENGE,
                   "code_challenge_method": "S256", **change}
        return self.endpoint("authorize") + "?" + urllib.parse.urlencode(members)

    def post(self, name, **form):
        """(status, object)"""
        body = urllib.parse.urlencode({"client_id": self.client, **form}).encode()
        return self._ask(urllib.request.Request(self.endpoint(name), body))

    def me(self, token):
        return self._ask(urllib.request.Request(
            self.url + "/v1.0/me", headers={"Authorization": "Bearer " + token}))

    def _ask(self, request):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=self.context))
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def refusals(self):
        return [s["why"] for s in self.said if "refused" in s]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start_provider(tmp_path):
    """start_provider(cloud, jwk)"""
    made = []

    def make(cloud, jwk=None):
        made.append(Provider(cloud, tmp_path, jwk))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def cloud(tmp_path):
    with FakeCloud(None, tmp_path, records={"count": 1}) as running:
        yield running


@pytest.fixture
def signer(cloud, start_provider):
    """A confidential client: (provider, a function that gives the members of its proof)."""
    from client import Identity
    from test_104_interop import public_jwk
    identity = Identity()
    provider = start_provider(cloud, public_jwk(identity.pem))

    def proof():
        return {"client_assertion_type": JWT_BEARER,
                "client_assertion": identity.assertion(provider.endpoint("token"), provider.client)}
    return provider, proof


def person(cloud, provider, link):
    from person import Person
    return Person(cloud, provider.url).open(link)


@pytest.fixture
def start_box(make_world, start_provider):
    """start_box(known): a box whose sign-in and whose /me are the provider's; the provider knows
    the key of the box's certificate, or takes the box for a public client, which has nothing."""
    from person import BoxPage
    from test_104_interop import public_jwk

    def make(known=True):
        def change(config):
            config["status"] = {"listen": "127.0.0.1:0"}
            config["sign_in"] = {"redirect_uri": REDIRECT}
            config["credential"] = "certificate" if known else "secret"
        world = make_world("quiet", change=change)
        provider = start_provider(world.cloud, public_jwk(world.box.certificate()) if known
                                  else None)
        world.box.config["sandbox"].update(authority_url=provider.url, graph_url=provider.url)
        world.box.write_config()
        world.start()
        return world, provider, BoxPage(world)
    return make


def test_code_and_pkce_to_who_it_was(cloud, signer):
    provider, proof = signer
    at = person(cloud, provider, provider.link()).press("Ada Admin")
    assert at.query["state"] == "s1", (at.text, provider.said)
    form = {"grant_type": "authorization_code", "code": at.query["code"], "redirect_uri": REDIRECT}
    status, answer = provider.post("token", **form, code_verifier=VERIFIER, **proof())
    assert status == 200, (answer, provider.said)
    assert provider.me(answer["access_token"])[1]["displayName"] == "Ada Admin"
    status, again = provider.post("token", grant_type="refresh_token",
                                  refresh_token=answer["refresh_token"], **proof())
    assert status == 200 and again["refresh_token"] != answer["refresh_token"]


def test_another_verifier_and_no_proof_are_refused(cloud, signer):
    provider, proof = signer
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    code = person(cloud, provider, provider.link()).press("Ada Admin").query["code"]
    assert provider.post("token", **form, code=code, code_verifier=VERIFIER)[1]["error"] in (
        "invalid_client", "invalid_request")
    status, answer = provider.post("token", **form, code=code, code_verifier="w" * 64, **proof())
    assert (status, answer["error"]) == (400, "invalid_grant")


def test_person_who_declines(cloud, signer):
    provider, _ = signer
    at = person(cloud, provider, provider.link()).press("Cancel")
    assert at.query["error"] == "access_denied"


def test_device_code_of_a_public_client(cloud, start_provider):
    provider = start_provider(cloud)
    status, asked = provider.post("devicecode", scope="openid offline_access " + provider.scope)
    assert status == 200, (asked, provider.said)
    form = {"grant_type": DEVICE_CODE, "device_code": asked["device_code"]}
    assert provider.post("token", **form)[1]["error"] == "authorization_pending"
    at = person(cloud, provider, asked["verification_uri"]).press("Next",
                                                                 user_code=asked["user_code"])
    at.press("Continue").press("Ada Admin")
    assert "You have signed in" in at.text, (at.text, provider.said)
    status, answer = provider.post("token", **form)
    assert status == 200 and provider.me(answer["access_token"])[0] == 200


def test_box_learns_who_authorised_it_by_code_and_pkce(start_box):
    """The browser ends at an address that does not open, and the person pastes it."""
    world, provider, page = start_box()
    world.wait_log("time_trusted")
    page.press("Sign in with a link")
    at = person(world.cloud, provider, page.link("Open the sign-in page")).press("Ada Admin")
    page.press("Take this address", value=at.left)
    world.wait_log("signin_done")
    page.says("Ada Admin")
    wait_until(lambda: {"granted": "authorization_code"} in provider.said, "the provider's word")
    assert world.alive()


def test_box_is_told_that_the_person_declined(start_box):
    world, provider, page = start_box()
    world.wait_log("time_trusted")
    page.press("Sign in with a link")
    at = person(world.cloud, provider, page.link("Open the sign-in page")).press("Cancel")
    page.press("Take this address", value=at.left)
    assert world.wait_log("signin_failed")["cause"] == "declined"
    assert world.alive()


def test_box_believes_no_redirect_with_another_state(start_box):
    world, provider, page = start_box()
    world.wait_log("time_trusted")
    page.press("Sign in with a link")
    at = person(world.cloud, provider, page.link("Open the sign-in page")).press("Ada Admin")
    page.press("Take this address", value=at.left.replace("state=", "state=x"))
    page.press("Take this address", value=at.left)
    world.wait_log("signin_done")
    assert not world.log("signin_failed")


def test_box_learns_who_authorised_it_by_device_code(start_box):
    """It has no credential at all: a public client, as the provider sees it."""
    world, provider, page = start_box(known=False)
    world.wait_log("time_trusted")
    page.press("Sign in with a code")
    where = page.link("/devicelogin")
    code = re.search(r"Sign in with this code (\S+) Enter it at", page.person.text)[1]
    at = person(world.cloud, provider, where).press("Next", user_code=code)
    at.press("Continue").press("Ada Admin")
    world.wait_log("signin_done")
    page.says("Ada Admin")
    wait_until(lambda: {"granted": DEVICE_CODE} in provider.said, "the provider's word")
    assert world.alive()
