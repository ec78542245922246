# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that break at a byte of our choice, and servers that go away in the middle (case_89, case_90)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.checks import wire
from tests.integration.checks.picture import look, placeholders
from tests.integration.checks.world import Pair, World, small_mails, with_gaps

from .proxy import Cut, cutting

#: What a run may say of a connection that broke for good.
LOST = {"connection_lost", "connection_failed", "connection_refused", "tls_failed", "timeout"}
#: After so many bytes: within the TLS handshake, at the log-in, in the survey, in the copying.
EARLY = (0, 700, 3500)
LATE = (9_000, 60_000, 250_000)
COUNT = 1500


def _filled(pair: Pair) -> Pair:
    gaps = {number: number % 50 for number in range(0, COUNT, 41)}
    pair.write(
        [
            with_gaps(small_mails(COUNT, pair.address), (), gaps),
            with_gaps(small_mails(200, f"{pair.address} sent"), ("Sent",), {100: 2000}),
        ]
    )
    return pair


def _intact(pair: Pair) -> None:
    """Whatever is on the target is the source's, under the source's UIDs, each once."""
    here, there = look(pair.source), look(pair.target)
    fillers = placeholders(there)
    for name, folder in there.folders.items():
        real = {uid: one for uid, one in folder.messages.items() if f"{name} UID {uid}" not in fillers}
        assert real.items() <= here.folders[name].messages.items()


def _sides(side: str, port: int) -> dict[str, Any]:
    return {side: {"port": port}}


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
def test_a_connection_cut_once(world: World, side: str, towards: str, after: int) -> None:
    """Cut in the copying, the run connects again and ends well; cut before, it says so and the next run does it all."""
    pair = _filled(world.pair())
    port = world.side(side)["port"]
    with cutting(port, Cut(after, towards, hard=after % 200 == 0)) as proxy:
        result = pair.sync(**_sides(side, proxy.port))
        cut = proxy.cuts
    if result.failed:
        assert cut
        # a server that hangs up at the log-in may mean by it that there is no such account: Dovecot does
        assert result.kinds(pair.address) <= LOST | ({"auth_failed"} if after in EARLY else set()), result.text[:2000]
        assert after not in LATE, result.text[:2000]
        _intact(pair)
        pair.done()
    elif cut and after in LATE:
        assert any("connection" in text for text in result.mailbox(pair.address)["findings"])
    pair.faithful()
    pair.settled()


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("after", [9_000, 60_000])
def test_connections_cut_again_and_again(world: World, side: str, after: int) -> None:
    """The run gives up on the mailbox in the end, says why, and what it did stays; the next run carries on."""
    pair, other = _filled(world.pair()), world.pair()
    other.write([with_gaps(small_mails(3), (), {})])
    port = world.side(side)["port"]
    with cutting(port, Cut(after, "client" if side == "source" else "server", hard=True, times=50)) as proxy:
        result = pair.sync(others=[other], **_sides(side, proxy.port))
        assert proxy.cuts >= 2
        assert proxy.connections <= 12, "it does not give up"
    if result.failed:
        assert result.kinds(pair.address) <= LOST, result.text[:2000]
    _intact(pair)
    pair.done(others=[other])
    pair.faithful()
    other.faithful()


@pytest.mark.parametrize("after", [0, 150, 400])
def test_doveadm_cut(world: World, after: int) -> None:
    pair = _filled(world.pair())
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
    pair.faithful()
    pair.settled()


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
def test_a_server_restarted_in_the_middle(world: World, side: str, how: str) -> None:
    pair = _filled(world.pair())
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
    _intact(pair)
    pair.done()
    pair.faithful()
    pair.settled()
