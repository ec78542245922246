# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Dovecots without databases, for tests that need thousands of fresh accounts: every name is an account.

A Maildir source and an mdbox target with the doveadm HTTP API. What a server offers depends on the address at which it
is asked: each of the `VARIANTS` lacks some extensions (they are hidden; a client that used them all the same would get
away with it, so that a test has to look at what was sent).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import packages, ports
from .dovecot import Dovecot, DovecotSetup
from .layout import Layout
from .region import CLOUD_OWNER
from .server import start_all, stop_all
from .throwaway import fast_folder
from .tls import Authority

PASSWORD = "the-same-for-all"
#: Larger messages are refused by the target.
MAX_MESSAGE = 1_000_000
_ALL = (
    "IMAP4rev1 SASL-IR ID ENABLE IDLE MULTIAPPEND UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED CONDSTORE QRESYNC"
    " ESEARCH LIST-STATUS SPECIAL-USE BINARY MOVE LITERAL+"
)


def _without(*names: str) -> str:
    return " ".join(word for word in _ALL.split() if word not in names)


#: Addresses, and what each offers.
VARIANTS: Mapping[str, tuple[str, str]] = {
    "full": ("127.0.0.1", _ALL),
    "no-multiappend": ("127.0.0.2", _without("MULTIAPPEND")),
    "no-literal-plus": ("127.0.0.3", _without("LITERAL+")),
    "no-uidplus": ("127.0.0.4", _without("UIDPLUS")),
    "no-qresync": ("127.0.0.5", _without("QRESYNC")),
    "no-condstore": ("127.0.0.6", _without("QRESYNC", "CONDSTORE")),
    "no-list-status": ("127.0.0.7", _without("LIST-STATUS", "LIST-EXTENDED", "SPECIAL-USE", "ESEARCH")),
    "bare": ("127.0.0.8", "IMAP4rev1"),
}


@dataclass(frozen=True)
class VirtualPair:
    """The two servers, running. `owner` is whom files on disk have to belong to (None: nobody else)."""

    folder: Path
    source: Dovecot
    target: Dovecot
    owner: tuple[int, int] | None

    @classmethod
    @contextmanager
    def temporary(cls, *, source_extra: str = "", target_extra: str = "") -> Iterator[VirtualPair]:
        """Both servers in a throw-away folder, in memory where that is possible."""
        packages.require_packages()
        folder = Path(tempfile.mkdtemp(prefix="virtual-", dir=fast_folder()))
        folder.chmod(0o755)
        layout = Layout.of(folder)
        layout.make()
        try:
            claimed = iter(ports.claim(layout.directory, 7))
            authority = Authority(layout.data / "tls")
            source = _dovecot("source", layout, authority, claimed, source_extra)
            target = _dovecot("target", layout, authority, claimed, target_extra)
            try:
                start_all([source, target])
                yield cls(layout.data, source, target, CLOUD_OWNER if os.geteuid() == 0 else None)
            finally:
                stop_all([source, target])
        finally:
            ports.release(layout.directory)
            layout.remove()

    def side(self, name: str, variant: str = "full", *, doveadm: bool = True) -> dict[str, object]:
        """The module's option `source` or `target`."""
        dovecot = self.source if name == "source" else self.target
        options: dict[str, object] = {
            "host": VARIANTS[variant][0],
            "port": dovecot.setup.ports["imap"],
            "security": "plain",
            "allow_plaintext": True,
            "timeout": 30,
        }
        if name == "target" and doveadm:
            options["doveadm_url"] = f"http://127.0.0.1:{dovecot.setup.ports['doveadm']}/doveadm/v1"
            options["doveadm_api_key"] = PASSWORD
        return options

    def home(self, name: str, user: str) -> Path:
        """Where an account's mail is: a Maildir on the source, on the target a folder with an `mdbox`."""
        return (self.source if name == "source" else self.target).setup.mail_root / user

    def copy_home(self, name: str, user: str, template: Path) -> None:
        """Make an account whose mail is that of a template."""
        home = self.home(name, user)
        shutil.copytree(template, home)
        self.give(home)

    def give(self, home: Path) -> None:
        """Have everything in a folder belong to the owner of the mail."""
        if self.owner is None:
            return
        os.chown(home, *self.owner)
        for root, folders, files in os.walk(home):
            for each in (*folders, *files):
                os.lchown(Path(root) / each, *self.owner)


def _dovecot(name: str, layout: Layout, authority: Authority, claimed: Iterator[int], extra: str) -> Dovecot:
    target = name == "target"
    homes = layout.data / f"{name}-mail"
    setup = DovecotSetup(
        kind="virtual",
        ports={
            **{port: next(claimed) for port in ("imap", "imaps", "pop3s")},
            "doveadm": next(claimed) if target else 0,
        },
        owner=CLOUD_OWNER if os.geteuid() == 0 else (os.geteuid(), os.getegid()),
        master_user="master",
        master_password=PASSWORD,
        certificate=authority.issue_kind("good"),
        mail_root=homes,
        values={
            "homes": homes,
            "password": PASSWORD,
            "mail_location": "mdbox:~/mdbox" if target else "maildir:~",
            "separator": "/" if target else ".",
            "listen": [address for address, _capability in VARIANTS.values()],
            "capabilities": {
                address: capability for address, capability in VARIANTS.values() if address != "127.0.0.1"
            },
            "max_message": MAX_MESSAGE,
        },
        extra=extra,
    )
    return Dovecot(f"virtual {name}", layout.data / name, layout.run / name, setup)
