# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""SPF records (RFC 7208): read by the grammar of its section 12, with everything that is wrong at once. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

VERSION = "v=spf1"
#: Mechanisms and modifiers that cost a look-up (section 4.6.4), and how many of them there may be in all.
COSTLY = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
LOOKUPS = 10
#: Look-ups that find nothing (section 4.6.4).
VOIDS = 2
#: Names of one MX record set (section 4.6.4).
MX_NAMES = 10
#: A record should fit into one answer with all the others (section 3.4).
LONG = 450

_QUALIFIERS = "+-~?"
_EXPAND = r"%(?:%|_|-|\{[slodipcrtvhSLODIPCRTVH][0-9]*r?[-.+,/_=]*\})"
_MACROS = re.compile(rf"(?:[\x21-\x24\x26-\x7e]|{_EXPAND})*")
_TOP_LABEL = r"(?:[0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])"
_DOMAIN = re.compile(rf"(?:(?:[\x21-\x24\x26-\x7e]|{_EXPAND})*)(?:\.{_TOP_LABEL}\.?|{_EXPAND})", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_MECHANISM = re.compile(r"([-+?~]?)([a-z0-9_.-]*)(.*)", re.IGNORECASE | re.DOTALL)
_CIDR = re.compile(r"(?P<domain>.*?)(?:/(?P<v4>[0-9]+))?(?://(?P<v6>[0-9]+))?", re.DOTALL)
#: Says what is wrong with what follows a mechanism's name; nothing where that is right.
Check = Callable[[str], str]
#: What people write for what they mean.
_MEANT = {"ipv4": "ip4", "ip": "ip4", "ipv6": "ip6", "inc": "include", "includes": "include", "address": "a"}


@dataclass(frozen=True)
class Term:
    """A mechanism or modifier. ``value`` is what follows its name, with the sign before it; names are in lower case."""

    name: str
    value: str = ""
    qualifier: str = "+"
    modifier: bool = False

    @property
    def target(self) -> str:
        """The name that it is about, in lower case; empty for the domain itself, and where there is none."""
        text = self.value[1:] if self.value[:1] in {":", "="} else self.value
        if self.name in {"a", "mx"}:
            match = _CIDR.fullmatch(text)
            text = match["domain"] if match else text
        return text.lower().rstrip(".")

    @property
    def macros(self) -> bool:
        """Whether what it is about is known only for a given message."""
        return "%" in self.value

    def __str__(self) -> str:
        return f"{'' if self.qualifier == '+' else self.qualifier}{self.name}{self.value}"


@dataclass(frozen=True)
class Spf:
    """A record read. ``problems`` make it void (permerror); ``broken`` are the words that they are about."""

    text: str
    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def all(self) -> str | None:
        """The qualifier of its ``all``; None where it has none."""
        return next((term.qualifier for term in self.terms if term.name == "all"), None)

    @property
    def effective(self) -> tuple[Term, ...]:
        """The terms that count: what stands behind ``all`` never does, and neither does a redirect beside one."""
        kept: list[Term] = []
        ended = False
        for term in self.terms:
            if term.modifier:
                if term.name != "redirect" or self.all is None:
                    kept.append(term)
            elif not ended:
                kept.append(term)
                ended = term.name == "all"
        return tuple(kept)

    @property
    def idle(self) -> tuple[Term, ...]:
        """The terms that never count."""
        effective = self.effective
        return tuple(term for term in self.terms if term not in effective)


def is_spf(text: bytes) -> bool:
    """Whether a TXT record is an SPF record (section 4.5)."""
    head = text[: len(VERSION) + 1].lower()
    return head in {b"v=spf1", b"v=spf1 "}


def looks_like_spf(text: bytes) -> bool:
    """Whether somebody meant a TXT record to be one."""
    small = text.lower()
    return not is_spf(text) and (b"spf1" in small or b"spf2" in small or small.startswith(b"include:"))


def parse(text: str) -> Spf:
    """Read a record that begins with its version. Never fails: what is wrong with it is in the result."""
    terms: list[Term] = []
    problems: list[str] = []
    broken: list[str] = []
    body = text[len(VERSION) :]
    if any(not " " <= char <= "~" for char in body):
        problems.append("it has characters in it that are not ASCII, or not printable")
    for word in body.split(" "):
        if not word:
            continue
        found, trouble = _term(word)
        if trouble:
            shown = word.encode("unicode_escape").decode()
            problems.append(f"{shown}: {trouble}")
            broken.append(shown)
        elif found:
            terms.append(found)
    names = [term.name for term in terms if term.modifier]
    problems += [f"{name}= stands more than once" for name in ("redirect", "exp") if names.count(name) > 1]
    return Spf(text, tuple(terms), tuple(problems), tuple(broken))


def _term(word: str) -> tuple[Term | None, str]:
    """A term, or what is wrong with it."""
    modifier = _MODIFIER.fullmatch(word)
    if modifier:
        name, value = modifier[1].lower(), modifier[2]
        term = Term(name, f"={value}", modifier=True)
        if name in {"redirect", "exp"}:
            return term, _domain(value)
        return term, "" if _MACROS.fullmatch(value) else "a macro in it is wrong"
    match = _MECHANISM.fullmatch(word)
    if not match:
        return None, "it is no mechanism"
    term = Term(match[2].lower(), match[3], match[1] or "+")
    check = _CHECKS.get(term.name)
    if check is None:
        meant = _MEANT.get(term.name)
        return None, f"there is no mechanism {term.name!r}" + (f"; {meant} is meant, probably" if meant else "")
    return term, check(term.value)


def _all(value: str) -> str:
    return "nothing may follow" if value else ""


def _must_name(value: str) -> str:
    return _domain(value[1:]) if value.startswith(":") else "a domain has to follow"


def _may_name(value: str) -> str:
    return _must_name(value) if value else ""


def _address(value: str) -> str:
    match = _CIDR.fullmatch(value)
    if match is None:
        return "what follows is no domain"
    if match["v4"] is not None and (int(match["v4"]) > 32 or match["v4"] != str(int(match["v4"]))):
        return f"/{match['v4']} is no prefix length of IPv4"
    if match["v6"] is not None and (int(match["v6"]) > 128 or match["v6"] != str(int(match["v6"]))):
        return f"//{match['v6']} is no prefix length of IPv6"
    return _may_name(match["domain"])


def _network(version: int) -> Check:
    def check(value: str) -> str:
        text = value[1:] if value.startswith(":") else ""
        address, slash, length = text.partition("/")
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return f"{address!r} is no IPv{version} address" if text else "an address has to follow"
        if found.version != version:
            return f"{address} is an IPv{found.version} address, which ip{found.version} is for"
        if slash and not (re.fullmatch(r"0|[1-9][0-9]{0,2}", length) and int(length) <= found.max_prefixlen):
            return f"/{length} is no prefix length of IPv{version}"
        return ""

    return check


def _domain(text: str) -> str:
    """What is wrong with a domain-spec (section 7.1)."""
    if not text:
        return "a domain has to follow"
    if not _DOMAIN.fullmatch(text):
        return f"{text!r} is no domain"
    if "%" not in text:
        name = text.removesuffix(".")
        if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
            return f"{text!r} is no domain"
    return ""


_CHECKS: Mapping[str, Check] = {
    "all": _all,
    "include": _must_name,
    "exists": _must_name,
    "ptr": _may_name,
    "a": _address,
    "mx": _address,
    "ip4": _network(4),
    "ip6": _network(6),
}


def write(terms: Sequence[Term]) -> str:
    """The record of these terms."""
    return " ".join([VERSION, *map(str, terms)])
