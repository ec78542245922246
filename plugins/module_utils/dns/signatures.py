# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whether a signed zone can be verified (RFC 4035): the parent's DS, the zone's keys, the signatures of what was asked.

Each server's answers are looked at by themselves: a zone may be signed well on one server, and no longer on another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import MissingLibraryError
from ..transport.nameserver import Told
from .finding import OK, WARNING, WRONG, Verdict

#: A signature that ends so soon, and in the last quarter of its time, was not made anew in time. Some servers sign for
#: a day or two only, again and again.
_SOON = timedelta(days=2)
_LAST = 4
_MEND = "Have the zone signed anew, or the DS record taken out of the parent zone, before anything is changed."


def judge_signatures(ds: Told, keys: Told, answers: Sequence[Told], now: datetime) -> Verdict:
    """What is thought of one server: its keys, and all answers that have records of the zone in them."""
    if not ds.values:
        text = "the zone is signed, and the parent zone does not say so" if keys.values else "the zone is not signed"
        return Verdict(OK, text)
    if not keys.values:
        return Verdict(WRONG, "the parent zone says that it is signed, and it has no keys", _MEND)
    lib = _library()
    trusted = _trusted(lib, ds, keys)
    if trusted is None:
        return Verdict(WRONG, "no key of the zone is the one that the parent zone names (DS)", _MEND)
    problems, late = _problems(lib, trusted, keys, [keys, *answers], now)
    if problems:
        return Verdict(WRONG, "; ".join(problems), _MEND)
    if late is not None:
        return Verdict(WARNING, f"signatures end at {late:%Y-%m-%d %H:%M} UTC", "Have the zone signed anew.")
    return Verdict(OK, "its signatures are right")


def _trusted(lib: Any, ds: Told, keys: Told) -> Any:
    """The key that the parent's DS names, as a set of one."""
    wanted = {(each.key_tag, int(each.algorithm), int(each.digest_type), each.digest) for each in _set(lib, ds)}
    own = _set(lib, keys)
    for key in own:
        tag = lib.dnssec.key_id(key)
        for kind in {entry[2] for entry in wanted if entry[:2] == (tag, int(key.algorithm))}:
            try:
                made = lib.dnssec.make_ds(lib.name.from_text(keys.name), key, kind, policy=lib.dnssec.allow_all_policy)
            except lib.exception.DNSException:
                continue
            if (tag, int(key.algorithm), kind, made.digest) in wanted:
                return lib.rrset.from_rdata(own.name, own.ttl, key)
    return None


def _problems(
    lib: Any, trusted: Any, keys: Told, answers: Sequence[Told], now: datetime
) -> tuple[list[str], datetime | None]:
    """What can't be verified, and when the first signature ends of those that end soon."""
    zone = lib.name.from_text(keys.name)
    own = _set(lib, keys)
    problems: list[str] = []
    ends: list[datetime] = []
    for rrset, signed in _signed(lib, zone, answers):
        what = f"{rrset.name.to_text(omit_final_dot=True)} {lib.rdatatype.to_text(rrset.rdtype)}"
        if signed is None:
            problems.append(f"{what} has no signature")
            continue
        # the parent vouches for one key, which vouches for the others
        known = {zone: trusted if rrset.rdtype == lib.rdatatype.DNSKEY else own}
        end = max(datetime.fromtimestamp(each.expiration, UTC) for each in signed)
        begin = min(datetime.fromtimestamp(each.inception, UTC) for each in signed)
        if end - now < min(_SOON, (end - begin) / _LAST):
            ends.append(end)
        try:
            lib.dnssec.validate(rrset, signed, known, now=now.timestamp())
        except lib.exception.DNSException:
            why = f"ended at {end:%Y-%m-%d %H:%M} UTC" if end <= now else "is wrong"
            problems.append(f"{what}: its signature {why}")
    return list(dict.fromkeys(problems)), min(ends, default=None)


def _signed(lib: Any, zone: Any, answers: Sequence[Told]) -> Iterator[tuple[Any, Any]]:
    """Record sets of the zone, and the signatures to each; one that another zone has signed is not of this one."""
    for told in answers:
        for rrset in told.message.answer:
            if rrset.rdtype == lib.rdatatype.RRSIG or not rrset.name.is_subdomain(zone):
                continue
            kind = lib.rdatatype.RRSIG
            signed = told.message.get_rrset(told.message.answer, rrset.name, rrset.rdclass, kind, rrset.rdtype)
            if signed is None or any(each.signer == zone for each in signed):
                yield rrset, signed


def _set(lib: Any, told: Told) -> Any:
    kind = lib.rdatatype.from_text(told.kind)
    return next(rrset for rrset in told.message.answer if rrset.rdtype == kind)


def _library() -> Any:
    try:
        import dns
        import dns.dnssec
        import dns.exception
        import dns.name
        import dns.rdatatype
        import dns.rrset
    except ImportError as error:
        raise MissingLibraryError(f"the Python library dnspython is missing: {error}", library="dnspython") from error
    return dns
