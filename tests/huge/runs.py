# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of very many messages, and a very large message: copied, copied again, audited, and looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.integration.checks.world import Pair, World
from tests.lab import maildir, mailgen

from .checks import bodies, listing
from .fill import linked
from .watch import Watched, watched

#: What the engine may need, all its processes together, in bytes.
LIMIT = 150_000_000
PATIENCE = 3600.0


def many(
    world: World, count: int, *, fidelity: str = "auto", depths: Sequence[str] = ("counts", "headers")
) -> Iterator[tuple[str, Watched]]:
    """INBOX with so many messages of 1 KB; in the end the ledger is lost."""
    pair = world.pair()
    pair.options = {"fidelity": fidelity}
    linked(world.site.maildir(pair.address), count, owner=world.site.owner)
    shown = f"{count:,} messages of 1 KB, {fidelity}"
    first = _sync(pair)
    assert first.result.summary["messages_copied"] == count
    yield f"{shown}: first copy", first
    again = _sync(pair)
    assert again.result["changed"] is False
    yield f"{shown}: rerun", again
    exact = fidelity != "mapped"
    for depth in depths:
        audit = _audit(pair, depth)
        assert audit.result["identical" if exact else "content_identical"], audit.result.text[:2000]
        yield f"{shown}: audit, {depth}", audit
    if exact:
        assert listing(pair.target) == listing(pair.source)
    with pair.at_source() as source:
        uids = source.uids("INBOX")
        source.store("INBOX", uids[5:6], "+FLAGS", "\\Flagged")
    some = ",".join(map(str, uids[:: max(1, count // 500)]))
    if exact:
        assert bodies(pair.target, some) == bodies(pair.source, some)
    pair.ledger.unlink()
    found = _sync(pair)
    assert (found.result.summary["messages_copied"], found.result.summary["flags_changed"]) == (0, 1)
    yield f"{shown}: rerun without the ledger", found


def large(world: World, size: int) -> Iterator[tuple[str, Watched]]:
    """INBOX with a message of so many bytes between two small ones."""
    pair = world.pair()
    mails = [mailgen.make_huge(5000, "before"), mailgen.make_huge(size), mailgen.make_huge(5000, "after")]
    pair.write([maildir.Folder((), 4711, 4, list(enumerate(mails, 1)))])
    shown = f"one message of {size / 1e6:,.0f} MB"
    first = _sync(pair)
    assert first.result.summary["messages_copied"] == 3
    assert first.result.summary["bytes_copied"] == sum(mail.virtual_size for mail in mails)
    yield f"{shown}: first copy", first
    again = _sync(pair)
    assert again.result["changed"] is False
    audit = _audit(pair, "full")
    assert audit.result["identical"], audit.result.text[:2000]
    yield f"{shown}: audit, full", audit
    assert listing(pair.target) == listing(pair.source)
    assert bodies(pair.target, "1:*") == bodies(pair.source, "1:*")


def _sync(pair: Pair) -> Watched:
    done = watched("mailbox_sync", _patient(pair), patience=PATIENCE)
    assert not done.result.failed, done.result.text[:3000]
    return done


def _audit(pair: Pair, depth: str) -> Watched:
    options = _patient(pair) | {"depth": depth}
    for name in ("ledger", "fidelity"):
        options.pop(name, None)
    done = watched("mailbox_audit", options, patience=PATIENCE)
    assert not done.result.failed, done.result.text[:3000]
    return done


def _patient(pair: Pair) -> dict[str, object]:
    """The options, with servers that may think for ten minutes: a first look at a million files takes its time."""
    return pair.arguments(source={"timeout": 600}, target={"timeout": 600})
