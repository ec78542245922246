# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that break at a byte of our choice, and servers that go away in the middle (case_89, case_90)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.checks import wire
from tests.integration.checks.picture import Picture, differences, look, placeholders
from tests.integration.checks.world import Pair, World, small_mails, with_gaps

from .proxy import Cut, cutting

pytestmark = pytest.mark.long

#: What a run may say of a connection that broke for good.
LOST = {"connection_lost", "connection_failed", "connection_refused", "tls_failed", "timeout"}
#: After so many bytes: within the TLS handshake, at the log-in, in the survey, in the copying.
EARLY = (0, 700, 3500)
LATE = (9_000, 60_000, 250_000)
COUNT = 1500


@pytest.fixture(scope="module")
def origin(world: World) -> tuple[Pair, Picture]:
    """The source mailbox of all these tests, and what it holds."""
    pair = world.pair(on_target=False)
    gaps = {number: number % 50 for number in range(0, COUNT, 41)}
    inbox, sent = small_mails(COUNT, "cut"), small_mails(200, "cut sent")
    pair.write([with_gaps(inbox, (), gaps), with_gaps(sent, ("Sent",), {100: 2000})])
    return pair, look(pair.source)


@dataclass
class Copy:
    """A target mailbox and the picture that it shall become."""

    pair: Pair
    wanted: Picture

    def intact(self) -> None:
        """Whatever is on the target is the source's, under the source's UIDs, each once."""
        there = look(self.pair.target)
        fillers = placeholders(there)
        for name, folder in there.folders.items():
            real = {uid: one for uid, one in folder.messages.items() if f"{name} UID {uid}" not in fillers}
            assert real.items() <= self.wanted.folders[name].messages.items()

    def complete(self) -> None:
        """The target is the same as the source, and stays so."""
        there = look(self.pair.target)
        assert placeholders(there) == []
        assert differences(self.wanted, there) == []
        self.pair.settled()


@pytest.fixture
def copy(world: World, origin: tuple[Pair, Picture]) -> Copy:
    """A fresh account of the target."""
    return Copy(world.pair(origin=origin[0]), origin[1])


def _sides(side: str, port: int) -> dict[str, Any]:
    return {side: {"port": port}}


@pytest.mark.case(89, 90)
@pytest.mark.parametrize(
    ("side", "towards", "after"),
    [
        *(("source", "client", after) for after in (*EARLY, *LATE)),
        *(("target", "server", after) for after in (*EARLY, *LATE)),
        ("source", "server", 700),
        ("target", "client", 700),
        ("target", "client", 6_000),
    ],
)
def test_a_connection_cut_once(copy: Copy, side: str, towards: str, after: int) -> None:
    """Cut in the copying, the run connects again and ends well; cut before, it says so and the next run does it all."""
    pair = copy.pair
    port = pair.world.side(side)["port"]
    with cutting(port, Cut(after, towards, hard=after % 200 == 0)) as proxy:
        result = pair.sync(**_sides(side, proxy.port))
        cut = proxy.cuts
    if result.failed:
        assert cut
        # a server that hangs up at the log-in may mean by it that there is no such account: Dovecot does
        assert result.kinds(pair.address) <= LOST | ({"auth_failed"} if after in EARLY else set()), result.text[:2000]
        assert after not in LATE, result.text[:2000]
        copy.intact()
        pair.done()
    elif cut and after in LATE:
        assert any("connection" in text for text in result.mailbox(pair.address)["findings"])
    copy.complete()


@pytest.mark.case(90)
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("after", [9_000, 60_000])
def test_connections_cut_again_and_again(copy: Copy, world: World, side: str, after: int) -> None:
    """The run gives up on the mailbox in the end, says why, and what it did stays; the next run carries on."""
    pair, other = copy.pair, world.pair()
    other.write([with_gaps(small_mails(3), (), {})])
    port = world.side(side)["port"]
    with cutting(port, Cut(after, "client" if side == "source" else "server", hard=True, times=50)) as proxy:
        result = pair.sync(others=[other], **_sides(side, proxy.port))
        assert proxy.cuts >= 2
        assert proxy.connections <= 12, "it does not give up"
    if result.failed:
        assert result.kinds(pair.address) <= LOST, result.text[:2000]
    copy.intact()
    pair.done(others=[other])
    copy.complete()
    other.faithful()


@pytest.mark.parametrize("after", [0, 150, 400])
def test_doveadm_cut(copy: Copy, world: World, after: int) -> None:
    pair = copy.pair
    url = world.side("target")["doveadm_url"]
    port = int(url.split(":")[2].split("/")[0])
    with cutting(port, Cut(after, "client", times=50)) as proxy:
        result = pair.sync(target={"doveadm_url": url.replace(str(port), str(proxy.port))})
        cut = proxy.cuts
    if cut:
        assert result.failed
        assert result.kinds(pair.address) <= LOST | {"server_error", "protocol_error"}, result.text[:2000]
        assert "doveadm" in str(result.failures(pair.address))
    pair.done()
    copy.complete()


def _when_copying(pair: Pair, act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as messages are written to the target."""

    def go() -> None:
        end = time.monotonic() + 30
        while "APPEND" not in {one.verb for one in wire.commands(pair.world.rawlog(), pair.address)}:
            if time.monotonic() > end:
                return
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=go)
    thread.start()
    return thread


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_server_restarted_in_the_middle(copy: Copy, world: World, side: str, how: str) -> None:
    pair = copy.pair
    dovecot = (world.region if side == "target" else world.site).dovecot

    restarted: list[float] = []

    def restart() -> None:
        (dovecot.stop if how == "stopped" else dovecot.kill)()
        dovecot.start()
        restarted.append(time.monotonic())

    thread = _when_copying(pair, restart)
    try:
        result = pair.sync(pace={"messages_per_second": 700})
    finally:
        thread.join()
    assert restarted
    if result.failed:
        assert result.kinds(pair.address) <= LOST, result.text[:2000]
    elif side == "target":
        assert any("connection" in text for text in result.mailbox(pair.address)["findings"])
    # a Dovecot that is killed may lose the flags of what it holds, placeholders' too; the next run mends all that
    if (side, how) != ("target", "killed"):
        copy.intact()
    pair.done()
    copy.complete()
