# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as they should not be, by the number of their nasty case."""

from __future__ import annotations

HEAD = b"From: a@example.com\r\nSubject: "
_TEXT = b"\r\n\r\nbody\r\n"


def _nested(levels: int) -> bytes:
    """Messages in messages (message/rfc822, RFC 2046 section 5.2.1), without a boundary's end."""
    outer = b"".join(
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
        b"Content-Type: message/rfc822\r\n\r\n" % (level, level)
        for level in range(levels)
    )
    return outer + HEAD + b"innermost" + _TEXT


def _closed(levels: int) -> bytes:
    """The same as a program would write it: every boundary has its end."""
    message = HEAD + b"innermost" + _TEXT
    for level in range(levels):
        message = (
            b'Content-Type: multipart/mixed; boundary="=_%d"\r\n\r\n--=_%d\r\n'
            b"Content-Type: message/rfc822\r\n\r\n%b\r\n--=_%d--\r\n" % (level, level, message, level)
        )
    return message


def _part(boundary: bytes, told: bytes) -> bytes:
    """A multipart message whose boundary is written in a way of its own."""
    lines = (b"--" + boundary, b"", b"one", b"--" + boundary, b"", b"two", b"--" + boundary + b"--", b"")
    return b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=" + told + b"\r\n\r\n" + b"\r\n".join(lines)


#: Those that an IMAP client can append: (number of the case, what it is, bytes).
MESSAGES: tuple[tuple[int, str, bytes], ...] = (
    (1, "no header", b"\r\njust a body\r\n"),
    (1, "two bytes", b"\r\n"),
    (1, "one byte", b"x"),
    (5, "no message-id", HEAD + b"x" + _TEXT),
    (9, "NUL in the body", HEAD + b"nul\r\n\r\nbefore\0after\r\n"),
    (10, "trailing NULs", HEAD + b"nuls\r\n\r\nbody\r\n" + b"\0" * 5000),
    (10, "trailing blanks", HEAD + b"y\r\n\r\nbody" + b" " * 5000),
    (11, "NUL in the header", HEAD + b"a\0b" + _TEXT),
    (12, "bare LF", HEAD.replace(b"\r\n", b"\n") + b"lf\n\none\ntwo\n"),
    (12, "bare LF here and there", HEAD + b"lf\r\n\r\none\ntwo\r\nthree\n\r\n"),
    (13, "bare CR", HEAD + b"cr\r\n\r\none\rtwo\rthree\r\n"),
    (13, "CR at the end", HEAD + b"cr\r\n\r\nend\r"),
    (14, "CR CR LF", HEAD + b"crcrlf\r\r\nTo: b@example.com\r\r\n\r\nbody\r\r\n"),
    (15, "no end of line", HEAD + b"noend\r\n\r\nbody without end"),
    (16, "header only", HEAD + b"only a header"),
    (16, "header and one line end", HEAD + b"only a header\r\n"),
    (17, "no colon", HEAD + b"colon\r\nthis line has none\r\n\r\nbody\r\n"),
    (18, "blank continuation", HEAD + b"folded\r\n \t \r\n more" + _TEXT),
    (19, "raw UTF-8", HEAD + "Grüße 漢字".encode() + b"\r\n\r\n" + "Grüße \u201c漢字\u201d".encode() + b"\r\n"),
    (19, "raw Latin-1", HEAD + "Grüße".encode("latin-1") + b"\r\n\r\n" + "Grüße".encode("latin-1") + b"\r\n"),
    (19, "raw Big5", HEAD + "漢字".encode("big5") + b"\r\n\r\n" + "漢字".encode("big5") + b"\r\n"),
    (19, "raw GBK", HEAD + "漢字儅".encode("gbk") + b"\r\n\r\n" + "儅".encode("gbk") + b"\r\n"),
    (19, "raw Windows-1252", HEAD + b"5 \x80\r\n\r\n5 \x80\r\n"),
    (20, "control characters", HEAD + bytes(range(1, 9)) + b"\x7f\r\n\r\n" + bytes(range(14, 32)) + b"\r\n"),
    (21, "header names", b"X Y: z\r\nX-\xfc: z\r\n: none\r\n" + HEAD + b"name" + _TEXT),
    (22, "100 KB header line", HEAD + b"h" * 100_000 + _TEXT),
    (23, "999 in a body line", HEAD + b"b\r\n\r\n" + b"l" * 999 + b"\r\n"),
    (23, "16 KB body line", HEAD + b"b\r\n\r\n" + b"l" * 16384 + b"\r\n"),
    (23, "1 MB body line", HEAD + b"b\r\n\r\n" + b"l" * 1_000_000 + b"\r\n"),
    (24, "2,000 Received", b"Received: from x by y; Wed, 3 Feb 2021 04:05:06 +0100\r\n" * 2000 + HEAD + b"r" + _TEXT),
    (25, "mbox", b"From someone Wed Feb  3 04:05:06 2021\r\n" + HEAD + b"m\r\n\r\nFrom here\r\n>From there\r\n"),
    (
        26,
        "message/partial",
        b'Content-Type: message/partial; number=2; total=3; id="x@example.com"\r\n' + HEAD + b"p" + _TEXT,
    ),
    (27, "50 levels of message/rfc822", _nested(50)),
    (27, "50 levels of message/rfc822, closed", _closed(50)),
    (28, "boundary with blanks", _part(b"a boundary with blanks", b'"a boundary with blanks"')),
    (28, "boundary with a blank at its end", _part(b"end ", b'"end "')),
    (28, "boundary over two lines", _part(b"over two", b'"over\r\n two"')),
    (28, "boundary with a quoted quote", _part(b'q"q', b'"q\\"q"')),
    (28, "boundary that begins another", _part(b"ab", b"ab") + b"--abc\r\n\r\n--ab\r\n"),
    (
        29,
        "every byte but NUL",
        HEAD + b"8\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(range(1, 256)) * 40,
    ),
    (29, "8bit", HEAD + b"8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + bytes(range(128, 256)) + b"\r\n"),
    (33, "syntax", HEAD + b'a "quoted" {5} {5+}\\ (x) * OK [ALERT]\r\n\r\n* 1 FETCH (UID 1)\r\n)\r\n{10}\r\n'),
    (33, "an injection", HEAD + b"x\r\nM1 OK done\r\n\r\n)\r\nM2 OK FETCH completed\r\n* BYE\r\n"),
    (34, "other tools", HEAD + b"t\r\nX-TUID: abc123\r\nX-OfflineIMAP: 1" + _TEXT),
    (36, "no date", HEAD + b"no date" + _TEXT),
    (36, "empty date", HEAD + b"empty date\r\nDate:" + _TEXT),
    (36, "two dates", HEAD + b"2\r\nDate: Wed, 3 Feb 2021 04:05:06 Z\r\nDate: Thu, 4 Feb 2021 04:05:06 Z" + _TEXT),
    (33, "dots", HEAD + b"dots\r\n\r\n.\r\n..\r\n.x\r\n"),
)  # fmt: skip

#: Dates as they stand in headers (case 37): none of them is our business, each has to arrive as it is.
DATES = (
    "Wed, 3 Feb 2021 04:05:06 +0100",
    "3 Feb 2021 04:05:06 +0100",
    "Wed, 03 Feb 21 04:05:06 GMT",
    "Wed,  3 Feb 99 4:05:06 EST",
    "Wed, 3 Feb 121 04:05:06 +0000",
    "Wed, 3 Feb 2021 04:05 +0100",
    "Wed, 3 Feb 2021 04.05.06 +0100",
    "Wed, 3 Feb 2021 04:05:06 +0100 (CET)",
    "Wed, 3 Feb 2021 04:05:06 +0100 (Westeuropäische Normalzeit)",
    "Wed, 3 Feb 2021 04:05:06 (comment (nested)) +0100",
    "Wed, 3 Feb 2021 04:05:06 UT",
    "Wed, 3 Feb 2021 04:05:06 Z",
    'Wed, 3 Feb 2021 04:05:06 "GMT+01:00"',
    "Wed, 3 Feb 2021 04:05:06 -0000",
    "Wed, 3 Feb 2021 04:05:06 +01:00",
    "Wed, 3 Feb 2021 04:05:06 +2500",
    "Wed Feb  3 04:05:06 2021",
    "Wed Feb 3 04:05:06 CET 2021",
    "Wednesday, 03-Feb-21 04:05:06 GMT",
    "Wednesday, February 3, 2021 4:05 AM",
    "Mi, 3 Feb 2021 04:05:06 +0100",
    "Mer, 3 fév 2021 04:05:06 +0100",
    "02/06/09 04:05",
    "2/3/2021 4:05:06 PM",
    "03.02.2021 04:05",
    "2021-02-03T04:05:06Z",
    "2021-02-03 04:05:06",
    "Tue, 31 Feb 2021 24:61:61 +0100",
)
