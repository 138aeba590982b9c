# SPDX-License-Identifier: Apache-2.0
"""What people were given, to be exchanged for tokens: codes, device codes, refresh tokens."""
import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict

from .entra_client import Refused

KEPT_MAX = 4096
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXYZ23456789"
USER_CODE_LENGTH = 9
EARLY_S = 0.5              # of a poll: it was on time, the network was quick
SLOWER_S = 5               # RFC 8628 3.5: slow_down asks for so much more, for good
SETTLED = ("signed_in", "declined")


def challenge_of(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Kept(OrderedDict):
    """The newest of many."""

    def add(self, name, value):
        self[name] = value
        if len(self) > KEPT_MAX:
            self.popitem(last=False)
        return value


class Code:
    """An authorization code: single use, bound to its redirect address and challenge."""

    def __init__(self, person, wanted, expires):
        self.text = "1.A" + secrets.token_urlsafe(400)
        self.person, self.expires, self.used = person, expires, False
        self.scopes, self.redirect_uri = wanted["scopes"], wanted["redirect_uri"]
        self.platform, self.challenge = wanted["platform"], wanted.get("code_challenge", "")
        self.nonce = wanted.get("nonce")

    def redeem(self, form, now):
        """Everything that has to be as it was when the code was asked for."""
        if self.used:
            raise Refused(54005)
        if now >= self.expires:
            raise Refused(70008)
        if form["redirect_uri"] != self.redirect_uri:
            raise Refused(500112)
        verifier = form.get("code_verifier", "")
        if bool(verifier) != bool(self.challenge):
            raise Refused(501481)
        if self.challenge and not (re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier)
                                   and hmac.compare_digest(challenge_of(verifier), self.challenge)):
            raise Refused(501481)
        self.used = True


class Refresh:
    """A refresh token. Using it gives a new one; the old one goes on until it is revoked."""

    def __init__(self, person, scopes, public, now):
        self.text = "1.R" + secrets.token_urlsafe(500)
        self.person, self.scopes, self.public = person, scopes, public
        self.issued = self.used = now

    def check(self, now, idle_s, revoked_at):
        if now - self.used >= idle_s:
            raise Refused(700082)
        if self.issued <= revoked_at:
            raise Refused(50173)
        if self.public and self.issued <= self.person.password_changed:
            raise Refused(50173)   # of confidential clients they survive that


class Device:
    """A device code and the user code that somebody may type."""

    def __init__(self, scopes, interval_s, expires):
        self.text = "D" + secrets.token_urlsafe(120)
        self.user_code = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(USER_CODE_LENGTH))
        self.scopes, self.expires, self.interval_s = scopes, expires, interval_s
        self.state, self.person, self.polled = "waiting", None, None

    def poll(self, now, strict):
        """Whose tokens these are; Refused while that is open, and for good."""
        if self.state == "used":
            raise Refused(54005)
        if self.state == "declined":
            raise Refused(65004, error="authorization_declined")
        if now >= self.expires:
            raise Refused(70020)
        early = self.polled is not None and now - self.polled < self.interval_s - EARLY_S
        self.polled = now
        if self.state == "waiting" and early and strict:
            self.interval_s += SLOWER_S
            raise Refused(70016, "Polled too often.", error="slow_down")
        if self.state == "waiting":
            raise Refused(70016)
        return self.person


class Grants:
    """All of them, of one tenant."""

    def __init__(self, entra):
        self.entra = entra
        self.codes, self.refreshes, self.devices = Kept(), Kept(), Kept()
        self.revoked_at = float("-inf")

    def revoke(self):
        """An administrator revokes the sessions of everybody."""
        self.revoked_at = self.entra.now()

    def change_password(self, name):
        self.entra.people[name].password_changed = self.entra.now()

    def new_code(self, person, wanted):
        code = Code(person, wanted, self.entra.now() + self.entra.s["code_s"])
        return self.codes.add(code.text, code)

    def new_refresh(self, person, scopes, public):
        token = Refresh(person, scopes, public, self.entra.now())
        return self.refreshes.add(token.text, token)

    def new_device(self, scopes):
        s, now = self.entra.s, self.entra.now()
        device = Device(scopes, s["device_interval_s"], now + s["device_s"])
        return self.devices.add(device.text, device)

    def by_user_code(self, typed):
        """The device whose code somebody typed, while it is of use."""
        wanted = re.sub(r"[^A-Z0-9]", "", typed.upper())
        for device in self.devices.values():
            if device.user_code == wanted and device.state == "waiting" \
                    and self.entra.now() < device.expires:
                return device
        return None
