# SPDX-License-Identifier: Apache-2.0
"""A second upstream for tests with two sinks: takes everything, remembers what it took."""
import gzip
import http.server
import json
import os
import ssl
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.recorder.take(self.headers, [json.loads(s) for s in body.splitlines()])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Recorder:
    """Serves https on 127.0.0.1 with the fake cloud's certificate. Down until start()."""

    def __init__(self, cloud):
        folder = cloud.folder
        self.events, self.headers, self.started = [], [], False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler, False)
        self.server.daemon_threads = True
        self.server.recorder = self
        self.server.server_bind()  # its port is known, and refuses
        self.url = "https://127.0.0.1:%d/second" % self.server.server_port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "ecdsa-good.pem"),
                                os.path.join(folder, "ecdsa-key.pem"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)

    def take(self, headers, events):
        self.headers.append(dict(headers))
        self.events += events

    def start(self):
        self.started = True
        self.server.server_activate()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.started:
            self.server.shutdown()
        self.server.server_close()

    def complete(self):
        """Ids of the records whose call_complete came, behind their parts."""
        counts, done = {}, set()
        for event in self.events:
            key = event["id"], event["version"]
            if event["type"] == "call_complete":
                parts = counts.get(key, set())
                wanted = event["data"]["sessions"] + event["data"]["participants"] + 1
                if len(parts) == wanted:
                    done.add(event["id"])
            else:
                counts.setdefault(key, set()).add((event["type"], event["part"]))
        return done
