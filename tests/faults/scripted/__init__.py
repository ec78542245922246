# SPDX-License-Identifier: GPL-3.0-or-later
"""An IMAP server in memory that does as it is told: it stands for servers that lack extensions or lie.

No server that can be installed here answers LIST-EXTENDED with BAD, forgets APPENDUID, tells wrong sizes or hangs up in
the middle of a literal on demand. This one does, as a :class:`Behaviour` says; without one it is a correct and complete
server (RFC 3501 with the extensions of ``behaviour.EXTENSIONS``) and can be source and target. What customers' servers
really do is tested with real ones in tests/integration.

    with serving({"ann": Mailbox()}, Behaviour(lacks=frozenset({"UIDPLUS"}))) as server:
        server.port, server.accounts["ann"].folders[b"INBOX"].messages, server.commands, server.complaints
"""

from __future__ import annotations

from .behaviour import Behaviour
from .server import PASSWORD, ScriptedServer, serving
from .values import Folder, Mailbox, Message

__all__ = ["PASSWORD", "Behaviour", "Folder", "Mailbox", "Message", "ScriptedServer", "serving"]
