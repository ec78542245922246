# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a status means for what was asked (RFC 4918 section 11, RFC 4791 section 5.3.2.1, RFC 6352 section 6.3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import (
    AuthError,
    CollectionError,
    MigrationError,
    ObjectChangedError,
    ObjectRefusedError,
    OverQuotaError,
    ProtocolError,
    ServerError,
    ServerFaultError,
)
from ...transport.http import Answer
from ..model import Kind
from .names import dav
from .xml import condition_of, parse

#: Longer answers to something refused are not looked into.
_MAX_ERROR = 64 * 1024
#: Conditions that say nothing of the object, but of the collection or the account.
_NO_RIGHT = frozenset({"need-privileges", "read-only"})
_QUOTA = frozenset({"quota-not-exceeded", "sufficient-disk-space"})


def condition(answer: Answer) -> str:
    """The name of the condition that was not fulfilled; empty where the server does not say it."""
    if answer.body.lstrip()[:1] != b"<" or len(answer.body) > _MAX_ERROR:
        return ""
    try:
        root = parse(answer.body)
    except ProtocolError:
        return ""
    return condition_of(root if root.tag == dav("error") else root.find(f".//{dav('error')}"))


def said(answer: Answer) -> str:
    """Status and words of a refusal, for a message."""
    words = _words(answer)
    return f"HTTP status {answer.status}" + (f": {words}" if words else "")


def _words(answer: Answer) -> str:
    """What a server says for people: of XML and HTML only the texts."""
    text = answer.text(600)
    if not text.startswith("<"):
        return text[:200]
    try:
        root = parse(answer.body)
    except ProtocolError:
        return ""
    found = condition_of(root)
    texts = [one.strip() for one in root.itertext() if one.strip()]
    return " ".join([*([found] if found else []), *texts])[:200]


def refused(answer: Answer, what: str, **where: str | None) -> MigrationError:
    """The error for something that is asked of an account or of a collection."""
    reason = condition(answer)
    if answer.status == 507 or reason in _QUOTA:
        return OverQuotaError(f"{what}: the account's quota is used up ({said(answer)})", **where)
    if answer.status >= 500 and answer.status != 501:
        return ServerFaultError(f"{what}: the server has trouble of its own ({said(answer)})", **where)
    kind = CollectionError if where.get("collection") else ServerError
    return kind(f"{what}: {said(answer)}", **where, condition=reason or None)


def not_stored(answer: Answer, kind: Kind, size: int, max_size: int | None, **where: str | None) -> MigrationError:
    """The error for an object that was not stored, of ``size`` bytes."""
    reason, status = condition(answer), answer.status
    if status == 507 or reason in _QUOTA:
        return OverQuotaError(f"the account's quota on the target is used up ({said(answer)})", **where)
    if status in (401, 407):
        return AuthError(f"the target wants another log-in for this ({said(answer)})", **where)
    if reason in _NO_RIGHT or (status in (404, 405, 410) and not reason):
        return CollectionError(f"the target lets nothing be written there: {said(answer)}", **where)
    if status == 412 and not reason and not (max_size and size > max_size):
        return ObjectChangedError("it is there already, or was changed meanwhile", **where)
    if status in (502, 503, 504):
        return ServerFaultError(f"the target has trouble of its own ({said(answer)})", **where)
    found = reason or _usual(status, kind)
    return ObjectRefusedError(f"the target does not take it ({said(answer)})", **where, condition=found)


def _usual(status: int, kind: Kind) -> str:
    """The condition that a status without one stands for."""
    invalid = "valid-calendar-data" if kind is Kind.CALENDAR else "valid-address-data"
    usual: Mapping[int, str] = {
        400: invalid,
        415: invalid,
        422: invalid,
        412: "max-resource-size",
        413: "max-resource-size",
        423: "locked",
    }
    return usual.get(status, f"http-{status}")
