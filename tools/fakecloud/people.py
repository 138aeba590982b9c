# SPDX-License-Identifier: Apache-2.0
"""The people of the tenant, and one of another: who signs in, and what Graph's /users lists."""
import uuid

SPACE = uuid.UUID("b7f5c0de-0000-4000-8000-0000000000ff")
ROOMS, STAFF = 9, 28


class Person:
    """Somebody who can sign in. kind: admin | member | stranger (of another tenant)."""

    def __init__(self, name, display, kind):
        self.name, self.display, self.kind = name, display, kind
        self.id = str(uuid.uuid5(SPACE, name))
        self.password_changed = 0     # every change ends refresh tokens of public clients
        self.consented = set()        # delegated permissions that this person gave

    def properties(self):
        given, _, family = self.display.partition(" ")
        return user(self.id, self.display, self.name, given, family)


def user(number, display, name, given=None, family=None):
    """A user as Graph shows it without $select."""
    return {"businessPhones": [], "displayName": display, "givenName": given, "jobTitle": None,
            "mail": name, "mobilePhone": None, "officeLocation": None,
            "preferredLanguage": "en-US" if given else None, "surname": family,
            "userPrincipalName": name, "id": number}


def signers():
    """By user name."""
    people = [Person("admin@contoso.example", "Ada Admin", "admin"),
              Person("mia@contoso.example", "Mia Member", "member"),
              Person("sam@elsewhere.example", "Sam Stranger", "stranger")]
    return {p.name: p for p in people}


def everybody(people):
    """The whole tenant: those who sign in, staff, rooms."""
    rows = [p.properties() for p in people.values() if p.kind != "stranger"]
    for number in range(STAFF):
        name = "person%02d@contoso.example" % number
        rows.append(user(str(uuid.uuid5(SPACE, name)), "Person %02d" % number, name, "Person",
                         "%02d" % number))
    for number in range(ROOMS):
        name = "room%d@contoso.example" % number
        rows.append(user(str(uuid.uuid5(SPACE, name)), "Room %d" % number, name))
    return rows
