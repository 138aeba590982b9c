# SPDX-License-Identifier: Apache-2.0
"""The app registration and what the tenant granted it: what administrators change.

Roles are application permissions. A grant counts for tokens at once and for Graph after
`propagation_s` seconds of the cloud's clock ("ever": not at all); a token keeps the roles that it
was issued with until it expires, whatever is granted or withdrawn meanwhile.
"""
import calendar
import hashlib
import hmac
import re
import secrets
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

APPLICATION = ("CallRecords.Read.All", "User.Read.All", "TeamworkDevice.Read.All")
DELEGATED = ("User.Read",)
OIDC = ("openid", "profile", "email", "offline_access")
REQUIRED = APPLICATION + DELEGATED
LONG_AGO = float("-inf")


def moment(value):
    """Unix seconds of a number or a date (2027-01-31, 2027-01-31T10:00:00Z); None stays."""
    if value is None or isinstance(value, (int, float)):
        return value
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)Z)?", str(value))
    if not match:
        raise ValueError("not a date: %r" % value)
    text = match[1] + " " + (match[2] or "00:00:00")
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def thumbprint(cert):
    """SHA-256 of the DER, as x5t#S256 has it."""
    return hashlib.sha256(cert.public_bytes(serialization.Encoding.DER)).digest()


def not_after(cert):
    return calendar.timegm(cert.not_valid_after.timetuple())


class Secret:
    """A client secret, with the moment (or None) from which it is refused."""

    def __init__(self, value, expires=None):
        self.value, self.expires = value, moment(expires)
        self.id = secrets.token_hex(4)
        self.hint = value[:3]


class Registration:
    """Credentials, redirect addresses, permissions asked for and granted. `now` is the cloud's."""

    def __init__(self, settings, now):
        self.s, self.now = settings, now
        self.certificates = {}
        self.secrets = []
        self.granted = {}
        self.consented = set()    # delegated permissions that an administrator gave for everybody
        self._settle(LONG_AGO)

    # -- settings that have a meaning beyond their value

    def change(self, change):
        """Settings changed while it runs; what is granted by that, is granted now."""
        for name, value in change.items():
            if name not in self.s:
                raise ValueError("no such setting: %s" % name)
        for name, value in change.items():
            self.s[name] = value
        if "secrets" in change or "expired_secrets" in change:
            self._take_secrets()
        if "consent" in change and "roles" not in change:
            self.s["roles"] = None
        if "consent" in change or "roles" in change:
            self._take_roles(self.now())

    def _settle(self, at):
        self._take_secrets()
        self._take_roles(at)

    def _take_secrets(self):
        self.secrets = [Secret(v, 0) for v in self.s["expired_secrets"]]
        self.secrets += [Secret(v) if isinstance(v, str) else Secret(v["value"], v.get("expires"))
                         for v in self.s["secrets"]]

    def _take_roles(self, at):
        roles = self.s["roles"]
        if roles is None:
            roles = [p for p in self.s["required"] if p in APPLICATION] if self.s["consent"] else []
        unknown = set(roles) - set(APPLICATION)
        if unknown:
            raise ValueError("no application permission: %s" % ", ".join(sorted(unknown)))
        self.granted = {r: self.granted.get(r, at) for r in roles}
        self.consented = set(DELEGATED) & set(self.s["required"]) if self.s["consent"] else set()

    # -- permissions

    def grant(self, *roles):
        """An administrator grants these, in addition to what was granted."""
        for role in roles:
            if role in DELEGATED:
                self.consented.add(role)
            elif role in APPLICATION:
                self.granted.setdefault(role, self.now())
            else:
                raise ValueError("no such permission: %s" % role)

    def withdraw(self, *roles):
        for role in roles:
            self.granted.pop(role, None)
            self.consented.discard(role)

    def roles(self):
        """What a token for the application says now."""
        return [r for r in APPLICATION if r in self.granted]

    def spread(self, role):
        """Has the grant of a role reached Graph? One that was withdrawn had, while it lasted."""
        since = self.granted.get(role, LONG_AGO)
        wait = self.s["propagation_s"]
        if wait == "ever":
            return since == LONG_AGO
        return self.now() >= since + wait

    # -- credentials

    def add_certificate(self, pem):
        cert = x509.load_pem_x509_certificate(pem.encode())
        self.certificates[thumbprint(cert)] = cert
        return cert

    def remove_certificate(self, hex_or_pem):
        """By SHA-256 in hex or by the certificate itself."""
        if "BEGIN" in hex_or_pem:
            cert = x509.load_pem_x509_certificate(hex_or_pem.encode())
            key = cert.fingerprint(hashes.SHA256())
        else:
            key = bytes.fromhex(hex_or_pem.replace(":", ""))
        if self.certificates.pop(key, None) is None:
            raise ValueError("no such certificate")

    def add_secret(self, value, expires=None):
        self.secrets.append(Secret(value, expires))
        return self.secrets[-1]

    def remove_secret(self, name):
        """By id or value."""
        left = [s for s in self.secrets if name not in (s.id, s.value)]
        if len(left) == len(self.secrets):
            raise ValueError("no such secret")
        self.secrets = left

    def expire_secret(self, name):
        """From now on, by id or value."""
        for one in self.secrets:
            if name in (one.id, one.value):
                one.expires = self.now()

    def find_secret(self, value):
        for one in self.secrets:
            if hmac.compare_digest(one.value.encode(), value.encode()):
                return one
        return None

    # -- redirect addresses

    def platform(self, uri):
        """"web" or "public" (mobile and desktop) of a registered address, None for others.
        Of http://localhost and http://127.0.0.1 the port does not count (RFC 8252 7.3)."""
        for kind in ("web", "public"):
            for known in self.s["redirect_uris"][kind]:
                if uri == known or (_loopback(uri) and _loopback(uri) == _loopback(known)):
                    return kind
        return None


def _loopback(uri):
    match = re.fullmatch(r"http://(localhost|127\.0\.0\.1)(?::\d{1,5})?(/[^?#]*)?", uri)
    return match and (match[1], match[2] or "/")
