# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""An assessment as a page for people: title, sections, lines and tables of plain strings. Pure.

How it looks is the templates' work, and so is escaping: what is in here came from other people's servers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..progress import amount, clean, size
from .page_times import times
from .sections import Section, section, table
from .words import COUNTS, SCHEMES, between, many

#: So many of the largest accounts are named, and so many examples of a kind of finding.
LARGEST = 20
EXAMPLES = 3
#: What users have made themselves, and will miss.
_THEIRS = ("storage_files", "tasks", "filters", "folder_rules", "pgp_keys", "contact_pgp_keys")
_CLASSES = ((0, "empty"), (10**8, "to 100 MB"), (10**9, "to 1 GB"), (5 * 10**9, "to 5 GB"), (2 * 10**10, "to 20 GB"))
_BEYOND = "more than 20 GB"
_LEVELS = ("error", "warning", "note")
_UNSEEN = "not visible from here: ask"

Result = Mapping[str, Any]


def page(customer: str, result: Result) -> dict[str, Any]:
    """The page of a result of ``source_info``: ``title`` and ``sections``.

    A section has a ``title``, ``lines``, and tables in ``tables``: ``head`` and ``rows`` of strings.
    """
    sections = [
        section("In short", _short(result)),
        section("What to decide next", _next(result)),
        _platform(result),
        section("Domains", [], table(["domain", "accounts", "messages", "size"], _domains(result))),
        section("What migrates", _moving_lines(result), table(["what", "how many"], _moving(result))),
        _staying(result),
        _accounts(result),
        *times(result),
        _findings(result),
    ]
    found = [_cleaned(each) for each in sections if each]
    return {"title": clean(f"Assessment of {customer}"), "sections": found}


# -- what is there


def _short(result: Result) -> list[str]:
    counts = result["counts"]
    lines = [f"{many(counts['accounts'], 'account')} in {many(counts['domains'], 'domain')}."]
    if "messages" in counts:
        mail = f"{many(counts['messages'], 'message')} with {size(counts['bytes'])}"
        where = f"{many(counts['folders'], 'folder')} of {amount(counts['mailboxes'])} mailboxes"
        lines.append(f"{mail} in {where}.")
    else:
        lines.append("How much mail there is was not measured: that takes somebody who may see all mailboxes.")
    if result.get("estimate"):
        lines.append(f"The first copy takes {between(result['estimate']['first_copy']['around_the_clock'])}.")
    seen = sum(each["count"] is not None for each in result["not_migrated"])
    unseen = len(result["not_migrated"]) - seen
    if seen:
        lines.append(f"{many(seen, 'kind')} of things that are there will not migrate.")
    if unseen:
        lines.append(f"{many(unseen, 'kind')} of things can't be seen from here: ask.")
    return lines


def _platform(result: Result) -> Section | None:
    platform, support = result["platform"], result["support"]
    database = platform["database_version"]
    session = "read-only, by the server too" if result["read_only_enforced"] else "read-only by us"
    rows = [
        ("platform", platform["profile"]),
        ("version", platform["version"] or ("the site does not say" if database else "")),
        ("generation by its tables", platform["generation"]),
        ("database server", database),
        ("stored passwords, as the site says", platform["password_type"]),
        ("passwords are checked by", platform["auth_type"]),
        ("database session", session if database else ""),
        ("it has", ", ".join(name.replace("_", " ") for name in result["capabilities"])),
    ]
    lines = ["Mail is copied from any version."]
    if support["settings"] == "supported":
        lines.append("Settings are read from this version.")
    else:
        lines.append(
            f"Settings are supported from version {support['supported_from']}. From this one they are tried: "
            f"{', '.join(support['tried']) or 'nothing'}."
        )
    if support["not_read"]:
        lines.append(f"Not there, and so not read: {', '.join(support['not_read'])}.")
    return section("The source", lines, table(["", "found"], ([name, value] for name, value in rows if value)))


def _domains(result: Result) -> Iterable[list[str]]:
    by_domain: dict[str, list[Any]] = defaultdict(list)
    for account in result["accounts"]:
        by_domain[account["address"].rpartition("@")[2]].append(account)
    for domain in result["domains"]:
        accounts = by_domain[domain["name"]]
        measured = [account for account in accounts if "messages" in account]
        yield [
            domain["name"] if domain["enabled"] else f"{domain['name']} (disabled)",
            amount(len(accounts)),
            amount(sum(account["messages"] for account in measured)) if measured else "",
            size(sum(account["bytes"] or 0 for account in measured)) if measured else "",
        ]


def _moving_lines(result: Result) -> list[str]:
    left_out = result["counts"]["left_out"]
    return [f"{amount(left_out)} accounts are left out; see the findings."] if left_out else []


def _moving(result: Result) -> Iterable[list[str]]:
    for name, number in result["counts"].items():
        if name in COUNTS and number:
            yield [COUNTS[name], size(number) if name == "bytes" else amount(number)]
    for scheme, number in result["password_schemes"].items():
        yield [SCHEMES.get(scheme, f"passwords stored as {scheme}"), amount(number)]


def _staying(result: Result) -> Section | None:
    rows = (
        [
            each["label"],
            _UNSEEN if each["count"] is None else amount(each["count"]),
            amount(each["accounts"]) if each["accounts"] else "",
            each["reason"],
        ]
        for each in result["not_migrated"]
    )
    return section("What does not migrate, and why", [], table(["what", "how many", "of accounts", "why"], rows))


# -- accounts by size


def _accounts(result: Result) -> Section | None:
    measured = [account for account in result["accounts"] if "messages" in account]
    whole = sum(account["bytes"] or 0 for account in measured)
    largest = sorted(measured, key=lambda account: (-(account["bytes"] or 0), -account["messages"], account["address"]))
    rows = (
        [
            account["address"],
            amount(account["messages"]),
            size(account["bytes"]) if account["bytes"] is not None else "",
            amount(account["folders"]),
            _share(account["bytes"] or 0, whole),
        ]
        for account in largest[:LARGEST]
    )
    lines = [f"The largest {LARGEST} of {amount(len(measured))}:"] if len(measured) > LARGEST else []
    return section(
        "Accounts by size",
        lines,
        table(["account", "messages", "size", "folders", "share"], rows),
        table(["size of the mailbox", "accounts", "together", "share"], _distribution(measured, whole)),
    )


def _distribution(measured: Iterable[Mapping[str, Any]], whole: int) -> Iterable[list[str]]:
    names = [name for _most, name in _CLASSES] + [_BEYOND]
    number, octets = Counter[str](), Counter[str]()
    for account in measured:
        own = account["bytes"] or 0
        name = next((name for most, name in _CLASSES if own <= most), _BEYOND)
        number[name] += 1
        octets[name] += own
    for name in names:
        if number[name]:
            yield [name, amount(number[name]), size(octets[name]), _share(octets[name], whole)]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


# -- what to know, and to decide


def _findings(result: Result) -> Section | None:
    by_kind: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for finding in result["findings"]:
        by_kind[_LEVELS.index(finding["level"]), finding["kind"]].append(finding)
    rows = (
        [kind.replace("_", " "), _LEVELS[level], amount(len(found)), _examples(found)]
        for (level, kind), found in sorted(by_kind.items())
    )
    lines = (
        ["An error leaves an account out, a warning wants to be looked at, a note is good to know."] if by_kind else []
    )
    return section("Findings", lines, table(["finding", "level", "how many", "for example"], rows))


def _examples(found: Sequence[Mapping[str, Any]]) -> str:
    named = [f"{each['account']}: {each['message']}" if each["account"] else each["message"] for each in found]
    more = f"; and {amount(len(named) - EXAMPLES)} more" if len(named) > EXAMPLES else ""
    return "; ".join(named[:EXAMPLES]) + more


def _next(result: Result) -> list[str]:
    """Questions that somebody has to answer, the most pressing first."""
    kinds = Counter(finding["kind"] for finding in result["findings"])
    errors = len({finding["account"] for finding in result["findings"] if finding["level"] == "error"})
    lines = []
    if errors:
        lines.append(
            f"{amount(errors)} accounts or other things are left out as they are: mend them, or go on without them?"
        )
    if kinds["password_unreadable"] or kinds["password_elsewhere"]:
        lines.append("Passwords that can't be read: will users get new ones, or are they taken over at their log-in?")
    if kinds["password_empty"]:
        lines.append(f"{amount(kinds['password_empty'])} accounts have no password: are they still needed?")
    if kinds["mailbox_missing"]:
        lines.append(f"{amount(kinds['mailbox_missing'])} accounts have no mailbox: are they still needed?")
    if result["support"]["settings"] != "supported":
        lines.append("Settings of this version are tried: compare a few accounts with what their users see.")
    if result.get("estimate") is None:
        lines.append(
            "Who may see all mailboxes of the source? Then their sizes can be measured, and the time estimated."
        )
    elif any(figure["basis"] == "assumed" for figure in result["estimate"]["rates"].values()):
        lines.append("The estimate has assumptions in it: copy a few mailboxes first, or measure (migration_estimate).")
    theirs = [each for each in result["not_migrated"] if each["what"] in _THEIRS and each["count"]]
    if theirs:
        named = ", ".join(f"{amount(each['count'])} {each['label']}" for each in theirs)
        lines.append(f"Who tells users, and when, what of theirs does not come along: {named}?")
    if any(each["what"] == "mail_in_sql" for each in result["not_migrated"]):
        lines.append("Messages are kept in the database: does the server give all of them by IMAP or POP3?")
    return lines + [each["ask"] for each in result["not_migrated"] if each["count"] is None and each["ask"]]


def _cleaned(value: Any) -> Any:
    """All strings with what does not print as escapes: no page may hold a control character."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list) else value
