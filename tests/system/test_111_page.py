# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: a new box is authorised from its first page to collecting, by what
stands there and nothing else.

Every state is looked at as people look: narrow and wide, light and dark. No message in the console,
nothing that the policy had to stop, no request to anywhere else, no violation that axe-core finds,
no scrolling sideways. The pictures are kept as build/pages/STATE-WIDTH-SCHEME.png.
"""
import http.server
import os
import re
import subprocess
import threading

import pytest
from listening import free_port, listen, port_of, setup_code, status_of, wait_state
from world import OFTEN, wait_until

from browser import AXE, Browser, spki_of
from fakecloud.hardware import Board
from fakecloud.tls import Tls

WIDTHS = (360, 1000)
SCHEMES = ("light", "dark")
SOME = {"count": 12}
ALL = ["CallRecords.Read.All", "User.Read.All", "TeamworkDevice.Read.All"]
CONSENT = 'a[href*="adminconsent"]'
SIGN_IN = 'a[href*="/oauth2/v2.0/authorize"]'
CERTIFICATE = 'a[href^="/certificate"]'

if not os.path.exists(AXE):
    pytest.skip("axe-core is not installed: tools/dev test system does it", allow_module_level=True)


class Visitor:
    """A person with a browser, in front of a box."""

    def __init__(self, world, browser):
        self.world, self.browser = world, browser
        self.tab = browser.page()
        self.tab.open(self.url)

    @property
    def port(self):
        return self.world.port

    @property
    def url(self):
        return self.port.url + "/"

    def look(self, name):
        """The state as it is now, in every width and scheme; what is wrong with how it looks."""
        wrong = []
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = self.browser.page(width, scheme)
                page.open(self.url)
                page.picture(name)
                where = "%s at %d, %s: " % (name, width, scheme)
                wrong += [where + fault for fault in page.axe() + page.faults]
                if page.overflow() > 0:
                    wrong.append(where + "%d px too wide" % page.overflow())
                wrong += [where + "asked " + url for url in page.asked
                          if not url.startswith((self.url, "data:"))]
                page.close()
        assert not wrong, "\n".join(wrong)
        return self

    def faults(self):
        """What went wrong in this tab at the box. Entra's own pages are not ours to judge."""
        entra = self.world.cloud.state["authority_url"]
        return [fault for fault in self.tab.faults if entra not in fault]

    def reads(self, text):
        """Wait until the page says it, without anybody's reloading."""
        self.tab.until("document.body.innerText.toLowerCase().includes(%r)" % text.lower(),
                       "to read " + text)
        return self

    def ask(self, do, value=None, code=None):
        """A form of the page: the setup code and a button."""
        button = 'button[name="do"][value="%s"]' % do
        self.tab.until("!!document.querySelector('%s')" % button, "the button " + do)
        self.tab.type("#code", code or setup_code(self.world.box))
        if value is not None:
            self.tab.type("#value", value)
        self.tab.follow(button)
        return self

    def at_entra(self, link, who="admin@contoso.example", then="accept"):
        """Follow a link to Entra, be somebody there, press a button, and be sent back."""
        entra = self.tab.opens(link)
        assert entra.url().startswith(self.world.cloud.state["authority_url"])
        entra.follow('button[value="%s"]' % who)
        if entra.there('button[value="%s"]' % then):
            entra.follow('button[value="%s"]' % then)
        entra.until("location.href.startsWith(%r)" % self.url, "to be back at the box")
        assert "code=" not in entra.url(), "a code does not stay in the address"
        entra.close()
        return self

    def uploads(self, path):
        """At the portal, to the app registration; in a tab of its own."""
        portal = self.browser.page()
        portal.open(self.world.cloud.state["authority_url"] + "/portal")
        portal.choose('input[name="file"]', path).follow('button[value="upload"]')
        portal.close()
        return self


@pytest.fixture
def browse():
    """browse(world): a visitor of its box, in a browser that believes that box and its cloud."""
    browsers = []

    def make(world):
        with open(os.path.join(world.cloud.folder, "rsa-good.pem"), encoding="ascii") as pem:
            entra = pem.read()
        with world.port.connect() as wire:
            browser = Browser([spki_of(wire.certificate()), spki_of(entra)])
        browsers.append(browser)
        return Visitor(world, browser)

    yield make
    for browser in browsers:
        browser.close()


def with_page(config, port, permissions=None):
    """The port at an address that is known before, to which Entra sends browsers back."""
    listen(port)(config)
    config["sign_in"] = {"redirect_uri": "https://127.0.0.1:%d/redirect" % port}
    if permissions:
        config["permissions"] = permissions


@pytest.fixture
def new_box(make_world):
    """new_box(...): a box as it comes out of its carton: nobody knows its certificate, nobody has
    consented. Started unless board is wanted: then its Board is world.board."""
    def make(start=True, consent=False, known=False, permissions=None, entra=None, **more):
        port = free_port()
        world = make_world(
            "quiet", records=SOME, change=lambda c: with_page(c, port, permissions),
            entra={"consent": consent, "redirect_uris": {
                "web": ["https://127.0.0.1:%d/redirect" % port], "public": []}, **(entra or {})},
            **more)
        if not known:
            world.cloud.entra(forget=True)
        if start:
            world.start()
            world.port = port_of(world)
        return world
    return make


# -- the whole way


def decoded(picture):
    """What the QR codes of a picture say."""
    done = subprocess.run(["zbarimg", "--quiet", "--raw", picture], capture_output=True, timeout=60)
    return done.stdout.decode().split()


def test_a_new_box_is_authorised_from_its_first_page_to_collecting(new_box, browse):
    world = new_box(permissions=ALL, entra={"propagation_s": "ever"})
    cloud = world.cloud

    wait_state(world.port, "unconfigured")                  # nobody knows the certificate
    person = browse(world).look("1-unconfigured")
    person.uploads(person.tab.download(CERTIFICATE))

    wait_state(world.port, "awaiting_consent")
    person.tab.until("!!document.querySelector('%s')" % CONSENT, "the consent link")
    person.look("2-awaiting-consent")
    link = person.tab.attribute(CONSENT, "href")
    assert decoded(person.tab.picture("2-awaiting-consent-code")) == [link]
    cloud.fault({"service": "graph"}, {"status": 503})      # nobody answers for the moment
    person.at_entra(CONSENT)

    wait_state(world.port, "validating")
    person.look("3-validating")
    person.tab.until("!document.querySelector('%s')" % CONSENT, "that it was given")
    cloud.clear_faults()
    person.ask("validate")

    wait_state(world.port, "propagating")                   # Graph does not know of it yet: 403
    person.look("4-propagating")
    assert status_of(world.port)["state"]["propagation_left_s"] > 7000
    cloud.entra(propagation_s=0)
    person.ask("validate")

    wait_state(world.port, "collecting")
    world.wait_delivered()
    person.look("5-collecting")
    for name in ALL:
        person.reads(name)
    assert not person.faults()
    world.finish()


def test_a_box_without_a_configuration_shows_where_it_belongs(new_box, browse):
    world = new_box(start=False)
    board = world.board = Board(world.box, pause_s=0.05)
    aside = world.box.config_file + ".aside"
    os.rename(world.box.config_file, aside)
    try:
        board.power_on()
        world.port = port_of(world)
        wait_state(world.port, "unconfigured")
        person = browse(world).look("0-no-configuration").reads(world.box.config_file)
        assert person.tab.there(CERTIFICATE) and not person.tab.there("button")
        os.rename(aside, world.box.config_file)
        wait_until(lambda: len(board.lives) >= 2, "another life")
        world.port = port_of(world, lives=2)               # at the address of the configuration
        person.tab.open(person.url)
        person.look("1-unconfigured").reads("upload")
        assert not person.faults()
        assert board.power_off() == 0
    finally:
        board.cut_for_good()


def test_consent_that_is_declined_changes_nothing(new_box, browse):
    world = new_box(known=True)
    wait_state(world.port, "awaiting_consent")
    person = browse(world)
    person.at_entra(CONSENT, then="cancel")
    assert status_of(world.port)["state"]["name"] == "awaiting_consent"
    assert person.tab.there(CONSENT), "it can be tried again"
    person.at_entra(CONSENT)
    wait_state(world.port, "collecting")
    assert not person.faults()
    world.finish()


def test_somebody_else_accepts_the_link_elsewhere_and_the_page_follows(new_box, browse):
    """The link may be opened anywhere: consent is known from a token, not from a redirect."""
    world = new_box(known=True)
    wait_state(world.port, "awaiting_consent")
    person = browse(world)
    world.cloud.entra(grant=["CallRecords.Read.All"])
    person.ask("validate")
    wait_state(world.port, "collecting")
    person.reads("collecting")
    world.finish()


# -- who authorised it


def test_signing_in_by_link_says_who_authorised_this_box(new_box, browse):
    world = new_box(consent=True, known=True, permissions=ALL)
    wait_state(world.port, "collecting")
    person = browse(world)
    person.ask("sign_in")
    person.tab.until("!!document.querySelector('%s')" % SIGN_IN, "the sign-in link")
    person.look("6-sign-in-link")
    person.at_entra(SIGN_IN)
    wait_until(lambda: status_of(world.port)["sign_in"]["who"] == "Ada Admin", "who it was")
    person.reads("Ada Admin").look("7-signed-in")
    world.finish()


def test_signing_in_by_device_code(new_box, browse):
    world = new_box(consent=True, known=True, permissions=ALL,
                    entra={"device_interval_s": 1, "public_flows": True})
    wait_state(world.port, "collecting")
    person = browse(world)
    person.ask("device_code")
    person.tab.until("!!document.querySelector('p.big')", "the code of the device")
    code = person.tab.evaluate("document.querySelector('p.big').innerText")
    person.look("8-device-code")
    other = person.browser.page()               # another machine, with a keyboard
    other.open(world.cloud.state["authority_url"] + "/devicelogin")
    other.type('input[name="user_code"]', code)
    other.follow('button[value="code"]')
    other.follow('button[value="admin@contoso.example"]')
    other.follow('button[value="accept"]')
    wait_until(lambda: status_of(world.port)["sign_in"]["who"] == "Ada Admin", "who it was")
    person.reads("Ada Admin")
    world.finish()


# -- what goes wrong, in words


def test_a_wrong_setup_code_is_said_and_nothing_is_done(new_box, browse):
    world = new_box(consent=True, known=True)
    wait_state(world.port, "collecting")
    person = browse(world)
    person.ask("validate", code="2222-2222").reads("setup code")
    assert not person.tab.axe() and person.tab.overflow() <= 0
    person.tab.picture("9-wrong-code")
    assert not world.log("wish")
    person.ask("validate")
    world.wait_log("wish", kind="validate")
    world.finish()


def test_enabling_with_a_warning(new_box, browse):
    world = new_box(known=True, permissions=ALL, entra={"propagation_s": "ever"})
    wait_state(world.port, "awaiting_consent")
    person = browse(world).at_entra(CONSENT)
    wait_state(world.port, "propagating")
    person.ask("enable")
    wait_until(lambda: status_of(world.port)["state"]["enabled_with_warning"], "it is enabled")
    person.reads("warning").look("10-enabled-with-a-warning")
    world.cloud.entra(propagation_s=0)
    person.ask("validate")
    wait_state(world.port, "collecting")
    world.finish()


def test_attention_names_what_is_wrong_and_what_to_do(new_box, browse):
    world = new_box(consent=True, known=True)
    wait_state(world.port, "collecting")
    world.cloud.entra(forget=True, revoke=True)             # somebody removed the certificate
    found = wait_state(world.port, "attention")
    assert found["state"]["reason"] and found["state"]["advice"]
    person = browse(world).look("11-attention")
    text = " ".join(person.tab.text().split())
    assert found["state"]["what"] in text and found["state"]["advice"] in text
    world.cloud.entra(certificate=world.box.certificate())
    wait_state(world.port, "collecting")
    person.reads("collecting")
    world.finish()


def test_a_missing_permission_is_named(new_box, browse):
    world = new_box(known=True, permissions=ALL, entra={"roles": ["CallRecords.Read.All"]},
                    consent=True)
    wait_state(world.port, "degraded")
    person = browse(world).look("12-degraded")
    person.reads("User.Read.All").reads("TeamworkDevice.Read.All")
    verdicts = {p["name"]: p["verdict"] for p in status_of(world.port)["permissions"]}
    assert verdicts["CallRecords.Read.All"] == "good" and verdicts["User.Read.All"] == "missing"
    world.finish()


def test_a_sink_that_is_away_is_shown_with_its_backlog(new_box, browse):
    world = new_box(known=True, consent=True, calls=OFTEN)
    wait_state(world.port, "collecting")
    world.wait_delivered()
    world.cloud.sink(state="down")
    world.cloud.raise_versions(count=5)
    wait_until(lambda: status_of(world.port)["sinks"][0]["backlog"] > 0, "a backlog")
    browse(world).look("13-sink-away").reads("main")
    world.cloud.sink(state="up")
    world.finish()


# -- everybody can use it


def tab_to(page, what):
    """Press Tab until that has the keyboard; no mouse."""
    for _ in page.controls() * 2:
        if page.press("Tab").focused() == what:
            return
    raise AssertionError("the keyboard does not reach " + what)


def test_the_keyboard_reaches_everything_and_is_enough(new_box, browse):
    world = new_box(known=True, consent=True)
    wait_state(world.port, "collecting")
    person = browse(world)
    tab = person.tab
    wanted = tab.controls()
    assert len(wanted) >= 5 and tab.tabbed() == wanted, "and in the order of the page"
    tab.open(person.url)
    tab_to(tab, "input:code")
    tab.call("Input.insertText", text=setup_code(world.box))
    tab_to(tab, "button:do=validate")
    tab.press("Enter")
    world.wait_log("wish", kind="validate")
    world.finish()


def plain(text):
    """Without what changes from one second to the next."""
    return re.sub(r"\d+", "0", " ".join(text.split()))


def test_it_reads_the_same_without_javascript(new_box, browse):
    world = new_box(known=True)
    wait_state(world.port, "awaiting_consent")
    person = browse(world)
    without = person.browser.page(javascript=False)
    without.open(person.url)
    assert "load it again" in without.text()
    without.evaluate("document.querySelectorAll('noscript').forEach(e => e.remove())")
    assert plain(without.text()) == plain(person.tab.open(person.url).text())
    assert without.there(CONSENT) and not without.faults
    without.type("#code", setup_code(world.box)).follow('button[value="validate"]')
    world.wait_log("wish", kind="validate")
    assert world.alive()


# -- a box that is given away


def test_forgetting_needs_somebody_at_the_box_and_leaves_nothing(new_box, browse):
    world = new_box(start=False, known=True, consent=True)
    board = world.board = Board(world.box, pause_s=0.05)
    try:
        board.power_on()
        world.port = port_of(world)
        wait_state(world.port, "collecting")
        world.wait_delivered()
        before = world.box.certificate()
        person = browse(world)
        board.devices.press()
        board.devices.press(False)
        person.tab.until("!!document.querySelector('button[value=\"forget\"]')", "the button")
        person.look("14-forget")
        person.ask("forget").reads("app registration")
        wait_until(lambda: len(board.lives) >= 2, "another life")
        world.port = port_of(world, lives=2)
        wait_state(world.port, "unconfigured")
        assert world.box.certificate() != before, "another key"
        assert board.power_off() == 0
    finally:
        board.cut_for_good()


# -- the eyes can fail


BAD = b"""<!doctype html><html><head><meta name=viewport content="width=device-width"></head><body>
<h1 style="color:#ccc">Hello</h1><img src=/x.png><script>alert(1)</script>
<p>%s</p><a href=/a></a></body></html>""" % (b"W" * 200)


class BadPage(http.server.BaseHTTPRequestHandler):
    """Everything that must not be on the page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src-attr "
                                                    "'unsafe-inline'")
        self.end_headers()
        self.wfile.write(BAD)

    def log_message(self, *_):
        pass


def test_what_is_wrong_with_a_page_is_seen(tmp_path):
    tls = Tls(str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BadPage)
    server.socket = tls.context({}).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "https://127.0.0.1:%d/" % server.server_address[1]
    with open(os.path.join(str(tmp_path), "rsa-good.pem"), encoding="ascii") as pem:
        known = spki_of(pem.read())
    try:
        with Browser([known]) as browser:
            page = browser.page(360).open(url)
            found = " ".join(page.axe())
            for rule in ("color-contrast", "image-alt", "html-has-lang", "document-title"):
                assert rule in found
            assert page.overflow() > 0
            assert any("img-src" in f for f in page.faults)
            assert any("script-src" in f for f in page.faults)
        with Browser() as stranger:
            with pytest.raises(AssertionError, match="ERR_CERT"):
                stranger.page().open(url)
    finally:
        server.shutdown()
        server.server_close()
