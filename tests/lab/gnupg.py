# SPDX-License-Identifier: GPL-3.0-or-later
"""PGP keys for tests, made by a real GnuPG in a throw-away home: quick ones (Ed25519, Curve25519)."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

#: 2020-01-01: when a key is made that has expired since.
LONG_AGO = "20200101T000000"


class KeyMaker:
    """A home in which keys are made and exported from; ends its agent and removes itself at the end."""

    def __init__(self) -> None:
        # The agent's sockets are in it, and their paths must be short.
        self.home = Path(tempfile.mkdtemp(prefix="keys-", dir="/tmp"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def make(
        self, user: str, passphrase: str = "", *, encrypts: bool = True, expires: str = "never", when: str = ""
    ) -> str:
        """A new key's fingerprint; ``when`` is the time at which it is made (``faked-system-time`` of gpg)."""
        before = set(self._fingerprints())
        clock = ["--faked-system-time", f"{when}!"] if when else []
        secret = ["--pinentry-mode", "loopback", "--passphrase", passphrase]
        self.gpg(*clock, *secret, "--quick-generate-key", user, "ed25519", "sign,cert", expires)
        (fingerprint,) = set(self._fingerprints()) - before
        if encrypts:
            self.gpg(*clock, *secret, "--quick-add-key", fingerprint, "cv25519", "encr", expires)
        return fingerprint

    def revoke(self, fingerprint: str) -> None:
        """Revoke a key with the certificate that gpg made along with it."""
        certificate = (self.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        self.gpg("--import", given=certificate.replace(":-----BEGIN", "-----BEGIN").encode())

    def public(self, fingerprint: str, file: Path, *, armor: bool = True) -> Path:
        """The public key as a file."""
        file.write_bytes(self.gpg(*(["--armor"] if armor else []), "--export", fingerprint))
        return file

    def secret(self, fingerprint: str, file: Path, passphrase: str = "") -> Path:
        """The secret key as a file, protected as it is."""
        words = ["--pinentry-mode", "loopback", "--passphrase", passphrase]
        file.write_bytes(self.gpg(*words, "--armor", "--export-secret-keys", fingerprint))
        file.chmod(0o600)
        return file

    def encrypt(self, plaintext: bytes, *fingerprints: str, armor: bool = True) -> bytes:
        """What a customer would send."""
        to = [word for fingerprint in fingerprints for word in ("--recipient", fingerprint)]
        form = ["--armor"] if armor else []
        return self.gpg("--trust-model", "always", *form, *to, "--encrypt", given=plaintext)

    def encrypt_with_passphrase(self, plaintext: bytes, passphrase: str) -> bytes:
        """A message that a passphrase opens, no key."""
        words = ["--pinentry-mode", "loopback", "--passphrase", passphrase, "--s2k-count", "65536"]
        return self.gpg(*words, "--symmetric", given=plaintext)

    def sign(self, plaintext: bytes, fingerprint: str, file: Path) -> Path:
        """A detached signature."""
        file.write_bytes(self.gpg("--local-user", fingerprint, "--armor", "--detach-sign", given=plaintext))
        return file

    def decrypt(self, message: bytes) -> bytes:
        """What the customer reads of what was handed over."""
        return self.gpg("--decrypt", given=message)

    def gpg(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run gpg in the home."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--yes", "--quiet", *arguments]
        return subprocess.run(command, input=given, capture_output=True, check=True).stdout

    def _fingerprints(self) -> list[str]:
        listed = self.gpg("--list-keys", "--with-colons").decode().splitlines()
        primary = [line for before, line in itertools.pairwise(listed) if before.startswith("pub")]
        return [line.split(":")[9] for line in primary]
