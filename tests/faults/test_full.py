# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that is full: by quota, or by its disk (case_92, case_95)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.checks.picture import look, placeholders
from tests.integration.checks.world import Pair, World, small_mails, with_gaps
from tests.lab.maildir import Mail


def _mails(count: int, size: int, seed: str) -> list[Mail]:
    """Messages of about so many bytes."""
    return [Mail((*mail.parts, b"x" * 70 + b"\n" * (size - 400)), mail.date) for mail in small_mails(count, seed)]


@pytest.mark.case(95)
@pytest.mark.parametrize("fidelity", ["faithful", "mapped"])
def test_quota_used_up_in_the_middle_then_raised(world: World, fidelity: str) -> None:
    pair, other = world.pair(quota_bytes=1_500_000), world.pair()
    for one in (pair, other):
        one.options = {"fidelity": fidelity}
        one.write(
            [
                with_gaps(_mails(600, 1000, one.address), (), {20: 30, 550: 7}),
                with_gaps(_mails(500, 1000, f"{one.address} sent"), ("Sent",), {250: 100}),
            ]
        )
    result = pair.sync(others=[other])
    assert (result.failed, result["kind"]) == (True, "over_quota"), result.text[:2000]
    (failure,) = result.failures(pair.address)
    assert (failure["kind"], failure["mailbox"]) == ("over_quota", pair.address)
    assert "quota" in failure["safe_next"].lower()
    there = look(pair.target)
    assert placeholders(there) == []
    assert 0 < there.count < 1100
    assert result.mailbox(pair.address)["messages_copied"] == there.count
    assert result.mailbox(other.address)["messages_copied"] == 1100
    again = pair.sync(others=[other])
    assert (again.failed, again["kind"]) == (True, "over_quota")
    world.region.add_account(pair.address, pair.target_password, quota_bytes=50_000_000)
    result = pair.done(others=[other])
    assert result.summary["messages_copied"] >= 1100 - there.count - 500
    for one in (pair, other):
        one.faithful() if fidelity == "faithful" else one.mapped()
    assert pair.done(others=[other])["changed"] is False


@contextmanager
def _small_disk(pair: Pair, megabytes: int) -> Iterator[Path]:
    """The target mailbox lies on a disk of its own."""
    home = pair.world.region.mail_root / pair.world.site.domain / pair.address.partition("@")[0]
    home.mkdir(parents=True, exist_ok=True)
    uid, gid = pair.world.region.owner
    options = f"size={megabytes}m,uid={uid},gid={gid},mode=0700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(home)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield home
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.mark.case(92)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
@pytest.mark.parametrize("fidelity", ["faithful", "mapped"])
def test_disk_full_in_the_middle_then_enlarged(world: World, fidelity: str) -> None:
    pair, other = world.pair(), world.pair()
    parent = world.region.mail_root / world.site.domain
    parent.mkdir(exist_ok=True)
    os.chown(parent, *world.region.owner)
    for one in (pair, other):
        one.options = {"fidelity": fidelity}
        one.write([with_gaps(_mails(1500, 3000, one.address), (), {20: 30, 700: 7})])
    with _small_disk(pair, 3) as home:
        result = pair.sync(others=[other])
        assert result.failed
        # Dovecot tells its log that the disk is full, and the client nothing but an internal error
        assert result.kinds(pair.address) & {"disk_full", "over_quota", "server_fault"}, result.text[:2000]
        assert len(result.failures(pair.address)) <= 5, "every message is blamed for a fault of the server's"
        assert result.failures(pair.address)[0]["mailbox"] == pair.address
        assert result.mailbox(other.address)["messages_copied"] == 1500
        subprocess.run(["mount", "-o", "remount,size=60m", str(home)], check=True)
        pair.done(others=[other])
        for one in (pair, other):
            one.faithful() if fidelity == "faithful" else one.mapped()
        assert pair.done(others=[other])["changed"] is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_disk_full_where_the_ledger_lies(world: World, tmp_path: Path) -> None:
    """The run fails with a kind of the ledger's; the target holds nothing twice, and the next run carries on."""
    pair = world.pair()
    pair.write([with_gaps(small_mails(3000, "ledger"), (), {})])
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        result = pair.sync(ledger=str(tmp_path / "ledger.sqlite3"))
        assert result.failed
        assert result.kinds(pair.address) == {"ledger_failed"}, result.text[:2000]
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    pair.done()
    pair.faithful()
    pair.settled()
