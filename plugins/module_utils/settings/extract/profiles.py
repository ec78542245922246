# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the users' table says of each account: status, quota, forwards, auto-reply, mail folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...addresses import canonical_address
from ...platforms.rows import Row
from ...platforms.texts import full_name, is_on, lines, shown
from ...transport.database import Database
from ..model import AutoReply, Finding
from .lists import addresses
from .quotas import quota
from .site import Site


@dataclass(frozen=True)
class Profile:
    """An account's row, in canonical units. ``forward_kept`` None: the row does not say whether copies are kept."""

    enabled: bool = True
    quota_bytes: int | None = None
    display_name: str = ""
    maildir: str | None = None
    group: str = ""
    forwards: tuple[str, ...] = ()
    forward_kept: bool | None = None
    auto_reply: AutoReply | None = None


@dataclass
class Profiles:
    """What came of the rows. An address with several rows that differ has None."""

    by_address: dict[str, Profile | None] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)

    def folders(self) -> dict[str, str]:
        """Whose mail folder is where; a folder of several accounts is nobody's."""
        found: dict[str, str] = {}
        shared = set()
        for address, profile in self.by_address.items():
            folder = (profile.maildir or "").strip().rstrip("/") if profile else ""
            if folder and found.setdefault(folder, address) != address:
                shared.add(folder)
        return {folder: address for folder, address in found.items() if folder not in shared}


def read_profiles(database: Database, site: Site) -> Profiles:
    """The users' rows by canonical address, and what is to be said about them."""
    quotas = _group_quotas(database, site)
    found = Profiles(groups=tuple(sorted(quotas)))
    by_name = {name.lower(): number for name, number in quotas.items()}
    from_group = 0
    for row in site.rows(database, "users"):
        address = canonical_address(row["account"])
        profile, said = _profile(site, address, row)
        found.findings += said
        if not row["quota"].strip() and by_name.get(profile.group.lower()):
            profile = replace(profile, quota_bytes=by_name[profile.group.lower()])
            from_group += 1
        if found.by_address.get(address, profile) != profile:
            found.by_address[address] = None
        else:
            found.by_address.setdefault(address, profile)
    if from_group:
        message = f"{from_group} accounts have no quota of their own; they get the one of their class of service"
        found.findings.append(Finding("", "quota_of_group", message))
    return found


def _profile(site: Site, address: str, row: Row) -> tuple[Profile, list[Finding]]:
    findings = []
    quota_bytes = quota(row.get("quota"), site.profile.quota_unit)
    if quota_bytes is not None and quota_bytes < 0:
        quota_bytes = None
        message = f"the quota {shown(row['quota'])} is no number of bytes; the account gets none"
        findings.append(Finding(shown(address), "value_invalid", message, "warning"))
    targets = addresses(row["forward"])
    for what, why in targets.faults:
        message = f"mail is not forwarded to {what}: {why}"
        findings.append(Finding(shown(address), "forward_invalid", message, "warning"))
    forwards = tuple(target for target in targets.valid if target != address)
    if targets.valid and not forwards:
        findings.append(Finding(shown(address), "forward_to_self", "the account forwards its mail to itself only"))
    for what, key in (("forward", "forward"), ("auto-reply", "auto_reply")):
        if row.cut(key):
            message = f"the {what} fills its column: its end may be missing"
            findings.append(Finding(shown(address), "value_cut", message, "warning"))
    text = lines(row["auto_reply"]).strip()
    profile = Profile(
        enabled=_enabled(site, row),
        quota_bytes=quota_bytes,
        display_name=full_name(row["first_name"], row["last_name"]),
        maildir=row["maildir"] if site.has("users", "maildir") else None,
        group=row["group"].strip(),
        forwards=forwards,
        forward_kept=_kept(site, row, address in targets.valid),
        auto_reply=AutoReply(text) if text else None,
    )
    return profile, findings


def _kept(site: Site, row: Row, names_itself: bool) -> bool | None:
    """Who forwards to himself, too, keeps a copy."""
    if names_itself:
        return True
    return is_on(row["keep_copy"]) if site.has("users", "keep_copy") else None


def _enabled(site: Site, row: Row) -> bool:
    if site.has("users", "disabled"):
        return not is_on(row.get("disabled"))
    return is_on(row.get("enabled")) or not site.has("users", "enabled")


def _group_quotas(database: Database, site: Site) -> dict[str, int | None]:
    """The classes of service by name, with their quotas in bytes; None is none, or one that is no number."""
    found = {}
    for row in site.rows(database, "groups", "name", "quota"):
        number = quota(row.get("quota"), site.profile.quota_unit)
        found[row["name"].strip()] = number if number is None or number > 0 else None
    return found
