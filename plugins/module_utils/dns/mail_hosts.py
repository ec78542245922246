# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""MX records: the cloud's hosts by priority, and hosts that are no aliases (H27, H34; RFC 2181, 10.3). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from itertools import pairwise

from ..transport.nameserver import Told, plain
from .cloud import PRIORITIES, Cloud
from .finding import MISSING, OK, PENDING, WARNING, WRONG, Verdict

_SET = "Set the MX records as they stand in the zone lines."
_DOT = "Write the name with its last dot: without it the zone's own name is added."


def wanted_mx(hosts: Sequence[str]) -> tuple[str, ...]:
    """The records for these hosts, in the form of a zone file."""
    last = PRIORITIES[-1] - PRIORITIES[0]
    return tuple(f"{PRIORITIES[0] + last * number} {host}." for number, host in enumerate(hosts))


def mx_hosts(told: Told) -> list[tuple[int, str]]:
    """Priorities and hosts of an answer, the best first."""
    pairs = (value.split() for value in told.values)
    return sorted((int(priority), plain(host)) for priority, host in pairs)


def judge_mx(hosts: Sequence[str], cloud: Cloud, told: Told, *, after: bool) -> Verdict:
    """What is thought of a domain's MX records; before the cut-over they may still be those of today."""
    found = mx_hosts(told)
    if told.aliases:
        return Verdict(WRONG, f"the domain is an alias of {told.aliases[-1]}", "Give the domain records of its own.")
    if not found:
        return Verdict(MISSING if after else PENDING, "there is no MX record", _SET)
    odd = _odd(found, hosts, cloud)
    if odd:
        return odd
    ours = [pair for pair in found if pair[1] in hosts]
    if not ours:
        today = ", ".join(host for _priority, host in found)
        return Verdict(WRONG if after else PENDING, f"mail still goes to {today}", _SET)
    if len(ours) < len(found):
        others = ", ".join(host for _priority, host in found if host not in hosts)
        return Verdict(WRONG, f"mail goes to {others} as well", _SET)
    return _complete(ours, hosts)


def _complete(found: list[tuple[int, str]], hosts: Sequence[str]) -> Verdict:
    """Verdict on records that name our hosts only."""
    lacking = [host for host in hosts if host not in {name for _priority, name in found}]
    if lacking:
        return Verdict(WRONG, f"{', '.join(lacking)} is missing", _SET)
    priorities = [next(priority for priority, name in found if name == host) for host in hosts]
    if len(found) > len(hosts) or any(one >= two for one, two in pairwise(priorities)):
        shown = ", ".join(f"{priority} {host}" for priority, host in found)
        return Verdict(WRONG, f"the order is not {', '.join(hosts)}: {shown}", _SET)
    wanted = [int(value.split()[0]) for value in wanted_mx(hosts)]
    if priorities != wanted:
        return Verdict(
            WARNING, f"the priorities are {_list(priorities)}, not {_list(wanted)}; the order is right", _SET
        )
    return Verdict(OK, "mail goes to the cloud")


def _odd(found: list[tuple[int, str]], hosts: Sequence[str], cloud: Cloud) -> Verdict | None:
    """Records that are wrong at any time."""
    for _priority, host in found:
        if not host:
            return Verdict(WRONG, "the domain says that it takes no mail (RFC 7505)", _SET)
        if is_address(host):
            return Verdict(WRONG, f"{host} is an address, and only names may stand there", _SET)
        for ours in (*hosts, *cloud.mx):
            if host.startswith(f"{ours}."):
                return Verdict(WRONG, f"{host} is {ours} without its last dot", _DOT)
        elsewhere = cloud.elsewhere(host)
        if elsewhere:
            return Verdict(WRONG, elsewhere, _SET)
    return None


def judge_host(cloud_addresses: Sequence[str], told: Told, *, ours: bool) -> Verdict:
    """What is thought of an MX host: ``told`` are its addresses. ``ours``: the customer's name for the cloud."""
    if told.aliases:
        text = f"it is an alias of {told.aliases[-1]}, which an MX host must not be (RFC 2181 section 10.3)"
        return Verdict(WRONG, text, "Name the cloud's hosts, or give this one the cloud's addresses.")
    if not told.values:
        state = MISSING if ours else WRONG
        return Verdict(state, "it has no address", "Name the cloud's own hosts, which need no record of yours.")
    if not ours:
        return Verdict(OK, "it is no alias and has an address")
    foreign = [address for address in told.values if address not in cloud_addresses]
    if foreign:
        return Verdict(WRONG, f"{', '.join(foreign)} is no mail server of the cloud", "Give it the cloud's addresses.")
    text = "it points to the cloud's addresses themselves, which may change without notice"
    return Verdict(WARNING, text, "Name the cloud's own hosts in the MX records, if you can.")


def is_address(host: str) -> bool:
    """Whether somebody has put an address where a name belongs."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _list(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
