# SPDX-License-Identifier: Apache-2.0
"""The token endpoint verifies for real, and answers as Entra does."""
import re
import time

import pytest
from client import Client, Identity
from fakecloud.aadsts import ERRORS


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    from cloud import FakeCloud
    with FakeCloud(None, tmp_path_factory.mktemp("entra"), records={"count": 1},
                   entra={"secrets": ["s3cret ~+&"], "expired_secrets": ["old"]}) as running:
        yield running


@pytest.fixture(scope="module")
def client(cloud):
    return Client(cloud, Identity()).sign_in()


def code_of(answer):
    status, body = answer
    assert status >= 400
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert "\r\nTrace ID: " in body["error_description"]
    assert set(body) >= {"error", "error_codes", "trace_id", "correlation_id", "error_uri"}
    return body["error_codes"][0]


def test_good_assertion_gives_a_token(client):
    status, answer = client.ask_token()
    assert status == 200 and answer["token_type"] == "Bearer" and answer["expires_in"] >= 3600
    assert client.get("/v1.0/communications/callRecords")[0] == 200 or client.token


def test_assertion_may_be_used_once(client):
    text = client.identity.assertion(client.token_url(), client.state["client_id"])
    assert client.ask_token(client_assertion=text)[0] == 200
    assert code_of(client.ask_token(client_assertion=text)) == 50013


@pytest.mark.parametrize("claims, code", [
    ({"aud": "https://login.microsoftonline.com/x/oauth2/v2.0/token"}, 50013),
    ({"iss": "someone"}, 50013), ({"sub": "someone"}, 50013), ({"jti": None}, 50013),
    ({"exp": 1}, 500133), ({"nbf": 4000000000}, 500133), ({"exp": "soon"}, 50013),
    ({"exp": int(time.time()) + 3600}, 50013), ({"nbf": int(time.time()) - 3600}, 50013)])
def test_wrong_claims_are_refused(client, claims, code):
    text = client.identity.assertion(client.token_url(), client.state["client_id"], **claims)
    assert code_of(client.ask_token(client_assertion=text)) == code


@pytest.mark.parametrize("header", [{"alg": "RS256"}, {"alg": "none"}, {"x5t#S256": "AAAA"},
                                    {"x5t#S256": None}])
def test_wrong_headers_are_refused(client, header):
    text = client.identity.assertion(client.token_url(), client.state["client_id"], header)
    assert code_of(client.ask_token(client_assertion=text)) == 700027


def test_wrong_salt_length_and_broken_signature_are_refused(client):
    args = client.token_url(), client.state["client_id"]
    assert code_of(client.ask_token(
        client_assertion=client.identity.assertion(*args, salt=20))) == 700027
    text = client.identity.assertion(*args)
    bad = text[:-10] + ("A" if text[-10] != "A" else "B") + text[-9:]
    assert code_of(client.ask_token(client_assertion=bad)) == 700027
    assert code_of(client.ask_token(client_assertion="a.b")) == 50027


def test_unregistered_certificate_is_refused(cloud):
    assert code_of(Client(cloud, Identity()).ask_token()) == 700027


def test_secrets_right_wrong_expired_and_none(cloud):
    client = Client(cloud)
    assert client.ask_token(client_secret="s3cret ~+&")[0] == 200
    assert code_of(client.ask_token(client_secret="wrong")) == 7000215
    assert code_of(client.ask_token(client_secret="old")) == 7000222
    assert code_of(client.ask_token()) == 7000218


@pytest.mark.parametrize("form, code", [
    ({"scope": "https://graph.microsoft.com/CallRecords.Read.All"}, 70011),
    ({"scope": "https://elsewhere.example/.default"}, 500011), ({"scope": None}, 900144),
    ({"scope": "https://graph.microsoft.com/.default offline_access"}, 700022),
    ({"client_id": "another"}, 700016), ({"grant_type": "password"}, 70003),
    ({"grant_type": None}, 900144)])
def test_wrong_forms_are_refused(client, form, code):
    assert code_of(client.ask_token(**form)) == code


def test_every_known_error_can_be_produced(client):
    for code in ERRORS:
        client.cloud.fault({"service": "authority", "count": 1}, {"aadsts": code})
        status, body = client.ask_token()
        assert (status, body["error"]) == (ERRORS[code][1], ERRORS[code][0])
        client.cloud.clear_faults()


def test_consent_expiry_and_revocation(start_cloud):
    client = Client(start_cloud(records={"count": 1}), Identity())
    client.cloud.entra(consent=False)
    client.sign_in()
    assert client.get("/v1.0/communications/callRecords")[0] == 403
    client.cloud.entra(consent=True)
    assert client.get("/v1.0/communications/callRecords")[0] == 403  # the old token stays as it is
    client.sign_in()
    assert client.get("/v1.0/communications/callRecords")[0] == 200
    client.cloud.entra(revoke=True)
    status, headers, _ = client.get("/v1.0/communications/callRecords")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer")
    client.cloud.entra(lifetime_s=[1, 1])
    client.sign_in()
    assert client.get("/v1.0/communications/callRecords")[0] == 200
    time.sleep(1.1)
    assert client.get("/v1.0/communications/callRecords")[0] == 401


def test_clock_that_is_ahead_refuses_what_was_good(start_cloud):
    client = Client(start_cloud(records={"count": 1}, entra={"clock_offset_s": 7200}), Identity())
    client.cloud.entra(certificate=client.identity.pem)
    assert code_of(client.ask_token()) == 500133
