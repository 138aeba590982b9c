# SPDX-License-Identifier: Apache-2.0
"""The token endpoint: POST /{tenant}/oauth2/v2.0/token, client credentials only.

Client assertions are verified for real, against the certificates that were registered, as Entra's
certificate-credentials page describes them.
"""
import base64
import binascii
import hashlib
import json
import random
import re
import secrets
import urllib.parse
from collections import OrderedDict, deque

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from .aadsts import answer
from .clock import http_date
from .server import Response

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ROLE = "CallRecords.Read.All"
ASSERTION_S_MAX = 600
SLACK_S = 5            # whole seconds and the time on the way
BACKDATE_S_MAX = 300   # nbf may lie this far back
KEPT_MAX = 65536       # tokens and jti remembered
ASSERTIONS_KEPT = 64


class Refused(Exception):
    """A request that gets an AADSTS error."""

    def __init__(self, code, why=""):
        super().__init__("AADSTS%d %s" % (code, why))
        self.code, self.why = code, why


def b64url(text):
    """Strict base64url without padding, as RFC 7515 has it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


class Entra:
    """State of the app registration: its credentials, its consent, and the tokens given out."""

    def __init__(self, settings, tenant, client, clock):
        self.s, self.tenant, self.client, self.clock = settings, tenant, client, clock
        self.certificates = {}
        self.tokens = OrderedDict()
        self.jti = OrderedDict()
        self.assertions = deque(maxlen=ASSERTIONS_KEPT)
        self.epoch = 0
        self.issued = 0
        self.refusals = {}
        self.authority_url = self.graph_url = ""

    def now(self):
        return self.clock.now() + self.s["clock_offset_s"]

    def register(self, pem):
        """Upload of a certificate to the app registration."""
        cert = x509.load_pem_x509_certificate(pem.encode())
        der = cert.public_bytes(serialization.Encoding.DER)
        self.certificates[hashlib.sha256(der).digest()] = cert
        return cert

    def revoke(self):
        """Every token given out so far is dead from now on."""
        self.epoch += 1

    # -- the endpoint

    def handle(self, request):
        parts = request.path.split("/")
        tenant = parts[1] if len(parts) > 1 else ""
        try:
            if parts[2:] == ["v2.0", ".well-known", "openid-configuration"]:
                return self._metadata()
            if parts[2:] != ["oauth2", "v2.0", "token"]:
                return Response(404, b"", {"Date": http_date(self.now())})
            return self._token(request, tenant)
        except Refused as refused:
            self.refusals[refused.code] = self.refusals.get(refused.code, 0) + 1
            return answer(refused.code, self.now(), tenant, self.client, refused.why)

    def _metadata(self):
        """OpenID Connect discovery, as far as it is needed: everybody may ask."""
        text = json.dumps({"token_endpoint": self.authority_url + "/common/oauth2/v2.0/token",
                           "token_endpoint_auth_methods_supported": ["private_key_jwt"]})
        return Response(200, text.encode(), {"Date": http_date(self.now())}, "application/json")

    def _token(self, request, tenant):
        if request.method != "POST":
            raise Refused(900144, "grant_type")
        if tenant in ("common", "consumers", "organizations"):
            raise Refused(9001023)
        if tenant != self.tenant:
            raise Refused(90002)
        form = self._form(request)
        if form.get("grant_type") != "client_credentials":
            raise Refused(70003) if "grant_type" in form else Refused(900144, "grant_type")
        for name in ("client_id", "scope"):
            if not form.get(name):
                raise Refused(900144, name)
        if form["client_id"] != self.client:
            raise Refused(700016)
        if not self.s["enabled"]:
            raise Refused(7000112)
        self._authenticate(form)
        return self._grant(self._audience(form["scope"]))

    def _form(self, request):
        kind = request.header("content-type").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Refused(900144, "grant_type")
        try:
            pairs = urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True,
                                           strict_parsing=True, max_num_fields=32)
            return _unique(pairs)
        except ValueError as error:
            raise Refused(900144, "grant_type") from error

    def _authenticate(self, form):
        if form.get("client_assertion"):
            if form.get("client_assertion_type") != JWT_BEARER:
                raise Refused(50027, "client_assertion_type")
            self._assertion(form["client_assertion"])
        elif form.get("client_secret"):
            if form["client_secret"] in self.s["expired_secrets"]:
                raise Refused(7000222)
            if form["client_secret"] not in self.s["secrets"]:
                raise Refused(7000215)
        else:
            raise Refused(7000218)

    def _audience(self, scope):
        if len(scope.split()) != 1:
            raise Refused(700022 if scope.split() else 70011)
        if not scope.endswith("/.default"):
            raise Refused(70011)
        root = scope[:-len("/.default")]
        if root not in ("https://graph.microsoft.com", self.graph_url):
            if root.startswith("https://"):
                return root if root in self.s["other_resources"] else self._no_resource(root)
            raise Refused(70011)
        return "graph"

    @staticmethod
    def _no_resource(root):
        raise Refused(500011, root)

    # -- the assertion

    def _assertion(self, text):
        self.assertions.append(text)
        parts = text.split(".")
        if len(parts) != 3:
            raise Refused(50027, "three parts wanted")
        try:
            header = json.loads(b64url(parts[0]), object_pairs_hook=_unique)
            claims = json.loads(b64url(parts[1]), object_pairs_hook=_unique)
            signature = b64url(parts[2])
        except (ValueError, binascii.Error) as error:
            raise Refused(50027, str(error)) from error
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise Refused(50027, "objects wanted")
        if header.get("alg") != "PS256" or header.get("typ", "JWT") != "JWT" or "crit" in header:
            raise Refused(700027, "alg PS256 wanted")
        self._signature(header, (parts[0] + "." + parts[1]).encode(), signature)
        self._claims(claims)

    def _signature(self, header, signed, signature):
        try:
            cert = self.certificates.get(b64url(header.get("x5t#S256", "")))
        except (ValueError, TypeError):
            cert = None
        if cert is None:
            raise Refused(700027, "The certificate with this thumbprint is not registered.")
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        try:
            cert.public_key().verify(signature, signed, pss, hashes.SHA256())
        except InvalidSignature:
            raise Refused(700027) from None

    def _claims(self, claims):
        endpoint = "%s/%s/oauth2/v2.0/token" % (self.authority_url, self.tenant)
        if claims.get("aud") != endpoint:
            raise Refused(50013, "aud is not this endpoint")
        if claims.get("iss") != self.client or claims.get("sub") != self.client:
            raise Refused(50013, "iss and sub must be the client id")
        nbf, exp = claims.get("nbf"), claims.get("exp")
        if type(nbf) is not int or type(exp) is not int:
            raise Refused(50013, "nbf and exp must be integers")
        now, skew = self.now(), self.s["skew_s"]
        if now + skew < nbf - 1 or now - skew >= exp:
            raise Refused(500133)
        if exp > now + skew + ASSERTION_S_MAX + SLACK_S \
                or exp - nbf > ASSERTION_S_MAX + BACKDATE_S_MAX:
            raise Refused(50013, "valid for too long")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 8 <= len(jti) <= 256:
            raise Refused(50013, "jti")
        if jti in self.jti:
            raise Refused(50013, "jti was used before")
        self.jti[jti] = exp
        if len(self.jti) > KEPT_MAX:
            self.jti.popitem(last=False)

    # -- tokens

    def _grant(self, audience):
        low, high = self.s["lifetime_s"]
        lifetime = int(random.uniform(low, high))
        roles = [ROLE] if self.s["consent"] else []
        token = self._opaque() if self.s["opaque"] else self._jwt(audience, roles, lifetime)
        self.tokens[token] = (self.now() + lifetime, audience, roles, self.epoch)
        if len(self.tokens) > KEPT_MAX:
            self.tokens.popitem(last=False)
        self.issued += 1
        body = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime,
                "access_token": token}
        headers = {"Date": http_date(self.now()), "Cache-Control": "no-store, no-cache"}
        return Response(200, json.dumps(body).encode(), headers, "application/json; charset=utf-8")

    def _opaque(self):
        return secrets.token_urlsafe(self.s["token_bytes"])

    def _jwt(self, audience, roles, lifetime):
        now = int(self.now())
        claims = {"aud": "https://graph.microsoft.com" if audience == "graph" else audience,
                  "iss": "https://sts.windows.net/%s/" % self.tenant, "iat": now, "nbf": now - 300,
                  "exp": now + lifetime, "appid": self.client, "tid": self.tenant, "idtyp": "app",
                  "uti": secrets.token_urlsafe(16)}
        if roles:
            claims["roles"] = roles
        parts = [{"typ": "JWT", "alg": "RS256", "kid": "fake"}, claims]
        text = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode()
                for p in parts]
        return ".".join(text + [secrets.token_urlsafe(256)])

    def judge(self, token):
        """What Graph thinks of a bearer token: None if it may read, else (status, code, text)."""
        known = self.tokens.get(token)
        if known is None:
            return 401, "InvalidAuthenticationToken", "Access token is malformed or unknown."
        expires, audience, roles, epoch = known
        if audience != "graph":
            return 401, "InvalidAuthenticationToken", "Invalid audience."
        if self.now() >= expires:
            return 401, "InvalidAuthenticationToken", "Lifetime validation failed."
        if epoch != self.epoch:
            return 401, "InvalidAuthenticationToken", "TokenRevoked"
        if ROLE not in roles:
            return 403, "Forbidden", ""
        return None
