# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Photos are found in whatever form a program has left them."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.photos import Photo, photo
from hypothesis import given
from hypothesis import strategies as st

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PACKED = base64.b64encode(JPEG)


@pytest.mark.parametrize(
    "value",
    [
        JPEG,
        PACKED,
        b"\r\n" + base64.encodebytes(JPEG) + b" \n",
        base64.encodebytes(JPEG).replace(b"\n", b"\r\n "),
        PACKED.rstrip(b"="),
        base64.urlsafe_b64encode(JPEG),
        b"data:image/jpeg;base64," + PACKED,
        b"data:;base64," + PACKED,
        JPEG.hex().encode(),
        b"0x" + JPEG.hex().upper().encode(),
        JPEG.decode("latin-1").encode(),
    ],
)
def test_every_form_of_a_picture(value: bytes) -> None:
    found = photo(value)
    assert found is not None
    assert found.kind == "JPEG"
    assert found.data.startswith(JPEG)


@pytest.mark.parametrize(
    ("begins", "kind"),
    [
        (PNG, "PNG"),
        (b"GIF89a....", "GIF"),
        (b"BM\x10\x20\x00\x00\x00\x00\x00\x00..", "BMP"),
        (b"RIFF\x10\x20\x00\x00WEBPVP8 ", "WEBP"),
        (b"II*\x00....", "TIFF"),
    ],
)
def test_kinds_of_pictures(begins: bytes, kind: str) -> None:
    assert photo(begins) == Photo(kind, begins)
    assert photo(base64.b64encode(begins)) == Photo(kind, begins)


def test_a_photo_may_be_somewhere_else() -> None:
    assert photo(b" https://a.example/b.jpg?c=1;d ") == Photo(url="https://a.example/b.jpg?c=1;d")


@pytest.mark.parametrize(
    "value",
    [
        b"ann.jpg",
        b"/usr/local/atmail/photo.jpg",
        b"hello",
        base64.b64encode(b"hello"),
        b"data:text/plain,hello",
        b"ff",
        b"=",
    ],
)
def test_what_is_no_picture(value: bytes) -> None:
    assert photo(value) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_a_picture_or_none(value: bytes) -> None:
    found = photo(value)
    assert found is None or found.kind or found.url
