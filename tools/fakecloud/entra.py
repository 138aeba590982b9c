# SPDX-License-Identifier: Apache-2.0
"""Entra of one tenant: what it is told by administrators, the tokens it gave out, its addresses.

POST /{tenant}/oauth2/v2.0/token, .../devicecode
              entra_token.py; client authentication: entra_client.py; what is exchanged:
              entra_grants.py
GET  /{tenant}/oauth2/v2.0/authorize, /{tenant}/v2.0/adminconsent, /devicelogin
              entra_browser.py
GET, POST /portal
              portal.py: the app registration, for the administrator of the demo
GET  /{tenant}/v2.0/.well-known/openid-configuration, /{tenant}/discovery/v2.0/keys,
     /common/discovery/instance
"""
import json
import secrets
from collections import OrderedDict

from .aadsts import answer
from .clock import http_date
from .entra_browser import Browser
from .entra_client import ClientCheck, Refused
from .entra_grants import Grants
from .entra_token import TokenEndpoint
from .people import signers
from .portal import Portal
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
        self.grants = Grants(self)
        self.endpoint = TokenEndpoint(self)
        self.browser = Browser(self)
        self.portal = Portal(self)
        self.tokens = OrderedDict()
        self.epoch = 0
        self.issued = 0
        self.refusals = {}
        self.authority_url = self.graph_url = ""
        self._routes()

    def now(self):
        return self.clock.now() + self.s["clock_offset_s"]

    def register(self, pem):
        """Upload of a certificate to the app registration."""
        return self.registration.add_certificate(pem)

    def revoke(self):
        """Every token given out so far is dead from now on."""
        self.epoch += 1

    # -- requests

    @staticmethod
    def classify(request):
        """Which class of request this is, for faults and statistics."""
        last = request.path.rpartition("/")[2]
        request.kind = {"token": "token", "devicecode": "devicecode", "authorize": "page",
                        "adminconsent": "page", "login": "page", "devicelogin": "page",
                        "portal": "page"}.get(
                            last, "other")

    def handle(self, request):
        parts = request.path.split("/")
        tenant, rest = parts[1] if len(parts) > 1 else "", "/".join(parts[2:])
        try:
            if rest in self._served:
                return self._served[rest](request, tenant)
            if request.path in self._paths:
                return self._page(self._paths[request.path], request, tenant)
            if rest in self._pages:
                return self._page(self._pages[rest], request, tenant)
            return Response(404, b"", {"Date": http_date(self.now())})
        except Refused as refused:
            return self.refuse(refused, tenant)

    def _routes(self):
        """By what follows the tenant: JSON (_served) and pages; and whole paths."""
        self._served = {
            "v2.0/.well-known/openid-configuration": self._metadata,
            "discovery/v2.0/keys": lambda request, tenant: self.json(self.endpoint.keys()),
            "discovery/instance": self._instance,
            "oauth2/v2.0/token": self.endpoint.handle,
            "oauth2/v2.0/devicecode": self.endpoint.device}
        browser = self.browser
        self._pages = {
            "oauth2/v2.0/authorize": browser.authorize, "login": browser.login,
            "v2.0/adminconsent": browser.admin_consent,
            "adminconsent": lambda request, tenant: browser.admin_consent(request, tenant, True)}
        self._paths = {"/devicelogin": lambda request, tenant: browser.device_login(request),
                       "/portal": self.portal.handle}

    def _page(self, action, request, tenant):
        try:
            response = action(request, tenant)
        except Refused as refused:
            response = self.browser.error(refused, tenant)
        response.headers["Date"] = http_date(self.now())
        return response

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

    def issuer(self, tenant=None):
        return "%s/%s/v2.0" % (self.authority_url, tenant or self.tenant)

    def _metadata(self, _request, tenant):
        """OpenID Connect discovery: everybody may ask, of the generic tenants as well."""
        if tenant not in GENERIC and tenant != self.tenant:
            raise Refused(90002, error="invalid_tenant")
        base = "%s/%s" % (self.authority_url, tenant)
        issuer = self.issuer("{tenantid}" if tenant in GENERIC else tenant)
        return self.json({
            "token_endpoint": base + "/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post", "private_key_jwt"],
            "jwks_uri": base + "/discovery/v2.0/keys", "issuer": issuer,
            "response_modes_supported": ["query", "fragment"],
            "subject_types_supported": ["pairwise"], "request_uri_parameter_supported": False,
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "authorization_endpoint": base + "/oauth2/v2.0/authorize",
            "device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
            "end_session_endpoint": base + "/oauth2/v2.0/logout",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "tid", "name",
                                 "preferred_username", "oid"],
            "cloud_instance_name": "microsoftonline.com", "tenant_region_scope": "EU",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": self.graph_url.partition("//")[2]})

    def _instance(self, request, _tenant):
        """Instance discovery: which authorities are one and the same cloud."""
        asked = dict(request.query).get("authorization_endpoint", "")
        if not asked.startswith(self.authority_url + "/"):
            raise Refused(50049, error="invalid_instance")
        tenant, host = asked[len(self.authority_url) + 1:].partition("/")[0], \
            self.authority_url.partition("//")[2]
        return self.json({
            "tenant_discovery_endpoint":
                "%s/%s/v2.0/.well-known/openid-configuration" % (self.authority_url, tenant),
            "api-version": "1.1", "metadata": [
                {"preferred_network": host, "preferred_cache": host, "aliases": [host]}]})

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
