# SPDX-License-Identifier: Apache-2.0
"""A collector in its simplest form, to exercise the fake cloud. It knows nothing of the oracle."""
import base64
import datetime
import hashlib
import http.client
import json
import ssl
import time
import urllib.parse
import uuid
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

BASE = "/v1.0/communications/callRecords"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def loads(data):
    """JSON with the text of its floats kept, so that dumps() gives the same numbers again."""
    return json.loads(data, parse_float=lambda text: "@@%s@@" % text)


def dumps(value):
    return json.dumps(value).replace('"@@', "").replace('@@"', "")


class Identity:
    """A key with its self-signed certificate, which ends `hours` from now."""

    def __init__(self, hours=24):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
        now = datetime.datetime.utcnow()
        self.cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                     .public_key(self.key.public_key()).serial_number(1)
                     .not_valid_before(now - datetime.timedelta(days=2))
                     .not_valid_after(now + datetime.timedelta(hours=hours))
                     .sign(self.key, hashes.SHA256()))
        self.pem = self.cert.public_bytes(serialization.Encoding.PEM).decode()

    def assertion(self, audience, client, header=None, salt=32, **claims):
        der = self.cert.public_bytes(serialization.Encoding.DER)
        now = int(time.time())
        head = {"alg": "PS256", "typ": "JWT", "x5t#S256": b64(hashlib.sha256(der).digest())}
        body = {"aud": audience, "iss": client, "sub": client, "jti": str(uuid.uuid4()), "iat": now,
                "nbf": now - 60, "exp": now + 600}
        head.update(header or {})
        body.update(claims)
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(body).encode())
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
        return text + "." + b64(self.key.sign(text.encode(), pss, hashes.SHA256()))


class Client:
    """Talks to one fake cloud over TLS that it verifies."""

    def __init__(self, cloud, identity=None):
        self.cloud, self.state, self.identity = cloud, cloud.state, identity
        self.context = ssl.create_default_context(cafile=self.state["ca_file"])
        self.token = ""
        self.seq = 1
        self.device = "client%s" % uuid.uuid4().hex[:8]
        self.connections = {}

    def request(self, url, method="GET", body=None, headers=None):
        """(status, headers, body) of one request; connections are kept."""
        parts = urllib.parse.urlsplit(url)
        conn = self.connections.get(parts.netloc)
        if conn is None:
            conn = self.connections[parts.netloc] = http.client.HTTPSConnection(
                parts.netloc, context=self.context, timeout=20)
        target = parts.path + ("?" + parts.query if parts.query else "")
        try:
            conn.request(method, target, body, headers or {})
            answer = conn.getresponse()
            data = answer.read()
        except Exception:
            conn.close()
            del self.connections[parts.netloc]
            raise
        if answer.headers.get("Content-Encoding") == "gzip":
            data = zlib.decompress(data, 31)
        return answer.status, answer.headers, data

    # -- Entra

    def token_url(self):
        return "%s/%s/oauth2/v2.0/token" % (self.state["authority_url"], self.state["tenant_id"])

    def ask_token(self, **change):
        """(status, object) of a token request; change: form members, None removes one."""
        form = {"client_id": self.state["client_id"], "grant_type": "client_credentials",
                "scope": "https://graph.microsoft.com/.default"}
        if self.identity and "client_secret" not in change and "client_assertion" not in change:
            form["client_assertion"] = self.identity.assertion(self.token_url(), form["client_id"])
        if "client_secret" not in change:
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form.update(change)
        body = urllib.parse.urlencode({k: v for k, v in form.items() if v is not None})
        status, _, data = self.request(self.token_url(), "POST", body,
                                       {"Content-Type": "application/x-www-form-urlencoded"})
        return status, json.loads(data)

    def sign_in(self):
        self.cloud.entra(certificate=self.identity.pem)
        status, answer = self.ask_token()
        assert status == 200, answer
        self.token = answer["access_token"]
        return self

    # -- Graph

    def get(self, target, **headers):
        """(status, headers, body) of a Graph request; target may be a whole link."""
        url = target if target.startswith("https:") else self.state["graph_url"] + target
        all_headers = {"Authorization": "Bearer " + self.token, "Accept-Encoding": "gzip",
                       "client-request-id": str(uuid.uuid4()), **headers}
        return self.request(url, headers=all_headers)

    def pages(self, target):
        """All items of a collection; waits when throttled."""
        items = []
        while target:
            status, headers, data = self.get(target)
            if status == 429:
                time.sleep(float(headers["Retry-After"]))
                continue
            assert status == 200, (status, data)
            page = loads(data)
            items += page["value"]
            target = page.get("@odata.nextLink")
        return items

    def list(self, low, high):
        text = "startDateTime ge %s and startDateTime lt %s" % (low, high)
        return self.pages(BASE + "?$filter=" + urllib.parse.quote(text))

    def list_all(self):
        return self.list("2000-01-01T00:00:00Z", "2100-01-01T00:00:00.0000000Z")

    def fetch(self, record_id):
        """(record, sessions, participants) of one record, paged to the end."""
        people = self.pages("%s/%s/participants_v2" % (BASE, record_id))
        status, _, data = self.get("%s/%s?$expand=%s" % (
            BASE, record_id, urllib.parse.quote("sessions($expand=segments)")))
        assert status == 200, (status, data)
        record = loads(data)
        sessions = record.pop("sessions")
        link = record.pop("sessions@odata.nextLink", None)
        if link:
            sessions += self.pages(link)
        return record, sessions, people

    # -- sink

    def events(self, record, sessions, people):
        """The events of a whole record, numbered on from the last one."""
        counts = {"sessions": len(sessions), "participants": len(people)}
        rows = [("call_record", 0, record)]
        rows += [("call_participant", n + 1, p) for n, p in enumerate(people)]
        rows += [("call_session", n + 1, s) for n, s in enumerate(sessions)]
        out = []
        for kind, part, data in rows + [("call_complete", 0, counts)]:
            out.append({"type": kind, "tenant": self.state["tenant_id"], "id": record["id"],
                        "version": record["version"], "part": part, "seq": self.seq,
                        "event_time": record["startDateTime"], "clock": "trusted",
                        "collected_time": "2026-01-01T00:00:00Z", "source": "call_records",
                        "data": data})
            self.seq += 1
        return out

    def post(self, events, **change):
        """(status, body) of one batch."""
        text = "".join(dumps(e) + "\n" for e in events).encode()
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        body = packer.compress(text) + packer.flush()
        first, last = events[0]["seq"], events[-1]["seq"]
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip",
                   "Content-Digest": "sha-256=:%s:" % digest, "X-Batch-Seq": str(first),
                   "Idempotency-Key": "%s-%d-%d" % (self.device, first, last),
                   "X-Batch-Count": str(len(events)), "Authorization": "Bearer t", **change}
        status, _, data = self.request(self.state["sink_url"], "POST", body, headers)
        return status, data

    def collect(self):
        """Everything once: list, fetch, deliver."""
        for item in self.list_all():
            status, data = self.post(self.events(*self.fetch(item["id"])))
            assert status == 200, data
