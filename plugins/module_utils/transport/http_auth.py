# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Who we are, said over HTTP: Basic (RFC 7617), Digest (RFC 7616) or Bearer (RFC 6750), as the server asks for it.

Nothing is said before the server has asked, unless one way was chosen beforehand. A password that was refused is not
sent again.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlsplit

from ..errors import AuthError

Scheme = Literal["basic", "digest", "bearer"]
#: The ways in which a user can be proved to the server; ``auto`` takes the safest of those that the server offers.
AUTH_METHODS = ("auto", "basic", "digest", "bearer")

_HASHES: Mapping[str, str] = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
#: What stands between commas, of which those within quotes are none (RFC 9110 section 5.6.1).
_ITEMS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
#: The safest first; a server that knows no algorithm's name means MD5.
_PREFERRED = ("SHA-512-256", "SHA-256", "MD5")


@dataclass(frozen=True)
class Challenge:
    """One way that a server offers (RFC 9110 section 11.3); names of schemes and parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges(values: Iterable[str]) -> list[Challenge]:
    """What ``WWW-Authenticate`` headers offer, in their order; several may stand in one header."""
    found: list[tuple[str, dict[str, str]]] = []
    for item in (item for value in values for item in _ITEMS.findall(value)):
        name, equals, value = item.partition("=")
        word, space, rest = name.strip().partition(" ")
        if not word:
            continue
        if space or not equals:  # a scheme, perhaps with its first parameter behind it
            found.append((word.lower(), {}))
            name = rest
        if equals and found:
            found[-1][1][name.strip().lower()] = _unquoted(value)
    return [Challenge(scheme, parameters) for scheme, parameters in found]


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value


def basic(user: str, password: str) -> str:
    """The value of ``Authorization`` for RFC 7617, in UTF-8.

    :raises AuthError: the user's name has a colon in it, which can't be said.
    """
    if ":" in user:
        raise AuthError("a user name with a colon in it can't log in by Basic authentication")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


class Digest:
    """Answers to one challenge of a server (RFC 7616); a nonce is used for many requests, each counted."""

    def __init__(self, challenge: Challenge, client_nonce: Callable[[], str] = lambda: os.urandom(12).hex()) -> None:
        asked = challenge.parameters
        algorithm = asked.get("algorithm", "MD5")
        self.realm, self.nonce = asked.get("realm", ""), asked.get("nonce", "")
        self._opaque = asked.get("opaque")
        self._algorithm = algorithm
        self._session = algorithm.upper().endswith("-SESS")
        self._hash = _HASHES[algorithm.upper().removesuffix("-SESS")]
        offered = [one.strip() for one in asked.get("qop", "").split(",") if one.strip()]
        self._qop = "auth" if "auth" in offered else ""
        self._charset = "utf-8" if asked.get("charset", "").lower() == "utf-8" else None
        self._userhash = asked.get("userhash", "").lower() == "true"
        self._client_nonce = client_nonce
        self._count = 0
        self._lock = threading.Lock()

    @staticmethod
    def fits(challenge: Challenge) -> bool:
        """Whether this is a challenge that can be answered: a known algorithm, and not ``auth-int`` alone."""
        asked = challenge.parameters
        algorithm = asked.get("algorithm", "MD5").upper().removesuffix("-SESS")
        qop = [one.strip() for one in asked.get("qop", "auth").split(",")]
        return challenge.scheme == "digest" and algorithm in _HASHES and "auth" in qop and bool(asked.get("nonce"))

    def rank(self) -> int:
        """0 for the safest algorithm."""
        return _PREFERRED.index(self._algorithm.upper().removesuffix("-SESS"))

    def header(self, user: str, password: str, method: str, uri: str) -> str:
        """The value of ``Authorization`` for one request; ``uri`` is the path and query that are asked for."""
        with self._lock:
            self._count += 1
            count = f"{self._count:08x}"
        nonce = self._client_nonce()
        secret = self._digest(self._said(user), self.realm.encode(), self._said(password))
        if self._session:
            secret = self._digest(secret.encode(), self.nonce.encode(), nonce.encode())
        asked = self._digest(method.encode(), uri.encode())
        parts = [secret, self.nonce, *((count, nonce, self._qop) if self._qop else ()), asked]
        values = {
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": uri,
            "response": self._digest(*(part.encode() for part in parts)),
        }
        if self._opaque is not None:
            values["opaque"] = self._opaque
        if self._qop or self._session:
            values["cnonce"] = nonce
        said = [self._name(user), *(f'{name}="{_escaped(value)}"' for name, value in values.items())]
        said.append(f"algorithm={self._algorithm}")
        if self._qop:
            said += [f"qop={self._qop}", f"nc={count}"]
        if self._userhash:
            said.append("userhash=true")
        return "Digest " + ", ".join(said)

    def _name(self, user: str) -> str:
        """The user: hashed, or (RFC 7616 section 3.4, RFC 8187) in a form for letters beyond ASCII, if both know it."""
        if self._userhash:
            return f'username="{self._digest(self._said(user), self.realm.encode())}"'
        if self._charset and not user.isascii():
            return f"username*=UTF-8''{quote(user, safe='')}"
        # a header's bytes are said as if they were ISO 8859-1, which is what they are, or UTF-8
        return f'username="{_escaped(self._said(user).decode("latin-1"))}"'

    def _said(self, text: str) -> bytes:
        """Without a ``charset`` old servers mean ISO 8859-1, which most names and passwords fit into."""
        if self._charset is None:
            try:
                return text.encode("latin-1")
            except UnicodeEncodeError:
                pass
        return text.encode()

    def _digest(self, *parts: bytes) -> str:
        return hashlib.new(self._hash, b":".join(parts), usedforsecurity=False).hexdigest()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


@dataclass(frozen=True)
class Login:
    """Who logs in. ``token`` gives the token for Bearer, or another one than the (refused) one that it is given."""

    user: str
    password: str | None = field(default=None, repr=False)
    token: Callable[[str | None], str | None] | None = field(default=None, repr=False)


class Authorizer:
    """Says who we are, request by request, in the way that was chosen or that the server asks for."""

    def __init__(self, login: Login, method: str = "auto") -> None:
        self._login, self._method = login, method
        self._lock = threading.Lock()
        self._scheme: Scheme | None = {"basic": "basic", "bearer": "bearer"}.get(method)  # type: ignore[assignment]
        self._digest: Digest | None = None
        self._token: str | None = None
        self._header = ""
        #: Whether the server has let us in.
        self.proved = False

    @property
    def scheme(self) -> str:
        """How we log in; empty when the server has not asked yet."""
        return self._scheme or ""

    def assume(self) -> bool:
        """Log in by Basic though nobody has asked for it; whether that makes a difference."""
        with self._lock:
            if self._scheme is not None or self._method not in ("auto", "basic"):
                return False
            self._scheme = "basic"
            return True

    def header(self, method: str, url: str) -> str | None:
        """The value of ``Authorization``, None while the server has not asked."""
        with self._lock:
            scheme, digest = self._scheme, self._digest
            if scheme == "basic":
                self._header = self._header or basic(self._login.user, self._login.password or "")
                return self._header
            if scheme == "bearer":
                if self._token is None and self._login.token:
                    self._token = self._login.token(None)
                return f"Bearer {self._token or ''}"
        if digest is None:
            return None
        parts = urlsplit(url)
        uri = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return digest.header(self._login.user, self._login.password or "", method, uri)

    def again(self, offered: Iterable[str], sent: str | None) -> bool:
        """The server answered 401 to what was ``sent``: whether there is something else to say.

        :raises AuthError: it asks for nothing that we can do.
        """
        found = challenges(offered)
        with self._lock:
            if sent is None:
                if self._scheme is None:
                    self._choose(found)
                return True
            if self._scheme == "digest":
                return self._fresh_nonce(found)
            if self._scheme == "bearer" and self._login.token and sent == f"Bearer {self._token}":
                self._token = self._login.token(self._token) or ""
                return bool(self._token)
            return self._scheme == "bearer" and bool(self._token) and sent != f"Bearer {self._token}"

    def _choose(self, found: list[Challenge]) -> None:
        digests = sorted((Digest(one) for one in found if Digest.fits(one)), key=Digest.rank)
        names = {one.scheme for one in found}
        if self._method in ("auto", "digest") and digests and self._login.token is None:
            self._scheme, self._digest = "digest", digests[0]
        elif self._method == "auto" and "bearer" in names and self._login.token is not None:
            self._scheme = "bearer"
        elif self._method == "auto" and "basic" in names and self._login.token is None:
            self._scheme = "basic"
        else:
            offers = ", ".join(sorted(names)) or "nothing"
            raise AuthError(f"the server offers no way to log in that fits auth: {self._method} (it offers {offers})")

    def _fresh_nonce(self, found: list[Challenge]) -> bool:
        """A nonce grows old; that says nothing of the password once it was good, or where the server says so."""
        for one in found:
            fresh = Digest.fits(one) and self._digest is not None and one.parameters["nonce"] != self._digest.nonce
            if fresh and (self.proved or one.parameters.get("stale", "").lower() == "true"):
                self._digest = Digest(one)
                return True
        return False
