# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What all processes of a run owe one server: not too many connections, no wrong password twice, patience when asked.

A :class:`Courtesy` is made for each server before a run's processes are forked, and is theirs together. Every
connection is opened inside :meth:`Courtesy.admitted` and held by a :class:`Lease` until it is closed. A process that
dies gives back what it held.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from .errors import AuthError, ThrottledError
from .hints import MEANINGS, Hint, wait_for

_FORK = multiprocessing.get_context("fork")
_POLL_SECONDS = 0.02
#: While a server asks for patience, a message under way is followed by the next one no sooner than this.
_EASE_SECONDS = 1.0
#: A wait is longer by up to this share, so that not all come back in the same moment.
_JITTER = 0.2
#: An admin user that was let in before may be refused so often in a row: it can be the account's fault, not its own.
_DOUBTS = 3
#: When so many mailboxes in a row have waited in vain for a server, the others no longer try it.
_FORLORN = 10
#: What is known of a password.
_NEW, _TRYING, _GOOD, _BAD = range(4)


@dataclass(frozen=True)
class Caps:
    """How many connections to a server there may be at once.

    ``most`` gives the cap of the moment, which is never above ``capacity``; ``per_account`` holds for one account,
    0 for no such cap.
    """

    most: Callable[[], int]
    capacity: int
    per_account: int = 0


class Lease:
    """The right to one connection; given back by :meth:`release`, once however often that is called."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        """Give it back."""
        give_back, self._give_back = self._give_back, None
        if give_back:
            give_back()


class Courtesy:
    """What a run's processes know of one server together.

    ``place`` says in errors where that is; ``accounts`` are all that the run will log in to; ``admin`` that an admin
    user logs in for them all, so that there is one password only. ``patience`` is the longest that anybody waits for a
    server in a row, in seconds. ``tick`` and ``sleep`` are monotonic seconds, the same in all processes.
    """

    def __init__(
        self,
        place: str,
        accounts: Iterable[str],
        caps: Caps,
        *,
        admin: bool,
        patience: float,
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.place = place
        self.patience = patience
        self.tick, self._sleep, self._chance = tick, sleep, chance
        self._caps, self._admin = caps, admin
        self._numbers = {name: number for number, name in enumerate(sorted(set(accounts)))}
        self._lock = _FORK.RLock()
        self._holders = _FORK.RawArray("i", caps.capacity)  # process ids, 0 for a free place
        self._whose = _FORK.RawArray("i", caps.capacity)
        passwords = 1 if admin else max(1, len(self._numbers))
        self._known = _FORK.RawArray("i", passwords)
        self._trying = _FORK.RawArray("i", passwords)  # the process that tries it
        self._refusals = _FORK.RawArray("i", passwords)
        self._until = _FORK.RawValue("d", 0.0)
        self._since = _FORK.RawValue("d", 0.0)
        self._times = _FORK.RawValue("i", 0)
        self._forlorn = _FORK.RawValue("i", 0)
        self._waiting = _FORK.RawValue("i", 0)
        self._meaning = _FORK.RawArray("c", 100)
        self._refusal = _FORK.RawArray("c", 300)

    # connections

    @contextlib.contextmanager
    def admitted(self, account: str, meanwhile: Callable[[], None] | None = None) -> Iterator[Lease]:
        """Wait until a connection may be opened and a log-in tried; what comes of it is noted for all.

        ``meanwhile`` is called again and again during the wait. Whoever waits must hold no connection to a server that
        others take after this one: the source always comes first.

        :raises AuthError: the same password has been refused before.
        :raises ThrottledError: so many have waited for this server in vain that nobody tries it any more.
        """
        lease = self._enter(account, meanwhile)
        try:
            yield lease
        except AuthError as error:
            lease.release()
            self._note(account, error if error.credentials else None)
            raise
        except BaseException:
            lease.release()
            self._note(account, None)
            raise
        self._note_good(account)

    def _enter(self, account: str, meanwhile: Callable[[], None] | None) -> Lease:
        while True:
            with self._lock:
                self._check(account)
                place = -1 if self.held() or not self._may_try(account) else self._take(account)
                if place >= 0:
                    return Lease(partial(self._leave, place))
                rest = self.held()
            if meanwhile:
                meanwhile()
            self._sleep(min(_EASE_SECONDS, max(_POLL_SECONDS, rest)))

    def _take(self, account: str) -> int:
        """A free place, -1 when there is none; processes that are no longer there lose theirs."""
        number, most = self._numbers.get(account, -1), max(1, min(self._caps.most(), self._caps.capacity))
        used = [place for place, pid in enumerate(self._holders) if pid and self._lives(place, pid)]
        own = sum(self._whose[place] == number for place in used)
        if len(used) >= most or (self._caps.per_account and number >= 0 and own >= self._caps.per_account):
            self._stop_trying(account)
            return -1
        free = next(place for place, pid in enumerate(self._holders) if not pid)
        self._holders[free], self._whose[free] = os.getpid(), number
        return free

    def _lives(self, place: int, pid: int) -> bool:
        if _there(pid):
            return True
        self._holders[place] = 0
        return False

    def _leave(self, place: int) -> None:
        with self._lock:
            self._holders[place] = 0

    @property
    def connections(self) -> int:
        """How many connections there are now."""
        return sum(pid != 0 for pid in self._holders)

    # passwords

    def _key(self, account: str) -> int:
        return 0 if self._admin else max(0, self._numbers.get(account, 0))

    def _check(self, account: str) -> None:
        if self._known[self._key(account)] == _BAD:
            said = self._refusal.value.decode("utf-8", "replace") if self._admin else "it was refused before"
            who = "the admin user's log-in" if self._admin else "the log-in"
            raise AuthError(f"not tried: {who} is not repeated in this run ({said})", server=self.place)
        if self._forlorn.value >= _FORLORN:
            raise ThrottledError(
                f"not tried: the server {self.meaning}, and {self._forlorn.value} mailboxes waited for it in vain",
                server=self.place,
            )

    def _may_try(self, account: str) -> bool:
        """Whether the password may be tried now: as long as nobody knows it to be right, by one at a time."""
        key = self._key(account)
        if self._known[key] == _TRYING and not _there(self._trying[key]):
            self._known[key] = _NEW
        if self._known[key] == _NEW:
            self._known[key], self._trying[key] = _TRYING, os.getpid()
            return True
        return bool(self._known[key] == _GOOD)

    def _stop_trying(self, account: str) -> None:
        key = self._key(account)
        if self._known[key] == _TRYING:
            self._known[key] = _NEW

    def _note(self, account: str, refused: AuthError | None) -> None:
        """A log-in failed: for its password, or for another reason (None)."""
        with self._lock:
            if refused is None:
                self._stop_trying(account)
                return
            key = self._key(account)
            self._refusals[key] += 1
            if self._known[key] != _GOOD or not self._admin or self._refusals[key] >= _DOUBTS:
                self._known[key] = _BAD
                words = f"for {account}: {refused.message}".encode()
                self._refusal.value = words[: len(self._refusal) - 1]

    def _note_good(self, account: str) -> None:
        with self._lock:
            key = self._key(account)
            self._known[key], self._refusals[key] = _GOOD, 0

    # patience

    def held(self) -> float:
        """Seconds for which the server has asked everybody to wait."""
        return max(0.0, self._until.value - self.tick()) if self._until.value else 0.0

    @property
    def meaning(self) -> str:
        """What the server said last, in our words."""
        return self._meaning.value.decode() or MEANINGS["not_now"]

    @property
    def waiting(self) -> int:
        """How many mailboxes wait for this server now."""
        return int(self._waiting.value)

    def told(self, hint: Hint, times: int, since: float) -> float | None:
        """A server asked one of us to wait: for how long that one does, in seconds; None when it has waited enough.

        What the whole server means holds for all. ``times`` is how often this mailbox has been told in a row, from 1;
        ``since`` when (in ticks) it was told first.
        """
        with self._lock:
            now = self.tick()
            self._meaning.value = MEANINGS[hint.meaning].encode()
            if hint.shared:
                if not self._since.value:
                    self._since.value = now
                if not self.held():  # what comes while all wait already is the same complaint
                    self._times.value += 1
                times, since = self._times.value, min(since, self._since.value)
            wait = wait_for(hint, times) * (1 + _JITTER * self._chance())
            if now + wait - since > self.patience:
                self._forlorn.value += hint.shared
                return None
            if hint.shared:
                self._until.value = max(self._until.value, now + wait)
                wait = self.held()
            return wait

    def went_well(self) -> None:
        """Something was done on this server: whatever it had asked for is over."""
        if self._since.value or self._forlorn.value:
            with self._lock:
                self._since.value, self._times.value, self._forlorn.value = 0.0, 0, 0

    def wait(self, seconds: float) -> None:
        """Wait, and be counted among those that do."""
        with self._counted():
            end = self.tick() + seconds
            while (rest := end - self.tick()) > 0:
                self._sleep(min(_EASE_SECONDS, rest))

    def ease(self) -> None:
        """Between two messages: go slowly while the server asks for it. A stream is never held up for long."""
        rest = self.held()
        if rest:
            self._sleep(min(_EASE_SECONDS, rest))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._waiting.value += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting.value -= 1


def _there(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
