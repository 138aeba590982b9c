# SPDX-License-Identifier: Apache-2.0
"""Graph beside the call records: /v1.0/users, /v1.0/me, /beta/teamwork/devices.

Who may: users need the role User.Read.All, devices TeamworkDevice.Read.All; /me is for people
(User.Read) and refuses applications.
"""
import json
import uuid

from . import odata
from .people import SPACE, everybody

PATHS = {"/v1.0/users": "users", "/v1.0/me": "me", "/beta/teamwork/devices": "devices"}
NEEDS = {"list": "CallRecords.Read.All", "record": "CallRecords.Read.All",
         "sessions": "CallRecords.Read.All", "participants": "CallRecords.Read.All",
         "users": "User.Read.All", "devices": "TeamworkDevice.Read.All"}
USER_FIELDS = ("id", "displayName", "givenName", "surname", "userPrincipalName", "mail",
               "jobTitle", "mobilePhone", "businessPhones", "officeLocation", "preferredLanguage",
               "accountEnabled", "userType", "department")
DEVICE_FIELDS = ("id", "deviceType", "hardwareDetail", "notes", "companyAssetTag", "healthStatus",
                 "activityState", "createdDateTime", "createdBy", "lastModifiedDateTime",
                 "lastModifiedBy", "currentUser")
DEVICES = 7
NOT_ALONE = "/me request is only valid with delegated authentication flow."
SCOPE_MISSING = ("Missing %s permissions on the request. API requires one of '%s'. %s on the "
                 "request '%s'.")
DENIED = "Insufficient privileges to complete the operation."


def refusal(entra, token, kind):
    """Why this token may not have this: (status, code, message), or None."""
    if kind == "me":
        if token.person is None:
            return 400, "BadRequest", NOT_ALONE
        return None if "User.Read" in token.scopes else (403, "Authorization_RequestDenied", DENIED)
    need = NEEDS.get(kind)
    if need is None or (token.person is None and need in entra.effective(token)):
        return None
    if kind == "users":
        return 403, "Authorization_RequestDenied", DENIED
    if kind == "devices":
        word, has = ("Scopes", token.scopes) if token.person else ("Roles", token.roles)
        return 403, "Forbidden", SCOPE_MISSING % (word[:-1].lower(), need, word, ", ".join(has))
    return 403, "Forbidden", ""


class Directory:
    """Answers of the three collections."""

    def __init__(self, people):
        self.users = everybody(people)
        self.devices = [device(n) for n in range(DEVICES)]

    def serve(self, kind, request, token):
        """The body as text; odata.Invalid for what Graph answers with 400."""
        if kind == "me":
            opts = odata.options(request, ("$select",))
            return self._one(token.person.properties(), opts)
        if kind == "users":
            return self._collection(request, self.users, (USER_FIELDS, 100, 999), "users")
        return self._collection(request, self.devices, (DEVICE_FIELDS, 20, 50), "teamwork/devices")

    def _one(self, row, opts):
        names = odata.select(opts.get("$select"), USER_FIELDS)
        return json.dumps({"@odata.context": context("users/$entity"), **picked(row, names)})

    def _collection(self, request, rows, bounds, what):
        fields, size, largest = bounds
        opts = odata.options(request, ("$top", "$select", "$skiptoken"))
        names = odata.select(opts.get("$select"), fields)
        size = top(opts.get("$top"), size, largest)
        start = odata.read_token(opts["$skiptoken"], "o")[0] if "$skiptoken" in opts else 0
        page = [picked(row, names) for row in rows[start:start + size]]
        body = {"@odata.context": context(what)}
        if what != "users":
            body["@odata.count"] = len(page)
        if start + size < len(rows):
            body["@odata.nextLink"] = self._link(opts, start + size, what)
        return json.dumps({**body, "value": page})

    def _link(self, opts, offset, what):
        """Of devices the published examples have relative ones, so they are relative here."""
        keep = ["%s=%s" % pair for pair in opts.items() if pair[0] != "$skiptoken"]
        query = "&".join(keep + ["$skiptoken=" + odata.make_token(o=offset)])
        base = "/teamwork/devices" if what != "users" else self.url + "/v1.0/users"
        return base + "?" + query

    url = ""


def top(text, usual, largest):
    if text is None:
        return usual
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise odata.Invalid("Invalid page size specified: '%s'. Must be between 1 and %d inclusive."
                            % (text, largest))
    return int(text)


def picked(row, names):
    if names is None:
        return row
    return {"id": row["id"], **{n: row.get(n) for n in names}}


def context(what):
    version = "beta" if what.startswith("teamwork") else "v1.0"
    return "https://graph.microsoft.com/%s/$metadata#%s" % (version, what)


def device(number):
    """As the published examples spell it: enum values with a capital, which the schema lacks."""
    kind = ("CollaborationBar", "TeamsRoom", "TouchConsole")[number % 3]
    health = ("Healthy", "Offline", "Critical")[number % 5 % 3]
    return {"@odata.type": "#microsoft.graph.teamworkDevice",
            "id": str(uuid.uuid5(SPACE, "device%d" % number)), "deviceType": kind,
            "hardwareDetail": {"serialNumber": "SN%06d" % number, "uniqueId": "U%06d" % number,
                               "macAddresses": ["ETHERNET_00:00:5E:00:53:%02X" % number],
                               "manufacturer": "contoso", "model": "bar %d" % number},
            "notes": None, "companyAssetTag": "Tag%d" % number, "healthStatus": health,
            "activityState": "Idle", "createdDateTime": "2026-03-19T19:01:04.185Z",
            "createdBy": None, "lastModifiedDateTime": "2026-03-19T19:01:04.185Z",
            "lastModifiedBy": None,
            "currentUser": {"id": str(uuid.uuid5(SPACE, "room%d@contoso.example" % number)),
                            "displayName": "Room %d" % number, "userIdentityType": "aadUser"}}
