# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys made once for all tests of this folder: their fingerprints, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.gnupg import LONG_AGO, KeyMaker

PASSPHRASE = "täst \"$(id)\" {{ 7 * 7 }} 'x' \\"


@dataclass(frozen=True)
class World:
    """The customer, ourselves, and keys that are of no use."""

    maker: KeyMaker
    folder: Path
    ours: str
    protected: str
    customer: str
    second: str
    expired: str
    sign_only: str
    revoked: str
    ours_file: Path
    protected_file: Path

    def public(self, fingerprint: str) -> Path:
        """The file of a public key."""
        return self.maker.public(fingerprint, self.folder / f"{fingerprint}.asc")


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("keys")
    with KeyMaker() as maker:
        ours = maker.make("Migration <migration@cloud.example>")
        protected = maker.make("Kept <kept@cloud.example>", PASSPHRASE)
        made = World(
            maker=maker,
            folder=folder,
            ours=ours,
            protected=protected,
            customer=maker.make("Jörg {{ 7 * 7 }} <joerg@acme.example>"),
            second=maker.make("Deputy <deputy@acme.example>"),
            expired=maker.make("Old <old@acme.example>", expires="1d", when=LONG_AGO),
            sign_only=maker.make("Signer <signer@acme.example>", encrypts=False),
            revoked=maker.make("Gone <gone@acme.example>"),
            ours_file=maker.secret(ours, folder / "ours.key"),
            protected_file=maker.secret(protected, folder / "protected.key", PASSPHRASE),
        )
        maker.revoke(made.revoked)
        yield made
