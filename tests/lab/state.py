# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab remembers between two starts: ports, passwords, options, accounts. Kept in lab.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .errors import LabError
from .server import write_private

FORMAT = 1
FILE = "lab.json"


@dataclass(frozen=True)
class Account:
    """One account of a site or region. `stored` is how the database holds the password: plain, md5 or md5_crypt."""

    address: str
    password: str
    stored: str = "plain"
    enabled: bool = True
    messages: int = 0
    folders: int = 0


@dataclass(frozen=True)
class SiteOptions:
    """How a site differs from the ordinary one.

    `prefix` is that of the namespace ("" as Atmail 7 has it, "INBOX." as Courier had it); `owner` the uid and gid of
    the mail (Atmail's 3000 when None, for an ordinary user always his own); `certificate` good, expired, wrong_name or
    self_signed; `extra` Dovecot configuration that comes last and wins; `rawlog` writes all IMAP sessions to files;
    `old_tls` lets it speak TLS 1.0 and nothing newer, as servers of 2008 do; with `sharing` users can share folders
    (`shared.<name>.`), and there are public ones (`Public.`). `generation` says which Atmail it is (generations.py).
    """

    prefix: str = ""
    owner: tuple[int, int] | None = None
    certificate: str = "good"
    extra: str = ""
    rawlog: bool = False
    old_tls: bool = False
    sharing: bool = False
    generation: str = "7"


@dataclass(frozen=True)
class RegionOptions:
    """How a region differs from the ordinary one; as for a site, and `doveadm` False takes its HTTP API away.

    With `delivery` it takes mail: Exim as its MX, LMTP, and an Exim that is everybody else's server. With `submission`
    it does that too, and takes mail from its users: an Exim that asks Dovecot who they are. With `edge` there is
    HAProxy in front of its public ports. With `dav` there is that too, and Radicale behind it, which asks Dovecot who
    the users are.
    """

    certificate: str = "good"
    extra: str = ""
    rawlog: bool = False
    doveadm: bool = True
    delivery: bool = False
    submission: bool = False
    edge: bool = False
    dav: bool = False

    @property
    def has_edge(self) -> bool:
        """Whether there is HAProxy: calendars and contacts are behind it, too."""
        return self.edge or self.dav

    @property
    def takes_mail(self) -> bool:
        """Whether there is an MX: what users send goes through it, too."""
        return self.delivery or self.submission


@dataclass
class SideState:
    """What is remembered of one site or region."""

    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)


@dataclass
class SiteState(SideState):
    """A site, the region that its customer moves to, and how much mail it was filled with ("" for none)."""

    region: str = ""
    options: SiteOptions = field(default_factory=SiteOptions)
    scale: str = ""


@dataclass
class RegionState(SideState):
    """A region of the cloud."""

    options: RegionOptions = field(default_factory=RegionOptions)


@dataclass
class LabState:
    """All sites and regions of a lab, in the order in which they were asked for."""

    sites: dict[str, SiteState] = field(default_factory=dict)
    regions: dict[str, RegionState] = field(default_factory=dict)


def load(directory: Path) -> LabState | None:
    """The state of the lab in this folder; None when there is no lab. Raises LabError when its file is not ours."""
    path = directory / FILE
    if not path.exists():
        return None
    try:
        value = json.loads(path.read_text())
        if value["format"] != FORMAT:
            raise LabError(
                f"{path} has format {value['format']}, this lab knows {FORMAT}; run `down` of its own version"
            )
        return _lab(value["state"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(f"{path} is not the file of a lab: {error!r}") from error


def save(directory: Path, state: LabState, shown: Mapping[str, Any]) -> None:
    """Write lab.json (0600): what everybody may rely on, and under `state` what only the lab itself reads."""
    text = json.dumps({"format": FORMAT, **shown, "state": asdict(state)}, indent=1) + "\n"
    write_private(directory / FILE, text)


def _lab(value: Mapping[str, Any]) -> LabState:
    return LabState(
        sites={name: _site(each) for name, each in value["sites"].items()},
        regions={name: _region(each) for name, each in value["regions"].items()},
    )


def _site(value: Mapping[str, Any]) -> SiteState:
    options = dict(value["options"])
    owner = options["owner"]
    options["owner"] = None if owner is None else (int(owner[0]), int(owner[1]))
    return SiteState(
        ports=value["ports"],
        secrets=value["secrets"],
        accounts=_accounts(value),
        region=value["region"],
        options=SiteOptions(**options),
        scale=value.get("scale", ""),
    )


def _region(value: Mapping[str, Any]) -> RegionState:
    return RegionState(
        ports=value["ports"],
        secrets=value["secrets"],
        accounts=_accounts(value),
        options=RegionOptions(**value["options"]),
    )


def _accounts(value: Mapping[str, Any]) -> dict[str, Account]:
    return {address: Account(**each) for address, each in value["accounts"].items()}
