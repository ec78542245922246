# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are no longer what the server meant: bytes flipped, put in and left out, lines twice, late or never.

Only what is noise is made here. An answer that is still well-formed and false (another digit in a UID, another date, a
changed body) is a lie, which nobody can tell from the truth; those have tests of their own. So bodies, dates and the
digits of numbers stay, but for numbers that grow beyond all bounds.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_KEPT = re.compile(rb'~?\{(\d+)\}\r\n|"[ 0-3]\d-[A-Z][a-z]{2}-\d{4} [^"]*"')
_DIGITS = re.compile(rb"\d+")
_NO_DIGITS = bytes(byte for byte in range(256) if not 0x30 <= byte <= 0x39)


class Mutator:
    """Makes about one answer in `every` another one; always the same for the same seed. `count` tells how many."""

    def __init__(self, seed: int, every: int) -> None:
        self._chance = random.Random(seed)
        self._every = every
        self._late: list[bytes] = []
        self.count = 0

    def __call__(self, answer: bytes) -> bytes:
        late, self._late = b"".join(self._late), []
        if self._chance.randrange(self._every):
            return answer + late
        self.count += 1
        return self._chance.choice(_WAYS)(self, answer) + late

    # ways

    def _on_noise(self, answer: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """Change one of the parts of an answer that may be changed."""
        parts = _parts(answer)
        free = [number for number, (part, kept) in enumerate(parts) if part and not kept]
        if not free:
            return answer
        chosen = self._chance.choice(free)
        return b"".join(change(part) if number == chosen else part for number, (part, _kept) in enumerate(parts))

    def flip(self, answer: bytes) -> bytes:
        """Some bytes become others."""

        def change(part: bytes) -> bytes:
            made = bytearray(part)
            places = [at for at, byte in enumerate(made) if byte in _NO_DIGITS]
            for at in self._chance.sample(places, min(len(places), self._chance.choice((1, 1, 2, 5)))):
                made[at] = self._chance.choice(_NO_DIGITS)
            return bytes(made)

        return self._on_noise(answer, change)

    def insert(self, answer: bytes) -> bytes:
        """Something stands where nothing did."""
        noise = self._chance.choice(
            (
                b" ",
                b"(",
                b")",
                b'"',
                b"\\",
                b"\0",
                b"\r\n",
                b"NIL",
                b"[",
                b"]",
                b"{",
                b"* ",
                b"\xff\xfe",
                b"+ ",
                b"((((",
                b"))))",
            )
        )

        def change(part: bytes) -> bytes:
            at = self._chance.randint(0, len(part))
            return part[:at] + noise + part[at:]

        return self._on_noise(answer, change)

    def leave_out(self, answer: bytes) -> bytes:
        """A byte is missing that is no digit."""

        def change(part: bytes) -> bytes:
            places = [at for at, byte in enumerate(part) if byte in _NO_DIGITS]
            at = self._chance.choice(places) if places else len(part)
            return part[:at] + part[at + 1 :]

        return self._on_noise(answer, change)

    def cut(self, answer: bytes) -> bytes:
        """The end of a line is missing, or the line's end."""
        first = _parts(answer)[0][0]
        at = self._chance.randint(0, len(first))
        while at and first[at - 1 : at].isdigit():
            at -= 1
        return first[:at] + self._chance.choice((b"\r\n", b"\n", b""))

    def enlarge(self, answer: bytes) -> bytes:
        """A number beyond all bounds, that of a literal too."""
        numbers = list(_DIGITS.finditer(_parts(answer)[0][0]))
        if not numbers:
            return answer
        chosen = self._chance.choice(numbers)
        huge = self._chance.choice((b"4294967296", b"18446744073709551616", b"9" * 30, b"9" * 5000))
        return answer[: chosen.start()] + huge + answer[chosen.end() :]

    def deepen(self, answer: bytes) -> bytes:
        """Lists in lists in lists."""
        depth = self._chance.choice((33, 1000, 20000))
        return self._on_noise(
            answer, lambda part: b"* X " + b"(" * depth + self._chance.choice((b"", b")" * depth)) + part
        )

    def repeat(self, answer: bytes) -> bytes:
        """The answer comes twice."""
        return answer + answer

    def drop(self, _answer: bytes) -> bytes:
        """It does not come."""
        return b""

    def delay(self, answer: bytes) -> bytes:
        """It comes after the next one."""
        self._late.append(answer)
        return b""

    def foreign(self, answer: bytes) -> bytes:
        """Something else comes before it."""
        noise = self._chance.randbytes(self._chance.choice((1, 20, 400))).translate(None, b"0123456789")
        return noise + self._chance.choice((b"", b"\r\n")) + answer


_WAYS = (
    *(Mutator.flip, Mutator.insert, Mutator.leave_out, Mutator.cut, Mutator.enlarge, Mutator.deepen),
    *(Mutator.repeat, Mutator.drop, Mutator.delay, Mutator.foreign),
)


def _parts(answer: bytes) -> list[tuple[bytes, bool]]:
    """An answer's parts, each with whether it has to stay: literals with their heads, and dates."""
    parts: list[tuple[bytes, bool]] = []
    position = 0
    while match := _KEPT.search(answer, position):
        end = match.end() + int(match[1] or 0)
        parts += [(answer[position : match.start()], False), (answer[match.start() : end], True)]
        position = end
    return [*parts, (answer[position:], False)]
