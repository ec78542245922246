# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed over, opened by the recipients with their own keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError, PgpKeyError
from ansible_collections.atmail.migration.plugins.module_utils.pgp.handover import (
    Handover,
    encrypt,
    hand_over,
    note_path,
)
from ansible_collections.atmail.migration.plugins.module_utils.pgp.public_keys import (
    Recipient,
    full_fingerprint,
    keys_in_file,
)

from .conftest import World

SECRET = b"ann@acme.example;{{ 7 * 7 }}\x00\xff\r\n"


def of(world: World, fingerprint: str) -> Recipient:
    return Recipient(fingerprint, str(world.public(fingerprint)))


def give(world: World, path: Path, *names: str, plaintext: bytes = SECRET, **options: Any) -> Handover:
    people = [of(world, getattr(world, name)) for name in names or ("customer",)]
    return hand_over(plaintext, path, people, random=os.urandom, **options)


@pytest.mark.parametrize("armor", [True, False])
def test_every_recipient_opens_it(world: World, armor: bool) -> None:
    message = encrypt(SECRET, [of(world, world.customer), of(world, world.second)], None, armor=armor)
    assert message.startswith(b"-----BEGIN PGP MESSAGE-----") is armor
    assert world.maker.decrypt(message) == SECRET
    for fingerprint in (world.customer, world.second):
        subkey = next(entry for entry in listed(world, fingerprint) if entry.startswith("sub")).split(":")[4]
        assert subkey in packets(world, message)


def listed(world: World, fingerprint: str) -> list[str]:
    return world.maker.gpg("--list-keys", "--with-colons", fingerprint).decode().splitlines()


def packets(world: World, message: bytes) -> str:
    return world.maker.gpg("--list-packets", given=message).decode()


def test_it_is_written_once_and_again_when_something_changed(world: World, tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.asc"
    assert give(world, file, check_mode=True).why == "it is not there"
    assert not file.exists()
    assert give(world, file).why == "it is not there"
    first = file.read_bytes()
    assert world.maker.decrypt(first) == SECRET
    assert give(world, file).why == ""
    assert file.read_bytes() == first
    assert give(world, file, plaintext=SECRET + b"!", check_mode=True).why == "its content is another"
    assert file.read_bytes() == first
    assert give(world, file, plaintext=SECRET + b"!").why == "its content is another"
    assert world.maker.decrypt(file.read_bytes()) == SECRET + b"!"
    assert (
        give(world, file, "customer", "second", plaintext=SECRET + b"!").why == "its recipients or its form are others"
    )
    assert give(world, file, "second", "customer", plaintext=SECRET + b"!").why == ""


def spoil_file(file: Path) -> None:
    file.write_bytes(b"something else")


def spoil_note(file: Path) -> None:
    note_path(file).write_text('{"format": "atmail.migration/handover", "salt": 1}')


def lose_note(file: Path) -> None:
    note_path(file).unlink()


def open_up(file: Path) -> None:
    file.chmod(0o644)


@pytest.mark.parametrize("harm", [spoil_file, spoil_note, lose_note, open_up])
def test_a_file_that_was_tampered_with_is_written_anew(
    world: World, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    file = tmp_path / "report.asc"
    give(world, file)
    harm(file)
    assert give(world, file).why
    assert world.maker.decrypt(file.read_bytes()) == SECRET
    assert give(world, file).why == ""


def test_files_are_private_and_hold_nothing_in_clear(world: World, tmp_path: Path) -> None:
    give(world, tmp_path / "report.asc")
    files = list(tmp_path.iterdir())
    assert len(files) == 2
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"ann@" not in file.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("expired", "expired on 2020-01-02"),
        ("revoked", "has been revoked"),
        ("sign_only", "it is for signatures only"),
    ],
)
def test_a_key_that_is_no_use_is_named(world: World, tmp_path: Path, name: str, said: str) -> None:
    file = tmp_path / "report.asc"
    with pytest.raises(PgpKeyError, match=said) as caught:
        give(world, file, "customer", name)
    assert caught.value.where["fingerprint"] == getattr(world, name)
    assert list(tmp_path.iterdir()) == []


def test_another_key_than_the_fingerprint_says_is_refused(world: World, tmp_path: Path) -> None:
    swapped = Recipient(world.customer, str(world.public(world.second)))
    with pytest.raises(PgpKeyError, match=f"no key with the fingerprint {world.customer}"):
        hand_over(SECRET, tmp_path / "x.asc", [swapped], random=os.urandom)
    with pytest.raises(PgpKeyError, match="in the keyring"):
        encrypt(SECRET, [Recipient("A" * 40)], str(world.maker.home))
    with pytest.raises(InputError, match="nobody"):
        hand_over(SECRET, tmp_path / "x.asc", [], random=os.urandom)


def test_a_key_of_the_keyring_is_found_by_its_fingerprint(world: World) -> None:
    spaced = " ".join(world.customer[i : i + 4] for i in range(0, 40, 4)).lower()
    assert world.maker.decrypt(encrypt(SECRET, [Recipient(spaced)], str(world.maker.home))) == SECRET


@pytest.mark.parametrize("given", ["", "ABCDEF12", "joerg@acme.example", "G" * 40, "--output=/etc/passwd", "A" * 41])
def test_only_whole_fingerprints_name_a_key(given: str) -> None:
    with pytest.raises(InputError, match="whole fingerprint"):
        full_fingerprint(given)


def test_what_a_key_file_holds(world: World) -> None:
    (key,) = keys_in_file(str(world.public(world.customer)))
    assert (key.fingerprint, key.names, key.fault) == (world.customer, ("Jörg {{ 7 * 7 }} <joerg@acme.example>",), "")
    (key,) = keys_in_file(str(world.public(world.expired)))
    assert key.fault == "expired on 2020-01-02"
    assert key.expires
