# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What dns_records does: read the sets from the zone's own server, plan, change, read again; or put all of it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ..errors import DnsChangedError, DnsError, DnsRefusedError, InputError, MigrationError, TimedOutError
from ..transport.nameserver import PORT, Asker, NameServer, parse_server
from ..transport.nameupdate import ALGORITHMS, RrSet, Swap, TsigKey, canonical, send
from . import kept as kept_file
from .changes import Kept, Key, Wanted, kept_after, plan, put_back
from .cloud import ascii_name
from .finding import Record
from .lines import zone_lines

#: Types that a migration changes; SOA, NS and DNSSEC's own are never ours.
TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "SRV", "TXT")

RECORDS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "zone": {"type": "str"},
        "name": {"type": "str", "required": True},
        "type": {"type": "str", "required": True, "choices": list(TYPES)},
        "ttl": {"type": "int", "default": 300},
        "values": {"type": "list", "elements": "str"},
        "replaces": {"type": "str", "default": ""},
        "when": {"type": "str", "default": ""},
        "check": {"type": "str"},
        "why": {"type": "str"},
    },
}
OPTIONS: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "restored"], "default": "present"},
    "server": {"type": "str", "required": True},
    "port": {"type": "int", "default": PORT},
    "key": {
        "type": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "algorithm": {"type": "str", "choices": list(ALGORITHMS), "default": ALGORITHMS[0]},
            "secret": {"type": "str", "required": True, "no_log": True},
        },
    },
    "records": RECORDS,
    "backup": {"type": "path", "required": True},
    "only": {"type": "list", "elements": "str", "default": []},
    "max_ttl": {"type": "int"},
    "timeout": {"type": "float", "default": 10.0},
}


@dataclass(frozen=True)
class _Zone:
    """What there is to do in one zone, and what will be remembered afterwards."""

    name: str
    swaps: list[Swap]
    kept: list[Kept]


def dns_records(params: Mapping[str, Any], *, check_mode: bool, diff_mode: bool = False) -> dict[str, Any]:
    """Make a zone's records what they should be, or what they were; in check mode only say what would be done.

    Raises InputError, the errors of connecting, and those of kind ``dns_…``.
    """
    try:
        return _run(params, check_mode=check_mode, diff_mode=diff_mode)
    except MigrationError as error:
        raise error.at(customer=params["customer"]) from error.__cause__


def _run(params: Mapping[str, Any], *, check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    server, path, customer = _server(params), Path(params["backup"]), params["customer"]
    key = TsigKey(params["key"]["name"], params["key"]["secret"], params["key"]["algorithm"])
    remembered = kept_file.load(path, customer)
    if params["state"] == "restored":
        zones = _restoring(server, remembered, params)
    else:
        zones = _setting(server, remembered, wanted_of(_with_zones(server, params)), params)
    done: list[_Zone] = []
    for zone in zones:
        if not check_mode:
            try:
                _change(server, key, zone, path, params, remembered)
            except MigrationError as error:
                error.done = _result(done, diff_mode=diff_mode)
                raise
            remembered = zone.kept
        done.append(zone)
    return _result(zones, diff_mode=diff_mode)


def _with_zones(server: NameServer, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records, each with the closest zone above its name that the server has, where none is said."""
    with Asker(params["timeout"]) as asker:
        return [{**one, "zone": one["zone"] or _zone_at(asker, server, one["name"])} for one in params["records"]]


def _zone_at(asker: Asker, server: NameServer, text: str) -> str:
    labels = ascii_name(text, "records").split(".")
    for start in range(len(labels)):
        above = ".".join(labels[start:])
        told = asker.ask(server, above, "SOA")
        if told.status == "silent":
            raise TimedOutError(f"the name server gives no answer ({told.reason})", server=server.label)
        if told.values and told.authoritative and not told.aliases:
            return above
    raise DnsRefusedError(f"the name server has no zone that {text} could be in", server=server.label)


def wanted_of(records: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """The record sets to make. Raises InputError that names everything that is wrong with them."""
    found: list[Wanted] = []
    problems: list[str] = []
    for one in records:
        try:
            found.append(_wanted(one))
        except InputError as error:
            problems.append(f"{one['name']} {one['type']}: {error.message}")
    if problems:
        raise InputError("; ".join(problems), option="records")
    return found


def _wanted(one: Mapping[str, Any]) -> Wanted:
    zone, name, kind = ascii_name(one["zone"], "records"), ascii_name(one["name"], "records"), one["type"]
    if name != zone and not name.endswith(f".{zone}"):
        raise InputError(f"it is not in the zone {zone}", option="records")
    if kind == "CNAME" and name == zone:
        raise InputError("a zone itself can't be an alias (RFC 1034 section 3.6.2)", option="records")
    if one["replaces"] and kind != "TXT":
        raise InputError("replaces is for TXT records only", option="records")
    if not 0 < one["ttl"] < 2**31:
        raise InputError(f"{one['ttl']} is no TTL (RFC 2181 section 8)", option="records")
    values = None if one["values"] is None else tuple(sorted({canonical(kind, value) for value in one["values"]}))
    if kind == "CNAME" and values and len(values) > 1:
        raise InputError("a name can be an alias of one other only", option="records")
    return Wanted(zone, name, kind, one["ttl"], values, one["replaces"], one["when"])


def _setting(
    server: NameServer, remembered: Sequence[Kept], wanted: Sequence[Wanted], params: Mapping[str, Any]
) -> list[_Zone]:
    zones: list[_Zone] = []
    for zone, group in groupby(sorted(wanted, key=lambda one: one.zone), key=lambda one: one.zone):
        ours = list(group)
        current = _read(server, zone, _beside(ours), params["timeout"])
        swaps = plan(ours, current)
        _refuse_beside_aliases(current, swaps)
        if swaps:
            remembered = kept_after(remembered, ours, swaps, zone)
            zones.append(_Zone(zone, swaps, list(remembered)))
    return zones


def _beside(wanted: Sequence[Wanted]) -> list[Key]:
    """The record sets to read: those to make, and what must not stand beside them."""
    keys = {one.key: None for one in wanted}
    for one in wanted:
        if one.values:
            others = TYPES if one.kind == "CNAME" else ("CNAME",)
            keys |= {(one.name, kind): None for kind in others}
    return list(keys)


def _refuse_beside_aliases(current: Mapping[Key, RrSet], swaps: Sequence[Swap]) -> None:
    """A server leaves out an alias that other records stand beside, and says nothing (RFC 2136 section 3.4.2.2)."""
    state = {**current, **{(swap.name, swap.kind): swap.after for swap in swaps}}
    kinds: dict[str, list[str]] = {}
    for (name, kind), rrset in state.items():
        if rrset.values:
            kinds.setdefault(name, []).append(kind)
    found = [name for name, those in kinds.items() if "CNAME" in those and len(those) > 1]
    if found:
        named = "; ".join(f"{name} has {', '.join(sorted(kinds[name]))}" for name in sorted(found))
        raise InputError(f"nothing can stand beside a CNAME: {named}; remove what is too much", option="records")


def _restoring(server: NameServer, remembered: Sequence[Kept], params: Mapping[str, Any]) -> list[_Zone]:
    only, most = params["only"], params["max_ttl"]
    chosen = [one for one in remembered if not only or one.when in only]
    zones: list[_Zone] = []
    conflicts: list[Kept] = []
    left = list(remembered)
    for zone, group in groupby(sorted(chosen, key=lambda one: one.zone), key=lambda one: one.zone):
        ours = list(group)
        current = _read(server, zone, [one.key for one in ours], params["timeout"])
        swaps, others = put_back(ours, current, most)
        conflicts += others
        # what got a lower TTL than it had is not wholly back yet
        lower = [one for one in ours if most is not None and one.before.ttl > most]
        after = {(swap.name, swap.kind): swap.after for swap in swaps}
        left = [one for one in left if one not in ours or one in lower]
        left = [_lowered(one, after) if one in lower else one for one in left]
        if swaps or left != list(remembered):
            zones.append(_Zone(zone, swaps, list(left)))
    if conflicts:
        named = ", ".join(f"{one.name} {one.kind}" for one in conflicts)
        raise DnsChangedError(f"{named}: somebody else has changed what we had set, and it is left as it is")
    return zones


def _lowered(one: Kept, after: Mapping[Key, RrSet]) -> Kept:
    return Kept(one.zone, one.name, one.kind, one.before, after.get(one.key, one.after), one.when)


def _read(server: NameServer, zone: str, keys: Sequence[Key], timeout: float) -> dict[Key, RrSet]:
    """The record sets as the zone's own server has them now."""
    found: dict[Key, RrSet] = {}
    with Asker(timeout) as asker:
        asker.prepare([server], keys)
        for name, kind in keys:
            told = asker.ask(server, name, kind)
            where = {"server": server.label, "zone": zone}
            if told.status == "silent":
                raise TimedOutError(f"the name server gives no answer ({told.reason})", **where)
            if told.status == "refused" or (told.answered and not told.authoritative):
                raise DnsRefusedError("the name server does not serve the zone", **where)
            if not told.answered:
                raise DnsError(f"the name server fails ({told.reason})", **where)
            own = told.values and not told.aliases
            found[name, kind] = RrSet(told.ttl, tuple(sorted(told.values))) if own else RrSet()
    return found


def _change(
    server: NameServer,
    key: TsigKey,
    zone: _Zone,
    path: Path,
    params: Mapping[str, Any],
    remembered: Sequence[Kept],
) -> None:
    """Change one zone; what it was is on the disk before, and it is read again afterwards."""
    setting = params["state"] == "present"
    if setting:
        kept_file.save(path, params["customer"], zone.kept)
    if zone.swaps:
        try:
            send(server, zone.name, key, zone.swaps, params["timeout"])
        except (DnsRefusedError, DnsChangedError, InputError):
            if setting:
                kept_file.save(path, params["customer"], remembered)
            raise
        now = _read(server, zone.name, [(swap.name, swap.kind) for swap in zone.swaps], params["timeout"])
        wrong = [f"{swap.name} {swap.kind}" for swap in zone.swaps if now[swap.name, swap.kind] != swap.after]
        if wrong:
            raise DnsError(f"the name server took the change, and does not show it: {', '.join(wrong)}", zone=zone.name)
    if not setting:
        kept_file.save(path, params["customer"], zone.kept)


def _result(zones: Sequence[_Zone], *, diff_mode: bool) -> dict[str, Any]:
    swaps = [(zone.name, swap) for zone in zones for swap in zone.swaps]
    result: dict[str, Any] = {
        "changed": bool(swaps),
        "records": [
            {
                "zone": zone,
                "name": swap.name,
                "type": swap.kind,
                "before": {"ttl": swap.before.ttl, "values": list(swap.before.values)},
                "after": {"ttl": swap.after.ttl, "values": list(swap.after.values)},
            }
            for zone, swap in swaps
        ],
    }
    if diff_mode:
        result["diff"] = {
            "before_header": "zone",
            "after_header": "zone",
            "before": _shown([(zone, swap, swap.before) for zone, swap in swaps]),
            "after": _shown([(zone, swap, swap.after) for zone, swap in swaps]),
        }
    return result


def _shown(sets: Sequence[tuple[str, Swap, RrSet]]) -> str:
    records = [
        Record(zone, swap.name, swap.kind, rrset.ttl, rrset.values) for zone, swap, rrset in sets if rrset.values
    ]
    return "".join(f"{line}\n" for line in zone_lines(records).splitlines() if line and not line.startswith(";"))


def _server(params: Mapping[str, Any]) -> NameServer:
    found = parse_server(params["server"], option="server")
    return found if found.port != PORT else NameServer(found.address, "", params["port"])
