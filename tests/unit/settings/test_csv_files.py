# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""CSV files as spreadsheets and other providers write them: every row is in the customer or among the findings."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import secrets
from ansible_collections.atmail.migration.plugins.module_utils.addresses import address_fault
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.settings.files import CsvFiles, read_files
from ansible_collections.atmail.migration.plugins.module_utils.settings.files.columns import FILES, key_of
from ansible_collections.atmail.migration.plugins.module_utils.settings.files.table import Reading, read_table
from ansible_collections.atmail.migration.plugins.module_utils.settings.files.values import (
    flag,
    moment,
    quota,
    several,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Account, Alias, AutoReply, Customer
from ansible_collections.atmail.migration.plugins.module_utils.settings.snapshot import parse, render
from hypothesis import given
from hypothesis import strategies as st


class Files:
    """A folder of CSV files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, how: Reading | None = None, password_type: str = "", **files: str | bytes) -> Customer:
        """Write the files (``accounts=…``) and read them."""
        paths = {}
        for kind, content in files.items():
            paths[kind] = self.folder / f"{kind}.csv"
            paths[kind].write_bytes(content if isinstance(content, bytes) else content.encode())
            paths[kind].chmod(0o600)
        return read_files(CsvFiles(paths, how or Reading(), password_type), "acme")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def told(customer: Customer) -> list[tuple[str, str, str]]:
    """Findings that matter: (account, kind, level)."""
    ordinary = ("password_policy", "password_empty")
    return [(each.account, each.kind, each.level) for each in customer.findings if each.kind not in ordinary]


HEAD = "Email;Password\n"
ANN = Account("ann@acme.example", "ann@acme.example")


@pytest.mark.parametrize(
    "text",
    [
        "EmailAddress,FirstName,LastName,Password\nann@acme.example,Ann,Bolt,Secret-12\n",
        "EmailAddress;FirstName;LastName;Password\r\nann@acme.example;Ann;Bolt;Secret-12\r\n",
        "\ufeffE-Mail Address\tfirst name\tLAST_NAME\tpassword\nann@acme.example\tAnn\tBolt\tSecret-12",
        '"address","display name","password"\n"ann@acme.example","Ann Bolt","Secret-12"\n\n,,\n',
        "sep=;\r\naddress;name;password\r\nann@acme.example;Ann Bolt;Secret-12\r\n",
        "First Name [Required],Email Address [Required],Last Name,Password\nAnn,ann@acme.example,Bolt,Secret-12\n",
        "address;name;password\rann@acme.example;Ann Bolt;Secret-12\r",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_usual_exports_are_read_as_they_are(files: Files, text: str, encoding: str) -> None:
    customer = files.read(accounts=text.encode(encoding))
    (account,) = customer.accounts
    assert (account.address, account.display_name) == ("ann@acme.example", "Ann Bolt")
    assert account.password is not None
    assert account.password.stored == "{PLAIN}Secret-12"
    assert [domain.name for domain in customer.domains] == ["acme.example"]
    expected = [("", "file_encoding", "note")] if encoding == "utf-16" and not text.startswith("\ufeff") else []
    assert [each for each in told(customer) if each[1] != "file_encoding"] == []
    assert not expected or told(customer) == expected


def test_every_cell_finds_its_place(files: Files) -> None:
    customer = files.read(
        accounts=(
            "address,source user,name,quota,status,forward,keep copy,auto-reply,auto-reply subject,auto-reply ends,"
            "reply-to,signature,time zone,language,whitelist,blacklist,aliases,password,scheme\n"
            'Ann@Acme.Example,ann.b,"Bolt, ""Ann""",1.5 GB,active,"x@other.example; y@other.example",no,'
            '"Away\r\nBye",Gone,2026-12-24,Re@Other.example,"--\nAnn",Europe/Berlin,de,'
            '"friend.example boss@*.example",@spam.example,'
            '"a.bolt@acme.example|smtp:ab@acme.example",5f4dcc3b5aa765d61d8327deb882cf99,plain-md5\n'
        ),
        aliases="alias;target\ninfo@acme.example;ann@acme.example\nINFO@acme.example;z@other.example\n@acme.example;ann@acme.example\n",
        forwards="account;forward to\nann@acme.example;v@other.example\n",
        lists="owner;type;sender\nann@acme.example;whitelist;pal@other.example\n;blacklist;*@bad.example\nacme.example;allow;ok.example\n",
        domains="domain;active\nacme.example;yes\nold.example;no\n",
    )
    assert told(customer) == [("@old.example", "domain_disabled", "note")]
    (account,) = customer.accounts
    assert account.password is not None
    assert account.password.stored == "{PLAIN-MD5}5f4dcc3b5aa765d61d8327deb882cf99"
    assert account == Account(
        address="ann@acme.example",
        source_user="ann.b",
        display_name='Bolt, "Ann"',
        quota_bytes=3 << 29,
        password=account.password,
        forwards=("v@other.example", "x@other.example", "y@other.example"),
        keep_copy=False,
        auto_reply=AutoReply("Away\nBye", "Gone", ends="2026-12-24T23:59:59Z"),
        reply_to="re@other.example",
        signature="--\nAnn",
        time_zone="Europe/Berlin",
        language="de",
        allowed=("*@friend.example", "boss@*.example", "pal@other.example"),
        blocked=("*@spam.example",),
    )
    assert customer.aliases == (
        Alias("@acme.example", ("ann@acme.example",)),
        Alias("a.bolt@acme.example", ("ann@acme.example",)),
        Alias("ab@acme.example", ("ann@acme.example",)),
        Alias("info@acme.example", ("ann@acme.example", "z@other.example")),
    )
    assert [(each.domain, each.allowed, each.blocked) for each in customer.senders] == [
        ("", (), ("*@bad.example",)),
        ("acme.example", ("*@ok.example",), ()),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("ann@acme.example;x;more\n", [("", "row_invalid", "error")]),
        ("ann;x\n", [("", "address_invalid", "error")]),
        (";x\n", [("", "address_invalid", "error")]),
        ('"ann@acme.example"x;y\n', [("", "row_invalid", "error")]),
        ("bo@acme.example;x\nBO@acme.example;x\n", [("bo@acme.example", "duplicate", "error")]),
        ("bo@acme.example;x\nbo@acme.example;x\n", [("bo@acme.example", "duplicate", "note")]),
        ("bo@acme.example; x\n", [("bo@acme.example", "password_blank", "warning")]),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_else_is_lost(
    files: Files, rows: str, expected: list[tuple[str, str, str]]
) -> None:
    customer = files.read(accounts=HEAD + rows + "zoe@acme.example;y\n")
    assert told(customer) == expected
    assert "zoe@acme.example" in [account.address for account in customer.accounts]
    if expected[0][1] != "password_blank":
        message = next(each.message for each in customer.findings if each.kind == expected[0][1])
        assert message.startswith("accounts.csv, line 2:")


@pytest.mark.parametrize(
    ("column", "cell", "kind"),
    [
        ("quota", "much", "value_invalid"),
        ("quota", "1,000 MB", "value_invalid"),
        ("quota", "9999999 TB", "value_invalid"),
        ("status", "perhaps", "value_invalid"),
        ("keep copy", "perhaps", "value_invalid"),
        ("auto-reply ends", "tomorrow", "value_invalid"),
        ("aliases", "no address", "alias_invalid"),
        ("whitelist", "nonsense", "pattern_invalid"),
    ],
)
def test_a_cell_that_cannot_be_understood_is_an_error(files: Files, column: str, cell: str, kind: str) -> None:
    customer = files.read(accounts=f'address;{column}\nann@acme.example;"{cell}"\n')
    assert {(each.kind, each.level) for each in customer.findings if each.account} == {(kind, "error")}
    assert all("line 2" in each.message and cell not in each.message for each in customer.findings if each.account)


@pytest.mark.parametrize(
    ("cells", "forwards", "keep", "kinds"),
    [
        ("x@o.example;", ("x@o.example",), True, {"forward_copy_assumed"}),
        ("x@o.example;yes", ("x@o.example",), True, set()),
        ("x@o.example;no", ("x@o.example",), False, set()),
        ("x@o.example,ann@acme.example;", ("x@o.example",), True, set()),
        ("ann@acme.example;no", (), True, {"copy_kept"}),
        (";no", (), True, {"copy_kept"}),
        ("nobody;", (), True, {"forward_invalid"}),
        (";", (), True, set()),
    ],
)
def test_a_forward_keeps_a_copy_unless_it_says_no(
    files: Files, cells: str, forwards: tuple[str, ...], keep: bool, kinds: set[str]
) -> None:
    customer = files.read(accounts=f"address;forward;keep copy\nann@acme.example;{cells}\n")
    (account,) = customer.accounts
    assert (account.forwards, account.keep_copy) == (forwards, keep)
    assert {kind for _account, kind, _level in told(customer)} == kinds


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"aliases": "alias;to\nann@acme.example;b@o.example\n"}, ("ann@acme.example", "alias_is_account", "warning")),
        ({"aliases": "alias;to\nx@acme.example;\n"}, ("x@acme.example", "alias_empty", "error")),
        ({"aliases": "alias;to\nx@acme.example;x@acme.example\n"}, ("x@acme.example", "alias_empty", "error")),
        ({"aliases": "alias;to\nx@acme.example;/dev/null\n"}, ("x@acme.example", "alias_target_invalid", "warning")),
        ({"aliases": "alias;to\nx;b@o.example\n"}, ("", "alias_invalid", "error")),
        ({"aliases": "alias;to;active\nx@acme.example;b@o.example;hm\n"}, ("x@acme.example", "value_invalid", "error")),
        ({"forwards": "account;to\nno@acme.example;b@o.example\n"}, ("no@acme.example", "account_missing", "error")),
        (
            {"lists": "owner;list;sender\nno@acme.example;allow;b@o.example\n"},
            ("no@acme.example", "account_missing", "error"),
        ),
        ({"lists": "owner;list;sender\nann@acme.example;allow;\n"}, ("ann@acme.example", "pattern_invalid", "error")),
        ({"lists": "owner;list;sender\nann@acme.example;perhaps;b@o.example\n"}, ("", "value_invalid", "error")),
        (
            {"lists": "owner;list;sender\nother.example;allow;b@o.example\n"},
            ("@other.example", "domain_missing", "error"),
        ),
        ({"domains": "domain\nother.example\n"}, ("ann@acme.example", "domain_missing", "error")),
        ({"domains": "domain\nacme.example\nnot a domain\n"}, ("", "domain_invalid", "error")),
        (
            {"domains": "domain\nacme.example\n", "aliases": "alias;to\nx@other.example;ann@acme.example\n"},
            ("x@other.example", "domain_missing", "error"),
        ),
    ],
)
def test_what_has_no_place_is_a_finding(files: Files, extra: Mapping[str, str], expected: tuple[str, str, str]) -> None:
    content = {"accounts": HEAD + "ann@acme.example;Secret-12\n", **extra}
    assert expected in told(files.read(None, "", **content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"ann@acme.example;secret\n", "names no column for address"),
        (b"name;password\nAnn;secret\n", "names no column for address"),
        ("email;name\nann@acme.example;Jörg\n".encode("latin-1"), "accounts.csv, line 2: this is not utf-8"),
        (
            b'email;name\nann@acme.example;"Ann\nbo@acme.example;Bo\n',
            "accounts.csv, line 2: a quote is opened and never closed",
        ),
        (b"email;name\na\0b", "accounts.csv, line 2: there is a NUL"),
        ("email;name".encode("utf-16-le"), "NUL"),
        (b"PK\x03\x04abc", "spreadsheet"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(files: Files, content: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        files.read(accounts=content)
    assert message in caught.value.message
    assert caught.value.where["option"] == "csv.accounts"
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv cannot be read: No such file"):
        read_files(CsvFiles({"accounts": tmp_path / "none.csv"}), "acme")


def test_another_encoding_is_read_when_it_is_said_and_noted(files: Files) -> None:
    content = "email;name;password\nann@acme.example;Jörg;x\n".encode("windows-1252")
    customer = files.read(Reading(encoding="windows-1252"), accounts=content)
    assert customer.accounts[0].display_name == "Jörg"
    assert told(customer) == [("", "file_encoding", "note")]


def test_names_of_columns_can_be_given(files: Files) -> None:
    how = Reading(names={"accounts": {"address": "Benutzer", "password": "Kennwort 2"}})
    content = "Benutzer;E-Mail;Kennwort 2;Password\nann@acme.example;x;Secret-12;y\n"
    customer = files.read(how, accounts=content)
    assert customer.accounts[0].password is not None
    assert customer.accounts[0].password.value == "Secret-12"
    assert [each.message for each in customer.findings] == [
        "accounts.csv: the column 'E-Mail' is not used",
        "accounts.csv: the column 'Password' is not used",
    ]
    for names, message in (({"address": "Nobody"}, "no column Nobody"), ({"addr": "Benutzer"}, "knows no 'addr'")):
        with pytest.raises(InputError, match=message):
            files.read(Reading(names={"accounts": names}), accounts=content)


def test_of_several_columns_the_one_with_the_better_name_counts(files: Files) -> None:
    customer = files.read(accounts="username;address;e-mail;password\nann;12 Main St;ann@acme.example;Secret-12\n")
    assert [account.address for account in customer.accounts] == ["ann@acme.example"]
    assert [each.message for each in customer.findings] == [
        "accounts.csv: the column 'address' is not used",
        "accounts.csv: the column 'username' is not used",
    ]


def test_passwords_that_everybody_may_read_are_reported(files: Files) -> None:
    content = HEAD + "ann@acme.example;Secret-12\n"
    assert told(files.read(accounts=content)) == []
    path = files.folder / "accounts.csv"
    path.chmod(0o644)
    assert ("", "file_exposed", "warning") in told(read_files(CsvFiles({"accounts": path}), "acme"))


def test_a_file_that_ansible_vault_has_encrypted_is_opened(files: Files) -> None:
    content = HEAD + "ann@acme.example;Secret-12\n"
    vaulted = secrets.encrypt(content.encode(), "opens it", random=os.urandom)
    customer = files.read(Reading(vault_password="opens it"), accounts=vaulted)
    assert customer == files.read(accounts=content)
    for password, option in (("wrong", "csv.vault_password"), (None, "csv.accounts")):
        with pytest.raises(InputError) as caught:
            files.read(Reading(vault_password=password), accounts=vaulted)
        assert caught.value.where["option"] == option


def test_a_file_without_passwords_says_so_once(files: Files) -> None:
    customer = files.read(accounts="address\nann@acme.example\nbo@acme.example\n")
    assert [(each.account, each.kind) for each in customer.findings] == [("", "password_empty")]


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        ("", "", None),
        ("0", "mb", None),
        ("unlimited", "", None),
        ("-1", "", None),
        ("5368709120", "", 5 << 30),
        ("512", "mb", 512 << 20),
        ("512 KB", "mb", 512 << 10),
        ("1,5 GiB", "", 3 << 29),
        ("1.5g", "", 3 << 29),
        ("2TB", "", 2 << 40),
        ("100 bytes", "", 100),
    ],
)
def test_quotas_have_units(cell: str, unit: str, expected: int | None) -> None:
    assert quota(cell, unit) == expected


@pytest.mark.parametrize("cell", ["much", "1 XB", "1.000.000", "1,000", "-5", "5 5", "1e9", "1bb"])
def test_what_is_no_quota_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="it is no number"):
        quota(cell)


@pytest.mark.parametrize(
    ("cell", "end", "expected"),
    [
        ("", True, None),
        ("2026-11-23", False, "2026-11-23T00:00:00Z"),
        ("2026-11-23", True, "2026-11-23T23:59:59Z"),
        ("2026-11-23 18:00", True, "2026-11-23T18:00:00Z"),
        ("2026-11-23T18:00:00Z", True, "2026-11-23T18:00:00Z"),
        ("2026-11-23T18:00:00+02:00", False, "2026-11-23T16:00:00Z"),
    ],
)
def test_dates_become_utc(cell: str, end: bool, expected: str | None) -> None:
    assert moment(cell, end=end) == expected


def test_yes_and_no_have_many_words() -> None:
    assert [flag(word, default=False) for word in ("Yes", "TRUE", "1", " active ")] == [True] * 4
    assert [flag(word, default=True) for word in ("No", "false", "0", "Suspended")] == [False] * 4
    assert flag("", default=True)
    assert not flag("", default=False)


def test_every_name_of_a_column_is_of_one_column_only() -> None:
    for known, needed in FILES.values():
        names = [name for each in known.values() for name in each]
        assert len(set(names)) == len(names)
        assert set(needed) <= set(known)
        assert all(key_of(name.upper(), known) == key for key, each in known.items() for name in each)


CELL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
LOCAL = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_'{}%", min_size=1, max_size=10)
DIALECTS: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    delimiter=st.sampled_from(";,\t"),
    lineterminator=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)


def folded(cell: str) -> str:
    """A cell as every reader of CSV has it: nothing is changed but blanks around it, when the key is not a secret."""
    return cell.strip()


@given(
    rows=st.lists(st.tuples(LOCAL, CELL, CELL), max_size=6, unique_by=lambda row: row[0]),
    dialect=DIALECTS,
    mark=st.booleans(),
)
def test_any_cell_comes_through_any_dialect(
    rows: list[tuple[str, str, str]], dialect: dict[str, object], mark: bool
) -> None:
    stream = io.StringIO(newline="")
    if any("\r" in cell for row in rows for cell in row):
        dialect = {**dialect, "quoting": csv.QUOTE_ALL}  # Python's writer forgets to quote these by itself
    writer = csv.writer(stream, **dialect)  # type: ignore[arg-type] # a dialect's options have many types
    writer.writerows([("address", "name", "password"), *((f"{row[0]}@acme.example", *row[1:]) for row in rows)])
    with tempfile.TemporaryDirectory() as folder:
        content = ("\ufeff" if mark else "") + stream.getvalue()
        customer = Files(Path(folder)).read(accounts=content, password_type="PLAIN")
    good = {f"{row[0]}@acme.example": row for row in rows if address_fault(f"{row[0]}@acme.example") is None}
    errors = [each for each in customer.findings if each.level == "error"]
    assert len(errors) == len(rows) - len(good)
    assert {account.address: account.display_name for account in customer.accounts} == {
        address: folded(row[1]) for address, row in good.items()
    }
    for account in customer.accounts:
        password = good[account.address][2]
        if account.password is not None and account.password.scheme == "PLAIN" and not password.startswith("{"):
            assert account.password.value == password
        else:
            assert not password or password.startswith(("{", "$"))
    text = render(customer, "vault", random=lambda size: b"x" * size)
    assert parse(text, "vault") == customer


@given(st.binary(max_size=200))
def test_no_file_is_too_odd(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "accounts.csv"
        path.write_bytes(HEAD.encode() + content)
        try:
            table = read_table("accounts", path, Reading())
        except InputError:
            return
        assert all(row.place.startswith("accounts.csv, line ") for row in table.rows)


def test_several_addresses_stand_in_a_cell() -> None:
    assert several(" a@b; c@d,e@f|g@h\ni@j ") == ["a@b", "c@d", "e@f", "g@h", "i@j"]


def test_the_samples_of_the_guide_are_read_without_an_error(files: Files) -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "other-sources.md").read_text(encoding="utf-8")
    short, long, aliases, forwards, lists, domains = re.findall(r"```csv\n(.*?)```", guide, re.DOTALL)
    customer = files.read(accounts=short, aliases=aliases, forwards=forwards, lists=lists, domains=domains)
    assert [each for each in customer.findings if each.level == "error"] == []
    assert (len(customer.accounts), len(customer.aliases), len(customer.senders)) == (2, 2, 2)
    customer = files.read(accounts=long)
    assert told(customer) == []
    assert customer.accounts[0].quota_bytes == 5 << 30
    assert len(customer.accounts[0].forwards) == 2
