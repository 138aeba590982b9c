# SPDX-License-Identifier: Apache-2.0
"""The fake cloud speaks as Entra does: Microsoft's own client gets its tokens from it.

npm's @azure/msal-node knows nothing of this project. What it does not understand, or is refused
although it did right, is a defect of the fake cloud. Its packages are installed by tools/dev
(npm ci) from the lock file in interop/.
"""
import json
import os
import shutil
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from world import ROOT, FakeCloud

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "fakecloud"))
MODULES = os.path.join(ROOT, "build", "interop")
SECRET = "s3cret ~+&"
REDIRECT = "http://localhost"
ADMIN = "Ada Admin"

if not shutil.which("node"):
    pytest.skip("node is not installed", allow_module_level=True)
if not os.path.isdir(os.path.join(MODULES, "node_modules", "@azure", "msal-node")):
    pytest.skip("msal-node is not installed: tools/dev test system does it",
                allow_module_level=True)


class Msal:
    """The client as a process."""

    def __init__(self, cloud, folder, **credential):
        settings = {"modules": MODULES, "authority": cloud.state["authority_url"],
                    "tenant": cloud.state["tenant_id"], "client": cloud.state["client_id"],
                    "redirectUri": REDIRECT, **credential}
        path = os.path.join(str(folder), "msal.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(settings, out)
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "interop", "msal.mjs"), path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": cloud.state["ca_file"]})

    def hear(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, call, **args):
        self.process.stdin.write(json.dumps({"call": call, **args}) + "\n")
        self.process.stdin.flush()

    def call(self, call, **args):
        """Its result, which has to be a good one."""
        self.ask(call, **args)
        answer = self.hear()
        assert "result" in answer, answer
        return answer["result"]

    def fail(self, call, **args):
        self.ask(call, **args)
        answer = self.hear()
        assert "error" in answer, answer
        return answer

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def cloud(tmp_path):
    with FakeCloud(None, tmp_path, records={"count": 1}, entra={
            "secrets": [SECRET], "device_interval_s": 1, "assertion_once": False}) as running:
        yield running


@pytest.fixture
def msal(cloud, tmp_path):
    """msal(secret=) or msal(key=, thumbprint=) or msal(): the client, confidential or public."""
    made = []

    def make(**credential):
        platform = "web" if credential else "public"
        cloud.entra(redirect_uris={"web": [], "public": [], platform: [REDIRECT]},
                    public_flows=not credential)
        made.append(Msal(cloud, tmp_path, **credential))
        return made[-1]

    yield make
    for one in made:
        one.close()


def certificate(cloud):
    """A registered certificate, as the client wants it."""
    from client import Identity
    identity = Identity()
    cloud.entra(certificate=identity.pem)
    key = identity.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()).decode()
    return {"key": key, "thumbprint": identity.cert.fingerprint(hashes.SHA256()).hex()}


def graph(cloud, token, target):
    """Status of what Graph answers to this token."""
    from client import Client
    client = Client(cloud)
    client.token = token
    return client.get(target)[0]


def sign_in(cloud, client, who=ADMIN, press=()):
    """A person follows the client's link; the code that came back."""
    from person import Person
    person = Person(cloud).open(client.call("link", state="s1")).press(who)
    for label in press:
        person.press(label)
    assert person.query["state"] == "s1"
    return person.query["code"]


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_application_gets_a_token_for_itself(cloud, msal, kind):
    client = msal(secret=SECRET) if kind == "secret" else msal(**certificate(cloud))
    first = client.call("clientCredentials")
    assert graph(cloud, first["accessToken"], "/v1.0/communications/callRecords") == 200
    again = client.call("clientCredentials")
    assert again["fromCache"] and again["accessToken"] == first["accessToken"]
    assert not client.call("clientCredentials", skipCache=True)["fromCache"]


@pytest.mark.parametrize("change, error, code", [
    ({"expired_secrets": [SECRET]}, "invalid_client", 7000222),
    ({"secrets": []}, "invalid_client", 7000215),
    ({"enabled": False}, "unauthorized_client", 7000112)])
def test_refusals_are_understood(cloud, msal, change, error, code):
    client = msal(secret=SECRET)
    cloud.entra(**change)
    answer = client.fail("clientCredentials")
    assert answer["error"] == error and "AADSTS%d" % code in answer["message"]


def test_conditional_access_comes_with_its_claims(cloud, msal):
    client = msal(secret=SECRET)
    cloud.entra(conditional_access=["app"])
    answer = client.fail("clientCredentials")
    assert answer["kind"] == "InteractionRequiredAuthError" and "53003" in answer["message"]
    assert "capolids" in answer["claims"] and answer["suberror"] == "message_only"


@pytest.mark.parametrize("kind", ["public", "secret", "certificate"])
def test_person_signs_in_by_code_and_pkce_and_stays_signed_in(cloud, msal, kind):
    client = {"public": msal, "secret": lambda: msal(secret=SECRET),
              "certificate": lambda: msal(**certificate(cloud))}[kind]()
    done = client.call("code", code=sign_in(cloud, client))
    assert (done["name"], done["username"]) == (ADMIN, "admin@contoso.example")
    assert done["tenantId"] == cloud.state["tenant_id"]
    assert graph(cloud, done["accessToken"], "/v1.0/me") == 200
    cached = client.call("silent")
    assert cached["fromCache"] and cached["accessToken"] == done["accessToken"]
    renewed = client.call("silent", forceRefresh=True)
    assert not renewed["fromCache"] and renewed["accessToken"] != done["accessToken"]
    assert graph(cloud, renewed["accessToken"], "/v1.0/me") == 200
    text = cloud.credentials()["refresh_tokens"][0]
    assert client.call("refresh", token=text)["accessToken"]
    cloud.entra(revoke_refresh=True)
    assert client.fail("silent", forceRefresh=True)["error"] == "invalid_grant"


def test_code_with_another_verifier_is_of_no_use(cloud, msal):
    client = msal()
    answer = client.fail("code", code=sign_in(cloud, client), verifier="w" * 43)
    assert answer["error"] == "invalid_grant" and "AADSTS501481" in answer["message"]


def test_consent_that_is_missing_asks_for_a_person(cloud, msal):
    client = msal()
    code = sign_in(cloud, client)
    cloud.entra(withdraw=["User.Read"])
    answer = client.fail("code", code=code)
    assert (answer["kind"], answer["suberror"]) == (
        "InteractionRequiredAuthError", "consent_required")


@pytest.mark.parametrize("press, error", [("Accept", None), ("Cancel", "authorization_declined")])
def test_device_code_is_polled_to_its_end(cloud, msal, press, error):
    from person import Person
    client = msal()
    client.ask("deviceCode")
    told = client.hear()
    assert told["event"] == "device" and told["expiresIn"] == 900
    person = Person(cloud).open(told["verificationUri"])
    person.press("Next", user_code=told["userCode"]).press(ADMIN).press(press)
    answer = client.hear()
    if error:
        assert answer["message"] == error
        return
    assert answer["result"]["name"] == ADMIN
    assert client.call("silent", forceRefresh=True)["username"] == "admin@contoso.example"
