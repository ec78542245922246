# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How much mail each account has, asked by IMAP: one LIST and one STATUS per folder (RFC 9051, 6.3.11; RFC 8438).

A server that has POP3 only is asked by STAT (RFC 1939 section 5), which knows one folder.

Only what an assessment needs; copying mail is another package's work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ..errors import AuthError, MigrationError, ProtocolError, ServerError, ThrottledError
from ..password_list import PasswordList
from ..platforms.texts import shown
from ..tasks import Account
from ..transport import pop
from ..transport.dialogue import Dialogue, Reply
from ..transport.imap import POP3, ImapServer
from ..transport.login import log_in
from ..transport.wire import Literal, quoted

# A wrong master password (or token) must not be tried once for every account: some servers would lock them all.
_TRIES = 3


@dataclass(frozen=True)
class MailboxSize:
    """What an account holds. ``bytes`` is None on a server that does not say (no STATUS=SIZE)."""

    folders: int
    messages: int
    bytes: int | None


@dataclass(frozen=True)
class FolderSize:
    """What a folder holds; ``name`` as the server spells it."""

    name: bytes
    messages: int
    bytes: int | None


@dataclass(frozen=True)
class Refusal:
    """Why an account's mailbox could not be looked at, in the server's words where it had some."""

    message: str
    kind: str = "mailbox_missing"


@dataclass(frozen=True)
class ListedServer(ImapServer):
    """A server whose accounts' passwords come from a list, where it has nobody who may see all mailboxes."""

    passwords: PasswordList | None = field(default=None, repr=False, compare=False)

    def account(self, user: str) -> Account:
        """The user, with the password that is known. Raises AuthError when one is needed and there is none."""
        password = self.passwords.get(user) if self.passwords else None
        if self.passwords and password is None and self.admin_user is None:
            raise AuthError("the list of passwords has none for this account; it was not tried", **self.place)
        return Account(user, password)


def account_on(server: ImapServer, user: str) -> Account:
    """The user as the server is to be asked for it. Raises AuthError as :meth:`ListedServer.account`."""
    return server.account(user) if isinstance(server, ListedServer) else Account(user)


def measure(server: ImapServer, users: Iterable[str]) -> dict[str, MailboxSize | Refusal]:
    """Sizes by user. A user that the server does not let in becomes a :class:`Refusal`.

    Raises AuthError when the first three users are all refused (the master password is wrong, then), and the errors of
    connecting, TLS and missing libraries.
    """
    names = list(users)
    found: dict[str, MailboxSize | Refusal] = {}
    for name in names[:_TRIES]:
        found[name] = _measure(server, name)
        if isinstance(found[name], MailboxSize):
            break
    else:
        # Of a list every password is of its own.
        if names and not (isinstance(server, ListedServer) and server.passwords and server.admin_user is None):
            said = next(each.message for each in found.values() if isinstance(each, Refusal))
            who = server.admin_user or "the bearer of its token"
            message = f"the IMAP server refused {who} for {len(found)} accounts: {said}"
            raise AuthError(message, server=f"{server.host}:{server.port}")
    rest = [name for name in names if name not in found]
    with ThreadPoolExecutor(max_workers=max(1, server.max_connections)) as pool:
        found.update(zip(rest, pool.map(lambda name: _try(server, name), rest), strict=True))
    return found


def _try(server: ImapServer, user: str) -> MailboxSize | Refusal:
    """The server has answered before: what goes wrong now is about this account."""
    try:
        return _measure(server, user)
    except MigrationError as error:
        return Refusal(error.message, error.kind)


def _measure(server: ImapServer, user: str) -> MailboxSize | Refusal:
    try:
        if server.protocol == POP3:
            return _count_by_pop(server, user)
        with logged_in(server, user) as (session, _round_trip):
            return _count(session)
    except AuthError as error:
        return Refusal(shown(error.message))
    except (ThrottledError, ServerError) as error:
        return Refusal(shown(error.message), error.kind)


@contextlib.contextmanager
def logged_in(server: ImapServer, user: str) -> Iterator[tuple[Dialogue, float]]:
    """A user's session, and the shortest answer of its log-in in seconds. Raises the errors of :func:`log_in`."""
    made = log_in(server, account_on(server, user))
    # The log-in's own dialogue takes so many responses only as belong to a log-in.
    session = Dialogue(made.wire, made.capabilities)
    try:
        yield session, made.round_trip
        with contextlib.suppress(MigrationError):
            session.run(b"LOGOUT")
    except MigrationError as error:
        raise error.at(**server.place) from error
    finally:
        session.wire.close()


def _count_by_pop(server: ImapServer, user: str) -> MailboxSize:
    session = pop.log_in(server, account_on(server, user))
    try:
        messages, size = session.run(b"STAT", "count the messages (STAT)").split()[:2]
        return MailboxSize(1, int(messages), int(size))
    except ValueError as error:
        raise ProtocolError("the server's STAT answer is unreadable", **server.place) from error
    finally:
        session.quit()


def _count(session: Dialogue) -> MailboxSize:
    folders = list(folder_sizes(session))
    known = all(folder.bytes is not None for folder in folders)
    size = sum(folder.bytes or 0 for folder in folders)
    return MailboxSize(len(folders), sum(folder.messages for folder in folders), size if known else None)


def folder_sizes(session: Dialogue) -> Iterator[FolderSize]:
    """What each folder of a mailbox holds, in the server's order."""
    with_size = session.has(b"STATUS=SIZE")
    items = b"(MESSAGES SIZE)" if with_size else b"(MESSAGES)"
    for name in list(_names(must(session, b'LIST "" "*"'))):
        status = next(_statuses(must(session, b"STATUS ", quoted(name), b" " + items)), {})
        yield FolderSize(name, status.get(b"MESSAGES", 0), status.get(b"SIZE", 0) if with_size else None)


def must(session: Dialogue, *command: bytes | Literal) -> Reply:
    """The answer to a command. Raises ServerError when the server does not do it."""
    reply = session.run(*command)
    if not reply.ok:
        raise session.refused(reply, "count the mailbox's messages")
    return reply


def _names(reply: Reply) -> Iterator[bytes]:
    """The folders of a LIST answer that can hold messages (RFC 3501 section 7.2.2)."""
    for response in reply.untagged:
        if response.text[:5].upper() != b"LIST ":
            continue
        values = response.values(skip=5)
        if len(values) < 3 or not isinstance(values[0], list) or not isinstance(values[2], bytes):
            raise ProtocolError("the server's list of folders is unreadable")
        flags = {flag.lower() for flag in values[0] if isinstance(flag, bytes)}
        if not flags & {b"\\noselect", b"\\nonexistent"}:
            yield values[2]


def _statuses(reply: Reply) -> Iterator[dict[bytes, int]]:
    """The numbers of a STATUS answer (RFC 3501 section 7.2.4)."""
    for response in reply.untagged:
        if response.text[:7].upper() != b"STATUS ":
            continue
        values = response.values(skip=7)
        items = values[-1] if isinstance(values[-1], list) else []
        pairs = zip(items[::2], items[1::2], strict=False)
        yield {
            key.upper(): int(value)
            for key, value in pairs
            if isinstance(key, bytes) and isinstance(value, bytes) and value.isdigit()
        }
