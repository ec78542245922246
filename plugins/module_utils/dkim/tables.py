# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The two tables of a signer: which keys a domain's mail is signed with, and where their files are. Pure.

============  =========================================  =====================================================
signer        signing table                              key table
============  =========================================  =====================================================
``exim``      ``acme.example: s1 : s2``                  ``s1._domainkey.acme.example: /keys/…/s1.key``
``opendkim``  ``*@acme.example s1._domainkey.acme…``     ``s1._domainkey.acme… acme.example:s1:/keys/…/s1.key``
``rspamd``    ``acme.example s1``                        ``acme.example /keys/acme.example/$selector.key``
============  =========================================  =====================================================

Exim reads them by ``lsearch``, OpenDKIM as ``refile:`` and ``file:``, rspamd as ``selector_map`` and ``path_map``.
Lines about other domains, comments and empty lines stay as they are, byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import DkimTableError
from .keys import KeyType
from .names import record_name

Backend = Literal["exim", "opendkim", "rspamd"]


@dataclass(frozen=True)
class Layout:
    """How a signer's tables are written.

    ``signing`` makes a domain's lines from its selectors, ``keys`` those of the key table from its selectors and the
    folder of the keys. ``signing_key`` and ``key_key`` say by which first words a line is the domain's. ``types`` are
    those that the signer can sign with, ``most`` how many keys of a domain it can (0: any number).
    """

    signing: Callable[[str, Sequence[str]], list[str]]
    keys: Callable[[str, Sequence[str], str], list[str]]
    signing_key: Callable[[str, str], bool]
    key_key: Callable[[str, str], bool]
    selectors: Callable[[str, str], list[str]]
    types: frozenset[KeyType] = frozenset({"rsa", "ed25519"})
    most: int = 0

    @staticmethod
    def lines(text: str, is_its: Callable[[str, str], bool], domain: str) -> list[str]:
        """The lines of a table that are a domain's."""
        return [raw.rstrip("\r\n") for first, _rest, raw in _entries(text) if first and is_its(first, domain)]


def _record_key(word: str, domain: str) -> bool:
    return word.endswith(record_name("", domain))


def _plain(word: str, domain: str) -> bool:
    return word == domain


LAYOUTS: Mapping[Backend, Layout] = {
    "exim": Layout(
        signing=lambda domain, selectors: [f"{domain}: {' : '.join(selectors)}"] if selectors else [],
        keys=lambda domain, selectors, folder: [
            f"{record_name(name, domain)}: {folder}/{name}.key" for name in selectors
        ],
        signing_key=_plain,
        key_key=_record_key,
        selectors=lambda rest, _domain: [name.strip() for name in rest.split(":") if name.strip()],
    ),
    "opendkim": Layout(
        signing=lambda domain, selectors: [f"*@{domain} {record_name(name, domain)}" for name in selectors],
        keys=lambda domain, selectors, folder: [
            f"{record_name(name, domain)} {domain}:{name}:{folder}/{name}.key" for name in selectors
        ],
        signing_key=lambda word, domain: word == f"*@{domain}",
        key_key=_record_key,
        selectors=lambda rest, domain: [rest.strip().lower().removesuffix(record_name("", domain))],
        # It takes the key for an RSA one, fails, and answers 451 to all mail of the domain.
        types=frozenset({"rsa"}),
    ),
    "rspamd": Layout(
        signing=lambda domain, selectors: [f"{domain} {name}" for name in selectors],
        keys=lambda domain, selectors, folder: [f"{domain} {folder}/$selector.key"] if selectors else [],
        signing_key=_plain,
        key_key=_plain,
        selectors=lambda rest, _domain: [rest.strip()],
        most=1,
    ),
}


def signing_selectors(text: str, layout: Layout, domain: str) -> list[str]:
    """The selectors that the signing table has for a domain."""
    found = []
    for first, rest, _raw in _entries(text):
        if layout.signing_key(first, domain):
            found += layout.selectors(rest, domain)
    return found


def with_signing(text: str, layout: Layout, domain: str, selectors: Sequence[str]) -> str:
    """The signing table with these selectors for a domain. Raises DkimTableError for more than the signer can take."""
    if layout.most and len(selectors) > layout.most:
        said = f"this signer signs a domain's mail with {layout.most} key, not with {len(selectors)}"
        raise DkimTableError(said, safe_next="Use one type of key for this signer; nothing has been changed.")
    return _replaced(text, lambda word: layout.signing_key(word, domain), layout.signing(domain, selectors))


def with_keys(text: str, layout: Layout, domain: str, selectors: Sequence[str], folder: str) -> str:
    """The key table with the keys of a domain that there are."""
    return _replaced(text, lambda word: layout.key_key(word, domain), layout.keys(domain, selectors, folder))


def _replaced(text: str, ours: Callable[[str], bool], lines: Sequence[str]) -> str:
    """The text with other lines in the place of ours; without any before, at its end."""
    kept: list[str] = []
    place: int | None = None
    for first, _rest, raw in _entries(text):
        if first and ours(first):
            place = len(kept) if place is None else place
        else:
            kept.append(raw)
    if place is None:
        place = len(kept)
        if kept and lines and not kept[-1].endswith("\n"):
            kept[-1] += "\n"
    return "".join([*kept[:place], *(f"{line}\n" for line in lines), *kept[place:]])


def _entries(text: str) -> list[tuple[str, str, str]]:
    """The entries of a table: the first word in lower case (empty for a comment), the rest, and all as it stands.

    A line that begins with white space belongs to the entry before it, as Exim has it (lsearch).
    """
    found: list[tuple[str, str, str]] = []
    for line in _lines(text):
        if line[:1] in (" ", "\t") and line.strip() and found and found[-1][0]:
            first, rest, raw = found[-1]
            found[-1] = (first, f"{rest} {line.strip()}", raw + line)
            continue
        words = line.strip().split(maxsplit=1)
        if not words or words[0].startswith("#"):
            found.append(("", "", line))
            continue
        first, rest = words[0], words[1] if len(words) > 1 else ""
        if ":" in first and not first.startswith(":"):
            first, _colon, more = first.partition(":")
            rest = f"{more} {rest}".strip()
        found.append((first.lower(), rest, line))
    return found


def _lines(text: str) -> list[str]:
    """Lines that end at a line feed and nowhere else."""
    *whole, rest = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([rest] if rest else [])]
