# SPDX-License-Identifier: Apache-2.0
"""The bed that is measured on: nginx with canned pages of Graph, a token endpoint and a sink.

The pages are made by the generator of ../shared/perf-bed where that is present (then figures can be
held against those of other collectors), else from the fake cloud's records. Nothing in the canned
answers depends on what the box does. The sink is nginx too: its access log is the count.
"""
import datetime
import gzip
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"
SHARED = os.environ.get("ANTEROOM_SHARED", os.path.join(ROOT, "..", "shared"))
GENERATOR = os.path.join(SHARED, "perf-bed", "gen_callrecords.py")
PAGE = 100
TOKEN = {"token_type": "Bearer", "expires_in": 3599, "access_token": "bench"}
TENANT, CLIENT = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa"

NGINX = """
worker_processes 1; daemon off; pid %(bed)s/nginx.pid; error_log %(bed)s/nginx.err warn;
events { worker_connections 64; }
http {
  log_format events '$msec $request_method $status $content_length $http_x_batch_count $uri';
  access_log %(bed)s/access.log events;
  sendfile on; keepalive_requests 1000000; keepalive_timeout 300s; client_max_body_size 0;
  client_body_temp_path %(bed)s/t1; proxy_temp_path %(bed)s/t2; fastcgi_temp_path %(bed)s/t3;
  uwsgi_temp_path %(bed)s/t4; scgi_temp_path %(bed)s/t5;
  types { application/json json; } default_type application/json;
  map $args $page { default p0; "~skiptoken=(?<tok>p[0-9]+)" $tok; }
  server {
    listen 127.0.0.1:%(port)d ssl;
    ssl_certificate %(bed)s/tls/server.pem; ssl_certificate_key %(bed)s/tls/server.key;
    ssl_protocols TLSv1.2 TLSv1.3; gzip_static on;
    location ~ /oauth2/v2.0/token$ { return 200 '%(token)s'; }
    location = /v1.0/communications/callRecords {
      if ($http_authorization !~ "^Bearer ") { return 401; }
      rewrite ^ /pages/$page.json last;
    }
    location ~ ^/v1.0/communications/callRecords/[^/]+/participants_v2$ {
      rewrite ^ /pages/participants_$page.json last;
    }
    location ~ ^/v1.0/communications/callRecords/[^/]+/sessions$ {
      rewrite ^ /pages/sessions_$page.json last;
    }
    location ~ ^/v1.0/communications/callRecords/[^/]+$ {
      if ($arg_%(select)s) { rewrite ^ /pages/version.json last; }
      rewrite ^ /pages/record.json last;
    }
    location /pages/ { internal; alias %(bed)s/pages/; }
    location /events { return 200 '{}'; }
  }
}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def shift_dates(folder):
    """The generator starts in March 2024; Graph keeps 30 days. Same lengths, so the sizes stay."""
    first = datetime.date.today() - datetime.timedelta(days=26)
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with open(path, "rb") as f:
            text = f.read()
        for day in range(25):
            old = datetime.date(2024, 3, 1) + datetime.timedelta(days=day)
            new = first + datetime.timedelta(days=day)
            text = text.replace(old.isoformat().encode(), new.isoformat().encode())
        with open(path, "wb") as f:
            f.write(text)


def own_pages(folder, kind, count, base):
    """Pages from the fake cloud's records, where the shared generator is not there."""
    sys.path.insert(0, os.path.join(ROOT, "tools"))
    # pylint: disable-next=import-outside-toplevel
    from fakecloud import calls, clock, envelope, records, scenario

    settings = scenario.load(None, records={"count": count})
    made = records.Records(settings["records"], 1, clock.Clock())
    content = calls.Content(made, 1, kind == "fat")
    for page in range((count + PAGE - 1) // PAGE):
        items = []
        for index in range(page * PAGE, min(count, (page + 1) * PAGE)):
            item = dict(content.head(index, 0))
            if kind == "fat":
                count_of = min(2, content.sessions(index, 0))
                texts = (content.session(index, 0, n) for n in range(count_of))
                item["sessions"] = [envelope.read(text) for text in texts]
            items.append(item)
        body = {"value": items}
        if (page + 1) * PAGE < count:
            body["@odata.nextLink"] = "%s/v1.0/communications/callRecords?$skiptoken=p%d" % (
                base,
                page + 1,
            )
        with open(os.path.join(folder, "p%d.json" % page), "w", encoding="utf-8") as out:
            json.dump(body, out, ensure_ascii=False, separators=(",", ":"))


class Bed:
    """A scratch folder with nginx in it."""

    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("tls", "pages"):
            os.makedirs(os.path.join(folder, name))
        self.port = free_port()
        self.base = "https://127.0.0.1:%d" % self.port
        self.process = None
        self._certificates()

    def _certificates(self):
        tls = os.path.join(self.folder, "tls")
        run = lambda *a: subprocess.run(("openssl",) + a, cwd=tls, check=True, capture_output=True)
        run(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "30",
            "-subj",
            "/CN=bench CA",
        )
        run(
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
            "-subj",
            "/CN=127.0.0.1",
        )
        with open(os.path.join(tls, "ext"), "w", encoding="ascii") as out:
            out.write("basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n")
        run(
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            "server.pem",
            "-days",
            "30",
            "-extfile",
            "ext",
        )
        self.ca = os.path.join(tls, "ca.pem")

    def fill(self, kind, count):
        """kind: "slim", "fat" (sessions within the list) or "meeting".

        Returns bytes of JSON per record.
        """
        pages = os.path.join(self.folder, "pages")
        shutil.rmtree(pages)
        os.makedirs(pages)
        if kind == "meeting":
            return self._meeting(pages)
        if os.path.exists(GENERATOR):
            command = [
                PYTHON,
                GENERATOR,
                "--out",
                pages,
                "--count",
                str(count),
                "--page",
                str(PAGE),
                "--base",
                self.base,
            ]
            subprocess.run(
                command + (["--sessions"] if kind == "fat" else []), check=True, capture_output=True
            )
            shift_dates(pages)
        else:
            own_pages(pages, kind, count, self.base)
        total = 0
        for name in os.listdir(pages):
            with open(os.path.join(pages, name), "rb") as f:
                text = f.read()
            total += len(text)
            with open(os.path.join(pages, name + ".gz"), "wb") as out:
                out.write(gzip.compress(text, 6, mtime=0))
        return total / count

    def _meeting(self, pages):
        """One call of 1,000 people in 17 pages of 8 MiB: every session is 140 KB."""
        start = (datetime.datetime.utcnow() - datetime.timedelta(days=2)).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        end = (datetime.datetime.utcnow() - datetime.timedelta(days=1)).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        head = {
            "id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
            "version": 1,
            "type": "groupCall",
            "startDateTime": start,
            "endDateTime": end,
        }
        rng = random.Random(1)
        streams = [
            {
                "streamId": str(rng.getrandbits(32)),
                "averageJitter": "PT0.%03dS" % rng.randrange(1000),
                "averagePacketLossRate": rng.random(),
            }
            for _ in range(1480)
        ]
        session = {
            "id": "0",
            "startDateTime": start,
            "endDateTime": end,
            "segments": [{"id": "0", "media": [{"streams": streams}]}],
        }

        def put(name, body):
            with open(os.path.join(pages, name + ".json"), "w", encoding="utf-8") as out:
                json.dump(body, out, separators=(",", ":"))

        url = self.base + "/v1.0/communications/callRecords/" + head["id"]
        put("p0", {"value": [head]})
        put("version", {"id": head["id"], "version": 1})
        for page in range(8):
            body = {
                "value": [
                    {"id": str(page * 130 + i), "identity": {"user": {"id": str(i)}}}
                    for i in range(130 if page < 7 else 90)
                ]
            }
            if page < 7:
                body["@odata.nextLink"] = "%s/participants_v2?$skiptoken=p%d" % (url, page + 1)
            put("participants_p%d" % page, body)
        for page in range(17):
            items = [dict(session, id=str(page * 60 + i)) for i in range(60 if page < 16 else 40)]
            link = "%s/sessions?$expand=segments&$skiptoken=p%d" % (url, page + 1)
            if page == 0:
                put("record", dict(head, **{"sessions@odata.nextLink": link, "sessions": items}))
            else:
                body = {"value": items}
                if page < 16:
                    body["@odata.nextLink"] = link
                put("sessions_p%d" % page, body)
        return os.path.getsize(os.path.join(pages, "sessions_p1.json"))

    def start(self):
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w", encoding="ascii") as out:
            out.write(
                NGINX
                % {
                    "bed": self.folder,
                    "port": self.port,
                    "token": json.dumps(TOKEN),
                    "select": "_select",
                }
            )
        text = (
            open(conf, encoding="ascii")
            .read()
            .replace("if ($arg__select)", "if ($args ~ \"select=id\")")
        )
        with open(conf, "w", encoding="ascii") as out:
            out.write(text)
        self.log = os.path.join(self.folder, "access.log")
        open(self.log, "w", encoding="ascii").close()
        self.process = subprocess.Popen(
            ["nginx", "-c", conf, "-p", self.folder],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise RuntimeError(
                        "nginx did not start; see %s/nginx.err" % self.folder
                    ) from None
                time.sleep(0.02)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None

    def forget(self):
        """Begin counting anew."""
        open(self.log, "w", encoding="ascii").close()

    def requests(self):
        """(seconds, method, status, bytes, events, path) of every request since forget()."""
        out = []
        with open(self.log, encoding="ascii", errors="replace") as log:
            for line in log:
                f = line.split(" ")
                if len(f) == 6 and line.endswith("\n"):  # a GET has no length: "-"
                    out.append(
                        (
                            float(f[0]),
                            f[1],
                            int(f[2]),
                            int(f[3]) if f[3].isdigit() else 0,
                            int(f[4]) if f[4].isdigit() else 0,
                            f[5].strip(),
                        )
                    )
        return out
