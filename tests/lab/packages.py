# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the Debian or Ubuntu packages whose programs the lab starts itself.

Only the programs are wanted: while dpkg works, `policy-rc.d` forbids it to start any of the packages' own services.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from .errors import LabError

#: What has to be there, and the package that brings it.
PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "/usr/sbin/dovecot": "dovecot-core",
        "/usr/lib/dovecot/imap": "dovecot-imapd",
        "/usr/lib/dovecot/pop3": "dovecot-pop3d",
        "/usr/lib/dovecot/lmtp": "dovecot-lmtpd",
        "/usr/lib/dovecot/modules/auth/libdriver_mysql.so": "dovecot-mysql",
        "/usr/sbin/mariadbd": "mariadb-server",
        "/usr/bin/mariadb-install-db": "mariadb-server",
        "/usr/bin/mariadb": "mariadb-client",
        "/usr/sbin/sshd": "openssh-server",
        "/usr/bin/ssh-keygen": "openssh-client",
        "/usr/bin/gpg": "gnupg",
        "/usr/sbin/haproxy": "haproxy",
        "/usr/bin/zstd": "zstd",
        "/usr/sbin/knotd": "knot",
        "/usr/sbin/unbound": "unbound",
        # PostfixAdmin's database is made by its own program. An extension's file has PHP's version in its path.
        "/usr/bin/php": "php-cli",
        "/var/lib/dpkg/info/php-mysql.list": "php-mysql",
        "/var/lib/dpkg/info/php-mbstring.list": "php-mbstring",
    }
)

POLICY = Path("/usr/sbin/policy-rc.d")
#: Exit status 101 is "action forbidden by policy" (invoke-rc.d(8)).
_POLICY_TEXT = "#!/bin/sh\n# There only while tests/lab/packages.py installs.\nexit 101\n"


def missing_packages(programs: Mapping[str, str] = PROGRAMS) -> list[str]:
    """The packages, sorted, of which at least one program is not on this machine."""
    return sorted({package for program, package in programs.items() if not Path(program).exists()})


def require_packages() -> None:
    """Raise LabError naming the packages that are not installed."""
    missing = missing_packages()
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}; run `python -m tests.lab install`")


def install(programs: Mapping[str, str] = PROGRAMS) -> bool:
    """Install what is missing of these programs, as root; gives back whether anything had to be done.

    An ordinary user gets the same through sudo, where sudo asks no password or there is a terminal to ask on.
    Raises LabError when apt is not there, when there is no way to become root, or when apt fails (with its last lines).
    """
    missing = missing_packages(programs)
    if not missing:
        return False
    if shutil.which("apt-get") is None:
        raise LabError(f"this machine has no apt-get; install by hand: {', '.join(missing)}")
    if os.geteuid() == 0:
        install_as_root(missing)
    else:
        _install_by_sudo(missing)
    still = missing_packages(programs)
    if still:
        raise LabError(f"apt-get succeeded but these packages did not bring what the lab needs: {', '.join(still)}")
    return True


def _install_by_sudo(missing: list[str]) -> None:
    """Run this very module as root by sudo."""
    names = ", ".join(missing)
    if shutil.which("sudo") is None:
        raise LabError(f"not root and no sudo here; ask an administrator to install: {names}")
    interactive = [] if sys.stdin.isatty() else ["-n"]
    root = Path(__file__).resolve().parents[2]
    command = ["sudo", *interactive, sys.executable, "-m", "tests.lab", "install", *missing]
    if subprocess.run(command, cwd=root, check=False).returncode != 0:
        raise LabError(f"sudo could not install: {names}")


def install_as_root(names: Sequence[str]) -> None:
    """Install these packages, and start none of their services. Raises LabError when apt fails."""
    with services_forbidden():
        _apt("update")
        _apt("install", "--no-install-recommends", "--", *names)


def _apt(*arguments: str) -> None:
    """One apt-get run that never asks; raises LabError with the end of its output when it fails."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", NEEDRESTART_SUSPEND="1", LC_ALL="C.UTF-8")
    command = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", *arguments]
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.decode(errors="replace").splitlines()[-15:])
        raise LabError(f"{' '.join(command)} failed:\n{tail}")


@contextmanager
def services_forbidden() -> Iterator[None]:
    """While inside, packages may not start their services; whatever policy was there before comes back afterwards."""
    before = POLICY.with_name("policy-rc.d.before-lab")
    # An earlier installation may have been killed half-way: what it put aside is the machine's own policy.
    if before.exists():
        before.replace(POLICY)
    elif POLICY.exists() and POLICY.read_text(errors="replace") == _POLICY_TEXT:
        POLICY.unlink()
    if POLICY.exists():
        POLICY.replace(before)
    POLICY.write_text(_POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if before.exists():
            before.replace(POLICY)
