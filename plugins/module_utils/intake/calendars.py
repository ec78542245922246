# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The ways to calendars and contacts on both sides (H02, H03), tried as far as they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..dav.options import ATMAIL, DAV, FILES
from ..dav.web.server import WebServer
from ..dav.web.side import open_web
from ..errors import AuthError
from .items import Answer, asked, missing, ok, unchecked
from .source import listed
from .ways import given, in_time

ITEMS = ("calendars", "target_dav")


def check_calendars(params: Mapping[str, Any], accounts: Sequence[str]) -> Iterator[Answer]:
    """Answers for :data:`ITEMS`; ``accounts`` are some that the source has."""
    source, target = (given((params.get(side) or {}).get("dav")) for side in ("source", "target"))
    if not params["calendars"] or not source:
        why = "migration_source.dav is not given" if params["calendars"] else "migration_has_dav is false"
        for item in ITEMS:
            yield ok(item, f"not needed: {why}, so calendars and contacts are not copied")
        return
    yield from asked(ITEMS[:1], lambda: [_source(source, params, accounts)])
    if not target:
        said = "migration_target.dav is not given: calendars and contacts would not be copied"
        yield missing("target_dav", said, "Set it in the region's variables, or leave migration_source.dav out.")
        return
    yield from asked(ITEMS[1:], lambda: [_target(target, params, accounts)])


def _source(options: Mapping[str, Any], params: Mapping[str, Any], accounts: Sequence[str]) -> Answer:
    protocol = options.get("protocol") or DAV
    if protocol == ATMAIL:
        return ok("calendars", "they are in the database of accounts and settings")
    if protocol == FILES:
        folder = Path(str(options.get("path") or ""))
        if not options.get("path") or not folder.is_dir():
            said = f"there is no folder {folder}" if options.get("path") else "migration_source.dav has no path"
            return missing("calendars", said, "Ask the customer for the exported files.")
        return ok("calendars", f"{sum(one.is_dir() for one in folder.iterdir())} accounts in {folder}")
    return _reached("calendars", "source", options, params, accounts)


def _target(options: Mapping[str, Any], params: Mapping[str, Any], accounts: Sequence[str]) -> Answer:
    try:
        return _reached("target_dav", "target", options, params, accounts)
    except AuthError as error:
        said = f"nobody is let in ({error.message}); the accounts may not be there yet"
        return unchecked(("target_dav",), said, "Run the check again after provision.")[0]


def _reached(
    item: str, side: str, options: Mapping[str, Any], params: Mapping[str, Any], accounts: Sequence[str]
) -> Answer:
    """Log in for one account, and look at its calendars and address books. Raises what stands against that."""
    if not options.get("url"):
        return missing(item, f"migration_{side}.dav has no url", "Ask the customer for it.")
    server = WebServer.from_options(side, in_time(dict(options), params["timeout"]))
    passwords = {one[f"{side}_user"]: one.get(f"{side}_password") for one in listed(params, side)}
    names = [params["account"]] if params.get("account") else [*passwords, *accounts]
    tried = [name for name in names if server.admin_user or server.oauth_token or passwords.get(name)][:1]
    if not tried:
        return unchecked((item,), "no account is known to try it with", "Name one in migration_intake.account.")[0]
    account = open_web(server, tried[0], passwords.get(tried[0]))
    try:
        found = account.survey()
    finally:
        account.close()
    return ok(item, f"{server.url}, tried with {tried[0]}: {len(found.collections)} calendars and address books")
