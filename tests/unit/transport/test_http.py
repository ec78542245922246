# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Requests to web servers: log-in, redirects, patience, broken connections, bounds. Real sockets, odd servers."""

from __future__ import annotations

import base64
import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.courtesy import Caps, Courtesy
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    CertificateNameError,
    CertificateUntrustedError,
    ConnectionLostError,
    MigrationError,
    ProtocolError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    TlsError,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport.http import (
    Answer,
    Client,
    Http,
    origin,
    retry_after,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport.http_auth import Authorizer, Login
from ansible_collections.atmail.migration.plugins.module_utils.transport.tcp import tls_context

from tests.lab.tls import Authority

from .http_peer import Peer, Reply, Request, serving

BASIC = (("WWW-Authenticate", 'Basic realm="x"'),)
SECRET = "ännes:geheim"


@contextmanager
def asking(
    peer: Peer, method: str = "auto", password: str = SECRET, sleeps: list[float] | None = None, **changes: Any
) -> Iterator[Http]:
    client = replace(Client(peer.url, {"server": "target x"}, tls_context(None)), **changes)
    sleep: Callable[[float], None] = (sleeps if sleeps is not None else []).append
    passed = [0.0]

    def tick() -> float:
        return passed[0] + sum(sleeps or [])

    courtesy = Courtesy(
        "target x", ["ann"], Caps(lambda: 1, 1), admin=False, patience=60, tick=tick, sleep=sleep, chance=lambda: 0.0
    )
    with closing(Http(client, Authorizer(Login("ann", password), method), courtesy, "ann")) as http:
        yield http


def guarded(request: Request) -> Reply:
    """A server that lets Ann in."""
    expected = "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()
    if request.headers.get("Authorization") == expected:
        return Reply(207, request.body or b"hello")
    return Reply(401, b"no", BASIC)


def in_turn(*replies: Reply) -> Callable[[Request], Reply]:
    """One answer after the other, the last one for ever."""
    left = list(replies)

    def answer(_request: Request) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def test_the_password_is_said_when_the_server_asks_and_then_with_every_request() -> None:
    with serving(guarded) as peer, asking(peer) as http:
        assert http.ask("PROPFIND", peer.url + "a?b=c", b"<x/>", {"Depth": "1"}).body == b"<x/>"
        assert http.ask("GET", peer.url).status == 207
    assert [one.headers.get("Authorization", "")[:5] for one in peer.seen] == ["", "Basic", "Basic"]
    assert (peer.seen[1].path, peer.seen[1].headers["Depth"]) == ("/a?b=c", "1")
    assert peer.connections == 1


def test_a_way_that_was_chosen_needs_no_question() -> None:
    with serving(guarded) as peer, asking(peer, "basic") as http:
        http.ask("GET", peer.url)
    assert len(peer.seen) == 1


def test_many_threads_with_a_wrong_password_try_it_once() -> None:
    with serving(guarded) as peer, asking(peer, "basic", "wrong", connections=8) as http:

        def attempt(_number: int) -> bool:
            with pytest.raises(AuthError) as caught:
                http.ask("GET", peer.url)
            assert SECRET not in str(caught.value.as_dict())
            return bool(caught.value.credentials)

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(attempt, range(16)))
    assert len(peer.seen) == 1


def test_no_more_connections_than_allowed_are_open_at_once() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def slow(_request: Request) -> Reply:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.02)
        with lock:
            inside -= 1
        return Reply(200)

    with serving(slow) as peer, asking(peer, connections=2) as http, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: http.ask("GET", peer.url), range(12)))
    assert (most, peer.connections) == (2, 2)


# redirects


def test_a_redirect_on_the_same_host_keeps_method_body_and_log_in() -> None:
    def answer(request: Request) -> Reply:
        if request.path == "/.well-known/caldav":
            return Reply(301, headers=(("Location", "/dav/"),))
        return guarded(request)

    with serving(answer) as peer, asking(peer) as http:
        found = http.ask("PROPFIND", peer.url + ".well-known/caldav", b"<x/>")
    assert (found.url, found.body) == (peer.url + "dav/", b"<x/>")
    assert peer.seen[-1].method == "PROPFIND"


@pytest.mark.parametrize(
    "target", ["http://localhost:{port}/", "https://elsewhere.example/", "http://127.0.0.1:1/", "ftp://127.0.0.1/"]
)
def test_a_redirect_elsewhere_is_not_followed(target: str) -> None:
    with serving(guarded) as peer:
        answer = Reply(302, headers=(("Location", target.format(port=peer.port)),))
        with serving(lambda _request: answer) as other, asking(other) as http:
            with pytest.raises(ProtocolError) as caught:
                http.ask("GET", other.url)
            assert len(other.seen) == 1
    assert caught.value.where["server"] == "target x"
    assert peer.seen == []


def test_another_host_is_asked_nothing() -> None:
    with serving(guarded) as peer, asking(peer, "basic") as http:
        for url in ("http://localhost:{port}/", "https://evil.example/", "file:///etc/passwd", ""):
            with pytest.raises(ProtocolError):
                http.ask("GET", url.format(port=peer.port))
    assert peer.seen == []


def test_redirects_in_circles_end() -> None:
    with serving(lambda _request: Reply(307, headers=(("Location", "/"),))) as peer, asking(peer) as http:
        with pytest.raises(ProtocolError, match="circles"):
            http.ask("GET", peer.url)
        assert len(peer.seen) == 6


def test_whom_a_password_may_be_told() -> None:
    peer = Peer(80, "https")
    with asking(peer, base="https://dav.example/", hosts=frozenset({"p01.example"})) as http:
        allowed = ("https://dav.example/x", "https://dav.example:8443/", "https://p01.example/")
        assert [http.allowed(one) for one in allowed] == [True] * 3
        forbidden = ("http://dav.example/", "http://p01.example/", "https://evil.example/")
        assert [http.allowed(one) for one in forbidden] == [False] * 3


# patience


def test_a_server_that_asks_for_patience_is_waited_for() -> None:
    sleeps: list[float] = []
    replies = in_turn(
        Reply(429, headers=(("Retry-After", "7"),)), Reply(503, headers=(("Retry-After", "3"),)), Reply(200, b"x")
    )
    with serving(replies) as peer, asking(peer, sleeps=sleeps) as http:
        assert http.ask("PUT", peer.url, b"data").body == b"x"
    assert sum(sleeps) == pytest.approx(10)
    assert peer.count("PUT") == 3


def test_a_server_that_asks_for_too_much_patience_ends_it() -> None:
    sleeps: list[float] = []
    with (
        serving(in_turn(Reply(429, b"later"))) as peer,
        asking(peer, sleeps=sleeps) as http,
        pytest.raises(ThrottledError, match="later"),
    ):
        http.ask("GET", peer.url)
    assert sum(sleeps) <= 60


def test_a_short_trouble_is_waited_for_and_a_long_one_is_told() -> None:
    sleeps: list[float] = []
    with serving(in_turn(Reply(503), Reply(502), Reply(200))) as peer, asking(peer, sleeps=sleeps) as http:
        assert http.ask("GET", peer.url).status == 200
    with serving(in_turn(Reply(503))) as peer, asking(peer, sleeps=sleeps) as http:
        assert http.ask("GET", peer.url).status == 503
    assert len(peer.seen) == 4


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("99999999999999999999", 86400.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_what_retry_after_says(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=10.0) == seconds


# connections that break, answers without an end


def test_a_connection_that_breaks_is_replaced_once() -> None:
    with serving(in_turn(Reply(hang_up=True), Reply(200, b"x"))) as peer, asking(peer) as http:
        found = http.ask("PUT", peer.url, b"data")
    assert (found.body, found.repeated) == (b"x", True)
    with serving(in_turn(Reply(hang_up=True))) as peer, asking(peer) as http:
        with pytest.raises(ConnectionLostError):
            http.ask("GET", peer.url)
        assert len(peer.seen) == 2


def test_an_answer_that_is_not_whole_is_none() -> None:
    with serving(in_turn(Reply(200, b"half", length=8))) as peer, asking(peer) as http:
        with pytest.raises(ConnectionLostError):
            http.ask("GET", peer.url)
        assert len(peer.seen) == 2


@pytest.mark.parametrize("end", [3, 12, 17, 30, 38, 57, 59])
def test_a_head_that_is_not_whole_is_no_answer(end: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nETag: one\r\nContent-Length: 4\r\nX-Y: z\r\n\r\nbody"[:end]
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def talk() -> None:
            for _number in range(2):
                connection, _address = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(head)

        thread = threading.Thread(target=talk)
        thread.start()
        with asking(Peer(server.getsockname()[1], "http")) as http, pytest.raises(ConnectionLostError):
            http.ask("GET", f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


def test_a_long_answer_is_cut_off() -> None:
    with serving(in_turn(Reply(200, b"x" * 10_000_000))) as peer, asking(peer) as http:
        found = http.ask("GET", peer.url, limit=1000)
        assert (len(found.body), found.cut) == (1000, True)
        assert not http.ask("GET", peer.url, limit=10_000_000).cut


def test_an_answer_that_unpacks_without_an_end_is_cut_off() -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    reply = Reply(200, packed, (("Content-Encoding", "gzip"),))
    with serving(in_turn(reply)) as peer, asking(peer) as http:
        found = http.ask("GET", peer.url, limit=1_000_000)
    assert (len(found.body), found.cut) == (1_000_000, True)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        peer = Peer(silent.getsockname()[1], "http")
        with asking(peer, timeout=0.2) as http, pytest.raises(TimedOutError):
            http.ask("GET", peer.url)


def test_a_large_object_has_more_time() -> None:
    def slow(_request: Request) -> Reply:
        time.sleep(0.3)
        return Reply(201)

    with serving(slow) as peer, asking(peer, timeout=0.1) as http:
        with pytest.raises(TimedOutError):
            http.ask("PUT", peer.url, b"x")
        assert http.ask("PUT", peer.url, b"x" * 100_000).status == 201


def test_a_server_that_sends_a_byte_now_and_then_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def drip() -> None:
            connection, _address = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                for _number in range(200):
                    connection.sendall(b"x" * 10)
                    time.sleep(0.02)

        thread = threading.Thread(target=drip)
        thread.start()
        peer = Peer(server.getsockname()[1], "http")
        with asking(peer, timeout=0.05) as http, pytest.raises(TimedOutError):
            http.ask("GET", peer.url)
        thread.join()


def test_nobody_there_and_nonsense_are_told_apart() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    with asking(Peer(port, "http")) as http, pytest.raises(RefusedError):
        http.ask("GET", f"http://127.0.0.1:{port}/")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def talk() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        peer = Peer(server.getsockname()[1], "http")
        with asking(peer) as http, pytest.raises(ProtocolError, match="does not speak HTTP") as caught:
            http.ask("GET", peer.url)
        thread.join()
    assert caught.value.where["server"] == "target x"


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def server_context(authority: Authority, kind: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_kind(kind)
    context.load_cert_chain(issued.certificate, issued.key)
    return context


def test_certificates_are_judged_as_everywhere(authority: Authority) -> None:
    trusting = tls_context(str(authority.ca_file))
    with serving(guarded, server_context(authority, "good")) as peer:
        with asking(peer, context=trusting) as http:
            assert http.ask("GET", peer.url).status == 207
        with asking(peer) as http, pytest.raises(CertificateUntrustedError):
            http.ask("GET", peer.url)
        with asking(peer, context=tls_context(None, verify=False)) as http:
            assert http.ask("GET", peer.url).status == 207
    with serving(guarded, server_context(authority, "wrong_name")) as peer:
        with asking(peer, context=trusting) as http, pytest.raises(CertificateNameError):
            http.ask("GET", peer.url)
        assert peer.seen == []


def test_a_server_without_tls_gets_no_password() -> None:
    with serving(guarded) as peer:
        there = peer.url.replace("http:", "https:")
        with asking(peer, "basic", base=there) as http, pytest.raises(TlsError):
            http.ask("GET", there)
    assert peer.seen == []


# values


@pytest.mark.parametrize("url", ["", "x", "mailto:a@b", "https://", "https://a:b/", "//a/"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ProtocolError):
        origin(url)


def test_addresses_in_messages_hold_no_password() -> None:
    with pytest.raises(ProtocolError) as caught:
        origin("gopher://ann:secret@dav.example/")
    assert "secret" not in str(caught.value)


def test_words_of_a_server_are_one_printable_line() -> None:
    answer = Answer(500, {}, b"one\r\n\x1b[31mtwo \xff" + b"x" * 1000, "")
    assert answer.text(20).isprintable()
    assert len(answer.text(20)) <= 20


def test_every_failure_is_an_error_of_ours() -> None:
    with asking(Peer(1, "http")) as http, pytest.raises(MigrationError):
        http.ask("GET", "http://127.0.0.1:1/")


def test_a_log_in_that_is_asked_for_again_at_once_does_not_wait_for_itself() -> None:
    nonces = iter(["one", "two", "two", "two"])

    def answer(request: Request) -> Reply:
        said = request.headers.get("Authorization", "")
        if 'nonce="two"' in said:
            return Reply(200, b"in")
        stale = ", stale=true" if said else ""
        return Reply(
            401, headers=(("WWW-Authenticate", f'Digest realm="x", qop="auth", nonce="{next(nonces)}"{stale}'),)
        )

    with serving(answer) as peer, asking(peer) as http:
        assert http.ask("GET", peer.url).body == b"in"
        assert len(peer.seen) == 3
