# SPDX-License-Identifier: GPL-3.0-or-later
"""Modified UTF-7 to the letter of RFC 3501, section 5.1.3."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.utf7 import decode, encode
from hypothesis import given
from hypothesis import strategies as st
from imapclient import imap_utf7

#: Derived from the section's rules; half of a character's bits never stand at an end, and base64 is never split.
LEGAL = [
    ("", b""),
    ("INBOX", b"INBOX"),
    ("a b", b"a b"),
    ("~`!@#$%^*()_+-={}[]|\\:\";'<>?,./", b"~`!@#$%^*()_+-={}[]|\\:\";'<>?,./"),
    ("&", b"&-"),
    ("&&", b"&-&-"),
    ("R&D", b"R&-D"),
    ("&AOQ-", b"&-AOQ-"),
    ("-", b"-"),
    ("&-", b"&--"),
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("\t", b"&AAk-"),
    ("\0", b"&AAA-"),
    ("a\x7fb", b"a&AH8-b"),
    ("\r\n", b"&AA0ACg-"),
    ("\t&\t", b"&AAk-&-&AAk-"),
    ("&\t&", b"&-&AAk-&-"),
    ("ä", b"&AOQ-"),
    ("ää", b"&AOQA5A-"),
    ("äää", b"&AOQA5ADk-"),
    ("ä-", b"&AOQ--"),
    ("ä&ö", b"&AOQ-&-&APY-"),
    ("äaö", b"&AOQ-a&APY-"),
    ("\u07ff", b"&B,8-"),
    ("\u0800", b"&CAA-"),
    ("\ud7ff\ue000", b"&1,,gAA-"),
    ("\ufffd", b"&,,0-"),
    ("\uffff", b"&,,8-"),
    ("\U00010000", b"&2ADcAA-"),
    ("\U0010ffff", b"&2,,f,w-"),
    ("🎉", b"&2DzfiQ-"),
    ("a🎉b", b"a&2DzfiQ-b"),
    ("e\u0301", b"e&AwE-"),
    ("é", b"&AOk-"),
]
ILLEGAL = [
    b"&",  # begun and not ended
    b"a&",
    b"&-&",
    b"&&",
    b"&&-",
    b"&AAk",
    b"&ZeVnLIqe",
    b"&AA-",  # a character and a half
    b"&A-",
    b"&AOQA-",
    b"&AOR-",  # bits left over that are not zero
    b"&AOQ=-",  # padding
    b"&*Ak-",  # no base64
    b"&A/8-",  # the slash of ordinary base64
    b"&AOQ -",
    b"&Jjo!",
    b"&AGE-",  # a printable character needs none
    b"&AOQAYQ-",
    b"&ACY-",
    b"&AOQ-&APY-",  # ended only to begin again
    b"&U,BTFw-&ZeVnLIqe-",
    b"&2Dw-",  # half a surrogate pair
    b"&34k-",
    b"&34nYPA-",  # the wrong way round
    b"&2DwAYQ-",
    b"tab\there",  # as they are
    b"\0",
    b"\x7f",
    "ä".encode(),
    b"\xe4",
    b"\xff&AOQ-",
]


@pytest.mark.case(56)
@pytest.mark.parametrize(("text", "name"), LEGAL)
def test_legal_names(text: str, name: bytes) -> None:
    assert encode(text) == name
    assert decode(name) == text


@pytest.mark.case(56)
@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_names_are_not_guessed_at(name: bytes) -> None:
    assert decode(name) is None


@pytest.mark.case(56)
@pytest.mark.parametrize("text", ["\ud83c", "a\udf89"])
def test_half_a_pair_is_no_text(text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(text)


@given(st.text())
def test_any_text_has_one_name_and_comes_back(text: str) -> None:
    name = encode(text)
    assert name.isascii()
    assert name.decode("ascii").isprintable()
    assert decode(name) == text
    assert imap_utf7.encode(text) == name
    assert imap_utf7.decode(name) == text


@given(st.text("&-,+/=AaBbQkw0189 \xe4\x07", max_size=12))
def test_what_is_decoded_is_encoded_to_the_same(text: str) -> None:
    name = text.encode("latin-1")
    decoded = decode(name)
    assert decoded is None or encode(decoded) == name
