# SPDX-License-Identifier: GPL-3.0-or-later
"""Which copies are too many."""

from __future__ import annotations

from collections import Counter

from ansible_collections.atmail.migration.plugins.module_utils.mail.listing import Fingerprint
from ansible_collections.atmail.migration.plugins.module_utils.mail.twins import surplus

A, B, C = (Fingerprint(number, 10, bytes([number])) for number in range(3))


def test_the_lowest_stay_and_others_mail_is_never_named() -> None:
    assert surplus(Counter([A, B]), {1: A, 2: B, 3: C, 4: C}) == []
    assert surplus(Counter([A, B]), {5: A, 6: B, 11: A, 12: B}) == [11, 12]
    assert surplus(Counter([A, A]), {5: A, 6: A, 7: A, 8: A}) == [7, 8]
    assert surplus(Counter([A]), {}) == []
