# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Host names, and which of them a name in a certificate stands for."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.tls.names import ascii_name, covers


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("mail.acme.example", "mail.acme.example", True),
        ("MAIL.acme.example.", "mail.ACME.example", True),
        ("*.acme.example", "mail.acme.example", True),
        ("*.acme.example", "acme.example", False),
        ("*.acme.example", "a.mail.acme.example", False),
        ("*.example", "acme.example", False),  # nothing may stand for a whole top-level domain
        ("m*.acme.example", "mail.acme.example", False),
        ("mail.*.example", "mail.acme.example", False),
        ("*", "acme.example", False),
        ("*.acme.example", ".acme.example", False),
        ("192.0.2.1", "192.0.2.1", False),
        ("*.0.2.1", "192.0.2.1", False),
        ("*.xn--bcher-kva.example", "mail.xn--bcher-kva.example", True),
        ("*.bücher.example", "mail.bücher.example", False),
        ("", "", False),
    ],
)
def test_a_name_of_a_certificate_stands_for_a_host(pattern: str, name: str, expected: bool) -> None:
    assert covers(pattern, name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (" Mail.Acme.Example. ", "mail.acme.example"),
        ("mail.bücher.example", "mail.xn--bcher-kva.example"),
        ("*.Bücher.example", "*.xn--bcher-kva.example"),
        ("_mta.acme.example", "_mta.acme.example"),
    ],
)
def test_the_form_in_which_names_are_compared(name: str, expected: str) -> None:
    assert ascii_name(name) == expected


NO_NAMES = ["", "mail", "192.0.2.1", "2001:db8::1", "a b.example", "mail..example", "-a.example", "a.example\n#"]
NO_NAMES += ["a" * 64 + ".example", "a." * 130 + "example", "m*.acme.example", "*.*.acme.example", "\x00.example"]
NO_NAMES += ["{{ x }}.example", "😀\u200d.example"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        ascii_name(name)
