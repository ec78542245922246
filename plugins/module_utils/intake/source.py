# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The customer's side: SSH, the database and its rights, the mail servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import password_list
from ..errors import InputError
from ..mail.server import Server
from ..pgp.home import PgpKeys
from ..pgp.options import pgp_keys
from ..pgp.received import copy_received
from ..platforms.options import overrides
from ..settings.extract import Site, recognise
from ..settings.profiles import source_profile
from ..tasks import Account
from ..transport.database import Database, quoted, text
from ..transport.imap import TOKENS
from .items import Answer, asked, missing, ok, unchecked
from .rights import escrow_right, needless, read_grants
from .ways import (
    SSH_ITEMS,
    check_login,
    check_tls,
    database_server,
    given,
    lacking,
    mail_server,
    open_database,
    open_ssh,
    seconds_off,
    without_half_an_admin,
)

DATABASE_ITEMS = ("database_login", "database_tables", "database_rights", "database_least_rights")
MAIL_ITEMS = ("imap_tls", "imap_login", "pop_login")
#: So many accounts are tried at most: not every account of a database has a mailbox.
_TRIES = 3


@dataclass
class Seen:
    """What the database told besides: accounts to try log-ins with, and how far its clock is off (seconds)."""

    accounts: list[str] = field(default_factory=list)
    seconds_off: float | None = None


def check_settings_source(params: Mapping[str, Any], pgp: PgpKeys | None, seen: Seen) -> Iterator[Answer]:
    """Answers for SSH, files and database."""
    source = given(params.get("source"))
    yield from asked(("source_files",), lambda: [_files(source, pgp_keys(source) or pgp)])
    files = _paths(source)
    if files or (not source.get("database") and params.get("mailboxes")):
        why = "not needed: accounts are read from files" if files else "not needed: mailboxes are listed"
        for item in (*SSH_ITEMS, *DATABASE_ITEMS):
            yield ok(item, why)
        return
    tunnel = None
    try:
        if source.get("ssh"):
            answers, tunnel = open_ssh(source["ssh"], params["timeout"])
            yield from answers
            if tunnel is None:
                yield from unchecked(DATABASE_ITEMS, "the way through SSH is not open")
                return
        else:
            yield from (ok(item, "not needed: the database is reached directly") for item in SSH_ITEMS)
        yield from asked(DATABASE_ITEMS, lambda: _database(params, source, tunnel, seen))
    finally:
        if tunnel is not None:
            tunnel.close()


def _database(params: Mapping[str, Any], source: Mapping[str, Any], tunnel: Any, seen: Seen) -> Iterator[Answer]:
    server = database_server("database_login", source.get("database") or {}, params["timeout"])
    if isinstance(server, Answer):
        yield server
        yield from unchecked(DATABASE_ITEMS[1:], "there is no way to the database")
        return
    with open_database(server, tunnel) as database:
        yield ok("database_login", f"user {server.user} at {server.place}")
        seen.seconds_off = seconds_off(database)
        site = recognise(database, source_profile(source.get("profile") or "atmail"), overrides(source))
        tables = sorted(shard.name for table in site.tables.values() for shard in table.shards)
        said = f"profile {site.profile.name} {site.settings.get('version', '')}".rstrip()
        yield ok("database_tables", f"{said}: {', '.join(tables)}")
        yield from _rights(database, server.name, site, escrow=params["escrow"])
        seen.accounts += _accounts(database, site)


def _rights(database: Database, name: str, site: Site, *, escrow: bool) -> Iterator[Answer]:
    for table in site.tables.values():
        for shard in table.shards:
            columns = ", ".join(quoted(column) for column in shard.columns.values())
            database.all(f"SELECT {columns} FROM {quoted(shard.name)} LIMIT 1")  # noqa: S608 -- quoted names
    grants = read_grants([text(row[0]) or "" for row in database.all("SHOW GRANTS")])
    passwords = site.tables["passwords"].shards if escrow else ()
    wanted = [(name, shard.name, shard.columns["password"]) for shard in passwords]
    lacks = [
        f"UPDATE (`{column}`) ON `{table}`"
        for _database_name, table, column in wanted
        if not escrow_right(grants, name, table, column)
    ]
    if lacks:
        said = f"passwords are to be swapped for transit, and there is no right to {', '.join(lacks)}"
        yield missing("database_rights", said, "Ask the customer to grant it until passwords are reinstated.")
    else:
        yield ok("database_rights", "all tables of the profile can be read" + (", passwords be set" if escrow else ""))
    extra = needless(grants, {(table, column) for _database_name, table, column in wanted})
    if extra:
        said = f"the user may do more than is needed: {'; '.join(extra)}"
        yield missing("database_least_rights", said, "Ask the customer to revoke it; SELECT is enough.")
    else:
        yield ok(
            "database_least_rights", "SELECT" + (", and UPDATE of the password" if escrow else "") + ", nothing else"
        )


def _accounts(database: Database, site: Site) -> list[str]:
    """Some accounts of the source, in its own spelling."""
    found: list[str] = []
    for shard in site.tables["users"].shards:
        if len(found) < _TRIES:
            sql = f"{shard.select('account')} WHERE {shard.column('account')} LIKE %s LIMIT {_TRIES}"
            found += [text(row[0]) or "" for row in database.all(sql, ("%_@_%",))]
    return found[:_TRIES]


def _paths(source: Mapping[str, Any]) -> list[str]:
    """The files that accounts are read from: those of ``csv``, and the ``dump``."""
    values = [*(source.get("csv") or {}).items(), *(source.get("dump") or {}).items()]
    named = ("accounts", "aliases", "forwards", "lists", "domains", "path")
    return [str(value) for name, value in values if name in named and isinstance(value, str) and value]


def _files(source: Mapping[str, Any], pgp: PgpKeys | None) -> Answer:
    paths = _paths(source)
    if not paths:
        return ok("source_files", "not needed: accounts are read from the database")
    for path in paths:
        copy_received(Path(path), pgp, lambda _piece: None)
    return ok("source_files", ", ".join(paths))


def check_mail_source(params: Mapping[str, Any], accounts: Sequence[str]) -> Iterator[Answer]:
    """Answers for IMAP and POP3; ``accounts`` are some that the source has."""
    options = given((params.get("source") or {}).get("imap"))
    if lacking(options, ("host",)):
        yield missing("imap_tls", "migration_source.imap has no host", "Ask the customer for it.")
        yield from unchecked(("imap_login", "pop_login"), "there is no mail server")
        return
    server = mail_server("source", without_half_an_admin(options), params["timeout"])
    by_pop = server.protocol == "pop3"
    if by_pop:
        yield ok("imap_tls", "not needed: mailboxes are read by POP3")
        yield ok("imap_login", "not needed: mailboxes are read by POP3")
    else:
        tls = check_tls("imap_tls", server)
        yield tls
        if tls.state == "ok":
            yield from asked(("imap_login",), lambda: [way_in("imap_login", server, params, accounts)])
        else:
            yield from unchecked(("imap_login",), "not tried on a connection that is not safe")
    yield from asked(("pop_login",), lambda: [_pop(server.pop3(), params, accounts)])


def _pop(server: Server | None, params: Mapping[str, Any], accounts: Sequence[str]) -> Answer:
    if server is None:
        return ok("pop_login", "not needed: pop3_port is not given")
    return way_in("pop_login", server, params, accounts)


def way_in(item: str, server: Server, params: Mapping[str, Any], accounts: Sequence[str]) -> Answer:
    """Whether mailboxes can be opened: by an admin user or a token, else by passwords."""
    side = server.name
    options = given((params.get(side) or {}).get("imap"))
    if options.get("admin_user") and not options.get("admin_password"):
        return missing(item, f"migration_{side}.imap has an admin_user and no admin_password", "Give the password.")
    known = [Account(str(one[f"{side}_user"]), one.get(f"{side}_password")) for one in listed(params, side)]
    if server.admin_user or any(getattr(server, option) for option in TOKENS):
        names = [params["account"]] if params.get("account") else [*[one.user for one in known], *accounts][:_TRIES]
        if names:
            return check_login(item, server, [Account(name) for name in names])
        return unchecked((item,), "no account is known to try it with", "Name one in migration_intake.account.")[0]
    own = [one for one in known if one.password] or _with_list(params, side, [*known, *map(Account, accounts)])
    if own:
        return check_login(item, server, own[:1])
    if params["escrow"]:
        return ok(item, "not tried: passwords are set for transit, and reinstated")
    said = "there is no admin user, no token, no list of passwords, and no escrow is planned"
    return missing(item, said, "Agree with the customer on one of them.")


def _with_list(params: Mapping[str, Any], side: str, accounts: Iterable[Account]) -> list[Account]:
    """The accounts whose passwords are in the encrypted list. Raises the errors of a list that can't be used."""
    given_list = given(params.get(f"{side}_passwords"))
    if not given_list:
        return []
    if not given_list.get("vault_password"):
        raise InputError("the list of passwords has no vault_password", option=f"{side}_passwords.vault_password")
    passwords = password_list.from_options(given_list, f"{side}_passwords")
    return [Account(one.user, passwords.get(one.user)) for one in accounts if passwords.get(one.user)]


def listed(params: Mapping[str, Any], side: str) -> Iterator[Mapping[str, Any]]:
    """The mailboxes that are listed, each with its user on this side."""
    for one in params.get("mailboxes") or ():
        user = one.get(f"{side}_user") or one.get("source_user")
        if user:
            yield {**one, f"{side}_user": user}
