# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is to be done on the load balancer, from what is there and what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import crt_list
from .files import Kept, Place
from .runtime import Entry, Loaded


@dataclass(frozen=True)
class Survey:
    """What is there: the files, the text of the list, and what the process has of this bundle and of others.

    ``taken`` is host name to file, of all that is not this bundle's; ``known`` whether the process knows the file.
    """

    place: Place
    current: Kept | None
    previous: Kept | None
    undone: Kept | None
    text: str
    loaded: Loaded | None
    entries: tuple[Entry, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The bundle's file, as HAProxy calls it."""
        return str(self.place.current)


@dataclass(frozen=True)
class Wanted:
    """A bundle that is to be served; ``sha1`` and ``intermediates`` are how the process shows it."""

    kept: Kept
    sha1: str
    intermediates: int


@dataclass(frozen=True)
class Plan:
    """Steps; those that are not needed are false, None or empty."""

    put: bool = False
    load: bool = False
    text: str | None = None
    add: bool = False
    drop: tuple[Entry, ...] = ()
    forget: bool = False
    remove: bool = False

    @property
    def changed(self) -> bool:
        """Whether there is anything to do."""
        return self != Plan()


def plan_present(survey: Survey, wanted: Wanted) -> Plan:
    """Serve the bundle under its names: in the file, in the process, and in the list of both."""
    names = set(wanted.kept.names)
    put = survey.current != wanted.kept
    loaded = survey.loaded
    same = loaded is not None and (loaded.sha1, loaded.intermediates) == (wanted.sha1, wanted.intermediates)
    content_changed = survey.current is None or survey.current.content != wanted.kept.content
    right = [entry for entry in survey.entries if set(entry.names) == names]
    return Plan(
        put=put,
        load=content_changed or not same,
        text=_listed(survey, wanted),
        add=not right,
        drop=tuple(entry for entry in survey.entries if entry not in right[:1]),
    )


def plan_absent(survey: Survey) -> Plan:
    """Serve it no more, and keep none of its keys."""
    text = crt_list.without(survey.text, survey.file)
    return Plan(
        text=text if text != survey.text else None,
        drop=survey.entries,
        forget=survey.loaded is not None,
        remove=any(each is not None for each in (survey.current, survey.previous, survey.undone)),
    )


def _listed(survey: Survey, wanted: Wanted) -> str | None:
    """The text of the list as it should be; None when it is so."""
    lines = [line for line in crt_list.parse(survey.text) if line.file == survey.file]
    if len(lines) == 1 and set(lines[0].names) == set(wanted.kept.names):
        return None
    return crt_list.with_names(survey.text, survey.file, wanted.kept.names)
