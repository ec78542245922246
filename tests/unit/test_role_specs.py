# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' argument specs, the modules' options and the sample inventory say the same."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
MAIN_PHASES = ("assess", "extract", "provision", "seed", "prove", "catch_up")
PHASES = (*MAIN_PHASES, "escrow", "reinstate", "white_label", "dkim")
Spec = dict[str, Any]


def role_options(role: str) -> Spec:
    content = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    options = content["argument_specs"]["main"]["options"]
    assert isinstance(options, dict)
    return options


@functools.cache
def documentation() -> Spec:
    """What `ansible-doc` says of all modules; it puts the shared fragments together."""
    modules = [f"atmail.migration.{file.stem}" for file in (CHECKOUT / "plugins" / "modules").glob("[a-z]*.py")]
    program = [sys.executable, "-m", "ansible", "doc", "--json", "--type", "module", *modules]
    content = json.loads(subprocess.run(program, capture_output=True, check=True, text=True).stdout)
    assert isinstance(content, dict)
    return content


def module_options(module: str) -> Spec:
    options = documentation()[f"atmail.migration.{module}"]["doc"]["options"]
    assert isinstance(options, dict)
    return options


def inside(options: Spec, *path: str) -> Spec:
    """The options inside an option, in a role's spec (`options`) or a module's (`suboptions`)."""
    for name in path:
        options = options[name].get("options") or options[name]["suboptions"]
    return options


#: Where the inventory gives a whole structure to an option of a module.
GIVEN = [
    (("migration_source", "imap"), "mailbox_sync", ("source",)),
    (("migration_target", "imap"), "mailbox_sync", ("target",)),
    (("migration_source", "imap"), "source_info", ("imap",)),
    (("migration_source", "ssh"), "settings_snapshot", ("ssh",)),
    (("migration_source", "database"), "settings_snapshot", ("database",)),
    (("migration_source", "overrides"), "settings_snapshot", ("overrides",)),
    (("migration_source", "dump"), "settings_snapshot", ("dump",)),
    (("migration_source", "csv"), "settings_snapshot", ("csv",)),
    (("migration_source", "csv"), "source_info", ("csv",)),
    (("migration_source", "pgp"), "settings_snapshot", ("pgp",)),
    (("migration_target", "ssh"), "settings_apply", ("ssh",)),
    (("migration_target", "database"), "settings_apply", ("database",)),
    (("migration_target", "overrides"), "settings_apply", ("overrides",)),
    (("migration_on_conflicts",), "settings_apply", ("on_conflicts",)),
    (("migration_target", "database"), "tenant_migration", ("database",)),
    (("migration_target", "overrides"), "tenant_migration", ("overrides",)),
    (("migration_pace",), "mailbox_sync", ("pace",)),
    (("migration_target", "dav"), "dav_sync", ("target",)),
    (("migration_target", "dav"), "dav_audit", ("target",)),
    (("migration_source", "dav", "overrides"), "dav_sync", ("source", "overrides")),
    (("migration_collections",), "dav_sync", ("collections",)),
    (("migration_collections",), "dav_audit", ("collections",)),
    (("migration_dav_pace",), "dav_sync", ("pace",)),
    (("migration_dav_pace", "off_peak"), "dav_sync", ("pace", "off_peak")),
    (("migration_mailboxes",), "dav_sync", ("accounts",)),
    (("migration_pace",), "source_info", ("pace",)),
    (("migration_pace", "off_peak"), "mailbox_sync", ("pace", "off_peak")),
    (("migration_folders",), "mailbox_sync", ("folders",)),
    (("migration_mailboxes",), "mailbox_sync", ("mailboxes",)),
    (("migration_mailboxes",), "mailbox_audit", ("mailboxes",)),
    (("migration_source_passwords",), "mailbox_sync", ("source_passwords",)),
    (("migration_target_passwords",), "mailbox_audit", ("target_passwords",)),
    (("migration_owners",), "intake_info", ("owners",)),
    (("migration_certificates",), "intake_info", ("certificates",)),
    (("migration_pgp",), "intake_info", ("pgp",)),
    (("migration_dns", "names"), "dns_readiness_info", ("names",)),
    (("migration_dns", "dmarc"), "dns_readiness_info", ("dmarc",)),
    (("migration_dns", "ttl"), "dns_readiness_info", ("ttl",)),
    (("migration_dns", "updates", "key"), "dns_records", ("key",)),
    (("migration_dns", "authoritative"), "dns_readiness_info", ("authoritative",)),
    (("migration_endpoints", "names"), "endpoint_info", ("names",)),
    (("migration_endpoints", "ports"), "endpoint_info", ("ports",)),
    (("migration_pgp_recipients",), "pgp_encrypt", ("recipients",)),
]


@pytest.mark.parametrize(
    ("place", "module", "option"), GIVEN, ids=lambda value: ".".join(value) if isinstance(value, tuple) else value
)
def test_a_structure_of_the_inventory_is_one_that_the_module_takes(
    place: tuple[str, ...], module: str, option: tuple[str, ...]
) -> None:
    ours, theirs = inside(role_options("migration"), *place), inside(module_options(module), *option)
    assert set(ours) == set(theirs)
    for name, wanted in theirs.items():
        assert ours[name].get("type", "str") == wanted.get("type", "str"), name
        assert ours[name].get("choices") == wanted.get("choices"), name
        # The inventory may be less strict where a role leaves an option out, never stricter.
        assert not ours[name].get("required") or wanted.get("required"), name


@pytest.mark.parametrize("module", ["dav_sync", "dav_audit"])
def test_the_inventory_says_of_calendars_what_is_not_said_of_the_database_already(module: str) -> None:
    ours = inside(role_options("migration"), "migration_source", "dav")
    theirs = inside(module_options(module), "source")
    assert set(theirs) - set(ours) == {"ssh", "database", "dump", "pgp"}
    for name, option in ours.items():
        wanted = theirs[name]
        assert (option["type"], option.get("choices")) == (wanted["type"], wanted.get("choices")), name
        assert name == "overrides" or option.get("default") == wanted.get("default"), name


def test_a_load_balancer_of_the_inventory_is_one_that_the_module_takes_on_a_host() -> None:
    ours = dict(inside(role_options("migration"), "migration_balancers"))
    assert ours.pop("host")["default"] == "localhost"
    theirs = inside(module_options("certificate_bundle"), "balancer")
    assert {name: (option["type"], option.get("default")) for name, option in ours.items()} == {
        name: (option["type"], option.get("default")) for name, option in theirs.items()
    }


def test_the_inventory_gives_an_estimate_what_the_role_does_not_know_by_itself() -> None:
    ours = inside(role_options("migration"), "migration_estimate")
    theirs = inside(module_options("source_info"), "estimate")
    assert set(theirs) - set(ours) == {"earlier", "connections", "target"}
    for name, option in ours.items():
        assert (option["type"], option.get("default")) == (theirs[name]["type"], theirs[name].get("default"))
    assert set(ours["rates"]["options"]) == set(theirs["rates"]["suboptions"])


def test_the_inventory_says_of_endpoints_what_the_role_does_not_know_by_itself() -> None:
    ours = inside(role_options("migration"), "migration_endpoints")
    theirs = inside(module_options("endpoint_info"))
    assert set(theirs) - set(ours) == {"customer", "region", "subscription", "where", "certificates", "domains"}
    for name, option in ours.items():
        assert option["type"] == theirs[name]["type"], name
        assert option.get("choices") == theirs[name].get("choices"), name
        assert name in {"names", "cloud_domain"} or option.get("default") == theirs[name].get("default"), name


@pytest.mark.parametrize(
    ("variable", "module", "option"),
    [
        ("migration_phase", "mailbox_sync", "phase"),
        ("migration_used_target", "mailbox_sync", "used_target"),
        ("migration_fidelity", "mailbox_sync", "fidelity"),
        ("migration_repair", "mailbox_sync", "repair"),
        ("migration_audit_depth", "mailbox_audit", "depth"),
        ("migration_audit_fail_on", "mailbox_audit", "fail_on"),
        ("migration_on_conflict", "settings_apply", "on_conflict"),
        ("migration_escrow_forget", "password_escrow", "forget"),
        ("migration_contact_groups", "dav_sync", "groups"),
        ("migration_scheduling", "dav_sync", "scheduling"),
        ("migration_dav_repair", "dav_sync", "repair"),
        ("migration_certificates_state", "certificate_bundle", "state"),
        ("migration_on_password_conflict", "settings_apply", "on_password_conflict"),
        ("migration_phase", "settings_apply", "phase"),
        ("migration_settings_removals", "settings_apply", "allow_removals"),
        ("migration_settings_removals_below", "settings_apply", "allow_removals_below"),
    ],
)
def test_a_variable_has_the_choices_and_the_default_of_its_option(variable: str, module: str, option: str) -> None:
    ours, theirs = role_options("migration")[variable], module_options(module)[option]
    assert ours.get("choices") == theirs.get("choices")
    assert ours["default"] == theirs["default"]


@pytest.mark.parametrize("role", [*PHASES, "enable"])
def test_a_phase_asks_for_nothing_that_the_role_migration_does_not_know(role: str) -> None:
    known = role_options("migration")
    for name, option in role_options(role).items():
        assert option.get("type") == known[name].get("type")
        if "options" in option:
            assert set(option["options"]) == set(known[name]["options"])


def test_the_intake_check_takes_every_structure_of_the_inventory() -> None:
    """It demands nothing, and must not refuse what another module takes."""
    ours, theirs = role_options("migration"), module_options("intake_info")
    for variable, option in (
        ("migration_source", "source"),
        ("migration_target", "target"),
        ("migration_pace", "pace"),
    ):
        assert set(taken(ours[variable])) - set(taken(theirs[option])) == set()


def taken(option: Spec, place: str = "") -> Iterator[str]:
    """Places and types of all options inside an option; what is any dict to us is left alone."""
    for name, inner in (option.get("options") or option.get("suboptions") or {}).items():
        yield f"{place}{name}: {inner.get('type', 'str')}"
        if name not in ("csv", "dump"):
            yield from taken(inner, f"{place}{name}.")


def test_the_role_intake_takes_what_the_inventory_agrees_about_it() -> None:
    assert role_options("intake")["migration_intake"] == {
        **role_options("migration")["migration_intake"],
        "description": role_options("intake")["migration_intake"]["description"],
    }


@pytest.mark.parametrize("role", PHASES)
def test_migrate_can_check_every_phase_beforehand(role: str) -> None:
    content = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    assert content["argument_specs"]["check"] == content["argument_specs"]["main"]


def names(options: Spec) -> Iterator[str]:
    for name, option in options.items():
        yield name
        yield from names(option.get("options", {}))


def test_the_sample_inventory_shows_every_variable() -> None:
    text = "\n".join(file.read_text() for file in sorted((CHECKOUT / "inventory" / "sample").rglob("*.yml")))
    shown = set(re.findall(r"(\w+):", text))
    internal = {"migration_go_on"}
    assert set(names(role_options("migration"))) - shown - internal == set()


def test_secrets_of_the_inventory_are_never_logged() -> None:
    def check(options: Spec) -> None:
        for name, option in options.items():
            if re.search(r"password$|passphrase$|api_key$|oauth_token$", name):
                assert option.get("no_log") is True, name
            check(option.get("options", {}))

    for role in ("migration", *PHASES):
        check(role_options(role))
