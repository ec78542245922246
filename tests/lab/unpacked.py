# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages that are fetched by apt and unpacked into a folder, never installed.

Courier and Cyrus conflict with every other IMAP server, PostfixAdmin brings a web server along. Unpacked, their
programs run with their own configuration and with LD_LIBRARY_PATH, and no script of a package and no service of theirs
is ever started.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LabError

#: Where packages are unpacked; `make clean` removes it.
ROOT = Path(__file__).resolve().parents[2] / ".build" / "unpacked"
#: Of all packages that apt would bring along, those that are wanted besides the package itself.
_WANTED = ("lib",)


def unpacked(package: str, *wanted: str, alone: bool = False) -> Path:
    """The folder in which a package is unpacked, with the libraries that it needs and this machine lacks.

    `wanted` are beginnings of the names of further packages that belong to it; `alone` fetches nothing but the package.
    Raises LabError when apt is not there or does not know the package.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise LabError(f"this machine has no apt-get and dpkg-deb: {package} can't be had")
    ROOT.mkdir(parents=True, exist_ok=True)
    place = ROOT / package
    with _alone(ROOT / f"{package}.lock"):
        if not place.exists():
            _fetch_and_unpack(package, (package,) if alone else (package, *wanted, *_WANTED), place, alone=alone)
    return place


def environment(place: Path) -> dict[str, str]:
    """What programs of an unpacked package need to find their libraries."""
    folders = [place / "usr/lib", place / "lib", *sorted(place.glob("usr/lib/*-linux-*")), *sorted(place.glob("lib/*"))]
    folders += sorted(place.glob("usr/lib/*-authlib"))
    return {
        "LD_LIBRARY_PATH": ":".join(str(folder) for folder in folders if folder.is_dir()),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes of the tests off while a package is unpacked."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_and_unpack(package: str, wanted: tuple[str, ...], place: Path, *, alone: bool) -> None:
    archives = place.with_name(place.name + ".archives")
    half = place.with_name(place.name + ".half")
    for folder in (archives, half):
        shutil.rmtree(folder, ignore_errors=True)
    (archives / "partial").mkdir(parents=True)
    download = _download_alone if alone else _download
    if not download(package, archives):
        # the lists may be older than what the archive holds now
        _run("apt-get", "-q", "-y", "update")
        if not download(package, archives):
            raise LabError(f"apt-get can't fetch {package}")
    half.mkdir()
    for archive in sorted(archives.glob("*.deb")):
        if archive.name.startswith(wanted):
            _run("dpkg-deb", "--extract", str(archive), str(half))
    _run("chmod", "--recursive", "u-s,g-s", str(half))
    half.rename(place)
    shutil.rmtree(archives)


def _download(package: str, archives: Path) -> bool:
    """Have apt fetch what an installation would bring; it changes nothing on this machine and needs no rights.

    A package that is installed already is fetched, too.
    """
    options = ("-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={archives}/", "-o", "APT::Sandbox::User=")
    done = subprocess.run(
        [
            "apt-get",
            "-q",
            "-y",
            "--download-only",
            "--reinstall",
            "--no-install-recommends",
            *options,
            "install",
            package,
        ],
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0 and any(archives.glob(f"{package}_*.deb"))


def _download_alone(package: str, archives: Path) -> bool:
    """Have apt fetch one package into a folder."""
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=", "download", package]
    done = subprocess.run(command, cwd=archives, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0 and any(archives.glob(f"{package}_*.deb"))


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed:\n{done.stderr.decode(errors='replace')[-1000:]}")
