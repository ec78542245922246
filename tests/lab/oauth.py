# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of OAuth 2.0 tokens, as far as Dovecot asks one: whose token is it, and does it still count (RFC 7662)."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_DOVECOT = """\
introspection_mode = get
introspection_url = http://127.0.0.1:{port}/introspect?token=
username_attribute = username
active_attribute = active
active_value = true
"""
_PASSDB = """
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {path}
}}
"""


@dataclass
class Tokens:
    """Tokens and whose they are; `uses` is how often one is still good, where that is limited; `asked` logs them."""

    port: int
    users: dict[str, str] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def configuration(self, folder: Path) -> str:
        """What makes a Dovecot of the lab take these tokens; its options go to a file in the folder."""
        path = folder / "dovecot-oauth2.conf"
        path.write_text(_DOVECOT.format(port=self.port))
        return _PASSDB.format(path=path)

    def introspect(self, token: str) -> dict[str, object]:
        """What is to be said of a token; that counts as a use."""
        self.asked.append(token)
        left = self.uses.get(token, 1)
        if token not in self.users or left < 1:
            return {"active": False}
        if token in self.uses:
            self.uses[token] = left - 1
        return {"active": True, "username": self.users[token]}


@contextmanager
def serving_tokens() -> Iterator[Tokens]:
    """A token server on loopback, for a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            body = json.dumps(tokens.introspect(query.get("token", [""])[0])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tokens = Tokens(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
