# SPDX-License-Identifier: Apache-2.0
"""A portal for the administrator of the demo's tenant: /portal at the authority.

What the Entra admin centre offers of an app registration, as far as a box needs it: its facts,
certificates and secrets, permissions to grant and to withdraw. Nobody signs in here: it listens on
loopback, and its forms carry a token of this process.
"""
import email
import email.policy
import secrets
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from . import page as html
from .entra_token import FORM
from .registration import REQUIRED, not_after

SECRET_DAYS = (1, 30, 180)
UPLOAD_BYTES_MAX = 65536
MULTIPART = ' enctype="multipart/form-data"'


class Wrong(Exception):
    """Something that a person can put right; the text says what."""


def day(seconds):
    return "does not expire" if seconds is None else "until " + time.strftime(
        "%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def members(request):
    """A form's members, of either way to send one. Files are bytes, empty ones are left out."""
    if len(request.body) > UPLOAD_BYTES_MAX:
        raise Wrong("That is too large.")
    kind = request.header("content-type")
    if kind.partition(";")[0].strip().lower() == FORM:
        return dict(urllib.parse.parse_qsl(request.body.decode("ascii", "replace")))
    head = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    out = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename() is None:
            out[name] = content.decode("utf-8", "replace")
        elif content:
            out[name] = content
    return out


def read_certificate(content):
    """PEM of a certificate in PEM or DER; nothing with a private key is taken."""
    if b"PRIVATE KEY" in content:
        raise Wrong("That file has a private key in it. A private key never leaves its box: upload "
                    "the certificate alone, and take the key out of where you have it from.")
    try:
        if b"BEGIN CERTIFICATE" in content:
            cert = x509.load_pem_x509_certificate(content)
        else:
            cert = x509.load_der_x509_certificate(content)
    except ValueError:
        raise Wrong("That is no certificate in PEM or DER.") from None
    return cert.public_bytes(serialization.Encoding.PEM).decode()


class Portal:
    """The page and what its buttons do."""

    def __init__(self, entra):
        self.entra = entra
        self.token = secrets.token_urlsafe(18)
        self.told = lambda text: None    # who wants to know what was done here

    def handle(self, request, _tenant=""):
        if request.method == "GET":
            return self._page()
        try:
            form = members(request)
            if form.get("canary") != self.token:
                raise Wrong("This page was out of date. Please try again.")
            action = getattr(self, "_do_" + form.get("action", ""), None)
            if action is None:
                raise Wrong("There is no such button.")
            said = action(form)
        except (Wrong, ValueError) as error:
            return self._page(html.para(error).replace("<p>", '<p class="no" role="alert">'))
        return self._page(said) if said else html.redirect("/portal", 303)

    # -- what can be done

    def _do_upload(self, form):
        content = form.get("file") or form.get("text", "").encode()
        if not content.strip():
            raise Wrong("Choose a file or paste the certificate's text.")
        self.entra.register(read_certificate(content))
        self.told("an administrator uploads the box's certificate")

    def _do_remove_certificate(self, form):
        self.entra.registration.remove_certificate(form.get("value", ""))
        self.told("an administrator removes a certificate")

    def _do_make_secret(self, form):
        days = int(form.get("days", "0"))
        if days not in SECRET_DAYS:
            raise Wrong("A secret lasts %s days." % " or ".join(str(d) for d in SECRET_DAYS))
        secret = self.entra.registration.add_secret(
            secrets.token_urlsafe(30), int(self.entra.now()) + days * 86400)
        self.told("an administrator makes a secret")
        return "<p>The secret, shown this once: <code>%s</code></p>" % html.text(secret.value)

    def _do_expire_secret(self, form):
        self.entra.registration.expire_secret(form.get("value", ""))
        self.told("a secret expires")

    def _do_remove_secret(self, form):
        self.entra.registration.remove_secret(form.get("value", ""))
        self.told("an administrator removes a secret")

    def _do_grant(self, form):
        names = REQUIRED if form.get("value") == "all" else [form.get("value", "")]
        self.entra.registration.grant(*names)
        self.told("an administrator grants %s" % ", ".join(names))

    def _do_withdraw(self, form):
        self.entra.registration.withdraw(form.get("value", ""))
        self.told("an administrator withdraws %s" % form.get("value", ""))

    # -- how it looks

    def _form(self, action, label, value=None, *parts, kind=""):
        hidden = {"canary": self.token}
        if value is not None:
            hidden["value"] = value
        return html.form("/portal", *parts, html.button("action", action, label), kind=kind,
                         **hidden)

    def _page(self, *said):
        return html.page("App registration: Anteroom", *said, self._facts(), self._certificates(),
                         self._secrets(), self._permissions())

    def _facts(self):
        s = self.entra.s["redirect_uris"]
        rows = [("Application (client) ID", self.entra.client),
                ("Directory (tenant) ID", self.entra.tenant),
                ("Redirect addresses, web", ", ".join(s["web"]) or "none"),
                ("Redirect addresses, mobile and desktop", ", ".join(s["public"]) or "none"),
                ("Allow public client flows", "yes" if self.entra.s["public_flows"] else "no")]
        return table(rows)

    def _certificates(self):
        known = self.entra.registration.certificates.items()
        rows = [("<code>%s</code>" % key.hex(), day(not_after(cert)),
                 self._form("remove_certificate", "Remove", key.hex())) for key, cert in known]
        upload = self._form(
            "upload", "Upload", None,
            '<p><label>Certificate file (PEM or DER) <input type="file" name="file"></label></p>'
            '<p><label>or its text<br><textarea name="text" rows="4" spellcheck="false">'
            "</textarea></label></p>", kind=MULTIPART)
        return section("Certificates", rows, "No certificate is registered.") + upload

    def _secrets(self):
        rows = [("%s…" % html.text(s.hint), day(s.expires),
                 self._form("expire_secret", "Expire now", s.id)
                 + self._form("remove_secret", "Remove", s.id))
                for s in self.entra.registration.secrets]
        choice = "".join('<option value="%d">%d day%s</option>' % (d, d, "s" * (d > 1))
                         for d in SECRET_DAYS)
        make = self._form("make_secret", "New secret", None,
                          '<label>Lasts <select name="days">%s</select></label> ' % choice)
        return section("Client secrets", rows, "There is no secret.") + make

    def _permissions(self):
        registration, rows = self.entra.registration, []
        for name in REQUIRED:
            kind = "application" if name != "User.Read" else "delegated"
            given = name in registration.granted or name in registration.consented
            state = "not granted"
            if given:
                spread = kind == "delegated" or registration.spread(name)
                state = "granted" if spread else "granted, and on its way to Graph"
            button = self._form("withdraw", "Withdraw", name) if given else \
                self._form("grant", "Grant", name)
            rows.append((html.text(name), kind, state, button))
        return section("API permissions", rows, "") + self._form(
            "grant", "Grant admin consent for all of them", "all")


def table(rows):
    """Rows of plain text."""
    return "<table>%s</table>" % "".join("<tr><th>%s</th><td><code>%s</code></td></tr>" % (
        html.text(name), html.text(value)) for name, value in rows)


def section(title, rows, nothing):
    """Rows of HTML under a heading."""
    body = "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % cell for cell in row) for row in rows)
    return "<h2>%s</h2>%s" % (html.text(title), "<table>%s</table>" % body if rows
                              else html.para(nothing))
