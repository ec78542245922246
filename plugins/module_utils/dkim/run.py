# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What dkim_key does: options in, result out. No result, diff or finding ever holds anything of a private key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..errors import DkimTableError, MigrationError, UnsupportedError
from . import store
from .keys import SigningKey, new_key, require_cryptography
from .options import Request, request
from .outcome import Outcome, result
from .plan import Choice, Key, Wanted, choose, settled, without
from .published import Answer, look, published
from .record import Record
from .tables import with_keys, with_signing


def dkim_key(params: Mapping[str, Any], now: int, *, check_mode: bool, diff_mode: bool = False) -> dict[str, Any]:
    """Make, keep, rotate or remove a signing key; in check mode only say what would be done.

    ``now`` is in seconds since 1970. Raises InputError, DkimError and MissingLibraryError.
    """
    try:
        require_cryptography()
        asked = request(params)
        with nullcontext() if check_mode else store.locked(asked.place):
            outcome = _carried_out(asked, now, check_mode=check_mode)
    except MigrationError as error:
        raise error.at(customer=params["customer"], domain=params["domain"]) from error.__cause__
    return result(asked, outcome, diff_mode=diff_mode)


def _carried_out(asked: Request, now: int, *, check_mode: bool) -> Outcome:
    before = store.read_keys(asked.place, asked.domain, now)
    _refuse_foreign(asked, before)
    if asked.wanted is None:
        outcome = Outcome(before, without(before, asked.selector))
        made = None
    else:
        outcome, made = _settled(asked, asked.wanted, before, now, check_mode=check_mode)
    outcome = _with_files(asked, outcome)
    if not check_mode:
        _apply(asked, outcome, made)
    return outcome


def _settled(
    asked: Request, wanted: Wanted, before: list[Key], now: int, *, check_mode: bool
) -> tuple[Outcome, SigningKey | None]:
    """The keys as they are to be, with the one that has to be made."""
    choice = choose(wanted, before, now)
    made = new_key(wanted.type, wanted.bits) if choice.make and not check_mode else None
    keys = [key for key in before if key.selector != choice.selector] if choice.make else before
    if choice.make:
        fresh = Key(choice.selector, wanted.type, made.public if made else None, "prepared", made_at=now)
        keys = [*keys, fresh]
    answers = [] if choice.make else _looked(asked, choice, keys)
    after = settled(wanted, choice, keys, published=published(answers), now=now)
    return Outcome(before, after, choice, tuple(answers)), made


def _looked(asked: Request, choice: Choice, keys: Sequence[Key]) -> list[Answer]:
    """What DNS says of a key that was there before; a new one can't have been published yet."""
    chosen = next(key for key in keys if key.selector == choice.selector)
    if chosen.public is None:
        return []
    return look(Record(choice.selector, asked.domain, chosen.public, asked.ttl), asked.whom)


def _refuse_foreign(asked: Request, keys: Sequence[Key]) -> None:
    """Raises DkimTableError when somebody else signs for the domain, or the signer can't take such a key beside."""
    foreign = store.foreign_selectors(asked.place, asked.domain, keys)
    if foreign:
        said = f"{asked.place.signing_table} has the domain sign with {', '.join(foreign)}, a key that is not ours"
        raise DkimTableError(said, table=str(asked.place.signing_table))
    if asked.wanted is None:
        return
    if asked.wanted.type not in asked.place.layout.types:
        said = f"{asked.place.backend} can't sign with keys of type {asked.wanted.type}"
        raise UnsupportedError(said, option="type")
    if not asked.place.layout.most:
        return
    others = [key for key in keys if key.stage in ("prepared", "signing") and key.type != asked.wanted.type]
    if others:
        said = f"{asked.place.backend} signs with one key for a domain, and {others[0].selector} is one of another type"
        raise DkimTableError(said, safe_next="Keep to one type of key for this signer; nothing has been changed.")


def _with_files(asked: Request, outcome: Outcome) -> Outcome:
    """The outcome with the tables before and after, and with files that have to be mended."""
    place, domain = asked.place, asked.domain
    signing, keys = store.table_text(place.signing_table), store.table_text(place.key_table)
    signs = [key.selector for key in outcome.after if key.stage == "signing"]
    there = [key.selector for key in outcome.after if key.stage != "retired"]
    made = outcome.choice.selector if outcome.choice and outcome.choice.make else None
    kept = [key for key in outcome.before if key.selector in there and key.selector != made]
    return outcome.with_files(
        signing=(signing, with_signing(signing, place.layout, domain, signs)),
        keys=(keys, with_keys(keys, place.layout, domain, there, str(place.domain(domain)))),
        loose=tuple(store.loose_files(place, domain, kept)),
        halves=tuple(store.left_behind(place, domain)),
    )


def _apply(asked: Request, outcome: Outcome, made: SigningKey | None) -> None:
    """Carry it out in an order in which the signer always finds every key that a table names.

    A run that is killed in between leaves a state that the next one goes on from.
    """
    place, domain, layout = asked.place, asked.domain, asked.place.layout
    for path in outcome.halves:
        path.unlink(missing_ok=True)
    store.tighten(place, outcome.loose)
    if made and outcome.choice:
        store.write_key(place, domain, outcome.choice.selector, made)
    before = [key.selector for key in outcome.before if key.stage != "retired"]
    after = [key.selector for key in outcome.after if key.stage != "retired"]
    folder = str(place.domain(domain))
    everything = with_keys(outcome.keys[0], layout, domain, sorted({*before, *after}), folder)
    texts = (outcome.keys[0], everything, outcome.keys[1])
    if outcome.keys[0] != outcome.keys[1]:
        _write(place.key_table, texts[0], texts[1])
    _write(place.signing_table, *outcome.signing)
    if outcome.keys[0] != outcome.keys[1]:
        _write(place.key_table, texts[1], texts[2])
    for selector in before:
        if selector not in after:
            place.key_file(domain, selector).unlink(missing_ok=True)
    store.write_state(place, domain, outcome.after)


def _write(path: Path, old: str, new: str) -> None:
    if old != new:
        store.write_table(path, new)
