# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed and encrypted mail: who checks it on the target comes to the same result as on the source."""

from __future__ import annotations

import base64
import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .checks.mail import Place
from .checks.picture import look
from .checks.world import Pair

#: dkimpy has no types.
_dkim: Any = importlib.import_module("dkim")

HEAD = b"From: Ann <ann@acme.example>\r\nTo: bob@example.net\r\nSubject: signed\r\nMessage-ID: <s@acme.example>\r\n"
#: What a copy that touched line ends, blanks, 8-bit bytes or the end of the message would break.
BODY = "Grüße,  zwei Blanks \r\n\r\n.\r\nFrom here\r\n\ttab \r\n\r\n\r\n".encode()


def _on_target(pair: Pair, messages: list[bytes]) -> list[bytes]:
    """These messages after a copy, as the target gives them out."""
    with pair.at_source() as source:
        for message in messages:
            source.append("INBOX", message)
    pair.done()
    pair.faithful()
    return _bodies(pair.target)


def _bodies(place: Place) -> list[bytes]:
    with place.open() as mailbox:
        mailbox.select("INBOX")
        return [body for _head, body in mailbox.fetch_all()]


@pytest.mark.case(35)
@pytest.mark.parametrize("canonical", [b"simple", b"relaxed"])
def test_a_dkim_signature_still_holds(pair: Pair, canonical: bytes) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def record(_name: bytes, timeout: int = 5) -> bytes:
        assert timeout
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    message = HEAD + b"\r\n" + BODY
    signed = _dkim.sign(message, b"sel", b"acme.example", private, canonicalize=(canonical, canonical)) + message
    assert _dkim.verify(signed, dnsfunc=record)
    assert not _dkim.verify(signed.replace(b"zwei", b"drei"), dnsfunc=record)
    (arrived,) = _on_target(pair, [signed])
    assert arrived == signed
    assert _dkim.verify(arrived, dnsfunc=record)


class Gpg:
    """GnuPG with a key ring of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.mkdir(mode=0o700)
        self("--quick-generate-key", "--passphrase", "", "ann@acme.example", "rsa2048", "sign,encrypt", "never")

    def __call__(self, *arguments: str, data: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self._home), "--batch", "--yes", "--quiet", "--trust-model", "always"]
        return subprocess.run([*command, *arguments], input=data, capture_output=True, check=True).stdout

    def close(self) -> None:
        """End its agent."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=True)


@pytest.fixture
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    made = Gpg(tmp_path_factory.mktemp("pgp") / "g")
    yield made
    made.close()


@pytest.mark.case(35)
def test_pgp_mime_still_verifies_and_decrypts(pair: Pair, gpg: Gpg, tmp_path: Path) -> None:
    """RFC 3156: a detached signature over a part's exact bytes, and an encrypted part."""
    part = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + BODY
    signature = gpg("--armor", "--detach-sign", data=part)
    secret = gpg("--armor", "--encrypt", "--recipient", "ann@acme.example", data=part)
    signed = (
        HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pgp-signature";'
        b' boundary="=b"\r\n\r\n--=b\r\n' + part
        + b"\r\n--=b\r\nContent-Type: application/pgp-signature\r\n\r\n" + signature + b"\r\n--=b--\r\n"
    )  # fmt: skip
    encrypted = (
        HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted";'
        b' boundary="=b"\r\n\r\n--=b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--=b\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + secret + b"\r\n--=b--\r\n"
    )  # fmt: skip
    # armour has the line ends of the machine; in mail they are CRLF
    as_sent = [one.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for one in (signed, encrypted)]
    copied_signed, copied_encrypted = _on_target(pair, as_sent)
    _start, first, second, _end = copied_signed.split(b"--=b")
    (tmp_path / "part").write_bytes(first[2:-2])
    (tmp_path / "signature").write_bytes(second.partition(b"\r\n\r\n")[2])
    assert (tmp_path / "part").read_bytes() == part
    gpg("--verify", str(tmp_path / "signature"), str(tmp_path / "part"))
    with pytest.raises(subprocess.CalledProcessError):
        gpg("--verify", str(tmp_path / "signature"), "-", data=part.replace(b"zwei", b"drei"))
    armoured = copied_encrypted.split(b"--=b")[2].partition(b"\r\n\r\n")[2]
    assert gpg("--decrypt", data=armoured) == part
    assert look(pair.target).count == 2
