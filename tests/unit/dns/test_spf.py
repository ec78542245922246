# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF records: what is right and wrong by RFC 7208, what is counted, and what is proposed."""

from __future__ import annotations

import ipaddress

import pytest
import spf as independent
from ansible_collections.atmail.migration.plugins.module_utils.dns.spf import Spf, Term, is_spf, parse, write
from ansible_collections.atmail.migration.plugins.module_utils.dns.spf_merge import merged
from ansible_collections.atmail.migration.plugins.module_utils.dns.spf_walk import walk
from ansible_collections.atmail.migration.plugins.module_utils.transport.nameserver import NameServer, Told
from hypothesis import assume, example, given
from hypothesis import strategies as st

INCLUDE = "_spf.atmailcloud.com"
SERVER = NameServer("192.0.2.53")


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1",
        "v=spf1 -all",
        "V=SPF1 +MX A:mail.acme.example/24//64 ~ALL",
        "v=spf1   ip4:192.0.2.0/24  ip6:2001:db8::/32   -all  ",
        "v=spf1 include:_spf.atmailcloud.com redirect=_spf.acme.example exp=why.%{d}",
        "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all",
        "v=spf1 a:%{d} mx/0 a//0 ptr ptr:acme.example ip4:192.0.2.1/32 -all",
        "v=spf1 x-custom=hello%_there%% -all",
        "v=spf1 include:xn--bcher-kva.example. -all",
    ],
)
def test_good_records(text: str) -> None:
    record = parse(text)
    assert record.problems == ()
    assert parse(write(record.terms)).terms == record.terms


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("v=spf1 include: -all", "a domain has to follow"),
        ("v=spf1 include -all", "a domain has to follow"),
        ("v=spf1 include:acme -all", "is no domain"),
        ("v=spf1 include:ac me.example -all", "is no domain"),
        ("v=spf1 ip4:192.0.2 -all", "is no IPv4 address"),
        ("v=spf1 ip4:192.0.2.0/33 -all", "is no prefix length of IPv4"),
        ("v=spf1 ip4:192.0.2.0/024 -all", "is no prefix length"),
        ("v=spf1 ip4 -all", "an address has to follow"),
        ("v=spf1 ip6:192.0.2.1 -all", "is an IPv4 address"),
        ("v=spf1 ip4:2001:db8::1 -all", "is an IPv6 address"),
        ("v=spf1 ip6:2001:db8::/129 -all", "is no prefix length of IPv6"),
        ("v=spf1 ipv4:192.0.2.1 -all", "ip4 is meant"),
        ("v=spf1 mx:mail.acme.example/64 -all", "is no prefix length of IPv4"),
        ("v=spf1 a//129 -all", "is no prefix length of IPv6"),
        ("v=spf1 all:acme.example", "nothing may follow"),
        ("v=spf1 redirect= ", "a domain has to follow"),
        ("v=spf1 redirect=a.example redirect=b.example", "more than once"),
        ("v=spf1 exists:%{x}.acme.example -all", "is no domain"),
        ("v=spf1 include:a..example -all", "is no domain"),
        ("v=spf1 include:bücher.example -all", "not ASCII"),
        ("v=spf1\tmx -all", "not printable"),
        ("v=spf1 mx, -all", "is no mechanism|a domain has to follow"),
        ("v=spf1 - all", "there is no mechanism"),
        ("v=spf1 10.0.0.1 -all", "there is no mechanism"),
    ],
)
def test_bad_records(text: str, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        assert parse(text).problems == ()


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(parse("v=spf1 ip4:1 include: foo a/99 -all").problems) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"v=spf1", True), (b"V=sPf1 -all", True), (b"v=spf10 -all", False), (b"v=spf1-all", False), (b" v=spf1", False)],
)
def test_what_is_an_spf_record(text: bytes, *, expected: bool) -> None:
    assert is_spf(text) is expected


# Words of people: good terms, and bad ones.
_NAMES = st.sampled_from(["acme.example", "mail.acme.example", "_spf.other.test", "a-b.test", INCLUDE])
_GOOD = st.one_of(
    st.builds("include:{}".format, _NAMES),
    st.builds("{}ip4:{}".format, st.sampled_from(["", "+", "-", "?", "~"]), st.ip_addresses(v=4)),
    st.builds("ip4:{}/{}".format, st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds("ip6:{}/{}".format, st.ip_addresses(v=6), st.integers(0, 128)),
    st.builds("{}:{}".format, st.sampled_from(["a", "mx", "exists", "ptr"]), _NAMES),
    st.sampled_from(["a", "mx", "ptr", "a/24", "mx//64", "a:mail.acme.example/24//48", "exists:%{ir}.acme.example"]),
)
_END = st.sampled_from(["", " -all", " ~all", " ?all", " +all", " all", " redirect=_spf.other.test", " -all mx"])
_RECORDS = st.builds(lambda words, end: f"v=spf1 {' '.join(words)}{end}", st.lists(_GOOD, max_size=8), _END)


@given(st.one_of(st.text(max_size=120), st.text(' :/.%{}=~-+aimx4spf1lrednc"\\\x00é', max_size=60)))
def test_no_text_whatever_stops_the_parser(text: str) -> None:
    record = parse(f"v=spf1 {text}")
    assert parse(write(record.terms)).terms == record.terms
    merged([record], INCLUDE)


@given(_RECORDS)
def test_a_record_by_the_grammar_has_no_problems(text: str) -> None:
    assert parse(text).problems == ()


@given(st.lists(_RECORDS, max_size=3), st.lists(st.ip_addresses().map(str), max_size=3))
def test_the_merged_record_is_good_keeps_all_senders_and_stays_as_it_is(texts: list[str], addresses: list[str]) -> None:
    records = [parse(text) for text in texts]
    found = merged(records, INCLUDE, addresses)
    again = parse(found.text)
    assert again.problems == ()
    assert found.complete
    assert again.all == "-"
    assert again.idle == ()
    assert again.terms[0] == Term("include", f":{INCLUDE}")
    kept = set(again.terms)
    for record in records:
        for term in record.effective:
            wanted = Term("include", f":{term.target}") if term.name == "redirect" else term
            assert wanted.name == "all" or (wanted.name, wanted.target) == ("include", INCLUDE) or wanted in kept
    # nobody gets in who was not in before, but the cloud and the mail servers of today
    senders = {term for record in records for term in record.effective}
    for term in again.terms[1:-1]:
        redirected = Term("redirect", f"={term.target}", modifier=True)
        assert term in senders or redirected in senders or term.target in addresses or term.value[1:] in addresses
    assert merged([again], INCLUDE, addresses).text == found.text


@given(_RECORDS, st.ip_addresses(v=4).map(str))
@example("v=spf1 mx -all", "192.0.2.7")
def test_an_independent_library_agrees_who_may_send(text: str, address: str) -> None:
    """Without look-ups: of the record's addresses, those that passed before pass afterwards."""
    words = [word for word in text.split()[1:] if word.lstrip("+-?~").startswith("ip")]
    assume(words)
    own = parse(" ".join(["v=spf1", *words, "-all"]))
    proposed = merged([own], INCLUDE).text.replace(f"include:{INCLUDE} ", "")
    inside = [str(ipaddress.ip_network(term.value[1:], strict=False)[0]) for term in own.terms if term.value]
    for sender in (address, *inside):
        results = []
        for record in (own.text, proposed):
            query = independent.query(i=sender, s="ann@acme.example", h="acme.example")
            results.append(query.check(spf=record)[0])
        assert results[0] == results[1]


def test_a_word_that_cannot_be_read_makes_the_proposal_incomplete() -> None:
    found = merged([parse("v=spf1 ipv4:192.0.2.1 mx ~all")], INCLUDE, ["192.0.2.9", "2001:db8::9"])
    assert found.text == f"v=spf1 include:{INCLUDE} mx ip4:192.0.2.9 ip6:2001:db8::9 -all"
    assert not found.complete
    assert any("ipv4:192.0.2.1" in note for note in found.notes)
    assert any("~" in note for note in found.notes)


def test_what_never_counted_is_named_and_left_out() -> None:
    found = merged([parse("v=spf1 a -all ip4:192.0.2.1 redirect=x.example")], INCLUDE)
    assert found.text == f"v=spf1 include:{INCLUDE} a -all"
    assert any("ip4:192.0.2.1 stands behind all" in note for note in found.notes)


def _zone(**texts: str) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(f"{name}.test", "TXT"): (text,) for name, text in texts.items()}


def _walk(text: str, known: dict[tuple[str, str], tuple[str, ...]]) -> list[str]:
    def look(name: str, kind: str) -> Told:
        values = known.get((name, kind), ())
        texts = tuple(value.encode() for value in values) if kind == "TXT" else ()
        return Told(SERVER, name, kind, "found" if values else "no_name", values, texts)

    return walk(parse(text), "acme.example", look).verdicts


def test_look_ups_are_counted_through_all_includes() -> None:
    known = _zone(a="v=spf1 include:b.test include:c.test -all", b="v=spf1 a:x.test mx:x.test", c="v=spf1 ptr ptr ptr")
    known |= {("x.test", "A"): ("192.0.2.1",), ("x.test", "MX"): ("10 x.test.",)}
    assert _walk("v=spf1 include:a.test a:x.test a:x.test -all", known) == []
    assert "11 look-ups" in _walk("v=spf1 include:a.test a:x.test a:x.test a:x.test/24 -all", known)[0]


def test_what_an_include_can_be_short_of() -> None:
    known = _zone(a="v=spf1 include:b.test", b="v=spf1 include:a.test", c="v=spf1 foo", d="hello")
    assert "a loop" in _walk("v=spf1 include:a.test", known)[0]
    assert "c.test is broken" in _walk("v=spf1 include:c.test", known)[0]
    assert "no SPF record" in _walk("v=spf1 include:d.test", known)[0]
    assert "no SPF record" in _walk("v=spf1 redirect=none.test", known)[0]


def test_look_ups_that_find_nothing_are_counted() -> None:
    assert _walk("v=spf1 a:1.test a:2.test -all", {}) == []
    assert "3 look-ups find nothing" in _walk("v=spf1 a:1.test a:2.test mx:3.test -all", {})[0]


@given(st.lists(st.sampled_from(["a.test", "b.test", "c.test"]), max_size=30), st.data())
def test_counting_always_ends(targets: list[str], data: st.DataObject) -> None:
    bodies = st.lists(st.sampled_from(["include:a.test", "include:b.test", "include:c.test", "a", "mx"]), max_size=12)
    known = _zone(**{name: f"v=spf1 {' '.join(data.draw(bodies))}" for name in "abc"})
    _walk(f"v=spf1 {' '.join(f'include:{target}' for target in targets)} -all", known)


def test_terms_know_what_they_are_about() -> None:
    record: Spf = parse("v=spf1 a:Mail.ACME.example./24 mx exists:%{i}.x.example redirect=_spf.x.example")
    assert [term.target for term in record.terms] == ["mail.acme.example", "", "%{i}.x.example", "_spf.x.example"]
    assert [term.macros for term in record.terms] == [False, False, True, False]
