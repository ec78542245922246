# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer who gives no access but a dump: what comes of it is what the living database gives."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.settings_lab import VAULT_PASSWORD, Outcome, SettingsLab
from tests.lab.atmail import AtmailAccount, AtmailAlias, SpamSetting, put_aliases, put_spam_settings
from tests.lab.lab import Lab

MYSQLDUMP = "/usr/bin/mariadb-dump"
NASTY = 'O\'Brien "{{ 1 }}" 😀 \\ %s `x` -- ; # /*!50000 x */ \x00 é \n\\! touch /tmp/x'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as servers:
        made = SettingsLab(servers, tmp_path_factory.mktemp("snapshots"))
        made.clear()
        fill(made)
        yield made


def fill(lab: SettingsLab) -> None:
    """Accounts with everything that a dump may spoil: every byte, UTF-8 in latin1 columns, four-byte letters."""
    for name, stored in (("ann", "plain"), ("bob", "md5"), ("cy", "md5_crypt")):
        details = AtmailAccount(f"{name}@acme.example", "x", first_name="J&ouml;rg", last_name="'\";--", quota_kb=1024)
        lab.site.add_account(f"{name}@acme.example", f"{name}'s pw \\ é", stored=stored, details=details)
    with lab.source_sql() as cursor:
        cursor.execute("ALTER TABLE Abook MODIFY UserFirstName varchar(128) CHARACTER SET utf8mb4")
        cursor.execute("UPDATE Abook SET UserFirstName = %s WHERE Account LIKE 'ann@%%'", (NASTY,))
        for account, stored in (("bob", "4AFC7267656E"), ("cy", "4AC3BC7267656E")):
            cursor.execute(
                f"UPDATE UserSettings SET RealName = CONVERT(X'{stored}' USING latin1)"
                f" WHERE Account = '{account}@acme.example'"
            )
        cursor.execute("DELETE FROM Abook WHERE Account LIKE 'bob@%' OR Account LIKE 'cy@%'")
        cursor.execute("UPDATE Users SET FirstName = '', LastName = NULL WHERE Account NOT LIKE 'ann@%'")
        put_aliases(cursor, [AtmailAlias("info@acme.example", "ann@acme.example", "acme.example")])
        put_spam_settings(cursor, [SpamSetting("ann@acme.example", "whitelist_from", "*@friend.example\r")])


def dump_of(lab: SettingsLab, *options: str, databases: bool = True) -> bytes:
    socket = lab.source["database"]["socket"]
    names = [lab.site.database.setup.name] if databases else []
    command = [MYSQLDUMP, "--no-defaults", f"--socket={socket}", *options, *names]
    return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


def extract(lab: SettingsLab, path: Path, *, over: bytes | None = None, **changes: Any) -> Outcome:
    """Extract from the dump, over a snapshot with this content."""
    snapshot = path.with_name("snapshot.json")
    if over is not None:
        snapshot.write_bytes(over)
    workspace = Path(tempfile.mkdtemp(prefix="atmail-test-"))
    workspace.chmod(0o755)  # the server has a user of its own when we are root
    dump = {"path": str(path), "workspace": str(workspace), **changes.pop("dump", {})}
    options = {"customer": "acme", "dump": dump, "snapshot": str(snapshot), "vault_password": VAULT_PASSWORD}
    outcome = lab.run("settings_snapshot", {**options, **changes})
    workspace.rmdir()  # nothing is left in it
    return outcome


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "dump"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def live(lab: SettingsLab) -> bytes:
    """The snapshot of the living database."""
    assert lab.extract().changed
    return lab.snapshot.read_bytes()


@pytest.mark.parametrize(
    ("options", "packed", "given"),
    [
        ((), bytes, {}),
        (("--hex-blob", "--skip-extended-insert", "--single-transaction"), gzip.compress, {}),
        (("--compact", "--complete-insert"), lzma.compress, {"allow_truncated": True}),
        (("--skip-comments", "--order-by-primary"), bz2.compress, {}),
        (("--all-databases", "--routines", "--triggers", "--events"), zstd, {"database": "atmail"}),
    ],
    ids=["plain", "hex-gz", "compact-xz", "no-comments-bz2", "all-databases-zst"],
)
def test_a_dump_gives_what_the_living_database_gives(
    lab: SettingsLab,
    live: bytes,
    tmp_path: Path,
    options: tuple[str, ...],
    packed: Callable[[bytes], bytes],
    given: dict[str, Any],
) -> None:
    path = written(tmp_path, packed(dump_of(lab, *options, databases="--all-databases" not in options)))
    outcome = extract(lab, path, over=live, dump=given)
    if given.get("allow_truncated"):
        assert outcome.kinds("") == {"dump_truncated"}
        return
    assert not outcome.changed, outcome.output
    assert path.with_name("snapshot.json").read_bytes() == live


def test_a_dump_in_a_narrow_character_set_is_named(lab: SettingsLab, live: bytes, tmp_path: Path) -> None:
    outcome = extract(lab, written(tmp_path, dump_of(lab, "--default-character-set=latin1")), over=live)
    assert outcome.kinds("") == {"dump_charset"}
    names = {account["address"]: account["display_name"] for account in outcome.result["accounts"]}
    assert names["ann@acme.example"].startswith(NASTY.replace("😀", "?"))
    assert (names["bob@acme.example"], names["cy@acme.example"]) == ("Jürgen", "Jürgen")
