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
from .words import COUNTS, RATES, SCHEMES, approximately, between

#: So many of the largest accounts are named, and so many examples of a kind of finding.
LARGEST = 20
EXAMPLES = 3
MOST_ROWS = 100
#: What users have made themselves, and will miss.
_THEIRS = ("storage_files", "tasks", "filters", "folder_rules", "pgp_keys", "contact_pgp_keys")
_CLASSES = ((0, "empty"), (10**8, "to 100 MB"), (10**9, "to 1 GB"), (5 * 10**9, "to 5 GB"), (2 * 10**10, "to 20 GB"))
_BEYOND = "more than 20 GB"
_LEVELS = ("error", "warning", "note")
_UNSEEN = "not visible from here: ask"

Section = dict[str, Any]
Result = Mapping[str, Any]


def page(customer: str, result: Result) -> dict[str, Any]:
    """The page of a result of ``source_info``: ``title`` and ``sections``.

    A section has a ``title``, ``lines``, and tables in ``tables``: ``head`` and ``rows`` of strings.
    """
    sections = [
        _section("In short", _short(result)),
        _section("What to decide next", _next(result)),
        _platform(result),
        _section("Domains", [], _table(["domain", "accounts", "messages", "size"], _domains(result))),
        _section("What migrates", _moving_lines(result), _table(["what", "how many"], _moving(result))),
        _staying(result),
        _accounts(result),
        *_estimate(result),
        _findings(result),
    ]
    found = [_cleaned(each) for each in sections if each]
    return {"title": clean(f"Assessment of {customer}"), "sections": found}


def _section(title: str, lines: Iterable[str], *tables: Section | None) -> Section | None:
    """A section; None for one without anything in it."""
    said, shown = list(lines), [table for table in tables if table is not None]
    return {"title": title, "lines": said, "tables": shown} if said or shown else None


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Section | None:
    """A table that nobody has to scroll for ever; None for one without rows."""
    every = [list(row) for row in rows]
    if len(every) > MOST_ROWS:
        more = [f"and {amount(len(every) - MOST_ROWS)} more", *[""] * (len(head) - 1)]
        every = [*every[:MOST_ROWS], more]
    return {"head": list(head), "rows": every} if every else None


# -- what is there


def _short(result: Result) -> list[str]:
    counts = result["counts"]
    lines = [f"{amount(counts['accounts'])} accounts in {amount(counts['domains'])} domains."]
    if "messages" in counts:
        mail = f"{amount(counts['messages'])} messages with {size(counts['bytes'])}"
        lines.append(f"{mail} in {amount(counts['folders'])} folders of {amount(counts['mailboxes'])} mailboxes.")
    else:
        lines.append(
            "How much mail there is was not measured: that takes an IMAP server and somebody who sees all mailboxes."
        )
    if result.get("estimate"):
        lines.append(f"The first copy takes {between(result['estimate']['first_copy']['around_the_clock'])}.")
    seen = sum(each["count"] is not None for each in result["not_migrated"])
    unseen = len(result["not_migrated"]) - seen
    if seen or unseen:
        lines.append(
            f"{amount(seen)} kinds of things do not migrate, and {amount(unseen)} more can't be seen from here."
        )
    return lines


def _platform(result: Result) -> Section | None:
    platform, support = result["platform"], result["support"]
    rows = [
        ("platform", platform["profile"]),
        ("version", platform["version"] or "the site does not say"),
        ("generation by its tables", platform["generation"]),
        ("database server", platform["database_version"]),
        ("stored passwords, as the site says", platform["password_type"]),
        ("passwords are checked by", platform["auth_type"]),
        ("database session", "read-only, by the server too" if result["read_only_enforced"] else "read-only by us"),
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
    return _section("The source", lines, _table(["", "found"], ([name, value] for name, value in rows if value)))


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
    return _section("What does not migrate, and why", [], _table(["what", "how many", "of accounts", "why"], rows))


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
    return _section(
        "Accounts by size",
        lines,
        _table(["account", "messages", "size", "folders", "share"], rows),
        _table(["size of the mailbox", "accounts", "together", "share"], _distribution(measured, whole)),
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


# -- how long it takes


def _estimate(result: Result) -> list[Section | None]:
    made = result.get("estimate")
    if not made:
        return []
    share = 100 * made["incremental"]["changed_share"]
    runs = (
        (kind, ("the first copy", f"an incremental run ({share:g} % of the messages are new)")[number], made[part])
        for number, part in enumerate(("first_copy", "incremental"))
        for kind in ("around_the_clock", "off_peak_only")
    )
    times = (
        [what, kind.replace("_", " "), *_range(ranges[kind]), _nights(ranges) if kind == "off_peak_only" else ""]
        for kind, what, ranges in runs
        if ranges[kind]
    )
    basis = (
        [
            RATES[name][0],
            *(RATES[name][1](figure[key]) for key in ("value", "low", "high")),
            figure["basis"],
            figure["note"],
        ]
        for name, figure in made["rates"].items()
    )
    longest = (
        [
            each["name"],
            amount(each["messages"]),
            "" if each["bytes"] is None else size(each["bytes"]),
            approximately(each["seconds"]),
        ]
        for each in made["dominant"]
    )
    return [
        _section(
            "How long it takes",
            _estimate_lines(made),
            _table(["run", "when", "likely", "at best", "at worst", "nights"], times),
            _table(["based on", "likely", "from", "to", "basis", "in detail"], basis),
        ),
        _section(
            "The mailboxes that take the longest",
            ["These take half of the time together. One alone is copied over one connection, whatever the pace."],
            _table(["account", "messages", "size", "alone takes"], longest),
        )
        if made["dominant"]
        else None,
        _section(
            "Waves", _wave_lines(made), _table(["wave", "mailboxes", "the longest", "size", "takes"], _waves(made))
        ),
    ]


def _estimate_lines(made: Result) -> list[str]:
    connections = made["connections"]
    off_peak = f", {connections['off_peak']} off-peak" if connections["off_peak"] else ""
    lines = [f"Connections at once: {connections['on_peak']}{off_peak}. Limits of the pace are counted in."]
    if made["sizes_guessed"]:
        lines.append(
            f"The server does not say how large {amount(made['sizes_guessed'])} of the mailboxes are: guessed."
        )
    if made["not_measured"]:
        lines.append(f"{amount(made['not_measured'])} mailboxes could not be opened and are not in it.")
    return lines


def _range(ranges: Mapping[str, Any]) -> list[str]:
    return [approximately(ranges[name]) for name in ("likely", "low", "high")]


def _nights(ranges: Mapping[str, Any]) -> str:
    return between(ranges["nights"], lambda nights: "no end" if nights is None else amount(nights))


def _wave_lines(made: Result) -> list[str]:
    if made["connections"]["off_peak"] is None:
        return ["There is no off-peak window, so that all mailboxes are one wave. They may be copied at any time."]
    lines = ["A wave is as many mailboxes as one off-peak window has room for, the longest first."]
    if not all(wave["fits"] for wave in made["waves"]):
        lines.append(
            "Some mailboxes take longer than a window: begin with them some nights before the others. What was copied"
            " stays, and the next run goes on there."
        )
    return lines


def _waves(made: Result) -> Iterable[list[str]]:
    for number, wave in enumerate(made["waves"], 1):
        took = approximately(wave["seconds"])
        yield [
            str(number),
            amount(wave["mailboxes"]),
            wave["largest"],
            size(wave["bytes"]),
            took if wave["fits"] else f"{took}, longer than a window",
        ]


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
    return _section("Findings", lines, _table(["finding", "level", "how many", "for example"], rows))


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
