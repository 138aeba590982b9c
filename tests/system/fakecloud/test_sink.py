# SPDX-License-Identifier: Apache-2.0
"""The sink notices what is wrong with a batch, and misbehaves when told to."""
import json
import ssl
import time

import pytest
from client import Client, Identity, serialization


@pytest.fixture
def client(start_cloud):
    return Client(start_cloud(records={"count": 1}))


def note(client, count=3):
    """Events of a type that the oracle does not judge."""
    first = client.seq
    client.seq += count
    return [{"type": "notice", "tenant": client.state["tenant_id"], "id": "", "version": 0,
             "part": 0, "seq": n, "event_time": "2026-01-01T00:00:00Z", "clock": "floor",
             "source": "box",
             "collected_time": "2026-01-01T00:00:00Z", "data": {"n": n, "é": "\u2028\"\\"}}
            for n in range(first, first + count)]


def errors(client):
    return client.cloud.report()["sink"]["errors"]


def test_good_batch_is_accepted(client):
    status, data = client.post(note(client))
    assert status == 200 and json.loads(data) == {"accepted": 3, "rejected": []}
    assert errors(client) == 0
    records = client.cloud.report()["records"]
    assert records["other_events"] == {"notice": 3}
    assert [told["type"] for told in records["told"]] == ["notice"] * 3


@pytest.mark.parametrize("change", [
    {"Content-Type": "application/json"}, {"X-Batch-Count": "2"}, {"X-Batch-Seq": "x"},
    {"Idempotency-Key": "dev-1-2"}, {"Idempotency-Key": ""}, {"Content-Digest": ""},
    {"Content-Digest": "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"},
    {"Content-Encoding": "identity"}])
def test_wrong_headers_are_noticed(client, change):
    client.post(note(client), **change)
    assert errors(client) > 0


@pytest.mark.parametrize("spoil", [
    lambda e: e[1].pop("clock"), lambda e: e[1].update(extra=1), lambda e: e[1].update(seq=99),
    lambda e: e[1].update(data=[]), lambda e: e[1].update(version="1"),
    lambda e: e[1].update(part=-1),
    lambda e: e[1].update(event_time="yesterday"), lambda e: e[1].update(data={"x": float("nan")})])
def test_wrong_lines_are_noticed(client, spoil):
    events = note(client)
    spoil(events)
    client.post(events)
    assert errors(client) > 0


def test_same_key_is_taken_once_and_must_have_the_same_content(client):
    events = note(client)
    client.post(events)
    client.post(events)
    assert errors(client) == 0
    events[0]["data"] = {"other": True}
    client.post(events)
    sink = client.cloud.report()["sink"]
    assert sink["errors"] == 1 and sink["repeated_batches"] == 2


def test_gaps_between_batches_are_counted(client):
    client.post(note(client))
    client.seq += 5
    client.post(note(client))
    assert client.cloud.report()["sink"]["gaps"] == 1


def test_limits_and_refusals(client):
    client.cloud.sink(max_bytes=10)
    assert client.post(note(client))[0] == 413
    client.cloud.sink(max_bytes=None, max_events=2)
    assert client.post(note(client))[0] == 413
    client.cloud.sink(max_events=None, authorization="Bearer right")
    assert client.post(note(client))[0] == 401
    assert client.post(note(client), Authorization="Bearer right")[0] == 200
    with pytest.raises(ValueError):
        client.cloud.sink(nonsense=1)


def test_lost_answer_and_service_unavailable(client):
    client.cloud.fault({"service": "sink", "count": 1}, {"cut": "answer"})
    events = note(client)
    with pytest.raises(Exception):
        client.post(events)
    assert client.post(events)[0] == 200
    assert client.cloud.report()["sink"]["repeated_batches"] == 1
    client.cloud.fault({"service": "sink", "count": 1}, {"status": 503, "retry_after": "2.5"})
    assert client.post(note(client))[0] == 503


def test_closed_listener_refuses_and_comes_back_on_its_port(client):
    client.cloud.sink(state="down")
    with pytest.raises(ConnectionRefusedError):
        client.post(note(client))
    client.cloud.sink(state="up")
    assert client.post(note(client))[0] == 200


def test_scheduled_outage(start_cloud):
    outage = {"after_events": 3, "for_s": 0.5}
    client = Client(start_cloud(records={"count": 1}, sink={"outages": [outage]}))
    assert client.post(note(client))[0] == 200
    client.cloud.wait(lambda s: not s["sink_up"], 2)
    begin = time.monotonic()
    client.cloud.wait(lambda s: s["sink_up"], 2)
    assert time.monotonic() - begin < 1
    client.connections.clear()
    assert client.post(note(client))[0] == 200


def test_client_certificate_is_demanded(client, tmp_path):
    box = Identity()
    client.cloud.tls("sink", key="ecdsa", client_ca=box.pem)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client.post(note(client))
    key = box.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    (tmp_path / "box.pem").write_bytes(box.pem.encode() + key)
    client.context.load_cert_chain(tmp_path / "box.pem")
    assert client.post(note(client))[0] == 200
