# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What an operator should know of folders that are brought for the first time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from .folders import INBOX, FolderRules, Path, as_text, show
from .known_names import NOT_MAIL
from .mapping import FolderMap
from .survey import Folder, Side

_LISTED = 20
_NAMED = 100


def about_names(folder_map: FolderMap, rules: FolderRules) -> Iterator[str]:
    """Folders that are called otherwise on the target without having been renamed by the operator."""
    other = [
        f"{show(path)} is called {show(new)} on the target: {folder_map.why[path]}"
        for path, new in folder_map.paths.items()
        if new != path and folder_map.why.get(path) and rules.rule(path) is None
    ]
    yield from other[:_NAMED]
    if len(other) > _NAMED:
        yield f"{len(other) - _NAMED} more folders have other names on the target; check mode with diff lists them all"


def about_groupware(source: Side, folder_map: FolderMap, known: Collection[Path]) -> Iterator[str]:
    """Folders in which a groupware server keeps calendars, contacts and the like, to tell by their names."""
    names = [
        show(path)
        for path in folder_map.paths
        if path not in known and _is_groupware(path) and _messages(source.folders[path])
    ]
    if names:
        yield (
            f"by their names these folders hold no mail: {_some(names)}; what is in them is copied as messages, which"
            " no calendar or address book reads; folders.exclude leaves them out"
        )


def _is_groupware(path: Path) -> bool:
    """Whether a folder at the top (or right below INBOX) is called like one that holds no mail."""
    level = path[1] if path[:1] == INBOX and len(path) > 1 else path[0]
    return (as_text(level) or "").casefold() in NOT_MAIL


def _messages(folder: Folder) -> int:
    return folder.state.messages if folder.state else 0


def about_grants(grants: Mapping[bytes, Sequence[str]], names: Mapping[bytes, Path]) -> Iterator[str]:
    """Folders that are shared with others."""
    shared = [f"{show(names[name])}: {', '.join(who)}" for name, who in sorted(grants.items())]
    if shared:
        yield f"access rights are not copied; others have some to these folders: {_some(shared)}"


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return "; ".join(texts[:_LISTED]) + more
