# SPDX-License-Identifier: Apache-2.0
"""The status port as programs see it: every route, every refusal, nothing but what may be said.

Who is allowed to ask what is decided by the box alone: by the name in Host, by the setup code, by
the token of its page. What is wrong gets a short answer that repeats nothing of the request.
"""
import hashlib
import json
import os
import re
import ssl
import subprocess
import urllib.request

import jsonschema
import pytest
from canary import Canary, planted
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from listening import (answers, ctl, free_port, listen, opened, port_of, send, setup_code,
                       status_of, token_of, wait_state)
from port import Answer, NoAnswer, Port
from world import OFTEN, ROOT, World, judge, wait_until

SCHEMA = os.path.join(ROOT, "firmware", "status", "status.schema.json")
PROMETHEUS = os.path.join(ROOT, "build", "prometheus", "usr", "bin")
SOME = {"count": 12}
SHORT = 400           # bytes of the body of a refusal, unless it is the page that says why
PAGE = 24 * 1024


def has_arrived(found):
    source, sink = found["sources"][0], found["sinks"][0]
    return source["done"] and not source["pending"] and sink["sent"] and not sink["backlog"]


def collecting(world):
    """Started, its port is known, everything is delivered."""
    world.start()
    world.port = port_of(world)
    world.wait_delivered()
    wait_state(world.port, "collecting")
    wait_until(lambda: has_arrived(status_of(world.port)), "the box knows of it, too")
    return world


@pytest.fixture
def running(make_world):
    """A box with an open port that has delivered everything and goes on: its world."""
    return collecting(make_world("quiet", records=SOME, change=listen()))


@pytest.fixture(scope="module")
def one_box(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("reading"), "quiet", records=SOME, change=listen())
    try:
        yield collecting(world)
        judge([world])
    finally:
        world.close()


@pytest.fixture
def reading(one_box, request):
    """The same, shared by all tests that change nothing in it."""
    request.node.worlds = [one_box]
    return one_box


def refused(answer, *statuses):
    """A short answer with one of these codes, which quotes nothing."""
    assert answer.status in statuses, answer.raw[:300]
    is_page = answer.headers["content-type"].startswith("text/html")
    assert len(answer.body) <= (PAGE if is_page else SHORT)
    assert answer.headers["connection"] == "close"
    assert "evil" not in answer.raw.decode("latin-1")
    return answer


# -- what there is to read


ROUTES = {"/": "text/html; charset=utf-8", "/healthz": "text/plain", "/status": "application/json",
          "/metrics": "text/plain; version=0.0.4", "/certificate": None}


def test_every_route_answers_and_says_what_it_is(reading):
    for target, kind in ROUTES.items():
        answer = reading.port.get(target)
        assert answer.status == 200, target
        assert kind is None or answer.headers["content-type"].startswith(kind), target
        assert answer.headers["connection"] == "close"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not {"server", "set-cookie", "x-powered-by", "access-control-allow-origin"} \
            & set(answer.headers), target


def test_head_has_the_headers_of_get_and_no_body(reading):
    for target in ROUTES:
        got, head = reading.port.get(target), reading.port.ask("HEAD", target)
        assert head.status == got.status and set(head.headers) == set(got.headers), target
        assert head.body == b""


def test_the_page_allows_nothing_from_elsewhere(reading):
    answer = reading.port.get("/")
    policy = dict(part.strip().partition(" ")[::2]
                  for part in answer.headers["content-security-policy"].split(";") if part.strip())
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == "'self'" and policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy) and "http" not in str(policy)
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert len(answer.raw) <= PAGE
    assert not re.search(r'(src|action|href)="?(https?:)?//', answer.text())


def test_healthz_is_two_bytes(reading):
    assert len(reading.port.get("/healthz").body) == 2


def test_status_is_what_its_schema_says(reading):
    with open(SCHEMA, encoding="utf-8") as text:
        schema = json.load(text)
    found = status_of(reading.port)
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    checker(schema).validate(found)
    assert found["state"]["name"] == "collecting" and found["state"]["level"] == "good"
    for part in list(found) + ["surprise"]:       # and the schema refuses what it does not know
        with pytest.raises(jsonschema.ValidationError):
            checker(schema).validate({**found, part: {"x": 1}})


def test_what_status_counts_is_what_was_delivered(reading):
    found = status_of(reading.port)
    report = reading.cloud.report()
    source, sink = found["sources"][0], found["sinks"][0]
    assert (source["name"], source["state"]) == ("call_records", "on")
    assert source["done"] == report["records"]["records"] and source["pending"] == 0
    assert sink["name"] == "main" and sink["backlog"] == 0 and sink["oldest_age_s"] is None
    assert sink["sent"] >= report["records"]["records"]
    assert [p["verdict"] for p in found["permissions"] if p["name"] == "CallRecords.Read.All"] \
        == ["good"]
    assert found["clock"]["quality"] == "trusted"
    assert sum(found["last_hour"]["collected"]) > 0 and sum(found["last_hour"]["sent"]) > 0


def test_a_backlog_and_the_age_of_its_oldest_event_are_shown(make_world):
    world = make_world("quiet", records=SOME, calls=OFTEN, change=listen())
    world.cloud.sink(state="down")
    world.start()
    port = port_of(world)

    def behind():
        sink = status_of(port)["sinks"][0]
        shown = sink["backlog"] and sink["oldest_age_s"] is not None and sink["level"] != "good"
        return sink if shown else None
    assert wait_until(behind, "a backlog with an age")["sent"] == 0
    world.cloud.sink(state="up")
    world.wait_delivered()
    wait_until(lambda: status_of(port)["sinks"][0]["backlog"] == 0, "nothing is held")
    world.finish()


def test_the_certificate_is_the_one_that_the_box_prints(reading):
    answer = reading.port.get("/certificate")
    assert answer.text() == reading.box.certificate()
    cert = x509.load_pem_x509_certificate(answer.body)
    der = cert.public_bytes(serialization.Encoding.DER)
    assert status_of(reading.port)["credential"]["thumbprint"] == hashlib.sha256(der).hexdigest()
    refused(reading.port.get("/certificate?next=1"), 404)


def test_the_fingerprint_is_told_by_log_console_and_ctl(reading):
    found = opened(reading.box)["fingerprint"]
    with reading.port.connect() as wire:
        assert hashlib.sha256(wire.certificate()).hexdigest() == found
    assert found in ctl(reading.box, "status").replace(":", "").lower()
    line = json.loads(wait_until(lambda: console(reading.box), "a line on the console"))
    assert line["fingerprint"] == found == status_of(reading.port)["port"]["fingerprint"]


def console(box):
    path = os.path.join(box.state, "sandbox", "console")
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as text:
        return text.read()


# -- what is not there, and what is not allowed


@pytest.mark.parametrize("method, target, statuses", [
    ("GET", "/nothing", (404,)), ("GET", "/evil/../status", (404, 400)),
    ("GET", "/%2e%2e/etc/passwd", (404,)), ("GET", "/action", (405,)), ("GET", "/status/", (404,)),
    ("POST", "/", (405,)), ("POST", "/status", (405,)), ("POST", "/nothing", (404, 405)),
    ("PUT", "/status", (405, 501)), ("DELETE", "/", (405, 501)), ("OPTIONS", "/", (405, 501)),
    ("TRACE", "/", (405, 501)), ("CONNECT", "evil.example:443", (400, 405, 501)),
    ("GET", "http://evil.example/", (400,)), ("GET", "*", (400, 404)),
    ("get", "/", (400, 405, 501))])
def test_what_there_is_not(reading, method, target, statuses):
    answer = refused(reading.port.ask(method, target), *statuses)
    assert answer.status != 405 or "allow" in answer.headers


@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1.evil.example", "127.0.0.2", "localhost.evil.example", "[::1]",
    "evil.example:%d", "127.0.0.1@evil.example", "2130706433", "0x7f.1", "127.1", "0.0.0.0"])
def test_a_name_that_is_not_the_boxs_gets_nothing(reading, host):
    port = reading.port
    name = host % port.address[1] if "%d" in host else host
    refused(port.get("/status", Host=name), 421, 400)
    refused(port.get("/", Host=name), 421, 400)


def test_its_own_names_are_answered(make_world):
    world = make_world("quiet", records=SOME, change=listen(hosts=["box.lan"]))
    world.start()
    port = port_of(world)
    for name in (port.host, "127.0.0.1", "localhost", "LOCALHOST:1", "box.lan", "Box.Lan:8443"):
        assert port.get("/healthz", Host=name).status in (200, 503), name
    refused(port.get("/healthz", Host="evil.lan"), 421)
    world.finish()


REQUEST = b"GET /status HTTP/1.1\r\nHost: %s\r\n"


@pytest.mark.parametrize("text, statuses", [
    (REQUEST + b"Host: evil.example\r\n\r\n", (400,)),
    (b"GET /status HTTP/1.1\r\n\r\n", (400,)),
    (REQUEST + b"\r\n" + REQUEST + b"\r\n", (400,)),                          # pipelined
    (REQUEST + b"X: y\n\n", (400,)), (REQUEST + b" folded: evil\r\n\r\n", (400,)),
    (REQUEST + b"X : y\r\n\r\n", (400,)), (REQUEST + b"X: \0\r\n\r\n", (400,)),
    (REQUEST + b"Content-Length: 5\r\n\r\nevil!", (400, 413)),
    (REQUEST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", (400,)),
    (REQUEST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    (REQUEST + b"Expect: 100-continue\r\n\r\n", (417, 501)),
    (REQUEST + b"X: " + b"evil" * 5000 + b"\r\n\r\n", (413, 431)),
    (REQUEST + b"X: y\r\n" * 500 + b"\r\n", (413, 431)),
    (b"GET /" + b"evil" * 3000 + b" HTTP/1.1\r\nHost: %s\r\n\r\n", (413, 414, 431)),
    (b"GET /status HTTP/2.0\r\nHost: %s\r\n\r\n", (400, 501, 505)),
    (b"GET /status\r\n", (400,)), (b"\x16\x03\x01evil\r\n\r\n", (400,)),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 501, 505)),
    (b"POST /action HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\n", (413,)),
    (b"POST /action HTTP/1.1\r\nHost: %s\r\nContent-Length: -1\r\n\r\n", (400,)),
    (b"POST /action HTTP/1.1\r\nHost: %s\r\n\r\n", (400, 403, 411, 415))],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else None)
def test_what_is_no_request_gets_a_short_answer(reading, text, statuses):
    host = reading.port.host.encode()
    answer = Answer(reading.port.raw(text.replace(b"%s", host)))
    refused(answer, *statuses)
    assert reading.port.get("/healthz").status == 200


def test_a_request_byte_by_byte_is_answered(reading):
    with reading.port.connect() as wire:
        wire.send_slowly(reading.port.bytes_of("GET", "/healthz"))
        assert Answer(wire.read()).status == 200


def test_a_half_closed_connection_gets_its_answer_if_the_request_is_whole(reading):
    with reading.port.connect() as wire:
        wire.send(reading.port.bytes_of("GET", "/healthz")).half_close()
        assert Answer(wire.read()).status == 200
    with reading.port.connect() as wire:
        wire.send(reading.port.bytes_of("GET", "/healthz")[:-2]).half_close()
        said = wire.read()
        assert said == b"" or Answer(said).status == 400
    assert answers(reading.port)


def test_whoever_does_not_finish_is_ended_and_nobody_waits_for_him(reading):
    port = reading.port
    with port.connect() as header, port.connect(tls=False) as hello:
        header.send(port.bytes_of("GET", "/")[:-2])
        hello.send(b"\x16\x03\x01\x02\x00\x01")
        wait_until(lambda: answers(port), "an answer beside them")
        assert hello.read()[:9] != b"HTTP/1.1 "
        rest = header.read()
        assert rest == b"" or Answer(rest).status in (400, 408)
    assert answers(port)


def test_resets_in_every_moment_leave_it_answering(reading):
    port = reading.port
    request = port.bytes_of("GET", "/status")
    port.connect(tls=False).reset()
    for size in (0, 1, len(request) - 1, len(request)):
        def torn(size=size):
            try:
                port.connect().send(request[:size]).reset()
            except (NoAnswer, OSError):
                return False   # too many handshakes a second: again
            return True
        wait_until(torn, "a connection to reset")
    wait_until(lambda: answers(port), "an answer")
    assert reading.alive()


@pytest.mark.parametrize("bytes_", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 3000,
                                    b"\x16\x03\x01\xff\xff" + b"A" * 4000,
                                    b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"])
def test_what_is_no_handshake_gets_no_page(reading, bytes_):
    with reading.port.connect(tls=False) as wire:
        said = wire.send(bytes_).read()
        assert b"HTTP/1.1" not in said and len(said) < 50
    wait_until(lambda: answers(reading.port), "an answer")


@pytest.mark.parametrize("version, works", [
    (ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_1, False)])
def test_versions_of_tls(reading, version, works):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with reading.port.connect(tls=False) as wire:
        if works:
            assert context.wrap_socket(wire.socket).version()
        else:
            with pytest.raises(OSError):
                context.wrap_socket(wire.socket)


# -- who may ask for something


def sent_in_vain(world, statuses, do="validate", **changes):
    refused(send(world.port, world.box, do, **changes), *statuses)
    assert not world.log("wish"), "it was done all the same"


def accepted(answer):
    """The browser is sent back to the page, so that reloading it sends nothing again."""
    assert answer.status == 303 and answer.headers["location"].startswith("/"), answer.raw
    return answer


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1"}])
def test_a_form_of_another_site_is_refused(running, headers):
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    sent_in_vain(running, (403,), **named)


def test_a_form_without_the_pages_token_is_refused(running):
    good = token_of(running.port)
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for token in ("", "0", flipped, good + "0"):
        sent_in_vain(running, (403,), token=token)


def test_a_token_of_another_address_is_refused(running):
    """What somebody read on one machine is of no use on another."""
    elsewhere = Port(running.port.url, running.port.fingerprint, source="127.0.0.9")
    sent_in_vain(running, (403,), token=token_of(elsewhere))


def test_a_form_that_is_no_form_is_refused(running):
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", None):
        sent_in_vain(running, (400, 403, 415), Content_Type=kind)


def test_the_right_code_does_what_is_asked(running):
    accepted(send(running.port, running.box, "validate"))
    running.wait_log("wish", kind="validate")
    in_small = setup_code(running.box).lower().replace("-", " ")
    accepted(send(running.port, running.box, "validate", code=in_small))


def test_what_nobody_can_ask_for_is_refused(running):
    for do in ("evil", "", "validate validate", "reboot"):
        sent_in_vain(running, (400, 403), do=do)
    sent_in_vain(running, (403,), do="forget")    # nobody pressed the button


def test_five_wrong_codes_shut_the_door_even_to_the_right_one(running):
    for _ in range(5):
        answer = send(running.port, running.box, "validate", code="2222-2222")
        assert answer.status == 403, answer.raw
    answer = send(running.port, running.box, "validate")
    assert answer.status == 429 and int(answer.headers["retry-after"]) > 0
    assert not running.log("wish")
    assert running.port.get("/").status == 200, "reading goes on"
    running.wait_log("status_shut")


# -- where it listens


def test_without_tls_on_loopback_if_the_configuration_says_so(make_world):
    world = make_world("quiet", records=SOME, change=listen(plain=True))
    world.start()
    port = port_of(world)
    assert port.url.startswith("http://") and port.get("/status").status == 200
    accepted(send(port, world.box, "validate"))
    world.finish()


def test_the_sandbox_opens_no_port_unless_it_is_told_to(make_world):
    world = make_world("quiet", records=SOME)
    world.start()
    world.wait_delivered()
    assert opened(world.box) is None
    world.finish()


def test_a_port_that_is_taken_keeps_nobody_from_collecting(make_world):
    world = make_world("quiet", records=SOME, change=listen())
    world.start()
    taken = port_of(world).address[1]
    other = world.make_box(os.path.join(world.box.folder, "other"), change=listen(taken))
    world.boxes.append(other)
    other.start()
    wait_until(lambda: "ev=status_port_shut" in other.log_text(), "it says so")
    wait_until(lambda: "ev=auth_token_good" in other.log_text(), "it goes on")
    assert other.stop() == 0
    world.finish()


# -- Prometheus


def test_promtool_finds_nothing_wrong_with_the_metrics(reading):
    text = reading.port.get("/metrics")
    done = subprocess.run([os.path.join(PROMETHEUS, "promtool"), "check", "metrics"],
                          input=text.body, capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr
    names = set(re.findall(r"^(anteroom_\w+)[ {]", text.text(), re.M))
    assert len(names) >= 20
    assert not re.search(r"^(?!#|anteroom_)\S", text.text(), re.M), "a name without our prefix"


class Prometheus:
    """Debian's Prometheus, scraping one port."""

    def __init__(self, folder, port):
        os.makedirs(folder)
        self.url = "http://127.0.0.1:%d" % free_port()
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                  "scrape_configs": [{"job_name": "anteroom", "scheme": "https",
                                      "tls_config": {"insecure_skip_verify": True},
                                      "static_configs": [{"targets": [port.host]}]}]}
        path = os.path.join(folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(config, out)       # JSON is YAML
        subprocess.run([os.path.join(PROMETHEUS, "promtool"), "check", "config", path], check=True,
                       capture_output=True, timeout=60)
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(PROMETHEUS, "prometheus"), "--config.file=" + path,
                 "--storage.tsdb.path=" + os.path.join(folder, "data"),
                 "--web.listen-address=" + self.url[len("http://"):], "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)

    def ask(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.url + path, timeout=10) as answer:
                return json.loads(answer.read())["data"]
        except OSError:
            return None

    def value(self, query):
        """Of one series, or None."""
        data = self.ask("/api/v1/query?query=" + query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def test_a_prometheus_scrapes_the_box(reading, tmp_path):
    prometheus = Prometheus(str(tmp_path / "prometheus"), reading.port)
    try:
        wait_until(lambda: prometheus.value("up") == 1, "the target is up")
        targets = prometheus.ask("/api/v1/targets")["activeTargets"]
        assert targets[0]["health"] == "up" and not targets[0]["lastError"]
        names = [n for n in prometheus.ask("/api/v1/label/__name__/values")
                 if n.startswith("anteroom_")]
        assert len(names) >= 20
        meta = prometheus.ask("/api/v1/metadata")
        assert all(meta[re.sub("_(bucket|sum|count)$", "", n)][0]["help"] for n in names)
        before = prometheus.value("anteroom_port_requests_total")
        wait_until(lambda: prometheus.value("anteroom_port_requests_total") > before, "it counts")
    finally:
        prometheus.close()


# -- nothing comes out


def plant(world):
    """A canary in everything that must not come out: where it is, and what to search for."""
    box, cloud = world.box, world.cloud.state
    found = [Canary("bearer of the sink", "", world.box.secrets[-1]),
             Canary("path of the sink", "", planted("path of the sink")),
             Canary("key in the sink's query", "", planted("key in the sink's query")),
             Canary("port of the sink", "", cloud["sink_url"].split("/")[2]),
             Canary("tenant", "", cloud["tenant_id"]), Canary("client", "", cloud["client_id"]),
             Canary("state directory", "", box.state), Canary("configuration", "", box.config_file),
             Canary("description", "", planted("description")),
             Canary("authority", "", cloud["authority_url"].split("/")[2]),
             Canary("setup code", "", setup_code(box)),
             Canary("machine id", "", machine_id())]
    return [c for c in found if c.value]


def machine_id():
    try:
        with open("/etc/machine-id", encoding="ascii") as text:
            return text.read().strip()
    except OSError:
        return ""


def everything(world, port, box):
    """Every answer of the port, the good and the bad, and the line of the console."""
    for target in list(ROUTES) + ["/nothing", "/certificate?next=1", "/redirect?code=x&state=y",
                                  "/redirect?error=x", "/redirect"]:
        yield target, port.get(target).raw
    yield "another host", port.get("/", Host="evil.example").raw
    yield "wrong code", send(port, box, "validate", code="2222-2222").raw
    yield "wrong token", send(port, box, "validate", token="0").raw
    yield "no request", port.raw(b"evil\r\n\r\n")
    yield "right code", send(port, box, "validate").raw
    yield "console", console(box).encode()


def test_no_canary_comes_out_of_the_port_or_the_console(make_world):
    def change(config):
        listen()(config)
        config["sinks"][0]["url"] += "/%s?key=%s" % (planted("path of the sink"),
                                                     planted("key in the sink's query"))
        config["infrastructure"]["description"] = planted("description")
    world = make_world("quiet", records=SOME, change=change)
    bearer = planted("bearer of the sink")
    world.box.put_secret("main-token", bearer)
    world.cloud.sink(authorization="Bearer " + bearer)
    canaries = plant(world)
    world.start()
    port = port_of(world)
    world.wait_delivered()
    wait_state(port, "collecting")
    credentials = world.cloud.credentials()
    canaries += [Canary("access token", "", t) for t in credentials["tokens"]]
    canaries += [Canary("assertion", "", a) for a in credentials["assertions"]]
    wait_until(lambda: console(world.box), "a line on the console")
    answers_ = list(everything(world, port, world.box))
    hits = [(c.name, place) for c in canaries for place, content in answers_
            for form in c.search_for() if form in content]
    assert len(canaries) >= 12 and len(answers_) >= 15 and not hits, hits
    assert canaries_are_findable(canaries)
    world.finish()


def canaries_are_findable(canaries):
    """The search can fail."""
    return all(any(f in b"..." + c.value.encode() + b"..." for f in c.search_for())
               for c in canaries)


def test_errors_of_other_servers_are_not_repeated(make_world):
    """What Entra, Graph and the sink write into their refusals is nobody's business here."""
    said = planted("free text")
    world = make_world("quiet", records=SOME, calls=OFTEN, change=listen())
    world.cloud.fault({"service": "authority", "count": 2},
                      {"status": 401, "json": {"error": "invalid_client",
                                               "error_description": "AADSTS7000215: " + said}})
    world.cloud.fault({"service": "sink", "count": 2}, {"status": 403, "json": {"message": said}})
    world.start()
    port = port_of(world)
    seen = []

    def all_over():
        seen.extend(port.get(target).raw for target in ("/", "/status", "/metrics"))
        return world.delivered()
    wait_until(all_over, "everything delivered", step_s=0.3)
    assert said.encode() not in b"".join(seen) + console(world.box).encode()
    world.finish()
