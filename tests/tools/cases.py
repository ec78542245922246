# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests show which of the nasty cases: by ``@pytest.mark.case(…)``, or ``case_30`` in a docstring or a name.

``python -m tests.tools.cases`` prints them, number by number.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"case_(\d+)")


def shown() -> dict[int, list[str]]:
    """Number of a case → the tests that show it, as ``path::function``."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        tables = {name: set(_marked([value])) for name, value in _assigned(tree)}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                for number in _numbers(function, tables):
                    found[number].add(f"{path.relative_to(ROOT)}::{function.name}")
    return {number: sorted(tests) for number, tests in sorted(found.items())}


def _numbers(function: ast.FunctionDef, tables: Mapping[str, set[int]]) -> set[int]:
    """The cases of one test: its own marks, those of the tables it is given, and those of its whole file."""
    said = f"{function.name} {ast.get_docstring(function) or ''}"
    numbers = {int(number) for number in _NAMED.findall(said)} | set(_marked(function.decorator_list))
    used = {node.id for one in function.decorator_list for node in ast.walk(one) if isinstance(node, ast.Name)}
    return numbers.union(*(tables[name] for name in {*used, "pytestmark"} if name in tables))


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names of the file and what they are set to."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            yield from ((name.id, statement.value) for name in statement.targets if isinstance(name, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            yield statement.target.id, statement.value


def _marked(expressions: list[ast.expr]) -> Iterator[int]:
    for expression in expressions:
        for node in ast.walk(expression):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "case":
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, int):
                        yield argument.value


if __name__ == "__main__":
    for number, tests in shown().items():
        print(number, *tests, sep="\n    ")
