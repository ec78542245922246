# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
from __future__ import annotations

import base64

import dns.rdatatype
import dns.zone
import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.keys import KeyType, PublicKey, new_key
from ansible_collections.atmail.migration.plugins.module_utils.dkim.record import Record, difference, tags
from hypothesis import given
from hypothesis import strategies as st

KEY = new_key("ed25519", 0).public
OTHER = new_key("ed25519", 0).public
RSA = new_key("rsa", 2048).public


@pytest.mark.parametrize(("key_type", "bits", "strings"), [("rsa", 2048, 2), ("rsa", 4096, 3), ("ed25519", 0, 1)])
def test_a_record_whole_in_strings_and_as_a_line(key_type: KeyType, bits: int, strings: int) -> None:
    record = Record("s1", "acme.example", new_key(key_type, bits).public, 300)
    assert "".join(record.strings) == record.value
    assert len(record.strings) == strings
    assert all(0 < len(string) <= 255 for string in record.strings)
    zone = dns.zone.from_text(f"@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\n{record.zone_line}\n", "acme.example.")
    (found,) = list(zone.find_rdataset("s1._domainkey", dns.rdatatype.TXT))
    assert b"".join(found.strings).decode() == record.value
    assert len(found.strings) == strings
    assert difference([record.value], record.public) == ""


@given(st.integers(min_value=1, max_value=2000))
def test_strings_are_whole_and_none_is_empty(size: int) -> None:
    record = Record("s", "a.example", PublicKey("rsa", 2048, "A" * size), 1)
    assert "".join(record.strings) == record.value
    assert {len(string) for string in record.strings[:-1]} <= {255}
    assert 0 < len(record.strings[-1]) <= 255


def with_p(text: str) -> str:
    return text.replace("P", KEY.data)


@pytest.mark.parametrize(
    "text",
    [
        "v=DKIM1; k=ed25519; p=P",
        "v=DKIM1;k=ed25519;p=P;",
        "k=ed25519; p=P",
        "v=DKIM1; p=P; k=ed25519; n=a note",
        "v=DKIM1; k=ed25519; h=sha1:sha256; s=email; t=s; p=P",
        "v=DKIM1; k=ed25519; s=*; x=unknown; p=P ",
    ],
)
def test_the_same_key_said_otherwise(text: str) -> None:
    assert difference([with_p(text)], KEY) == ""


def test_white_space_inside_the_key_means_nothing() -> None:
    assert difference([f"v=DKIM1; k=ed25519; p={KEY.data[:10]} \t{KEY.data[10:]}"], KEY) == ""


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "no TXT record"),
        (["v=DKIM1; k=ed25519; p=P", "v=DKIM1; k=ed25519; p=P"], "2 TXT records"),
        (["v=spf1 -all"], "has no key"),
        (["hello"], "no list of tags"),
        (["v=DKIM1; k=ed25519; p=P; p=P"], "no list of tags"),
        (["v=DKIM1; k=ed25519; p="], "revokes"),
        (["v=DKIM2; k=ed25519; p=P"], "v=DKIM1"),
        (["k=ed25519; v=DKIM1; p=P"], "v=DKIM1"),
        (["v=DKIM1; p=P"], "type 'rsa'"),
        (["v=DKIM1; k=ed25519; p=" + OTHER.data], "another key"),
        (["v=DKIM1; k=ed25519; p=" + KEY.data[:-4]], "another key"),
        (["v=DKIM1; k=ed25519; p=😀"], "another key"),
        (['"v=DKIM1; k=ed25519; p=P"'], "another key"),
        (["v=DKIM1\\; k=ed25519\\; p=P"], "v=DKIM1"),
        (["v=DKIM1; k=ed25519; h=sha1; p=P"], "sha256"),
        (["v=DKIM1; k=ed25519; s=other; p=P"], "not for email"),
        (["v=DKIM1; k=ed25519; t=y:s; p=P"], "only tests"),
    ],
)
def test_what_is_wrong_with_a_record(texts: list[str], said: str) -> None:
    assert said in difference([with_p(text) for text in texts], KEY)


@given(st.text(max_size=80))
def test_any_text_is_understood_or_refused(text: str) -> None:
    found = tags(text)
    assert found is None or all("=" in text and name for name in found)
    assert difference([text], KEY)


@given(st.binary(max_size=60))
def test_no_other_bytes_pass_for_the_key(raw: bytes) -> None:
    text = f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
    assert (difference([text], KEY) == "") == (raw == base64.b64decode(KEY.data))
    assert difference([text], RSA)
