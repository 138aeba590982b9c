# SPDX-License-Identifier: Apache-2.0
"""Everything goes through the proxy of the configuration, and through no other."""
import pytest
from proxy import Proxy

REFUSALS = {
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
           b"Content-Length: 0\r\n\r\n",
    "403 with a page": b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n"
                       b"Content-Length: 5\r\nConnection: close\r\n\r\n<htm>",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "nonsense": b"\x00\x01\x02\x03 what?\r\n\r\n",
    "nothing": b"",
}


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.stop()


def through(proxy):
    return lambda config: config.update(http={"proxy": proxy.url})


def test_all_three_services_are_reached_through_it(make_world, proxy):
    world = make_world("quiet", change=through(proxy))
    world.run()
    world.cloud.assert_all_delivered()
    peers = {world.cloud.state[n].split("/")[2] for n in ("authority_url", "graph_url", "sink_url")}
    assert {target for _, target in proxy.asked} == peers
    assert {method for method, _ in proxy.asked} == {"CONNECT"}
    assert not [h for hs in proxy.headers for h in hs if "authorization" in h.lower()]


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_proxy_that_refuses_is_a_network_fault_that_passes(make_world, proxy, answer):
    proxy.refusal = answer or b" "
    world = make_world("quiet", change=through(proxy))
    world.start()
    assert world.wait_log("time_unknown")["cause"] == "network"
    proxy.refusal = None
    world.finish()


def test_proxies_of_the_environment_are_not_asked(make_world, proxy, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    world = make_world("quiet")
    world.run()
    world.cloud.assert_all_delivered()
    assert proxy.asked == []


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
                                  "SSLKEYLOGFILE"])
def test_the_environment_changes_nothing_about_trust(make_world, monkeypatch, tmp_path, name):
    target = tmp_path / "of-the-environment"
    target.write_text("")
    monkeypatch.setenv(name, str(target))
    world = make_world("quiet", records={"count": 5})
    world.run()
    world.cloud.assert_all_delivered()
    assert target.read_text() == "", "keys of connections were written"
