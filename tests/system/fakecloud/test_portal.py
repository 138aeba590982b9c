# SPDX-License-Identifier: Apache-2.0
"""The portal: what an administrator does there has the effect that it says."""
import re

import pytest
from client import BASE, Client, Identity
from cryptography.hazmat.primitives import serialization
from person import Person


@pytest.fixture
def client(start_cloud):
    return Client(start_cloud(records={"count": 1}, entra={"consent": False}), Identity())


def portal(client):
    return Person(client.cloud).open(client.state["portal_url"])


def test_it_shows_what_a_box_has_to_be_told(client):
    text = portal(client).text
    assert client.state["tenant_id"] in text and client.state["client_id"] in text
    assert "No certificate is registered." in text and "not granted" in text


def test_from_an_unknown_box_to_one_that_reads_call_records(client):
    person = portal(client)
    person.press("Upload", text=client.identity.pem)
    person.press("Grant admin consent")
    status, answer = client.ask_token()
    client.token = answer["access_token"]
    assert status == 200 and client.get(BASE)[0] == 200
    assert "on its way" not in person.text and "not granted" not in person.text


def test_file_in_der_is_taken_as_well(client):
    der = client.identity.cert.public_bytes(serialization.Encoding.DER)
    token = re.search(r'name="canary" value="([^"]+)"',
                      client.request(client.state["portal_url"])[2].decode())[1]
    parts = [b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name, value)
             for name, value in ((b"canary", token.encode()), (b"action", b"upload"))]
    parts.append(b'--b\r\nContent-Disposition: form-data; name="file"; filename="box.cer"\r\n'
                 b"Content-Type: application/octet-stream\r\n\r\n" + der + b"\r\n--b--\r\n")
    status = client.request(client.state["portal_url"], "POST", b"".join(parts), {
        "Content-Type": "multipart/form-data; boundary=b"})[0]
    assert status == 303 and client.ask_token()[0] == 200


@pytest.mark.parametrize("text, words", [
    ("", "Choose a file"), ("nonsense", "no certificate"),
    ("-----BEGIN PRIVATE KEY-----", "never leaves its box")])
def test_what_is_no_certificate_is_refused_in_words(client, text, words):
    person = portal(client).press("Upload", text=text)
    assert words in person.text and "No certificate is registered." in person.text


def test_certificate_can_be_removed(client):
    person = portal(client).press("Upload", text=client.identity.pem)
    assert client.ask_token()[0] == 200
    person.press("Remove")
    assert client.ask_token()[0] == 401


def test_permissions_one_by_one(client):
    client.cloud.entra(certificate=client.identity.pem)
    person = portal(client).press("Grant")
    client.sign_in()
    assert client.get(BASE)[0] == 200 and client.get("/v1.0/users")[0] == 403
    person.press("Withdraw")
    client.sign_in()
    assert client.get(BASE)[0] == 403


def test_secret_is_shown_once_and_expires_when_asked(client):
    person = portal(client).press("New secret", days="30")
    value = re.search(r"shown this once: (\S+)", person.text)[1]
    assert client.ask_token(client_secret=value)[0] == 200
    assert value not in portal(client).text
    person.press("Expire now")
    assert client.ask_token(client_secret=value)[1]["error_codes"] == [7000222]


def test_form_without_the_pages_token_does_nothing(client):
    person = portal(client).press("Grant admin consent", canary="guessed")
    assert "out of date" in person.text and "not granted" in person.text
