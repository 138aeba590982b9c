# SPDX-License-Identifier: Apache-2.0
"""Small parts that need no server: time, windows, OData, records, JSON comparison."""
import json

import pytest
from fakecloud import envelope, odata, scenario
from fakecloud.calls import Content
from fakecloud.clock import Clock, parse_stamp, stamp
from fakecloud.limits import Window
from fakecloud.records import Records, ordinal, with_extra


def records(**changes):
    made = scenario.load(None, records=changes)
    found = Records(made["records"], 1, Clock())
    return found, Content(found, 1, True)


@pytest.mark.parametrize("text, fraction", [
    ("2026-02-28T23:59:59Z", 0), ("2026-02-28T23:59:59.1Z", 1000000),
    ("2026-02-28T23:59:59.1234567Z", 1234567)])
def test_stamps_are_read_and_printed(text, fraction):
    assert parse_stamp(text) % 10000000 == fraction
    assert stamp(parse_stamp(text)) == text


@pytest.mark.parametrize("text", ["2026-02-29T00:00:00Z", "2026-01-01", "2026-01-01T24:00:00Z",
                                  "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.12345678Z"])
def test_other_stamps_are_refused(text):
    with pytest.raises(ValueError):
        parse_stamp(text)


def test_window_slides_and_counts_refused_requests():
    window = Window(2, 10)
    assert [window.take(t) > 0 for t in (0, 1, 2, 9)] == [False, False, True, True]
    assert window.take(11.5) > 0   # the refused ones at 2 and 9 still count
    assert window.take(22) == 0


def test_filter_bounds():
    a, b = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.5Z"
    low, high = parse_stamp(a), parse_stamp(b)
    assert odata.window("startDateTime ge %s and startDateTime lt %s" % (a, b)) == (low, high)
    assert odata.window("startDateTime lt %s and startDateTime ge %s" % (b, a)) == (low, high)
    assert odata.window("startDateTime gt %s" % a) == (low + 1, None)
    assert odata.window("startDateTime le %s" % a) == (None, low + 1)
    for bad in ("startDateTime eq " + a, "startDateTime ge '%s'" % a, a, "id eq 'x'"):
        with pytest.raises(odata.Invalid):
            odata.window(bad)


def test_expand_grammar():
    assert odata.expand("participants_v2,sessions($expand=segments)") == {
        "participants_v2": True, "sessions": True}
    assert odata.expand("sessions") == {"sessions": False}
    for bad in ("segments", "sessions($select=id)", "sessions($expand=media)", "sessions,"):
        with pytest.raises(odata.Invalid):
            odata.expand(bad)


def test_ids_lead_back_to_their_index():
    found, _ = records(count=500)
    for index in range(500):
        record_id = found.plan(index).id
        assert len(record_id) == 36 and found.find(record_id) == index
    assert found.find("nonsense") is None
    assert found.find("00000000-0000-4000-8000-000000000000") is None


def test_late_items_stand_between_the_others_and_leave_them_alone():
    for count in (5, 1000):
        before = [ordinal(count, 0, n) for n in range(with_extra(count, 0))]
        after = [ordinal(count, 1, n) for n in range(with_extra(count, 1))]
        assert set(before) < set(after) and len(after) == len(set(after))
        assert after == sorted(after) and len(before) == count


def test_calls_look_as_they_should():
    found, content = records(count=300, weird=0.2, long=0.1)
    sizes, lengths = [], []
    for index in range(300):
        plan = found.plan(index)
        lengths.append((plan.end - plan.start) / 1e7)
        sizes.append(len(content.session(index, 0, 0).encode()))
        session = json.loads(content.session(index, 0, 0))
        assert session["segments"][0]["media"][0]["streams"]
        assert json.loads(content.participant(index, 0, 0))["identity"]
    assert 4000 < sum(sizes) / 300 < 12000
    assert max(lengths) > 86400 > min(lengths) > 19
    assert {found.plan(i).kind for i in range(300)} == {"peerToPeer", "groupCall"}


def test_higher_level_holds_more():
    found, content = records(count=20, p2p=0)
    assert content.sessions(3, 1) > content.sessions(3, 0) or found.plan(3).sessions < 5
    assert content.head(3, 1)["version"] > content.head(3, 0)["version"]
    assert content.session(3, 1, 0) != content.session(3, 0, 0)


def test_same_data_in_another_spelling_is_equal():
    def digest(text):
        return envelope.digest(envelope.read(text))
    assert digest('{"a":"\\u00e9\\/","b":[1]}') == digest('{ "b": [1], "a": "é/" }')
    assert digest('{"a":1.0}') != digest('{"a":1}')
    assert digest('{"a":1.10}') != digest('{"a":1.1}')
    assert digest('{"a":null}') != digest('{}')
    assert digest('{"a":9223372036854775807}') != digest('{"a":9223372036854775806}')


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"\xff", b'{"type":"x","type":"x"}', b"NaN"])
def test_lines_that_are_no_events(line):
    with pytest.raises(envelope.BadLine):
        envelope.event(line)


def test_hundred_thousand_records_need_little_memory():
    found, _ = records(count=100000)
    assert len(found.window(None, None, 0)) == 100000
    plan = found.plan(77777)
    assert found.find(plan.id) == 77777


def test_every_scenario_loads_and_unknown_names_do_not():
    for name in scenario.names():
        assert scenario.load(name)["about"]
    with pytest.raises(ValueError):
        scenario.load({"recrods": {}})
