# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks as an operator runs them: two customers, real servers, the demo's inventory."""

from __future__ import annotations

import contextlib
import imaplib
import json
import os
import pty
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.lab import Lab

from .playbook_runs import Operator, processes_with, ssh_server, wait_until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.temporary(("acme", "globex"), ("eu", "us"), scale="test") as made:
        yield made


@pytest.fixture
def operator(lab: Lab, tmp_path: Path) -> Operator:
    return Operator(lab, tmp_path)


@pytest.fixture(scope="module")
def migrated(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """An operator whose two customers have been migrated."""
    operator = Operator(lab, tmp_path_factory.mktemp("migrated"))
    run = operator.run("migrate")
    assert run.code == 0, run.text
    return operator


GOOD_IMAP = {"host": "127.0.0.1"}
GOOD_DATABASE = {"name": "n", "user": "u", "password": "p"}
WRONG_INVENTORIES = [
    (
        "migrate",
        {"migration_source": {}},
        "one of the following is required: database, dump, csv found in migration_source",
    ),
    (
        "extract",
        {"migration_source": {"database": GOOD_DATABASE, "dump": {"path": "atmail.sql"}}},
        "parameters are mutually exclusive: database|dump|csv found in migration_source",
    ),
    ("migrate", {"migration_phase": "backwards"}, "value of migration_phase must be one of: mirror, catch_up"),
    ("migrate", {"migration_pace": {"conections": 4}}, "migration_pace.conections"),
    (
        "migrate",
        {"migration_target": {"imap": GOOD_IMAP}},
        "missing required arguments: database found in migration_target",
    ),
    (
        "seed",
        {"migration_source": {"imap": {**GOOD_IMAP, "prot": 993}}},
        "migration_source.imap.prot",
    ),
    (
        "seed",
        {"migration_target": {"imap": {**GOOD_IMAP, "admin_user": "m"}}},
        "parameters are required together: admin_user, admin_password found in migration_target -> imap",
    ),
    (
        "assess",
        {"migration_source": {"database": {"name": "n"}}},
        "missing required arguments: password, user found in migration_source -> database",
    ),
    (
        "extract",
        {"migration_source": {"database": GOOD_DATABASE, "ssh": {"host": "h", "user": "u", "port": "ssh"}}},
        "migration_source",
    ),
    (
        "prove",
        {"migration_audit_depth": "deepest"},
        "value of migration_audit_depth must be one of: counts, headers, full",
    ),
    ("provision", {"migration_on_conflict": "shout"}, "value of migration_on_conflict must be one of"),
]


@pytest.mark.parametrize(("playbook", "variables", "said"), WRONG_INVENTORIES)
def test_a_wrong_inventory_fails_by_option_name_before_anything_is_done(
    operator: Operator, playbook: str, variables: dict[str, Any], said: str
) -> None:
    run = operator.run(playbook, "--limit", "acme", **variables)
    assert run.code == 2, run.text
    assert said in run.text
    assert run.recap["acme"]["failed"] == 1
    assert run.recap["acme"]["changed"] <= 1, "only the customer's directory may have been made"
    assert not list(operator.state.rglob("*.*"))


@pytest.mark.parametrize("name", ["migration_vault_password", "migration_target", "migration_source"])
def test_a_variable_that_is_not_there_is_named(operator: Operator, name: str) -> None:
    file = operator.inventory / "group_vars" / "customers.yml"
    variables = yaml.safe_load(file.read_text())
    del variables[name]
    file.write_text(yaml.safe_dump(variables))
    run = operator.run("migrate", "--limit", "acme")
    assert run.code == 2, run.text
    assert f"missing required arguments: {name}" in run.text
    assert run.output.count("\nPLAY [") == 1, "it fails in the first play"


def test_check_mode_of_a_customer_that_has_not_started_writes_nothing(operator: Operator) -> None:
    before = operator.target_state("us")
    run = operator.run("migrate", "--check", "--diff", "--limit", "globex")
    assert run.code == 0, run.text
    assert run.recap["globex"]["failed"] == 0
    assert "ann@globex.example" in run.output, "the plan names the accounts"
    assert "planned, nothing was changed" in run.output
    assert operator.target_state("us") == before
    assert not operator.state.exists()


def test_seed_without_a_snapshot_says_what_to_do_first(operator: Operator) -> None:
    run = operator.run("seed", "--limit", "acme")
    assert run.code == 2, run.text
    assert "Run atmail.migration.extract first" in run.text


def test_customers_arrive_identical_and_log_in_with_their_original_passwords(migrated: Operator) -> None:
    for customer, site in migrated.lab["sites"].items():
        proof = migrated.evidence(customer, "proof")
        assert proof["identical"] is True
        assert len(proof["mailboxes"]) == len(site["accounts"])
        cloud = migrated.lab["regions"][site["region"]]
        context = ssl.create_default_context(cafile=cloud["ca"])
        for account in site["accounts"]:
            with imaplib.IMAP4_SSL("127.0.0.1", cloud["imap"]["port"], ssl_context=context) as session:
                if account["enabled"]:
                    user, password = account["address"], account["password"]
                    assert session.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())[0] == "OK"  # noqa: B023


def test_the_cut_over_can_depend_on_what_clients_would_download(migrated: Operator) -> None:
    """A gate that the proof has not shown to be open stays closed; with POP3 ports on both sides it is open."""
    gates = {"migration_audit_fail_on": ["imap_downloads", "pop_downloads"]}
    run = migrated.run("prove", "--limit", "acme", **gates)
    assert run.code == 2, run.text
    assert "acme: not passed: pop_downloads" in run.text
    variables = migrated.inventory / "group_vars" / "customers.yml"
    before = variables.read_text()
    known = yaml.safe_load(before)
    for name, side in (("source", migrated.lab["sites"]["acme"]), ("target", migrated.lab["regions"]["eu"])):
        known[f"migration_{name}"]["imap"]["pop3_port"] = side["pop3"]["port"]
    variables.write_text(yaml.safe_dump(known))
    try:
        run = migrated.run("prove", "--limit", "acme", **gates)
    finally:
        variables.write_text(before)
    assert run.code == 0, run.text
    assert "nothing stands against the cut-over (imap_downloads, pop_downloads)" in run.output
    assert migrated.evidence("acme", "proof")["downloads"] == []


def test_no_secret_is_left_in_clear_text(migrated: Operator) -> None:
    assert migrated.files_with_secrets() == []
    assert list(migrated.temporary.iterdir()) == []


def test_every_record_and_snapshot_is_private(migrated: Operator) -> None:
    files = [file for file in migrated.state.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if file.stat().st_mode & 0o077] == []


def test_one_customers_failure_does_not_stop_another(migrated: Operator) -> None:
    broken = migrated.inventory / "host_vars" / "acme" / "wrong.yml"
    broken.write_text(yaml.safe_dump({"vault_source_database_password": "wrong"}))
    try:
        run = migrated.run("migrate")
    finally:
        broken.unlink()
    assert run.code == 2, run.text
    assert run.recap["acme"]["failed"] == 1
    assert "acme: the migration can't start yet, 4 items are open" in run.text
    items = {item["item"]: item["kind"] for item in migrated.evidence("acme", "intake")["items"] if item["stops"]}
    assert (len(items), items["database_login"]) == (4, "auth_failed")
    assert run.recap["globex"]["failed"] == 0
    assert "globex: all accounts and mailboxes are on the target, and proved" in run.output


MAILBOXES = ["ann@acme.example", "nobody{{ 7 * 7 }}@acme.example", "bob@acme.example"]


@pytest.fixture
def hostile_inventory(migrated: Operator) -> Iterator[None]:
    """A mailbox whose name is a template; the inventory says that it is none."""
    file = migrated.inventory / "host_vars" / "acme" / "mailboxes.yml"
    file.write_text("migration_mailboxes:\n" + "".join(f"  - source_user: !unsafe '{name}'\n" for name in MAILBOXES))
    yield
    file.unlink()


@pytest.mark.usefixtures("hostile_inventory")
def test_one_bad_mailbox_stops_no_other_and_names_are_never_templates(migrated: Operator) -> None:
    run = migrated.run("seed", "--limit", "acme")
    assert run.code == 2, run.text
    assert "acme: 1 of 3 mailboxes failed (nobody{{ 7 * 7 }}@acme.example" in run.text
    result = {box["source_user"]: box for box in migrated.evidence("acme", "seed")["mailboxes"]}
    assert list(result) == MAILBOXES
    assert [bool(box["failures"]) for box in result.values()] == [False, True, False]
    assert all(failure["kind"] and failure["safe_next"] for failure in result[MAILBOXES[1]]["failures"])


def test_the_assessment_is_a_page_that_stays_the_same(migrated: Operator) -> None:
    folder = migrated.state / "acme" / "evidence"
    pages = [folder / "assessment.md", folder / "assessment.html"]
    seen = []
    for _run in range(2):
        run = migrated.run("assess", "--limit", "acme")
        assert (run.code, run.recap["acme"]["changed"]) == (0, 0), run.text
        seen.append([page.read_bytes() for page in pages])
    assert seen[0] == seen[1]
    found = migrated.evidence("acme", "assessment")
    text = seen[0][0].decode()
    assert f"{found['counts']['messages']:,} messages" in text
    assert "| plug-ins | not visible from here: ask |" in text
    assert "ann&#64;acme.example" in text
    assert found["estimate"]["first_copy"]["around_the_clock"]["likely"] > 0
    assert b"ann@acme.example" in seen[0][1]
    assert all(page.stat().st_mode & 0o777 == 0o600 for page in pages)
    for page in pages:
        page.unlink()
    assert migrated.run("assess", "--limit", "acme", "--check").code == 0
    assert not any(page.exists() for page in pages)


# -- progress

SLOW = {"migration_pace": {"connections": 2, "messages_per_second": 40}, "migration_progress_seconds": 0.2}


@pytest.fixture
def fresh_mail(lab: Lab) -> None:
    """Mail that has arrived since the last run: a hundred messages for Ann."""
    folder = lab.site("acme").maildir("ann@acme.example")
    new = folder / "new"
    number = time.time_ns()
    for index in range(100):
        message = new / f"{number // 10**9}.M{number % 10**9 + index}P1.here"
        message.write_bytes(f"From: bob@acme.example\r\nSubject: {index}\r\n\r\nHello {number}\r\n".encode())
        os.chown(message, folder.stat().st_uid, folder.stat().st_gid)


@pytest.mark.usefixtures("fresh_mail")
def test_progress_is_printed_line_by_line_and_a_table_ends_it(migrated: Operator) -> None:
    run = migrated.run("seed", "--limit", "acme", **SLOW)
    assert run.code == 0, run.text
    lines = [line for line in run.errors.splitlines() if line.startswith("acme: ")]
    assert len(lines) >= 2, run.text
    assert all("mailboxes, " in line and "messages/s" in line and "B/s" in line for line in lines)
    assert "\x1b" not in run.text
    assert "ann@acme.example" in run.output
    assert list(migrated.temporary.iterdir()) == []


@pytest.mark.usefixtures("fresh_mail")
def test_progress_is_updated_in_place_on_a_terminal(migrated: Operator) -> None:
    main, terminal = pty.openpty()
    playbook = subprocess.Popen(
        migrated.command("seed", "--limit", "acme", **SLOW),
        cwd=migrated.folder,
        env={**migrated.environment(), "TERM": "xterm"},
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    # A terminal whose last program has ended gives an input/output error (EIO).
    with contextlib.suppress(OSError):
        while chunk := os.read(main, 65536):
            seen += chunk
    os.close(main)
    assert playbook.wait(60) == 0, seen
    assert seen.count(b"\r\x1b[Kacme: ") >= 2, seen


@pytest.mark.usefixtures("fresh_mail")
def test_progress_comes_from_a_worker_too_and_nothing_is_left_there(migrated: Operator, tmp_path: Path) -> None:
    with ssh_server(tmp_path / "sshd") as variables:
        file = migrated.inventory / "workers.yml"
        file.write_text(yaml.safe_dump({"sync_workers": {"hosts": {"worker1": variables}}}))
        try:
            ledger = str(tmp_path / "ledger" / "acme.sqlite3")
            options = {**SLOW, "migration_ledger": ledger, "ansible_remote_tmp": variables["ansible_remote_tmp"]}
            run = migrated.run("seed", "--limit", "acme", **options)
        finally:
            file.unlink()
        assert run.code == 0, run.text
        assert "acme -> worker1(127.0.0.1)" in run.output
        assert len([line for line in run.errors.splitlines() if line.startswith("acme: ")]) >= 2, run.text
        assert list((tmp_path / "sshd" / "tmp").iterdir()) == []


@pytest.mark.usefixtures("fresh_mail")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process_and_no_file_behind(migrated: Operator, how: signal.Signals) -> None:
    slow = {**SLOW, "migration_pace": {"messages_per_second": 5}}
    command = migrated.command("seed", "--limit", "acme", **slow)
    playbook = subprocess.Popen(
        command,
        cwd=migrated.folder,
        env=migrated.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert playbook.stderr
    assert any(line.startswith("acme: ") for line in playbook.stderr), "no progress was seen"
    module = f"{migrated.temporary}/ansible-tmp-"
    assert processes_with(module)
    playbook.send_signal(how)
    playbook.wait(30)
    wait_until(lambda: not processes_with(module), 20)
    wait_until(lambda: list(migrated.temporary.iterdir()) == [], 20)
    done = migrated.run("seed", "--limit", "acme")
    assert done.code == 0, done.text


@pytest.mark.usefixtures("fresh_mail")
def test_a_module_that_is_killed_gives_one_clear_error(migrated: Operator) -> None:
    slow = {**SLOW, "migration_pace": {"messages_per_second": 5}}
    playbook = subprocess.Popen(
        migrated.command("seed", "--limit", "acme", **slow),
        cwd=migrated.folder,
        env=migrated.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert playbook.stderr
    assert any(line.startswith("acme: ") for line in playbook.stderr), "no progress was seen"
    progress = next(migrated.temporary.glob("atmail-migration-*/progress"))
    os.kill(json.loads(progress.read_text())["pid"], signal.SIGKILL)
    output = playbook.communicate(timeout=60)[0]
    assert playbook.returncode == 2
    assert '"kind": "module_ended"' in output
    assert "Traceback" not in output
    wait_until(lambda: list(migrated.temporary.iterdir()) == [], 20)
    done = migrated.run("seed", "--limit", "acme")
    assert done.code == 0, done.text


# -- after the cut-over: the last test here, for from now on this customer is mirrored no more


@pytest.mark.usefixtures("fresh_mail")
def test_catch_up_moves_a_customer_on_for_good(migrated: Operator) -> None:
    for copied in (100, 0):
        run = migrated.run("catch_up", "--limit", "acme")
        assert (run.code, run.recap["acme"]["changed"]) == (0, bool(copied)), run.text
        evidence = migrated.evidence("acme", "catch_up")
        assert (evidence["phase"]["after"], evidence["summary"]["messages_copied"]) == ("catch_up", copied)
    refused = migrated.run("seed", "--limit", "acme")
    assert refused.code == 2, refused.text
    assert "a phase never goes back" in refused.text
    closed = migrated.run("catch_up", "--limit", "acme", migration_phase="closed")
    assert closed.code == 0, closed.text
    assert migrated.evidence("acme", "catch_up")["phase"] == {"before": "catch_up", "after": "closed"}
