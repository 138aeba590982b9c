#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other end of the TLS connection, for tests/unit/net: correct, slow, broken or hostile, as the
path asks.

usage: peer.py DIRECTORY

Makes a private CA and server certificates in DIRECTORY, listens on ports of its own choice and
prints them, one `name port` a line, then `ready`. Ends when its standard input closes.
"""
import datetime
import gzip
import hashlib
import ipaddress
import pathlib
import socket
import ssl
import struct
import sys
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

BIG = 3 * 1024 * 1024
DAY = datetime.timedelta(days=1)
FLOOD = 100000  # records
CHANGE_CIPHER_SPEC = b"\x14\x03\x03\x00\x01\x01"
WARNING = b"\x15\x03\x03\x00\x02\x01\x70"
counts = {"connections": 0}


def make_key(kind):
    if kind == "ecdsa":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(
        public_exponent=65537, key_size=1024 if kind == "rsa1024" else 2048
    )


class Authority:
    """A CA of one test run."""

    def __init__(self, directory, name):
        self.directory = directory
        self.key = make_key("ecdsa")
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self.sign(self.name, self.key.public_key(), authority=True)
        self.write(f"{name}.pem", self.certificate)

    def sign(self, subject, public_key, authority=False, names=(), ends=None, begins=None):
        now = datetime.datetime.utcnow()
        ends = ends or now + 30 * DAY
        begins = begins or min(now, ends) - 30 * DAY
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            alternatives = [
                x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n)
                for n in names
            ]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        return builder.sign(self.key, hashes.SHA256())

    def write(self, file, certificate, key=None):
        path = self.directory / file
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        if key:
            pem += key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        path.write_bytes(pem)
        return path

    def issue(self, file, kind="ecdsa", names=("localhost", "127.0.0.1"), **dates):
        key = make_key(kind)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, file)])
        return self.write(
            f"{file}.pem", self.sign(subject, key.public_key(), names=names, **dates), key
        )


def body_bytes(size):
    """Repeatable bytes that compress about as well as JSON does."""
    line = b'{"id":"%06d","callee":"c%03d","type":"groupCall"}\n'
    text = b"".join(line % (i, i % 997) for i in range(size // 50 + 1))
    return text[:size]


def answer(status, body=b"", *headers, length=True):
    lines = [
        f"HTTP/1.1 {status}",
        "Date: Mon, 23 Nov 2026 10:00:00 GMT",
        "request-id: 11111111-2222-3333",
    ]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode() + body


def send_slowly(out, data, piece, pause):
    for at in range(0, len(data), piece):
        out.sendall(data[at : at + piece])
        time.sleep(pause)


def send_chunked(out, body, *headers):
    out.sendall(answer("200 OK", b"", "Transfer-Encoding: chunked", *headers, length=False))
    for at in range(0, len(body), 7001):
        piece = body[at : at + 7001]
        out.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
    out.sendall(b"0\r\n\r\n")


class Request:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ", 2)
        self.headers = lines[1:]
        self.body = body


def reflect(request):
    """What arrived, for the test to look at."""
    digest = hashlib.sha256(request.body).hexdigest()
    text = "\n".join(
        [
            request.method,
            request.path,
            f"bytes {len(request.body)}",
            f"sha256 {digest}",
            *request.headers,
        ]
    )
    return text.encode()


RETRY_AFTER = {
    "seconds": "7",
    "decimal": "2.128",
    "date": "Mon, 23 Nov 2026 10:00:30 GMT",
    "absurd": "99999999",
    "negative": "-5",
    "words": "soon",
    "long": "1" * 300,
}


def serve_path(out, request):
    """Answer one request. False: the connection is to be closed."""
    path, _, parameter = request.path.lstrip("/").partition("/")
    if path == "reflect":
        out.sendall(answer("200 OK", reflect(request)))
    elif path == "status":
        out.sendall(
            answer(
                f"{parameter} Some",
                b"" if parameter == "204" else b"body",
                length=parameter != "204",
            )
        )
    elif path == "redirect":
        out.sendall(answer("302 Found", b"elsewhere", "Location: /reflect"))
    elif path == "retry":
        out.sendall(answer("429 Slow", b"", f"Retry-After: {RETRY_AFTER[parameter]}"))
    elif path == "claims":
        out.sendall(
            answer(
                "401 No", b"", 'WWW-Authenticate: Bearer error="insufficient_claims", claims="e30="'
            )
        )
    elif path == "interim":
        out.sendall(
            b"HTTP/1.1 103 Early\r\nrequest-id: early\r\nRetry-After: 9\r\n\r\n"
            + answer("200 OK", b"x")
        )
    elif path == "big":
        out.sendall(answer("200 OK", body_bytes(BIG)))
    elif path == "chunked":
        send_chunked(out, body_bytes(BIG))
    elif path == "gzip":
        send_chunked(out, gzip.compress(body_bytes(BIG)), "Content-Encoding: gzip")
    elif path == "bomb":
        send_chunked(out, gzip.compress(bytes(64 * 1024 * 1024)), "Content-Encoding: gzip")
    elif path == "badgzip":
        broken = bytearray(gzip.compress(body_bytes(100000)))
        broken[200:220] = bytes(20)
        out.sendall(answer("200 OK", bytes(broken), "Content-Encoding: gzip"))
    elif path == "connections":
        out.sendall(answer("200 OK", str(counts["connections"]).encode()))
    elif path == "close":
        out.sendall(answer("200 OK", b"bye", "Connection: close"))
        return False
    else:
        return serve_fault(out, path)
    return True


def serve_fault(out, path):
    if path == "cut":
        out.sendall(answer("200 OK", body_bytes(100000))[:50000])
    elif path == "reset":
        out.sendall(answer("200 OK", body_bytes(100000))[:50000])
        out.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif path == "cutchunk":
        out.sendall(
            answer("200 OK", b"", "Transfer-Encoding: chunked", length=False) + b"400\r\nabc"
        )
    elif path == "badchunk":
        out.sendall(
            answer("200 OK", b"", "Transfer-Encoding: chunked", length=False)
            + b"zz\r\nabc\r\n0\r\n\r\n"
        )
    elif path == "nothing":
        pass
    elif path == "nonsense":
        out.sendall(b"220 smtp.example ESMTP\r\n" * 20)
    elif path == "heads":
        out.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Fill: %s\r\n" % (b"y" * 1000) * 200 + b"\r\n")
    elif path == "flood":
        with socket.fromfd(out.fileno(), socket.AF_INET, socket.SOCK_STREAM) as below:
            flood(below, CHANGE_CIPHER_SPEC)
    elif path == "silent":
        time.sleep(30)
    elif path == "stall":
        out.sendall(answer("200 OK", body_bytes(100000))[:5000])
        time.sleep(30)
    elif path == "drip":
        send_slowly(out, answer("200 OK", body_bytes(100000)), 1000, 0.1)
    else:
        out.sendall(answer("404 Not Found"))
        return True
    return False


def read_request(source):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = source.readline(65536)
        if not line:
            return None
        head += line
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return Request(head[:-4], source.read(length))


def serve_connection(out):
    counts["connections"] += 1
    source = out.makefile("rb")
    while (request := read_request(source)) is not None:
        if not serve_path(out, request):
            return


def serve_tls(context):
    def serve(plain):
        with context.wrap_socket(plain, server_side=True) as out:
            serve_connection(out)
            if out.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER) == 0:
                out.unwrap()

    return serve


def serve_proxy(plain):
    """An HTTP proxy that knows one way, and refuses hosts called refused.test."""
    source = plain.makefile("rb", buffering=0)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += source.read(1)
    target = head.split(b" ")[1].decode()
    if target.startswith("refused.test"):
        plain.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n")
        return
    if target.startswith("endless"):
        framing = {
            "endless-length.test": b"Content-Length: 1000000000000\r\n\r\n",
            "endless-chunk.test": b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        }
        plain.sendall(b"HTTP/1.1 407 No\r\n" + framing[target.partition(":")[0]])
        flood(plain, b"nothing")
        return
    with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as onward:
        plain.sendall(b"HTTP/1.1 200 Established\r\nrequest-id: of-the-proxy\r\n\r\n")
        threading.Thread(target=copy, args=(onward, plain), daemon=True).start()
        copy(plain, onward)


def flood(plain, record):
    """Records that say nothing, and then silence until the client goes."""
    plain.sendall(record * FLOOD)
    while plain.recv(65536):
        pass


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass  # either end went away


def listen(name, serve):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def one(plain):
        try:
            with plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                serve(plain)
        except (OSError, ssl.SSLError, ValueError):
            pass  # the client went away, or was meant to

    def accept():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(name, listener.getsockname()[1], flush=True)


def tls_context(pem, version, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if version == ssl.TLSVersion.TLSv1_1:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = version
    context.maximum_version = version
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def weak_context(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pem)
    return context


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    ca = Authority(directory, "ca")
    other = Authority(directory, "other")
    ca.issue("client", names=())
    other.issue("stranger", names=())
    rsa_pem, ecdsa_pem = ca.issue("rsa", "rsa"), ca.issue("ecdsa")
    tls12, tls13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

    listen("rsa12", serve_tls(tls_context(rsa_pem, tls12)))
    listen("rsa13", serve_tls(tls_context(rsa_pem, tls13)))
    listen("ecdsa12", serve_tls(tls_context(ecdsa_pem, tls12)))
    listen("ecdsa13", serve_tls(tls_context(ecdsa_pem, tls13)))
    listen("tls11", serve_tls(tls_context(rsa_pem, ssl.TLSVersion.TLSv1_1)))
    listen("weak", serve_tls(weak_context(ca.issue("weak", "rsa1024"))))
    expired = ca.issue("expired", ends=datetime.datetime.utcnow() - DAY)
    listen("expired", serve_tls(tls_context(expired, tls13)))
    late = ca.issue("late", begins=datetime.datetime.utcnow() + DAY)
    listen("late", serve_tls(tls_context(late, tls13)))
    listen("named", serve_tls(tls_context(ca.issue("named", names=("other.test",)), tls13)))
    listen("mtls12", serve_tls(tls_context(rsa_pem, tls12, directory / "ca.pem")))
    listen("mtls13", serve_tls(tls_context(ecdsa_pem, tls13, directory / "ca.pem")))
    listen("plain", lambda plain: plain.sendall(answer("400 Bad Request")))
    listen("proxy", serve_proxy)
    listen("ccs", lambda plain: flood(plain, CHANGE_CIPHER_SPEC))
    listen("warnings", lambda plain: flood(plain, WARNING))
    listen("mute", lambda plain: time.sleep(30))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
