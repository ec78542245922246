# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines, literals and values as they come from a socket, in any pieces; bounds against a hostile server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    ConnectionLostError,
    ProtocolError,
    TimedOutError,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import (
    MAX_LITERAL,
    Literal,
    Wire,
    parse,
    quoted,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.tls import Authority


@contextmanager
def peer(data: bytes, cuts: list[int] | None = None) -> Iterator[Wire]:
    """A wire whose other end sends ``data``, cut at the given places, and closes."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)

    def send() -> None:
        with theirs:
            last = 0
            for cut in [*(cuts or []), len(data)]:
                theirs.sendall(data[last:cut])
                last = cut

    thread = threading.Thread(target=send)
    thread.start()
    wire = Wire(ours)
    try:
        yield wire
    finally:
        wire.close()
        thread.join()


@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.integers(min_value=0, max_value=2000), max_size=6))
def test_a_response_is_the_same_however_it_is_cut(literals: list[bytes], cuts: list[int]) -> None:
    """case_88: literals in any number, split anywhere, of any bytes, of no length."""
    data = b"* X"
    for literal in literals:
        data += b" {%d}\r\n" % len(literal) + literal
    data += b" end\r\n* next\r\n"
    with peer(data, sorted(cut for cut in cuts if cut < len(data))) as wire:
        response = wire.response()
        assert response.tag == b"*"
        assert list(response.literals) == literals
        assert response.values() == [b"X", *literals, b"end"]
        assert wire.response().text == b"next"


def test_a_long_line_makes_the_buffer_grow() -> None:
    line = b"* FLAGS (" + b" ".join(b"kw%d" % n for n in range(120_000)) + b")"
    with peer(line + b"\r\n") as wire:
        (_name, flags) = wire.response().values()
        assert isinstance(flags, list)
        assert len(flags) == 120_000


def test_pieces_give_exactly_the_literal() -> None:
    body = bytes(range(256)) * 5000
    with peer(body + b")\r\nafter\r\n") as wire:
        assert b"".join(wire.pieces(len(body))) == body
        assert wire.line() == b")"
        assert wire.line() == b"after"


def test_a_literal_where_none_belongs_is_bounded() -> None:
    with peer(b"* LIST () {%d}\r\n" % (MAX_LITERAL + 1)) as wire, pytest.raises(ProtocolError, match="literal of more"):
        wire.response()


def test_a_closed_connection_is_told_from_an_answer() -> None:
    """case_89: the server sends half a literal and hangs up."""
    with peer(b"* X {100}\r\nabc") as wire, pytest.raises(ConnectionLostError):
        wire.response()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b'LIST (\\Sent) "/" "a \\"b\\" \\\\c"', [b"LIST", [b"\\Sent"], b"/", b'a "b" \\c']),
        (b"1 FETCH (BODY[HEADER.FIELDS (A B)] NIL)", [b"1", b"FETCH", [b"BODY[HEADER.FIELDS (A B)]", None]]),
        (b'NAMESPACE (("" ".")) NIL (("#shared." "."))', [b"NAMESPACE", [[b"", b"."]], None, [[b"#shared.", b"."]]]),
        (b"STATUS nil (MESSAGES 3)", [b"STATUS", None, [b"MESSAGES", b"3"]]),
        (b"  ", []),
    ],
)  # fmt: skip
def test_values(line: bytes, values: list[object]) -> None:
    assert parse((line,), ()) == values


@pytest.mark.parametrize("line", [b"(", b")", b'"open', b"(" * 200 + b")" * 200, b"(a (b)"])
def test_unbalanced_values_are_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse((line,), ())


@given(st.binary(max_size=300))
def test_any_line_is_read_or_refused(line: bytes) -> None:
    """case_99: no other exception, whatever a server sends."""
    with contextlib.suppress(ProtocolError):
        assert isinstance(parse((line,), ()), list)


@given(st.binary(max_size=50))
def test_quoted_comes_back(value: bytes) -> None:
    argument = quoted(value)
    if isinstance(argument, Literal):
        assert argument.data == value
    else:
        assert parse((argument,), ()) == [value]
        assert b"\r" not in argument
        assert b"\n" not in argument


# slowness


@contextmanager
def dripping(data: bytes, *, size: int = 1, pause: float = 0.02, patience: float = 0.3) -> Iterator[Wire]:
    """A wire whose other end sends a few bytes at a time."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)

    def send() -> None:
        with theirs, contextlib.suppress(OSError):
            for at in range(0, len(data), size):
                theirs.sendall(data[at : at + size])
                time.sleep(pause)

    thread = threading.Thread(target=send)
    thread.start()
    wire = Wire(ours, patience=patience)
    try:
        yield wire
    finally:
        wire.close()
        thread.join()


@pytest.mark.case(91)
@pytest.mark.parametrize("what", ["line", "literal", "message"])
def test_a_byte_at_a_time_is_no_answer(what: str) -> None:
    """The stream's own timeout never strikes: a byte comes every 20 ms. Patience is 0.3 s here, 120 s by default."""
    began = time.monotonic()
    data = b"* X" if what == "line" else b"* X {5000}\r\n"
    with dripping(data + b"y" * 200) as wire:
        if what == "message":
            assert wire.line() == b"* X {5000}"
        read = wire.response if what != "message" else lambda: list(wire.pieces(5000))
        with pytest.raises(TimedOutError, match="sent only"):
            read()
    assert time.monotonic() - began < 3


@pytest.mark.case(91)
def test_news_without_an_end_are_no_answer() -> None:
    """Every line comes in time, the command's answer never: a whole command has ten times the patience of a line."""

    def read() -> None:
        while wire.response().tag == b"*":
            continue

    with (
        dripping(b"* A\r\n" * 60, size=5, pause=0.2, patience=0.15) as wire,
        pytest.raises(TimedOutError, match="answer"),
    ):
        read()


def test_many_slow_answers_are_answers() -> None:
    with dripping(b"M1 OK\r\n" * 60, size=7, patience=0.1) as wire:
        for _number in range(60):
            assert wire.response().tag == b"M1"


def test_only_waiting_counts_and_not_what_we_do_meanwhile() -> None:
    body = b"z" * 4000
    with peer(body) as wire:
        wire._patience = 0.05
        pieces = wire.pieces(4000)
        next(pieces)
        time.sleep(0.2)
        assert b"".join(pieces) in body


@pytest.mark.case(90)
@pytest.mark.parametrize("properly", [True, False])
def test_tls_that_ends_without_notice_is_a_lost_connection(tmp_path: Path, properly: bool) -> None:
    """Whoever cuts the line can't make a message shorter: its size is known."""
    files = Authority(tmp_path).issue("good")
    ours, theirs = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)

    def serve() -> None:
        secure = server.wrap_socket(theirs, server_side=True)
        secure.sendall(b"* 1 FETCH (UID 1 BODY[] {100}\r\nhalf of it")
        with contextlib.suppress(OSError):
            if properly:
                secure.unwrap()
        secure.close()

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    ours.settimeout(10)
    wire = Wire(context.wrap_socket(ours, server_hostname="localhost"))
    try:
        assert wire.line().endswith(b"{100}")
        with pytest.raises(ConnectionLostError):
            list(wire.pieces(100))
    finally:
        wire.close()
        thread.join()
