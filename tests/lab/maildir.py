# SPDX-License-Identifier: GPL-3.0-or-later
"""Write mailboxes straight into Maildir++ as Dovecot keeps it, so that UIDs, flags and dates are what we choose.

Sources: https://doc.dovecot.org/2.3/admin_manual/mailbox_formats/maildir/ (file names, dovecot-uidlist version 3,
dovecot-keywords), RFC 3501 section 5.1.3 (names on disk are in modified UTF-7).
"""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: System flags and their letters in a file name.
FLAG_LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}
#: Keywords a folder can have: one lower-case letter each.
MAX_KEYWORDS = 26


@dataclass(frozen=True)
class Mail:
    """A message as it lies on disk (lines end in LF), in one part or in several that are written one after another.

    `date` becomes INTERNALDATE, in seconds since 1970.
    """

    parts: tuple[bytes, ...]
    date: int
    flags: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(map(len, self.parts))

    @property
    def virtual_size(self) -> int:
        """Bytes over IMAP, where every line ends in CRLF (RFC822.SIZE)."""
        return self.size + sum(part.count(b"\n") - part.count(b"\r\n") for part in self.parts)


@dataclass(frozen=True)
class Folder:
    """A folder and its messages by UID, ascending. `path` has a name for each level; the empty path is INBOX."""

    path: tuple[str, ...]
    uidvalidity: int
    uidnext: int
    messages: Sequence[tuple[int, Mail]]
    subscribed: bool = True


def encode_name(name: str) -> str:
    """One level of a folder's name in modified UTF-7 (RFC 3501 section 5.1.3)."""
    result: list[str] = []
    special = ""
    for character in name:
        if " " <= character <= "~":
            result.append(_shifted(special) + ("&-" if character == "&" else character))
            special = ""
        else:
            special += character
    return "".join(result) + _shifted(special)


def _shifted(text: str) -> str:
    if not text:
        return ""
    return "&" + base64.b64encode(text.encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",") + "-"


def write_mailbox(
    maildir: Path,
    folders: Iterable[Folder],
    *,
    sizes: bool = True,
    owner: tuple[int, int] | None = None,
    subscribed_but_missing: Sequence[tuple[str, ...]] = (),
) -> tuple[int, int]:
    """Write folders into a Maildir that has no mail yet; gives back how many messages and folders there are.

    `sizes` puts S= and W= into the file names, as Dovecot does itself. `owner` needs root.
    """
    messages = count = 0
    subscribed = list(subscribed_but_missing)
    for folder in folders:
        write_folder(maildir, folder, sizes=sizes, owner=owner)
        messages += len(folder.messages)
        count += 1
        if folder.subscribed and folder.path:
            subscribed.append(folder.path)
    lines = sorted(".".join(map(encode_name, path)) for path in subscribed)
    _write(maildir / "subscriptions", "".join(f"{line}\n" for line in ["INBOX", *lines]).encode("ascii"), owner)
    return messages, count


def write_folder(maildir: Path, folder: Folder, *, sizes: bool = True, owner: tuple[int, int] | None = None) -> None:
    """Write one folder, with the list that gives its messages their UIDs.

    Raises ValueError for more than 26 keywords, and FileExistsError where the folder has a list of UIDs already.
    """
    place = _make_folder(maildir, folder.path, owner)
    keywords = _keyword_letters(folder)
    lines = [f"3 V{folder.uidvalidity} N{folder.uidnext} G{_guid(folder)}\n"]
    # Relative to a folder that is open already: much faster than a long path for every file.
    current = os.open(place / "cur", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for uid, mail in folder.messages:
            base = f"{mail.date}.M{uid % 1000000:06d}P{1000 + uid // 1000000}.mail"
            if sizes:
                base += f",S={mail.size},W={mail.virtual_size}"
            letters = sorted(FLAG_LETTERS[flag] for flag in mail.flags) + sorted(
                keywords[each] for each in mail.keywords
            )
            _write_mail(f"{base}:2,{''.join(letters)}", current, mail, owner)
            lines.append(f"{uid} :{base}\n")
    finally:
        os.close(current)
    if keywords:
        numbered = "".join(f"{number} {keyword}\n" for number, keyword in enumerate(keywords))
        _write(place / "dovecot-keywords", numbered.encode(), owner)
    _write(place / "dovecot-uidlist", "".join(lines).encode("ascii"), owner)


def deliver(maildir: Path, data: bytes, date: int, *, owner: tuple[int, int] | None = None) -> Path:
    """Put a message into INBOX as a delivery agent does: by way of tmp/ into new/, without flags and without a UID."""
    unique = f"{date}.R{random.SystemRandom().getrandbits(64):016x}.mail"
    _make_folder(maildir, (), owner)
    for_tmp = os.open(maildir / "tmp", os.O_RDONLY | os.O_DIRECTORY)
    try:
        _write_mail(unique, for_tmp, Mail((data,), date), owner)
    finally:
        os.close(for_tmp)
    return (maildir / "tmp" / unique).rename(maildir / "new" / unique)


def _make_folder(maildir: Path, path: tuple[str, ...], owner: tuple[int, int] | None) -> Path:
    place = maildir / "".join(f".{encode_name(name)}" for name in path) if path else maildir
    for folder in (maildir, place, place / "cur", place / "new", place / "tmp"):
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            if owner is not None:
                os.chown(folder, *owner)
    if path:
        _touch(place / "maildirfolder", owner)
    return place


def _touch(path: Path, owner: tuple[int, int] | None) -> None:
    path.touch(mode=0o600)
    if owner is not None:
        os.chown(path, *owner)


def _keyword_letters(folder: Folder) -> dict[str, str]:
    """Each keyword's letter, in the order of first use."""
    names = dict.fromkeys(keyword for dummy, mail in folder.messages for keyword in mail.keywords)
    if len(names) > MAX_KEYWORDS:
        raise ValueError(
            f"{'.'.join(folder.path) or 'INBOX'}: {len(names)} keywords, a Maildir folder holds {MAX_KEYWORDS}"
        )
    return {name: chr(ord("a") + number) for number, name in enumerate(names)}


def _guid(folder: Folder) -> str:
    """The folder's GUID: 32 hex digits that always come out the same."""
    return random.Random(f"{folder.path} {folder.uidvalidity}").randbytes(16).hex()


def _write_mail(name: str, folder: int, mail: Mail, owner: tuple[int, int] | None) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        for part in mail.parts:
            written = 0
            while written < len(part):
                written += os.write(handle, part[written:] if written else part)
        if owner is not None:
            os.fchown(handle, *owner)
        os.utime(handle, (mail.date, mail.date))
    finally:
        os.close(handle)


def _write(path: Path, data: bytes, owner: tuple[int, int] | None) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(data)
