# SPDX-License-Identifier: Apache-2.0
"""A person at a browser without JavaScript: opens pages, presses buttons, fills in forms. Cookies
are kept, for the one host that this person looks at.

    person = Person(cloud)
    person.open(link)
    person.press("Ada Admin").press("Accept")      # part of a button's label
    person.left                                    # where it went to, if that is not the authority
Follows redirects as long as they stay at the authority; the first one that leads elsewhere is not
opened: `left` has it, `query` its members.
"""
import hashlib
import html.parser
import http.client
import http.cookies
import json
import ssl
import subprocess
import time
import urllib.parse

REDIRECTS_MAX = 10
PAGE_S_MAX = 120


class Forms(html.parser.HTMLParser):
    """Forms of a page with their members and buttons, its links, and its text."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self.words = [], [], []
        self._button = self._link = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append({"action": attrs.get("action", ""), "fields": {}, "buttons": []})
        elif tag in ("input", "textarea") and self.forms and "name" in attrs:
            self.forms[-1]["fields"][attrs["name"]] = attrs.get("value", "")
        elif tag == "a" and "href" in attrs:
            self._link = [attrs["href"], ""]
            self.links.append(self._link)
        elif tag == "button" and self.forms:
            self._button = [attrs.get("name"), attrs.get("value", ""), ""]
            self.forms[-1]["buttons"].append(self._button)

    def handle_endtag(self, tag):
        if tag == "button":
            self._button = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data):
        if self._button is not None:
            self._button[2] += data
        if self._link is not None:
            self._link[1] += data
        self.words.append(data)


class Person:
    """See above. `base`: another host than the cloud's authority, also without TLS; known by the
    fingerprint of its certificate, if it has one that nobody vouches for."""

    def __init__(self, cloud, base=None, fingerprint=None):
        self.base, self.fingerprint = base or cloud.state["authority_url"], fingerprint
        self.context = ssl.create_default_context(cafile=cloud.state["ca_file"])
        if fingerprint:
            self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.cookies = {}
        self.status, self.raw, self.page = None, "", Forms("")
        self.left, self.url = None, self.base

    def open(self, url):
        return self._go("GET", urllib.parse.urljoin(self.url, url))

    def _go(self, method, url, form=None):
        for _ in range(REDIRECTS_MAX):
            if not url.startswith(self.base + "/"):
                self.left = url
                return self
            self.url = url
            location = self._ask(method, url, form)
            if location is None:
                return self
            method, url, form = "GET", urllib.parse.urljoin(url, location), None
        raise AssertionError("redirects without end: " + url)

    def _ask(self, method, url, form):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            conn = http.client.HTTPSConnection(parts.netloc, context=self.context, timeout=20)
        else:
            conn = http.client.HTTPConnection(parts.netloc, timeout=20)
        try:
            conn.connect()
            if self.fingerprint:
                found = hashlib.sha256(conn.sock.getpeercert(True)).hexdigest()
                assert found == self.fingerprint, "another certificate: " + found
            headers = {"Accept": "text/html"}
            if self.cookies:
                headers["Cookie"] = "; ".join("%s=%s" % pair for pair in self.cookies.items())
            if form is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            conn.request(method, parts.path + ("?" + parts.query if parts.query else ""),
                         None if form is None else urllib.parse.urlencode(form), headers)
            answer = conn.getresponse()
            text = answer.read().decode()
        finally:
            conn.close()
        self._keep(answer.headers.get_all("Set-Cookie") or ())
        self.status, self.raw, self.page = answer.status, text, Forms(text)
        return answer.headers.get("Location") if answer.status in (302, 303) else None

    def _keep(self, lines):
        for line in lines:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies.pop(name, None)
                if morsel.value:
                    self.cookies[name] = morsel.value

    def press(self, label, **fields):
        """Press the button whose label has this text, after filling in fields of its form."""
        for form in self.page.forms:
            for name, value, text in form["buttons"]:
                if label in text:
                    members = {**form["fields"], **fields}
                    if name:
                        members[name] = value
                    return self._go("POST", urllib.parse.urljoin(self.url, form["action"]), members)
        raise AssertionError("no button %r on the page: %s" % (label, self.text))

    def link(self, label):
        """Where the link leads whose text has this."""
        for href, text in self.page.links:
            if label in text:
                return urllib.parse.urljoin(self.url, href)
        raise AssertionError("no link %r on the page: %s" % (label, self.text))

    @property
    def text(self):
        return " ".join(" ".join(self.page.words).split())

    @property
    def query(self):
        """Members of the address that the browser was sent to."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.left).query,
                                           keep_blank_values=True))


class BoxPage:
    """The page of a box (world.World), in the hands of somebody who has its setup code."""

    def __init__(self, world):
        told = world.wait_log("status_port")
        self.url, self.world = told["url"], world
        self.person = Person(world.cloud, self.url.rstrip("/"), told["fingerprint"])
        done = subprocess.run([world.box.ctl, "setup-code", "--state", world.box.state],
                              check=True, capture_output=True, text=True, timeout=60)
        self.code = done.stdout.strip()

    def open(self):
        return self.person.open(self.url)

    def press(self, label, **fields):
        self.open().press(label, code=self.code, **fields)
        return self.person

    def until(self, condition, what):
        """Poll the page until condition(person) is true; its value."""
        end = time.monotonic() + PAGE_S_MAX
        while True:
            value = condition(self.open())
            if value:
                return value
            assert time.monotonic() < end, "the page has no %s: %s" % (what, self.person.text)
            time.sleep(0.1)

    def link(self, label):
        """A link, as soon as the page has it."""
        return self.until(lambda person: next(
            (href for href, text in person.page.links if label in text), None), label)

    def says(self, words):
        self.until(lambda person: words in person.text, words)

    def status(self):
        """GET /status, as an object."""
        self.person.open(self.url + "status")
        return json.loads(self.person.raw)
