# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of Dovecot's HTTP API as the engine uses, over the scripted server's mailboxes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from imapclient import imap_utf7

from .values import Folder, Mailbox

_NO_USER = {"exitCode": 67}
_NO_FOLDER = {"exitCode": 68}
_BAD_VALUE = {"exitCode": 64}


class DoveadmApi:
    """The API; its listener starts when `url` is asked for first. `refuses` makes every command an error."""

    def __init__(self, accounts: Mapping[str, Mailbox], key: str) -> None:
        self._accounts = accounts
        self._authorization = "X-Dovecot-API " + base64.b64encode(key.encode()).decode()
        self._http: ThreadingHTTPServer | None = None
        self.refuses = False
        self.calls: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        if self._http is None:
            api = self

            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                timeout = 60

                def do_POST(self) -> None:
                    api._answer(self)

                def log_message(self, *_arguments: object) -> None:
                    return

            self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self._http.daemon_threads = True
            self._http.block_on_close = False
            threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self._http.server_address[1]}/doveadm/v1"

    def close(self) -> None:
        """Stop."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if request.headers["Authorization"] != self._authorization:
            status, answers = 401, []
        else:
            status, answers = 200, [self._one(*command) for command in json.loads(body)]
        data = json.dumps(answers).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _one(self, name: str, values: dict[str, Any], tag: str) -> list[Any]:
        self.calls.append((name, values))
        if self.refuses:
            return ["error", {"type": "exitCode", "exitCode": 75}, tag]
        if name == "user":
            return ["doveadmResponse", {"user": values["userMask"]}, tag] if values["userMask"] in self._accounts else [
                "error", _NO_USER, tag
            ]  # fmt: skip
        mailbox = self._accounts.get(values["user"])
        if mailbox is None:
            return ["error", _NO_USER, tag]
        with mailbox.lock:
            error = self._on_mailbox(mailbox, name, values)
        return ["error", error, tag] if error else ["doveadmResponse", [], tag]

    def _on_mailbox(self, mailbox: Mailbox, name: str, values: dict[str, Any]) -> dict[str, int] | None:
        if name == "mailboxSubscribe":
            mailbox.subscribed |= {imap_utf7.encode(one) for one in values["mailbox"]}
            return None
        folder = mailbox.folders.get(mailbox.called(imap_utf7.encode(values["mailbox"])))
        if name != "mailboxUpdate" or folder is None:
            return _NO_FOLDER
        if any(int(values.get(one, 0)) >= 2**32 for one in ("uidValidity", "minNextUid")):
            return _BAD_VALUE
        _update(folder, values)
        return None


def _update(folder: Folder, values: dict[str, Any]) -> None:
    if "uidValidity" in values:
        folder.uidvalidity = int(values["uidValidity"])
    folder.uidnext = max(folder.uidnext, int(values.get("minNextUid", 0)))
    folder.highestmodseq = max(folder.highestmodseq, int(values.get("minHighestModseq", 0)))
