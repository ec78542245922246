# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of a million messages in seconds: files of a Maildir are links to a few."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab import maildir

#: A file of ext4 has at most 65,000 names.
_LINKS = 30_000
DATE = 1_600_000_000


def linked(place: Path, count: int, *, size: int = 1000, owner: tuple[int, int] | None = None) -> int:
    """Fill an empty Maildir's INBOX with messages of about `size` bytes; gives how many bytes these are over IMAP.

    Their UIDs run from 1 on, with a hole in front of every thousandth. Every 30,000 messages are copies of one.
    """
    maildir.write_mailbox(place, [maildir.Folder((), 4711, 1, [])], owner=owner)
    (place / "dovecot-uidlist").unlink()
    lines, total, uid = [], 0, 0
    current = os.open(place / "cur", os.O_RDONLY | os.O_DIRECTORY)
    try:
        mail = _mail(0, size)
        for number in range(count):
            kind = number // _LINKS
            if number % _LINKS == 0:
                mail = _mail(kind, size)
                _write(place / "tmp" / f"{kind}", mail, owner)
            uid += 2 if number % 1000 == 999 else 1
            name = f"{DATE + kind}.M{number}.mail,S={mail.size},W={mail.virtual_size}"
            os.link(place / "tmp" / f"{kind}", f"{name}:2,S", dst_dir_fd=current)
            lines.append(f"{uid} :{name}\n")
            total += mail.virtual_size
    finally:
        os.close(current)
    for path in (place / "tmp").iterdir():
        path.unlink()
    head = f"3 V4711 N{uid + 1} G{bytes(range(16)).hex()}\n"
    _write(place / "dovecot-uidlist", maildir.Mail((head.encode(), "".join(lines).encode()), DATE), owner)
    return total


def _mail(number: int, size: int) -> maildir.Mail:
    head = f"From: a@example.com\nSubject: {number}\nMessage-ID: <{number}@example.com>\n\n".encode()
    line = b"forty bytes of text, and again and again\n"
    return maildir.Mail((head, line * (max(0, size - len(head)) // len(line))), DATE + number)


def _write(path: Path, mail: maildir.Mail, owner: tuple[int, int] | None) -> None:
    path.write_bytes(b"".join(mail.parts))
    path.chmod(0o600)
    os.utime(path, (mail.date, mail.date))
    if owner is not None:
        os.chown(path, *owner)
