# SPDX-License-Identifier: GPL-3.0-or-later
"""POP3 answers as they come from a socket, in any pieces; what no real server does on demand."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    ConnectionLostError,
    InputError,
    MigrationError,
    ProtocolError,
    ServerError,
    ThrottledError,
    TlsError,
    UnsupportedError,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.pop import (
    list_sizes,
    list_uidls,
    read_bodies,
    read_headers,
)
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account
from ansible_collections.atmail.migration.plugins.module_utils.transport.imap import ImapServer
from ansible_collections.atmail.migration.plugins.module_utils.transport.pop import MAX_LIST_LINE, Pop, log_in
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import Wire
from hypothesis import given
from hypothesis import strategies as st

CUTS = st.lists(st.integers(min_value=0, max_value=600), max_size=8)


@contextmanager
def talking(data: bytes, cuts: list[int] | None = None, *, pipelining: bool = False) -> Iterator[Pop]:
    """A connection whose other end says ``data``, cut at the given places, and no more."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)

    def send() -> None:
        with contextlib.suppress(OSError):
            last = 0
            for cut in [*sorted(cut for cut in cuts or [] if cut < len(data)), len(data)]:
                theirs.sendall(data[last:cut])
                last = cut
            theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    pop = Pop(ImapServer("source", "pop.example", 995), Wire(ours))
    pop.capabilities = {b"PIPELINING": frozenset(), b"TOP": frozenset()} if pipelining else {}
    try:
        yield pop
    finally:
        pop.wire.close()
        thread.join()
        theirs.close()


def stuffed(message: bytes) -> bytes:
    """A message as a server sends it (RFC 1939 section 3): a line end at its end, a dot more before dots."""
    whole = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
    return (b"\r\n" + whole).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


LINES = st.lists(
    st.sampled_from([b"", b".", b"..", b"a", b".\r", b"\n.", b"\r", b"\r.\n", b"x" * 70, b"\n"]), max_size=12
)
MESSAGES = st.one_of(st.binary(max_size=200), st.builds(b"\r\n".join, LINES))


@given(st.lists(MESSAGES, min_size=1, max_size=4), CUTS)
@pytest.mark.case(12, 13, 15, 88)
def test_messages_come_out_as_they_went_in_however_they_are_cut(messages: list[bytes], cuts: list[int]) -> None:
    """Dots, bare LF and CR, line ends missing, empty messages; a final CRLF is taken off where LIST counts two less."""
    data = b"".join(b"+OK\r\n" + stuffed(one) for one in messages) + b"-ERR end\r\n"
    with talking(data, cuts, pipelining=True) as pop:
        found = read_bodies(pop, [(n, len(one)) for n, one in enumerate(messages, 1)])
        for (_number, body), message in zip(found, messages, strict=True):
            assert body
            got = b"".join(body.pieces())
            assert len(got) == body.size
            completed = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
            assert got == (completed if completed.count(b"\n") == 2 else message)
        with pytest.raises(ServerError, match="end"):
            pop.status("end")


def test_a_message_larger_than_memory_is_wanted_goes_through_a_file() -> None:
    message = b"Subject: big\r\n\r\n" + b".dots and\nlines\r\n" * 100_000 + b"no line end"
    with talking(b"+OK\r\n" + stuffed(message)) as pop:
        ((_number, body),) = read_bodies(pop, [(1, len(message))])
        assert body
        assert (body.size, body.header) == (len(message), b"Subject: big\r\n\r\n")
        for _twice in range(2):
            assert b"".join(body.pieces()) == message


def test_a_server_that_counts_line_ends_as_one_byte_does_not_cost_a_line_end() -> None:
    """LIST says two bytes less because there are two lines: nothing is taken off."""
    message = b"Subject: x\r\nbody\r\n"
    with talking(b"+OK\r\n" + stuffed(message)) as pop:
        ((_number, body),) = read_bodies(pop, [(1, len(message) - 2)])
        assert body
        assert b"".join(body.pieces()) == message


def test_a_message_that_is_not_given_out_is_told_and_the_others_come() -> None:
    with talking(b"+OK\r\na\r\n.\r\n-ERR gone\r\n+OK\r\nb\r\n.\r\n", pipelining=True) as pop:
        found = {n: body and b"".join(body.pieces()) for n, body in read_bodies(pop, [(1, 3), (2, 3), (3, 3)])}
        assert found == {1: b"a\r\n", 2: None, 3: b"b\r\n"}


def test_a_top_that_cuts_is_not_believed() -> None:
    """The server's TOP has its own idea of many lines: what it says is dropped, and the rest asked for by RETR."""
    bodies = {1: b"1\r\n\r\nwhole\r\n", 2: b"2\r\n\r\ncut\r\n", 3: b"3\r\n\r\ncut\r\n"}
    tops = [bodies[1], b"2\r\n\r\n", b"3\r\n\r\n"]
    data = b"".join(b"+OK\r\n" + stuffed(one) for one in [*tops, bodies[2], bodies[3]])
    with talking(data, pipelining=True) as pop:
        pop.whole_by_top = True
        found = {
            n: body and b"".join(body.pieces()) for n, body in read_bodies(pop, [(n, len(bodies[n])) for n in bodies])
        }
        assert found == bodies
        assert not pop.whole_by_top


def test_half_a_message_is_no_message() -> None:
    """case_89: the server hangs up within a message."""
    with talking(b"+OK\r\nSubject: x\r\n\r\nhalf") as pop, pytest.raises(ConnectionLostError):
        next(read_bodies(pop, [(1, None)]))


@given(CUTS)
def test_lists(cuts: list[int]) -> None:
    with talking(
        b"+OK 3 900\r\n+OK\r\n2 b\r\n1 ..a\r\n3 \r\n.\r\n+OK 3 900\r\n+OK\r\n1 1\r\n2 22 x\r\n3 3\r\n.\r\n", cuts
    ) as pop:
        assert list_uidls(pop) == (b"..a", b"b", b"")
        assert list_sizes(pop) == (1, 22, 3)


def test_a_server_without_uidl_tells_no_uidls() -> None:
    with talking(b"+OK 2 9\r\n-ERR what?\r\n+OK 2 9\r\n+OK\r\n1 4\r\n2 5\r\n.\r\n") as pop:
        assert list_uidls(pop) == (b"", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"+OK\r\n",
        b"+OK many\r\n",
        b"* OK IMAP4rev1\r\n",
        b"+OK 1 9\r\n+OK\r\n2 x\r\n.\r\n",
        b"+OK 1 9\r\n+OK\r\n0 x\r\n.\r\n",
        b"+OK 1 9\r\n+OK\r\nx\r\n.\r\n",
        b"+OK 1 9\r\n+OK\r\n1 " + b"x" * MAX_LIST_LINE + b"\r\n.\r\n",
    ],
)
@pytest.mark.case(99)
def test_nonsense_is_refused(data: bytes) -> None:
    with talking(data) as pop, pytest.raises(ProtocolError):
        list_uidls(pop)


@given(st.binary(max_size=200))
@pytest.mark.case(99)
def test_whatever_a_server_says_is_read_or_refused(data: bytes) -> None:
    for begin in (b"", b"+OK 2 5\r\n", b"+OK 2 5\r\n+OK\r\n1 "):
        with (
            talking(begin + data) as pop,
            contextlib.suppress(ProtocolError, ServerError, ConnectionLostError),
        ):
            list_uidls(pop)


def test_headers() -> None:
    with talking(b"+OK\r\nA: 1\r\n..b: 2\r\n\r\n.\r\n-ERR gone\r\n+OK\r\n\r\n.\r\n", pipelining=True) as pop:
        assert dict(read_headers(pop, [1, 2, 3])) == {1: b"A: 1\r\n.b: 2\r\n\r\n", 3: b"\r\n"}


@pytest.mark.case(92)
@pytest.mark.parametrize("code", [b"IN-USE", b"SYS/TEMP", b"LOGIN-DELAY"])
def test_not_now_is_no_refusal(code: bytes) -> None:
    with talking(b"-ERR [" + code + b"] later\r\n") as pop, pytest.raises(ThrottledError, match="later"):
        pop.run(b"STAT", "count")


# logging in


@contextmanager
def scripted(answers: dict[bytes, bytes], heard: list[bytes]) -> Iterator[ImapServer]:
    """A server that answers commands as told, and anything else by -ERR; ``heard`` gets what it was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as client, client.makefile("rb") as lines:
                client.sendall(b"+OK ready\r\n")
                for line in lines:
                    heard.append(line.strip())
                    client.sendall(answers.get(line.strip(), b"-ERR what?\r\n"))

        thread = threading.Thread(target=serve)
        thread.start()
        yield ImapServer("source", "127.0.0.1", listener.getsockname()[1], security="starttls", timeout=10)
        thread.join()


STLS = b"+OK\r\nSTLS\r\nUSER\r\n.\r\n"
ANN = Account("ann@acme.example", "secret of ann")


@pytest.mark.case(101)
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({b"CAPA": b"+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"}, "does not offer STLS"),
        ({}, "does not offer STLS"),
        ({b"CAPA": STLS, b"STLS": b"+OK begin\r\n+OK\r\nUSER\r\n.\r\n"}, "clear text after STLS"),
    ],
)
def test_no_password_goes_out_where_stls_is_stripped_or_tampered_with(answers: dict[bytes, bytes], said: str) -> None:
    heard: list[bytes] = []
    with scripted(answers, heard) as server, pytest.raises(TlsError, match=said):
        log_in(server, ANN)
    assert set(heard) <= {b"CAPA", b"STLS"}


@pytest.mark.case(102)
@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        ({b"USER ann@acme.example": b"+OK\r\n"}, AuthError, "what[?]"),
        (
            {b"USER ann@acme.example": b"+OK\r\n", b"PASS secret of ann": b"-ERR no, secret of ann is wrong\r\n"},
            AuthError,
            r"no, \*\*\* is wrong",
        ),
        (
            {b"USER ann@acme.example": b"+OK\r\n", b"PASS secret of ann": b"-ERR [SYS/TEMP] later\r\n"},
            ThrottledError,
            "later",
        ),
        ({b"CAPA": b"+OK\r\nSASL CRAM-MD5\r\n.\r\n"}, AuthError, "no log-in by password"),
    ],
)
def test_a_refused_log_in(answers: dict[bytes, bytes], kind: type[MigrationError], said: str) -> None:
    """A password is tried once, and never repeated in what is said."""
    heard: list[bytes] = []
    with scripted(answers, heard) as server, pytest.raises(kind, match=said) as caught:
        log_in(replace(server, security="plain"), ANN)
    assert heard.count(b"PASS secret of ann") <= 1
    assert "secret" not in str(caught.value)
    assert caught.value.where["account"] == ANN.user


def test_what_pop3_can_not_do_is_refused_before_anything_is_sent() -> None:
    server = ImapServer("source", "127.0.0.1", 1, admin_user="m", admin_password="p", admin_method="proxyauth")
    with pytest.raises(UnsupportedError):
        log_in(server, ANN)
    with pytest.raises(UnsupportedError):
        log_in(ImapServer("source", "127.0.0.1", 1, auth="preauth"), ANN)
    with pytest.raises(InputError):
        log_in(ImapServer("source", "127.0.0.1", 1), Account("ann"))
