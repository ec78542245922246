# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What PostfixAdmin's columns can hold: their character sets, rows of so many targets, dates from 2000 to 2038."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...platforms.shape import BoundTable
from ..model import AutoReply, Finding
from ..things import ACCOUNTS, DOMAINS, Thing

#: Characters of `goto`, and what the own address and that of vacation.pl may need of them.
_LONGEST_GOTO, _ROOM = 65535, 1024
#: Dates outside of these stand for no date (PostfixAdmin's upgrade.php), a day narrower for the sake of time zones.
_EARLIEST, _LATEST = "2000-01-02T23:59:59Z", "2038-01-17T00:00:00Z"


@dataclass(frozen=True)
class Fitting:
    """Makes things as they would be read back from these tables."""

    tables: Mapping[str, BoundTable]

    def fit(self, thing: Thing) -> tuple[Thing | None, tuple[Finding, ...]]:
        """The thing as it would be read back: its texts in the columns' character sets, its dates from 2000 to 2038."""
        if thing.kind == DOMAINS:
            return thing, ()
        lost: list[str] = []
        fitting = self._routed(thing, lost)
        if fitting is None:
            message = f"{'; '.join(lost)}; it is left out"
            return None, (Finding(thing.key, "value_unfit", message, "error"),)
        if thing.kind == ACCOUNTS:
            fields = dict(fitting.fields)
            fields["display_name"] = self._text("mailboxes", "name", fields["display_name"], "name", lost)
            if isinstance(fields.get("auto_reply"), AutoReply):
                fields["auto_reply"] = self._reply(fields["auto_reply"], lost)
            fitting = replace(fitting, fields=fields)
        return fitting, tuple(Finding(thing.key, "value_unfit", message, "warning") for message in lost)

    def _routed(self, thing: Thing, lost: list[str]) -> Thing | None:
        """The thing with those of its targets that a row can hold; None when there is nothing left of it."""
        ways = self.tables["ways"].charsets
        if not _holds(ways["address"], thing.key):
            lost.append("the address has letters that the target can't hold")
            return None
        name = "forwards" if thing.kind == ACCOUNTS else "targets"
        targets = thing.fields[name]
        kept = tuple(each for each in targets if _holds(ways["goto"], each))
        if len(kept) < len(targets):
            lost.append(f"{len(targets) - len(kept)} of its {name} have letters that the target can't hold")
        if sum(len(each) + 1 for each in kept) + _ROOM > _LONGEST_GOTO:
            lost.append(f"its {name} are more than a row of the target holds")
            return None
        fields = {**thing.fields, name: kept}
        if thing.kind == ACCOUNTS:
            return replace(thing, fields={**fields, "keep_copy": fields["keep_copy"] or not kept})
        return replace(thing, fields=fields) if kept else None

    def _text(self, table: str, column: str, value: str, word: str, lost: list[str]) -> str:
        """The text, with a question mark for each letter that the column can't hold."""
        charset = self.tables[table].charsets[column]
        fitting = "".join(each if _holds(charset, each) else "?" for each in value)
        if fitting != value:
            lost.append(f"letters of the {word} that the target can't hold are question marks there")
        return fitting

    def _reply(self, reply: AutoReply, lost: list[str]) -> AutoReply:
        fitting = replace(
            reply,
            subject=self._text("vacations", "subject", reply.subject, "automatic reply's subject", lost),
            text=self._text("vacations", "body", reply.text, "automatic reply", lost),
            starts=reply.starts if reply.starts and reply.starts > _EARLIEST else None,
            ends=reply.ends if reply.ends and reply.ends < _LATEST else None,
        )
        if (reply.starts or "") >= _LATEST or (reply.ends and reply.ends <= _EARLIEST):
            lost.append("the automatic reply has dates that the target can't hold; it is switched off there")
            return replace(fitting, enabled=False, starts=None, ends=None)
        return fitting


def _holds(charset: str, value: str) -> bool:
    """Can a column of this character set hold the text?"""
    if charset == "latin1":  # which is Windows-1252 to MySQL
        return len(value.encode("cp1252", "ignore")) == len(value)
    if charset in ("utf8", "utf8mb3"):
        return all(ord(each) < 65536 for each in value)
    return charset != "ascii" or value.isascii()
