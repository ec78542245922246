# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is in a file that a customer calls a bundle: certificates and private keys in PEM form (RFC 7468).

Files come out of mail programs, editors and other people's tools: with texts between the blocks, carriage returns, a
byte order mark, everything on one line. All of that is read. What is no PEM at all is recognised, with a hint. No word
of a private key ever gets into a finding.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import MissingLibraryError
from .findings import Finding, error, info, warning

if TYPE_CHECKING:
    from cryptography import x509

#: Bytes; a bundle with five certificates and an RSA key of 4096 bits has about 15,000.
LARGEST = 256 * 1024
#: No chain has so many; more would only cost time.
MOST_CERTIFICATES = 64

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_HEADER = re.compile(rb"^[A-Za-z-]+: .*$", re.MULTILINE)
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_REQUESTS = (b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")
_PKCS7 = (b"PKCS7", b"CMS")
#: The object identifiers of PKCS#7 signed data and data (RFC 5652, 5.1 and 4), as DER has them.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_JAVA = (bytes.fromhex("feedfeed"), bytes.fromhex("cececece"))
_ASK = "Ask the customer for one PEM file with the private key, the certificate and the chain."


@dataclass(frozen=True)
class Contents:
    """Certificates in the order of the file and private keys, each once; and what was seen while reading."""

    certificates: tuple[x509.Certificate, ...] = ()
    keys: tuple[Any, ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Block:
    """A PEM block: its place in the file (from 1), its label, and what stands between the two lines."""

    number: int
    label: bytes
    body: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return f"block {self.number} ({self.label.decode()})"

    def der(self) -> bytes:
        """Raises ValueError for what is not Base64."""
        return base64.b64decode(b"".join(_HEADER.sub(b"", self.body).split()), validate=True)

    def armored(self) -> bytes:
        """The block with lines of 64 characters, whatever the file had."""
        headers = b"".join(line.strip() + b"\n" for line in _HEADER.findall(self.body))
        text = b"".join(_HEADER.sub(b"", self.body).split())
        lines = b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))
        head = headers + b"\n" if headers else b""
        return b"-----BEGIN %b-----\n%b%b-----END %b-----\n" % (self.label, head, lines, self.label)


def require_cryptography() -> None:
    """Raise MissingLibraryError where the library is not installed."""
    try:
        importlib.import_module("cryptography.x509.verification")
        from cryptography.utils import CryptographyDeprecationWarning
    except ImportError as missing:
        raise MissingLibraryError(
            f"the Python library cryptography (42 or later) is missing: {missing}", library="cryptography"
        ) from missing
    # Old roots have odd serial numbers: nobody can do anything about it.
    warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)


def from_text(content: str) -> bytes:
    """A bundle that was given as text: PEM, or the Base64 of a file's bytes."""
    if "-----BEGIN" not in content:
        try:
            return base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError):
            pass
    return content.encode("utf-8", errors="surrogateescape")


def read_bundle(data: bytes, passphrase: str | None = None) -> Contents:
    """All that the file holds. ``passphrase`` is for an encrypted key; one that is not needed does no harm."""
    if len(data) > LARGEST:
        return Contents(findings=(error("too_large", f"it has {len(data)} bytes; no bundle has more than {LARGEST}"),))
    text = _plain(data)
    if not text.strip():
        return Contents(findings=(error("empty", "there is nothing in it", next_step=_ASK),))
    if not _BEGIN.search(text):
        return Contents(findings=(_no_pem(data),))
    blocks, findings = _blocks(text)
    certificates: dict[bytes, x509.Certificate] = {}
    keys: dict[bytes, Any] = {}
    for block in blocks:
        if block.label in _CERTIFICATES:
            findings += _take_certificate(block, certificates)
        elif block.label.endswith(b"PRIVATE KEY"):
            findings += _take_key(block, passphrase, keys)
        else:
            findings.append(_other(block))
    return Contents(tuple(certificates.values()), tuple(keys.values()), tuple(findings))


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """All certificates of a PEM file, as a list of authorities is one; what can't be read is left out."""
    found: dict[bytes, x509.Certificate] = {}
    for block in _blocks(_plain(data))[0]:
        if block.label in _CERTIFICATES:
            _take_certificate(block, found, most=None)
    return list(found.values())


def _plain(data: bytes) -> bytes:
    """The text as ASCII, from what Windows' editors make of it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace").encode("ascii", errors="replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _blocks(text: bytes) -> tuple[list[_Block], list[Finding]]:
    """The blocks that have a beginning and an end, and findings about those that have not."""
    blocks: list[_Block] = []
    findings: list[Finding] = []
    begins = list(_BEGIN.finditer(text))
    for number, begin in enumerate(begins, 1):
        until = begins[number].start() if number < len(begins) else len(text)
        end = text.find(b"-----END %b-----" % begin[1], begin.end(), until)
        if end < 0:
            said = f"block {number} ({begin[1].decode()}) has no end: the file is cut off, or was put together wrongly"
            findings.append(error("truncated", said, about=f"block {number}", next_step=_ASK))
        else:
            blocks.append(_Block(number, begin[1], text[begin.end() : end]))
    return blocks, findings


def _take_certificate(
    block: _Block, certificates: dict[bytes, x509.Certificate], most: int | None = MOST_CERTIFICATES
) -> list[Finding]:
    from cryptography import x509

    if most is not None and len(certificates) >= most:
        return [error("too_many", f"it has more than {most} certificates", next_step=_ASK)]
    try:
        der = _first_value(block.der())
        certificate = x509.load_der_x509_certificate(der)
        _read_through(certificate)
    except Exception:  # noqa: BLE001 -- a parser of whatever somebody sends: each failure says the same
        said = f"{block.name} is damaged: it can't be read as a certificate"
        return [error("certificate_damaged", said, about=f"block {block.number}", next_step=_ASK)]
    if der in certificates:
        return [info("duplicate", f"{block.name} is there twice", about=f"block {block.number}")]
    certificates[der] = certificate
    return []


def _read_through(certificate: x509.Certificate) -> tuple[object, ...]:
    """Everything that is asked for later, so that it does not fail there. Raises what the library raises."""
    return certificate.subject, certificate.issuer, list(certificate.extensions), certificate.public_key()


def _first_value(der: bytes) -> bytes:
    """The first DER value: OpenSSL's TRUSTED CERTIFICATE has another one behind it."""
    if len(der) < 2 or der[0] != 0x30:
        raise ValueError("no sequence")
    length, head = der[1], 2
    if length & 0x80:
        head += length & 0x7F
        length = int.from_bytes(der[2:head], "big")
    if head + length > len(der):
        raise ValueError("too short")
    return der[: head + length]


def _take_key(block: _Block, passphrase: str | None, keys: dict[bytes, Any]) -> list[Finding]:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_ssh_private_key,
    )

    load: Callable[..., Any] = load_ssh_private_key if block.label.startswith(b"OPENSSH") else load_pem_private_key
    about = f"block {block.number}"
    try:
        key = _opened(load, block.armored(), passphrase)
        mark = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except _PassphraseMissingError:
        said = "the private key is encrypted"
        return [error("key_encrypted", said, about=about, next_step="Give its passphrase, or ask for one without.")]
    except Exception:  # noqa: BLE001 -- as above; and the text of the exception is not ours to show
        if passphrase and _is_encrypted(block):
            said = "the passphrase does not open the private key, or the key is damaged"
            return [
                error("passphrase_wrong", said, about=about, next_step="Ask the customer for the passphrase again.")
            ]
        return [error("key_damaged", f"{block.name} can't be read as a private key", about=about, next_step=_ASK)]
    if mark in keys:
        return [info("duplicate", f"{block.name} is there twice", about=about)]
    keys[mark] = key
    return []


class _PassphraseMissingError(Exception):
    """The key is encrypted, and there is no passphrase."""


def _opened(load: Callable[..., Any], armored: bytes, passphrase: str | None) -> Any:
    """The key. The library says by TypeError that a passphrase is missing, or that there is one too many."""
    try:
        return load(armored, passphrase.encode() if passphrase else None)
    except TypeError as wrong:
        if not passphrase:
            raise _PassphraseMissingError from wrong
        return load(armored, None)


def _is_encrypted(block: _Block) -> bool:
    return b"ENCRYPTED" in block.label + block.body[:200] or block.label.startswith(b"OPENSSH")


def _other(block: _Block) -> Finding:
    about = f"block {block.number}"
    if block.label in _REQUESTS:
        said = "there is a signing request in it: that goes to the authority, which gives a certificate for it"
        return warning("request", said, about=about)
    if block.label in _PKCS7:
        return error("pkcs7", f"{block.name} is PKCS#7", about=about, next_step=_converted("pkcs7 -print_certs"))
    return info("not_needed", f"{block.name} is not needed and is left out", about=about)


def _converted(how: str) -> str:
    return f"Ask for PEM, or convert it: openssl {how} -in FILE -out bundle.pem"


def _no_pem(data: bytes) -> Finding:
    """What a file is that has no PEM block."""
    for recognised in _formats(data):
        return recognised
    if b"BEGIN CERTIFICATE" in data or b"PRIVATE KEY" in data:
        said = "the lines around its blocks are not as they should be (-----BEGIN … -----): an editor has changed them"
        return error("not_pem", said, next_step="Ask the customer for the file itself, not for its text in a mail.")
    return error("not_pem", "there is no PEM block in it", next_step=_ASK)


def _formats(data: bytes) -> Iterator[Finding]:
    """PKCS#12, PKCS#7, Java's key store, and single DER values."""
    if data.startswith(_JAVA):
        step = "Ask for PEM, or convert it with keytool -importkeystore -deststoretype pkcs12, then by openssl pkcs12."
        yield error("java_keystore", "it is a Java key store, not PEM", next_step=step)
    if not data.startswith(b"\x30"):
        return
    if _SIGNED_DATA in data[:40]:
        yield error("pkcs7", "it is PKCS#7, not PEM", next_step=_converted("pkcs7 -inform der -print_certs"))
    if data[:12].find(b"\x02\x01\x03") > 0 and _DATA in data[:48]:
        yield error("pkcs12", "it is PKCS#12 (.pfx or .p12), not PEM", next_step=_converted("pkcs12 -nodes"))
    yield from _single_values(data)


def _single_values(data: bytes) -> Iterator[Finding]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    wanted: tuple[tuple[Callable[..., Any], str, str], ...] = (
        (x509.load_der_x509_certificate, "a certificate", "x509 -inform der"),
        (lambda der: load_der_private_key(der, None), "a private key", "pkey -inform der"),
    )
    for load, what, how in wanted:
        try:
            load(data)
        except Exception:  # noqa: BLE001, S112 -- then it is something else
            continue
        said = f"it is {what} in DER form, not PEM, and nothing else"
        yield error("der", said, next_step=f"{_converted(how)}; the chain and the key belong into the same file.")
