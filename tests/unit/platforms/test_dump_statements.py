# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A dump is taken apart at the delimiters that count, and what no dump of tables has is not run."""

from __future__ import annotations

import io

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import DumpError
from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump import statements as reading
from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump.statements import Statement, Statements
from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump.verdict import (
    judge,
    setting,
    translated,
)
from hypothesis import given
from hypothesis import strategies as st


def taken_apart(text: bytes, piece: int = 0) -> tuple[list[tuple[int, bytes]], Statements]:
    """The statements and their lines, read in pieces of so many bytes."""
    stream = io.BytesIO(text)
    found = Statements((lambda _size: stream.read(piece)) if piece else stream.read)
    return [(each.line, each.text.strip()) for each in found], found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"USE a;", [(1, b"USE a")]),
        (b"\xef\xbb\xbfUSE a;\r\n\r\nUSE b;\r\n", [(1, b"USE a"), (3, b"USE b")]),
        (b"-- a; b\n# c; d\n/* e; f */ USE g;", [(3, b"USE g")]),
        (b"USE a -- ; no\n;", [(1, b"USE a -- ; no")]),
        (b"SELECT 1--1;", [(1, b"SELECT 1--1")]),
        (b"INSERT 'a;b', \"c;d\", `e;f`;G;", [(1, b"INSERT 'a;b', \"c;d\", `e;f`"), (1, b"G")]),
        (rb"INSERT 'it\'s; ''so''; \\';G;", [(1, rb"INSERT 'it\'s; ''so''; \\'"), (1, b"G")]),
        (b"INSERT 'a\n\\\n;\nb';\nG;", [(1, b"INSERT 'a\n\\\n;\nb'"), (5, b"G")]),
        (b"/*!40101 SET NAMES utf8 */;;G;", [(1, b"/*!40101 SET NAMES utf8 */"), (1, b"G")]),
        (b"/*M!999999\\- enable the sandbox mode */ \nUSE a;", [(2, b"USE a")]),
        (b"/*!999999\\- enable the sandbox mode */ \nUSE a;", [(2, b"USE a")]),
        (
            b"DELIMITER ;;\nCREATE TRIGGER t BEGIN a; b; END ;;\nDELIMITER ;\nUSE a;",
            [(2, b"CREATE TRIGGER t BEGIN a; b; END"), (4, b"USE a")],
        ),
        (b"delimiter //\nUSE a//\nUSE b;//", [(2, b"USE a"), (3, b"USE b;")]),
        (b"mysqldump: [Warning] Using a password on the command line\nUSE a;", [(2, b"USE a")]),
        (b"INSERT 'DELIMITER //\n;';G;", [(1, b"INSERT 'DELIMITER //\n;'"), (2, b"G")]),
        # What the mysql client would run as its own commands is text of the next statement here.
        (b"\\! touch /tmp/x\nUSE a;", [(1, b"\\! touch /tmp/x\nUSE a")]),
        (b"system touch /tmp/x\nUSE a;", [(1, b"system touch /tmp/x\nUSE a")]),
        (b"source /etc/passwd\nUSE a;", [(1, b"source /etc/passwd\nUSE a")]),
    ],
)
@pytest.mark.parametrize("piece", [0, 1, 7])
def test_statements_end_where_the_client_ends_them(text: bytes, expected: list[tuple[int, bytes]], piece: int) -> None:
    assert taken_apart(text, piece)[0] == expected


@pytest.mark.parametrize(
    ("text", "complete", "unfinished"),
    [
        (b"USE a;\n-- Dump completed on 2026-11-23 19:00:00\n", True, None),
        (b"USE a;\n-- Dump completed", True, None),
        (b"USE a;\n", False, None),
        (b"-- Dump completed\nUSE a;\n", False, None),
        (b"INSERT '\n-- Dump completed\n';", False, None),
        (b"USE a;\nINSERT 'abc", False, 2),
        (b"USE a;\nINSERT 'abc\n-- Dump completed\n", False, 2),
        (b"USE a;\n\nINSERT 'abc'", False, 3),
        (b"USE a;\nINSERT `", False, 2),
        (b"USE a;\nINSERT /* ", False, 2),
    ],
)
def test_the_end_of_a_dump_is_known(text: bytes, complete: bool, unfinished: int | None) -> None:
    found = taken_apart(text)[1]
    assert (found.complete, found.unfinished) == (complete, unfinished)


def test_nothing_of_any_length_is_taken_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST", 1 << 21)
    with pytest.raises(DumpError, match="never closed"):
        list(Statements(lambda size: b"'" + b"a" * size))
    with pytest.raises(DumpError, match="DELIMITER"):
        taken_apart(b"DELIMITER " + b"x" * 100 + b"\nUSE a;")


def literal(value: bytes) -> bytes:
    """As mysqldump writes a value."""
    names = {0: b"\\0", 10: b"\\n", 13: b"\\r", 26: b"\\Z", 34: b'\\"', 39: b"\\'", 92: b"\\\\"}
    return b"'" + b"".join(names.get(byte, bytes((byte,))) for byte in value) + b"'"


ROWS = st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=4), min_size=1, max_size=5)


@given(rows=ROWS, piece=st.integers(1, 50), between=st.sampled_from([b"\n", b"\r\n", b"\n-- a;'\n", b' /* ;" */ ']))
def test_any_value_stays_inside_its_statement(rows: list[list[bytes]], piece: int, between: bytes) -> None:
    texts = [b"INSERT INTO `t` VALUES (" + b",".join(map(literal, row)) + b")" for row in rows]
    found, reader = taken_apart(between.join(text + b";" for text in texts) + b"\n-- Dump completed\n", piece)
    assert [text for _line, text in found] == texts
    assert reader.complete


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_are_too_odd(text: bytes, piece: int) -> None:
    assert taken_apart(text, piece)[0] == taken_apart(text)[0]


@pytest.mark.parametrize(
    ("text", "verdict", "what"),
    [
        ("CREATE TABLE `t` (a int)", "table", ""),
        ("/*!50001 CREATE TABLE `t` (a int) */", "table", ""),
        ("DROP TABLE IF EXISTS `t`", "table", ""),
        ("/*!40000 ALTER TABLE `t` DISABLE KEYS */", "table", ""),
        ("INSERT INTO `t` VALUES (1)", "rows", ""),
        ("INSERT  IGNORE INTO `t` (`a`, `b``c`) VALUES (1)", "rows", ""),
        ("REPLACE INTO t VALUES (1)", "rows", ""),
        ("insert into `/*` values ('a')", "rows", ""),
        ("USE `at``mail`", "database", "at`mail"),
        ("use atmail", "database", "atmail"),
        ("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `atmail` /*!40100 DEFAULT CHARACTER SET latin1 */", "skip", ""),
        ("/*!40000 DROP DATABASE IF EXISTS `atmail`*/", "skip", ""),
        ("LOCK TABLES `t` WRITE", "skip", ""),
        ("/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT", "skip", "triggers"),
        ("CREATE DEFINER=`root`@`localhost` PROCEDURE `p`() BEGIN SELECT 1", "skip", "procedures"),
        ("/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`b`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY", "skip", "events"),
        (
            "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`b` */\n/*!50001 VIEW `v` AS x */",
            "skip",
            "views",
        ),
        ("CREATE USER `a`@`b` IDENTIFIED BY 'c'", "skip", "users and rights"),
        ("GRANT ALL ON *.* TO a@b", "skip", "users and rights"),
        ("SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1-5'", "skip", "settings of the server"),
        ("INSTALL SONAME 'ha_connect'", "skip", "settings of the server"),
        ("/*!50112 PREPARE s FROM @x */", "skip", ""),
        ("-- nothing", "skip", ""),
        ("SET NAMES utf8", "set", ""),
        ("INSERT INTO t SELECT * FROM u", "refuse", "INSERT"),
        ("INSERT INTO other.t VALUES (1)", "refuse", "INSERT"),
        ("LOAD DATA INFILE '/etc/passwd' INTO TABLE t", "refuse", "LOAD"),
        ("UPDATE t SET a = 1", "refuse", "UPDATE"),
        ("CALL p()", "refuse", "CALL"),
        ("source /etc/passwd\nUSE a", "refuse", "SOURCE"),
        ("\\! touch /tmp/x\nUSE a", "refuse", ""),
        ("hello, this is a letter", "refuse", "HELLO"),
    ],
)
def test_a_statement_is_judged(text: str, verdict: str, what: str) -> None:
    judged = judge(Statement(1, text.encode()))
    assert (judged.verdict, judged.what) == (verdict, what)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/*!40101 SET NAMES utf8 */", {"names": "utf8"}),
        ("SET NAMES 'latin1'", {"names": "latin1"}),
        ("/*!40101 SET character_set_client = utf8 */", {"client": "utf8"}),
        ("/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */", {}),
        ("/*!40101 SET @saved_cs_client     = @@character_set_client */", {}),
        ("/*!40101 SET character_set_client = @saved_cs_client */", {"restores": True}),
        ("/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */", {"restores": True, "closes": True}),
        ("/*!40103 SET TIME_ZONE='+00:00' */", {"zone": "+00:00"}),
        ("/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */", {}),
        ("SET time_zone = '+00:00'; DROP TABLE x", {"zone": "+00:00"}),
        ("SET SESSION max_statement_time=0", {}),
        ("SET sql_log_bin = 0, sql_mode = 'ANSI'", {}),
        ("SET NAMES gbk", {"names": "gbk", "unsafe": "gbk"}),
    ],
)
def test_of_a_set_only_what_tells_bytes_and_times_is_heeded(text: str, expected: dict[str, object]) -> None:
    found = setting(Statement(1, text.encode()))
    names = ("names", "client", "zone", "restores", "closes", "unsafe")
    assert {name: getattr(found, name) for name in names if getattr(found, name)} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a varchar(5) COLLATE utf8mb4_0900_ai_ci", "a varchar(5) COLLATE utf8mb4_nopad_bin"),
        ("COLLATE=utf8mb4_de_pb_0900_as_cs;", "COLLATE=utf8mb4_nopad_bin;"),
        ("COLLATE utf8mb4_uca1400_ai_ci", "COLLATE utf8mb4_nopad_bin"),
        ("COMMENT 'utf8mb4_0900_ai_ci TYPE=x'", "COMMENT 'utf8mb4_0900_ai_ci TYPE=x'"),
        ("`utf8mb4_0900_ai_ci` int", "`utf8mb4_0900_ai_ci` int"),
        (") TYPE=MyISAM", ") ENGINE=MyISAM"),
        ("COLLATE utf8mb4_general_ci", "COLLATE utf8mb4_general_ci"),
    ],
)
def test_words_of_other_servers_become_ours(text: str, expected: str) -> None:
    assert translated(text.encode()).decode() == expected
