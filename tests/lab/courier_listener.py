# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands before Courier's imapd: takes connections, checks the password and hands the connection over.

Courier's own log-in programs have their socket's path built in, below /run, where only root can put it. Everything
after the log-in is Courier's: it is started for each connection as its imaplogin would start it (IMAPLOGINTAG and
AUTHENTICATED in the environment). Used as a program: `python -I courier_listener.py configuration.json`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')


def main() -> None:
    """Serve until killed."""
    configuration = json.loads(Path(sys.argv[1]).read_text())
    environment = configuration["environment"]
    subprocess.Popen([configuration["watcher"], "--notimeout", environment["GAM_CLIENT_ID"]], env=environment)
    listener = socket.create_server(("127.0.0.1", configuration["port"]))
    while True:
        connection, _address = listener.accept()
        threading.Thread(target=_serve, args=(connection, configuration), daemon=True).start()


def _serve(connection: socket.socket, configuration: dict[str, Any]) -> None:
    with connection:
        try:
            found = _log_in(connection, configuration)
        except OSError:
            return
        if found is None:
            return
        tag, user = found
        environment = configuration["environment"] | {"IMAPLOGINTAG": tag, "AUTHENTICATED": user}
        home = str(Path(configuration["homes"]) / user)
        ends = connection.fileno()
        subprocess.run(
            [configuration["imapd"], "Maildir"], stdin=ends, stdout=ends, cwd=home, env=environment, check=False
        )


def _log_in(connection: socket.socket, configuration: dict[str, Any]) -> tuple[str, str] | None:
    """The tag of the LOGIN and the user; None when the client went away."""
    capability = configuration["environment"]["IMAP_CAPABILITY"].encode() + b" AUTH=PLAIN"
    connection.sendall(b"* OK [CAPABILITY " + capability + b"] Courier-IMAP ready.\r\n")
    while line := _line(connection):
        tag, _blank, rest = line.partition(b" ")
        verb, _blank, arguments = rest.partition(b" ")
        if verb.upper() in (b"LOGIN", b"AUTHENTICATE"):
            user, password = _credentials(connection, verb.upper(), arguments)
            if configuration["users"].get(user) == password:
                return tag.decode(), user
            connection.sendall(tag + b" NO Login failed.\r\n")
        elif verb.upper() == b"CAPABILITY":
            connection.sendall(b"* CAPABILITY " + capability + b"\r\n" + tag + b" OK CAPABILITY completed\r\n")
        elif verb.upper() == b"LOGOUT":
            connection.sendall(b"* BYE Courier-IMAP server shutting down\r\n" + tag + b" OK LOGOUT completed\r\n")
            return None
        else:
            connection.sendall(tag + b" NO Error in IMAP command received by server.\r\n")
    return None


def _line(connection: socket.socket) -> bytes:
    """The next line; read byte by byte, because what comes after the log-in is not ours."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        line += byte
    return line.rstrip(b"\r\n")


def _credentials(connection: socket.socket, verb: bytes, arguments: bytes) -> tuple[str, str]:
    if verb == b"LOGIN":
        words = [re.sub(rb"\\(.)", rb"\1", quoted) or atom for quoted, atom in _STRING.findall(arguments)]
        return (words[0].decode(), words[1].decode()) if len(words) == 2 else ("", "")
    connection.sendall(b"+ \r\n")
    try:
        _behalf, user, password = base64.b64decode(_line(connection)).split(b"\0")
    except (binascii.Error, ValueError):
        return "", ""
    return user.decode(), password.decode()


if __name__ == "__main__":
    main()
