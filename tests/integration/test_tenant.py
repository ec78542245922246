# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A subscription is enabled for migration and disabled again, on a real cloud database, as module and as playbook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbook_runs import Operator
from tests.integration.settings_lab import Outcome, SettingsLab
from tests.lab.lab import Lab


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as made:
        yield SettingsLab(made, tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def lab(module_lab: SettingsLab) -> SettingsLab:
    module_lab.clear()
    with module_lab.target_sql() as cursor:
        cursor.execute("UPDATE tenants SET migration_enabled = 0")
    module_lab.region.enable_tenant("globex")
    return module_lab


def tenant(lab: SettingsLab, *, check: bool = False, **changes: Any) -> Outcome:
    wanted = ("customer", "database", "subscription", "region")
    options = {key: value for key, value in lab.applying().items() if key in wanted}
    return lab.run("tenant_migration", {**options, **changes}, check=check)


def enabled(lab: SettingsLab) -> dict[str, int]:
    return dict(lab.target_rows("subscription, migration_enabled", "tenants"))


@pytest.mark.parametrize(("state", "before", "after"), [("enabled", 0, 1), ("disabled", 1, 0)])
def test_check_run_and_run_again(lab: SettingsLab, state: str, before: int, after: int) -> None:
    with lab.target_sql() as cursor:
        cursor.execute("UPDATE tenants SET migration_enabled = %s WHERE subscription = 'acme'", (before,))
    rows = lab.target_rows("*", "tenants")
    checked = tenant(lab, check=True, state=state)
    assert checked.changed
    assert lab.target_rows("*", "tenants") == rows
    run = tenant(lab, state=state)
    assert run.changed
    assert run.result["tenant"] == checked.result["tenant"]
    assert run.result["was_enabled"] is checked.result["was_enabled"] is bool(before)
    assert run.result["diff"]["before"]["migration_enabled"] == bool(before)
    assert run.result["diff"]["after"]["migration_enabled"] == bool(after)
    assert enabled(lab) == {"acme": after, "globex": 1}
    written = lab.target_rows("*", "tenants")
    assert not tenant(lab, state=state).changed
    assert not tenant(lab, state=state, check=True).changed
    assert lab.target_rows("*", "tenants") == written


def test_what_is_not_the_customers_is_refused_by_its_kind(lab: SettingsLab) -> None:
    rows = lab.target_rows("*", "tenants")
    # names that are nearly the same are others
    for name in ("nobody", "Acme", "acme' OR '1'='1"):
        assert tenant(lab, subscription=name).kind == "tenant_unknown"
    for check in (True, False):
        elsewhere = tenant(lab, check=check, region="us")
        assert elsewhere.kind == "tenant_elsewhere"
        assert elsewhere.result["where"] == {"customer": "acme", "subscription": "acme"}
    assert lab.target_rows("*", "tenants") == rows


def test_a_suspended_tenant_can_be_disabled_only(lab: SettingsLab) -> None:
    with lab.target_sql() as cursor:
        cursor.execute("UPDATE tenants SET status = 'suspended', migration_enabled = 1 WHERE subscription = 'acme'")
    assert tenant(lab).kind == "tenant_suspended"
    assert tenant(lab, state="disabled").changed
    assert enabled(lab)["acme"] == 0
    assert tenant(lab, check=True).kind == "tenant_suspended"


def test_nothing_is_applied_before_it_is_enabled_nor_after_it_is_disabled(lab: SettingsLab) -> None:
    lab.site.add_account("ann@acme.example", "Secret-123")
    lab.extract()
    refused = lab.apply()
    assert refused.kind == "tenant_not_enabled"
    assert "atmail.migration.enable" in refused.result["safe_next"]
    assert lab.target_rows() == ()
    tenant(lab)
    assert lab.apply().changed
    tenant(lab, state="disabled")
    assert lab.apply().kind == "tenant_not_enabled"
    assert lab.logs_in("ann@acme.example", "Secret-123")


def test_disabling_waits_for_a_run_that_is_writing(lab: SettingsLab) -> None:
    tenant(lab)
    outcomes = []
    other = threading.Thread(target=lambda: outcomes.append(tenant(lab, state="disabled")))
    with lab.target_sql() as cursor:
        # what settings_apply holds while it writes
        cursor.execute("SELECT migration_enabled FROM tenants WHERE subscription = 'acme' LOCK IN SHARE MODE")
        other.start()
        other.join(2)
        assert other.is_alive()
    other.join(30)
    assert outcomes[0].changed
    assert enabled(lab)["acme"] == 0


def test_a_database_user_with_no_other_rights_is_enough(lab: SettingsLab) -> None:
    with lab.target_sql() as cursor:
        cursor.execute("CREATE OR REPLACE USER tenants@127.0.0.1 IDENTIFIED BY 'only-tenants' REQUIRE SSL")
        cursor.execute("GRANT SELECT, UPDATE (migration_enabled) ON cloud.tenants TO tenants@127.0.0.1")
    own = {**lab.applying()["database"], "user": "tenants", "password": "only-tenants"}
    # overrides of the inventory that name what this user can't see are no mistake
    outcome = tenant(lab, database=own, overrides={"columns": {"accounts": {"quota_bytes": "quota"}}})
    assert outcome.changed
    assert "only-tenants" not in outcome.output
    assert tenant(lab, database=own, overrides={"tables": {"tenant": "tenants"}}).kind == "invalid_input"
    assert tenant(lab, database=own, overrides={"tables": {"tenants": "customers"}}).kind == "missing_table"


def test_the_playbooks_check_run_and_run_again(lab: SettingsLab, tmp_path: Path) -> None:
    operator = Operator(lab.lab, tmp_path)

    def play(playbook: str, *arguments: str) -> tuple[bool, int]:
        run = operator.run(playbook, "--limit", "acme", "--diff", *arguments)
        assert run.code == 0, run.text
        assert ("migration_enabled" in run.output) == (run.recap["acme"]["changed"] > 0)
        return run.recap["acme"]["changed"] > 0, enabled(lab)["acme"]

    assert play("enable", "--check") == (True, 0)
    assert play("enable") == (True, 1)
    assert play("enable") == (False, 1)
    assert play("disable") == (True, 0)
    refused = operator.run("seed", "--limit", "acme", migration_mailboxes=[{"source_user": "ann@acme.example"}])
    assert refused.code == 2
    assert "atmail.migration.enable" in refused.text
    evidence = operator.evidence("acme", "tenant")
    assert evidence["tenant"]["migration_enabled"] is False
    assert enabled(lab)["globex"] == 1
