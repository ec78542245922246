# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""DMARC records (RFC 7489 section 6.3), and which stage a domain may go to (H30). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..transport.nameserver import Told
from .finding import OK, WARNING, WRONG, Verdict, readable
from .tags import parse_tags

#: The stages, one after the other.
POLICIES = ("none", "quarantine", "reject")
_NONE = "Set p=none first, so that reports come while no mail is lost."
_ADDRESS = re.compile(r"mailto:[^\s@,!]+@[A-Za-z0-9._-]+(![0-9]+[kmgt]?)?", re.IGNORECASE)
_HEAD = re.compile(rb"v[ \t]*=[ \t]*DMARC1[ \t]*(;|$)")


@dataclass(frozen=True)
class Ready:
    """Whether what DMARC stands on passes; ``why`` names what does not."""

    passes: bool
    why: str = ""


def is_dmarc(text: bytes) -> bool:
    """Whether a TXT record is a DMARC record; others at its name do not count."""
    return bool(_HEAD.match(text))


def problems_of(text: str) -> list[str]:
    """Everything that is wrong with a record."""
    tags, found = parse_tags(text)
    if list(tags)[1:2] != ["p"]:
        found.append("p= does not follow v=DMARC1" if "p" in tags else "there is no policy (p=)")
    for name, allowed in (("p", POLICIES), ("sp", POLICIES), ("adkim", ("r", "s")), ("aspf", ("r", "s"))):
        if name in tags and tags[name].lower() not in allowed:
            found.append(f"{name}={tags[name][:20]} is none of {', '.join(allowed)}")
    if "pct" in tags and not (tags["pct"].isdigit() and int(tags["pct"]) <= 100):
        found.append(f"pct={tags['pct'][:20]} is no percentage")
    for name in ("rua", "ruf"):
        if name in tags and not all(_ADDRESS.fullmatch(each.strip()) for each in tags[name].split(",")):
            found.append(f"{name}= is no list of mailto: addresses")
    return found


def judge_dmarc(wanted: str, ready: Ready, told: Told) -> Verdict:
    """What is thought of a server's answer; ``wanted`` is the stage that the customer wants, empty for none said."""
    records = [readable(text) for text in told.texts if is_dmarc(text)]
    if len(records) > 1:
        return Verdict(WRONG, f"{len(records)} records: receivers take none", "Remove all but one.")
    if not records:
        strict = "" if ready.passes else f"; wait until SPF and DKIM pass ({ready.why})"
        return Verdict(WARNING if wanted else OK, f"there is no DMARC record{strict}", _NONE if ready.passes else "")
    problems = problems_of(records[0])
    if problems:
        return Verdict(WRONG, "; ".join(problems), "Set the record as it stands in the zone lines.")
    return _stage(parse_tags(records[0])[0], wanted, ready)


def _stage(tags: dict[str, str], wanted: str, ready: Ready) -> Verdict:
    policy = tags["p"].lower()
    strictest = max(policy, tags.get("sp", policy).lower(), key=POLICIES.index)
    if strictest != "none" and not ready.passes:
        return Verdict(WRONG, f"receivers {DO[strictest]} mail although {ready.why}", _NONE)
    if wanted and policy != wanted:
        return Verdict(WARNING, f"p={policy}, and {wanted} is wanted", "Set the record as it stands in the zone lines.")
    following = POLICIES[POLICIES.index(policy) + 1 :][:1]
    advice = f"Go on to p={following[0]} when the reports name no sender of yours that fails." if following else ""
    return Verdict(OK, f"p={policy}" if ready.passes else f"p={policy}, as {ready.why}", advice)


#: What receivers do.
DO = {"quarantine": "put aside", "reject": "refuse"}


def for_subdomains(records: Sequence[str]) -> str:
    """The policy for domains below the one that has these records; empty where none counts."""
    if len(records) != 1 or problems_of(records[0]):
        return ""
    tags = parse_tags(records[0])[0]
    return tags.get("sp", tags["p"]).lower()


def proposed(seen: Sequence[str], wanted: str, ready: Ready, reports: str = "") -> str:
    """The record to set; empty where there is nothing to set. Before SPF and DKIM pass it is p=none, or nothing.

    Of a record that is there everything else is kept.
    """
    if not seen and not (wanted and ready.passes):
        return ""
    tags = parse_tags(seen[0])[0] if len(seen) == 1 else {}
    policy = (wanted or tags.get("p", "none").lower()) if ready.passes else "none"
    kept = {name: value for name, value in tags.items() if name not in {"v", "p"}}
    if not ready.passes:
        kept.pop("sp", None)
    if reports:
        kept.setdefault("rua", reports)
    record = "; ".join(f"{name}={value}" for name, value in {"v": "DMARC1", "p": policy, **kept}.items())
    if problems_of(record):
        return "; ".join(["v=DMARC1", f"p={policy}", *([f"rua={reports}"] if reports else [])])
    return record
