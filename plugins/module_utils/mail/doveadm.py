# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Dovecot's administration over HTTP: what IMAP can't say, such as a folder's UIDVALIDITY.

Dovecot's own documentation: "Doveadm HTTP API" (an array of ``[command, parameters, tag]``, answered by an array of
``["doveadmResponse" | "error", data, tag]``; key in an ``Authorization: X-Dovecot-API`` header).
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import AuthError, ConnectionLostError, InputError, ProtocolError, ServerError
from ..transport.tcp import socket_error, tls_context
from .server import Server

#: So many folders are updated in one call: a slow server needs some hundredths of a second for each.
_AT_ONCE = 50
_MAX_ANSWER = 16 * 1024 * 1024
#: ``EX_NOUSER`` of sysexits(3): what doveadm exits with for a user that its userdb does not know.
EX_NOUSER = 67


@dataclass(frozen=True)
class MailboxUpdate:
    """What is to be set on a folder; None leaves a value as it is. Numbers only ever go up, but for ``uidvalidity``."""

    folder: str
    uidvalidity: int | None = None
    min_next_uid: int | None = None
    min_highest_modseq: int | None = None

    def command(self, user: str) -> tuple[str, dict[str, str]]:
        """The API's command: all its values are strings."""
        values = {
            "uidValidity": self.uidvalidity,
            "minNextUid": self.min_next_uid,
            "minHighestModseq": self.min_highest_modseq,
        }
        given = {name: str(value) for name, value in values.items() if value is not None}
        return "mailboxUpdate", {"user": user, "mailbox": self.folder, **given}


class Doveadm:
    """A client of one server's API; keeps its connection open between calls."""

    def __init__(self, server: Server) -> None:
        if not server.doveadm_url or not server.doveadm_api_key:
            raise InputError("doveadm_url and doveadm_api_key belong together", option=f"{server.name}.doveadm_url")
        self._server = server
        parts = urlsplit(server.doveadm_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError("doveadm_url must be an http or https address", option=f"{server.name}.doveadm_url")
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path or "/doveadm/v1"
        self._tls = parts.scheme == "https"
        key = base64.b64encode(server.doveadm_api_key.encode()).decode("ascii")
        self._headers = {"Authorization": f"X-Dovecot-API {key}", "Content-Type": "application/json"}
        self._connection: http.client.HTTPConnection | None = None

    def mailbox_update(self, user: str, updates: Sequence[MailboxUpdate]) -> None:
        """Set values on folders of one user, many in one call but not all: each call has to end in time.

        :raises ServerError: Dovecot refused one of them; the message names the folder.
        """
        for first in range(0, len(updates), _AT_ONCE):
            some = updates[first : first + _AT_ONCE]
            for update, answer in zip(some, self._call([one.command(user) for one in some]), strict=True):
                if answer[0] == "error":
                    raise ServerError(
                        f"doveadm would not update the folder: {answer[1]!r}", folder=update.folder, **self._place()
                    )

    def subscribe(self, user: str, folder: str) -> None:
        """Subscribe to a folder, be it there or not (IMAP's SUBSCRIBE may insist that it is).

        :raises ServerError: Dovecot refused.
        """
        (answer,) = self._call([("mailboxSubscribe", {"user": user, "mailbox": [folder]})])
        if answer[0] == "error":
            raise ServerError(f"doveadm would not subscribe to the folder: {answer[1]!r}", **self._place())

    def user_exists(self, user: str) -> bool:
        """Whether the server's user database knows the account."""
        (answer,) = self._call([("user", {"userMask": user})])
        if answer[0] == "error":
            return not (isinstance(answer[1], dict) and answer[1].get("exitCode") == EX_NOUSER)
        return bool(answer[1])

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _place(self) -> dict[str, str]:
        return {"server": f"{self._server.name} doveadm {self._host}:{self._port}"}

    def _call(self, commands: Sequence[tuple[str, Mapping[str, str | list[str]]]]) -> list[list[Any]]:
        body = json.dumps([[name, values, str(number)] for number, (name, values) in enumerate(commands)])
        try:
            status, answer = self._exchange(body)
        except OSError as error:
            found = socket_error(error, self._host, self._port or 80)
            found.where.update(self._place())
            raise found from error
        except http.client.IncompleteRead as error:
            raise ConnectionLostError("doveadm hung up in the middle of its answer", **self._place()) from error
        except http.client.HTTPException as error:
            raise ProtocolError(f"doveadm does not speak HTTP to us: {error!r}", **self._place()) from error
        if status in (401, 403):
            raise AuthError("doveadm refused the API key", **self._place())
        if status != http.HTTPStatus.OK:
            raise ServerError(f"doveadm answered HTTP status {status}", **self._place())
        return self._answers(answer, len(commands))

    def _exchange(self, body: str) -> tuple[int, bytes]:
        """One request; a kept connection that the server has closed meanwhile is opened again, once."""
        kept = self._connection is not None
        try:
            return self._request(body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not kept:
                raise
            return self._request(body)

    def _request(self, body: str) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        try:
            self._connection.request("POST", self._path, body=body, headers=self._headers)
            response = self._connection.getresponse()
            data = response.read(_MAX_ANSWER)
        except (OSError, http.client.HTTPException):
            self.close()  # nothing can be asked on it any more
            raise
        if response.will_close:
            self.close()
        return response.status, data

    def _connect(self) -> http.client.HTTPConnection:
        timeout = self._server.timeout
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        context = tls_context(self._server.ca_path)
        if not self._server.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=context)

    def _answers(self, data: bytes, count: int) -> list[list[Any]]:
        try:
            answers = json.loads(data)
        except ValueError as error:
            raise ProtocolError("doveadm's answer is not JSON", **self._place()) from error
        fits = isinstance(answers, list) and all(isinstance(one, list) and len(one) == 3 for one in answers)
        if not fits or len(answers) != count:
            raise ProtocolError("doveadm's answer does not fit what was asked", **self._place())
        by_tag = {str(answer[2]): list(answer) for answer in answers}
        if set(by_tag) != {str(number) for number in range(count)}:
            raise ProtocolError("doveadm's answer does not fit what was asked", **self._place())
        return [by_tag[str(number)] for number in range(count)]
