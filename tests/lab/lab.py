# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: sites, regions, and lab.json which tells everybody where they are."""

from __future__ import annotations

import fcntl
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import demo, packages, ports, state
from . import region as region_side
from . import site as site_side
from .errors import LabError
from .layout import Layout
from .region import Region
from .server import Server, start_all, stop_all
from .site import Site
from .state import LabState, RegionOptions, RegionState, SideState, SiteOptions, SiteState
from .tls import Authority


class Lab:
    """A lab in a folder. Make one with `Lab.up`, find one that is there with `Lab.open`."""

    def __init__(self, layout: Layout, known: LabState) -> None:
        self.layout = layout
        self.state = known
        self.authority = Authority(layout.data / "tls")
        self.sites = {name: Site(name, layout, each, self.authority) for name, each in known.sites.items()}
        self.regions = {name: Region(name, layout, each, self.authority) for name, each in known.regions.items()}

    @classmethod
    def up(
        cls,
        directory: Path | str,
        sites: Sequence[str] = ("acme",),
        regions: Sequence[str] = ("eu",),
        *,
        scale: str = "",
        site_options: Mapping[str, SiteOptions] | None = None,
        region_options: Mapping[str, RegionOptions] | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> Lab:
        """Make what is not there yet, start what does not run, and give back the lab.

        Ports, passwords and data of a lab that is there stay. Options given for a site or region replace those it was
        made with, and count from its next start. With a `scale` (demo.SCALES) sites that have no customer yet are given
        one. `say` is told what was done, in a line each. Raises LabError; then nothing of this call is left running.
        """
        packages.require_packages()
        layout = Layout.of(Path(directory))
        layout.make()
        with _file_lock(layout.data / "up.lock"):
            known = state.load(layout.directory) or LabState()
            _extend(layout, known, sites, regions)
            for name, options in (site_options or {}).items():
                known.sites[name].options = options
            for name, region_option in (region_options or {}).items():
                known.regions[name].options = region_option
            lab = cls(layout, known)
            lab.save()
            lab._start(scale, say)
        return lab

    @classmethod
    def open(cls, directory: Path | str) -> Lab:
        """The lab in this folder, as it is, running or not. Raises LabError when there is none."""
        layout = Layout.of(Path(directory))
        known = state.load(layout.directory)
        if known is None:
            raise LabError(f"no lab in {layout.directory}")
        _extend(layout, known, (), ())
        return cls(layout, known)

    @classmethod
    @contextmanager
    def temporary(
        cls,
        sites: Sequence[str] = ("acme",),
        regions: Sequence[str] = ("eu",),
        *,
        scale: str = "",
        site_options: Mapping[str, SiteOptions] | None = None,
        region_options: Mapping[str, RegionOptions] | None = None,
    ) -> Iterator[Lab]:
        """A lab in a throw-away folder of its own, stopped and removed at the end."""
        folder = Path(tempfile.mkdtemp(prefix="lab-"))
        folder.chmod(0o755)
        try:
            lab = cls.up(folder, sites, regions, scale=scale, site_options=site_options, region_options=region_options)
            with lab:
                yield lab
        finally:
            layout = Layout.of(folder)
            ports.release(layout.directory)
            layout.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def directory(self) -> Path:
        """The folder of lab.json."""
        return self.layout.directory

    @property
    def servers(self) -> list[Server]:
        """All servers of all sites and regions."""
        sides: list[Site | Region] = [*self.sites.values(), *self.regions.values()]
        return [server for side in sides for server in side.servers]

    def site(self, name: str) -> Site:
        """A site by its name. Raises LabError."""
        if name not in self.sites:
            raise LabError(f"this lab has no site {name}; it has {', '.join(self.sites)}")
        return self.sites[name]

    def region(self, name: str) -> Region:
        """A region by its name. Raises LabError."""
        if name not in self.regions:
            raise LabError(f"this lab has no region {name}; it has {', '.join(self.regions)}")
        return self.regions[name]

    def down(self, *, keep: bool = False) -> None:
        """Stop exactly what this lab started; remove its folder unless `keep`."""
        stop_all(self.servers)
        if keep:
            self.layout.remove_sockets()
            return
        ports.release(self.directory)
        self.layout.remove()

    def _start(self, scale: str, say: Callable[[str], None]) -> None:
        """Start what does not run, the databases first, and fill it; a failure stops what this call has started."""
        sides: list[Site | Region] = [*self.sites.values(), *self.regions.values()]
        try:
            start_all([server for side in sides for server in side.databases])
            for name, site in self.state.sites.items():
                if site.region:
                    self.region(site.region).enable_tenant(name, name.capitalize())
            start_all(self.servers)
            self._fill(scale, say)
        except BaseException:
            stop_all([server for server in self.servers if server.started_here])
            raise

    def _fill(self, scale: str, say: Callable[[str], None]) -> None:
        """Give the sites their customers, and write each one down as soon as it is complete."""
        for site in self.sites.values():
            if scale and demo.fill(site, scale, say):
                self.save()

    def describe(self) -> dict[str, Any]:
        """What lab.json says to everybody (everything but the lab's own state)."""
        sites = self.state.sites.items()
        moving = {name: [site for site, each in sites if each.region == name] for name in self.regions}
        return {
            "dir": str(self.directory),
            "ca": str(self.authority.ca_file),
            "sites": {name: site.shown() for name, site in self.sites.items()},
            "regions": {
                name: {**region.shown(moving[name]), "ca": str(self.authority.ca_file)}
                for name, region in self.regions.items()
            },
        }

    def save(self) -> None:
        """Write lab.json; accounts that another process has added to it meanwhile stay in it."""
        with _file_lock(self.layout.data / "save.lock"):
            other = state.load(self.directory)
            if other is not None:
                _add_accounts(self.state, other)
            state.save(self.directory, self.state, self.describe())


def _extend(layout: Layout, known: LabState, sites: Sequence[str], regions: Sequence[str]) -> None:
    """Add the sites and regions that are not there yet; each site's customer moves to one region, in turn."""
    for name in regions:
        known.regions.setdefault(name, RegionState())
    names = list(known.regions)
    for name in sites:
        region = names[len(known.sites) % len(names)] if names else ""
        known.sites.setdefault(name, SiteState(region=region))
    for region_state in known.regions.values():
        _complete(layout, region_state, region_side.PORTS, region_side.SECRETS)
    for site_state in known.sites.values():
        _complete(layout, site_state, site_side.PORTS, site_side.SECRETS)


def _complete(layout: Layout, side: SideState, port_names: Sequence[str], secret_names: Sequence[str]) -> None:
    """Give a side the ports and passwords that it lacks; also one that an older version of the lab made."""
    missing = [name for name in port_names if name not in side.ports]
    side.ports.update(zip(missing, ports.claim(layout.directory, len(missing)), strict=True))
    for name in secret_names:
        side.secrets.setdefault(name, secrets.token_urlsafe(18))


def _add_accounts(known: LabState, other: LabState) -> None:
    """Take over the accounts that only the other one knows."""
    for name, site in known.sites.items():
        if name in other.sites:
            site.accounts.update({**other.sites[name].accounts, **site.accounts})
    for name, region in known.regions.items():
        if name in other.regions:
            region.accounts.update({**other.regions[name].accounts, **region.accounts})


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
