# SPDX-License-Identifier: Apache-2.0
"""A web proxy for the tests: CONNECT and nothing else, with a memory of who was asked for."""
import select
import socket
import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode("latin-1").split()
        headers = []
        while (header := self.rfile.readline().strip()):
            headers.append(header.decode("latin-1"))
        proxy = self.server.proxy
        proxy.asked.append(line[:2])
        proxy.headers.append(headers)
        if proxy.refusal:
            self.wfile.write(proxy.refusal)
            return
        host, _, port = line[1].partition(":")
        with socket.create_connection((host, int(port))) as peer:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._relay(peer)

    def _relay(self, peer):
        ends = {self.connection: peer, peer: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)


class Proxy:
    """Runs from start to stop; `refusal` is answered instead of a tunnel, if it is set."""

    def __init__(self):
        self.asked, self.headers, self.refusal = [], [], None
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.server.proxy = self
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
