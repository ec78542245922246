# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one clear error with a stable kind for the account concerned; the others and the next run go on."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.lab.ports import claim, release
from tests.lab.state import RegionOptions, SiteOptions

from .checks.module import Result
from .checks.picture import look
from .checks.world import Pair, World, plain


@pytest.fixture
def three(world: World) -> list[Pair]:
    """Three mailboxes with some mail each; something is wrong with the second."""
    pairs = [world.pair() for _number in range(3)]
    for pair in pairs:
        with pair.at_source() as source:
            source.append_many("INBOX", [plain(f"{number}") for number in range(12)])
    return pairs


def _own(pair: Pair, **changes: str) -> dict[str, str]:
    entry = {
        "source_user": pair.address,
        "source_password": pair.source_password,
        "target_password": pair.target_password,
    }
    return entry | changes


NOBODY = {"admin_user": None, "admin_password": None}


def _second_fails(
    three: list[Pair], kinds: set[str], entries: list[dict[str, str]] | None = None, **options: Any
) -> Result:
    """A run over all three in which only the second fails; then one without what was wrong, which carries on."""
    first, second, third = three
    given: dict[str, Any] = options | ({"mailboxes": entries} if entries else {})
    result = first.sync(others=[second, third], **given)
    name = entries[1].get("target_user", second.address) if entries else second.address
    assert result.failed
    assert result["kind"] in kinds, result.text[:2000]
    assert result.kinds(name) <= kinds
    (failure,) = result.failures(name)
    assert failure["mailbox"] == name
    assert failure["message"]
    assert failure["safe_next"]
    assert name in result["msg"]
    assert result["msg"].endswith(f". {result['safe_next']}")
    assert (result["changed"], result.summary["mailboxes_failed"], result.summary["messages_copied"]) == (True, 1, 24)
    for pair in (first, third):
        assert result.failures(pair.address) == []
        pair.faithful()
    for pair in three:
        assert pair.source_password not in result.text
        assert pair.target_password not in result.text
    return result


def _then_carries_on(three: list[Pair]) -> None:
    first, *others = three
    again = first.done(others=others)
    assert again.summary["messages_copied"] == 12
    assert again.summary["mailboxes_unchanged"] == 2
    for pair in three:
        pair.faithful()


@pytest.mark.case(102)
@pytest.mark.parametrize("side", ["source", "target"])
def test_wrong_password(three: list[Pair], side: str) -> None:
    entries = [_own(pair) for pair in three]
    wrong = "a-very-wrong-password"
    entries[1][f"{side}_password"] = wrong
    result = _second_fails(three, {"auth_failed"}, entries, source=NOBODY, target=NOBODY)
    assert wrong not in result.text
    log = three[0].world.region.dovecot.log if side == "target" else three[0].world.site.dovecot.log
    lines = [line for line in log.read_text(errors="replace").splitlines() if three[1].address in line]
    assert sum("password mismatch" in line.lower() for line in lines) == 1, "tried more than once"
    _then_carries_on(three)


def test_wrong_admin_password_fails_every_mailbox_alike(three: list[Pair]) -> None:
    first, *others = three
    result = first.sync(others=others, target={"admin_password": "a-wrong-admin-password"})
    assert (result.failed, result["kind"], result["changed"]) == (True, "auth_failed", False)
    assert all(result.kinds(pair.address) == {"auth_failed"} for pair in three)
    assert "a-wrong-admin-password" not in result.text


def test_no_password_at_all(three: list[Pair]) -> None:
    entries = [_own(pair) for pair in three]
    del entries[1]["source_password"]
    _second_fails(three, {"invalid_input"}, entries, source=NOBODY, target=NOBODY)
    _then_carries_on(three)


def test_account_missing_on_the_target(world: World, three: list[Pair]) -> None:
    missing = world.pair(on_target=False)
    with missing.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(12)])
    _second_fails([three[0], missing, three[2]], {"account_missing"})
    world.region.add_account(missing.address, missing.target_password)
    _then_carries_on([three[0], missing, three[2]])


def test_account_missing_on_the_target_where_accounts_log_in_themselves(world: World, three: list[Pair]) -> None:
    missing = world.pair(on_target=False)
    entries = [_own(pair) for pair in (three[0], missing, three[2])]
    _second_fails([three[0], missing, three[2]], {"account_missing"}, entries, source=NOBODY, target=NOBODY)


def test_account_missing_on_the_source(world: World, three: list[Pair]) -> None:
    """By the master user: Dovecot lets the master in and then knows no such user."""
    missing = world.pair(on_source=False)
    result = _second_fails([three[0], missing, three[2]], {"auth_failed", "account_missing", "mailbox_missing"})
    assert look(missing.target).count == 0
    assert "source" in str(result.failures(missing.address)[0].get("server", "source"))


def test_the_same_address_twice(three: list[Pair]) -> None:
    """In another case too. Neither of the two is worked on; every other mailbox is."""
    first, second, third = three
    entries = [
        {"source_user": first.address},
        {"source_user": second.address},
        {"source_user": third.address, "target_user": second.address.upper()},
    ]
    result = first.sync(mailboxes=entries)
    assert (result.failed, result["kind"]) == (True, "duplicate")
    assert result.summary["mailboxes_failed"] == 2
    assert result.summary["messages_copied"] == 12
    first.faithful()
    assert look(second.target).count == 0


def _server(side: str, **changes: Any) -> dict[str, Any]:
    return {side: changes} if side == "source" else {side: {"doveadm_url": None, "doveadm_api_key": None, **changes}}


@pytest.mark.parametrize("side", ["source", "target"])
def test_server_that_cannot_be_reached(three: list[Pair], world: World, side: str) -> None:
    (port,) = claim(world.lab.directory / "nobody", 1)
    release(world.lab.directory / "nobody")
    cases: dict[str, Mapping[str, Any]] = {
        "unknown_host": {"host": "no-such-host.invalid"},
        "connection_refused": {"port": port},
        "certificate_untrusted": {"ca_path": None},
        "invalid_input": {"ca_path": "/no/such/ca.pem"},
    }
    first, *others = three
    for kind, changes in cases.items():
        result = first.sync(others=others, **_server(side, **changes))
        assert (result.failed, result["kind"], result["changed"]) == (True, kind, False), result.text[:2000]
        for pair in three:
            assert result.kinds(pair.address) == {kind}
            (failure,) = result.failures(pair.address)
            assert failure["mailbox"] == pair.address
    assert first.done(others=others).summary["messages_copied"] == 36


@pytest.mark.case(101)
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize(
    ("certificate", "kind"), [("expired", "certificate_expired"), ("wrong_name", "certificate_wrong_name")]
)
def test_bad_certificates(three: list[Pair], world: World, side: str, certificate: str, kind: str) -> None:
    site = SiteOptions(certificate=certificate) if side == "source" else None
    region = RegionOptions(rawlog=True, certificate=certificate) if side == "target" else None
    first = three[0]
    with world.changed(site=site, region=region):
        result = first.sync()
        assert (result.failed, result["kind"], result["changed"]) == (True, kind, False), result.text[:2000]
        assert "no password has been sent" in result["safe_next"]
        careless: dict[str, Any] = {side: {"validate_certs": False}}
        assert not first.sync(**careless).failed
    first.faithful()


@pytest.mark.parametrize(
    ("url", "kind"), [(None, "auth_failed"), ("http://127.0.0.1:1/doveadm/v1", "connection_refused")]
)
def test_doveadm_that_is_no_use(three: list[Pair], url: str | None, kind: str) -> None:
    wrong = {"doveadm_api_key": "a-wrong-api-key"} | ({"doveadm_url": url} if url else {})
    first = three[0]
    result = first.sync(target=wrong)
    assert (result.failed, result["kind"]) == (True, kind), result.text[:2000]
    assert "doveadm" in str(result.failures(first.address))
    assert "a-wrong-api-key" not in result.text
    first.done()
    first.faithful()


def test_plain_needs_to_be_allowed(three: list[Pair]) -> None:
    for side in ("source", "target"):
        in_clear: dict[str, Any] = {side: {"security": "plain"}}
        result = three[0].sync(**in_clear)
        assert (result.failed, result["kind"]) == (True, "invalid_input")
        assert "allow_plaintext" in result["msg"]
        assert side in result["where"]["option"]


def test_options_out_of_range(three: list[Pair]) -> None:
    cases: list[dict[str, Any]] = [
        {"allow_removals": 1.5},
        {"allow_removals": -0.1},
        {"pace": {"connections": 0}},
        {"pace": {"messages_per_second": -1}},
        {"pace": {"off_peak": {"start": "25:00", "end": "06:00"}}},
        {"pace": {"off_peak": {"start": "22:00", "end": "06:00", "timezone": "Nowhere/Atall"}}},
        {"source": {"max_connections": 0}},
        {"target": {"doveadm_url": "not an address"}},
        {"target": {"doveadm_api_key": None}},
        {"mailboxes": [{"source_user": " "}]},
    ]
    for options in cases:
        result = three[0].sync(**options)
        assert (result.failed, result["kind"]) == (True, "invalid_input"), (options, result.text[:1000])
    assert look(three[0].target).count == 0


def test_no_mailboxes_is_nothing_to_do(three: list[Pair]) -> None:
    result = three[0].done(mailboxes=[])
    assert (result["changed"], result.summary["mailboxes"]) == (False, 0)


# the ledger


def _text(path: Path) -> None:
    path.write_text("This is the shopping list.\n" * 100)


def _other_database(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE songs (title TEXT)")
        db.execute("INSERT INTO songs VALUES ('a song')")
    db.close()


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def _damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 200] = b"\xff" * min(200, len(data) - start)
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "kind", "ours"),
    [
        (_text, "ledger_foreign", False),
        (_other_database, "ledger_foreign", False),
        (_newer, "ledger_newer", True),
        (_damaged, "ledger_damaged", True),
        (_cut, "ledger_damaged", True),
    ],
)
def test_a_ledger_that_cannot_be_used(pair: Pair, spoil: Callable[[Path], None], kind: str, ours: bool) -> None:
    """It is told, nothing is written anywhere, and without it the next run carries on."""
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(100)])
    if ours:
        pair.done()
    for more in ("-wal", "-shm"):
        pair.ledger.with_name(pair.ledger.name + more).unlink(missing_ok=True)
    spoil(pair.ledger)
    before, there = pair.ledger.read_bytes(), look(pair.target)
    with pair.at_source() as source:
        source.append("INBOX", plain("new"))
    for check in (True, False):
        result = pair.sync(check=check)
        assert (result.failed, result["kind"]) == (True, kind), result.text[:2000]
        assert pair.ledger.read_bytes() == before
    assert look(pair.target) == there
    pair.ledger.unlink()
    pair.done()
    pair.faithful()
    pair.settled()


def test_a_folder_for_the_ledger_that_is_not_there(three: list[Pair], tmp_path: Path) -> None:
    result = three[0].sync(ledger=str(tmp_path / "nowhere" / "ledger.sqlite3"))
    assert (result.failed, result["kind"]) == (True, "ledger_failed")
    result = three[0].sync(ledger=str(tmp_path))
    assert (result.failed, result["kind"]) == (True, "ledger_failed")
    result = three[0].sync(ledger="mysql://user:pass@127.0.0.1/ledger")
    assert (result.failed, result["kind"]) == (True, "unsupported")
    assert look(three[0].target).count == 0


def test_the_ledger_is_private_and_holds_no_secret(three: list[Pair]) -> None:
    pair = three[0]
    pair.done(mailboxes=[_own(pair)])
    assert stat.S_IMODE(pair.ledger.stat().st_mode) == 0o600
    data = b"".join(path.read_bytes() for path in pair.ledger.parent.glob(pair.ledger.name + "*"))
    for secret in (*pair.world.secrets(), pair.source_password, pair.target_password):
        assert secret.encode() not in data
    assert b"hello" not in data


def test_errors_may_be_left_to_the_playbook(three: list[Pair]) -> None:
    """`ignore_mailbox_errors`: the task succeeds, the failures are in its result."""
    first = three[0]
    entries = [{"source_user": pair.address} for pair in three]
    entries[2]["target_user"] = f"nobody@{first.world.site.domain}"
    result = first.sync(mailboxes=entries, ignore_mailbox_errors=True)
    assert not result.failed
    assert (result.summary["mailboxes_failed"], result.summary["messages_copied"]) == (1, 24)
    assert result.kinds(entries[2]["target_user"]) == {"account_missing"}
