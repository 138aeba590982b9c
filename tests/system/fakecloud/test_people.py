# SPDX-License-Identifier: Apache-2.0
"""People at Entra's pages: consent, sign-in with code and PKCE, device code, refresh."""
import base64
import hashlib
import json
import urllib.parse

import pytest
from client import BASE, Client, Identity
from person import Person

ADMIN, MEMBER, STRANGER = "Ada Admin", "Mia Member", "Sam Stranger"
SCOPE = "openid profile offline_access User.Read"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
WEB, PUBLIC = "http://localhost", "http://localhost/app"
PLATFORMS = {"web": [WEB], "public": [PUBLIC]}


class Tenant(Client):
    """A client of the token endpoint, with links for people."""

    def link(self, path, **members):
        members = {"client_id": self.state["client_id"], **members}
        text = urllib.parse.urlencode({k: v for k, v in members.items() if v is not None})
        return "%s/%s/%s?%s" % (self.state["authority_url"], self.state["tenant_id"], path, text)

    def consent_link(self, **change):
        return self.link("v2.0/adminconsent", **{
            "scope": self.state["graph_url"] + "/.default", "redirect_uri": WEB, "state": "s t&",
            **change})

    def sign_in_link(self, **change):
        return self.link("oauth2/v2.0/authorize", **{
            "response_type": "code", "redirect_uri": PUBLIC, "scope": SCOPE, "state": "xyz",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256", **change})

    def exchange(self, grant, confidential=False, **form):
        if confidential:
            form = {"client_secret": "s3cret", **form}
        return self.ask_token(grant_type=grant, **{
            "scope": None, "client_secret": None, "client_assertion": None,
            "client_assertion_type": None, **form})

    def code(self, person=ADMIN, **change):
        """A code that somebody signed in for."""
        at = Person(self.cloud).open(self.sign_in_link(**change)).press(person)
        if at.left is None:
            at.press("Accept")
        return at.query["code"]

    def by_code(self, code, confidential=False, /, **change):
        return self.exchange("authorization_code", confidential, **{
            "code": code, "redirect_uri": WEB if confidential else PUBLIC,
            "code_verifier": VERIFIER, **change})

    def ask_device(self, **form):
        """(status, object) of a request for a device code."""
        form = {"client_id": self.state["client_id"], "scope": SCOPE, **form}
        url = "%s/%s/oauth2/v2.0/devicecode" % (self.state["authority_url"],
                                                self.state["tenant_id"])
        status, _, data = self.request(url, "POST", urllib.parse.urlencode(form), {
            "Content-Type": "application/x-www-form-urlencoded"})
        return status, json.loads(data)

    def poll(self, code, **change):
        return self.exchange(DEVICE_CODE, device_code=code, **change)


@pytest.fixture
def new(start_cloud):
    """new(**settings of entra)"""
    def make(**entra):
        entra = {"consent": False, "secrets": ["s3cret"], "redirect_uris": PLATFORMS, **entra}
        return Tenant(start_cloud(records={"count": 1}, entra=entra), Identity())
    return make


def refused(answer):
    assert answer[0] >= 400, answer
    return answer[1]["error_codes"][0], answer[1]["error"]


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# -- consent for the tenant

def test_admin_accepts_and_the_next_token_has_the_roles(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link()).press(ADMIN)
    assert "Read all call records" in person.text
    person.press("Accept")
    assert person.left.startswith(WEB + "?")
    assert (person.query["admin_consent"], person.query["state"]) == ("True", "s t&")
    assert person.query["tenant"] == tenant.state["tenant_id"] and "error" not in person.query
    assert "CallRecords.Read.All" in person.query["scope"]
    tenant.sign_in()
    assert tenant.get(BASE)[0] == 200


def test_admin_cancels_and_admin_consent_is_in_the_failure_too(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link()).press(ADMIN).press("Cancel")
    assert (person.query["error"], person.query["admin_consent"]) == ("consent_required", "True")
    assert person.query["error_description"].startswith("AADSTS65004: ")
    assert person.query["state"] == "s t&"
    tenant.sign_in()
    assert tenant.get(BASE)[0] == 403


def test_member_cannot_consent_for_the_tenant(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link()).press(MEMBER)
    assert "Need admin approval" in person.text
    person.press("Return")
    assert person.query["error"] == "access_denied"
    tenant.sign_in()
    assert tenant.get(BASE)[0] == 403


def test_person_of_another_tenant_stays_at_the_choice_of_accounts(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link()).press(STRANGER)
    assert "AADSTS50020" in person.text and person.left is None
    assert person.press(ADMIN).press("Accept").left


def test_consent_gives_what_the_registration_lists_and_no_more(new):
    tenant = new(required=["CallRecords.Read.All", "User.Read"])
    Person(tenant.cloud).open(tenant.consent_link()).press(ADMIN).press("Accept")
    tenant.sign_in()
    assert claims(tenant.token)["roles"] == ["CallRecords.Read.All"]


@pytest.mark.parametrize("change, code", [
    ({"client_id": "c11e57a0-0000-4000-8000-000000000bad"}, 700016),
    ({"redirect_uri": "https://evil.example/"}, 50011), ({"redirect_uri": None}, 900144),
    ({"redirect_uri": "http://localhost/other"}, 50011), ({"scope": None}, 900144),
    ({"scope": "https://graph.microsoft.us/.default"}, 500011),
    ({"scope": "https://graph.microsoft.com/CallRecords.Read.All"}, 70011)])
def test_consent_link_that_is_wrong_stays_on_the_page(new, change, code):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link(**change))
    assert person.left is None and "AADSTS%d" % code in person.text and person.status == 400


def test_port_of_localhost_does_not_count(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link(redirect_uri="http://localhost:8080"))
    assert person.press(ADMIN).press("Accept").left.startswith("http://localhost:8080?")


def test_older_form_of_the_link_has_no_scope(new):
    tenant = new()
    link = tenant.link("adminconsent", redirect_uri=WEB, state="1")
    person = Person(tenant.cloud).open(link).press(ADMIN).press("Cancel")
    assert person.query["error"] == "permission_denied"
    assert "scope" not in Person(tenant.cloud).open(link).press(ADMIN).press("Accept").query


def test_page_needs_its_own_token(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.consent_link()).press(ADMIN)
    person.press("Accept", canary="guessed")
    assert "AADSTS50089" in person.text and person.left is None


# -- code and PKCE

def test_code_becomes_tokens_for_a_person(new):
    tenant = new()
    status, answer = tenant.by_code(tenant.code(nonce="n1"))
    assert status == 200 and answer["scope"] == "openid profile User.Read"
    who = claims(answer["id_token"])
    assert (who["name"], who["preferred_username"]) == (ADMIN, "admin@contoso.example")
    assert (who["tid"], who["nonce"]) == (tenant.state["tenant_id"], "n1") and who["oid"]
    tenant.token = answer["access_token"]
    me = json.loads(tenant.get("/v1.0/me")[2])
    assert me["id"] == who["oid"] and me["displayName"] == ADMIN


def test_token_of_a_person_reads_no_call_records_and_no_directory(new):
    tenant = new(consent=True)
    tenant.token = tenant.by_code(tenant.code())[1]["access_token"]
    for target in (BASE, "/v1.0/users", "/beta/teamwork/devices"):
        assert tenant.get(target)[0] == 403


def test_code_is_used_once(new):
    tenant = new()
    code = tenant.code()
    assert tenant.by_code(code)[0] == 200
    assert refused(tenant.by_code(code)) == (54005, "invalid_grant")


def test_code_expires(new):
    tenant = new()
    code = tenant.code()
    tenant.cloud.entra(clock_offset_s=601)
    assert refused(tenant.by_code(code)) == (70008, "invalid_grant")


@pytest.mark.parametrize("change, code", [
    ({"code_verifier": "w" * 43}, 501481), ({"code_verifier": None}, 501481),
    ({"redirect_uri": "http://localhost:1/app"}, 500112), ({"redirect_uri": None}, 900144),
    ({"code": "1.Anonsense"}, 70000), ({"code": None}, 900144), ({"client_id": "x"}, 700016),
    ({"client_secret": "s3cret"}, 700025),
    ({"scope": "https://elsewhere.example/x"}, 500011)])
def test_code_with_something_wrong_is_refused(new, change, code):
    tenant = new()
    assert refused(tenant.by_code(tenant.code(), **change))[0] == code


def test_confidential_client_has_to_show_its_credential(new):
    tenant = new()
    code = tenant.code(redirect_uri=WEB)
    assert refused(tenant.by_code(code, redirect_uri=WEB)) == (7000218, "invalid_client")
    assert refused(tenant.by_code(code, True, client_secret="wrong"))[0] == 7000215
    assert tenant.by_code(code, True)[0] == 200


def test_certificate_serves_a_person_as_well(new):
    tenant = new()
    tenant.cloud.entra(certificate=tenant.identity.pem)
    text = tenant.identity.assertion(tenant.token_url(), tenant.state["client_id"])
    assert tenant.by_code(
        tenant.code(redirect_uri=WEB), redirect_uri=WEB, client_assertion=text,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer")[0] == 200


@pytest.mark.parametrize("change, error", [
    ({"code_challenge": None}, "invalid_request"), ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"scope": "openid Mail.Read"}, "invalid_scope"), ({"prompt": "none"}, "login_required"),
    ({"response_type": "token"}, "unsupported_response_type"), ({"scope": ""}, "invalid_scope")])
def test_sign_in_link_that_is_wrong_goes_back_with_an_error(new, change, error):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.sign_in_link(**change))
    assert (person.query["error"], person.query["state"]) == (error, "xyz")


def test_sign_in_never_goes_to_an_address_that_is_not_registered(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.sign_in_link(redirect_uri="http://127.0.0.1/app"))
    assert person.left is None and "AADSTS50011" in person.text


def test_person_who_declines_is_told_to_the_application(new):
    tenant = new()
    person = Person(tenant.cloud).open(tenant.sign_in_link()).press(MEMBER).press("Cancel")
    assert (person.query["error"], person.query["error_subcode"]) == ("access_denied", "cancel")
    assert "code" not in person.query and person.query["state"] == "xyz"


def test_user_read_is_asked_for_once(new):
    tenant = new()
    Person(tenant.cloud).open(tenant.sign_in_link()).press(MEMBER).press("Accept")
    assert Person(tenant.cloud).open(tenant.sign_in_link()).press(MEMBER).query["code"]


def test_members_may_be_kept_from_consenting(new):
    tenant = new(user_consent=False)
    person = Person(tenant.cloud).open(tenant.sign_in_link()).press(MEMBER)
    assert "AADSTS90094" in person.text
    tenant.cloud.entra(grant=["User.Read"])
    assert Person(tenant.cloud).open(tenant.sign_in_link()).press(MEMBER).query["code"]


def test_conditional_access_blocks_on_the_page(new):
    tenant = new(conditional_access=["user"])
    person = Person(tenant.cloud).open(tenant.sign_in_link()).press(ADMIN)
    assert "AADSTS53003" in person.text and person.left is None


# -- refresh

@pytest.mark.parametrize("confidential", [False, True])
def test_refresh_gives_a_new_one_and_the_old_one_goes_on(new, confidential):
    tenant = new()
    code = tenant.code(redirect_uri=WEB if confidential else PUBLIC)
    first = tenant.by_code(code, confidential)[1]["refresh_token"]
    tokens = [first]
    for text in (first, first):
        status, answer = tenant.exchange("refresh_token", confidential, refresh_token=text,
                                         scope=SCOPE)
        assert status == 200
        tokens.append(answer["refresh_token"])
    assert len(set(tokens)) == 3
    tenant.cloud.entra(revoke_refresh=True)
    for text in tokens:
        assert refused(tenant.exchange("refresh_token", confidential, refresh_token=text)) == (
            50173, "invalid_grant")


def test_password_change_ends_tokens_of_public_clients_only(new):
    tenant = new()
    public = tenant.by_code(tenant.code())[1]["refresh_token"]
    secret = tenant.by_code(tenant.code(redirect_uri=WEB), True)[1]["refresh_token"]
    tenant.cloud.entra(password_change="admin@contoso.example")
    assert refused(tenant.exchange("refresh_token", refresh_token=public))[0] == 50173
    assert tenant.exchange("refresh_token", True, refresh_token=secret)[0] == 200


def test_refresh_token_dies_of_disuse_only(new):
    tenant = new()
    text = tenant.by_code(tenant.code())[1]["refresh_token"]
    for days in (80, 160):
        tenant.cloud.entra(clock_offset_s=days * 86400)
        assert tenant.exchange("refresh_token", refresh_token=text)[0] == 200
    tenant.cloud.entra(clock_offset_s=251 * 86400)
    assert refused(tenant.exchange("refresh_token", refresh_token=text)) == (
        700082, "invalid_grant")


def test_refresh_follows_the_kind_of_its_client_and_todays_consent(new):
    tenant = new()
    text = tenant.by_code(tenant.code(redirect_uri=WEB), True)[1]["refresh_token"]
    assert refused(tenant.exchange("refresh_token", refresh_token=text))[0] == 7000218
    assert refused(tenant.exchange("refresh_token", True, refresh_token="x"))[0] == 70000
    tenant.cloud.entra(conditional_access=["mfa"])
    assert refused(tenant.exchange("refresh_token", True, refresh_token=text)) == (
        50076, "interaction_required")


def test_no_refresh_token_without_offline_access(new):
    tenant = new()
    answer = tenant.by_code(tenant.code(scope="User.Read"))[1]
    assert "refresh_token" not in answer and "id_token" not in answer


# -- device code

def test_device_code_from_pending_to_tokens(new):
    tenant = new(public_flows=True)
    status, asked = tenant.ask_device()
    assert status == 200 and (asked["expires_in"], asked["interval"]) == (900, 5)
    assert asked["user_code"] in asked["message"]
    tenant.cloud.entra(clock_offset_s=5)
    assert refused(tenant.poll(asked["device_code"])) == (70016, "authorization_pending")
    person = Person(tenant.cloud).open(asked["verification_uri"])
    person.press("Next", user_code="NOTHING00")
    assert "didn't work" in person.text
    person.press("Next", user_code=asked["user_code"].lower()).press(ADMIN).press("Accept")
    assert "You have signed in" in person.text
    tenant.cloud.entra(clock_offset_s=10)
    status, answer = tenant.poll(asked["device_code"])
    assert status == 200 and claims(answer["id_token"])["name"] == ADMIN
    assert refused(tenant.poll(asked["device_code"]))[0] == 54005
    assert tenant.exchange("refresh_token", refresh_token=answer["refresh_token"])[0] == 200


def test_polling_too_fast_slows_down_for_good(new):
    tenant = new(public_flows=True, slow_down=True)
    code = tenant.ask_device()[1]["device_code"]
    assert refused(tenant.poll(code))[1] == "authorization_pending"
    assert refused(tenant.poll(code))[1] == "slow_down"
    tenant.cloud.entra(clock_offset_s=6)
    assert refused(tenant.poll(code))[1] == "slow_down", "now it is 10 s"
    tenant.cloud.entra(clock_offset_s=22)
    assert refused(tenant.poll(code))[1] == "authorization_pending"


def test_device_code_declined_expired_and_wrong(new):
    tenant = new(public_flows=True)
    asked = tenant.ask_device()[1]
    Person(tenant.cloud).open(asked["verification_uri"]).press(
        "Next", user_code=asked["user_code"]).press(MEMBER).press("Cancel")
    assert refused(tenant.poll(asked["device_code"]))[1] == "authorization_declined"
    assert refused(tenant.poll("Dnonsense")) == (70018, "bad_verification_code")
    other = tenant.ask_device()[1]
    tenant.cloud.entra(clock_offset_s=901)
    assert refused(tenant.poll(other["device_code"])) == (70020, "expired_token")
    person = Person(tenant.cloud).open(other["verification_uri"])
    assert "didn't work" in person.press("Next", user_code=other["user_code"]).text


def test_device_code_blocked_by_policy_at_the_page_or_at_the_poll(new):
    tenant = new(public_flows=True, conditional_access=["device_page"])
    asked = tenant.ask_device()[1]
    at_page = Person(tenant.cloud).open(asked["verification_uri"]).press(
        "Next", user_code=asked["user_code"]).press(ADMIN)
    assert "AADSTS53003" in at_page.text
    assert refused(tenant.poll(asked["device_code"]))[1] == "authorization_pending"
    tenant.cloud.entra(conditional_access=["device_code"])
    Person(tenant.cloud).open(asked["verification_uri"]).press(
        "Next", user_code=asked["user_code"]).press(ADMIN).press("Accept")
    assert refused(tenant.poll(asked["device_code"]))[0] == 53003


def test_device_code_asks_a_confidential_client_for_its_credential(new):
    tenant = new()
    asked = tenant.ask_device()[1]
    assert refused(tenant.poll(asked["device_code"]))[0] == 7000218
    assert refused(tenant.poll(asked["device_code"], client_secret="s3cret"))[0] == 70016


@pytest.mark.parametrize("form, code", [
    ({"client_id": "x"}, 700016), ({"scope": ""}, 900144), ({"scope": "Mail.Read"}, 70011)])
def test_device_code_is_not_given_for_something_wrong(new, form, code):
    assert refused(new().ask_device(**form))[0] == code


# -- discovery

def test_discovery_names_what_is_served_and_the_key_verifies_id_tokens(new):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    tenant = new()
    url = "%s/%s/v2.0/.well-known/openid-configuration" % (
        tenant.state["authority_url"], tenant.state["tenant_id"])
    facts = json.loads(tenant.request(url)[2])
    assert facts["token_endpoint"] == tenant.token_url()
    key = json.loads(tenant.request(facts["jwks_uri"])[2])["keys"][0]

    def number(text):
        return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")
    text = tenant.by_code(tenant.code())[1]["id_token"]
    signed, _, signature = text.rpartition(".")
    rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(),
        hashes.SHA256())
    assert claims(text)["iss"] == facts["issuer"]
