# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases: a server on a public port, and everything about it that has to be said not to be as it should."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .chains import Chains
from .servers import Script, answers, closes, context, drips, echoes, floods, resets, says, silent, stalls_after

HOST = "mail.acme.example"
FOREIGN = "joe@far.example"
OWN = "ann@acme.example"
#: No such server at all.
NOBODY = None
_V = ssl.TLSVersion


@dataclass(frozen=True)
class Case:
    """`found` are all checks that are not ok, and not only left open by another one, with their verdicts."""

    name: str
    script: Script | None
    found: Mapping[str, str]
    service: str = "imaps"
    tls: ssl.SSLContext | None = None
    host: str = HOST
    fingerprints: tuple[str, ...] = ()


CAPABILITY = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na OK done\r\n"
IMAP = says(b"* OK ready\r\n", {b"A CAP": CAPABILITY, b"B LOG": b"* BYE\r\n"})
EHLO = b"250-smtp greets you\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n"
OK, NO, LATER, BYE = b"250 2.1.0 fine\r\n", b"550 5.7.1 no\r\n", b"451 4.7.1 come again\r\n", b"221 bye\r\n"


def smtp(greeting: bytes = b"220 smtp ESMTP\r\n", **steps: bytes) -> Script:
    """A server for users; `steps` are its answers to ehlo, mail and rcpt."""
    given = {"ehlo": EHLO, "mail": NO, "rcpt": NO, "rset": OK, "quit": BYE} | steps
    return says(greeting, {name.upper().encode(): answer for name, answer in given.items()})


def mx(
    greeting: bytes = b"220 mx ESMTP\r\n",
    *,
    own: bytes = OK,
    foreign: bytes = NO,
    by_own: bytes = NO,
    auth: bytes = b"",
) -> Script:
    """A mail exchanger: its answers to its own mail, to foreign mail, and to that with a sender of its own."""

    def script(sock: socket.socket) -> None:
        sock.sendall(greeting)
        sender = b""
        for line in sock.makefile("rb"):
            if line.startswith(b"EHLO"):
                sock.sendall(b"250-mx\r\n" + auth + b"250 STARTTLS\r\n")
            elif line.startswith(b"RCPT"):
                sock.sendall(own if OWN.encode() in line else by_own if OWN.encode() in sender else foreign)
            else:
                sender = line if line.startswith(b"MAIL") else b""
                sock.sendall(OK)

    return script


def web(answer: bytes) -> Script:
    """A web server: one answer, when it has heard the whole question."""

    def script(sock: socket.socket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            data = sock.recv(65536)
            if not data:
                return
            heard += data
        sock.sendall(answer)

    return script


_NO_TLS = {"tls_1_2": "not_tls", "tls_1_3": "not_tls", "protocol": "no_tls"}
_REFUSED = {"tls_1_2": "refused", "tls_1_3": "refused", "protocol": "no_tls"}
_SILENT = {
    **dict.fromkeys(("ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3"), "silent"),
    "protocol": "no_tls",
}
_UNCLEAR = {**dict.fromkeys(_SILENT, "unclear"), "protocol": "no_tls"}


def _record(kind: int, body: bytes, length: int | None = None) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body) if length is None else length) + body


def without_tls() -> Iterator[Case]:
    """Ports on which no TLS is spoken, or not for long."""
    yield Case("nobody there", NOBODY, {"port": "closed"})
    yield Case("in clear text", says(b"* OK in the clear\r\n"), {**_NO_TLS, **_old("not_tls")})
    yield Case("plain HTTP", answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {**_NO_TLS, **_old("not_tls")}, "https")
    yield Case("hangs up", closes, _REFUSED)
    yield Case("resets", resets, _REFUSED)
    yield Case("says nothing", silent, _SILENT)
    yield Case("echoes", echoes, _UNCLEAR)
    yield Case("random bytes", floods(bytes(range(256)) * 64), {**_NO_TLS, **_old("not_tls")})
    yield Case("zeros without an end", floods(bytes(4096)), {**_NO_TLS, **_old("not_tls")})
    yield Case("an alert only", answers(_record(21, b"\x02\x50")), _REFUSED)
    yield Case("an alert that is none", answers(_record(21, b"\x02")), _UNCLEAR)
    yield Case("a record too long", answers(_record(22, b"\x02", 65535)), _UNCLEAR)
    yield Case("a message of 16 MB", answers(_record(22, b"\x02\xff\xff\xff" + bytes(100))), _UNCLEAR)
    yield Case("half a ServerHello", answers(_record(22, b"\x02\x00\x00\x30\x03\x03")), _UNCLEAR)
    yield Case("a ServerHello too short", answers(_record(22, b"\x02\x00\x00\x02\x03\x03")), _UNCLEAR)
    yield Case("records drip", drips(_record(22, b"\x00\x00\x00\x00")), _SILENT)
    yield Case("records without an end", floods(_record(22, b"\x00\x00\x00\x00") * 100), _UNCLEAR)
    yield Case("no message but a finished", answers(_record(22, b"\x14\x00\x00\x04abcd")), _UNCLEAR)
    hello = b"\x02\x00\x00\x26\x03\x01" + bytes(32) + b"\x00\x00\x2f\x00"
    stalled = {"ssl_3_0": "unclear", "tls_1_0": "silent", "protocol": "no_tls"}
    later = {"ssl_3_0": "unclear", "tls_1_1": "", "tls_1_2": "refused", "tls_1_3": "refused"}
    found = {check: verdict for check, verdict in {**later, **stalled}.items() if verdict}
    yield Case("a ServerHello of TLS 1.0, then nothing", stalls_after(_record(22, hello)), found)


def _old(verdict: str) -> dict[str, str]:
    return dict.fromkeys(("ssl_3_0", "tls_1_0", "tls_1_1"), verdict)


def versions(chains: Chains) -> Iterator[Case]:
    """Real TLS of the wrong versions."""
    file = chains.file(chains.leaf([HOST]), chains.middle)
    everything = {"tls_1_0": "accepted", "tls_1_1": "accepted"}
    yield Case("every version", IMAP, everything, tls=context(file, _V.TLSv1))
    yield Case("1.1 and later", IMAP, {"tls_1_1": "accepted"}, tls=context(file, _V.TLSv1_1))
    yield Case("1.2 only", IMAP, {"tls_1_3": "refused"}, tls=context(file, _V.TLSv1_2, _V.TLSv1_2))
    yield Case("1.3 only", IMAP, {"tls_1_2": "refused"}, tls=context(file, _V.TLSv1_3))
    only = {"tls_1_0": "accepted", "tls_1_2": "refused", "tls_1_3": "refused", "protocol": "no_tls"}
    yield Case("1.0 only", IMAP, only, tls=context(file, _V.TLSv1, _V.TLSv1))


def certificates(chains: Chains) -> Iterator[Case]:
    """Right versions, wrong certificates; all that is wrong is told."""
    strict = context(chains.file(chains.leaf([HOST]), chains.middle))
    strict.sni_callback = lambda _sock, _name, _context: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    unknown = {"tls_1_2": "unknown_name", "tls_1_3": "unknown_name", "protocol": "no_tls"}
    yield Case("for other names only", IMAP, unknown, tls=strict)

    def case(name: str, found: Mapping[str, str], *chain: object, **more: tuple[str, ...]) -> Case:
        return Case(name, IMAP, found, tls=context(chains.file(*chain)), **more)  # type: ignore[arg-type]

    leaf, middle = chains.leaf, chains.middle
    good = leaf([HOST])
    yield case("as it should be", {}, good, middle)
    yield case("with its root", {}, good, middle, chains.root)
    yield case("by the root itself", {}, leaf([HOST], chains.root))
    yield case("of a wildcard", {}, leaf(["*.acme.example"]), middle)
    yield case("of many names", {}, leaf([f"n{number}.example" for number in range(60)] + [HOST]), middle)
    yield case("the expected one", {}, good, middle, fingerprints=(good.fingerprint,))
    yield case("another than expected", {"served": "another"}, good, middle, fingerprints=("0" * 64,))
    yield case("expired", {"dates": "expired"}, leaf([HOST], days=(-30, -1)), middle)
    yield case("expires in a minute", {"dates": "expires_soon"}, leaf([HOST], days=(-30, 0.001)), middle)
    yield case("not yet valid", {"dates": "not_yet_valid"}, leaf([HOST], days=(2, 30)), middle)
    yield case("another name", {"names": "other_name"}, leaf(["imap.acme.example"]), middle)
    yield case("a wildcard of too much", {"names": "other_name"}, leaf(["*.example"]), middle)
    yield case("a wildcard too deep", {"names": "other_name"}, leaf(["*.mail.acme.example"]), middle)
    yield case("a wildcard in a label", {"names": "other_name"}, leaf(["ma*.acme.example"]), middle)
    yield case("no name at all", {"names": "other_name"}, chains.leaf([], subject=HOST), middle)
    yield case("no intermediate", {"chain": "incomplete", "trust": "untrusted"}, good)
    yield case("another intermediate", {"chain": "incomplete", "trust": "untrusted"}, good, chains.stranger)
    yield case("in disorder", {"chain": "disordered"}, good, chains.root, middle)
    stale = leaf([HOST], chains.stale)
    yield case("an expired intermediate", {"dates": "chain_expired"}, stale, chains.stale)
    stranger = leaf([HOST], chains.stranger)
    yield case("of an unknown root", {"trust": "untrusted"}, stranger, chains.stranger)
    yield case("self-signed", {"trust": "self_signed"}, chains.alone([HOST]))
    bad = {"trust": "self_signed", "names": "other_name", "dates": "expired"}
    yield case("all of it", bad, chains.alone(["old.example"], days=(-30, -1)))
    worse = {"chain": "incomplete", "trust": "untrusted", "names": "other_name", "dates": "expired"}
    yield case("all the rest of it", worse, leaf(["old.example"], days=(-30, -1)))


def services(tls: ssl.SSLContext) -> Iterator[Case]:
    """The right certificate, and behind it something else than the service of the port."""
    yield from (Case(name, script, {"protocol": verdict}, service, tls) for name, service, script, verdict in _OTHER)
    yield from (Case(name, script, found, service, tls) for name, service, script, found in _UNSAFE)
    yield from (Case(name, script, {}, service, tls) for name, service, script in _FINE)


_ENDLESS = b"x" * 4096
_OTHER: tuple[tuple[str, str, Script, str], ...] = (
    ("SMTP on the port of IMAP", "imaps", smtp(), "wrong_protocol"),
    ("POP on the port of IMAP", "imaps", says(b"+OK ready\r\n"), "wrong_protocol"),
    ("IMAP that goes", "imaps", says(b"* BYE overloaded\r\n"), "unavailable"),
    ("IMAP without a capability", "imaps", says(b"* OK\r\n", {b"A": b"a OK done\r\n"}), "wrong_protocol"),
    ("IMAP of version 2", "imaps", says(b"* OK\r\n", {b"A": b"* CAPABILITY IMAP2\r\na OK\r\n"}), "wrong_protocol"),
    ("IMAP that stops", "imaps", says(b"* OK ready\r\n"), "closed_early"),
    ("IMAP that says nothing", "imaps", silent, "silent"),
    ("IMAP that drips", "imaps", drips(b"* OK "), "silent"),
    ("IMAP with no end of a line", "imaps", floods(_ENDLESS), "wrong_protocol"),
    ("IMAP with no end of lines", "imaps", floods(b"* OK more\r\n" * 100), "wrong_protocol"),
    ("IMAP of NULs", "imaps", says(b"\0\0\0\xff\r\n"), "wrong_protocol"),
    ("IMAP that hangs up", "imaps", closes, "closed_early"),
    ("IMAP that resets", "imaps", resets, "silent"),
    ("POP that is full", "pop3s", says(b"-ERR [SYS/TEMP] later\r\n"), "unavailable"),
    ("IMAP on the port of POP", "pop3s", IMAP, "wrong_protocol"),
    ("POP that talks nonsense", "pop3s", says(b"+OK\r\n", otherwise=b"what?\r\n"), "wrong_protocol"),
    ("IMAP on the port of SMTP", "smtps", IMAP, "wrong_protocol"),
    ("SMTP that is overloaded", "smtps", smtp(b"421 later\r\n"), "unavailable"),
    ("SMTP that knows no EHLO", "smtps", smtp(ehlo=b"502 what?\r\n"), "wrong_protocol"),
    ("SMTP with no end of a reply", "smtps", floods(b"220-more\r\n" * 100), "wrong_protocol"),
    ("SMTP of wrong numbers", "smtps", says(b"999 hi\r\n"), "wrong_protocol"),
    ("IMAP on the port of HTTPS", "https", IMAP, "wrong_protocol"),
    ("HTTPS with nothing behind", "https", web(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), "unavailable"),
    ("HTTPS with no end of headers", "https", floods(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300), "wrong_protocol"),
    ("HTTPS that is still at it", "https", floods(b"HTTP/1.1 100 Continue\r\n\r\n"), "wrong_protocol"),
    ("HTTPS of version 2", "https", says(b"\0\0\x12\x04\0\0\0\0\0\n"), "wrong_protocol"),
    ("a web page on the port of DAV", "dav", web(b"HTTP/1.1 200 OK\r\n\r\n"), "wrong_protocol"),
    ("DAV that fails", "dav", web(b"HTTP/1.1 500 Oops\r\nDAV: 1\r\n\r\n"), "unavailable"),
)
_OPEN = {"authentication": "not_required", "relay": "relays"}
_UNSAFE: tuple[tuple[str, str, Script, Mapping[str, str]], ...] = (
    (
        "IMAP for everybody",
        "imaps",
        says(b"* PREAUTH hi\r\n", {b"A": CAPABILITY}),
        {"log_in": "not_required"},
    ),
    (
        "IMAP for nobody",
        "imaps",
        says(b"* OK\r\n", {b"A": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na OK\r\n"}),
        {"log_in": "not_offered"},
    ),
    ("POP for everybody", "pop3s", says(b"+OK\r\n", otherwise=b"+OK 0 0\r\n"), {"log_in": "not_required"}),
    ("SMTP for everybody", "smtps", smtp(mail=OK, rcpt=OK), _OPEN),
    ("SMTP without AUTH", "smtps", smtp(ehlo=b"250 smtp\r\n"), {"authentication": "not_offered"}),
    (
        "SMTP that puts off",
        "smtps",
        smtp(mail=LATER),
        {"authentication": "unclear", "relay": "unclear"},
    ),
)
_FINE: tuple[tuple[str, str, Script], ...] = (
    ("IMAP with bare line feeds", "imaps", says(b"* OK\n", {b"A": CAPABILITY.replace(b"\r", b"")})),
    ("POP", "pop3s", says(b"+OK\r\n", {b"STAT": b"-ERR log in\r\n", b"QUIT": b"+OK\r\n"})),
    ("SMTP that refuses at RCPT", "smtps", smtp(mail=OK)),
    ("SMTP with AUTH= of old", "smtps", smtp(ehlo=b"250-smtp\r\n250 AUTH=LOGIN PLAIN\r\n")),
    ("HTTPS that leads elsewhere", "https", web(b"HTTP/1.1 302 Found\r\nLocation: /webmail\r\n\r\n")),
    ("HTTPS after a while", "https", web(b"HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.0 404\r\n\r\n")),
    ("DAV that asks who", "dav", web(b"HTTP/1.1 401 Who?\r\n\r\n")),
    ("DAV that leads on", "dav", web(b"HTTP/1.1 301 There\r\nLocation: /dav/\r\n\r\n")),
    ("DAV that says so", "dav", web(b"HTTP/1.1 204 No\r\nDav: 1, calendar-access\r\n\r\n")),
)


def exchangers() -> Iterator[Case]:
    """Servers on port 25."""
    for name, script, found in _EXCHANGERS:
        yield Case(name, script, found, "mx")


_EXCHANGERS: tuple[tuple[str, Script | None, Mapping[str, str]], ...] = (
    ("a good exchanger", mx(), {}),
    ("no exchanger", NOBODY, {"mx": "closed"}),
    ("an exchanger that knows us not", mx(b"554 5.7.1 go away\r\n"), {"mx": "turned_away"}),
    ("an exchanger that says nothing", silent, {"mx": "silent"}),
    ("an exchanger that hangs up", closes, {"mx": "closed_early"}),
    ("an exchanger of IMAP", IMAP, {"mx": "wrong_protocol"}),
    ("an exchanger that floods", floods(_ENDLESS), {"mx": "wrong_protocol"}),
    ("it knows the domain not", mx(own=NO), {"accepts": "refused"}),
    ("it puts off", mx(own=LATER), {"accepts": "put_off"}),
    ("it relays", mx(foreign=OK), {"relay": "relays"}),
    ("it relays for its own", mx(by_own=OK), {"relay": "relays"}),
    ("it might relay", mx(foreign=LATER), {"relay": "unclear"}),
    ("it lets users in", mx(auth=b"250-AUTH PLAIN\r\n"), {"users": "offered"}),
    ("it has no TLS", says(b"220 mx\r\n", {b"RCPT TO:<JOE": NO}, otherwise=OK), {"starttls": "not_offered"}),
)
