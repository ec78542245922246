# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers say when they want us to wait, word by word, and what they say when they do not."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.hints import (
    EXPIRED,
    MEANINGS,
    NOT_NOW,
    SAYINGS,
    SLOW_DOWN,
    SPENT,
    TOO_MANY,
    Hint,
    read_hint,
    wait_for,
)

pytestmark = pytest.mark.case(92)


@pytest.mark.parametrize(
    ("words", "meaning", "seconds", "shared", "vendor"),
    [
        ("BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", SLOW_DOWN, 299.961, True, "Exchange"),
        ("Request is throttled. Suggested Backoff Time: 30 seconds", SLOW_DOWN, 30, True, "Exchange"),
        ("BAD Request is throttled.", SLOW_DOWN, 60, True, "Exchange"),
        ("BAD User is authenticated but not connected.", NOT_NOW, 30, False, "Exchange"),
        ("* BYE Session invalidated - AccessTokenExpired", EXPIRED, 0, False, "Exchange"),
        ("NO Server Unavailable. 15", NOT_NOW, 30, True, "Exchange"),
        ("NO [ALERT] Server is too busy", NOT_NOW, 30, True, "Exchange"),
        ("* BYE Connection is closed. 13", EXPIRED, 0, False, "Exchange"),
        ("NO [THROTTLED] Slow down", SLOW_DOWN, 30, True, "Gmail"),
        (
            "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits. cafe123 (Failure)",
            SPENT,
            86400,
            False,
            "Gmail",
        ),
        ("NO [ALERT] Account exceeded bandwidth limits. (Failure)", SPENT, 86400, False, "Gmail"),
        ("NO [ALERT] Lockdown in sector 4 (Failure)", SPENT, 86400, False, "Gmail"),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", TOO_MANY, 30, False, "Gmail"),
        ("* BYE Session expired, please login again.", EXPIRED, 0, False, "Gmail"),
        ("* BYE Temporary System Error (Failure)", NOT_NOW, 30, False, "Gmail"),
        (
            "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            TOO_MANY,
            5,
            False,
            "Dovecot",
        ),
        ("NO [UNAVAILABLE] Temporary authentication failure. [mx1:2026-11-23]", NOT_NOW, 10, False, "Dovecot"),
        ("NO [INUSE] Mailbox is locked", NOT_NOW, 10, False, "RFC 5530"),
        ("NO [UNAVAILABLE] Internal error occurred", NOT_NOW, 15, False, "RFC 5530"),
        ("NO [LIMIT] No more today", SLOW_DOWN, 30, True, "RFC 5530"),
        ("NO [LIMIT] LOGIN Rate limit hit.", SLOW_DOWN, 60, True, "Yahoo"),
        ("* BYE Maximum connection limit reached for this IP address", TOO_MANY, 20, True, "Courier"),
        ("* BYE too many requests for acct", SLOW_DOWN, 30, True, "Zimbra"),
        ("* BYE Unable to obtain command lock x aborting operation", NOT_NOW, 10, False, "Zimbra"),
        ("* BYE Too many open connections", TOO_MANY, 20, True, "several"),
        ("NO too many logins", TOO_MANY, 20, True, "several"),
    ],
)
def test_vendors_words(words: str, meaning: str, seconds: float, shared: bool, vendor: str) -> None:
    hint = read_hint(words)
    assert hint is not None
    assert (hint.meaning, hint.shared, hint.vendor) == (meaning, shared, vendor)
    assert hint.seconds == pytest.approx(seconds)
    assert read_hint(words.upper()) == hint


@pytest.mark.parametrize(
    "words",
    [
        "NO [AUTHENTICATIONFAILED] Authentication failed.",
        "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        "NO [OVERQUOTA] Quota exceeded (mailbox for user is full)",
        "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
        "NO [TRYCREATE] Mailbox doesn't exist: Archive",
        "NO [TOOBIG] Message too large",
        "* BYE Logging out",
        "* BYE Server shutting down.",
        "OK Still here",
        "NO Mailbox busy-bees is not there",
        "",
    ],
)
def test_what_asks_for_no_patience(words: str) -> None:
    assert read_hint(words) is None


def test_a_limit_is_final_where_something_is_stored() -> None:
    assert read_hint("NO [LIMIT] At most 32 flags in one mailbox supported", writing=True) is None
    assert read_hint("NO [LIMIT] Rate limit hit", writing=True) is not None


def test_a_time_beyond_all_reason_is_a_day() -> None:
    hint = read_hint(f"Suggested Backoff Time: {'9' * 900} milliseconds")
    assert hint is not None
    assert hint.seconds == 86400


def test_every_saying_is_known_and_every_meaning_can_be_said() -> None:
    assert {saying.meaning for saying in SAYINGS} <= set(MEANINGS)
    assert all(saying.seconds > 0 or saying.meaning == EXPIRED for saying in SAYINGS)


def test_waits_double_where_no_time_was_named_and_stay_below_the_longest() -> None:
    guess = Hint(TOO_MANY, 5, shared=False, vendor="x")
    assert [wait_for(guess, times) for times in (1, 2, 3, 7, 8, 1000)] == [5, 10, 20, 300, 300, 300]
    told = Hint(SLOW_DOWN, 299.961, shared=True, vendor="x", exact=True)
    assert [wait_for(told, times) for times in (1, 5)] == [299.961, 299.961]
    assert wait_for(Hint(SPENT, 86400, shared=False, vendor="x"), 3) == 86400
