# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.tools import errors_doc

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def test_the_page_of_errors_is_the_tree_of_errors() -> None:
    assert errors_doc.DOCUMENT.read_text() == errors_doc.render(), "run `make docs`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_of_the_tree_that_are_named_exist(document: Path) -> None:
    rooms = r"(?:plugins|roles|playbooks|inventory|tests|docs|meta)"
    named = re.findall(rf"`({rooms}/[\w./-]+)`", document.read_text())
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_and_playbooks_that_are_named_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) - targets == set()
    plugins = {
        file.stem for kind in ("modules", "filter", "lookup") for file in (CHECKOUT / "plugins" / kind).glob("*.py")
    }
    known = plugins | {file.stem for file in (CHECKOUT / "playbooks").glob("*.yml")} | {"migration", "mail"}
    assert set(re.findall(r"\batmail\.migration\.([a-z_]+)", text)) - known == set()


def test_the_action_group_holds_every_module() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())
    modules = sorted(file.stem for file in (CHECKOUT / "plugins" / "modules").glob("*.py") if file.stem != "__init__")
    assert runtime["action_groups"]["migration"] == modules


def test_the_clouds_schema_is_described_table_by_table() -> None:
    schema = (CHECKOUT / "tests" / "lab" / "sql" / "cloud.sql").read_text()
    described = set(re.findall(r"`(\w+)`", (CHECKOUT / "docs" / "cloud-schema.md").read_text()))
    tables = dict(re.findall(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", schema, re.MULTILINE | re.DOTALL))
    assert len(tables) > 10
    assert set(tables) - described == set()
    columns = re.findall(r"^  ([a-z]\w*) +[a-z]", tables["accounts"] + tables["tenants"], re.MULTILINE)
    assert set(columns) - described - {"id", "display_name"} == set()


def test_every_kind_of_finding_about_a_certificate_is_described() -> None:
    sources = "".join(file.read_text() for file in (CHECKOUT / "plugins" / "module_utils" / "tls").glob("*.py"))
    kinds = set(re.findall(r'(?:error|warning|info)\(\s*f?"((?:\{prefix\})?[a-z_0-9]+)"', sources))
    kinds |= set(re.findall(r'(?:Finding\("\w+", |return )"([a-z_0-9]+)", f?"', sources))
    described = set(re.findall(r"`(\w+)`", (CHECKOUT / "docs" / "certificates.md").read_text()))
    assert {kind.removeprefix("{prefix}") for kind in kinds} - described == set()
    assert len(kinds) > 35
