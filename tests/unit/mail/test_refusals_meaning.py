# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NO or BAD answer means, by its response code or by its words."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.mail.session import Session, refusal
from ansible_collections.atmail.migration.plugins.module_utils.transport.dialogue import Reply
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import Wire


@pytest.fixture
def session() -> Iterator[Session]:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        yield Session(Server("target", "x", 143), Wire(mine), ())


@pytest.mark.case(92)
@pytest.mark.parametrize(
    ("words", "kind", "writing"),
    [
        (b"[OVERQUOTA] Quota exceeded (mailbox for user is full)", "over_quota", "over_quota"),
        (b"[OVERQUOTA] Not enough disk quota", "disk_full", "disk_full"),
        (b"Write failed: No space left on device", "disk_full", "disk_full"),
        (b"[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", "throttled", "throttled"),
        (b"[SERVERBUG] Internal error occurred. Refer to server log", "server_fault", "server_fault"),
        (b"[CORRUPTION] index", "server_fault", "server_fault"),
        (b"[UNAVAILABLE] later", "throttled", "throttled"),
        (b"[THROTTLED] later", "throttled", "throttled"),
        (b"[LIMIT] At most 32 flags in one mailbox supported", "throttled", "server_error"),
        (b"[TRYCREATE] Mailbox doesn't exist: Work", "folder_gone", "folder_gone"),
        (b"[ALERT] Session expired, please login again", "server_error", "server_error"),
        (b"[NOPERM] no", "server_error", "server_error"),
    ],
)
def test_a_refusal_by_its_kind(session: Session, words: bytes, kind: str, writing: str) -> None:
    reply = Reply(b"NO", words, ())
    assert refusal(reply, "do it", session).kind == kind
    error = refusal(reply, "do it", session, writing=True)
    assert error.kind == writing
    assert error.where["server"] == "target x:143"
    assert words.decode() in error.message


@pytest.mark.parametrize(
    "taken", [b" (0.001 + 0.000 secs).", b" (0.004 + 0.000 + 0.003 secs).", b" (12.100 + 0.000 secs)", b""]
)
def test_two_equal_refusals_have_equal_words(taken: bytes) -> None:
    reply = Reply(b"NO", b"[OVERQUOTA] Not enough disk quota" + taken, ())
    assert reply.said == "[OVERQUOTA] Not enough disk quota"


def test_other_words_in_brackets_are_kept() -> None:
    assert Reply(b"NO", b"Try later (30 secs).", ()).said == "Try later (30 secs)."
