# SPDX-License-Identifier: GPL-3.0-or-later
"""Cyrus IMAP as a source: its own spool, filled by APPEND. Sources: imapd.conf(5), cyrus.conf(5), master(8)."""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import maildir, ports
from .server import Server, write_private
from .unpacked import environment, unpacked

ADMIN = "cyrus"
#: Cyrus never runs as root; an account that every Debian has and that owns nothing.
_UNPRIVILEGED = "daemon"
_CONFIGURATION = """\
configdirectory: {folder}/conf
defaultpartition: default
partition-default: {folder}/spool
proc_path: {folder}/proc
mboxname_lockpath: {folder}/lock
idlesocket: {folder}/idle
notifysocket: {folder}/notify
lmtpsocket: {folder}/lmtp
cyrus_user: {user}
admins: {admin}
proxyservers: {admin}
allowplaintext: yes
sasl_mech_list: PLAIN
# Who asks for the password is not what is tested here: SASL takes any
sasl_pwcheck_method: alwaystrue
unixhierarchysep: {unix}
altnamespace: {alternative}
duplicatesuppression: 0
expunge_mode: immediate
conversations: 0
syslog_prefix: lab
"""
_SERVICE = '  {name} cmd="{program} -C {configuration}" listen="127.0.0.1:{port}" prefork=1 maxchild=100'
_SERVICES = """\
START {{
}}
SERVICES {{
{services}
}}
EVENTS {{
}}
"""


class Cyrus(Server):
    """Cyrus on a port of loopback, in clear text; the administrator logs in as anybody (SASL PLAIN).

    `unix`: names are `user/ann/Sent` to the administrator, and INBOX/Sent (separator `/`) to Ann; without it the
    separator is a dot. `alternative`: Ann's folders lie beside INBOX, not below it.
    """

    def __init__(self, name: str, folder: Path, *, unix: bool = True, alternative: bool = False) -> None:
        super().__init__(name, folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.unix, self.alternative = unix, alternative
        self.place = unpacked("cyrus-imapd", "cyrus-")
        (self.port,) = ports.claim(folder, 1)
        self.user = _UNPRIVILEGED if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._data = folder / "data"
        self._configuration = folder / "imapd.conf"
        self._services = folder / "cyrus.conf"

    def listens_on(self) -> Sequence[int]:
        return [self.port]

    def command(self) -> Sequence[str]:
        drop: list[str] = []
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            drop = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]
        master = str(self.place / "usr/lib/cyrus/bin/master")
        options = ["-C", str(self._configuration), "-M", str(self._services), "-p", str(self._data / "pid"), "-D"]
        return [*drop, master, *options]

    def environment(self) -> dict[str, str]:
        return environment(self.place)

    def prepare(self) -> None:
        for part in (self._data, self._data / "conf", self._data / "spool"):
            part.mkdir(exist_ok=True, mode=0o755)
            if os.geteuid() == 0:
                shutil.chown(part, self.user)
        configuration = _CONFIGURATION.format(
            folder=self._data,
            user=self.user,
            admin=ADMIN,
            unix="yes" if self.unix else "no",
            alternative="yes" if self.alternative else "no",
        )
        write_private(self._configuration, configuration + self.more(), 0o644)
        services = (
            _SERVICE.format(name=name, program=program, configuration=self._configuration, port=port)
            for name, program, port in self.services()
        )
        write_private(self._services, _SERVICES.format(services="\n".join(services)), 0o644)

    def more(self) -> str:
        """Settings of a kind of Cyrus, after those that all have."""
        return ""

    def services(self) -> Sequence[tuple[str, Path, int]]:
        """Name, program and port of what master starts."""
        return [("imap", self.place / "usr/lib/cyrus/bin/imapd", self.port)]

    def greets(self) -> bool:
        """Whether a process behind master greets."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5.0) as connection:
                return connection.recv(512).startswith(b"* OK")
        except OSError:
            return False

    def stop(self) -> None:
        super().stop()
        ports.release(self.folder)

    # accounts and mail

    def add_account(self, user: str) -> None:
        """Make a mailbox for a user."""
        with self.session(ADMIN) as imap:
            _must(imap.create(_quoted(f"user{'/' if self.unix else '.'}{user}")))

    @contextmanager
    def session(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A user's connection."""
        imap = imaplib.IMAP4("127.0.0.1", self.port, timeout=60)
        _must(imap.login(user, "any"))
        try:
            yield imap
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                imap.logout()

    def write(self, user: str, folders: Iterable[maildir.Folder]) -> None:
        """Fill a user's mailbox; the UIDs get the holes that the folders have, as far as they are small."""
        with self.session(user) as imap:
            for folder in folders:
                name = self.folder_name(folder.path)
                if folder.path:
                    # a folder above others that were made before it is there already
                    _must(imap.create(name), but="already exists")
                if folder.subscribed:
                    _must(imap.subscribe(name))
                _fill(imap, name, folder.messages)

    def folder_name(self, path: tuple[str, ...]) -> str:
        """A folder's name as its user writes it, quoted."""
        separator = "/" if self.unix else "."
        below = path if self.alternative and path else ("INBOX", *path)
        return _quoted(separator.join(maildir.encode_name(level) for level in below))


def _fill(imap: imaplib.IMAP4, name: str, messages: Sequence[tuple[int, maildir.Mail]]) -> None:
    """Append messages; where UIDs are left out, one that is expunged again leaves a hole."""
    parts: list[bytes] = []
    before = 0
    for wanted, mail in messages:
        if wanted > before + 1:
            parts.append(b" (\\Deleted)" + _literal(b"Subject: filler\r\n\r\n"))
        before = wanted
        flags = " ".join((*mail.flags, *mail.keywords))
        body = b"".join(mail.parts).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        parts.append(f" ({flags}) {imaplib.Time2Internaldate(mail.date)}".encode() + _literal(body))
    _append(imap, name, parts)
    _must(imap.select(name))
    fillers = imap.uid("SEARCH", "DELETED", "SUBJECT", "filler")[1][0].decode().split()
    if fillers:
        _must(imap.uid("EXPUNGE", ",".join(fillers)))


def _literal(data: bytes) -> bytes:
    return b" {%d+}\r\n" % len(data) + data


def _append(imap: imaplib.IMAP4, name: str, parts: Sequence[bytes]) -> None:
    """Append messages in one command (RFC 3502); those that Cyrus does not take (NUL, no real header) stay out."""
    if not parts:
        return
    tag = imap._new_tag()
    imap.send(tag + b" APPEND " + name.encode() + b"".join(parts) + b"\r\n")
    while not (line := imap.readline()).startswith(tag + b" "):
        assert line, "Cyrus hung up"
    if line.split()[1] != b"OK":
        assert b"Message contains" in line, line
        middle = len(parts) // 2
        for half in (parts[:middle], parts[middle:]) if middle else ():
            _append(imap, name, half)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _must(answer: tuple[str, object], but: str = "\0") -> None:
    if answer[0] != "OK" and but not in str(answer[1]):
        raise AssertionError(f"Cyrus: {answer!r:.300}")
