# SPDX-License-Identifier: Apache-2.0
"""Errors of the token endpoint, in the shape that Entra gives them."""
import json
import time
import uuid

from .clock import http_date
from .server import Response

# code: (error, HTTP status, text). Rows as Microsoft's reference-error-codes page pairs them.
ERRORS = {
    70002: ("invalid_client", 401, "Error validating credentials."),
    7000215: ("invalid_client", 401, "Invalid client secret provided."),
    7000222: ("invalid_client", 401, "The provided client secret keys of '{app}' are expired."),
    7000218: ("invalid_client", 401, "The request body must contain the following parameter: "
                                     "'client_assertion' or 'client_secret'."),
    700027: ("invalid_client", 401, "Client assertion failed signature validation."),
    50012: ("invalid_client", 401, "Authentication failed."),
    50013: ("invalid_client", 401, "Assertion failed signature validation."),
    500133: ("invalid_client", 401, "Assertion is not within its valid time range."),
    700025: ("invalid_client", 401, "Client is public so neither 'client_assertion' nor "
                                    "'client_secret' should be presented."),
    700016: ("unauthorized_client", 400, "Application with identifier '{app}' was not found."),
    70001: ("unauthorized_client", 400, "Application '{app}' is not supported for this account."),
    7000112: ("unauthorized_client", 400, "Application '{app}' is disabled."),
    90002: ("invalid_request", 400, "Tenant '{tenant}' not found."),
    90038: ("invalid_request", 400, "Tenant '{tenant}' request is being redirected to the National "
                                    "Cloud."),
    900382: ("invalid_request", 400, "Confidential client is not supported across clouds."),
    900432: ("invalid_request", 400, "Confidential client is not supported across clouds."),
    500011: ("invalid_resource", 400, "The resource principal was not found in the tenant."),
    650057: ("invalid_resource", 400, "Invalid resource."),
    650052: ("invalid_resource", 400, "The app needs a service that is not subscribed to."),
    70011: ("invalid_scope", 400, "The provided value for parameter 'scope' isn't valid."),
    28002: ("invalid_scope", 400, "Provided value for the input parameter scope isn't valid."),
    700022: ("invalid_scope", 400, "Scope contains more than one resource."),
    65001: ("invalid_grant", 400, "The user or administrator has not consented to use '{app}'."),
    90094: ("invalid_grant", 400, "An administrator of the tenant has set a policy."),
    65004: ("invalid_grant", 400, "User declined to consent to access the app."),
    50076: ("interaction_required", 400, "You must use multi-factor authentication."),
    50079: ("interaction_required", 400, "You must enroll in multi-factor authentication."),
    50072: ("interaction_required", 400, "You must enroll in multi-factor authentication."),
    50074: ("interaction_required", 400, "Strong authentication is required."),
    50078: ("interaction_required", 400, "Presented multi-factor authentication has expired."),
    53003: ("interaction_required", 400, "Access has been blocked by Conditional Access policies."),
    53000: ("interaction_required", 400, "Device is not in required device state."),
    50131: ("access_denied", 400, "Device is not in required device state."),
    530032: ("access_denied", 400, "Blocked by security policy."),
    70008: ("invalid_grant", 400, "The provided authorization code or refresh token has expired."),
    700082: ("invalid_grant", 400, "The refresh token has expired due to inactivity."),
    700084: ("invalid_grant", 400, "The refresh token was issued to a single page app."),
    70000: ("invalid_grant", 400, "Provided grant is invalid."),
    50089: ("invalid_grant", 400, "Authentication failed due to flow token expired."),
    50173: ("invalid_grant", 400, "The provided grant has expired due to it being revoked."),
    50133: ("invalid_grant", 400, "Session isn't valid due to password expiration."),
    50132: ("invalid_grant", 400, "Session isn't valid, credentials have been revoked."),
    70043: ("invalid_grant", 400, "The refresh token has expired due to sign-in frequency checks."),
    70016: ("authorization_pending", 400, "Pending end-user authorization."),
    70018: ("bad_verification_code", 400, "Invalid verification code."),
    70019: ("expired_token", 400, "Verification code expired."),
    50196: ("invalid_grant", 400, "The server terminated an operation: client loop."),
    90055: ("temporarily_unavailable", 429, "The tenant sent too many requests."),
    90033: ("temporarily_unavailable", 503, "A transient error has occurred. Please try again."),
    90090: ("server_error", 500, "GraphRetryableError: the service is temporarily unavailable."),
    90006: ("server_error", 500, "The service is temporarily unavailable."),
    90024: ("server_error", 500, "RequestBudgetExceededError: a transient error has occurred."),
    90012: ("server_error", 500, "RequestTimeout."),
    50033: ("server_error", 500, "RetryableError: a transient error not related to the database."),
    50087: ("server_error", 500, "SignoutInitiatorNotParticipant: a transient error."),
    50049: ("invalid_instance", 400, "Unknown or invalid instance."),
    # browser, code, device code
    70020: ("expired_token", 400, "The provided value for the input parameter 'device_code' is not "
                                  "valid. This device code has expired."),
    54005: ("invalid_grant", 400, "OAuth2 Authorization code was already redeemed."),
    500112: ("invalid_client", 400, "The reply address does not match the reply address provided "
                                    "when requesting Authorization code."),
    501481: ("invalid_grant", 400, "The Code_Verifier does not match the code_challenge supplied "
                                   "in the authorization request."),
    50058: ("login_required", 400, "A silent sign-in request was sent but no user is signed in."),
    50147: ("invalid_request", 400, "Missing or invalid size of the code challenge parameter."),
    50149: ("invalid_request", 400, "Invalid Code_Challenge_method parameter."),
    50011: ("invalid_request", 400, "The redirect URI '{what}' specified in the request does not "
                                    "match the redirect URIs configured for the application."),
    50020: ("invalid_grant", 400, "User account '{what}' does not exist in the tenant and cannot "
                                  "access the application in that tenant."),
    # our own checks; the pairing follows what the endpoint answers in practice
    70003: ("unsupported_grant_type", 400, "The app returned an unsupported grant type."),
    900144: ("invalid_request", 400, "The request body must contain the parameter '{what}'."),
    9001023: ("invalid_request", 400, "The grant type is not supported over the /common endpoint."),
    50027: ("invalid_client", 401, "JWT token is invalid or malformed."),
}


# Members that stand beside the others: what a client of Conditional Access is told, and consent.
EXTRA = {
    53003: {"suberror": "message_only", "claims": json.dumps({"access_token": {"capolids": {
        "essential": True, "values": ["7f3c1d55-0000-4000-8000-0000000000ca"]}}})},
    50076: {"suberror": "basic_action"}, 65001: {"suberror": "consent_required"},
    50173: {"suberror": "bad_token"}, 70008: {"suberror": "token_expired"},
    700082: {"suberror": "token_expired"},
}


def describe(code, now, tenant="", app="", why="", error=None):
    """The members of an error. `why` goes to the text, which clients must not judge by."""
    usual, _, text = ERRORS[code]
    inside = "{what}" in text
    text = text.replace("{app}", app).replace("{tenant}", tenant).replace("{what}", why)
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now))
    return {
        "error": error or usual,
        "error_description": "AADSTS%d: %s%s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s"
                             % (code, text, " " + why if why and not inside else "", trace,
                                correlation, at),
        "error_codes": [code], "timestamp": at, "trace_id": trace, "correlation_id": correlation,
        "error_uri": "https://login.microsoftonline.com/error?code=%d" % code,
        **EXTRA.get(code, {}),
    }


def answer(code, now, tenant="", app="", why="", error=None):
    """The response of the token endpoint for an AADSTS code."""
    body = describe(code, now, tenant, app, why, error)
    status, trace = ERRORS[code][1], body["trace_id"]
    headers = {"Date": http_date(now), "Cache-Control": "no-store", "x-ms-request-id": trace}
    return Response(status, json.dumps(body).encode(), headers, "application/json; charset=utf-8")
