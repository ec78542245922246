# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The records of one mail domain: MX, SPF, DKIM, DMARC, and what clients find by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..errors import InputError
from ..transport.nameserver import Told, plain
from . import dmarc, own_names, spf
from .cloud import Cloud, Customer
from .dkim_record import judge_key
from .finding import MISSING, OK, PENDING, STATES, WARNING, WRONG, Finding, Record, Verdict, When, readable, spread
from .lines import quoted
from .mail_hosts import judge_mx, mx_hosts, wanted_mx
from .options import Terms
from .spf_merge import Merged, merged
from .spf_walk import Walk, walk
from .view import View

AUTOCONFIG = ("autoconfig", "autodiscover")


@dataclass
class Result:
    """What has been found out, and what there is to set."""

    findings: list[Finding] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def add(self, finding: Finding, *records: Record) -> Finding:
        """Take a finding, and the records that mend it where there is something to mend."""
        self.findings.append(finding)
        if finding.state != OK:
            self.records += [replace(record, check=finding.check) for record in records]
        return finding


@dataclass(frozen=True)
class Case:
    """One customer and the terms; what every check needs."""

    view: View
    cloud: Cloud
    customer: Customer
    terms: Terms

    @property
    def mx(self) -> Sequence[str]:
        """The hosts that MX records have to name."""
        return self.customer.mx or self.cloud.mx


def check_domain(case: Case, domain: str) -> Result:
    """All checks of a domain. Raises DnsError where its zone can't be found."""
    result = Result()
    kinds = [(domain, "MX"), (domain, "TXT"), (f"_dmarc.{domain}", "TXT")]
    case.view.prepare([*kinds, *((name, "TXT") for name in _selectors(case, domain))])
    zone = case.view.zone(domain).zone
    _mx(case, zone, domain, result)
    about_spf = _spf(case, zone, domain, result)
    about_dkim = _dkim(case, zone, domain, result)
    _dmarc(case, zone, domain, result, _ready(about_spf, about_dkim))
    _clients(case, zone, domain, result)
    return result


def _mx(case: Case, zone: str, domain: str, result: Result) -> None:
    wanted = wanted_mx(case.mx)
    after = case.terms.after
    base = Finding("mx", domain, "MX", OK, "", wanted=wanted)
    found = spread(base, case.view.all(domain, "MX"), lambda told: judge_mx(case.mx, case.cloud, told, after=after))
    why = f"mail of {domain} goes to the cloud"
    ttl = case.terms.ttl_limit
    result.add(found, Record(zone, domain, "MX", ttl, wanted, "now" if after else "cut_over", why=why))


def _selectors(case: Case, domain: str) -> list[str]:
    return [name for name in case.customer.selectors if name.endswith(f"._domainkey.{domain}")]


def _spf(case: Case, zone: str, domain: str, result: Result) -> Finding:
    answers = _texts(case, domain)
    proposal = _proposal(case, domain, answers)
    walks: dict[str, Walk] = {}

    def judge(told: Told) -> Verdict:
        found = [spf.parse(text.decode("latin-1")) for text in told.texts if spf.is_spf(text)]
        if len(found) == 1 and found[0].text not in walks:
            walks[found[0].text] = walk(found[0], domain, case.view.look)
        return judge_spf(case.cloud, told, found, walks)

    base = Finding("spf", domain, "TXT", OK, "", wanted=(proposal.text,))
    found = spread(base, [_only(told, spf.is_spf) for told in answers], judge)
    found = replace(found, wanted=found.seen if found.state == OK else found.wanted)
    found = replace(found, next=_spf_next(case, domain, found, proposal))
    record = Record(zone, domain, "TXT", case.terms.ttl_limit, (quoted(proposal.text),), "now", spf.VERSION, "SPF")
    result.add(found, *([record] if proposal.complete else []))
    return found


def _proposal(case: Case, domain: str, answers: Sequence[Told]) -> Merged:
    """The merged record of all that any of the zone's servers has, and of today's mail servers."""
    texts = dict.fromkeys(text for told in answers for text in told.texts if spf.is_spf(text))
    hosts = {host for told in case.view.owners(domain, "MX") for _priority, host in mx_hosts(told)}
    hosts -= {*case.mx, *case.cloud.mx, ""}
    addresses = sorted(
        {address for host in hosts for kind in ("A", "AAAA") for address in _addresses(case, host, kind)}
    )
    return merged([spf.parse(text.decode("latin-1")) for text in texts], case.cloud.spf, addresses)


def _addresses(case: Case, host: str, kind: str) -> Sequence[str]:
    """The addresses of a host that a zone names; what is no name has none."""
    try:
        return case.view.look(host, kind).values
    except InputError:
        return ()


def judge_spf(cloud: Cloud, told: Told, found: Sequence[spf.Spf], walks: dict[str, Walk]) -> Verdict:
    """What is thought of one server's SPF records."""
    if not found:
        like = next((readable(text) for text in told.texts if spf.looks_like_spf(text)), "")
        text = f"there is no SPF record; {like[:60]!r} does not begin with v=spf1" if like else "there is no SPF record"
        return Verdict(MISSING, text)
    if len(found) > 1:
        return Verdict(WRONG, f"{len(found)} SPF records, one is allowed (RFC 7208 section 3.2)")
    record, counted = found[0], walks[found[0].text]
    problems = [*record.problems, *counted.verdicts]
    includes = [term for term in record.effective if term.name in {"include", "redirect"} and term.target == cloud.spf]
    if not includes:
        problems.append(f"it does not include {cloud.spf}, so that receivers refuse the cloud's mail")
    elif includes[0].qualifier != "+":
        problems.append(f"{includes[0]} does not let the cloud's mail pass")
    if record.all == "+":
        problems.append("+all lets everybody send")
    if problems:
        return Verdict(WRONG, "; ".join(problems))
    if counted.unchecked:
        return Verdict(WARNING, f"could not be followed: {', '.join(counted.unchecked)}")
    return _weak(record)


def _weak(record: spf.Spf) -> Verdict:
    """Verdict on a record that works."""
    redirected = any(term.name == "redirect" for term in record.effective)
    weak = []
    if record.all is None and not redirected:
        weak.append("it has no -all at its end, so that all others are neither allowed nor refused")
    elif record.all in {"~", "?"}:
        weak.append(f"{record.all}all instead of -all")
    if any(term.name == "ptr" for term in record.effective):
        weak.append("ptr is slow and should not be used (RFC 7208 section 5.5)")
    if len(record.text) > spf.LONG:
        weak.append(f"{len(record.text)} characters are many for one answer")
    if weak:
        return Verdict(WARNING, "; ".join(weak))
    return Verdict(OK, "it lets the cloud send, and is right")


def _spf_next(case: Case, domain: str, found: Finding, proposal: Merged) -> str:
    if found.state == OK:
        return ""
    says = [*proposal.notes]
    costs = walk(spf.parse(proposal.text), domain, case.view.look)
    says += [f"the proposed record is not good enough yet: {text}" for text in costs.verdicts]
    if not proposal.complete:
        says.append("correct what can't be read by hand: it may be a sender")
    return ". ".join(["Set the record as it stands under wanted", *says]) + "."


def _dkim(case: Case, zone: str, domain: str, result: Result) -> list[Finding]:
    found = []
    for name in _selectors(case, domain):
        value = case.customer.selectors[name]
        base = Finding("dkim", name, "TXT", OK, "", wanted=(value,))
        one = spread(base, _texts(case, name), partial(judge_key, value))
        found.append(one)
        result.add(one, Record(zone, name, "TXT", case.terms.ttl_limit, (quoted(value),), why="DKIM"))
    return found


def _ready(about_spf: Finding, about_dkim: Sequence[Finding]) -> dmarc.Ready:
    """Whether mail passes what DMARC stands on."""
    why = []
    if about_spf.state not in {OK, WARNING}:
        why.append("SPF does not pass")
    if not about_dkim:
        why.append("there is no DKIM key")
    elif any(one.state not in {OK, WARNING} for one in about_dkim):
        why.append("DKIM does not pass")
    return dmarc.Ready(not why, " and ".join(why))


def _dmarc(case: Case, zone: str, domain: str, result: Result, ready: dmarc.Ready) -> None:
    name = f"_dmarc.{domain}"
    policy = case.customer.dmarc_policy
    answers = _texts(case, name)
    seen = [readable(text) for text in answers[0].texts if dmarc.is_dmarc(text)]
    wanted = dmarc.proposed(seen, policy, ready, case.customer.dmarc_reports)
    base = Finding("dmarc", name, "TXT", OK, "", wanted=(wanted,) if wanted else ())
    answers = [_only(told, dmarc.is_dmarc) for told in answers]
    found = spread(base, answers, lambda told: dmarc.judge_dmarc(policy, ready, told))
    if not seen and zone != domain and not ready.passes:
        found = _inherited(case, zone, found, ready)
    if policy and policy != "none" and not ready.passes:
        text = f"p={policy} is refused for now, as {ready.why}"
        found = replace(found, verdict=f"{found.verdict}; {text}", state=max(found.state, WARNING, key=STATES.index))
    record = Record(zone, name, "TXT", case.terms.ttl_limit, (quoted(wanted),), "now", "v=DMARC1", "DMARC")
    result.add(found, *([record] if wanted else []))


def _inherited(case: Case, zone: str, found: Finding, ready: dmarc.Ready) -> Finding:
    """A domain without a record of its own has that of the domain above it (RFC 7489 section 6.6.3)."""
    texts = [readable(text) for text in case.view.look(f"_dmarc.{zone}", "TXT").texts if dmarc.is_dmarc(text)]
    policy = dmarc.for_subdomains(texts)
    if policy in {"", "none"}:
        return found
    text = f"_dmarc.{zone} has receivers {dmarc.DO[policy]} mail of its sub-domains although {ready.why}"
    return replace(found, state=WRONG, verdict=text, next="Set a record with p=none for this domain, or sp=none there.")


def _texts(case: Case, name: str) -> list[Told]:
    """What all servers say; where a name is an alias of one in another zone, whose servers know the text, with that."""
    found = []
    for told in case.view.all(name, "TXT"):
        if told.aliases and told.status == "nothing":
            behind = case.view.look(told.aliases[-1], "TXT")
            if behind.texts:
                told = replace(told, status="found", texts=behind.texts)  # noqa: PLW2901 -- the answer, completed
        found.append(told)
    return found


def _only(told: Told, wanted: Callable[[bytes], bool]) -> Told:
    """The answer with those texts only that it is about; all of them where none is."""
    kept = tuple(text for text in told.texts if wanted(text))
    return replace(told, texts=kept) if kept else told


def _clients(case: Case, zone: str, domain: str, result: Result) -> None:
    """SRV records (RFC 6186, RFC 8314), and the names that clients try."""
    after, ttl = case.terms.after, case.terms.ttl_limit
    wanted = {label: own_names.wanted_srv(case.cloud, service) for service, (label, _p) in own_names.OFFERED.items()}
    wanted |= dict.fromkeys(own_names.CLOSED, own_names.NOT_OFFERED)
    for label, value in wanted.items():
        name = f"{label}.{domain}"
        base = Finding("srv", name, "SRV", OK, "", wanted=(value,))
        found = spread(base, case.view.all(name, "SRV"), partial(own_names.judge_srv, value, after=after))
        when = _when(found)
        result.add(found, Record(zone, name, "SRV", ttl, (value,), when, why="what mail programs look for"))
    target = case.customer.autoconfig
    for label in AUTOCONFIG:
        name = f"{label}.{domain}"
        base = Finding("autoconfig", name, "CNAME", OK, "", wanted=(f"{target}.",) if target else ())
        found = spread(
            base, case.view.all(name, "A"), lambda told: own_names.judge_autoconfig(target, told, after=after)
        )
        if target:
            result.add(found, *alias_records(case, zone, name, target, "what mail programs look for", found))
        else:
            result.add(found)


def _when(found: Finding) -> When:
    return "cut_over" if found.state == PENDING else "now"


def alias_records(case: Case, zone: str, name: str, target: str, why: str, found: Finding) -> list[Record]:
    """The record sets that make a name an alias: what is there besides has to go (RFC 1034 section 3.6.2)."""
    when = _when(found)
    ttl = case.terms.ttl_limit
    gone = [
        Record(zone, name, kind, ttl, (), when, why=f"{why}: an alias has no {kind} record")
        for kind in ("A", "AAAA")
        if any(told.values and not told.aliases for told in case.view.owners(name, kind))
    ]
    return [*gone, Record(zone, name, "CNAME", ttl, (f"{plain(target)}.",), when, why=why)]
