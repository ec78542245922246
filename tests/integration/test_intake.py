# SPDX-License-Identifier: GPL-3.0-or-later
"""The intake check against real servers: each thing that can be missing or wrong, one by one, and all at once."""

from __future__ import annotations

import copy
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.atmail.migration.plugins.module_utils.intake.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.intake.run import intake

from tests.lab.gnupg import LONG_AGO, KeyMaker
from tests.lab.lab import Lab
from tests.lab.ports import claim, release
from tests.lab.state import RegionOptions

from .playbook_runs import Operator

Params = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A customer who has brought everything, and keys."""

    lab: Lab
    folder: Path
    maker: KeyMaker
    good: Params
    keys: Mapping[str, str]

    def public(self, name: str) -> str:
        return str(self.maker.public(self.keys[name], self.folder / f"{name}.asc"))

    def check(self, change: Callable[[Params], object] | None = None) -> dict[str, dict[str, Any]]:
        """The items by name, after a change of the good options."""
        params = copy.deepcopy(self.good)
        if change is not None:
            change(params)
        result = intake(valid(params), datetime.now(UTC))
        text = json.dumps(result)
        for secret in ("master_password", "database"):
            assert str(self.lab.describe()["sites"]["acme"][secret]) not in text
        return {item["item"]: item for item in result["items"]}


def valid(params: Params) -> Params:
    """The options as the module gets them."""
    found = ArgumentSpecValidator(OPTIONS).validate(params)
    assert not found.error_messages
    validated: Params = found.validated_parameters
    return validated


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    options = {"eu": RegionOptions(dav=True)}
    with Lab.temporary(("acme", "globex"), ("eu", "us"), scale="test", region_options=options) as made:
        yield made


@pytest.fixture(scope="module")
def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("intake")
    shown = lab.describe()
    site, region = shown["sites"]["acme"], shown["regions"]["eu"]
    with KeyMaker() as maker:
        keys = {
            "jane": maker.make("Jane <jane@acme.example>"),
            "expired": maker.make("Old <old@acme.example>", expires="1d", when=LONG_AGO),
            "sign_only": maker.make("Signer <signer@acme.example>", encrypts=False),
            "ours": maker.make("Us <us@cloud.example>"),
        }
        maker.public(keys["jane"], folder / "jane.asc")
        good = {
            "customer": "acme",
            "subscription": "acme",
            "region": "eu",
            "domains": ["acme.example"],
            "owners": {
                "customer": {"name": "Jane Doe", "email": "jane@acme.example"},
                "support_engineer": {"name": "Sam Stone", "email": "sam@cloud.example"},
                "deputy": {"name": "Kim Lee", "email": "kim@cloud.example"},
            },
            "ticket": "4711",
            "time_zone": "Europe/Berlin",
            "pace": {"off_peak": {"start": "20:00", "end": "06:00", "timezone": "Europe/Berlin"}},
            "source": {
                "ssh": site["ssh"],
                "database": {key: site["database"][key] for key in ("host", "port", "name", "user", "password")},
                "imap": {**side(shown, site), "pop3_port": site["pop3"]["port"]},
                "dav": {"protocol": "atmail"},
            },
            "target": {
                "database": {
                    **{key: region["database"][key] for key in ("host", "port", "name", "user", "password")},
                    "tls": True,
                    "ca_path": shown["ca"],
                },
                "imap": {
                    **side(shown, region),
                    "doveadm_url": region["doveadm_url"],
                    "doveadm_api_key": region["doveadm_api_key"],
                },
                "dav": dav(shown, region),
            },
            "recipients": [{"fingerprint": keys["jane"], "key_file": str(folder / "jane.asc")}],
            "vault_password": "long enough a password",
            "folders": [str(folder / "state")],
            "timeout": 5.0,
        }
        yield World(lab, folder, maker, good, keys)


def side(lab: Params, shown: Params) -> Params:
    return {
        **shown["imap"],
        "ca_path": lab["ca"],
        "admin_user": shown["master_user"],
        "admin_password": shown["master_password"],
    }


def dav(lab: Params, shown: Params) -> Params:
    return {
        **{name: shown["dav"][name] for name in ("url", "admin_user", "admin_password", "admin_method")},
        "ca_path": lab["ca"],
    }


def test_a_customer_who_has_brought_everything(world: World) -> None:
    items = world.check()
    assert {name: item["reason"] for name, item in items.items() if item["state"] != "ok"} == {
        "target_login": "none of the customer's accounts is there yet",
        "target_dav": "nobody is let in (the server refused user or password (basic authentication)); "
        "the accounts may not be there yet",
    }
    assert not any(item["stops"] for item in items.values())


def put(*path: str | int, value: Any = None) -> Callable[[Params], object]:
    """A change of one option; None takes it away."""

    def change(params: Params) -> None:
        place: Any = params
        for step in path[:-1]:
            place = place[step]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return change


Case = tuple[Callable[[Params], object], str, str, str]
CASES: list[Case] = [
    (put("undefined", value={"migration_source.imap.admin_password": "'x' is undefined"}), "inventory", "missing", "x"),
    (put("subscription"), "subscription", "missing", "migration_subscription is not given"),
    (put("region", value=" "), "region", "missing", "migration_region is not given"),
    (put("domains"), "domains", "missing", "all domains"),
    (put("owners", "customer"), "contact", "missing", "migration_owners.customer.name"),
    (put("owners", "deputy", "email"), "deputy", "missing", "migration_owners.deputy.email"),
    (put("owners", "support_engineer", "email", value="sam"), "support_engineer", "invalid", "'sam' is no email"),
    (put("owners"), "support_engineer", "missing", "migration_owners.support_engineer.name"),
    (put("ticket"), "ticket", "missing", "migration_ticket"),
    (put("time_zone", value="Europe/Acme"), "time_zone", "invalid", "no time zone 'Europe/Acme'"),
    (put("pace", "off_peak", "start", value="late"), "off_peak", "invalid", "no time of day"),
    (put("pace"), "off_peak", "missing", "no off-peak window"),
    (put("vault_password"), "vault_password", "missing", "not given"),
    (put("vault_password", value="short"), "vault_password", "invalid", "less than 12"),
    (put("source", "ssh", "host", value="no-such-host.invalid"), "ssh_reachable", "invalid", "does not resolve"),
    (put("source", "ssh", "user"), "ssh_reachable", "missing", "has no user"),
    (put("source", "ssh", "known_hosts", value="/nowhere/known_hosts"), "ssh_host_key", "missing", "cannot be read"),
    (put("source", "ssh", "known_hosts", value="/dev/null"), "ssh_host_key", "missing", "is not in /dev/null"),
    (put("source", "ssh", "user", value="root"), "ssh_login", "invalid", "refused user root"),
    (put("source", "ssh", "key_file", value="/nowhere/key"), "ssh_login", "invalid", "cannot be read"),
    (put("source", "ssh", "key_file"), "ssh_login", "missing", "no key_file and no password"),
    (put("source", "database", "password", value="wrong-one"), "database_login", "invalid", "refused user migration"),
    (put("source", "database", "name"), "database_login", "missing", "migration_source.database has no name"),
    (put("source", "database"), "database_login", "missing", "no name, no user, no password"),
    (put("source", "profile", value="exchange"), "database_tables", "invalid", "no source profile 'exchange'"),
    (
        put("source", "overrides", value={"tables": {"users": "Nobody"}}),
        "database_tables",
        "invalid",
        "no table Nobody",
    ),
    (put("escrow", value=True), "database_rights", "missing", "UPDATE (`Password`) ON `UserSession`"),
    (put("source", "imap"), "imap_tls", "missing", "migration_source.imap has no host"),
    (put("source", "imap", "ca_path"), "imap_tls", "invalid", "not to be trusted"),
    (put("source", "imap", "validate_certs", value=False), "imap_tls", "invalid", "is not checked"),
    (put("source", "imap", "admin_password", value="wrong-one"), "imap_login", "invalid", "refused the log-in"),
    (put("account", value="nobody@acme.example"), "imap_login", "invalid", "the server"),
    (put("source", "imap", "admin_user"), "imap_login", "missing", "no escrow is planned"),
    (put("source", "imap", "pop3_port", value=1), "pop_login", "invalid", "nothing listens"),
    (put("certificates", value=[{"names": ["mail.acme.example"]}]), "certificate", "missing", "its file is not given"),
    (put("certificates", value=[{"file": "/nowhere.pem"}]), "certificate", "invalid", "cannot be read"),
    (put("recipients"), "pgp_recipient", "missing", "migration_pgp_recipients is empty"),
    (put("recipients", 0, "fingerprint"), "pgp_recipient", "missing", "Jane <jane@acme.example>"),
    (put("recipients", 0, "fingerprint", value="4711"), "pgp_recipient", "invalid", "not the whole fingerprint"),
    (put("recipients", 0, "fingerprint", value="A" * 40), "pgp_recipient", "invalid", "no key with the fingerprint"),
    (put("recipients", 0, "key_file", value="/nowhere.asc"), "pgp_recipient", "invalid", "cannot be read"),
    (put("pgp", value={"keyring": "/nowhere"}), "pgp_key", "invalid", "/nowhere cannot be read"),
    (put("region", value="us"), "tenant", "invalid", "is in region eu, not us"),
    (put("subscription", value="initech"), "tenant", "invalid", "does not know this subscription"),
    (put("target", "database", "password", value="wrong-one"), "target_database", "invalid", "refused user migration"),
    (put("target", "profile", value="exchange"), "target_database", "invalid", "no target profile"),
    (put("target"), "target_database", "missing", "migration_target.database has no name"),
    (put("target"), "target_imap", "missing", "migration_target.imap has no host"),
    (put("target", "imap", "port", value=1), "target_imap", "invalid", "nothing listens"),
    (put("target", "imap", "doveadm_api_key", value="wrong-one"), "target_doveadm", "invalid", "refused the API key"),
    (put("target", "imap", "doveadm_url"), "target_doveadm", "missing", "UIDVALIDITY can't be kept"),
    (put("source", "dav", value={"url": "https://127.0.0.1:1/"}), "calendars", "unchecked", "no account is known"),
    (put("source", "dav", value={"protocol": "files"}), "calendars", "missing", "has no path"),
    (put("source", "dav", value={"protocol": "files", "path": "/nowhere"}), "calendars", "missing", "no folder"),
    (put("target", "dav", "url"), "target_dav", "missing", "migration_target.dav has no url"),
    (put("target", "dav", "url", value="https://127.0.0.1:1/"), "target_dav", "invalid", "nothing listens"),
    (put("target", "dav", "admin_password"), "target_dav", "invalid", "admin_user needs admin_password"),
    (put("target", "dav"), "target_dav", "missing", "would not be copied"),
    (put("folders", value=["/dev/null/state"]), "space", "invalid", "can't be written"),
    (put("folders"), "space", "missing", "no folder"),
    (put("min_free_bytes", value=1 << 60), "space", "invalid", "are wanted"),
]


@pytest.mark.parametrize(("change", "item", "state", "said"), CASES, ids=[f"{case[1]}: {case[3]}" for case in CASES])
def test_what_is_missing_or_wrong_is_said(
    world: World, change: Callable[[Params], object], item: str, state: str, said: str
) -> None:
    items = world.check(change)
    found = items[item]
    assert (found["state"], said in found["reason"]) == (state, True), found
    assert found["next"], found
    assert "wrong-one" not in json.dumps(items)
    others = [one for one in items.values() if one["state"] == "ok"]
    assert len(others) >= 20, "the check goes on"


@pytest.mark.parametrize(("name", "said"), [("expired", "expired on 2020-01-02"), ("sign_only", "for signatures only")])
def test_a_public_key_that_is_no_use(world: World, name: str, said: str) -> None:
    people = [*world.good["recipients"], {"fingerprint": world.keys[name], "key_file": world.public(name)}]
    result = intake(valid({**copy.deepcopy(world.good), "recipients": people}), datetime.now(UTC))
    found = [item for item in result["items"] if item["item"] == "pgp_recipient"]
    assert [item["state"] for item in found] == ["ok", "invalid"]
    assert said in found[1]["reason"]
    assert found[1]["about"].endswith(f"{name}.asc")


def test_a_host_key_that_changed(world: World) -> None:
    before = Path(world.good["source"]["ssh"]["known_hosts"]).read_text()
    other = world.folder / "other_hosts"
    name = before.split()[0]
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"
    other.write_text(f"{name} ssh-ed25519 {key}\n")
    items = world.check(put("source", "ssh", "known_hosts", value=str(other)))
    states = [items[name]["state"] for name in ("ssh_reachable", "ssh_host_key", "ssh_login", "database_login")]
    assert states == ["ok", "invalid", "unchecked", "unchecked"]
    assert items["ssh_host_key"]["owner"] == "support_engineer"


def test_a_server_that_says_nothing_takes_its_time_limit_only(world: World) -> None:
    (port,) = claim(world.folder, 1)
    silent = socket.create_server(("127.0.0.1", port))
    try:
        began = time.monotonic()

        def change(params: Params) -> None:
            params["timeout"] = 1.0
            params["source"]["imap"]["port"] = params["target"]["imap"]["port"] = port

        items = world.check(change)
    finally:
        silent.close()
        release(world.folder)
    assert [items[name]["kind"] for name in ("imap_tls", "target_imap")] == ["timeout", "timeout"]
    assert items["imap_login"]["state"] == "unchecked"
    assert time.monotonic() - began < 30


def test_rights_for_the_escrow_and_rights_that_are_too_many(world: World) -> None:
    database = world.lab.site("acme").database
    user = "`migration`@`127.0.0.1`"

    def run(sql: str) -> None:
        with database.session() as cursor:
            cursor.execute(sql)

    run(f"GRANT UPDATE (`Password`), DELETE ON `atmail`.`UserSession` TO {user}")
    try:
        items = world.check(put("escrow", value=True))
        assert items["database_rights"]["state"] == "ok"
        assert items["database_least_rights"]["state"] == "missing"
        assert "DELETE ON atmail.UserSession" in items["database_least_rights"]["reason"]
        assert "UPDATE" not in items["database_least_rights"]["reason"]
        assert not items["database_least_rights"]["stops"]
    finally:
        run(f"REVOKE UPDATE (`Password`), DELETE ON `atmail`.`UserSession` FROM {user}")
    run(f"REVOKE SELECT ON `atmail`.* FROM {user}")
    run(f"GRANT SELECT (`Account`) ON `atmail`.`Users` TO {user}")
    try:
        items = world.check()
        assert items["database_login"]["state"] == "ok", items["database_login"]
        assert items["database_tables"]["state"] == "invalid"
    finally:
        run(f"REVOKE SELECT (`Account`) ON `atmail`.`Users` FROM {user}")
        run(f"GRANT SELECT ON `atmail`.* TO {user}")


def test_a_tenant_that_is_not_enabled(world: World) -> None:
    with world.lab.region("eu").database.session() as cursor:
        cursor.execute("UPDATE tenants SET migration_enabled = 0 WHERE subscription = 'acme'")
    try:
        found = world.check()["tenant"]
        assert (found["state"], found["owner"], found["kind"]) == ("invalid", "us", "tenant_not_enabled")
    finally:
        with world.lab.region("eu").database.session() as cursor:
            cursor.execute("UPDATE tenants SET migration_enabled = 1 WHERE subscription = 'acme'")


def test_a_list_of_passwords_is_a_way_into_mailboxes(world: World) -> None:
    account = next(one for one in world.lab.describe()["sites"]["acme"]["accounts"] if one["enabled"])
    one = {"source_user": account["address"], "source_password": account["password"]}

    def change(params: Params, password: str) -> None:
        del params["source"]["imap"]["admin_user"], params["source"]["database"]
        params["mailboxes"] = [{**one, "source_password": password}]

    items = world.check(lambda params: change(params, account["password"]))
    assert [items[name]["state"] for name in ("imap_login", "pop_login", "database_login")] == ["ok", "ok", "ok"]
    assert "with their own passwords" in items["imap_login"]["reason"]
    assert world.check(lambda params: change(params, "wrong-one"))["imap_login"]["state"] == "invalid"


def test_files_instead_of_a_database_may_be_encrypted(world: World) -> None:
    file = world.folder / "accounts.csv.asc"
    file.write_bytes(world.maker.encrypt(b"address;password\n", world.keys["ours"]))
    secret = world.maker.secret(world.keys["ours"], world.folder / "ours.key")

    def change(params: Params) -> None:
        del params["source"]["database"]
        params["source"]["csv"] = {"accounts": str(file)}

    assert "no key to open it" in world.check(change)["source_files"]["reason"]

    def with_key(params: Params) -> None:
        change(params)
        params["pgp"] = {"key_files": [str(secret)]}

    items = world.check(with_key)
    assert [items[name]["state"] for name in ("source_files", "pgp_key", "database_login")] == ["ok", "ok", "ok"]


# -- as playbooks


@pytest.fixture(scope="module")
def operator(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(lab, tmp_path_factory.mktemp("operator"))


def test_all_that_is_missing_is_said_at_once_and_nothing_else_begins(operator: Operator) -> None:
    """A customer whose vault lacks a password, without a ticket and a key; the other customer goes on."""
    file = operator.inventory / "host_vars" / "acme" / "zz.yml"
    wrong = {
        "vault_source_admin_password": "{{ vault_nobody_has_set_this }}",
        "migration_ticket": "",
        "migration_owners": {"customer": {"name": "{{ 7 * 7 }} <b>Ann</b> | x", "email": "ann@acme.example"}},
        "migration_pgp_recipients": [],
        "migration_intake": {"due": "2026-01-31"},
    }
    file.write_text(yaml.safe_dump(wrong).replace("'{{ 7 * 7", "!unsafe '{{ 7 * 7"))
    try:
        run = operator.run("intake")
    finally:
        file.unlink()
    assert run.code == 2, run.text
    assert {name: counts["failed"] for name, counts in run.recap.items()} == {"acme": 1, "globex": 0}
    evidence = operator.evidence("acme", "intake")
    items = {item["item"]: item for item in evidence["items"]}
    stopping = [name for name, item in items.items() if item["stops"]]
    assert stopping == ["inventory", "support_engineer", "deputy", "ticket", "imap_login", "pgp_recipient"]
    assert (
        "migration_source.imap.admin_password: 'vault_nobody_has_set_this' is undefined" in items["inventory"]["reason"]
    )
    assert (items["pgp_recipient"]["person"], items["pgp_recipient"]["overdue"]) == ("{{ 7 * 7 }} <b>Ann</b> | x", True)
    owners = "2 of the customer, 1 of the support engineer, 3 of the cloud operator"
    assert f"6 items are open ({owners}): {', '.join(stopping)}" in run.text
    pages = operator.state / "acme" / "evidence"
    assert "&lt;b&gt;Ann&lt;/b&gt;" in (pages / "intake.html").read_text()
    assert r"\<b\>Ann\</b\> \| x" in (pages / "intake.md").read_text()
    assert [file.name for file in pages.iterdir() if file.stat().st_mode & 0o077] == []
    assert operator.files_with_secrets() == []


def test_it_can_only_report_and_writes_nothing_in_check_mode(operator: Operator, tmp_path: Path) -> None:
    options = {"migration_ticket": "", "migration_intake": {"stop": False}, "migration_state_dir": str(tmp_path / "s")}
    run = operator.run("intake", "--check", "--diff", "--limit", "acme", **options)
    assert run.code == 0, run.text
    assert run.recap["acme"]["changed"] <= 1, "the customer's directory would be made"
    assert "acme: the migration can't start yet, 1 item is open (1 of the support engineer)" in run.output
    assert not (tmp_path / "s").exists()


def test_migrate_does_not_begin_with_a_customer_who_lacks_something(operator: Operator) -> None:
    before = operator.target_state("eu")
    run = operator.run("migrate", "--limit", "acme", migration_ticket="")
    assert run.code == 2, run.text
    assert "acme: the migration can't start yet, 1 item is open" in run.text
    assert "PLAY [Look at the customers' sources]" not in run.output
    assert operator.target_state("eu") == before
