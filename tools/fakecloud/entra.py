# SPDX-License-Identifier: Apache-2.0
"""Entra of one tenant: what it is told by administrators, the tokens it gave out, its addresses.

POST /{tenant}/oauth2/v2.0/token          entra_token.py (client authentication: entra_client.py)
GET  /{tenant}/v2.0/.well-known/openid-configuration, /{tenant}/discovery/v2.0/keys
"""
import json
import secrets
from collections import OrderedDict

from .aadsts import answer
from .clock import http_date
from .entra_client import ClientCheck, Refused
from .entra_token import TokenEndpoint
from .people import signers
from .registration import APPLICATION, Registration
from .server import Response

KEPT_MAX = 65536       # tokens remembered
GENERIC = ("common", "organizations", "consumers")


class Entra:
    """The service and its state."""

    def __init__(self, settings, tenant, client, clock):
        self.s, self.tenant, self.client, self.clock = settings, tenant, client, clock
        self.registration = Registration(settings, self.now)
        self.people = signers()
        self.check = ClientCheck(self)
        self.endpoint = TokenEndpoint(self)
        self.tokens = OrderedDict()
        self.epoch = 0
        self.issued = 0
        self.refusals = {}
        self.authority_url = self.graph_url = ""

    def now(self):
        return self.clock.now() + self.s["clock_offset_s"]

    def register(self, pem):
        """Upload of a certificate to the app registration."""
        return self.registration.add_certificate(pem)

    def revoke(self):
        """Every token given out so far is dead from now on."""
        self.epoch += 1

    # -- requests

    def handle(self, request):
        parts = request.path.split("/")
        tenant, rest = parts[1] if len(parts) > 1 else "", parts[2:]
        try:
            if rest == ["v2.0", ".well-known", "openid-configuration"]:
                return self._metadata()
            if rest == ["oauth2", "v2.0", "token"]:
                return self.endpoint.handle(request, tenant)
            return Response(404, b"", {"Date": http_date(self.now())})
        except Refused as refused:
            return self.refuse(refused, tenant)

    def refuse(self, refused, tenant):
        """An error as JSON, counted."""
        self.refusals[refused.code] = self.refusals.get(refused.code, 0) + 1
        return answer(refused.code, self.now(), tenant, self.client, refused.why, refused.error)

    def tenant_must_be_here(self, tenant):
        """Concrete and ours; or it is unknown, or lives in another cloud."""
        if tenant in GENERIC:
            raise Refused(9001023)
        if tenant != self.tenant:
            raise Refused(90002)
        if self.s["other_cloud"]:
            raise Refused(self.s["other_cloud"])

    def json(self, body, status=200):
        headers = {"Date": http_date(self.now()), "Cache-Control": "no-store, no-cache"}
        return Response(status, json.dumps(body).encode(), headers,
                        "application/json; charset=utf-8")

    def _metadata(self):
        """OpenID Connect discovery, as far as it is needed: everybody may ask."""
        return self.json({"token_endpoint": self.authority_url + "/common/oauth2/v2.0/token",
                          "token_endpoint_auth_methods_supported": ["private_key_jwt"]})

    # -- tokens

    def remember(self, text, token):
        self.tokens[text] = token
        if len(self.tokens) > KEPT_MAX:
            self.tokens.popitem(last=False)
        self.issued += 1

    def opaque(self):
        return secrets.token_urlsafe(self.s["token_bytes"])

    def look_at(self, text):
        """The Token of a bearer token, or why Graph does not take it: (status, code, text)."""
        token = self.tokens.get(text)
        if token is None:
            return 401, "InvalidAuthenticationToken", "Access token is malformed or unknown."
        if token.audience != "graph":
            return 401, "InvalidAuthenticationToken", "Invalid audience."
        if self.now() >= token.expires:
            return 401, "InvalidAuthenticationToken", "Lifetime validation failed."
        if token.epoch != self.epoch:
            return 401, "InvalidAuthenticationToken", "TokenRevoked"
        return token

    def effective(self, token):
        """The roles of an application's token that Graph knows of."""
        return [r for r in APPLICATION if r in token.roles and self.registration.spread(r)]
