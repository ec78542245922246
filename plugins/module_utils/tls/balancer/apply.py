# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The load balancer as it is, and the steps of a plan carried out on it.

The order is chosen so that a run which is killed at any point leaves what HAProxy can start with, and so that the next
run finds what is left to do: the process tries the bundle first, then the file is put in place, then new connections
get it. A name is added before an old line for it goes, so that no client meets another certificate in between.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import BalancerBusyError, BalancerError, InputError, MigrationError
from ...private_file import write_file
from ..facts import fingerprint
from ..pem import read_certificates
from . import crt_list, files
from .files import Kept, Place
from .plan import Plan, Survey, Wanted
from .runtime import Runtime


@dataclass(frozen=True)
class Balancer:
    """Where HAProxy on this machine has its things."""

    directory: Path
    crt_list: Path
    runtime: Runtime


def survey(balancer: Balancer, place: Place) -> Survey:
    """What is there. Raises InputError, BalancerError, ConnectError; changes nothing."""
    try:
        text = balancer.crt_list.read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError as error:
        said = f"HAProxy's list of certificates {balancer.crt_list} can't be read: {error.strerror}"
        raise InputError(said, option="balancer.crt_list") from error
    if not balancer.directory.is_dir():
        raise InputError(f"there is no folder {balancer.directory}", option="balancer.directory")
    runtime, listed = balancer.runtime, str(balancer.crt_list)
    lists = runtime.lists()
    if listed not in lists:
        known = ", ".join(lists) or "none at all"
        step = "Give crt_list the path that HAProxy's configuration has; nothing has been changed."
        raise BalancerError(f"the running HAProxy has no list {listed}, but {known}", safe_next=step)
    entries, file = runtime.entries(listed), str(place.current)
    taken: dict[str, str] = {}
    for entry in entries:
        if entry.file != file:
            names = entry.names or getattr(runtime.loaded(entry.file), "names", ())
            taken.update(dict.fromkeys(names, entry.file))
    for line in crt_list.parse(text):
        if line.file != file:
            taken.update(dict.fromkeys(line.names, line.file))
    return Survey(
        place,
        files.read(place.current),
        files.read(place.previous),
        files.read(place.undone),
        text,
        runtime.loaded(file),
        tuple(entry for entry in entries if entry.file == file),
        taken,
    )


def wanted(kept: Kept) -> Wanted:
    """How the process shows a bundle."""
    certificates = read_certificates(kept.content)
    return Wanted(kept, fingerprint(certificates[0], "sha1").upper(), len(certificates) - 1)


def serve(balancer: Balancer, before: Survey, plan: Plan, bundle: Wanted, *, back: bool = False) -> None:
    """Carry out a plan that ends with a bundle being served; ``back`` takes it from the previous file.

    Raises BalancerError, and then the files are what they were before.
    """
    place, runtime, file = before.place, balancer.runtime, before.file
    kept = files.contents(place)
    try:
        if plan.load:
            _no_other(runtime, file)
            if before.loaded is None:
                runtime.new(file)
            runtime.set(file, bundle.kept.content)
        if plan.put:
            files.put_back(place) if back else files.put(place, bundle.kept)
        if plan.load:
            runtime.commit(file)
    except MigrationError:
        files.restore([(path, content) for path, content in kept if plan.put])
        _quietly(lambda: runtime.abort(file))
        raise
    if plan.add:
        runtime.add_entry(str(balancer.crt_list), file, bundle.kept.names)
    _write_list(balancer, plan)
    for entry in plan.drop:
        runtime.remove_entry(str(balancer.crt_list), entry)


def withdraw(balancer: Balancer, before: Survey, plan: Plan) -> None:
    """Carry out a plan that ends with a bundle being gone. Raises BalancerError; run again, it goes on."""
    runtime = balancer.runtime
    _write_list(balancer, plan)
    for entry in plan.drop:
        runtime.remove_entry(str(balancer.crt_list), entry)
    if plan.forget:
        if runtime.underway() == before.file:
            runtime.abort(before.file)
        runtime.remove(before.file)
    if plan.remove:
        files.remove(before.place)


def _no_other(runtime: Runtime, file: str) -> None:
    """A transaction of ours that a killed run has left is given up; anybody else's is not touched."""
    underway = runtime.underway()
    if underway == file:
        runtime.abort(file)
    elif underway:
        raise BalancerBusyError(f"somebody else is replacing {underway}")


def _write_list(balancer: Balancer, plan: Plan) -> None:
    """The list keeps its mode and its owner."""
    if plan.text is None:
        return
    path = balancer.crt_list.resolve()
    status = path.stat()
    owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else None
    content = plan.text.encode("utf-8", errors="surrogateescape")
    write_file(path, content, option="balancer.crt_list", mode=status.st_mode & 0o777, owner=owner)


def _quietly(step: Callable[[], None]) -> None:
    """A step of clearing up, whose own failure must not hide the first one."""
    try:
        step()
    except MigrationError:
        return
