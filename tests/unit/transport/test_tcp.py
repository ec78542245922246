# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What failures of sockets, TLS and greetings become, with real sockets and certificates."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    CertificateExpiredError,
    CertificateNameError,
    CertificateUntrustedError,
    ConnectError,
    ConnectionLostError,
    InputError,
    MigrationError,
    RefusedError,
    TimedOutError,
    TlsError,
    UnknownHostError,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport import tcp
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import Database, DatabaseServer
from ansible_collections.atmail.migration.plugins.module_utils.transport.ssh import SshServer, Tunnel
from ansible_collections.atmail.migration.plugins.module_utils.transport.tcp import (
    connect,
    in_turn,
    socket_error,
    tls_context,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that gives its first connection to ``answer`` and then closes it."""
    done = threading.Event()

    def serve() -> None:
        try:
            connection, _address = listener.accept()
        except OSError:
            return
        with connection:
            answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def silence(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.settimeout(10)
    while connection.recv(1000):
        pass


def nothing(_connection: socket.socket) -> None:
    """Close at once."""


def garbage(connection: socket.socket) -> None:
    """Greet as nobody does."""
    connection.sendall(b"220 mail.example ESMTP\r\n" * 20)
    silence(connection)


def certificate(folder: Path, name: str, *, valid_until: dt.datetime) -> Path:
    """A self-signed certificate for an address, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 10 * DAY)
        .not_valid_after(valid_until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.mark.parametrize(
    ("name", "valid_until", "trusted", "error"),
    [
        ("127.0.0.1", NOW + DAY, True, None),
        ("127.0.0.1", NOW - DAY, True, CertificateExpiredError),
        ("127.0.0.2", NOW + DAY, True, CertificateNameError),
        ("127.0.0.1", NOW + DAY, False, CertificateUntrustedError),
    ],
)
def test_certificates(
    tmp_path: Path, name: str, valid_until: dt.datetime, trusted: bool, error: type[MigrationError] | None
) -> None:
    pem = certificate(tmp_path, name, valid_until=valid_until)

    def answer(connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.sendall(b"x")
        except (ssl.SSLError, ConnectionError):
            pass  # the client has refused the certificate

    def handshake(port: int) -> bytes:
        sock = connect("127.0.0.1", port, 10)
        try:
            context = tls_context(str(pem) if trusted else None)
            with context.wrap_socket(sock, server_hostname="127.0.0.1") as secure:
                return secure.recv(1)
        except OSError as raised:
            raise socket_error(raised, "127.0.0.1", port) from raised

    with serving(answer) as port:
        if error is None:
            assert handshake(port) == b"x"
        else:
            with pytest.raises(error):
                handshake(port)


def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(RefusedError):
            connect("127.0.0.1", taken.getsockname()[1], 5)


# names with several addresses


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[tuple[str, int]]], None]:
    """Lets the name `mail.example` have addresses of our choice; the port that is asked for does not count."""

    def answer(addresses: list[tuple[str, int]]) -> None:
        found: list[tuple[object, ...]] = []
        for address, port in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            where = (address, port, 0, 0) if ":" in address else (address, port)
            found.append((family, socket.SOCK_STREAM, 6, "", where))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)

    return answer


@contextmanager
def listening(host: str, *, deaf: bool = False) -> Iterator[int]:
    """The port of a listener; a deaf one lets nobody in, as a firewall that drops packets does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, 0), family=family, backlog=0 if deaf else 5))
        if deaf:
            for _number in range(3):  # the queue is full then
                client = stack.enter_context(socket.socket(family))
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
            time.sleep(0.05)
        yield listener.getsockname()[1]


def closed(host: str) -> int:
    """A port on which nobody listens."""
    with listening(host) as port:
        return port


@pytest.mark.case(100)
@pytest.mark.parametrize(("dead", "alive"), [("::1", "127.0.0.1"), ("127.0.0.1", "::1"), ("127.0.0.1", "127.0.0.2")])
def test_the_next_address_is_tried_when_one_refuses(
    resolver: Callable[[list[tuple[str, int]]], None], dead: str, alive: str
) -> None:
    with listening(alive) as port:
        resolver([(dead, closed(dead)), (alive, port)])
        with connect("mail.example", 993, 10) as sock:
            assert sock.getpeername()[:2] == (alive, port)
            assert sock.gettimeout() == 10


@pytest.mark.case(100)
def test_the_next_address_is_tried_when_one_does_not_answer(
    resolver: Callable[[list[tuple[str, int]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "_NEXT_AFTER", 0.3)
    began = time.monotonic()
    with listening("::1", deaf=True) as silent, listening("127.0.0.1") as port:
        resolver([("::1", silent), ("127.0.0.1", port)])
        with connect("mail.example", 993, 10) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
    assert 0.2 < time.monotonic() - began < 5


@pytest.mark.case(100)
def test_all_addresses_together_have_one_time_limit(resolver: Callable[[list[tuple[str, int]]], None]) -> None:
    began = time.monotonic()
    with listening("::1", deaf=True) as one, listening("127.0.0.1", deaf=True) as two:
        resolver([("::1", one), ("127.0.0.1", two), ("127.0.0.2", two)])
        with pytest.raises(TimedOutError):
            connect("mail.example", 993, 0.8)
    assert time.monotonic() - began < 4


@pytest.mark.case(100)
def test_when_none_answers_every_address_is_named(resolver: Callable[[list[tuple[str, int]]], None]) -> None:
    resolver([("::1", closed("::1")), ("127.0.0.1", closed("127.0.0.1"))])
    with pytest.raises(RefusedError, match="none of the 2 addresses") as caught:
        connect("mail.example", 993, 5)
    assert "::1" in caught.value.message
    assert "127.0.0.1" in caught.value.message
    assert caught.value.where["server"] == "mail.example:993"


@pytest.mark.case(100)
def test_ipv6_and_ipv4_take_turns() -> None:
    """RFC 8305 section 4, with the resolver's first family first; each address once."""
    six, four = socket.AF_INET6, socket.AF_INET
    found = [(six, "a"), (six, "b"), (six, "b"), (six, "c"), (four, "x"), (four, "y")]
    assert in_turn(found) == [(six, "a"), (four, "x"), (six, "b"), (four, "y"), (six, "c")]


@pytest.mark.case(100)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_addresses_as_they_are(host: str) -> None:
    with listening("::1" if host == "::1" else "127.0.0.1") as port, connect(host, port, 5) as sock:
        assert sock.getpeername()[1] == port


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example", "a..b"])
def test_names_that_do_not_resolve(host: str) -> None:
    with pytest.raises(UnknownHostError):
        connect(host, 1, 5)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (TimeoutError(), TimedOutError),
        (ConnectionResetError(), ConnectionLostError),
        (EOFError(), ConnectionLostError),
        (ssl.SSLEOFError(), ConnectionLostError),
        (ssl.SSLError(1, "wrong version number"), TlsError),
        (OSError(113, "No route to host"), ConnectError),
    ],
)
def test_what_a_socket_raises(raised: Exception, error: type[MigrationError]) -> None:
    assert socket_error(raised, "h", 1).kind == error.kind


def test_a_ca_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("no certificate")
    for path in (tmp_path / "ca", tmp_path / "none"):
        with pytest.raises(InputError):
            tls_context(str(path))


def database(port: int, **changes: object) -> Database:
    options: dict[str, object] = {"tls": False, "timeout": 0.3, **changes}
    return Database(DatabaseServer("127.0.0.1", "x", "user", "geheim", port, **options), read_only=True)  # type: ignore[arg-type] # options of several types


@pytest.mark.parametrize(
    ("answer", "error"), [(silence, TimedOutError), (nothing, ConnectionLostError), (garbage, MigrationError)]
)
def test_databases_that_are_none(answer: Callable[[socket.socket], None], error: type[MigrationError]) -> None:
    with serving(answer) as port, pytest.raises(error) as caught:
        database(port)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(("host", "tls"), [("192.0.2.1", False), ("db.example", False)])
def test_plain_text_leaves_this_machine_in_a_tunnel_only(host: str, tls: bool) -> None:
    with pytest.raises(InputError, match="TLS or through SSH"):
        Database(DatabaseServer(host, "x", "user", "p", tls=tls), read_only=True)


@pytest.mark.parametrize(
    ("answer", "error"), [(silence, TimedOutError), (nothing, ConnectError), (garbage, ConnectError)]
)
def test_ssh_servers_that_are_none(
    tmp_path: Path, answer: Callable[[socket.socket], None], error: type[MigrationError]
) -> None:
    (tmp_path / "known").write_text("")
    with serving(answer) as port, pytest.raises(error):
        Tunnel(SshServer("127.0.0.1", "u", port, str(tmp_path / "known"), password="geheim", timeout=0.5))


def test_secrets_do_not_show_in_reprs() -> None:
    assert "geheim" not in repr(SshServer("h", "u", password="geheim", key_passphrase="geheim"))
    assert "geheim" not in repr(DatabaseServer("h", "n", "u", "geheim"))
