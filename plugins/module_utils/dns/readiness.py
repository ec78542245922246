# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The whole check: every record of every domain and name at every server, and what there is to set (H24 to H38)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from ..errors import DnsError, InputError
from ..transport.nameserver import Asker
from . import options, pages
from .caa import forbids, relevant
from .domain import Case, Result, alias_records, check_domain
from .finding import MISSING, OK, PENDING, UNCHECKED, WARNING, WRONG, Finding, Record, spread
from .lines import zone_lines
from .mail_hosts import is_address, judge_host, mx_hosts
from .options import CHECKS
from .own_names import judge_name
from .ttl import Since, judge_ttl, key_of, updated
from .view import View
from .zones import check_zones

_AT_ONCE = 8


def readiness(params: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The result as a plain value. ``now`` is aware. Raises InputError for options that make no sense."""
    cloud, customer, terms = options.cloud_of(params), options.customer_of(params), options.terms_of(params, now)
    recorded = options.recorded_of(params)
    given = options.authoritative_of(params)
    resolvers = options.resolvers_of(params)
    with Asker(params["timeout"]) as asker:
        case = Case(View(asker, resolvers, given, params["port"]), cloud, customer, terms)
        result, lasting = _all(case, recorded)
        lasting = {**recorded, **lasting}
        way_back = _way_back(case, lasting)
    found = [replace(one, required=one.required and one.check not in terms.optional) for one in result.findings]
    found.sort(key=lambda one: CHECKS.index(one.check))
    records = list(dict.fromkeys(result.records))
    return {
        "changed": False,
        **pages.told(params["customer"], found, zone_lines(records), terms),
        "records": [record.as_dict() for record in records],
        "way_back": zone_lines(way_back),
        "recorded": {key: since.as_dict() for key, since in sorted(lasting.items())},
        "zones": {zone.zone: [server.label for server in zone.servers] for zone in case.view.zones},
    }


def _all(case: Case, recorded: Mapping[str, Since]) -> tuple[Result, dict[str, Since]]:
    """Everything that is found, and since when TTLs are low."""
    jobs: list[tuple[str, str, Callable[[], Result]]] = [
        ("cloud", case.cloud.domain, lambda: _cloud(case)),
        *(("mx", domain, partial(check_domain, case, domain)) for domain in case.customer.domains),
        *(
            ("name", name, partial(_name, case, service, name))
            for service, names in case.customer.names.items()
            for name in names
        ),
        *(("caa", name, partial(_caa, case, name)) for name in case.customer.certificates),
        ("mx_host", "", lambda: _hosts(case)),
    ]
    result = Result()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for one in pool.map(lambda job: _checked(*job), jobs):
            result.findings += one.findings
            result.records += one.records
    lasting = {} if case.terms.after else _ttls(case, recorded, result)
    result.findings += check_zones(case.view, case.terms.now)
    return result, lasting


def _checked(check: str, name: str, job: Callable[[], Result]) -> Result:
    """The result of a check; one whose zone can't be found is a finding, and so is what a zone has for a name."""
    try:
        return job()
    except (DnsError, InputError) as error:
        return Result([Finding(check, name, "", UNCHECKED, error.message, error.safe_next)])


def _cloud(case: Case) -> Result:
    """The names of the cloud that everything leads to are there; most of all the subscription's."""
    result = Result()
    targets = dict.fromkeys([*case.cloud.mx, *(case.cloud.target(service) for service in ("imap", "smtp", "webmail"))])
    for name in targets:
        told = case.view.look(name, "A")
        if not told.values:
            told = case.view.look(name, "AAAA")
        base = Finding("cloud", name, "A", OK, "the cloud's name is there", seen=told.values)
        if not told.answered:
            base = replace(base, state=UNCHECKED, verdict=f"{told.server.label} does not say: {told.reason}")
        elif not told.values:
            text = "there is no such name in the cloud"
            base = replace(base, state=WRONG, verdict=text, next="Check subscription, region and the cloud's domain.")
        result.add(base)
    return result


def _hosts(case: Case) -> Result:
    """The hosts of MX records: those of today, and the customer's own names for the cloud's (H34)."""
    result = Result()
    own = list(case.customer.mx)
    addresses = [
        value for host in case.cloud.mx for kind in ("A", "AAAA") for value in case.view.look(host, kind).values
    ]
    for host in own:
        base = Finding("mx_host", host, "A", OK, "", wanted=tuple(addresses))
        found = spread(base, case.view.all(host, "A"), partial(judge_host, addresses, ours=True))
        record = Record(case.view.zone(host).zone, host, "A", case.terms.ttl_limit, tuple(addresses), why="MX host")
        result.add(found, *([record] if addresses and found.state in {MISSING, WRONG} else []))
    for domain in case.customer.domains:
        for _priority, host in (pair for told in case.view.owners(domain, "MX")[:1] for pair in mx_hosts(told)):
            if host not in own and not is_address(host) and "." in host:
                told = case.view.look(host, "A")
                told = told if told.values else case.view.look(host, "AAAA")
                base = Finding("mx_host", host, "A", OK, "", required=case.terms.after or host in case.cloud.mx)
                result.findings.append(spread(base, [told], partial(judge_host, addresses, ours=False)))
    result.findings = list(dict.fromkeys(result.findings))
    return result


def _name(case: Case, service: str, name: str) -> Result:
    """A name that the customer gives to a service (H35 to H38)."""
    result = Result()
    zone = case.view.zone(name).zone
    target = case.cloud.target(service)
    judge = partial(judge_name, name, target, case.cloud, apex=name == zone, after=case.terms.after)
    base = Finding("name", name, "CNAME", OK, "", wanted=(f"{target}.",))
    found = spread(base, case.view.all(name, "A"), judge)
    records = [] if name == zone else alias_records(case, zone, name, target, service, found)
    result.add(found, *records)
    return result


def _caa(case: Case, name: str) -> Result:
    """Whether an authority may issue the certificate of a name (RFC 8659)."""
    caa = relevant(name, case.view.look)
    base = Finding("caa", name, "CAA", OK, "no record forbids a certificate", seen=caa.told.values)
    if not caa.told.answered:
        return Result([replace(base, state=UNCHECKED, verdict=f"{caa.told.server.label}: {caa.told.reason}")])
    why = forbids(caa, name, case.customer.issuers)
    if why:
        text = "Add the authority of the certificate to the CAA records, or have the certificate issued by one of them."
        return Result([replace(base, state=WRONG, verdict=f"at {caa.place}: {why}", next=text)])
    if caa.told.values and not case.customer.issuers:
        text = f"only the authorities at {caa.place} may issue one"
        return Result(
            [replace(base, state=WARNING, verdict=text, next="Say in the inventory who issues the certificate.")]
        )
    return Result([base])


def _ttls(case: Case, recorded: Mapping[str, Since], result: Result) -> dict[str, Since]:
    """The TTL of every record set that changes at the cut-over; adds findings and record sets to the result."""
    lasting: dict[str, Since] = {}
    for name, kind in _changing(result.findings):
        answers = [told for told in case.view.all(name, kind) if told.values and not told.aliases]
        owners = [told for told in answers if not told.server.resolver]
        if not owners:
            continue
        before = recorded.get(key_of(name, kind), Since())
        terms = case.terms
        since = updated(before, max(told.ttl for told in owners), terms.ttl_limit, terms.now, terms.lowered_at)
        lasting[key_of(name, kind)] = replace(since, values=owners[0].values)
        base = Finding("ttl", name, kind, OK, "", wanted=(f"{terms.ttl_limit} s or less",))
        judge = partial(judge_ttl, since, terms.ttl_limit, terms.ttl_hours, terms.now)
        found = spread(base, answers, judge)
        found = replace(found, seen=tuple(dict.fromkeys(f"{told.ttl} s" for told in answers)))
        low = all(told.ttl <= terms.ttl_limit for told in owners)
        same = len({told.values for told in owners}) == 1
        record = Record(case.view.zone(name).zone, name, kind, terms.ttl_limit, owners[0].values, why="lower the TTL")
        result.add(found, *([record] if same and not low else []))
    return lasting


def _changing(findings: Sequence[Finding]) -> Iterable[tuple[str, str]]:
    """Names and types that will change."""
    for one in findings:
        if one.state != PENDING:
            continue
        kinds = ("CNAME", "A", "AAAA") if one.check in {"name", "autoconfig"} else (one.kind,)
        for kind in kinds:
            yield one.name, kind


def _way_back(case: Case, recorded: Mapping[str, Since]) -> list[Record]:
    """The record sets of before the cut-over, with a low TTL, and aliases that they leave no place for."""
    found: list[Record] = []
    for key, since in sorted(recorded.items()):
        name, _space, kind = key.rpartition(" ")
        try:
            zone = case.view.zone(name).zone
        except DnsError:
            continue
        ttl = case.terms.ttl_limit
        if kind in {"A", "AAAA"}:
            found.append(
                Record(zone, name, "CNAME", ttl, (), why="the way back: an address and an alias exclude each other")
            )
        if since.values:
            found.append(Record(zone, name, kind, ttl, since.values, why="the way back: as it was before the cut-over"))
    return list(dict.fromkeys(found))
