# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox by raw IMAP (imaplib) and POP3 (poplib), to look at it and to change it as its owner would."""

from __future__ import annotations

import base64
import imaplib
import poplib
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

_LINE = re.compile(rb'\((?P<attributes>[^)]*)\) (?:"(?P<separator>\\?.)"|NIL) (?P<name>.*)', re.DOTALL)
_CHUNK = 400
imaplib._MAXLINE = 50_000_000  # type: ignore[attr-defined] # a reading limit without a public name

Date = str
#: Date that messages get unless told otherwise.
DATE: Date = " 3-Feb-2021 04:05:06 +0100"


@dataclass(frozen=True)
class Place:
    """Where a mailbox is read: a server's ports, and a user with the right to be there.

    With `imap` IMAP is spoken there in clear text; without `pop3s` nobody asks for UIDLs.
    """

    imaps: int
    pop3s: int
    ca: str
    user: str
    password: str
    master: str = ""
    master_password: str = ""
    imap: int = 0

    @property
    def login(self) -> tuple[str, str]:
        """User name and password: by the server's master user where there is one."""
        return (f"{self.user}*{self.master}", self.master_password) if self.master else (self.user, self.password)

    def tls(self) -> ssl.SSLContext:
        """Trust in the lab's authority."""
        return ssl.create_default_context(cafile=self.ca)

    def uidl(self) -> list[tuple[str, int]]:
        """POP3's view: (UIDL, size in octets) in the server's order."""
        if not self.pop3s:
            return []
        pop = poplib.POP3_SSL("127.0.0.1", self.pop3s, context=self.tls(), timeout=60)
        try:
            pop.user(self.login[0])
            pop.pass_(self.login[1])
            sizes = [int(line.split()[1]) for line in pop.list()[1]]
            return list(zip([line.split()[1].decode() for line in pop.uidl()[1]], sizes, strict=True))
        finally:
            pop.quit()

    @contextmanager
    def open(self) -> Iterator[Mailbox]:
        """The mailbox, logged in."""
        mailbox = Mailbox(self)
        try:
            yield mailbox
        finally:
            mailbox.close()


class Mailbox:
    """One connection. Folders are named as people do: Unicode, `/` between levels; the server's ways are found out."""

    def __init__(self, place: Place) -> None:
        if place.imap:
            self._imap = imaplib.IMAP4("127.0.0.1", place.imap, timeout=60)
        else:
            self._imap = imaplib.IMAP4_SSL("127.0.0.1", place.imaps, ssl_context=place.tls(), timeout=60)
        self._imap.login(*place.login)
        # what is offered before the log-in is not what counts after it
        self._capabilities = set(self._do("capability")[0].upper().split())
        self._prefix, self._separator = self._namespace()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Log out."""
        self._imap.logout()

    # commands

    def _do(self, name: str, *arguments: Any) -> list[Any]:
        status, data = getattr(self._imap, name)(*arguments)
        if status != "OK":
            raise AssertionError(f"{name} {arguments!r:.200}: {status} {data!r:.300}")
        return list(data)

    def _namespace(self) -> tuple[bytes, bytes]:
        (answer,) = self._do("namespace")
        match = re.match(rb'\(\("([^"]*)" "(\\?.)"', answer)
        assert match, answer
        return match[1], match[2][-1:]

    def name(self, folder: str) -> bytes:
        """A folder's name on the wire, not quoted."""
        if folder == "INBOX":
            return b"INBOX"
        return self._prefix + self._separator.join(encode(level) for level in folder.split("/"))

    def path(self, name: bytes) -> str:
        r"""The other way round. A slash within a level (where the separator is another) is shown as `\/`."""
        if name.upper() == b"INBOX":
            return "INBOX"
        bare = name.removeprefix(self._prefix)
        return "/".join(decode(level).replace("/", "\\/") for level in bare.split(self._separator))

    def _quoted(self, folder: str) -> str:
        text = self.name(folder).decode("ascii")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    # looking

    def folders(self) -> dict[str, frozenset[str]]:
        """Every folder with its attributes in lower case."""
        return {self.path(name): attributes for name, attributes in self._listed("list")}

    def subscribed(self) -> set[str]:
        """Subscribed folders, whether they are there or not."""
        return {self.path(name) for name, _attributes in self._listed("lsub")}

    def folders_with_uses(self) -> dict[str, frozenset[str]]:
        """Every folder with its attributes, special uses among them (RFC 6154)."""
        return {self.path(name): attributes for name, attributes in self._listed("list", "* RETURN (SPECIAL-USE)")}

    def _listed(self, verb: str, what: str = "*") -> Iterator[tuple[bytes, frozenset[str]]]:
        for line in self._do(verb, '""', what):
            if line is None or line == b"":
                continue
            head, literal = line if isinstance(line, tuple) else (line, None)
            match = _LINE.match(head)
            assert match, line
            name = literal if literal is not None else unquote(match["name"])
            yield name, frozenset(match["attributes"].decode().lower().split())

    def status(self, folder: str) -> dict[str, int]:
        """MESSAGES, UIDNEXT, UIDVALIDITY and, where the server has it, HIGHESTMODSEQ."""
        items = "MESSAGES UIDNEXT UIDVALIDITY" + (" HIGHESTMODSEQ" if b"CONDSTORE" in self._capabilities else "")
        (answer,) = self._do("status", self._quoted(folder), f"({items})")
        line = answer if isinstance(answer, bytes) else b" ".join(answer)
        words = line[line.rindex(b"(") + 1 : line.rindex(b")")].split()
        return {key.decode(): int(value) for key, value in zip(words[::2], words[1::2], strict=True)}

    def select(self, folder: str, *, writing: bool = False) -> None:
        """Open a folder."""
        self._do("select", self._quoted(folder), not writing)

    def fetch_all(self) -> list[tuple[bytes, bytes]]:
        """(what FETCH told, body) of every message of the selected folder."""
        data = self._do("uid", "FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
        return [item for item in data if isinstance(item, tuple)]

    def uids(self, folder: str) -> list[int]:
        """The UIDs in a folder."""
        self.select(folder)
        (found,) = self._do("uid", "SEARCH", "ALL")
        return [int(word) for word in (found or b"").split()]

    # doing

    def create(self, folder: str) -> None:
        """Make a folder."""
        self._do("create", self._quoted(folder))

    def tried_to_create(self, folder: str) -> bool:
        """Make a folder; False when the server would not."""
        status, _data = self._imap.create(self._quoted(folder))
        return status == "OK"

    def rename(self, folder: str, new: str) -> None:
        """Give a folder another name."""
        self._do("rename", self._quoted(folder), self._quoted(new))

    def delete(self, folder: str) -> None:
        """Remove a folder."""
        self._do("delete", self._quoted(folder))

    def subscribe(self, folder: str, *, wanted: bool = True) -> None:
        """Subscribe to a folder, or no longer."""
        self._do("subscribe" if wanted else "unsubscribe", self._quoted(folder))

    def append(self, folder: str, message: bytes, flags: str = "", date: Date = DATE) -> None:
        """Add one message."""
        self._do("append", self._quoted(folder), f"({flags})", f'"{date}"', message)

    def append_many(self, folder: str, messages: Sequence[bytes], flags: str = "", date: Date = DATE) -> None:
        """Add many messages, some hundred to a command where the server has MULTIAPPEND and LITERAL+."""
        if not {b"MULTIAPPEND", b"LITERAL+"} <= self._capabilities:
            for message in messages:
                self.append(folder, message, flags, date)
            return
        head = f' ({flags}) "{date}" '.encode()
        for start in range(0, len(messages), _CHUNK):
            parts = [head + b"{%d+}\r\n" % len(one) + one for one in messages[start : start + _CHUNK]]
            tag = b"%s%d" % (b"BULK", start)
            self._imap.send(tag + b" APPEND " + self._quoted(folder).encode() + b"".join(parts) + b"\r\n")
            while not (line := self._imap.readline()).startswith(tag):
                assert line, "the server hung up"
            assert line[len(tag) :].startswith(b" OK"), line

    def store(self, folder: str, uids: Iterable[int], change: str, flags: str) -> None:
        """Change flags: `change` is `+FLAGS`, `-FLAGS` or `FLAGS`."""
        self.select(folder, writing=True)
        self._do("uid", "STORE", ",".join(map(str, uids)), change, f"({flags})")

    def expunge(self, folder: str, uids: Iterable[int]) -> None:
        """Remove messages for good."""
        wanted = ",".join(map(str, uids))
        self.select(folder, writing=True)
        self._do("uid", "STORE", wanted, "+FLAGS.SILENT", "(\\Deleted)")
        self._do("uid", "EXPUNGE", wanted)
        self._do("unselect")

    def copy(self, folder: str, uids: Iterable[int], to: str) -> None:
        """Copy messages to another folder."""
        self.select(folder)
        self._do("uid", "COPY", ",".join(map(str, uids)), self._quoted(to))

    def move(self, folder: str, uids: Sequence[int], to: str) -> None:
        """Move messages to another folder, as clients do that know no MOVE."""
        self.copy(folder, uids, to)
        self.expunge(folder, uids)


def unquote(text: bytes) -> bytes:
    """A quoted string's or an atom's bytes."""
    return re.sub(rb"\\(.)", rb"\1", text[1:-1]) if text.startswith(b'"') else text


def encode(level: str) -> bytes:
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    result = b""
    for plain, other in re.findall(r"([ -~]+)|([^ -~]+)", level):
        if plain:
            result += plain.replace("&", "&-").encode()
        else:
            result += b"&" + base64.b64encode(other.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",") + b"-"
    return result


def decode(level: bytes) -> str:
    """The other way round."""

    def shifted(match: re.Match[bytes]) -> bytes:
        inner = match[1].replace(b",", b"/")
        return base64.b64decode(inner + b"=" * (-len(inner) % 4)).decode("utf-16-be").encode() if inner else b"&"

    return re.sub(rb"&([^-]*)-", shifted, level).decode()
