# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that come encrypted, opened with real keys."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    InputError,
    PgpError,
    PgpKeyError,
    PgpPassphraseError,
    PgpSignatureError,
)
from ansible_collections.atmail.migration.plugins.module_utils.pgp.home import PgpKeys
from ansible_collections.atmail.migration.plugins.module_utils.pgp.received import (
    copy_received,
    decrypt,
    is_pgp,
    read_received,
    verify,
)
from hypothesis import given
from hypothesis import strategies as st

from .conftest import PASSPHRASE, World

SECRET = b"address;password\r\nann@acme.example;{{ 7 * 7 }}\x00\xff'\"\\\r\n"


def received(world: World, content: bytes, name: str = "accounts.csv.asc") -> Path:
    file = world.folder / name
    file.write_bytes(content)
    return file


def processes_with(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, check=True, text=True).stdout
    return [line for line in listed.splitlines() if text in line]


@pytest.mark.parametrize("armor", [True, False])
def test_an_encrypted_file_is_opened_with_a_key_file(world: World, armor: bool) -> None:
    message = world.maker.encrypt(SECRET, world.ours, armor=armor)
    assert is_pgp(message)
    file = received(world, message)
    assert read_received(file, PgpKeys(key_files=(str(world.ours_file),))) == SECRET


def test_a_plain_file_is_read_as_it_is_and_needs_no_key(world: World) -> None:
    assert read_received(received(world, SECRET, "plain.csv")) == SECRET
    assert read_received(received(world, b"", "empty.csv"), PgpKeys(key_files=("/nowhere",))) == b""


@pytest.mark.parametrize("name", ["-rf", "ä'b\"c $(id) {{ x }}.pgp", "line\nend.gpg"])
def test_names_of_files_are_names_only(world: World, name: str) -> None:
    file = received(world, world.maker.encrypt(SECRET, world.ours), name)
    assert read_received(file, PgpKeys(key_files=(str(world.ours_file),))) == SECRET


def test_a_keyring_folder_is_used_and_nothing_is_left_running(world: World) -> None:
    home = str(world.maker.home)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=True)
    message = world.maker.encrypt(SECRET, world.ours)
    assert decrypt(message, PgpKeys(keyring=home)) == SECRET
    assert [line for line in processes_with("gpg-agent") if home in line] == []


def test_an_agent_that_ran_before_is_left_alone(world: World) -> None:
    home = str(world.maker.home)
    message = world.maker.encrypt(SECRET, world.ours)
    subprocess.run(["gpg-connect-agent", "--homedir", home, "/bye"], check=True, capture_output=True)
    assert decrypt(message, PgpKeys(keyring=home)) == SECRET
    assert [line for line in processes_with("gpg-agent") if home in line]


def test_a_throw_away_home_is_thrown_away(world: World) -> None:
    def homes() -> set[str]:
        return {str(path) for place in ("/dev/shm", "/tmp") for path in Path(place).glob("atmail-pgp-*")}

    before = homes()
    decrypt(world.maker.encrypt(SECRET, world.ours), PgpKeys(key_files=(str(world.ours_file),)))
    assert homes() <= before
    assert not [line for line in processes_with("atmail-pgp-") if "gpg-agent" in line and str(os.getpid()) in line]


def test_a_passphrase_opens_the_key_and_hostile_characters_of_it_are_kept(world: World) -> None:
    message = world.maker.encrypt(SECRET, world.protected)
    files = (str(world.protected_file),)
    assert decrypt(message, PgpKeys(key_files=files, passphrase=PASSPHRASE)) == SECRET
    with pytest.raises(PgpPassphraseError, match="the passphrase does not open it") as wrong:
        decrypt(message, PgpKeys(key_files=files, passphrase="an0ther-passphrase"))
    assert "an0ther" not in str(wrong.value.as_dict())
    with pytest.raises(PgpPassphraseError, match="a passphrase is needed"):
        decrypt(message, PgpKeys(key_files=files))
    with pytest.raises(InputError, match="no line end"):
        decrypt(message, PgpKeys(key_files=files, passphrase="two\nlines"))


def test_a_message_that_a_passphrase_alone_opens(world: World) -> None:
    message = world.maker.encrypt_with_passphrase(SECRET, PASSPHRASE)
    assert is_pgp(message)
    assert decrypt(message, PgpKeys(passphrase=PASSPHRASE)) == SECRET
    with pytest.raises(PgpPassphraseError):
        decrypt(message, PgpKeys(passphrase="other"))
    with pytest.raises(PgpPassphraseError):
        decrypt(message, PgpKeys())


def test_a_message_for_somebody_else_names_the_key_it_is_for(world: World) -> None:
    file = received(world, world.maker.encrypt(SECRET, world.customer))
    with pytest.raises(PgpKeyError, match=r"encrypted to the key [0-9A-F]{16}, which we do not have") as caught:
        read_received(file, PgpKeys(key_files=(str(world.ours_file),)))
    assert caught.value.where["file"] == str(file)


def test_an_encrypted_file_without_keys_is_one_clear_error(world: World) -> None:
    file = received(world, world.maker.encrypt(SECRET, world.ours))
    with pytest.raises(InputError, match="is encrypted by PGP, and there is no key"):
        read_received(file)


def test_a_damaged_message_gives_nothing(world: World) -> None:
    message = world.maker.encrypt(SECRET * 5000, world.ours, armor=False)
    keys = PgpKeys(key_files=(str(world.ours_file),))
    flipped = bytearray(message)
    flipped[len(message) // 2] ^= 0x55
    for bad in (bytes(flipped), message[: len(message) // 2]):
        with pytest.raises(PgpError, match="damaged, cut off"):
            read_received(received(world, bad), keys)


def test_a_large_message_comes_piece_by_piece(world: World) -> None:
    plain = os.urandom(3_000_000)
    file = received(world, world.maker.encrypt(plain, world.ours, armor=False))
    sizes: list[int] = []
    assert copy_received(file, PgpKeys(key_files=(str(world.ours_file),)), lambda piece: sizes.append(len(piece)))
    assert sum(sizes) == len(plain)
    assert max(sizes) < 1_000_000


def test_what_the_taker_raises_comes_out(world: World) -> None:
    def full(_piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    file = received(world, world.maker.encrypt(SECRET, world.ours))
    with pytest.raises(OSError, match="No space left"):
        copy_received(file, PgpKeys(key_files=(str(world.ours_file),)), full)


def test_nothing_secret_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    message = world.maker.encrypt(b"find-me-in-a-log", world.protected)
    decrypt(message, PgpKeys(key_files=(str(world.protected_file),), passphrase=PASSPHRASE))
    assert "find-me" not in caplog.text
    assert "PRIVATE" not in caplog.text
    assert PASSPHRASE not in repr(PgpKeys(passphrase=PASSPHRASE))


def test_key_files_that_are_none(world: World, tmp_path: Path) -> None:
    message = world.maker.encrypt(SECRET, world.ours)
    (tmp_path / "none.asc").write_text("hello")
    with pytest.raises(PgpKeyError, match="no PGP key in"):
        decrypt(message, PgpKeys(key_files=(str(tmp_path / "none.asc"),)))
    with pytest.raises(InputError, match="cannot be read"):
        decrypt(message, PgpKeys(key_files=(str(tmp_path / "missing.asc"),)))
    with pytest.raises(InputError, match="keyring folder"):
        decrypt(message, PgpKeys(keyring=str(tmp_path / "missing")))


def test_a_detached_signature_proves_the_file(world: World) -> None:
    file = received(world, SECRET, "dump.sql")
    proof = world.maker.sign(SECRET, world.customer, world.folder / "dump.sql.sig")
    keys = PgpKeys(key_files=(str(world.public(world.customer)),))
    verify(file, proof, world.customer.lower(), keys)
    with pytest.raises(PgpSignatureError, match="is by the key"):
        verify(file, proof, world.second, keys)
    with pytest.raises(PgpSignatureError, match="no public key"):
        verify(file, proof, world.customer, PgpKeys(key_files=(str(world.public(world.second)),)))
    with pytest.raises(InputError, match="whole fingerprint"):
        verify(file, proof, world.customer[-16:], keys)
    file.write_bytes(SECRET + b"!")
    with pytest.raises(PgpSignatureError, match="does not prove"):
        verify(file, proof, world.customer, keys)


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
def test_any_head_can_be_judged(head: bytes) -> None:
    assert is_pgp(head) in (True, False)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xef\xbb\xbfaddress,password\n",
        "Ángel;x\n".encode("latin-1"),
        "Áç;x\n".encode(),
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        b"\x1f\x8b\x08\x00",
        b"-- MySQL dump 10.13",
    ],
)
def test_what_is_no_message(head: bytes) -> None:
    assert not is_pgp(head)
