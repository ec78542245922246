# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Bundles as customers send them: bad ones with everything that is wrong with them, good ones in strange orders."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.tls.judge import Verdict, Wishes, judge
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7, pkcs12
from cryptography.x509 import load_pem_x509_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.lab.authorities import Issued, Life, authority, cross_signed, new_key, private_pem, server

NAMES = ("mail.acme.example", "imap.acme.example")
ROOT = authority("Acme Trust Root")
OUTER = ROOT.authority("Acme Trust Outer")
INNER = OUTER.authority("Acme Trust Inner", path_length=0)
LEAF = INNER.server(NAMES)
#: Roots that nobody trusts, or that come with a second way up.
STRANGE = authority("Home Made Root")
OLD_ROOT = authority("Old Root", life=Life(-9000, -1))


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def verdict(data: bytes, passphrase: str | None = None, names: tuple[str, ...] = NAMES, **more: object) -> Verdict:
    wishes = {"names": names, "roots": [ROOT.certificate, OLD_ROOT.certificate], **more}
    return judge(data, Wishes(**wishes), datetime.now(UTC), passphrase)  # type: ignore[arg-type] # a table's values


def whole(leaf: Issued = LEAF, *above: Issued, key: bytes | None = None) -> bytes:
    """Key, certificate and chain in the order in which most people send them."""
    return (key or leaf.key_pem) + leaf.pem + b"".join(one.pem for one in above or (INNER, OUTER))


@dataclass(frozen=True)
class Bad:
    """A bundle, the kinds of error that it must be told, and words that must be in what is told."""

    make: Callable[[], bytes]
    errors: tuple[str, ...]
    words: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    passphrase: str | None = None
    names: tuple[str, ...] = field(default=NAMES)


def signed_with_sha1() -> bytes:
    """Made by openssl: the library signs with SHA-1 no more."""
    key = private_pem(INNER.key).decode()
    script = """
set -e
cd "$(mktemp -d)"; trap 'rm -rf "$PWD"' EXIT
printf '%s' "$1" > ca.key; printf '%s' "$2" > ca.pem; printf '%s' "$3" > leaf.key
openssl req -new -key leaf.key -subj /CN=mail.acme.example -out leaf.csr
printf 'subjectAltName=DNS:mail.acme.example,DNS:imap.acme.example\\nkeyUsage=digitalSignature\\n' > ext
openssl x509 -req -sha1 -in leaf.csr -CA ca.pem -CAkey ca.key -days 90 -extfile ext -out leaf.pem 2>/dev/null
cat leaf.pem
"""
    arguments = [key, INNER.pem.decode(), LEAF.key_pem.decode()]
    done = subprocess.run(["bash", "-c", script, "sh", *arguments], capture_output=True, check=True)
    return LEAF.key_pem + done.stdout + INNER.pem + OUTER.pem


def short_lived(begin: float, end: float) -> Issued:
    return INNER.server(NAMES, life=Life(begin, end))


def pretender() -> bytes:
    """Issued by somebody else's server certificate."""
    other = OUTER.authority("www.globex.example", ca=False)
    return whole(other.server(NAMES), other, OUTER)


def of_an_old_root() -> bytes:
    return whole(OLD_ROOT.server(NAMES), OUTER)


BAD = {
    "missing intermediate": Bad(
        lambda: whole(LEAF, OUTER), ("chain_incomplete",), ("CN=Acme Trust Inner",), ("not_in_chain",)
    ),
    "no chain at all, offered elsewhere": Bad(
        lambda: LEAF.key_pem + INNER.server(NAMES, key=LEAF.key, offered_at="http://trust.example/inner.crt").pem,
        ("chain_incomplete",),
        ("CN=Acme Trust Inner", "http://trust.example/inner.crt"),
    ),
    "upper intermediate missing": Bad(
        lambda: whole(LEAF, INNER), ("chain_incomplete",), ("CN=Acme Trust Outer", "which issued Acme Trust Inner")
    ),
    "another's key": Bad(lambda: whole(key=private_pem(new_key())), ("key_mismatch",), ("mail.acme.example",)),
    "no key": Bad(lambda: LEAF.pem + INNER.pem + OUTER.pem, ("no_key",)),
    "no certificate": Bad(lambda: LEAF.key_pem, ("no_certificate",)),
    "chain without the certificate": Bad(
        lambda: LEAF.key_pem + INNER.pem + OUTER.pem, ("key_mismatch", "leaf_is_authority", "no_names")
    ),
    "expired": Bad(lambda: whole(short_lived(-90, -2)), ("expired",)),
    "not yet valid": Bad(lambda: whole(short_lived(2, 90)), ("not_yet_valid",)),
    "expired intermediate": Bad(
        lambda: whole((old := OUTER.authority("Old Inner", life=Life(-900, -3))).server(NAMES), old, OUTER),
        ("chain_expired",),
        ("the intermediate Old Inner expired",),
    ),
    "name not covered": Bad(
        lambda: whole(INNER.server(["www.acme.example"])),
        ("name_not_covered", "name_not_covered"),
        ("not for mail.acme.example", "not for imap.acme.example", "it is for www.acme.example"),
    ),
    "wildcard one level too high": Bad(
        lambda: whole(INNER.server(["*.acme.example"])),
        ("name_not_covered", "name_not_covered"),
        ("not for a.b.acme.example: *.acme.example stands for one label only", "does not stand for the name without"),
        names=("mail.acme.example", "a.b.acme.example", "acme.example"),
    ),
    "common name only": Bad(lambda: whole(INNER.server([])), ("no_names",), ("common name counts for no client",)),
    "RSA 1024": Bad(lambda: whole(INNER.server(NAMES, key=rsa_key(1024))), ("weak_key",), ("RSA 1024",)),
    "EC P-521": Bad(
        lambda: whole(INNER.server(NAMES, key=ec.generate_private_key(ec.SECP521R1()))), ("key_type",), ("P-521",)
    ),
    "EC secp256k1": Bad(lambda: whole(INNER.server(NAMES, key=ec.generate_private_key(ec.SECP256K1()))), ("key_type",)),
    "Ed25519": Bad(
        lambda: whole(INNER.server(NAMES, key=ed25519.Ed25519PrivateKey.generate())), ("key_type",), ("Ed25519",)
    ),
    "DSA": Bad(lambda: whole(INNER.server(NAMES, key=dsa.generate_private_key(2048))), ("key_type",), ("DSA",)),
    "weak intermediate": Bad(
        lambda: whole((weak := OUTER.authority("Weak", key=rsa_key(1024))).server(NAMES), weak, OUTER),
        ("chain_weak_key",),
    ),
    "SHA-1": Bad(signed_with_sha1, ("weak_signature",), ("SHA1",)),
    "encrypted key": Bad(lambda: whole(key=private_pem(LEAF.key, "geheim")), ("key_encrypted",)),
    "encrypted key, old form": Bad(
        lambda: whole(key=private_pem(LEAF.key, "geheim", PrivateFormat.TraditionalOpenSSL)), ("key_encrypted",)
    ),
    "wrong passphrase": Bad(
        lambda: whole(key=private_pem(LEAF.key, "geheim")), ("passphrase_wrong",), passphrase="offen"
    ),
    "DER": Bad(lambda: LEAF.der, ("der",), ("a certificate in DER form", "openssl x509 -inform der")),
    "DER key": Bad(
        lambda: LEAF.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), ("der",), ("a private key",)
    ),
    "PKCS#12": Bad(
        lambda: pkcs12.serialize_key_and_certificates(b"a", LEAF.key, LEAF.certificate, None, NoEncryption()),
        ("pkcs12",),
        ("openssl pkcs12 -nodes",),
    ),
    "PKCS#7 in PEM": Bad(
        lambda: LEAF.key_pem + pkcs7.serialize_certificates([LEAF.certificate], Encoding.PEM), ("pkcs7",)
    ),
    "PKCS#7 in DER": Bad(lambda: pkcs7.serialize_certificates([LEAF.certificate], Encoding.DER), ("pkcs7",)),
    "Java key store": Bad(lambda: bytes.fromhex("feedfeed00000002") + b"x" * 500, ("java_keystore",)),
    "not PEM": Bad(lambda: b"<html>Please log in</html>", ("not_pem",)),
    "dashes of a word processor": Bad(
        lambda: whole().replace(b"-----", "\u2013\u2013\u2013".encode()), ("not_pem",), ("an editor has changed them",)
    ),
    "empty": Bad(lambda: b" \r\n\t", ("empty",)),
    "huge": Bad(lambda: whole() * 200, ("too_large",)),
    "cut off": Bad(lambda: whole()[:-60], ("chain_incomplete", "truncated"), ("has no end",)),
    "damaged certificate": Bad(
        lambda: LEAF.key_pem + LEAF.pem + INNER.pem.replace(b"MII", b"MIX", 1) + OUTER.pem,
        ("certificate_damaged", "chain_incomplete"),
        ("block 3 (CERTIFICATE) is damaged",),
    ),
    "damaged key": Bad(
        lambda: whole(key=LEAF.key_pem.replace(b"MIG", b"AAA")), ("key_damaged",), ("block 1 (PRIVATE KEY)",)
    ),
    "signed by itself": Bad(lambda: whole(server(NAMES), OUTER), ("self_signed",), (), ("not_in_chain",)),
    "home-made root": Bad(
        lambda: whole(STRANGE.server(NAMES), STRANGE), ("untrusted_root",), ("the root Home Made Root",)
    ),
    "root expired": Bad(of_an_old_root, ("root_expired",)),
    "not for servers": Bad(
        lambda: whole(INNER.server(NAMES, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH])), ("not_for_servers",)
    ),
    "no digital signature": Bad(lambda: whole(INNER.server(NAMES, usages=["key_encipherment"])), ("key_usage",)),
    "issued by a server": Bad(pretender, ("issuer_is_no_authority",), ("www.globex.example",)),
    "an authority too many": Bad(
        lambda: whole((deep := INNER.authority("Too Deep")).server(NAMES), deep, INNER, OUTER),
        ("path_too_long",),
        ("Acme Trust Inner may have 0 authorities below it, and there are 1",),
    ),
    "wanted names that are none": Bad(
        whole, ("name_invalid", "name_invalid"), names=("mail.acme.example", "192.0.2.1", "a b\n{{ 1 }}")
    ),
    "expired, wrong name, weak, alone": Bad(
        lambda: (lone := INNER.server(["x.example"], key=rsa_key(1024), life=Life(-9, -1))).key_pem + lone.pem,
        ("chain_incomplete", "expired", "name_not_covered", "name_not_covered", "weak_key"),
    ),
    "wrong key, not yet valid, chain incomplete": Bad(
        lambda: private_pem(new_key()) + short_lived(3, 9).pem,
        ("chain_incomplete", "key_mismatch", "not_yet_valid"),
    ),
    "encrypted key, expired": Bad(
        lambda: whole((old := short_lived(-9, -1)), key=private_pem(old.key, "x")), ("expired", "key_encrypted")
    ),
    "names with orders to the reader": Bad(
        lambda: whole(server(["mail.acme.example"], common_name="{{ lookup('pipe', 'id') }}\x1b[2J\r\nok")),
        ("name_not_covered", "self_signed"),
        ("\\u001b[2J\\u000d\\u000aok",),
        ("not_in_chain", "not_in_chain"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bundle_is_told_all_that_is_wrong_with_it(name: str) -> None:
    bad = BAD[name]
    data = bad.make()
    found = verdict(data, bad.passphrase, bad.names)
    kinds = [finding.kind for finding in found.findings if finding.level == "error"]
    assert sorted(kinds) == sorted(bad.errors), found.findings
    assert not found.usable
    told = "\n".join(f"{finding.message} {finding.next}" for finding in found.findings)
    for word in bad.words:
        assert word in told
    warned = [finding.kind for finding in found.findings if finding.level == "warning"]
    for kind in bad.warnings:
        assert kind in warned
    assert all(line.isprintable() for line in told.split("\n"))


def test_there_are_more_than_twenty_five_of_them() -> None:
    assert len(BAD) > 25
    assert sum(len(bad.errors) > 1 for bad in BAD.values()) >= 5


def shuffled() -> bytes:
    return OUTER.pem + ROOT.pem + LEAF.key_pem + INNER.pem + LEAF.pem


def openssl_text() -> bytes:
    """As `openssl s_client` and `pkcs12` write it: with attributes and texts between the blocks."""
    bag = b"Bag Attributes\n    localKeyID: 01 02\nsubject=CN = mail\nissuer=CN = Inner\n"
    return bag + LEAF.key_pem + bag + LEAF.pem + b"depth=1\n" + INNER.pem + bag + OUTER.pem + b"---\n"


def with_parameters() -> bytes:
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    return parameters + private_pem(LEAF.key, form=PrivateFormat.TraditionalOpenSSL) + LEAF.pem + INNER.pem + OUTER.pem


def renewed() -> bytes:
    """Last year's certificate, for the same key, is still in the file."""
    return LEAF.key_pem + INNER.server(NAMES, key=LEAF.key, life=Life(-400, -5)).pem + LEAF.pem + INNER.pem + OUTER.pem


def two_ways_up() -> bytes:
    """A root that is also cross-signed by one that nobody has any more, and that comes first."""
    return LEAF.key_pem + LEAF.pem + cross_signed(ROOT, STRANGE).pem + STRANGE.pem + INNER.pem + OUTER.pem


def with_an_expired_way() -> bytes:
    return LEAF.key_pem + LEAF.pem + cross_signed(INNER, OUTER, Life(-99, -1)).pem + INNER.pem + OUTER.pem


GOOD: dict[str, Callable[[], bytes]] = {
    "as it should be": whole,
    "root first, key in the middle, certificate last": shuffled,
    "chain upside down": lambda: ROOT.pem + OUTER.pem + INNER.pem + LEAF.pem + LEAF.key_pem,
    "Windows: carriage returns and a byte order mark": lambda: b"\xef\xbb\xbf" + whole().replace(b"\n", b"\r\n"),
    "UTF-16": lambda: whole().decode().encode("utf-16"),
    "old Mac line ends": lambda: whole().replace(b"\n", b"\r"),
    "everything on one line": lambda: whole().replace(b"\n", b" "),
    "no line end between the blocks": lambda: whole().replace(b"-----\n-----", b"----------"),
    "indented by a mail program": lambda: whole().replace(b"\n", b"\n    "),
    "texts between the blocks": openssl_text,
    "EC parameters and a SEC1 key": with_parameters,
    "everything twice": lambda: whole() + whole(),
    "last year's certificate with it": renewed,
    "a stranger's certificate and key with it": lambda: STRANGE.pem + STRANGE.key_pem + whole(),
    "two ways up": two_ways_up,
    "an expired twin of an intermediate": with_an_expired_way,
    "an old label": lambda: whole().replace(b" CERTIFICATE-", b" X509 CERTIFICATE-"),
    "a signing request with it": lambda: (
        b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n" + whole()
    ),
    "encrypted": lambda: whole(key=private_pem(LEAF.key, "geheim")),
    "encrypted in the old form": lambda: whole(
        key=private_pem(LEAF.key, "geheim", PrivateFormat.TraditionalOpenSSL)
    ).replace(b"\n", b"\r\n"),
    "encrypted, of OpenSSH's form": lambda: whole(key=private_pem(LEAF.key, "geheim", PrivateFormat.OpenSSH)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_bundle_in_a_strange_order_comes_out_right(name: str) -> None:
    found = verdict(GOOD[name](), "geheim")
    assert found.usable, found.findings
    assert load_pem_x509_certificates(found.content) == [LEAF.certificate, INNER.certificate, OUTER.certificate]
    assert found.content == LEAF.pem + INNER.pem + OUTER.pem + LEAF.key_pem
    assert not any(finding.kind == "strict_clients" for finding in found.findings)


def test_every_order_of_the_blocks_gives_the_same() -> None:
    blocks = [LEAF.key_pem, LEAF.pem, INNER.pem, OUTER.pem, ROOT.pem]
    assert {verdict(b"".join(order)).content for order in itertools.permutations(blocks)} == {verdict(whole()).content}


def test_an_rsa_key_of_2048_bits_is_taken() -> None:
    found = verdict(whole(INNER.server(NAMES, key=rsa_key(2048), usages=["digital_signature", "key_encipherment"])))
    assert found.usable, found.findings
    assert found.findings == ()


def test_ed25519_and_p384_where_they_are_wanted() -> None:
    one = INNER.server(NAMES, key=ed25519.Ed25519PrivateKey.generate())
    assert verdict(whole(one), accept_ed25519=True).usable
    assert verdict(whole(INNER.server(NAMES, key=ec.generate_private_key(ec.SECP384R1())))).usable


@pytest.mark.parametrize(("days", "margin", "expected"), [(40, 30, set()), (20, 30, {"expires_soon"}), (20, 10, set())])
def test_a_warning_comes_before_the_end(days: float, margin: int, expected: set[str]) -> None:
    found = verdict(whole(short_lived(-1, days)), warn_days=margin)
    assert {finding.kind for finding in found.findings if finding.level == "warning"} == expected
    assert found.usable


def test_what_one_should_know_is_a_warning() -> None:
    found = verdict(whole(INNER.server(NAMES, must_staple=True, life=Life(-1, 900))))
    assert {finding.kind for finding in found.findings if finding.level == "warning"} == {"must_staple", "long_life"}
    assert found.usable


def test_names_of_other_scripts_are_compared_as_a_labels() -> None:
    leaf = INNER.server(["*.xn--bcher-kva.example"])
    assert verdict(whole(leaf), names=("mail.Bücher.example",)).names == ("mail.xn--bcher-kva.example",)
    assert verdict(whole(leaf), names=("mail.Bücher.example",)).usable


def test_without_wanted_names_the_certificates_own_count() -> None:
    assert verdict(whole(), names=()).names == NAMES


def test_only_host_names_of_a_certificate_get_to_the_load_balancer() -> None:
    odd = ["mail.acme.example", "localhost", "a.example /etc/x.pem", "b.example\nc.pem d.example", "#.example"]
    found = verdict(whole(INNER.server(odd)), names=())
    assert found.usable
    assert found.names == ("mail.acme.example",)
    assert [finding.kind for finding in found.findings] == ["odd_name"] * 4
    assert all(finding.message.isprintable() for finding in found.findings)
    assert not verdict(whole(INNER.server(odd[1:])), names=()).usable


def test_a_certificate_that_is_a_given_root_is_trusted() -> None:
    own = server(NAMES)
    found = verdict(own.key_pem + own.pem, roots=[own.certificate])
    assert found.usable
    assert found.content == own.pem + own.key_pem


def test_nothing_of_the_key_is_in_what_may_be_shown() -> None:
    found = verdict(whole())
    told = repr(found) + repr(found.as_dict(datetime.now(UTC)))
    secret = b"".join(LEAF.key_pem.split(b"\n")[1:-2]).decode()
    for at in range(0, len(secret) - 12, 4):
        assert secret[at : at + 12] not in told or secret[at : at + 12] in LEAF.pem.decode()
    number = LEAF.key.private_numbers().private_value
    assert str(number) not in told
    assert f"{number:x}" not in told
