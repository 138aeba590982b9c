# SPDX-License-Identifier: Apache-2.0
"""A client of the status port that has every byte and every end of a connection in its own hands.

    port = Port("https://127.0.0.1:41234/", fingerprint)
    answer = port.get("/status")           # believed only with this certificate
    with port.connect() as wire:           # and whatever nobody should send
        wire.send(b"GET / HTTP/1.1\\r\\n")
        wire.half_close()
        assert Answer(wire.read()).status == 400
"""
import hashlib
import json
import re
import socket
import ssl
import struct
import urllib.parse

ANSWER_S_MAX = 60     # of silence; the port ends what is over by itself, long before
READ_BYTES = 1 << 16
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [\x20-\x7e]*$")


class NoAnswer(Exception):
    """The port closed the connection without a word."""


class Answer:
    """A whole answer, read strictly: one status line, headers, as many bytes as it promises."""

    def __init__(self, data, head_only=False):
        if not data:
            raise NoAnswer()
        self.raw = data
        self.head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = self.head.split(b"\r\n")
        found = STATUS_LINE.match(first)
        assert found, "no status line: %r" % first[:80]
        self.status = int(found[1])
        self.headers = {}
        for line in lines:
            name, colon, value = line.decode("ascii").partition(": ")
            assert colon and name.lower() not in self.headers, "a header: %r" % line
            self.headers[name.lower()] = value
        promised = int(self.headers["content-length"])
        assert len(self.body) == (0 if head_only else promised), "not the bytes it promised"

    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.text())


class Wire:
    """One connection. TLS runs over memory, so that each direction can be ended by itself."""

    def __init__(self, address, tls=True, fingerprint=None, source=None, patience_s=ANSWER_S_MAX):
        self.ended = None          # how the port ended it: "closed", "cut", "reset"
        self.socket = socket.create_connection(address, patience_s,
                                               source_address=(source, 0) if source else None)
        self.tls = None
        if tls:
            self._shake_hands(fingerprint)

    def _shake_hands(self, fingerprint):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its hash is, below
        self._from, self._to = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._from, self._to)
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
        self._flush()
        found = hashlib.sha256(self.tls.getpeercert(True)).hexdigest()
        assert fingerprint in (None, found), "another certificate: %s" % found

    def _flush(self):
        if self._to.pending:
            self.socket.sendall(self._to.read())

    def _feed(self):
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise NoAnswer("closed within the handshake")
        self._from.write(data)

    def certificate(self):
        return self.tls.getpeercert(True)

    def send(self, data):
        """All of it, unless the port does not take any more: then what it did not take is lost."""
        try:
            if self.tls is None:
                self.socket.sendall(data)
            else:
                self.tls.write(data)
                self._flush()
        except (BrokenPipeError, ConnectionResetError):
            self.ended = "reset"
        return self

    def send_slowly(self, data):
        """Each byte in a packet, and in a TLS record, of its own."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            self.send(data[at:at + 1])
        return self

    def half_close(self):
        """Nothing more will be sent, an answer is still wanted."""
        if self.tls is not None:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass               # the port's own goodbye is not there yet
            self._flush()
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """RST instead of an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def read(self):
        """Everything until the port ends it."""
        data = b""
        while self.ended is None:
            try:
                piece = self._read_tls() if self.tls is not None else self.socket.recv(READ_BYTES)
                if not piece:
                    self.ended = self.ended or "closed"
                data += piece
            except ConnectionResetError:
                self.ended = "reset"
        return data

    def _read_tls(self):
        while True:
            try:
                return self.tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                piece = self.socket.recv(READ_BYTES)
                if not piece:
                    self.ended = "cut"     # without TLS's own goodbye
                    return b""
                self._from.write(piece)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError:           # an alert
                self.ended = "cut"
                return b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Port:
    """The port of one box. Without a fingerprint any certificate will do."""

    def __init__(self, url, fingerprint=None, source=None):
        parts = urllib.parse.urlsplit(url)
        self.url = url.rstrip("/")
        self.tls = parts.scheme == "https"
        self.address = (parts.hostname, parts.port)
        self.host = parts.netloc
        self.fingerprint, self.source = fingerprint, source
        self.patience_s = ANSWER_S_MAX

    def connect(self, tls=None):
        return Wire(self.address, self.tls if tls is None else tls, self.fingerprint, self.source,
                    self.patience_s)

    def raw(self, data):
        """What the port says to these bytes; b"" if nothing."""
        with self.connect() as wire:
            return wire.send(data).read()

    def bytes_of(self, method, target, headers=None, body=b""):
        """A request as it stands on the wire. A header of None is left out."""
        wanted = {"Host": self.host, "User-Agent": "test", "Accept": "*/*"}
        if body or method == "POST":
            wanted["Content-Length"] = str(len(body))
        wanted.update(headers or {})
        lines = ["%s %s HTTP/1.1" % (method, target)]
        lines += ["%s: %s" % pair for pair in wanted.items() if pair[1] is not None]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def ask(self, method, target, headers=None, body=b""):
        return Answer(self.raw(self.bytes_of(method, target, headers, body)), method == "HEAD")

    def get(self, target, **headers):
        return self.ask("GET", target, {k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, form, target="/action", **headers):
        """As the page's form is sent by a browser."""
        wanted = {"Content-Type": "application/x-www-form-urlencoded",
                  "Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        wanted.update({k.replace("_", "-"): v for k, v in headers.items()})
        return self.ask("POST", target, wanted, urllib.parse.urlencode(form).encode())
