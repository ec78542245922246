# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud's side: its database, our tenant in it (H16), its IMAP server and the doveadm API beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import InputError, MigrationError
from ..mail.doveadm import Doveadm
from ..mail.server import Server
from ..platforms.options import overrides
from ..settings.target import Place
from ..settings.targets import OPENING, open_target
from ..transport.ssh import SshServer, maybe_tunnel
from .items import Answer, asked, missing, ok, unchecked
from .source import Seen, way_in
from .ways import (
    check_tls,
    database_server,
    given,
    in_time,
    lacking,
    mail_server,
    open_database,
    seconds_off,
    without_half_an_admin,
)

DATABASE_ITEMS = ("target_database", "tenant")
MAIL_ITEMS = ("target_imap", "target_doveadm", "target_login")


def check_settings_target(params: Mapping[str, Any], seen: Seen) -> Iterator[Answer]:
    """Answers for :data:`DATABASE_ITEMS`."""
    target = given(params.get("target"))
    server = database_server("target_database", target.get("database") or {}, params["timeout"])
    if isinstance(server, Answer):
        yield server
        yield from unchecked(("tenant",), "there is no way to the cloud's database")
        return
    ssh = SshServer(**in_time(given(target["ssh"]), params["timeout"])) if target.get("ssh") else None
    with maybe_tunnel(ssh) as tunnel, open_database(server, tunnel) as database:
        profile = target.get("profile") or "cloud"
        if profile not in OPENING:
            raise InputError(f"there is no target profile {profile!r}, only {', '.join(OPENING)}", option="profile")
        platform = open_target(profile, database, overrides(target))
        yield ok("target_database", f"user {server.user} at {server.place}")
        seen.seconds_off = seconds_off(database)
        if lacking(params, ("subscription", "region")):
            yield from unchecked(("tenant",), "the subscription or the region is not given")
            return
        platform.check(Place(params["subscription"], params["region"]))
        yield ok("tenant", f"{params['subscription']} in {params['region']} is active and enabled")


def check_mail_target(params: Mapping[str, Any], accounts: Sequence[str]) -> Iterator[Answer]:
    """Answers for :data:`MAIL_ITEMS`; ``accounts`` are some that the source has."""
    options = given((params.get("target") or {}).get("imap"))
    if lacking(options, ("host",)):
        yield missing("target_imap", "migration_target.imap has no host", "Set it in the region's variables.")
        yield from unchecked(MAIL_ITEMS[1:], "there is no mail server")
        return
    server = mail_server("target", without_half_an_admin(options), params["timeout"])
    tls = check_tls("target_imap", server)
    yield tls
    there: list[str] = []
    yield from asked(("target_doveadm",), lambda: [_doveadm(server, params, accounts, there)])
    if tls.state != "ok":
        yield from unchecked(("target_login",), "not tried on a connection that is not safe")
        return
    yield from asked(("target_login",), lambda: [_login(server, params, there)])


def _doveadm(server: Server, params: Mapping[str, Any], accounts: Sequence[str], there: list[str]) -> Answer:
    """Ask the API for accounts; those that are there already are noted in ``there``."""
    if not server.doveadm_url:
        said = "doveadm_url is not given: UIDVALIDITY can't be kept, and mail clients download everything again"
        return missing("target_doveadm", said, "Set doveadm_url and doveadm_api_key.")
    api = Doveadm(server)
    try:
        names = [name.lower() for name in (params.get("account"), *accounts) if name]
        there += [name for name in names if api.user_exists(name)]
        api.user_exists("nobody@migration.invalid")
    finally:
        api.close()
    return ok("target_doveadm", f"{server.doveadm_url} takes the key")


def _login(server: Server, params: Mapping[str, Any], there: Sequence[str]) -> Answer:
    if not there:
        said = "none of the customer's accounts is there yet"
        return unchecked(("target_login",), said, "Run the check again after provision.")[0]
    try:
        return way_in("target_login", server, {**params, "account": None, "escrow": False}, there)
    except MigrationError as error:
        raise error.at(server=server.address) from error
