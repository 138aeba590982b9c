# SPDX-License-Identifier: Apache-2.0
"""Permissions as an administrator gives and takes them, and what Graph makes of each."""
import base64
import json
import time

import pytest
from client import BASE, Client, Identity

CALLS, USERS, DEVICES = "CallRecords.Read.All", "User.Read.All", "TeamworkDevice.Read.All"
WHERE = {CALLS: BASE, USERS: "/v1.0/users?$top=1&$select=id",
         DEVICES: "/beta/teamwork/devices?$top=1"}


@pytest.fixture
def new(start_cloud):
    """new(**settings of entra): a client whose certificate is registered."""
    def make(**entra):
        client = Client(start_cloud(records={"count": 1}, entra=entra), Identity())
        client.cloud.entra(certificate=client.identity.pem)
        return client
    return make


def signed_in(client):
    status, answer = client.ask_token()
    assert status == 200, answer
    client.token = answer["access_token"]
    return client


def roles_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).get("roles")


def statuses(client):
    return {name: client.get(target)[0] for name, target in WHERE.items()}


def code_of(answer):
    assert answer[0] >= 400, answer
    return answer[1]["error_codes"][0]


def test_consent_is_all_that_the_registration_asks_for(new):
    client = signed_in(new())
    assert roles_of(client.token) == [CALLS, USERS, DEVICES]
    assert set(statuses(client).values()) == {200}


def test_no_role_at_all_is_a_token_without_the_claim_and_403_everywhere(new):
    client = signed_in(new(consent=False))
    assert roles_of(client.token) is None
    assert set(statuses(client).values()) == {403}


@pytest.mark.parametrize("role", WHERE)
def test_each_permission_opens_its_own_and_nothing_else(new, role):
    client = signed_in(new(roles=[role]))
    assert roles_of(client.token) == [role]
    assert statuses(client) == {name: 200 if name == role else 403 for name in WHERE}


def test_refusals_look_as_those_of_graph(new):
    client = signed_in(new(roles=[]))
    errors = {name: json.loads(client.get(target)[2])["error"] for name, target in WHERE.items()}
    assert (errors[CALLS]["code"], errors[CALLS]["message"]) == ("Forbidden", "")
    assert errors[USERS]["code"] == "Authorization_RequestDenied"
    assert DEVICES in errors[DEVICES]["message"]
    assert all(e["innerError"]["request-id"] for e in errors.values())


def test_a_token_from_before_consent_stays_as_it_is_and_the_next_one_has_the_role(new):
    client = signed_in(new(consent=False))
    client.cloud.entra(grant=[CALLS])
    assert statuses(client) == {CALLS: 403, USERS: 403, DEVICES: 403}
    assert statuses(signed_in(client)) == {CALLS: 200, USERS: 403, DEVICES: 403}
    client.cloud.entra(grant=[USERS, DEVICES])
    assert set(statuses(signed_in(client)).values()) == {200}


def test_a_role_that_is_withdrawn_lasts_as_long_as_the_token(new):
    client = signed_in(new())
    client.cloud.entra(withdraw=[DEVICES])
    assert statuses(client)[DEVICES] == 200
    assert statuses(signed_in(client)) == {CALLS: 200, USERS: 200, DEVICES: 403}
    client.cloud.entra(consent=False)
    assert roles_of(signed_in(client).token) is None


def test_a_grant_takes_its_time_until_graph_knows_of_it(new):
    client = new(consent=False, propagation_s=7200)
    client.cloud.entra(grant=[CALLS, USERS])
    signed_in(client)
    assert roles_of(client.token) == [CALLS, USERS], "the token knows at once"
    assert statuses(client)[CALLS] == 403
    client.cloud.entra(propagation_s=0)
    assert statuses(client) == {CALLS: 200, USERS: 200, DEVICES: 403}


def test_time_of_the_spreading_is_the_clouds(new):
    client = new(consent=False, propagation_s=3600, lifetime_s=[90000, 90000])
    client.cloud.entra(grant=[CALLS])
    signed_in(client)
    client.cloud.entra(clock_offset_s=3000)
    assert statuses(client)[CALLS] == 403
    client.cloud.entra(clock_offset_s=3700)
    assert statuses(client)[CALLS] == 200


def test_spreading_may_last_for_ever_and_leaves_old_grants_alone(new):
    client = new(roles=[USERS], propagation_s="ever")
    client.cloud.entra(grant=[CALLS])
    assert statuses(signed_in(client)) == {CALLS: 403, USERS: 200, DEVICES: 403}


def test_users_come_in_pages_with_what_was_selected(new):
    client = signed_in(new())
    body = json.loads(client.get("/v1.0/users?$top=15&$select=id,displayName")[2])
    assert len(body["value"]) == 15 and set(body["value"][0]) == {"id", "displayName"}
    people = client.pages("/v1.0/users?$top=15")
    assert len(people) == len({p["id"] for p in people}) == len(client.pages("/v1.0/users"))
    assert "userPrincipalName" in people[0]


def test_devices_are_spelled_as_the_published_examples_are(new):
    client = signed_in(new())
    body = json.loads(client.get("/beta/teamwork/devices?$top=2")[2])
    assert body["value"][0]["deviceType"] == "CollaborationBar" and body["@odata.count"] == 2
    assert body["@odata.nextLink"].startswith("/teamwork/devices?")


@pytest.mark.parametrize("target", [
    "/v1.0/users?$top=0", "/v1.0/users?$top=1000", "/v1.0/users?$skip=3",
    "/v1.0/users?$select=shoeSize", "/beta/teamwork/devices?$top=51"])
def test_what_the_directory_refuses_is_refused(new, target):
    assert signed_in(new()).get(target)[0] == 400


def test_me_is_not_for_applications(new):
    status, _, data = signed_in(new()).get("/v1.0/me")
    error = json.loads(data)["error"]
    assert status == 400 and error["code"] == "BadRequest"
    assert error["message"] == "/me request is only valid with delegated authentication flow."


def test_conditional_access_refuses_the_application_with_claims(new):
    client = new(conditional_access=["app"])
    status, answer = client.ask_token()
    assert code_of((status, answer)) == 53003 and answer["suberror"]
    assert json.loads(answer["claims"])["access_token"]["capolids"]["essential"] is True
    client.cloud.entra(conditional_access=[])
    assert client.ask_token()[0] == 200


@pytest.mark.parametrize("code", [90038, 900382, 900432])
def test_tenant_of_another_cloud(new, code):
    assert code_of(new(other_cloud=code).ask_token()) == code


def test_application_that_is_switched_off_and_on_again(new):
    client = new(enabled=False)
    assert code_of(client.ask_token()) == 7000112
    client.cloud.entra(enabled=True)
    assert client.ask_token()[0] == 200


def test_two_certificates_side_by_side_and_one_taken_away(new):
    client, second = new(), Identity()
    first = client.identity
    client.cloud.entra(certificate=second.pem)
    for identity in (first, second):
        client.identity = identity
        assert client.ask_token()[0] == 200
    client.cloud.entra(remove_certificate=first.pem)
    client.identity = first
    assert code_of(client.ask_token()) == 700027
    client.identity = second
    assert client.ask_token()[0] == 200
    with pytest.raises(ValueError):
        client.cloud.entra(remove_certificate=first.pem)


def test_certificate_ends_with_its_last_day(new):
    client = new()
    client.identity = Identity(hours=-1)
    client.cloud.entra(certificate=client.identity.pem)
    status, answer = client.ask_token()
    assert code_of((status, answer)) == 700027 and "expired" in answer["error_description"]


def test_secrets_have_a_last_day_and_a_successor(new):
    client = new(secrets=[{"value": "first", "expires": "2099-01-01"}])
    assert client.ask_token(client_secret="first")[0] == 200
    client.cloud.entra(add_secret={"value": "second", "expires": int(time.time()) + 86400})
    assert client.ask_token(client_secret="second")[0] == 200
    client.cloud.entra(expire_secret="first")
    assert code_of(client.ask_token(client_secret="first")) == 7000222
    client.cloud.entra(remove_secret="second")
    assert code_of(client.ask_token(client_secret="second")) == 7000215


def test_token_endpoint_can_be_down(new):
    client = new()
    client.cloud.fault({"service": "authority", "kind": "token"}, {"status": 503, "empty": True})
    client.cloud.fault({"service": "authority", "kind": "token"}, {"aadsts": 90033})
    body = b"grant_type=client_credentials"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.request(client.token_url(), "POST", body, kind)[0] == 503
    client.cloud.clear_faults()
    assert client.ask_token()[0] == 200


@pytest.mark.parametrize("change", [{"roles": ["Mail.Read"]}, {"grant": ["Mail.Read"]},
                                    {"nosuch": 1}])
def test_what_does_not_exist_cannot_be_granted_or_set(new, change):
    with pytest.raises(ValueError):
        new().cloud.entra(**change)
