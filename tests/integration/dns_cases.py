# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-ups of a customer's zone: a good one, and what can be wrong with it, each with the verdict that it must get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

CLOUD = "atmailcloud.com"
#: Records of an RSA key of 2048 bits, and of another one, as long as they really are.
KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" + "MIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun"[:60] * 6
OTHER_KEY = KEY[::-1]
DKIM = f"v=DKIM1; k=rsa; p={KEY}"
DKIM_LINE = f's1._domainkey TXT "{DKIM[:255]}" "{DKIM[255:]}"'
SPF = f"v=spf1 include:_spf.{CLOUD} -all"

GOOD: Mapping[str, Sequence[str]] = {
    "mx": (f"@ MX 10 mx1-eu.{CLOUD}.", f"@ MX 20 mx2-eu.{CLOUD}."),
    "spf": (f'@ TXT "{SPF}"', '@ TXT "google-site-verification=abc"'),
    "dkim": (DKIM_LINE,),
    "dmarc": ('_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@acme.example"',),
    "webmail": (f"webmail CNAME acme.{CLOUD}.",),
    "imap": (f"imap CNAME imap-eu.{CLOUD}.",),
    "smtp": (f"smtp CNAME smtp-eu.{CLOUD}.",),
    "admin": (f"admin CNAME acme.{CLOUD}.",),
    "srv": (
        f"_imaps._tcp SRV 0 1 993 imap-eu.{CLOUD}.",
        f"_pop3s._tcp SRV 0 1 995 imap-eu.{CLOUD}.",
        f"_submissions._tcp SRV 0 1 465 smtp-eu.{CLOUD}.",
        *(f"{label}._tcp SRV 0 0 0 ." for label in ("_imap", "_pop3", "_submission")),
    ),
}
#: Before the cut-over: mail and names are still at the old server, and everything else is ready.
TODAY: Mapping[str, Sequence[str]] = {
    **GOOD,
    "mx": ("@ MX 10 mail", "mail A 192.0.2.10"),
    "spf": (f'@ TXT "v=spf1 include:_spf.{CLOUD} mx ip4:192.0.2.10 -all"',),
    "webmail": ("webmail A 192.0.2.10",),
    "imap": ("imap CNAME mail",),
    "smtp": ("smtp CNAME mail",),
    "admin": ("admin A 192.0.2.10", "admin AAAA 2001:db8::10"),
}

#: What the tests' other zones hold.
AROUND: Mapping[str, Sequence[str]] = {
    CLOUD: (
        "mx1-eu A 198.51.100.1",
        "mx2-eu A 198.51.100.2",
        "mx1-us A 198.51.100.3",
        "mx2-us A 198.51.100.4",
        "imap-eu A 198.51.100.5",
        "smtp-eu A 198.51.100.6",
        "acme A 198.51.100.7",
        "other A 198.51.100.8",
        '_spf TXT "v=spf1 ip4:198.51.100.0/24 -all"',
    ),
    "senders.test": (
        'one TXT "v=spf1 ip4:203.0.113.1 -all"',
        'four TXT "v=spf1 include:one.senders.test include:one.senders.test a:host.senders.test ~all"',
        'loop TXT "v=spf1 include:loop.senders.test -all"',
        'broken TXT "v=spf1 ipv4:203.0.113.1 -all"',
        'two TXT "v=spf1 -all"',
        'two TXT "v=spf1 ~all"',
        "host A 203.0.113.1",
        # where nobody listens
        "ns2 A 127.0.0.9",
        "alias CNAME host",
        *(f"many MX {number} host" for number in range(11)),
    ),
}


@dataclass(frozen=True)
class Case:
    """What is changed of the good set-up, and which rows say what then; `stops` are those that may be red at all.

    `expected` maps (check, name below the zone, "@" for the zone) to (state, words of the verdict).
    """

    name: str
    changes: Mapping[str, Sequence[str]]
    expected: Mapping[tuple[str, str], tuple[str, str]]
    options: Mapping[str, Any] = field(default_factory=dict)
    stage: str = "after"
    #: The DS record: none, right, or of another key; when signatures end; types that have none.
    ds: str = ""
    ends: timedelta = timedelta(days=14)
    without: Sequence[str] = ()


def _mx(*lines: str) -> Mapping[str, Sequence[str]]:
    return {"mx": lines}


def _spf(*texts: str) -> Mapping[str, Sequence[str]]:
    return {"spf": [f'@ TXT "{text}"' for text in texts]}


def _bad(check: str, words: str, name: str = "@", state: str = "wrong") -> Mapping[tuple[str, str], tuple[str, str]]:
    return {(check, name): (state, words)}


_NO_SPF = "SPF does not pass"
_INCLUDE = f"include:_spf.{CLOUD}"
_S1 = "s1._domainkey"

CASES = [
    # MX
    Case("no MX", _mx(), _bad("mx", "no MX record", state="missing")),
    Case("mail at the old server", _mx("@ MX 10 mail", "mail A 192.0.2.1"), _bad("mx", "still goes to mail.")),
    Case(
        "the old server besides",
        _mx(*GOOD["mx"], "@ MX 30 mail", "mail A 192.0.2.1"),
        _bad("mx", "goes to mail."),
    ),
    Case("one mail server only", _mx(GOOD["mx"][0]), _bad("mx", f"mx2-eu.{CLOUD} is missing")),
    Case(
        "priorities the other way round",
        _mx(f"@ MX 20 mx1-eu.{CLOUD}.", f"@ MX 10 mx2-eu.{CLOUD}."),
        _bad("mx", "the order is not"),
    ),
    Case(
        "equal priorities",
        _mx(f"@ MX 10 mx1-eu.{CLOUD}.", f"@ MX 10 mx2-eu.{CLOUD}."),
        _bad("mx", "the order is not"),
    ),
    Case(
        "other priorities in the right order",
        _mx(f"@ MX 5 mx1-eu.{CLOUD}.", f"@ MX 50 mx2-eu.{CLOUD}."),
        _bad("mx", "5 and 50, not 10 and 20", state="warning"),
    ),
    Case(
        "the other region",
        _mx(f"@ MX 10 mx1-us.{CLOUD}.", f"@ MX 20 mx2-us.{CLOUD}."),
        _bad("mx", "in the region us, not eu"),
    ),
    Case(
        "no last dot",
        _mx(f"@ MX 10 mx1-eu.{CLOUD}", f"@ MX 20 mx2-eu.{CLOUD}"),
        {("mx", "@"): ("wrong", "without its last dot")}
        | {("mx_host", f"mx{number}-eu.{CLOUD}"): ("wrong", "no address") for number in (1, 2)},
    ),
    Case(
        "an address for a name",
        _mx("@ MX 10 198.51.100.1."),
        _bad("mx", "is an address"),
    ),
    Case("a domain without mail", _mx("@ MX 0 ."), _bad("mx", "takes no mail")),
    Case(
        "white-label MX that is an alias",
        _mx("@ MX 10 mx", f"mx CNAME mx1-eu.{CLOUD}."),
        _bad("mx_host", "is an alias", "mx"),
        options={"mx_hosts": ["mx.ZONE"]},
    ),
    Case(
        "white-label MX with the cloud's address",
        _mx("@ MX 10 mx", "mx A 198.51.100.1"),
        _bad("mx_host", "may change without notice", "mx", "warning"),
        options={"mx_hosts": ["mx.ZONE"]},
    ),
    Case(
        "white-label MX with a foreign address",
        _mx("@ MX 10 mx", "mx A 198.51.100.1", "mx A 192.0.2.1"),
        _bad("mx_host", "192.0.2.1 is no mail server of the cloud", "mx"),
        options={"mx_hosts": ["mx.ZONE"]},
    ),
    Case(
        "white-label MX without an address",
        _mx("@ MX 10 mx"),
        _bad("mx_host", "no address", "mx", "missing"),
        options={"mx_hosts": ["mx.ZONE"]},
    ),
    # SPF
    Case("no SPF", {"spf": ()}, _bad("spf", "no SPF record", state="missing")),
    Case("SPF without its version", _spf(f"spf1 {_INCLUDE} -all"), _bad("spf", "does not begin with", state="missing")),
    Case("two SPF records", _spf(SPF, "v=spf1 mx -all"), _bad("spf", "2 SPF records")),
    Case("SPF without the cloud", _spf("v=spf1 ip4:192.0.2.1 -all"), _bad("spf", f"does not include _spf.{CLOUD}")),
    Case("the cloud behind all", _spf(f"v=spf1 -all {_INCLUDE}"), _bad("spf", "does not include")),
    Case("the cloud refused", _spf(f"v=spf1 ~{_INCLUDE} -all"), _bad("spf", "does not let the cloud's mail pass")),
    Case("SPF that lets everybody send", _spf(f"v=spf1 {_INCLUDE} +all"), _bad("spf", "everybody")),
    Case("SPF with a soft end", _spf(f"v=spf1 {_INCLUDE} ~all"), _bad("spf", "~all instead of -all", state="warning")),
    Case("SPF without an end", _spf(f"v=spf1 {_INCLUDE}"), _bad("spf", "no -all at its end", state="warning")),
    Case("SPF with ptr", _spf(f"v=spf1 {_INCLUDE} ptr -all"), _bad("spf", "ptr is slow", state="warning")),
    Case("SPF misspelt", _spf(f"v=spf1 {_INCLUDE} ipv4:192.0.2.1 -all"), _bad("spf", "ip4 is meant")),
    Case(
        "SPF with several faults",
        _spf("v=spf1 ip4:192.0.2 mx:a/99 include: +all"),
        _bad("spf", "is no IPv4 address.*no prefix length.*a domain has to follow.*everybody"),
    ),
    Case(
        "SPF with eleven look-ups",
        _spf(f"v=spf1 {_INCLUDE} include:four.senders.test include:four.senders.test a mx -all"),
        _bad("spf", "it costs 11 look-ups"),
    ),
    Case(
        "SPF with three void look-ups",
        _spf(f"v=spf1 {_INCLUDE} a:x.senders.test a:y.senders.test mx:z.senders.test -all"),
        _bad("spf", "3 look-ups find nothing"),
    ),
    Case("SPF in a loop", _spf(f"v=spf1 {_INCLUDE} include:loop.senders.test -all"), _bad("spf", "a loop")),
    Case(
        "SPF with a broken include",
        _spf(f"v=spf1 {_INCLUDE} include:broken.senders.test -all"),
        _bad("spf", "broken.senders.test is broken"),
    ),
    Case(
        "SPF with an include of nothing",
        _spf(f"v=spf1 {_INCLUDE} include:none.senders.test -all"),
        _bad("spf", "no SPF record"),
    ),
    Case(
        "SPF with an include of two",
        _spf(f"v=spf1 {_INCLUDE} include:two.senders.test -all"),
        _bad("spf", "2 SPF records"),
    ),
    Case(
        "SPF with too many mail servers",
        _spf(f"v=spf1 {_INCLUDE} mx:many.senders.test -all"),
        _bad("spf", "11 MX records"),
    ),
    # DKIM
    Case("no DKIM key", {"dkim": ()}, _bad("dkim", "not published", _S1, "missing")),
    Case(
        "DKIM of another key",
        {"dkim": [f'{_S1} TXT "v=DKIM1; k=rsa; p={OTHER_KEY[:200]}" "{OTHER_KEY[200:]}"']},
        _bad("dkim", "another key", _S1),
    ),
    Case("DKIM cut off", {"dkim": [f'{_S1} TXT "{DKIM[:255]}"']}, _bad("dkim", "cut off after 237 of", _S1)),
    Case("DKIM revoked", {"dkim": [f'{_S1} TXT "v=DKIM1; k=rsa; p="']}, _bad("dkim", "revoked", _S1)),
    Case(
        "DKIM of another type",
        {"dkim": [DKIM_LINE.replace("k=rsa", "k=ed25519")]},
        _bad("dkim", "not the key's type", _S1),
    ),
    Case(
        "two DKIM records",
        {"dkim": [DKIM_LINE, f'{_S1} TXT "v=DKIM1; p=abcd"']},
        _bad("dkim", "2 records", _S1),
    ),
    Case(
        "DKIM with the quotes in it",
        {"dkim": [f'{_S1} TXT "\\"{DKIM[:250]}" "{DKIM[250:]}\\""']},
        _bad("dkim", "quotes or backslashes", _S1),
    ),
    Case("DKIM for a test", {"dkim": [DKIM_LINE.replace("k=rsa", "t=y; k=rsa")]}, _bad("dkim", "t=y", _S1, "warning")),
    Case("DKIM below the wrong name", {"dkim": [f"x{DKIM_LINE}"]}, _bad("dkim", "not published", _S1, "missing")),
    Case(
        "DKIM by an alias to nothing",
        {"dkim": [f"{_S1} CNAME nothing.senders.test."]},
        _bad("dkim", "not published", _S1, "missing"),
    ),
    # DMARC
    Case(
        "DMARC too early",
        {"spf": (), "dmarc": ['_dmarc TXT "v=DMARC1; p=reject"']},
        {("spf", "@"): ("missing", ""), ("dmarc", "_dmarc"): ("wrong", f"refuse mail although {_NO_SPF}")},
    ),
    Case(
        "DMARC asked for too early",
        {"dkim": ()},
        {("dkim", _S1): ("missing", ""), ("dmarc", "_dmarc"): ("warning", "p=reject is refused for now")},
        options={"dmarc": {"policy": "reject"}},
    ),
    Case(
        "DMARC of one stage less",
        {},
        _bad("dmarc", "p=none, and quarantine is wanted", "_dmarc", "warning"),
        options={"dmarc": {"policy": "quarantine"}},
    ),
    Case("DMARC without a policy", {"dmarc": ['_dmarc TXT "v=DMARC1; rua=x"']}, _bad("dmarc", "no policy", "_dmarc")),
    Case(
        "two DMARC records",
        {"dmarc": ['_dmarc TXT "v=DMARC1; p=none"', '_dmarc TXT "v=DMARC1; p=reject"']},
        _bad("dmarc", "2 records", "_dmarc"),
    ),
    # names
    Case("no webmail name", {"webmail": ()}, _bad("name", "no such name", "webmail", "missing")),
    Case(
        "webmail at the old server",
        {"webmail": ["webmail A 192.0.2.1"]},
        _bad("name", "has the address 192.0.2.1", "webmail"),
    ),
    Case(
        "webmail with the path in it",
        {"webmail": [f"webmail CNAME acme.{CLOUD}/webmail."]},
        _bad("name", "has a path", "webmail"),
    ),
    Case(
        "webmail of another subscription",
        {"webmail": [f"webmail CNAME other.{CLOUD}."]},
        _bad("name", f"other.{CLOUD}, not of", "webmail"),
    ),
    Case(
        "imap in the other region",
        {"imap": [f"imap CNAME imap-us.{CLOUD}."]},
        _bad("name", "in the region us", "imap"),
    ),
    Case("smtp without its dot", {"smtp": [f"smtp CNAME smtp-eu.{CLOUD}"]}, _bad("name", "last dot", "smtp")),
    Case(
        "admin by way of another alias",
        {"admin": ["admin CNAME hop", f"hop CNAME acme.{CLOUD}."]},
        _bad("name", "one more thing", "admin", "warning"),
    ),
    Case(
        "the zone itself as a name",
        {},
        _bad("name", "no CNAME can stand"),
        options={"names": {"webmail": ["ZONE"]}},
    ),
    # what clients find
    Case(
        "mail programs are told the old server",
        {"srv": [*GOOD["srv"][1:], "_imaps._tcp SRV 0 1 993 mail", "mail A 192.0.2.1"]},
        _bad("srv", "still told", "_imaps._tcp"),
    ),
    Case(
        "autodiscover at the old server",
        {"srv": [*GOOD["srv"], "autodiscover CNAME mail", "mail A 192.0.2.1"]},
        _bad("autoconfig", "still told", "autodiscover"),
    ),
    # CAA
    Case(
        "CAA of another authority",
        {"caa": ['@ CAA 0 issue "other-ca.example"']},
        _bad("caa", "only other-ca.example may", "mail"),
        options={"certificate_names": ["mail.ZONE"], "certificate_issuers": ["letsencrypt.org"]},
    ),
    Case(
        "CAA against all",
        {"caa": ['@ CAA 0 issue ";"']},
        _bad("caa", "no authority may", "mail"),
        options={"certificate_names": ["mail.ZONE"]},
    ),
    Case(
        "CAA against wildcards",
        {"caa": ['@ CAA 0 issue "letsencrypt.org"', '@ CAA 0 issuewild ";"']},
        _bad("caa", "no authority may", "*"),
        options={"certificate_names": ["*.ZONE"], "certificate_issuers": ["letsencrypt.org"]},
    ),
    Case(
        "CAA with a critical word",
        {"caa": ['@ CAA 128 tbs "x"']},
        _bad("caa", "marked critical", "mail"),
        options={"certificate_names": ["mail.ZONE"]},
    ),
    # DNSSEC
    Case("signatures that have ended", {}, _bad("dnssec", "ended at"), ds="right", ends=timedelta(days=-1)),
    Case(
        "signatures that end soon", {}, _bad("dnssec", "end at", state="warning"), ds="right", ends=timedelta(hours=5)
    ),
    Case("a DS of another key", {}, _bad("dnssec", "no key of the zone is the one"), ds="other"),
    Case("a DS, and no keys", {}, _bad("dnssec", "has no keys"), ds="unsigned"),
    Case("MX without a signature", {}, _bad("dnssec", "MX has no signature"), ds="right", without=["MX"]),
    # servers
    Case("a name server without an address", {"ns": ["@ NS ns9"]}, _bad("servers", "ns9.* has no address")),
    Case(
        "a name server that is silent", {"ns": ["@ NS ns2.senders.test."]}, _bad("servers", "silent", state="unchecked")
    ),
    # before the cut-over
    Case(
        "no SPF for the cloud yet", {**TODAY, **_spf("v=spf1 mx -all")}, _bad("spf", "does not include"), stage="before"
    ),
    Case(
        "a TTL of an hour",
        {**TODAY, "mx": ["@ 3600 MX 10 mail", "mail A 192.0.2.10"]},
        _bad("ttl", "the TTL is 3600 s"),
        stage="before",
    ),
    Case(
        "a name that is not there yet",
        {**TODAY, "imap": ()},
        _bad("name", "no such", "imap", "missing"),
        stage="before",
    ),
    Case(
        "mail at both",
        {**TODAY, "mx": [*TODAY["mx"], GOOD["mx"][0]]},
        _bad("mx", "goes to mail."),
        stage="before",
    ),
]
