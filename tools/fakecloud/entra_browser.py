# SPDX-License-Identifier: Apache-2.0
"""Entra's pages for people, small and plain: sign-in, consent, device code.

GET  /{tenant}/oauth2/v2.0/authorize   sign-in with a code for the application
GET  /{tenant}/v2.0/adminconsent       consent for the whole tenant; /{tenant}/adminconsent: v1 form
GET  /devicelogin                      the user code of a device
POST /{tenant}/login                   the buttons of all of them; each page has its own token

Errors before the redirect address is known to be registered stay on the page; later ones go to
the application. Conditional Access shows its block here and tells the application nothing:
"user" blocks every sign-in, "device_page" that of device codes (the device polls on until its
code expires); with "device_code" the page is silent and the poll is refused.
"""
import re
import secrets
import urllib.parse

from . import page as html
from .aadsts import ERRORS, describe
from .entra_client import Refused
from .entra_grants import Kept
from .entra_token import need, read_form
from .registration import APPLICATION, DELEGATED, OIDC

FLOW_S = 600
GIVES = {"CallRecords.Read.All": "Read all call records (application)",
         "User.Read.All": "Read all users' full profiles (application)",
         "TeamworkDevice.Read.All": "Read Teams devices (application)",
         "User.Read": "Sign in and read user profile (delegated)"}
APP_NAME = "Anteroom"


class Flow:
    """One person's way through the pages: what was asked for, and who they turned out to be."""

    def __init__(self, kind, wanted, expires):
        self.id, self.token = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        self.kind, self.wanted, self.expires = kind, wanted, expires
        self.person = None


def with_query(uri, members, mode="query"):
    """The redirect address with members behind ? or #."""
    text = urllib.parse.urlencode([(k, v) for k, v in members if v is not None])
    if mode == "fragment":
        return uri + "#" + text
    return uri + ("&" if "?" in uri else "?") + text


class Browser:
    """Pages of one tenant."""

    def __init__(self, entra):
        self.entra = entra
        self.flows = Kept()

    # -- errors

    def error(self, refused, tenant):
        """An error that stays on the page."""
        entra = self.entra
        entra.refusals[refused.code] = entra.refusals.get(refused.code, 0) + 1
        facts = describe(refused.code, entra.now(), tenant, entra.client, refused.why)
        lines = [html.para(line) for line in facts["error_description"].split("\r\n")]
        title = "You don't have access to this" if refused.code == 53003 else "Sorry, but we're " \
            "having trouble signing you in."
        return html.page(title, *lines, status=400)

    def _back(self, wanted, rows=(), code=None, error=None):
        """Back to the application, with what it asked for or with an error."""
        rows = list(rows)
        if code:
            facts = describe(code, self.entra.now(), self.entra.tenant, self.entra.client)
            rows += [("error", error or facts["error"]),
                     ("error_description", facts["error_description"]),
                     ("error_uri", facts["error_uri"])]
        rows.append(("state", wanted.get("state")))
        return html.redirect(with_query(wanted["redirect_uri"], rows,
                                        wanted.get("response_mode", "query")))

    # -- beginnings

    def _query(self, request):
        query = dict(request.query)
        if len(query) != len(request.query):
            raise Refused(900144, "each parameter once")
        return query

    def _known(self, query):
        """Application and redirect address are registered; what is asked for, with its platform."""
        need(query, "client_id")
        self.entra.endpoint.application(query["client_id"])
        need(query, "redirect_uri")
        platform = self.entra.registration.platform(query["redirect_uri"])
        if platform is None:
            raise Refused(50011, query["redirect_uri"])
        return {**query, "platform": platform}

    def _tenant(self, tenant, *generic):
        if tenant not in generic:
            self.entra.tenant_must_be_here(tenant)

    def authorize(self, request, tenant):
        self._tenant(tenant, "common", "organizations")
        wanted = self._known(self._query(request))
        if wanted.get("response_mode", "query") not in ("query", "fragment"):
            wanted["response_mode"] = "query"
            return self._back(wanted, code=900144)
        if wanted.get("response_type") != "code":
            return self._back(wanted, code=900144, error="unsupported_response_type")
        try:
            wanted["scopes"] = self.entra.endpoint.scopes(wanted.get("scope", ""))
            self._challenge(wanted)
        except Refused as refused:
            return self._back(wanted, code=refused.code)
        if wanted.get("prompt") == "none":
            return self._back(wanted, code=50058)
        return self._pick(self._begin("authorize", wanted))

    @staticmethod
    def _challenge(wanted):
        """S256; a public client cannot do without."""
        text = wanted.get("code_challenge")
        if text is None:
            if wanted["platform"] == "public":
                raise Refused(50147)
            return
        if wanted.get("code_challenge_method") != "S256":
            raise Refused(50149)
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
            raise Refused(50147)

    def admin_consent(self, request, tenant, first=False):
        """first: the v1 form, which has no scope and takes /common."""
        self._tenant(tenant, "organizations", *(("common",) if first else ()))
        wanted = self._known(self._query(request))
        wanted["first"] = first
        if first:
            wanted["asked"] = list(self.entra.s["required"])
        else:
            need(wanted, "scope")
            wanted["asked"] = self._asked(wanted["scope"])
        return self._pick(self._begin("consent", wanted))

    def _asked(self, scope):
        """Permissions behind a scope: all that are registered for .default, which is the only way
        to application permissions; else delegated ones by name."""
        endpoint = self.entra.endpoint
        scopes = [s for s in scope.split() if s not in OIDC]
        for one in scopes:
            if one.rpartition("/")[2] in APPLICATION:
                raise Refused(70011, one)
        endpoint.scopes(scope)
        if any(s.endswith("/.default") for s in scopes):
            return list(self.entra.s["required"])
        return [s.rpartition("/")[2] for s in scopes]

    def device_login(self, _request):
        return self._ask_code()

    def _ask_code(self, *more):
        flow = self._begin("device", {})
        return html.page("Enter code", *more, html.para("Enter the code displayed on your device."),
                         self._form(flow, html.field("user_code", "Code", autocomplete="off"),
                                    html.button("action", "code", "Next")))

    # -- the way

    def _begin(self, kind, wanted):
        flow = Flow(kind, wanted, self.entra.now() + FLOW_S)
        return self.flows.add(flow.id, flow)

    def _form(self, flow, *parts):
        return html.form("/%s/login" % self.entra.tenant, *parts, flow=flow.id, canary=flow.token)

    def _pick(self, flow, *more):
        buttons = [html.button("who", p.name, "%s (%s)" % (p.display, p.name))
                   for p in self.entra.people.values()]
        return html.page("Pick an account", *more,
                         html.para("to continue to %s" % APP_NAME), self._form(flow, *buttons))

    def login(self, request, tenant):
        """A button was pressed."""
        if request.method != "POST" or tenant != self.entra.tenant:
            raise Refused(900144, "flow")
        form = read_form(request)
        flow = self.flows.get(form.get("flow"))
        if flow is None or form.get("canary") != flow.token or self.entra.now() >= flow.expires:
            raise Refused(50089)
        action = form.get("action")
        if form.get("who"):
            return self._picked(flow, form["who"])
        if action == "code" and flow.kind == "device":
            return self._typed(flow, form.get("user_code", ""))
        if action not in ("accept", "cancel") or flow.person is None:
            raise Refused(900144, "action")
        del self.flows[flow.id]
        return getattr(self, "_%s_%s" % (flow.kind, action))(flow)

    def _typed(self, flow, text):
        device = self.entra.grants.by_user_code(text)
        if device is None:
            return self._ask_code(html.para("That code didn't work. Check the code and try again."))
        flow.wanted = {"device": device, "scopes": device.scopes}
        return self._pick(flow)

    def _picked(self, flow, name):
        person = self.entra.people.get(name)
        if person is None or (flow.kind == "device" and not flow.wanted):
            raise Refused(900144, "who")
        if person.kind == "stranger":
            return self._pick(flow, html.para(
                "AADSTS50020: %s" % ERRORS[50020][2].replace("{what}", person.name)))
        policies = self.entra.s["conditional_access"]
        if "user" in policies or ("device_page" in policies and flow.kind == "device"):
            raise Refused(53003)
        flow.person = person
        return getattr(self, "_%s_page" % flow.kind)(flow)

    def _needs_admin(self, flow):
        """A page that a member can only leave."""
        return html.page("Need admin approval", html.para(
            "AADSTS90094: %s needs permission to access resources in your organization that only "
            "an admin can grant." % APP_NAME), self._form(
                flow, html.button("action", "cancel", "Return to the application without granting "
                                                      "consent")))

    def _consent_form(self, flow, title, names, *more):
        return html.page(title, html.para("%s would like to:" % APP_NAME),
                         html.items(GIVES[n] for n in names), *more,
                         self._form(flow, html.button("action", "accept", "Accept"),
                                    html.button("action", "cancel", "Cancel")))

    # -- sign-in with a code

    def _lacking(self, flow):
        """Delegated permissions that nobody gave yet for this person."""
        given = self.entra.registration.consented | flow.person.consented
        return sorted(self.entra.endpoint.permissions(flow.wanted["scopes"]) - given)

    def _authorize_page(self, flow):
        lacking = self._lacking(flow)
        prompt = flow.wanted.get("prompt")
        if lacking and flow.person.kind != "admin" and not self.entra.s["user_consent"]:
            return self._needs_admin(flow)
        if lacking or prompt == "consent":
            return self._consent_form(flow, "Permissions requested", lacking or DELEGATED)
        del self.flows[flow.id]
        return self._authorize_accept(flow)

    def _authorize_accept(self, flow):
        lacking = self._lacking(flow)
        if lacking and flow.person.kind != "admin" and not self.entra.s["user_consent"]:
            raise Refused(90094)
        flow.person.consented.update(lacking)
        code = self.entra.grants.new_code(flow.person, flow.wanted)
        return self._back(flow.wanted, [("code", code.text),
                                        ("session_state", secrets.token_hex(16))])

    def _authorize_cancel(self, flow):
        return self._back(flow.wanted, [("error_subcode", "cancel")], 65004, "access_denied")

    # -- consent for the tenant

    def _consent_page(self, flow):
        if flow.person.kind != "admin":
            return self._needs_admin(flow)
        return self._consent_form(
            flow, "Permissions requested: review for your organization", flow.wanted["asked"],
            html.para("If you accept, this app will get access to the specified resources for all "
                      "users in your organization."))

    def _consent_accept(self, flow):
        if flow.person.kind != "admin":
            raise Refused(90094)
        wanted = flow.wanted
        self.entra.registration.grant(*wanted["asked"])
        scope = None if wanted["first"] else " ".join(
            "https://graph.microsoft.com/" + name for name in wanted["asked"])
        return self._back(wanted, self._consent_members() + [("scope", scope)])

    def _consent_members(self):
        return [("admin_consent", "True"), ("tenant", self.entra.tenant)]

    def _consent_cancel(self, flow):
        """admin_consent=True stands in failures as well, as it does in Entra's own example."""
        if flow.wanted["first"]:
            return self._back(flow.wanted, (), 65004, "permission_denied")
        member = flow.person.kind != "admin"
        return self._back(flow.wanted, self._consent_members(), 65004,
                          "access_denied" if member else "consent_required")

    # -- device code

    def _device_page(self, flow):
        lacking = self._lacking(flow)
        if lacking and flow.person.kind != "admin" and not self.entra.s["user_consent"]:
            return self._needs_admin(flow)
        more = html.para("Are you trying to sign in to %s on another device? Only continue if you "
                         "started this yourself." % APP_NAME)
        return self._consent_form(flow, "Sign in on another device", lacking or DELEGATED, more)

    def _device_accept(self, flow):
        device = flow.wanted["device"]
        flow.person.consented.update(self._lacking(flow))
        device.state, device.person = "signed_in", flow.person
        return html.page("You have signed in", html.para(
            "You have signed in to %s on your device. You may now close this window." % APP_NAME))

    def _device_cancel(self, flow):
        flow.wanted["device"].state = "declined"
        return html.page("You declined", html.para("Nothing was given to the device. You may now "
                                                   "close this window."))
