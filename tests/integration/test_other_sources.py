# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer who gives no access but files: a dump gives what the living database gives, and CSV files a customer."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError
from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump import remarks
from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump.load import Loaded, load
from ansible_collections.atmail.migration.plugins.module_utils.transport.mariadbd import ThrowAway

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


@pytest.fixture(scope="module")
def whole_dump(lab: SettingsLab) -> bytes:
    return dump_of(lab)


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowAway]:
    with ThrowAway() as started:
        yield started


def loaded(server: ThrowAway, text: bytes, database: str | None = None) -> Loaded:
    """Load the text into a database that is empty."""
    with server.loader() as session:
        for table in session.columns():
            session.execute(f"DROP TABLE `{table}`")
        return load(io.BytesIO(text).read, session, server.folder, database, allow_truncated=False)


END = b"\n-- Dump completed\n"


@pytest.mark.parametrize(
    ("text", "database", "kind", "message"),
    [
        (b"", None, "dump_invalid", "no table in the file"),
        (b"-- MySQL dump 10.13" + END, None, "dump_invalid", "no table in the file"),
        (b"Dear Sir,\nplease find attached; our dump.\n", None, "dump_invalid", "the statement DEAR"),
        (b"CREATE TABLE a (x int);\n", None, "dump_truncated", "no mark of its end"),
        (
            b"CREATE TABLE a (x int);\nINSERT INTO a VALUES (1",
            None,
            "dump_truncated",
            "statement that begins in line 2",
        ),
        (b"USE a;CREATE TABLE t (a int);USE b;CREATE TABLE t (a int);" + END, None, "invalid_input", "databases, a, b"),
        (b"USE a;CREATE TABLE t (a int);" + END, "c", "invalid_input", "no database c, only a"),
        (b"USE mysql;CREATE TABLE t (a int);" + END, None, "dump_invalid", "no table in the file"),
        (b"CREATE TABLE a (x int);\nINSERT INTO a VALUES ('secret');" + END, None, "dump_invalid", "can't be loaded"),
        (b"CREATE TABLE a (x int);\nINSERT INTO mysql.db VALUES (1);" + END, None, "dump_invalid", "statement INSERT"),
        (b"CREATE TABLE mysql.a (x int);" + END, None, "dump_invalid", "CREATE command denied"),
        (b"DROP TABLE mysql.global_priv;" + END, None, "dump_invalid", "DROP command denied"),
        (b"CREATE TABLE a SELECT * FROM mysql.global_priv;" + END, None, "dump_invalid", "SELECT command denied"),
        (b"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE a;" + END, None, "dump_invalid", "statement LOAD"),
        (b"\\! touch /tmp/x\nCREATE TABLE a (x int);" + END, None, "dump_invalid", "something that no dump"),
        (b"/*!40101 SET NAMES gbk */;CREATE TABLE a (x int);" + END, None, "dump_invalid", "written in gbk"),
    ],
)
def test_a_dump_that_cannot_be_used_is_one_clear_error(
    server: ThrowAway, text: bytes, database: str | None, kind: str, message: str
) -> None:
    with pytest.raises(MigrationError) as caught:
        loaded(server, text, database)
    assert caught.value.kind == kind
    assert message in caught.value.message
    assert "secret" not in str(caught.value)


def test_a_hostile_dump_does_no_harm(server: ThrowAway, tmp_path: Path) -> None:
    """What a dump could do through a client, or a server that trusts it; its data is there all the same."""
    statements = [
        f"CREATE TABLE a (x text) DATA DIRECTORY='{tmp_path}'",
        "CREATE TABLE b (x text) ENGINE=FEDERATED CONNECTION='mysql://root@127.0.0.1/mysql/user'",
        "INSERT INTO a VALUES (LOAD_FILE('/etc/passwd'))",
        "INSERT INTO a VALUES (' \\\\! touch trap\n\\\\. trap ; DELIMITER //\n')",
        "CREATE DEFINER=root@localhost TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @a = 1",
        "CREATE DEFINER=root@localhost VIEW v AS SELECT * FROM mysql.global_priv",
        "CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO INSERT INTO a VALUES ('event')",
        "CREATE USER evil IDENTIFIED BY 'x'",
        "GRANT ALL ON *.* TO evil",
        "SET GLOBAL event_scheduler = 1",
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1'",
        "SET PASSWORD FOR root@localhost = PASSWORD('x')",
        "SET SESSION max_statement_time = 0, sql_mode = 'ANSI_QUOTES'",
        "USE mysql",
        "INSERT INTO global_priv VALUES ('%', 'evil', '{}')",
        "DROP TABLE global_priv",
        "USE mine",
        'INSERT INTO a VALUES ("last")',
    ]
    text = "USE mine;\nDELIMITER ;;\n" + ";;\n".join(statements) + ";;\nDELIMITER ;"
    done = loaded(server, text.encode() + END)
    assert done.skipped == {
        "triggers": 1,
        "views": 1,
        "events": 1,
        "users and rights": 2,
        "settings of the server": 3,
    }
    assert {each.kind for each in remarks(done)} == {"dump_skipped"}
    with server.reader() as database:
        rows = [row[0] for row in database.all("SELECT x FROM a")]
        assert rows == [None, b" \\! touch trap\n\\. trap ; DELIMITER //\n", b"last"]
        assert database.all("SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'source'") == []
        for sql in ("INSERT INTO a VALUES ('x')", "SELECT * FROM mysql.global_priv", "SELECT 1 INTO OUTFILE '/tmp/x'"):
            with pytest.raises(MigrationError):
                database.all(sql)
    assert list(tmp_path.iterdir()) == []


def test_a_dump_of_mysql_8_is_understood(server: ThrowAway) -> None:
    text = """-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
/*!50503 SET NAMES utf8mb4 */;
/*!50717 SELECT COUNT(*) INTO @rocksdb_has_p_s_session_variables FROM INFORMATION_SCHEMA.TABLES */;
/*!50717 PREPARE s FROM @rocksdb_get_is_supported */;
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5';
CREATE DATABASE /*!32312 IF NOT EXISTS*/ `mine` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */
  /*!80016 DEFAULT ENCRYPTION='N' */;
USE `mine`;
DROP TABLE IF EXISTS `a`;
CREATE TABLE `a` (
  `x` varchar(20) COLLATE utf8mb4_0900_ai_ci NOT NULL DEFAULT 'utf8mb4_0900_ai_ci',
  `y` json DEFAULT NULL,
  `z` int /*!80023 INVISIBLE */ DEFAULT NULL,
  `d` datetime DEFAULT '0000-00-00 00:00:00',
  PRIMARY KEY (`x`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
LOCK TABLES `a` WRITE;
/*!40000 ALTER TABLE `a` DISABLE KEYS */;
INSERT INTO `a` (`x`, `y`, `z`, `d`) VALUES ('a','{"b": "😀"}',1,'0000-00-00'),('a ',_binary 'null',NULL,'2026-11-31');
/*!40000 ALTER TABLE `a` ENABLE KEYS */;
UNLOCK TABLES;
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
"""
    done = loaded(server, text.encode())
    assert (done.tables, done.truncated, done.narrow, done.database) == (1, False, "", "mine")
    with server.reader() as database:
        assert database.all("SELECT x, y, d FROM a ORDER BY x") == [
            (b"a", '{"b": "😀"}'.encode(), "0000-00-00 00:00:00"),
            (b"a ", b"null", "2026-11-31 00:00:00"),
        ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_server_and_data_are_gone_when_the_run_is_killed(
    whole_dump: bytes, tmp_path: Path, number: signal.Signals
) -> None:
    workspace = Path(tempfile.mkdtemp(prefix="atmail-test-"))
    workspace.chmod(0o755)
    program = (
        "import sys, time; from pathlib import Path\n"
        "from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump import Dump, dumped\n"
        f"with dumped(Dump(Path({str(written(tmp_path, whole_dump))!r}), workspace=Path({str(workspace)!r}))):\n"
        "    print('reading', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"reading\n"
        (folder,) = workspace.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        server = int((folder / "data" / "pid").read_text())
        run.send_signal(number)
    end = time.monotonic() + 30
    while (list(workspace.iterdir()) or Path(f"/proc/{server}").exists()) and time.monotonic() < end:
        time.sleep(0.05)
    workspace.rmdir()
    assert not Path(f"/proc/{server}").exists()


def test_the_module_says_what_is_wrong_with_a_dump(lab: SettingsLab, tmp_path: Path) -> None:
    outcome = extract(lab, written(tmp_path, b"CREATE TABLE other (a int);" + END))
    assert outcome.kind == "missing_table"
    assert outcome.result["where"]["dump"].endswith("/dump")
    assert extract(lab, tmp_path / "none").kind == "invalid_input"
    both = extract(lab, tmp_path / "dump", database={"name": "a", "user": "b", "password": "another password"})
    assert both.code != 0
    assert "mutually exclusive" in both.output


def test_an_encrypted_dump_is_opened_and_leaves_nothing_behind(lab: SettingsLab, live: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, b"")
    command = ["gpg", "--batch", "--yes", "--homedir", str(tmp_path), "--passphrase", "opens it", "-c", "-o", str(path)]
    subprocess.run(command, input=gzip.compress(dump_of(lab)), check=True, capture_output=True)
    outcome = extract(lab, path, over=live, pgp={"passphrase": "opens it"})
    assert not outcome.changed, outcome.output
    assert path.with_name("snapshot.json").read_bytes() == live
    assert extract(lab, path).kind == "invalid_input"


CSV = """EmailAddress;FirstName;LastName;Password;Quota;Status;Forward;Aliases
ann@acme.example;Ann;"O'Bolt ""{{ 1 }}"" 😀";"Secret; ""12"" é";1 GB;active;;a.bolt@acme.example
Bob@acme.example;Bob;;{SSHA512}%s;;active;out@other.example;
off@acme.example;Off;;Secret-34;;disabled;;
ann@nowhere;Bad;;Secret-56;;perhaps;;
"""


def test_csv_files_become_accounts_that_can_log_in(lab: SettingsLab, tmp_path: Path) -> None:
    hashed = base64.b64encode(hashlib.sha512(b"bob's own" + b"salt").digest() + b"salt").decode()
    accounts, lists = tmp_path / "accounts.csv", tmp_path / "lists.csv"
    accounts.write_text(CSV % hashed, encoding="utf-8-sig")
    accounts.chmod(0o600)
    lists.write_text("owner,list,sender\nann@acme.example,block,*@spam.example\n", encoding="utf-8")
    source = {
        "customer": "acme",
        "profile": "csv",
        "csv": {"accounts": str(accounts), "lists": str(lists)},
    }
    options = {**source, "snapshot": str(tmp_path / "csv.json"), "vault_password": VAULT_PASSWORD}
    first = lab.run("settings_snapshot", options)
    assert first.kind == "value_invalid"
    assert "accounts.csv, line 5" in first.result["msg"]
    kept = (tmp_path / "csv.json").read_bytes()
    again = lab.run("settings_snapshot", {**options, "ignore_account_errors": True})
    assert not again.changed
    assert (tmp_path / "csv.json").read_bytes() == kept
    for secret in ("Secret; ", "Secret-34", hashed):
        assert secret not in first.output + again.output + kept.decode()

    applied = lab.apply(snapshot=str(tmp_path / "csv.json"))
    assert applied.result["summary"]["accounts_created"] == 3, applied.output
    assert not lab.apply(snapshot=str(tmp_path / "csv.json")).changed
    assert lab.logs_in("ann@acme.example", 'Secret; "12" é')
    assert lab.logs_in("bob@acme.example", "bob's own")
    assert not lab.logs_in("off@acme.example", "Secret-34")

    info = lab.run("source_info", source)
    assert info.result["platform"]["profile"] == "csv"
    assert info.result["counts"]["accounts"] == 3
    for wrong in ({"profile": "atmail"}, {"overrides": {"columns": {"aliases": {"address": "x"}}}}):
        assert lab.run("source_info", {**source, **wrong}).kind == "invalid_input"
