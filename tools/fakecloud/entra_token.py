# SPDX-License-Identifier: Apache-2.0
"""The token endpoint: POST /{tenant}/oauth2/v2.0/token."""
import base64
import json
import random
import secrets
import urllib.parse

from .entra_client import Refused, unique

FORM = "application/x-www-form-urlencoded"


def read_form(request):
    """The members of a form, each once."""
    if request.header("content-type").partition(";")[0].strip().lower() != FORM:
        raise Refused(900144, "grant_type")
    try:
        pairs = urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True,
                                       strict_parsing=True, max_num_fields=32)
        return unique(pairs)
    except ValueError as error:
        raise Refused(900144, "grant_type") from error


def need(form, *names):
    for name in names:
        if not form.get(name):
            raise Refused(900144, name)


def jwt(header, claims, signature):
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode()
             for p in (header, claims)]
    return ".".join(parts + [signature])


class Token:
    """An access token that was given out: for the application (roles) or for a person (scopes)."""

    def __init__(self, expires, audience, epoch, roles=(), scopes=(), person=None):
        self.expires, self.audience, self.epoch = expires, audience, epoch
        self.roles, self.scopes, self.person = roles, scopes, person


class TokenEndpoint:
    """Grants of one registration."""

    def __init__(self, entra):
        self.entra = entra
        self.grants = {"client_credentials": self._client_credentials}

    def handle(self, request, tenant):
        if request.method != "POST":
            raise Refused(900144, "grant_type")
        self.entra.tenant_must_be_here(tenant)
        form = read_form(request)
        grant = self.grants.get(form.get("grant_type"))
        if grant is None:
            raise Refused(70003) if "grant_type" in form else Refused(900144, "grant_type")
        need(form, "client_id")
        self.application(form["client_id"])
        return grant(form)

    def application(self, client):
        """Known, and not switched off by an administrator."""
        if client != self.entra.client:
            raise Refused(700016)
        if not self.entra.s["enabled"]:
            raise Refused(7000112)

    # -- the application for itself

    def _client_credentials(self, form):
        need(form, "scope")
        self.entra.check.confidential(form)
        audience = self._audience(form["scope"])
        if "app" in self.entra.s["conditional_access"]:
            raise Refused(53003)
        roles = self.entra.registration.roles() if audience == "graph" else []
        body = self.access_token(audience, {"idtyp": "app", "roles": roles}, roles=roles)
        return self.entra.json({**body, "ext_expires_in": body["expires_in"]})

    def _audience(self, scope):
        if len(scope.split()) != 1:
            raise Refused(700022 if scope.split() else 70011)
        if not scope.endswith("/.default"):
            raise Refused(70011)
        return self.resource(scope[:-len("/.default")])

    def resource(self, root):
        """"graph" for Graph's root of this cloud; others must be known."""
        if root in ("https://graph.microsoft.com", self.entra.graph_url):
            return "graph"
        if not root.startswith("https://"):
            raise Refused(70011)
        if root not in self.entra.s["other_resources"]:
            raise Refused(500011, root)
        return root

    # -- tokens

    def access_token(self, audience, extra, **facts):
        """Members token_type, expires_in and access_token. facts: see Token."""
        entra = self.entra
        lifetime = int(random.uniform(*entra.s["lifetime_s"]))
        text = entra.opaque() if entra.s["opaque"] else self._jwt(audience, extra, lifetime)
        entra.remember(text, Token(entra.now() + lifetime, audience, entra.epoch, **facts))
        return {"token_type": "Bearer", "expires_in": lifetime, "access_token": text}

    def _jwt(self, audience, extra, lifetime):
        entra, now = self.entra, int(self.entra.now())
        claims = {"aud": "https://graph.microsoft.com" if audience == "graph" else audience,
                  "iss": "https://sts.windows.net/%s/" % entra.tenant, "iat": now, "nbf": now - 300,
                  "exp": now + lifetime, "appid": entra.client, "tid": entra.tenant,
                  "uti": secrets.token_urlsafe(16)}
        claims.update({name: value for name, value in extra.items() if value})
        return jwt({"typ": "JWT", "alg": "RS256", "kid": "fake"}, claims,
                   secrets.token_urlsafe(256))
