# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scripted server lacks, and how it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

#: What the server can do unless it is told not to. LOGINDISABLED and others may be added by `announces`.
EXTENSIONS = (
    *("LITERAL+", "SASL-IR", "AUTH=PLAIN", "ID", "ENABLE", "IDLE", "NAMESPACE", "CHILDREN", "UNSELECT"),
    *("UIDPLUS", "MULTIAPPEND", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE"),
    *("ESEARCH", "CONDSTORE", "QRESYNC", "BINARY"),
)
#: Untagged responses that nobody asked for; a server may send them at any time (RFC 3501 section 7).
NOISE = ("exists", "recent", "flags", "alert", "fetch", "fetch_uid", "unknown", "capability")


@dataclass(frozen=True)
class Behaviour:
    """A server's faults; the plain value has none. Messages are counted from 1 over a server's whole life."""

    #: Extensions that are neither announced nor there.
    lacks: frozenset[str] = frozenset()
    #: Extensions that are announced, and whose commands are answered with BAD all the same.
    denies: frozenset[str] = frozenset()
    #: Further capabilities that are announced without anything behind them.
    announces: tuple[str, ...] = ()

    # getting in

    greeting: bytes = b"* OK ready\r\n"
    #: What LOGIN and AUTHENTICATE are answered with when not by the truth, e.g. `NO [UNAVAILABLE] later`.
    login_answer: bytes = b""

    # numbers that are told wrong

    appenduid: Literal["right", "missing", "wrong_uid", "low", "wrong_uidvalidity", "too_few", "garbage"] = "right"
    uidnext: Literal["right", "absent", "low", "high", "stale"] = "right"
    sizes: Literal["right", "zero", "wrong"] = "right"
    dates: Literal["right", "nil", "absent", "padded", "epoch", "garbage"] = "right"
    #: `stuck` = HIGHESTMODSEQ and MODSEQ stay when flags change; `absent` = NOMODSEQ although CONDSTORE is announced.
    modseq: Literal["right", "stuck", "absent"] = "right"
    #: MESSAGES in STATUS.
    counts: Literal["right", "zero", "wrong"] = "right"
    uidvalidity: Literal["right", "zero", "absent", "changes_at_every_select"] = "right"

    # how FETCH is answered

    order: Literal["ascending", "descending", "shuffled"] = "ascending"
    #: The items within an answer: as asked, the other way round, or in two answers.
    items: Literal["asked", "reversed", "split"] = "asked"
    #: UID is left out of every n-th answer (0: never).
    uid_missing_every: int = 0
    #: Sequence numbers in answers are nonsense.
    wrong_numbers: bool = False
    body: Literal["literal", "literal8", "quoted", "nil"] = "literal"
    #: Message n is answered with a body of NIL, or not at all, however often it is asked for.
    nil_messages: frozenset[int] = frozenset()
    silent_messages: frozenset[int] = frozenset()
    #: Headers come empty the first time that a message is asked for them, or always (Zimbra).
    headers: Literal["right", "empty_once", "empty", "other"] = "right"
    #: Bytes above 127 become `?` in what is told.
    eight_bit_lost: bool = False
    #: After so many messages of a FETCH, another client's expunge of the first message is told (0: never).
    expunge_after: int = 0
    #: After so many messages of a FETCH, the folder gets another UIDVALIDITY, once (0: never).
    renumber_after: int = 0
    #: Body n is cut in half, and the connection with it (0: never); so many times.
    truncate: int = 0
    truncate_times: int = 1

    # how strings and lines are written

    literals: bool = False
    noise: tuple[str, ...] = ()
    #: `{` and the rest of a literal's head come in two TCP segments.
    split_heads: bool = False
    #: Send so many bytes at a time, with a pause of so many seconds between (0: all at once).
    segment: int = 0
    pause: float = 0.0
    #: Every answer goes through this; for fuzzing.
    mutate: Callable[[bytes], bytes] | None = None

    # what the server does not take

    #: A message that holds these bytes is refused with this answer, or with a BYE that ends the connection.
    refused: bytes = b""
    refusal: bytes = b"NO [CANNOT] not this one"
    bye: bytes = b""
    #: Asked of every message (its bytes, its flags, whether it came as a literal8); what it answers is the refusal.
    judge: Callable[[bytes, frozenset[bytes], bool], bytes] | None = None
    #: The same of flags that STORE is to add: with the message's bytes, the flags, and False.
    store_judge: Callable[[bytes, frozenset[bytes], bool], bytes] | None = None
    #: So many messages fit (0: any number).
    quota: int = 0
    quota_answer: bytes = b"NO [OVERQUOTA] quota exceeded"
    #: APPEND says OK, and message n is not there (a server that loses mail), or its 8-bit bytes are `?`.
    loses: frozenset[int] = frozenset()
    stores_seven_bits: bool = False
    #: Folder names that SELECT, EXAMINE and STATUS refuse.
    locked: frozenset[bytes] = frozenset()

    # anything else

    #: Called before every command with its verb; may change the mailbox, or raise Hangup or a NoError that is told.
    before: Callable[[bytes], None] | None = None

    @property
    def missing(self) -> frozenset[str]:
        """`lacks`, and what needs any of these: QRESYNC is nothing without CONDSTORE (RFC 7162 section 3.2.3)."""
        needs = {"CONDSTORE": {"QRESYNC"}, "LIST-EXTENDED": {"LIST-STATUS"}, "ENABLE": {"QRESYNC"}}
        return self.lacks.union(*(needs.get(one, set()) for one in self.lacks))

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What CAPABILITY tells."""
        kept = [one for one in EXTENSIONS if one not in self.missing]
        return ("IMAP4rev1", *kept, *self.announces)

    def has(self, extension: str) -> bool:
        """Whether the extension works."""
        return extension in EXTENSIONS and extension not in self.missing and extension not in self.denies


class Hangup(Exception):  # noqa: N818 - it is an event, not an error
    """The server ends the connection here; its argument, if any, is the BYE that it says."""
