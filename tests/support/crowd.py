#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A crowd that nobody would call users: many clients at once, each of them a nuisance.

usage: crowd.py PORT COUNT KIND [SECONDS [SEED]]

Talks to 127.0.0.1:PORT only. KIND:
  slow    COUNT clients that connect and send one byte a second of a hello that never ends, one in
          fifty shakes hands first and then does so with a request; whoever is thrown out comes
          back a second later
  fuzz    COUNT clients that send requests with bytes flipped, cut, repeated and made up, TLS and
          not, and end the connection in every way there is
  fuzz-plain  the same without TLS, for a port that has none
Prints "ready" when every client has tried once. Ends after SECONDS, or when its standard input
closes, and prints what it did as JSON.
"""
import asyncio
import json
import random
import resource
import socket
import ssl
import struct
import sys

SECONDS_MAX = 3600
ADDRESSES = 8           # 127.0.0.2 and on: a crowd does not come from one place
TRY_S_MAX = 5           # of one connection to come about
HANDS_EVERY = 50
REST_S_MAX = 2          # for an answer to something made up
REQUEST = b"GET /status HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: crowd\r\nX: "
HELLO = b"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03"     # 4 KiB of it are promised
SEEDS = [
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    b"HEAD /metrics HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n\r\n",
    b"GET /status HTTP/1.0\r\nHost: localhost:%d\r\nConnection: keep-alive\r\n\r\n",
    b"GET /certificate?next=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    b"GET /redirect?code=a&state=b&error=%%41 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    b"POST /action HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-www-form-"
    b"urlencoded\r\nContent-Length: 35\r\n\r\ndo=validate&code=2222-2222&token=ab",
    b"POST /action HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]
PIECES = [b"\r\n", b"\0", b"\r", b"\n", b": ", b"%", b"%00", b"../", b"\xff\xfe", b" " * 300,
          b"A" * 5000, b"Host: evil.example\r\n", b"Content-Length: 99999999999999999999\r\n",
          b"Content-Length: -1\r\n", b"HTTP/2.0", b"X: y\r\n" * 60, b"&token=" * 40, b"\t"]


class Crowd:
    """All of them, in one loop."""

    def __init__(self, port, count, kind, seed):
        self.port, self.count, self.kind = port, count, kind
        self.random = random.Random(seed)
        self.did = {"connected": 0, "refused": 0, "handshakes": 0, "bytes": 0, "answers": {}}
        self.waiting, self.ready = set(range(count)), asyncio.Event()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    async def connect(self, number, tls):
        source = ("127.0.0.%d" % (2 + number % ADDRESSES), 0)
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(
                "127.0.0.1", self.port, local_addr=source), TRY_S_MAX)
        finally:
            self.waiting.discard(number)
            if not self.waiting:
                self.ready.set()
        self.did["connected"] += 1
        if tls:
            try:
                await asyncio.wait_for(writer.start_tls(self.tls), TRY_S_MAX)
            except BaseException:
                writer.transport.abort()
                raise
            self.did["handshakes"] += 1
        return reader, writer

    def count_answer(self, data):
        word = data[9:12].decode("latin-1") if data[:9] == b"HTTP/1.1 " else "other" if data \
            else "none"
        self.did["answers"][word] = self.did["answers"].get(word, 0) + 1

    # -- one that never gets on with it

    async def slow(self, number):
        shakes = number % HANDS_EVERY == 0
        reader, writer = await self.connect(number, shakes)
        try:
            text = (REQUEST % self.port if shakes else HELLO) + b"a" * SECONDS_MAX
            for at in range(len(text)):
                writer.write(text[at:at + 1])
                self.did["bytes"] += 1
                try:
                    data = await asyncio.wait_for(reader.read(4096), 1)
                except asyncio.TimeoutError:
                    continue
                self.count_answer(data)
                return
        finally:
            writer.transport.abort()

    # -- one that sends what nobody should

    def made_up(self):
        dice = self.random
        seed = dice.choice(SEEDS)
        data = bytearray(seed % ((self.port,) * seed.count(b"%d")))
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(data) + 1)
            what = dice.randrange(5)
            if what == 0 and data:
                data[min(at, len(data) - 1)] ^= 1 << dice.randrange(8)
            elif what == 1:
                del data[at:at + dice.randrange(20)]
            elif what == 2:
                data[at:at] = dice.choice(PIECES)
            elif what == 3:
                data[at:at] = data[:dice.randrange(len(data) + 1)]
            else:
                del data[at:]
        return bytes(data[:20000])

    async def fuzz(self, number):
        tls = self.kind == "fuzz" and self.random.random() < 0.5
        reader, writer = await self.connect(number, tls)
        try:
            data = self.made_up()
            self.did["bytes"] += len(data)
            for piece in self.cut(data):
                writer.write(piece)
                await writer.drain()
            end = self.random.randrange(4)
            if end == 0 and not tls:
                writer.write_eof()
            elif end == 1:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            self.count_answer(await asyncio.wait_for(reader.read(4096), REST_S_MAX))
        finally:
            writer.transport.abort()

    def cut(self, data):
        while data:
            size = self.random.choice((1, 7, 100, 5000, 20000))
            yield data[:size]
            data = data[size:]

    # -- all of them

    async def be(self, number):
        act = self.slow if self.kind == "slow" else self.fuzz
        while True:
            try:
                await act(number)
            except (OSError, asyncio.TimeoutError, ssl.SSLError, asyncio.IncompleteReadError):
                self.did["refused"] += 1
            await asyncio.sleep(1 if self.kind == "slow" else 0.01)

    async def run(self, seconds):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)   # aborted handshakes are meant to be
        over = asyncio.Event()
        loop.add_reader(sys.stdin.fileno(), over.set)
        tasks = [loop.create_task(self.be(n)) for n in range(self.count)]
        loop.create_task(self.tell())
        try:
            await asyncio.wait_for(over.wait(), seconds)
        except asyncio.TimeoutError:
            pass
        loop.remove_reader(sys.stdin.fileno())        # its end stays readable
        while tasks:
            for task in tasks:
                task.cancel()
            # wait_for forgets that it was cancelled if what it waited for came at that moment.
            _, tasks = await asyncio.wait(tasks, timeout=1)

    async def tell(self):
        await self.ready.wait()
        print("ready", flush=True)


def main():
    port, count, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    seconds = min(float(sys.argv[4]) if len(sys.argv) > 4 else SECONDS_MAX, SECONDS_MAX)
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count + 100)), hard))
    crowd = Crowd(port, count, kind, seed)
    asyncio.run(crowd.run(seconds))
    print(json.dumps(crowd.did))


if __name__ == "__main__":
    main()
