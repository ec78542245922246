# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines, literals and values as they come from a socket, in any pieces; bounds against a hostile server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import ConnectionLostError, ProtocolError
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import (
    MAX_LITERAL,
    Literal,
    Wire,
    parse,
    quoted,
)
from hypothesis import given
from hypothesis import strategies as st


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
