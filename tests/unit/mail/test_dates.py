# SPDX-License-Identifier: GPL-3.0-or-later
"""The date of a message from its header, where the server tells none."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.attributes import instant
from ansible_collections.atmail.migration.plugins.module_utils.mail.dates import received_date
from hypothesis import given
from hypothesis import strategies as st

TOP = b"Received: from a (b; c)\r\n\tby d id 7;\r\n\tTue, 2 Feb 2021 19:05:06 -0800\r\n"
OLDER = b"Received: from x by y; Mon, 1 Feb 2021 00:00:00 +0000\r\n"


@pytest.mark.parametrize(
    ("header", "date"),
    [
        (TOP + OLDER + b"Date: Sun, 31 Jan 2021 10:00:00 +0100\r\n", b" 2-Feb-2021 19:05:06 -0800"),
        (b"Date: Sun, 31 Jan 2021 10:00:00 +0100\r\n" + OLDER, b" 1-Feb-2021 00:00:00 +0000"),
        (b"Subject: x\nDate: 3 Feb 21 04:05:06 GMT (really)\n", b" 3-Feb-2021 04:05:06 +0000"),
        (b"date:Wed, 3 Feb 2021 04:05 EST\r\n", b" 3-Feb-2021 04:05:00 -0500"),
        # a leap second is no second of IMAP's
        (b"Date: Sat, 31 Dec 2016 23:59:60 +0530\r\n", b"31-Dec-2016 23:59:59 +0530"),
        # a Received field whose date is none does not hide the next one
        (b"Received: from a by b; yesterday\r\n" + OLDER, b" 1-Feb-2021 00:00:00 +0000"),
        (b"Received: from a by b\r\nDate: nonsense\r\n", b""),
        (b"X-Date: Sun, 31 Jan 2021 10:00:00 +0100\r\n", b""),
        (b"Date: Sun, 31 Jan 2021 10:00:00 +9900\r\n", b""),
        (b"Date: Sun, 31 Feb 2021 10:00:00 +0000\r\n", b""),
        (b"Date: Sun, 77 Jan 2021 10:00:00 +0000\r\n", b""),
        (b"", b""),
    ],
)
def test_the_date_of_a_header(header: bytes, date: bytes) -> None:
    assert received_date(header) == date


@given(st.binary(max_size=200))
def test_any_header_gives_a_date_that_can_be_sent_or_none(text: bytes) -> None:
    for header in (text, b"Date: " + text, b"Received: x; " + text):
        date = received_date(header)
        assert date == b"" or instant(date) is not None
