# SPDX-License-Identifier: Apache-2.0
"""Chromium's DevTools protocol over its pipe: commands and their answers, events as they come.

The pipe (--remote-debugging-pipe) is the browser's file descriptors 3 and 4, JSON messages with a
NUL behind each. No port is opened, and no driver is in between.
"""
import json
import os
import shutil
import subprocess
import tempfile
import threading

ANSWER_S_MAX = 120     # of one command; far more than a busy machine needs
READ_BYTES = 1 << 16
# Nothing but loopback is ever asked, and nothing is asked that no test asked for.
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
           "--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--disable-sync",
           "--disable-background-networking", "--disable-component-update", "--disable-extensions",
           "--disable-default-apps", "--disable-domain-reliability", "--disable-breakpad",
           "--metrics-recording-only", "--mute-audio", "--hide-scrollbars", "--lang=en-GB",
           "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
           "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication"]


class CommandFailed(Exception):
    """The browser refused a command, or went away."""


class Chromium:
    """The browser as a process. `spki`: SHA-256 (base64) of the public keys that are believed."""

    def __init__(self, spki=()):
        self.profile = tempfile.mkdtemp(prefix="anteroom-browser-")
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        command = ["chromium", *OPTIONS, "--remote-debugging-pipe",
                   "--user-data-dir=" + self.profile, "about:blank"]
        if spki:
            command.insert(-1, "--ignore-certificate-errors-spki-list=" + ",".join(spki))
        with open(os.path.join(self.profile, "stderr"), "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", 'exec "$@" 3<&%d 4>&%d' % (to_browser, from_browser), "-", *command],
                pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
                env={**os.environ, "HOME": self.profile})
        os.close(to_browser)
        os.close(from_browser)
        self._changed = threading.Condition()
        self._number, self._answers, self._gone = 0, {}, False
        self.listeners = {}      # session -> called with (method, params)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        rest = b""
        while True:
            data = os.read(self._in, READ_BYTES)
            if not data:
                break
            *messages, rest = (rest + data).split(b"\0")
            for message in messages:
                self._take(json.loads(message))
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _take(self, message):
        with self._changed:
            if "id" in message:
                self._answers[message["id"]] = message
                self._changed.notify_all()
                return
            listener = self.listeners.get(message.get("sessionId"))
        if listener:
            listener(message["method"], message.get("params", {}))

    def call(self, method, session=None, **params):
        """One command and its answer."""
        with self._changed:
            self._number += 1
            number = self._number
            message = {"id": number, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            data = json.dumps(message).encode() + b"\0"
            try:
                while data:
                    data = data[os.write(self._out, data):]
            except BrokenPipeError:
                raise CommandFailed(self.words()) from None
            done = self._changed.wait_for(lambda: self._gone or number in self._answers,
                                          ANSWER_S_MAX)
            answer = self._answers.pop(number, None)
        if answer is None:
            raise CommandFailed("%s: %s" % (method, self.words() if done else "no answer"))
        if "error" in answer:
            raise CommandFailed("%s: %s" % (method, answer["error"].get("message")))
        return answer["result"]

    def words(self):
        """What the browser said on its way out."""
        with open(os.path.join(self.profile, "stderr"), encoding="utf-8", errors="replace") as text:
            return "the browser is gone: " + text.read()[-2000:]

    def close(self):
        try:
            self.call("Browser.close")
        except CommandFailed:
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._thread.join(20)
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self.profile, ignore_errors=True)
