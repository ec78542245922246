# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Keys and tables on a real disk: killed at every step, several at once, hands of others, wrong rights."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.atmail.migration.plugins.module_utils.dkim.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.dkim.run import dkim_key
from ansible_collections.atmail.migration.plugins.module_utils.dkim.tables import LAYOUTS, signing_selectors
from ansible_collections.atmail.migration.plugins.module_utils.errors import DkimError, DkimTableError, InputError

NOW = 1_795_430_400
WEEK = 7 * 86400
DOMAIN = "acme.example"


def run(folder: Path, now: int = NOW, *, check: bool = False, **changes: Any) -> dict[str, Any]:
    """Nobody is asked about DNS: keys sign at once."""
    options = {"customer": "acme", "domain": DOMAIN, "directory": str(folder), "type": "ed25519", "sign": "always"}
    nobody = {"authoritative": ["127.0.0.1:9"], "timeout": 0.05}
    found = ArgumentSpecValidator(OPTIONS).validate({**options, **nobody, **changes})
    assert not found.error_messages
    return dkim_key(found.validated_parameters, now, check_mode=check, diff_mode=True)


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_mode & 0o777, path.read_bytes()) for path in files}


def usable(folder: Path, backend: Any = "exim") -> list[str]:
    """The selectors that sign; each has to have a line in the key table, and a file that it names."""
    layout = LAYOUTS[backend]
    table = folder / "signing.table"
    signing = signing_selectors(table.read_text() if table.exists() else "", layout, DOMAIN)
    for selector in signing:
        path = folder / DOMAIN / f"{selector}.key"
        assert path.stat().st_mode & 0o777 == 0o600
        named = (folder / "key.table").read_text().replace("$selector", selector)
        assert str(path) in named
    return signing


def test_check_run_and_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "dkim"
    planned = run(folder, check=True)
    assert planned["changed"]
    assert not folder.exists()
    done = run(folder)
    assert (done["selector"], done["stage"]) == (planned["selector"], planned["stage"])
    before = tree(folder)
    assert {name: mode for name, (mode, dummy) in before.items()} == {
        ".lock": 0o600,
        f"{DOMAIN}/{done['selector']}.key": 0o600,
        f"{DOMAIN}/state.json": 0o644,
        "key.table": 0o644,
        "signing.table": 0o644,
    }
    assert not run(folder)["changed"]
    assert not run(folder, NOW + WEEK, check=True)["changed"]
    assert tree(folder) == before
    gone = run(folder, check=True, state="absent")
    assert gone["changed"]
    assert tree(folder) == before
    assert run(folder, state="absent")["remove_records"] == [f"{done['selector']}._domainkey.{DOMAIN}"]
    assert not run(folder, state="absent")["changed"]
    assert set(tree(folder)) == {".lock", "key.table", "signing.table"}


@pytest.mark.parametrize("backend", ["exim", "rspamd"])
def test_killed_at_any_step_the_signer_goes_on_and_so_does_the_next_run(tmp_path: Path, backend: str) -> None:
    """A rotation whose overlap ends at once does everything there is: it makes, switches, and removes."""
    rotation: dict[str, Any] = {"signer": backend, "selector": "new", "state": "rotated", "overlap_hours": 0}
    step, ended = 0, False
    while not ended:
        step += 1
        folder = tmp_path / f"{step}"
        run(folder, signer=backend, selector="old")
        ended = killed_at(step, folder, **rotation) == 0
        assert usable(folder, backend) in (["old"], ["new"])
        for again in (1, 2):
            run(folder, NOW + again, **rotation)
        done = run(folder, NOW + 3, **rotation)
        assert (done["changed"], done["signing"]) == (False, ["new"])
        assert {key["selector"]: key["stage"] for key in done["keys"]} == {"old": "retired", "new": "signing"}
        assert set(tree(folder)) == {
            ".lock", f"{DOMAIN}/new.key", f"{DOMAIN}/state.json", "key.table", "signing.table"
        }  # fmt: skip
    assert step > 8


def killed_at(step: int, folder: Path, **changes: Any) -> int:
    """Run in a child that is ended, without any last act, before its step-th change of a folder; 0 when it was done."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if writes or event in ("os.rename", "os.remove", "os.mkdir"):
                left[0] -= 1
                if left[0] == 0:
                    os._exit(3)

        code = 1
        try:
            sys.addaudithook(count)
            # the second run is after the overlap
            for later in (0, 1):
                run(folder, NOW + later, **changes)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_signer_finds_its_tables_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        run(tmp_path / "dkim", selector="s")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "dkim", *(tmp_path / "dkim").rglob("*"))}
    tables = {"dkim": 0o755, "signing.table": 0o644, "key.table": 0o644}
    assert modes == {**tables, ".lock": 0o600, DOMAIN: 0o711, "s.key": 0o600, "state.json": 0o644}


def test_many_at_once_lose_no_line(tmp_path: Path) -> None:
    domains = [f"d{number}.example" for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda domain: run(tmp_path, domain=domain, selector="s"), domains))
    for table, lines in (("signing.table", 24), ("key.table", 24)):
        assert len((tmp_path / table).read_text().splitlines()) == lines
    for domain in domains:
        assert not run(tmp_path, domain=domain, selector="s")["changed"]


def test_who_signs_already_by_another_key_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "signing.table").write_text(f"# by hand\n{DOMAIN}: mine\n")
    before = tree(tmp_path)
    for state in ("present", "rotated", "absent"):
        for check in (True, False):
            with pytest.raises(DkimTableError, match="sign with mine, a key that is not ours") as caught:
                run(tmp_path, check=check, state=state)
            assert caught.value.where["customer"] == "acme"
    assert {name: found for name, found in tree(tmp_path).items() if name != ".lock"} == before


def test_rights_that_are_too_wide_are_taken_back(tmp_path: Path) -> None:
    key = tmp_path / DOMAIN / "s.key"
    run(tmp_path, selector="s")
    key.chmod(0o644)
    for check in (True, False):
        found = run(tmp_path, selector="s", check=check)
        assert found["changed"]
        assert "dkim_loose" in {finding["kind"] for finding in found["findings"]}
    assert key.stat().st_mode & 0o777 == 0o600
    assert not run(tmp_path, selector="s")["changed"]


def test_no_right_is_given_through_a_link(tmp_path: Path) -> None:
    run(tmp_path / "dkim", selector="s")
    elsewhere, key = tmp_path / "elsewhere", tmp_path / "dkim" / DOMAIN / "s.key"
    key.rename(elsewhere)
    elsewhere.chmod(0o644)
    key.symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"s\.key cannot be given to the signer's user"):
        run(tmp_path / "dkim", selector="s")
    assert elsewhere.stat().st_mode & 0o777 == 0o644


def test_tables_keep_the_rights_and_links_that_they_have(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "dkim", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_text("other.example: x\n")
    elsewhere.chmod(0o640)
    (folder / "signing.table").symlink_to(elsewhere)
    run(folder, selector="s")
    assert (folder / "signing.table").is_symlink()
    assert elsewhere.read_text() == f"other.example: x\n{DOMAIN}: s\n"
    assert elsewhere.stat().st_mode & 0o777 == 0o640


def test_bytes_by_hand_come_through(tmp_path: Path) -> None:
    by_hand = b"# caf\xe9 \xff\r\nother.example: x\r\n"
    (tmp_path / "signing.table").write_bytes(by_hand)
    run(tmp_path, selector="s")
    run(tmp_path, state="absent")
    assert (tmp_path / "signing.table").read_bytes() == by_hand


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"[]", b'{"format": 1}', b'{"format": 9, "keys": []}', b"\xff", b'{"format": 1, "keys": ["x"]}'],
)
def test_a_memory_that_cannot_be_read_is_named_and_can_be_thrown_away(tmp_path: Path, content: bytes) -> None:
    run(tmp_path, selector="s")
    state = tmp_path / DOMAIN / "state.json"
    state.write_bytes(content)
    with pytest.raises(DkimError, match=r"state\.json") as caught:
        run(tmp_path, selector="s")
    assert caught.value.kind == "dkim_failed"
    state.unlink()
    assert run(tmp_path, selector="s")["signing"] == ["s"]
    assert json.loads(state.read_text())["keys"][0]["stage"] == "signing"


def test_a_damaged_key_is_replaced_by_a_rotation_not_in_place(tmp_path: Path) -> None:
    run(tmp_path, selector="s")
    (tmp_path / DOMAIN / "s.key").write_text("-----BEGIN nothing")
    with pytest.raises(DkimError, match="can't be replaced under its own selector") as caught:
        run(tmp_path, selector="s")
    assert caught.value.kind == "dkim_in_use"
    assert run(tmp_path)["signing"] != ["s"]


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"domain": "../etc.example"}, "domain"),
        ({"selector": "../s"}, "selector"),
        ({"selector_prefix": "a b"}, "selector_prefix"),
        ({"overlap_hours": -1}, "overlap_hours"),
        ({"owner": "nobody-of-this-name"}, "owner"),
        ({"authoritative": ["ns1"]}, "authoritative"),
        ({"directory": "/tmp/with space"}, "directory"),
        ({"directory": "/tmp/a:b"}, "directory"),
        ({"directory": "relative"}, "directory"),
        ({"key_table": "relative"}, "key_table"),
        ({"signing_table": "/tmp/$x"}, "signing_table"),
        ({"directory": "/proc/nothing"}, "directory"),
    ],
)
def test_bad_options_are_named(tmp_path: Path, changes: dict[str, Any], option: str) -> None:
    with pytest.raises(InputError) as caught:
        run(tmp_path, **changes)
    assert caught.value.where["option"] == option
    assert tree(tmp_path) == {}
