# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The customer's own names for services (H35 to H38), what clients find by themselves (RFC 6186, 8314). Pure."""

from __future__ import annotations

from ..transport.nameserver import Told, plain
from .cloud import Cloud
from .finding import MISSING, OK, PENDING, WARNING, WRONG, Verdict, shown

_SET = "Set the record as it stands in the zone lines."
#: Service → (label, port): what is offered (H24), and what is not any more.
OFFERED = {"imap": ("_imaps._tcp", 993), "pop3": ("_pop3s._tcp", 995), "smtp": ("_submissions._tcp", 465)}
CLOSED = ("_imap._tcp", "_pop3._tcp", "_submission._tcp")
NOT_OFFERED = "0 0 0 ."


def wanted_srv(cloud: Cloud, service: str) -> str:
    """The SRV record of a service; its target is the cloud's own name, as it must not be an alias (RFC 2782)."""
    host = cloud.target("smtp" if service == "smtp" else "imap")
    return f"0 1 {OFFERED[service][1]} {host}."


def judge_name(name: str, target: str, cloud: Cloud, told: Told, *, apex: bool, after: bool) -> Verdict:
    """What is thought of a service's name; ``told`` is the answer to the question for its addresses."""
    if apex:
        text = "it is the zone itself, where no CNAME can stand (RFC 1034 section 3.6.2)"
        return Verdict(WRONG, text, f"Choose a name below it, as mail.{name}.")
    if not told.aliases:
        return _direct(target, told, after=after)
    first, last = told.aliases[0], told.aliases[-1]
    if first == target:
        return Verdict(OK, f"it is an alias of {target}")
    if target in told.aliases:
        return Verdict(WARNING, f"it is an alias of {first}, and that of {target}: one more thing to go wrong", _SET)
    odd = _odd(first, target, cloud)
    return odd or Verdict(WRONG if after else PENDING, f"it still leads to {last}", _SET)


def _odd(first: str, target: str, cloud: Cloud) -> Verdict | None:
    """What is wrong with an alias at any time."""
    if "/" in first:
        return Verdict(WRONG, f"{first} has a path in it, and an alias is for a name only", _SET)
    if first.startswith(f"{target}."):
        text = "Write the name with its last dot: without it the zone's own name is added."
        return Verdict(WRONG, f"{first} is {target} without its last dot", text)
    if cloud.elsewhere(first):
        return Verdict(WRONG, cloud.elsewhere(first), _SET)
    if plain(first).endswith(f".{cloud.domain}"):
        return Verdict(WRONG, f"it is an alias of {first}, not of {target}", _SET)
    return None


def _direct(target: str, told: Told, *, after: bool) -> Verdict:
    if told.values:
        text = f"it has the address {', '.join(told.values)}, and is no alias of {target}"
        return Verdict(WRONG if after else PENDING, text, _SET)
    return Verdict(MISSING, f"there is no such name; it should be an alias of {target}", _SET)


def judge_srv(wanted: str, told: Told, *, after: bool) -> Verdict:
    """What is thought of an SRV record, by which clients find their servers."""
    if told.values == (wanted,):
        return Verdict(OK, "clients find the cloud" if wanted != NOT_OFFERED else "clients are told that there is none")
    if not told.values:
        return _none(wanted == NOT_OFFERED, after=after)
    return _other_server(shown(told), after=after)


def judge_autoconfig(target: str, told: Told, *, after: bool) -> Verdict:
    """What is thought of autoconfig and autodiscover names: ``target`` is where they should lead to, if anywhere."""
    if not told.values and not told.aliases:
        return _none(not target, after=after)
    if target and target in told.aliases:
        return Verdict(OK, f"it is an alias of {target}")
    return _other_server(shown(told), after=after)


def _none(none_wanted: bool, *, after: bool) -> Verdict:
    """Verdict on what is not there; before the cut-over nobody is to be led to the cloud by it."""
    if none_wanted:
        return Verdict(OK, "there is none")
    return Verdict(WARNING if after else PENDING, "there is none", _SET)


def _other_server(seen: str, *, after: bool) -> Verdict:
    text = f"clients are still told {seen}"
    return Verdict(WRONG if after else PENDING, text, "Set the record as in the zone lines, or remove it.")
