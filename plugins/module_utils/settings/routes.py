# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where mail goes on the target: accounts with forwards, aliases, whole domains; and where it would go in circles.

How an address is looked up: as it is among accounts and aliases; without its tag (``user+tag@`` is ``user@``, RFC 5233)
where it has one; by its domain's own rule, which is another domain (the local part stays) or a catch-all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..addresses import domain_of, without_tag

ACCOUNTS, ALIASES = "accounts", "aliases"


@dataclass(frozen=True, order=True)
class Hop:
    """One step that mail takes: because ``owner`` (an address, or ``@domain``) sends it on to ``target``."""

    kind: str
    owner: str
    target: str


@dataclass(frozen=True)
class Loop:
    """A hop that is in a loop, and the whole way from its owner back to it."""

    hop: Hop
    way: tuple[str, ...]


@dataclass(frozen=True)
class Routes:
    """Who sends mail on to where: address → targets. Both are looked at; an address may be in either."""

    forwards: Mapping[str, Iterable[str]]
    aliases: Mapping[str, Iterable[str]]

    def known(self, address: str) -> str | None:
        """The name under which mail for the address is taken: itself, without its tag, or ``@domain``; else None."""
        for name in (address, without_tag(address), "@" + domain_of(address)):
            if name in self.forwards or name in self.aliases:
                return name
        return None

    def hops(self, node: str) -> Iterator[tuple[Hop, str]]:
        """The steps from an address or a whole domain, each with the address or domain that it leads to."""
        name = node if node.startswith("@") else self.known(node)
        if name is None:
            return
        for kind, where in ((ACCOUNTS, self.forwards), (ALIASES, self.aliases)):
            for target in where.get(name, ()):
                whole = target.startswith("@") and not node.startswith("@")
                yield Hop(kind, name, target), node.rpartition("@")[0] + target if whole else target

    def without(self, refused: Iterable[Hop]) -> Routes:
        """The same without these hops; an alias without targets is none, an account without forwards still is one."""
        gone = {(hop.kind, hop.owner, hop.target) for hop in refused}
        aliases = {owner: [t for t in to if (ALIASES, owner, t) not in gone] for owner, to in self.aliases.items()}
        return Routes(
            {owner: [t for t in to if (ACCOUNTS, owner, t) not in gone] for owner, to in self.forwards.items()},
            {owner: targets for owner, targets in aliases.items() if targets},
        )

    @cached_property
    def graph(self) -> Mapping[str, tuple[tuple[Hop, str], ...]]:
        """Every address and domain that mail can come by, with its steps."""
        found: dict[str, tuple[tuple[Hop, str], ...]] = {}
        waiting = [*self.forwards, *self.aliases]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found[node] = tuple(self.hops(node))
                waiting += [target for _hop, target in found[node]]
        return found

    def loops(self) -> list[Loop]:
        """Every hop that lies in a loop, with a shortest way round."""
        graph = self.graph
        part = _components({node: [to for _hop, to in steps] for node, steps in graph.items()})
        found: dict[Hop, Loop] = {}
        for node, steps in graph.items():
            for hop, to in steps:
                if part[node] == part[to]:
                    found.setdefault(hop, Loop(hop, (node, *_way(graph, part, to, node))))
        return [found[hop] for hop in sorted(found)]


def breaking(routes: Routes, ours: Callable[[Hop], bool]) -> tuple[list[Loop], list[Loop]]:
    """Which hops of ours have to go so that no loop is left, and the loops in which there is none of ours.

    Forwards go first: their accounts still get the mail. Aliases only where they alone make a circle.
    """
    refused: list[Loop] = []
    while loops := routes.loops():
        mine = [loop for loop in loops if ours(loop.hop)]
        if not mine:
            break
        first = min(loop.hop.kind for loop in mine)  # accounts come before aliases
        gone = [loop for loop in mine if loop.hop.kind == first]
        refused += gone
        # Where an alias goes altogether, its mail may take another way: so look again.
        routes = routes.without(loop.hop for loop in gone)
    return refused, loops


def _way(
    graph: Mapping[str, tuple[tuple[Hop, str], ...]], part: Mapping[str, int], start: str, end: str
) -> tuple[str, ...]:
    """The nodes of a shortest way inside one component, where there always is one."""
    before: dict[str, str | None] = {start: None}
    waiting = deque([start])
    while (node := waiting.popleft()) != end:
        for _hop, to in graph[node]:
            if to not in before and part[to] == part[end]:
                before[to] = node
                waiting.append(to)
    way = [end]
    while (previous := before[way[-1]]) is not None:
        way.append(previous)
    return tuple(reversed(way))


def _components(graph: Mapping[str, list[str]]) -> dict[str, int]:
    """Node → number of its strongly connected component (Tarjan's algorithm, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    part: dict[str, int] = {}
    stack: list[str] = []
    for root in graph:
        if root in number:
            continue
        walk = [(root, iter(graph[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        while walk:
            node, rest = walk[-1]
            step = next(rest, None)
            if step is None:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[node])
                if low[node] == number[node]:
                    _close(stack, part, node)
            elif step not in number:
                number[step] = low[step] = len(number)
                stack.append(step)
                walk.append((step, iter(graph[step])))
            elif step not in part:
                low[node] = min(low[node], number[step])
    return part


def _close(stack: list[str], part: dict[str, int], root: str) -> None:
    """Everything on the stack from ``root`` on is one component."""
    name = len(part)
    while True:
        node = stack.pop()
        part[node] = name
        if node == root:
            return
