# SPDX-License-Identifier: Apache-2.0
"""Who asks: client authentication at the token endpoint, by assertion or by secret.

Assertions are verified for real, against the certificates that are registered, as Entra's
certificate-credentials page describes them.
"""
import base64
import binascii
import json
import re
from collections import OrderedDict, deque

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .registration import not_after

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_S_MAX = 600
SLACK_S = 5            # whole seconds and the time on the way
BACKDATE_S_MAX = 300   # nbf may lie this far back
KEPT_MAX = 65536       # jti remembered
ASSERTIONS_KEPT = 64


class Refused(Exception):
    """A request that gets an AADSTS error; `error` where the usual one of the code is not meant."""

    def __init__(self, code, why="", error=None):
        super().__init__("AADSTS%d %s" % (code, why))
        self.code, self.why, self.error = code, why, error


def b64url(text):
    """Strict base64url without padding, as RFC 7515 has it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


class ClientCheck:
    """Authenticates the application of one registration."""

    def __init__(self, entra):
        self.entra = entra
        self.jti = OrderedDict()
        self.assertions = deque(maxlen=ASSERTIONS_KEPT)

    def given(self, form):
        """Does the request carry a credential at all?"""
        return bool(form.get("client_assertion") or form.get("client_secret"))

    def confidential(self, form):
        """The credential of an application that has one to show."""
        if form.get("client_assertion"):
            if form.get("client_assertion_type") != JWT_BEARER:
                raise Refused(50027, "client_assertion_type")
            self._assertion(form["client_assertion"])
        elif form.get("client_secret"):
            self._secret(form["client_secret"])
        else:
            raise Refused(7000218)

    def public(self, form):
        """An application that cannot keep a secret must not show one."""
        if self.given(form):
            raise Refused(700025)

    def _secret(self, value):
        secret = self.entra.registration.find_secret(value)
        if secret is None:
            raise Refused(7000215)
        if secret.expires is not None and self.entra.now() >= secret.expires:
            raise Refused(7000222)

    def _assertion(self, text):
        self.assertions.append(text)
        parts = text.split(".")
        if len(parts) != 3:
            raise Refused(50027, "three parts wanted")
        try:
            header = json.loads(b64url(parts[0]), object_pairs_hook=unique)
            claims = json.loads(b64url(parts[1]), object_pairs_hook=unique)
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
            cert = self.entra.registration.certificates.get(b64url(header.get("x5t#S256", "")))
        except (ValueError, TypeError):
            cert = None
        if cert is None:
            raise Refused(700027, "The key was not found: no certificate with this thumbprint.")
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        try:
            cert.public_key().verify(signature, signed, pss, hashes.SHA256())
        except InvalidSignature:
            raise Refused(700027) from None
        if self.entra.now() >= not_after(cert):
            raise Refused(700027, "The key used is expired.")

    def _claims(self, claims):
        entra = self.entra
        endpoint = "%s/%s/oauth2/v2.0/token" % (entra.authority_url, entra.tenant)
        if claims.get("aud") != endpoint:
            raise Refused(50013, "aud is not this endpoint")
        if claims.get("iss") != entra.client or claims.get("sub") != entra.client:
            raise Refused(50013, "iss and sub must be the client id")
        nbf, exp = claims.get("nbf"), claims.get("exp")
        if type(nbf) is not int or type(exp) is not int:
            raise Refused(50013, "nbf and exp must be integers")
        now, skew = entra.now(), entra.s["skew_s"]
        if now + skew < nbf - 1 or now - skew >= exp:
            raise Refused(500133)
        if exp > now + skew + ASSERTION_S_MAX + SLACK_S \
                or exp - nbf > ASSERTION_S_MAX + BACKDATE_S_MAX:
            raise Refused(50013, "valid for too long")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 8 <= len(jti) <= 256:
            raise Refused(50013, "jti")
        if jti in self.jti and entra.s["assertion_once"]:
            raise Refused(50013, "jti was used before")
        self.jti[jti] = exp
        if len(self.jti) > KEPT_MAX:
            self.jti.popitem(last=False)
