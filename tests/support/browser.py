# SPDX-License-Identifier: Apache-2.0
"""A person's browser: opens a page, reads, clicks and types as a person does, and remembers what
went wrong there. The certificates that it believes are pinned by their public keys.

    with Browser([spki_of(pem)]) as browser:
        page = browser.page(width=360, scheme="dark")
        page.open("https://127.0.0.1:8443/")
        page.click("a.consent")
        assert not page.faults and not page.axe()
"""
import base64
import hashlib
import json
import os
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from devtools import Chromium, CommandFailed

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
AXE = os.path.join(ROOT, "build", "interop", "node_modules", "axe-core", "axe.min.js")
PICTURES = os.path.join(ROOT, "build", "pages")
WAIT_S_MAX = 120
STEP_S = 0.05
HEIGHT = 800
ON_ITS_WAY = ("Execution context was destroyed", "Inspected target navigated",
              "Cannot find context", "Cannot find default execution context",
              "uniqueContextId not found")
REFUSED = "net::ERR_HTTP_RESPONSE_CODE_FAILURE"      # 4xx and 5xx are pages as well
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27}
VISIBLE = """(e => { const r = e.getBoundingClientRect();
  return r.width > 0 && r.height > 0 && e.checkVisibility({visibilityProperty: true})
    && !e.disabled; })"""
CONTROLS = """[...document.querySelectorAll('a[href],button,input,select,textarea,summary')]
  .filter(e => e.type !== 'hidden' && (%s)(e))""" % VISIBLE
NAMED = """(e => e.tagName.toLowerCase() + ':' + (e.tagName === 'BUTTON' ? e.name + '=' + e.value :
  e.name || e.id || e.getAttribute('href') || e.textContent.trim()).slice(0, 60))"""


def spki_of(pem):
    """The name that Chromium has for the public key of a certificate (PEM or DER)."""
    data = pem.encode() if isinstance(pem, str) else pem
    read = x509.load_pem_x509_certificate if data.startswith(b"-----") \
        else x509.load_der_x509_certificate
    key = read(data).public_key().public_bytes(serialization.Encoding.DER,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


class Browser:
    """Chromium, in which pages are opened."""

    def __init__(self, spki=()):
        self.chromium = Chromium(spki)

    def page(self, width=1000, scheme="light", javascript=True):
        return Page(self.chromium, width, scheme, javascript)

    def close(self):
        self.chromium.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Page:
    """One tab, of its own browser context: nothing is remembered from another one."""

    def __init__(self, chromium, width, scheme, javascript, context=None, target=None):
        self.chromium, self.javascript = chromium, javascript
        self.faults = []           # of the console, of the policy, of scripts
        self.asked = []            # every URL that the page made the browser ask for
        self._loads = 0
        self.context = context or chromium.call("Target.createBrowserContext")["browserContextId"]
        self.downloads = os.path.join(chromium.profile, "downloads-" + self.context)
        chromium.call("Browser.setDownloadBehavior", behavior="allow",
                      browserContextId=self.context, downloadPath=self.downloads)
        self.target = target or chromium.call("Target.createTarget", url="about:blank",
                                              browserContextId=self.context)["targetId"]
        self.session = chromium.call("Target.attachToTarget", targetId=self.target,
                                     flatten=True)["sessionId"]
        chromium.listeners[self.session] = self._hear
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable")
        if not javascript:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.show(width, scheme)

    def call(self, method, **params):
        return self.chromium.call(method, self.session, **params)

    def show(self, width, scheme):
        """As wide as this, and as this person likes it."""
        self.width, self.scheme = width, scheme
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme},
                            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def close(self):
        self.chromium.listeners.pop(self.session)
        self.chromium.call("Target.closeTarget", targetId=self.target)

    # -- what happens there

    def _hear(self, method, params):
        if method == "Page.loadEventFired":
            self._loads += 1
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            entry = params["entry"]
            if entry["level"] in ("error", "warning"):
                self.faults.append("%s: %s %s" % (entry["source"], entry["text"],
                                                  entry.get("url", "")))
        elif method == "Runtime.exceptionThrown":
            self.faults.append("script: " + params["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning",
                                                                         "assert"):
            self.faults.append("console: " + json.dumps([a.get("value") for a in params["args"]]))
        elif method == "Audits.issueAdded":
            issue = params["issue"]
            if issue["code"] in ("ContentSecurityPolicyIssue", "MixedContentIssue"):
                self.faults.append("%s: %s" % (issue["code"], json.dumps(issue["details"])[:300]))

    # -- reading

    def evaluate(self, expression):
        """The value of a JavaScript expression. Scripts of the page may be off, this is not."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise CommandFailed(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def until(self, expression, what=None):
        """Wait until an expression is true; its value. A page that is being left is waited for."""
        end = time.monotonic() + WAIT_S_MAX
        while True:
            try:
                value = self.evaluate(expression)
            except CommandFailed as error:
                if not any(word in str(error) for word in ON_ITS_WAY):
                    raise
                value = None
            if value:
                return value
            assert time.monotonic() < end, "not within %s s: %s" % (WAIT_S_MAX, what or expression)
            time.sleep(STEP_S)

    def text(self):
        """What a person reads: the visible text."""
        return self.until("document.readyState === 'complete' && document.body "
                          "&& (document.body.innerText || ' ')")

    def title(self):
        return self.evaluate("document.title")

    def url(self):
        return self.evaluate("location.href")

    def there(self, selector):
        """Is it there, and can it be seen?"""
        return self.evaluate("(e => !!e && (%s)(e))(document.querySelector(%s))"
                             % (VISIBLE, json.dumps(selector)))

    def attribute(self, selector, name):
        return self.evaluate("document.querySelector(%s)?.getAttribute(%s)"
                             % (json.dumps(selector), json.dumps(name)))

    # -- doing

    def _load(self, act):
        """Do something that leads to another page, and wait for that."""
        before = self._loads
        act()
        end = time.monotonic() + WAIT_S_MAX
        while self._loads == before:
            assert time.monotonic() < end, "no page came"
            time.sleep(STEP_S)
        self.until("document.readyState === 'complete'")
        return self

    def open(self, url):
        def go():
            answer = self.call("Page.navigate", url=url)
            assert answer.get("errorText") in (None, REFUSED), "%s: %s" % (url, answer["errorText"])
        return self._load(go)

    def reload(self):
        return self._load(lambda: self.call("Page.reload"))

    def _point(self, selector):
        """The middle of an element, scrolled to. What lies on top of it gets the click, as ever."""
        return self.until("""(e => { if (!e || !(%s)(e)) return null;
            e.scrollIntoView({block: 'center', behavior: 'instant'});
            const r = e.getBoundingClientRect();
            return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })
            (document.querySelector(%s))""" % (VISIBLE, json.dumps(selector)), "to see " + selector)

    def click(self, selector):
        """With the mouse; stays on this page."""
        point = self._point(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **point)
        return self

    def follow(self, selector):
        """A click that leads to another page."""
        return self._load(lambda: self.click(selector))

    def _tabs(self):
        return {t["targetId"] for t in self.chromium.call("Target.getTargets")["targetInfos"]
                if t["type"] == "page" and t.get("browserContextId") == self.context}

    def opens(self, selector):
        """A click that opens another tab: that one."""
        before = self._tabs()
        self.click(selector)
        end = time.monotonic() + WAIT_S_MAX
        while self._tabs() == before:
            assert time.monotonic() < end, "no tab came"
            time.sleep(STEP_S)
        tab = Page(self.chromium, self.width, self.scheme, self.javascript, self.context,
                   (self._tabs() - before).pop())
        tab.until("location.href !== 'about:blank' && document.readyState === 'complete'")
        return tab

    def download(self, selector):
        """A click on something that the browser keeps as a file; where it keeps it."""
        def whole():
            names = os.listdir(self.downloads) if os.path.isdir(self.downloads) else []
            return [n for n in names if not n.endswith(".crdownload") and not n.startswith(".")]
        before = set(whole())
        self.click(selector)
        end = time.monotonic() + WAIT_S_MAX
        while set(whole()) == before:
            assert time.monotonic() < end, "no file came"
            time.sleep(STEP_S)
        return os.path.join(self.downloads, (set(whole()) - before).pop())

    def type(self, selector, text):
        """Into a field, in place of what is in there."""
        self.click(selector)
        self.evaluate("document.querySelector(%s).select?.()" % json.dumps(selector))
        self.call("Input.insertText", text=text)
        return self

    def choose(self, selector, path):
        """A file for a field that takes one."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        field = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=field, files=[os.path.abspath(path)])
        return self

    def press(self, key):
        code = KEYS[key]
        typed = {"Enter": "\r", " ": " "}.get(key, "")
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code,
                  code="Space" if key == " " else key, text=typed)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code,
                  code="Space" if key == " " else key)
        return self

    def focused(self):
        """The element that has the keyboard, or None."""
        return self.evaluate("document.activeElement === document.body ? null : (%s)"
                             "(document.activeElement)" % NAMED)

    def controls(self):
        """Everything that can be used with the mouse, in the order of the page."""
        return self.evaluate("(%s).map(%s)" % (CONTROLS, NAMED))

    def tabbed(self):
        """What the Tab key reaches from the top of the page, in this order, each once."""
        self.evaluate("(document.activeElement?.blur(), window.scrollTo(0, 0))")
        reached = []
        for _ in range(3 * len(self.controls()) + 3):
            here = self.press("Tab").focused()
            if here in reached:
                break
            if here:
                reached.append(here)
        return reached

    # -- judging

    def axe(self):
        """axe-core's violations: "rule (impact): element" of each. Looks from a world beside the
        page's own, so that its policy is neither in the way nor weakened; needs scripts on."""
        assert self.javascript
        with open(AXE, encoding="utf-8") as text:
            source = text.read()
        frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self.call("Page.createIsolatedWorld", frameId=frame, worldName="axe")
        context = world["executionContextId"]
        self.call("Runtime.evaluate", expression=source, contextId=context)
        answer = self.call("Runtime.evaluate", contextId=context, returnByValue=True,
                           awaitPromise=True, expression="axe.run(document, {preload: false})"
                           ".then(r => ({bad: r.violations.map(v => v.id + ' (' + v.impact + '): ' "
                           "+ v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0] || n.all[0] || "
                           "n.none[0] || {}).message).join('; ')), good: r.passes.length}))")
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        assert answer["result"]["value"]["good"] > 0, "axe looked at nothing"
        return answer["result"]["value"]["bad"]

    def overflow(self):
        """CSS pixels that the page is wider than the window."""
        return self.evaluate("document.scrollingElement.scrollWidth - "
                             "document.documentElement.clientWidth")

    def picture(self, name):
        """A picture of the whole page, kept as build/pages/NAME-WIDTH-SCHEME.png; its path."""
        os.makedirs(PICTURES, exist_ok=True)
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": self.width, "height": max(size["height"], 1), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip=clip)["data"]
        path = os.path.join(PICTURES, "%s-%d-%s.png" % (name, self.width, self.scheme))
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))
        return path
