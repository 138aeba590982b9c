# SPDX-License-Identifier: Apache-2.0
"""The token endpoint: POST /{tenant}/oauth2/v2.0/token, and the one that gives device codes.

Which client a request comes from decides whether it has to authenticate: a code knows it by the
platform of its redirect address ("web" must, "public" must not), a refresh token by how it came,
a device code by the registration's "allow public client flows".
"""
import base64
import json
import random
import secrets
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .entra_client import Refused, unique
from .registration import DELEGATED, OIDC

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
ID_TOKEN_S = 3600
KEY_ID = "fakecloud-1"
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
        self.grants = {"client_credentials": self._client_credentials,
                       "authorization_code": self._authorization_code,
                       "refresh_token": self._refresh_token, DEVICE_CODE: self._device_code,
                       "device_code": self._device_code}   # as the Microsoft client spells it
        self._key = None

    def handle(self, request, tenant):
        if request.method != "POST":
            raise Refused(900144, "grant_type")
        self.entra.tenant_must_be_here(tenant)
        form = read_form(request)
        grant = self.grants.get(form.get("grant_type"))
        if grant is None:
            raise Refused(70003) if form.get("grant_type") else Refused(900144, "grant_type")
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

    # -- people

    def scopes(self, text):
        """What a request for a person asks for: as spelled, without repetition. One resource."""
        wanted = list(dict.fromkeys(text.split()))
        if not wanted:
            raise Refused(70011)
        resources = set()
        for scope in wanted:
            root, _, name = scope.rpartition("/")
            if scope in OIDC or scope in DELEGATED:
                continue
            resources.add(self.resource(root))
            if name not in DELEGATED + (".default",):
                raise Refused(70011, scope)
        if len(resources) > 1:
            raise Refused(70011, "more than one resource")
        return wanted

    @staticmethod
    def permissions(scopes):
        """Graph's permissions among scopes."""
        names = {s.rpartition("/")[2] for s in scopes if s not in OIDC}
        return set(DELEGATED) if ".default" in names else names & set(DELEGATED)

    def _consented(self, person, scopes):
        registration = self.entra.registration
        if not self.permissions(scopes) <= registration.consented | person.consented:
            raise Refused(65001)

    def _authorization_code(self, form):
        entra = self.entra
        need(form, "code", "redirect_uri")
        code = entra.grants.codes.get(form["code"])
        if code is None:
            raise Refused(70000, "The code is malformed or of another tenant.")
        public = code.platform == "public"
        entra.check.public(form) if public else entra.check.confidential(form)
        self._narrower(form, code.scopes)
        code.redeem(form, entra.now())
        return self._for_person(form, code.person, code.scopes, public, code.nonce)

    def _narrower(self, form, scopes):
        """A scope in a token request may ask for what was granted, not for more."""
        if form.get("scope") and not self.permissions(self.scopes(form["scope"])) \
                <= self.permissions(scopes):
            raise Refused(65001)

    def _refresh_token(self, form):
        entra = self.entra
        need(form, "refresh_token")
        token = entra.grants.refreshes.get(form["refresh_token"])
        if token is None:
            raise Refused(70000, "The refresh token is malformed.")
        entra.check.public(form) if token.public else entra.check.confidential(form)
        token.check(entra.now(), entra.s["refresh_idle_s"], entra.grants.revoked_at)
        self._narrower(form, token.scopes)
        self._policy("user")
        token.used = entra.now()
        return self._for_person(form, token.person, token.scopes, token.public)

    def _policy(self, *names):
        policies = self.entra.s["conditional_access"]
        if any(n in policies for n in names):
            raise Refused(53003)
        if "mfa" in policies:
            raise Refused(50076)

    def _device_client(self, form):
        """Whether the client is public; one that is neither may not use the flow."""
        if self.entra.check.given(form):
            self.entra.check.confidential(form)
            return False
        if not self.entra.s["public_flows"]:
            raise Refused(7000218)
        return True

    def _device_code(self, form):
        entra = self.entra
        if not form.get("device_code"):
            raise Refused(900144, "device_code")
        public = self._device_client(form)
        device = entra.grants.devices.get(form["device_code"])
        if device is None:
            raise Refused(70018)
        person = device.poll(entra.now(), entra.s["slow_down"])
        self._policy("user", "device_code")
        device.state = "used"
        return self._for_person(form, person, device.scopes, public)

    def device(self, request, tenant):
        """POST /{tenant}/oauth2/v2.0/devicecode."""
        if request.method != "POST":
            raise Refused(900144, "client_id")
        entra = self.entra
        entra.tenant_must_be_here(tenant)
        form = read_form(request)
        need(form, "client_id", "scope")
        self.application(form["client_id"])
        device = entra.grants.new_device(self.scopes(form["scope"]))
        where = entra.authority_url + "/devicelogin"
        return entra.json({
            "user_code": device.user_code, "device_code": device.text, "verification_uri": where,
            "expires_in": entra.s["device_s"], "interval": entra.s["device_interval_s"],
            "message": "To sign in, use a web browser to open the page %s and enter the code %s to "
                       "authenticate." % (where, device.user_code)})

    def _for_person(self, form, person, scopes, public, nonce=None):
        entra = self.entra
        self._consented(person, scopes)
        granted = sorted(self.permissions(scopes))
        body = self.access_token("graph", {"scp": " ".join(granted), "idtyp": "user",
                                           "oid": person.id, "name": person.display,
                                           "upn": person.name}, scopes=granted, person=person)
        shown = [s for s in scopes if s != "offline_access" and not s.endswith("/.default")]
        if any(s.endswith("/.default") for s in scopes):
            shown += ["https://graph.microsoft.com/" + g for g in granted]
        body.update({"scope": " ".join(shown), "ext_expires_in": body["expires_in"]})
        if "offline_access" in scopes:
            body["refresh_token"] = entra.grants.new_refresh(person, scopes, public).text
        if "openid" in scopes:
            body["id_token"] = self._id_token(person, nonce)
        if form.get("client_info") == "1":
            text = json.dumps({"uid": person.id, "utid": entra.tenant}).encode()
            body["client_info"] = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
        return entra.json(body)

    # -- id tokens

    def key(self):
        if self._key is None:
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._key

    def keys(self):
        """The JWK set that id tokens can be verified with."""
        numbers = self.key().public_key().public_numbers()

        def number(value):
            data = value.to_bytes((value.bit_length() + 7) // 8, "big")
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": KEY_ID, "n": number(numbers.n),
                          "e": number(numbers.e), "issuer": self.entra.issuer()}]}

    def _id_token(self, person, nonce):
        entra, now = self.entra, int(self.entra.now())
        claims = {"aud": entra.client, "iss": entra.issuer(), "iat": now, "nbf": now,
                  "exp": now + ID_TOKEN_S, "name": person.display, "oid": person.id,
                  "preferred_username": person.name, "sub": secrets.token_urlsafe(32),
                  "tid": entra.tenant, "uti": secrets.token_urlsafe(16), "ver": "2.0"}
        if nonce:
            claims["nonce"] = nonce
        signed = jwt({"typ": "JWT", "alg": "RS256", "kid": KEY_ID}, claims, "")[:-1]
        signature = self.key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return signed + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()

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
