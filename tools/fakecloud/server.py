# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/1.1 server on asyncio: keep-alive, TLS or plain, and ways to answer badly.

A handler takes a Request and returns a Response; how the bytes then go out (whole, slowly, cut
after n, not at all) is part of the Response, because bad networks are what this cloud is for.
"""
import asyncio
import re
import socket
import struct
import traceback
import urllib.parse
import zlib

HEAD_BYTES_MAX = 65536
BODY_BYTES_MAX = 64 << 20
PIECE_BYTES = 65536
_TARGET = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*")
_REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 302: "Found",
            303: "See Other", 400: "Bad Request", 401: "Unauthorized",
            403: "Forbidden", 404: "Not Found", 409: "Conflict", 413: "Content Too Large",
            422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error",
            502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class BadRequest(Exception):
    """What came in is not HTTP as we insist on it."""


class Request:
    """One request, wholly read. `raw_query` is kept: some checks are about its spelling."""

    def __init__(self, method, target, headers, body=b""):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        path, _, self.raw_query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.query = [(urllib.parse.unquote_plus(k), urllib.parse.unquote_plus(v))
                      for k, _, v in (p.partition("=") for p in self.raw_query.split("&") if p)]
        self.kind = "other"      # class for limits, faults and statistics
        self.record_id = ""      # record that the request is about, if any
        self.conn = 0            # number of the connection that it came on

    def header(self, name, default=""):
        return self.headers.get(name, default)


class Response:
    """An answer and how to send it."""

    def __init__(self, status, body=b"", headers=None, content_type=None):
        self.status, self.body = status, body
        self.headers = dict(headers or {})
        if content_type:
            self.headers["Content-Type"] = content_type
        self.cut_after = None    # bytes of the body, then a reset; -1: no byte at all
        self.slow_bps = None     # bytes a second
        self.chunked = False
        self.close = False

    def compress(self, request):
        """gzip as a server does it: when asked, and when it is worth it."""
        if len(self.body) > 256 and "gzip" in request.header("accept-encoding").lower():
            packer = zlib.compressobj(1, zlib.DEFLATED, 31)
            self.body = packer.compress(self.body) + packer.flush()
            self.headers["Content-Encoding"] = "gzip"
            self.headers["Vary"] = "Accept-Encoding"


async def read_request(reader):
    """The next request of a connection, None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest("connection ended within a request head") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("request head too long") from error
    lines = head[:-4].decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise BadRequest("request line: %r" % lines[0][:200]) from None
    if version != "HTTP/1.1" or not _TARGET.fullmatch(target):
        raise BadRequest("request line: %r" % lines[0][:200])
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or name.lower() in headers:
            raise BadRequest("header: %r" % line[:200])
        headers[name.lower()] = value.strip()
    if "host" not in headers:
        raise BadRequest("no Host")
    return Request(method, target, headers)


async def read_body(request, reader, writer):
    """Read the body that the head announces: a length, no transfer coding."""
    if "transfer-encoding" in request.headers:
        raise BadRequest("Transfer-Encoding in a request")
    if request.header("expect"):
        request.headers["x-expect-seen"] = "1"
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = request.header("content-length", "0")
    if not length.isdigit() or int(length) > BODY_BYTES_MAX:
        raise BadRequest("Content-Length: %r" % length)
    if int(length):
        request.body = await reader.readexactly(int(length))


def _head(response, keep):
    response.headers.setdefault("Connection", "keep-alive" if keep else "close")
    if response.chunked:
        response.headers["Transfer-Encoding"] = "chunked"
    elif response.status != 204:
        response.headers["Content-Length"] = str(len(response.body))
    lines = ["HTTP/1.1 %d %s" % (response.status, _REASONS.get(response.status, "Status"))]
    lines += ["%s: %s" % pair for pair in response.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def reset(writer):
    """End a connection the rude way: RST, no close_notify."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
    writer.transport.abort()


async def send(response, writer, keep):
    """Send as the response says. Returns whether the connection may go on."""
    keep = keep and not response.close
    if response.cut_after == -1:
        reset(writer)
        return False
    body = response.body if response.cut_after is None else response.body[:response.cut_after]
    head = _head(response, keep)
    if response.chunked:
        body = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 8192]), body[i:i + 8192])
                        for i in range(0, len(body), 8192))
        body += b"0\r\n\r\n" if response.cut_after is None else b""
    if response.slow_bps:
        writer.write(head)
        step = max(int(response.slow_bps / 20), 1)
        for start in range(0, len(body), step):
            writer.write(body[start:start + step])
            await writer.drain()
            await asyncio.sleep(step / response.slow_bps)
    else:
        writer.write(head + body)
        await writer.drain()
    if response.cut_after is not None:
        await asyncio.sleep(0.05)  # let the peer read what was sent before the reset discards it
        reset(writer)
        return False
    return keep


class Listener:
    """One listening socket on 127.0.0.1; can be closed and opened again on its port."""

    def __init__(self, name, handler, context=None):
        self.name, self.handler, self.context = name, handler, context
        self.held, self.port = None, 0
        self.server = None
        self.writers = set()
        self.connections = 0
        self.errors = []

    def _hold(self):
        """The port stays bound while nobody listens there: the kernel gives it neither to somebody
        who asks for any port, nor to a connection, whose own end could be the one it looks for."""
        self.held = socket.socket()
        self.held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.held.bind(("127.0.0.1", 0))
        self.port = self.held.getsockname()[1]

    async def open(self):
        if self.held is None:
            self._hold()
        self.server = await asyncio.start_server(
            self._connection, "127.0.0.1", self.port, ssl=self.context, limit=HEAD_BYTES_MAX,
            backlog=512, reuse_address=True)

    def shut(self):
        """Stop listening at once and reset what is connected: new connections are refused."""
        if self.server is not None:
            self.server.close()
            self.server = None
        for writer in list(self.writers):
            reset(writer)

    async def _connection(self, reader, writer):
        self.connections += 1
        number = self.connections
        self.writers.add(writer)
        sock = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._requests(reader, writer, number)
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        except BadRequest as error:
            self._note(str(error))
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                         b"Connection: close\r\n\r\n")
        except Exception:  # a fault of our own must not hide: it stands in the report
            self._note("internal: " + traceback.format_exc())
        finally:
            self.writers.discard(writer)
            writer.close()

    def _note(self, text):
        if len(self.errors) < 100:
            self.errors.append(text)

    async def _requests(self, reader, writer, number):
        while True:
            request = await read_request(reader)
            if request is None:
                return
            await read_body(request, reader, writer)
            request.conn = number
            response = await self.handler(request)
            keep = request.header("connection").lower() != "close"
            if not await send(response, writer, keep):
                return
