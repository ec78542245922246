# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which source folder becomes which target folder: one to one, and the same in every run.

A folder keeps its name unless the operator renames it, its use has a folder on the target already, or the target could
not have such a name. A folder that a run has brought stays what it became then, as the ledger has it, whatever other
folders come or go; only an entry in ``folders.rename`` moves it. Two folders never become one: that is refused before
anything is written.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import InputError
from . import utf7
from .folders import INBOX, MAP, FolderRules, Path, as_text, show
from .known_names import SPECIAL
from .namespaces import Namespace
from .survey import Side

#: What a file system takes as one name, in bytes; Dovecot takes as much for a level.
MAX_LEVEL = 255
#: Levels that Dovecot keeps for itself (dbox-Mails: "Contains reserved name").
_RESERVED = frozenset({b"dbox-Mails"})
_DOTS = frozenset({b".", b".."})


@dataclass(frozen=True)
class FolderMap:
    """Source path → target path, both ways; ``why`` says of what differs why it does.

    ``moves`` are folders that a run has brought to one name and that ``folders.rename`` now gives another one.
    """

    paths: Mapping[Path, Path]
    why: Mapping[Path, str] = field(default_factory=dict)
    moves: Mapping[Path, Path] = field(default_factory=dict)

    def back(self) -> dict[Path, Path]:
        """Target path → source path."""
        return {new: old for old, new in self.paths.items()}

    def lines(self) -> list[str]:
        """A line for every folder whose name differs."""
        return [
            f"{show(path)} → {show(new)}" + (f" ({self.why[path]})" if self.why.get(path) else "")
            for path, new in sorted(self.paths.items())
            if path != new
        ]


def map_folders(
    paths: Iterable[Path],
    target: Namespace,
    rules: FolderRules,
    *,
    pins: Mapping[Path, Path] | None = None,
    uses: Mapping[Path, Path] | None = None,
    existing: Iterable[Path] = (),
    moving: bool = True,
) -> FolderMap:
    """The map of all folders that are not excluded.

    ``pins`` are the target paths of folders that runs have brought before, ``uses`` what :func:`special_places` gives,
    ``existing`` the target's folders. Without ``moving`` not even a rule gives a folder another name again.

    :raises InputError: two folders would become one, or one would become another user's.
    """
    known, places = pins or {}, uses or {}
    mapping: dict[Path, Path] = {}
    why: dict[Path, str] = {}
    moves: dict[Path, Path] = {}
    for path in sorted(paths, key=lambda one: (len(one), one)):
        if rules.excludes(path):
            continue
        wanted, because = _wanted(path, target, rules, places)
        before = known.get(path)
        if before is not None and before != wanted:
            if moving and rules.rule(path) is not None:
                moves[path] = before
            else:
                wanted, because = before, because or "as it was when it was first copied"
        mapping[path] = wanted
        if wanted != path:
            why[path] = because
    for path, there in _composed(mapping, set(existing)).items():
        mapping[path] = there
        why[path] = why.get(path) or "the target composes characters in another way"
    _check(mapping, target, set(known))
    return FolderMap(mapping, why, moves)


def map_sides(
    source: Side, target: Side, rules: FolderRules, pins: Mapping[Path, Path] | None = None, *, moving: bool = True
) -> FolderMap:
    """The map of one side's folders to the other's.

    :raises InputError: as :func:`map_folders`.
    """
    uses = special_places(
        {path: folder.special_uses for path, folder in source.folders.items()},
        {path: folder.special_uses for path, folder in target.folders.items()},
        rules,
    )
    return map_folders(
        source.folders, target.namespace, rules, pins=pins, uses=uses, existing=target.folders, moving=moving
    )


def _composed(mapping: Mapping[Path, Path], existing: set[Path]) -> dict[Path, Path]:
    """Folders that are there already, spelled with other code points for the same characters (Unicode NFC and NFD).

    Some servers turn one into the other (Dovecot 2.4 does), and would have the folder twice in our eyes.
    """
    taken = set(mapping.values())
    free = {_nfc(path): path for path in existing if path not in taken and not _plain(path)}
    if not free:
        return {}
    missing = ((path, new) for path, new in mapping.items() if new not in existing and not _plain(new))
    return {path: free[key] for path, new in missing if (key := _nfc(new)) in free}


def _plain(path: Path) -> bool:
    return not any(b"&" in level for level in path)


def _nfc(path: Path) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", as_text(level) or "") for level in path)


def _wanted(path: Path, target: Namespace, rules: FolderRules, places: Mapping[Path, Path]) -> tuple[Path, str]:
    """What a folder becomes when no run has brought it yet, and why it is not called as it is."""
    because = ""
    new = path
    if rules.rule(path) is not None:
        new, because = rules.renamed(path), "folders.rename"
    else:
        above = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in places), None)
        if above is not None:
            new, because = places[above] + path[len(above) :], "folders.special_use"
    fitted, changes = fit(new, target)
    return fitted, "; ".join([*([because] if because and new != path else []), *changes])


def _check(mapping: Mapping[Path, Path], target: Namespace, pinned: set[Path]) -> None:
    """Refuse what would become one, or somebody else's; names decide, as the target spells them."""
    taken: dict[bytes, Path] = {}
    clashes: list[tuple[Path, Path]] = []
    for path in sorted(mapping, key=lambda one: (one not in pinned, mapping[one] != one, len(one), one)):
        name = target.name(mapping[path])
        if not target.owns(name):
            raise InputError(
                f"{show(path)} would become {show(mapping[path])} on the target, which is not the user's own there",
                folder=show(path),
                option="folders.rename",
                safe_next=_advice(path, mapping),
            )
        if name in taken:
            clashes.append((path, taken[name]))
        taken.setdefault(name, path)
    if clashes:
        path, other = clashes[0]
        more = f"; {len(clashes) - 1} more such pair(s)" if len(clashes) > 1 else ""
        raise InputError(
            f"{show(path)} and {show(other)} would both become {show(mapping[path])} on the target{more}",
            folder=show(path),
            option="folders.rename",
            safe_next=_advice(path, mapping),
        )


def _advice(path: Path, mapping: Mapping[Path, Path]) -> str:
    """What to set so that the folder gets a name that is free."""
    new = mapping[path]
    taken = set(mapping.values())
    number = 2
    while (free := (*new[:-1], new[-1] + b" (%d)" % number)) in taken:
        number += 1
    return f'Set folders.rename, for instance {{"{show(path)}": "{show(free)}"}}; nothing has been changed.'


# names that the target can have


def fit(path: Path, target: Namespace) -> tuple[Path, list[str]]:
    """The path as the target can have it, and what had to be changed for that.

    What no server takes, or Dovecot does not: names that are no legal modified UTF-7, control characters, an empty
    level, the target's separator within a level, ``.`` and ``..``, a level of more than 255 bytes, ``~`` at the very
    beginning.
    """
    changes: list[str] = []

    def apply(change: Callable[[bytes], bytes], text: str, levels: Path) -> Path:
        new = tuple(change(level) for level in levels)
        if new != levels:
            changes.append(text)
        return new

    if path == INBOX:
        return path, changes
    levels = apply(_legal, "its name is no legal modified UTF-7", path)
    levels = apply(_printable, "its name holds control characters", levels)
    if target.separator:
        separator = target.separator
        levels = apply(lambda level: level.replace(separator, b"_"), "its name holds the separator", levels)
    elif len(levels) > 1:
        levels = (b"_".join(levels),)
        changes.append("the target's folders have no levels")
    levels = apply(lambda level: level or b"_", "its name has an empty level", levels)
    levels = apply(_speakable, "the target keeps such a name for itself", levels)
    # below INBOX and beside it may be one place
    levels = target.path(target.name(levels))
    if levels[0][:1] == b"~":
        levels = (b"_" + levels[0][1:], *levels[1:])
        changes.append("its name begins with ~")
    levels = apply(_short, f"its name has a level of more than {MAX_LEVEL} bytes", levels)
    return levels, changes


def _legal(level: bytes) -> bytes:
    """The level in modified UTF-7: raw UTF-8 is encoded, other eight-bit text read as Latin-1, the rest as itself."""
    if utf7.decode(level) is not None:
        return level
    text = as_text(level)
    return utf7.encode(level.decode("latin-1") if text is None else text)


def _printable(level: bytes) -> bytes:
    text = utf7.decode(level) or ""
    if not any(char < " " for char in text):
        return level
    return utf7.encode("".join("_" if char < " " else char for char in text))


def _speakable(level: bytes) -> bytes:
    if level in _DOTS:
        return b"_" * len(level)
    return level + b"_" if level in _RESERVED else level


def _short(level: bytes) -> bytes:
    """A level that is too long loses its end; a digest of all of it keeps it apart from others that begin alike."""
    if len(level) <= MAX_LEVEL:
        return level
    mark = "~" + hashlib.blake2b(level, digest_size=4).hexdigest()
    text = (utf7.decode(level) or "")[:MAX_LEVEL]
    while len(utf7.encode(text + mark)) > MAX_LEVEL:
        text = text[:-1]
    return utf7.encode(text + mark)


# special uses


def special_places(
    source: Mapping[Path, frozenset[bytes]], target: Mapping[Path, frozenset[bytes]], rules: FolderRules
) -> dict[Path, Path]:
    r"""Where folders with a special use go with ``folders.special_use: map``; both sides' folders with their uses.

    The target's place for a use is its folder that says so (RFC 6154), or else the first of the known names. One folder
    of the source goes there: none if one is called so already; otherwise the one that says so itself, or the first by
    known names. All others keep their names, as a second ``\Sent`` does.
    """
    if rules.special_use != MAP:
        return {}
    meant = {path: uses for path, uses in source.items() if not rules.excludes(path) and rules.rule(path) is None}
    coming = {rules.renamed(path) for path in source if not rules.excludes(path)}
    places: dict[Path, Path] = {}
    for use, names in SPECIAL.items():
        said = sorted(path for path, uses in target.items() if use in uses)
        place = said[0] if said else (utf7.encode(names[0]),)
        best = min(
            (path for path in meant if _rank(path, meant[path], use)),
            key=lambda one: (_rank(one, meant[one], use), one),
            default=None,
        )
        if best is not None and best != place and place not in coming and place not in places.values():
            places[best] = place
    return places


def _rank(path: Path, uses: frozenset[bytes], use: bytes) -> int:
    """How well a folder suits a use, 1 best; 0 not at all. One that says another use of itself does not."""
    if use in uses:
        return 1
    level = path[1] if len(path) == 2 and path[:1] == INBOX else path[0]
    if uses & SPECIAL.keys() or len(path) > 2 or (len(path) == 2 and path[:1] != INBOX):
        return 0
    text = (as_text(level) or "").casefold()
    return next((number for number, name in enumerate(SPECIAL[use], 2) if name.casefold() == text), 0)
