# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Certificates put on a real HAProxy, replaced, taken back and taken away while clients are connected."""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import BalancerError
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.apply import Balancer, serve, survey, wanted
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.files import Kept, Place
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.plan import plan_present
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.runtime import Runtime

from tests.integration.edge_lab import EdgeLab, edge_lab
from tests.lab.authorities import new_key, private_pem
from tests.lab.haproxy import SERVICES

MAIL = "mail.acme.example"
SESSIONS, REPLACEMENTS = 1000, 20


@pytest.fixture(scope="module")
def module_lab() -> Iterator[EdgeLab]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limits[1], 4096) if limits[1] > 0 else 4096, limits[1]))
    try:
        with edge_lab() as made:
            yield made
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def lab(module_lab: EdgeLab) -> EdgeLab:
    """HAProxy with nobody's certificate but the cloud's own."""
    edge = module_lab.edge
    if not edge.running() or len(module_lab.files()) > 2 or edge.ask("show ssl cert").count(".pem") > 1:
        edge.stop()
        edge.forget()
        edge.start()
    return module_lab


def is_cloud(lab: EdgeLab, name: str) -> bool:
    return "*.atmailcloud.example" in lab.served(name).subject.rfc4514_string()


def test_check_run_and_run_again(lab: EdgeLab) -> None:
    leaf, bundle = lab.bundle([MAIL])
    before = lab.files()
    checked = lab.run(check=True, content=bundle, names=[MAIL])
    assert checked.changed
    assert lab.files() == before
    assert is_cloud(lab, MAIL)
    run = lab.run_alone(content=bundle, names=[MAIL])
    assert run.changed
    assert {key: run.result[key] for key in ("certificate", "names", "file")} == {
        key: checked.result[key] for key in ("certificate", "names", "file")
    }
    for service in SERVICES:
        assert lab.served(MAIL, service) == leaf.certificate
    assert is_cloud(lab, "imap.globex.example")
    path = lab.edge.certificates / "acme.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert lab.edge.crt_list.stat().st_mode & 0o777 == 0o644
    written = lab.files()
    for check in (False, True):
        assert not lab.run(check=check, content=bundle, names=[MAIL]).changed
    assert lab.files() == written
    lab.edge.stop()
    lab.edge.start()
    assert lab.served(MAIL) == leaf.certificate
    assert not lab.run(content=bundle, names=[MAIL]).changed


def test_a_certificate_is_replaced_taken_back_and_taken_away(lab: EdgeLab) -> None:
    old, first = lab.bundle([MAIL])
    new, second = lab.bundle([MAIL, "imap.acme.example"])
    lab.run(content=first)
    with lab.connect(MAIL) as session:
        session.settimeout(20)
        assert session.recv(1000).startswith(b"* OK")
        replaced = lab.run(content=second)
        assert replaced.changed
        assert replaced.result["diff"]["before"]["certificate"]["serial"] == f"{old.certificate.serial_number:x}"
        assert replaced.result["diff"]["after"]["names"] == [MAIL, "imap.acme.example"]
        for name in (MAIL, "imap.acme.example"):
            assert lab.served(name) == new.certificate
        assert lab.run(check=True, state="rolled_back").changed
        assert lab.served(MAIL) == new.certificate
        assert lab.run(state="rolled_back").changed
        assert lab.served(MAIL) == old.certificate
        assert is_cloud(lab, "imap.acme.example")
        assert not lab.run(state="rolled_back").changed
        assert lab.served(MAIL) == old.certificate
        again = lab.run(content=second)
        assert again.changed
        assert "taken_back_before" in {finding["kind"] for finding in again.result["findings"]}
        assert lab.run(check=True, state="absent").changed
        assert lab.served(MAIL) == new.certificate
        assert lab.run(state="absent").changed
        assert is_cloud(lab, MAIL)
        assert not lab.run(state="absent").changed
        session.sendall(b"a NOOP\r\n")
        assert session.recv(1000).startswith(b"a OK")
    assert sorted(lab.files()) == [".atmail-migration.lock", "cloud.pem", "list"]
    assert "acme" not in lab.edge.ask("show ssl cert").replace(str(lab.edge.folder), "")
    assert lab.run(state="rolled_back").kind == "nothing_to_roll_back"


def test_two_customers_one_name_for_all_and_a_name_for_each_service(lab: EdgeLab) -> None:
    one, first = lab.bundle([MAIL])
    lab.run(content=first, names=[MAIL])
    names = {service: f"{service}.globex.example" for service in SERVICES}
    leaves = {}
    for service, name in names.items():
        leaves[service], bundle = lab.bundle([name])
        assert lab.run(customer="globex", name=f"globex-{service}", content=bundle, names=[name]).changed
    for service in SERVICES:
        assert lab.served(names[service], service) == leaves[service].certificate
        assert lab.served(MAIL, service) == one.certificate
    listed = lab.edge.crt_list.read_text().splitlines()
    assert len(listed) == 8
    assert lab.run(customer="globex", name="globex-dav", state="absent").changed
    assert lab.served(names["imaps"]) == leaves["imaps"].certificate
    assert is_cloud(lab, names["dav"])


def test_a_wildcard_and_a_name_of_its_own_beside_it(lab: EdgeLab) -> None:
    every, first = lab.bundle(["*.acme.example", "acme.example"])
    mail, second = lab.bundle([MAIL])
    lab.run(content=first, name="acme-any")
    lab.run(content=second, name="acme-mail")
    for name in ("acme.example", "imap.acme.example"):
        assert lab.served(name) == every.certificate
    assert lab.served(MAIL) == mail.certificate
    assert is_cloud(lab, "a.b.acme.example")
    assert lab.run(name="acme-mail", state="absent").changed
    assert lab.served(MAIL) == every.certificate


def test_nobody_takes_another_ones_name_or_files(lab: EdgeLab) -> None:
    leaf, bundle = lab.bundle([MAIL])
    lab.run(content=bundle)
    before = lab.files()
    _other, stolen = lab.bundle([MAIL, "www.globex.example", "*.atmailcloud.example"])
    refused = lab.run(customer="globex", content=stolen)
    assert refused.kind == "bundle_unusable"
    taken = [finding["about"] for finding in refused.result["findings"] if finding["kind"] == "name_taken"]
    assert taken == [MAIL, "*.atmailcloud.example"]
    assert lab.run(customer="globex", content=stolen, names=["www.globex.example"], name="acme").kind == "invalid_input"
    for state in ("absent", "rolled_back"):
        assert lab.run(customer="globex", name="acme", state=state).kind == "invalid_input"
    assert lab.run(customer="acme", name="cloud", content=bundle).kind == "invalid_input"
    assert lab.files() == before
    assert lab.served(MAIL) == leaf.certificate


def test_a_bad_bundle_changes_nothing(lab: EdgeLab) -> None:
    leaf, good = lab.bundle([MAIL])
    lab.run(content=good)
    before = lab.files()
    bad = lab.inner.server(["www.acme.example"])
    for check in (True, False):
        refused = lab.run(check=check, content=(bad.pem + private_pem(leaf.key)).decode(), names=[MAIL])
        assert refused.kind == "bundle_unusable"
        kinds = [finding["kind"] for finding in refused.result["findings"] if finding["level"] == "error"]
        assert sorted(kinds) == ["chain_incomplete", "key_mismatch", "name_not_covered"]
        assert refused.result["where"] == {"customer": "acme", "bundle": "acme"}
    assert lab.files() == before
    assert lab.served(MAIL) == leaf.certificate


def test_without_a_balancer_it_is_only_judged(lab: EdgeLab) -> None:
    _leaf, bundle = lab.bundle([MAIL])
    for check in (True, False):
        judged = lab.run(check=check, balancer=None, content=bundle, names=[MAIL])
        assert not judged.changed
        assert judged.result["usable"]
        assert judged.result["root"] == "CN=Trust Root"
    assert len(lab.files()) <= 3


@pytest.mark.parametrize("damage", ["file", "list", "line", "process", "entry", "remains", "transaction"])
def test_whatever_was_half_done_is_completed(lab: EdgeLab, damage: str) -> None:
    leaf, bundle = lab.bundle([MAIL])
    lab.run(content=bundle)
    whole = lab.files()
    path, listed = lab.edge.certificates / "acme.pem", lab.edge.crt_list
    if damage == "file":
        path.unlink()
    elif damage == "list":
        listed.write_text(f"{lab.edge.default}")
    elif damage == "line":
        listed.write_text(f"{listed.read_text()}{path} other.acme.example\n")
    elif damage == "process":
        other, text = lab.bundle([MAIL])
        assert "created" in lab.edge.ask(f"set ssl cert {path} <<\n{text}")
        assert "Success" in lab.edge.ask(f"commit ssl cert {path}")
        assert lab.served(MAIL) == other.certificate
    elif damage == "entry":
        assert "deleted" in lab.edge.ask(f"del ssl crt-list {listed} {path}")
    elif damage == "remains":
        (path.parent / ".acme.pem.x7f3").write_text(bundle)
    else:
        assert "created" in lab.edge.ask(f"set ssl cert {path} <<\n{lab.bundle([MAIL])[1]}")
        path.write_bytes(path.read_bytes().replace(b"-----BEGIN", b"\n-----BEGIN", 1))
    assert lab.run(content=bundle).changed is (damage != "remains")
    now = lab.files()
    now.pop(".acme.pem.previous", None)
    assert now["acme.pem"] == whole["acme.pem"]
    assert now["list"].replace(b"# The first one is for names that no other line has.\n", b"") in whole["list"]
    assert set(now) == set(whole)
    assert lab.served(MAIL) == leaf.certificate
    assert not lab.run(content=bundle).changed


def test_what_is_not_ours_in_the_list_stays_as_it_is(lab: EdgeLab) -> None:
    strange = lab.edge.crt_list.read_bytes() + b"\n  # \xe4\xf6\xfc  \r\n\t\n"
    lab.edge.crt_list.write_bytes(strange + b"# no end of line")
    lab.run(content=lab.bundle([MAIL])[1])
    line = f"{lab.edge.certificates}/acme.pem {MAIL}\n".encode()
    assert lab.edge.crt_list.read_bytes() == strange + b"# no end of line\n" + line
    lab.run(state="absent")
    assert lab.edge.crt_list.read_bytes() == strange + b"# no end of line\n"


def test_somebody_elses_transaction_is_not_touched(lab: EdgeLab) -> None:
    _leaf, bundle = lab.bundle([MAIL])
    _other, others = lab.bundle(["x.example"])
    lab.edge.ask(f"set ssl cert {lab.edge.default} <<\n{others}")
    try:
        before = lab.files()
        assert lab.run(content=bundle).kind == "balancer_busy"
        assert {**lab.files(), ".atmail-migration.lock": b""} == {**before, ".atmail-migration.lock": b""}
        assert f"*{lab.edge.default}" in lab.edge.ask("show ssl cert")
    finally:
        lab.edge.ask(f"abort ssl cert {lab.edge.default}")
    assert lab.run(content=bundle).changed


def test_what_is_wrong_with_the_balancer_is_told_by_its_option(lab: EdgeLab, tmp_path: Path) -> None:
    _leaf, bundle = lab.bundle([MAIL])
    balancer = lab.options()["balancer"]

    def outcome(**changes: object) -> tuple[str | None, str]:
        found = lab.run(content=bundle, balancer={**balancer, **changes})
        return found.kind, str(found.result["msg"])

    assert outcome(socket=str(tmp_path / "none.sock"))[0] == "connection_failed"
    assert outcome(socket="/" + "x" * 110)[0] == "invalid_input"
    assert outcome(crt_list=str(tmp_path / "none.txt"))[0] == "invalid_input"
    assert outcome(directory=str(tmp_path / "none"))[0] == "invalid_input"
    assert outcome(directory="/a b")[0] == "invalid_input"
    (tmp_path / "other.txt").write_text("")
    kind, said = outcome(crt_list=str(tmp_path / "other.txt"))
    assert kind == "balancer_failed"
    assert str(lab.edge.crt_list) in said
    assert lab.run(content=bundle, name="../x").kind == "invalid_input"
    assert lab.run(content=bundle, name=".pem").kind == "invalid_input"
    assert len([name for name in lab.files() if "acme" in name]) == 0


def test_a_bundle_that_haproxy_can_not_take_leaves_the_old_one(lab: EdgeLab) -> None:
    leaf, bundle = lab.bundle([MAIL])
    lab.run(content=bundle)
    before = lab.files()
    many = [f"a-very-long-name-that-needs-some-room-{number}.acme.example" for number in range(200)]
    refused = lab.run(content=lab.bundle([MAIL, *many])[1], names=[MAIL])
    assert refused.kind == "balancer_failed"
    assert "too large" in refused.result["msg"]
    assert lab.files() == before
    assert lab.served(MAIL) == leaf.certificate


def test_what_haproxy_refuses_at_the_end_is_put_back(lab: EdgeLab) -> None:
    """Nothing that was judged comes here; but what is on disk has to be what is served, whatever HAProxy says."""
    leaf, bundle = lab.bundle([MAIL])
    lab.run(content=bundle)
    lab.run(content=lab.bundle([MAIL])[1])
    lab.run(content=bundle)
    before = lab.files()
    balancer = Balancer(lab.edge.certificates, lab.edge.crt_list, Runtime(str(lab.edge.socket)))
    seen = survey(balancer, Place(balancer.directory, "acme"))
    wrong = wanted(Kept("acme", (MAIL,), leaf.pem + private_pem(new_key())))
    with pytest.raises(BalancerError, match="inconsistencies between private key and certificate"):
        serve(balancer, seen, plan_present(seen, wrong), wrong)
    assert lab.files() == before
    assert lab.served(MAIL) == leaf.certificate
    assert "*" not in lab.edge.ask("show ssl cert")


def test_runs_at_the_same_time_wait_for_each_other(lab: EdgeLab) -> None:
    names = [f"mail{number}.acme.example" for number in range(6)]
    made = {name: lab.bundle([name]) for name in names}
    with ThreadPoolExecutor(max_workers=6) as pool:
        outcomes = list(pool.map(lambda name: lab.run_alone(name=name[:5], content=made[name][1]), names))
    assert [outcome.changed for outcome in outcomes] == [True] * 6
    for name, (leaf, _bundle) in made.items():
        assert lab.served(name) == leaf.certificate


def test_a_thousand_sessions_live_on_while_a_certificate_is_replaced_twenty_times(lab: EdgeLab) -> None:
    _leaf, bundle = lab.bundle([MAIL])
    lab.run(content=bundle)
    sessions: list[ssl.SSLSocket] = []
    try:
        for number in range(SESSIONS):
            session = lab.connect(MAIL)
            session.sendall(f"a LOGIN u{number % 50}@acme.example the-same-for-all\r\n".encode())
            sessions.append(session)
        for session in sessions:
            assert _until(session, b"a ").startswith(b"a OK")
        for number in range(REPLACEMENTS):
            leaf, bundle = lab.bundle([MAIL])
            assert lab.run(content=bundle).changed
            assert lab.served(MAIL) == leaf.certificate
            for session in sessions:
                session.sendall(b"n%d NOOP\r\n" % number)
            for session in sessions:
                assert _until(session, b"n%d " % number).startswith(b"n%d OK" % number)
    finally:
        for session in sessions:
            session.close()
    assert len(sessions) == SESSIONS


def _until(session: socket.socket, tag: bytes) -> bytes:
    """The line that begins with the tag, of all that is answered."""
    said = b""
    while not (match := re.search(rb"(?:^|\n)(%b[^\n]*)\n" % re.escape(tag), said)):
        piece = session.recv(4096)
        assert piece, "the connection is gone"
        said += piece
    return match[1]


def test_nothing_of_a_key_is_anywhere_but_in_its_file(
    lab: EdgeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    leaf, _bundle = lab.bundle([MAIL])
    encrypted = private_pem(leaf.key, "a passphrase of theirs")
    content = (encrypted + leaf.pem + lab.inner.pem).decode()
    second, other = lab.bundle([MAIL])
    outputs = [
        lab.run_alone(check=True, content=content, passphrase="a passphrase of theirs"),
        lab.run_alone(content=content, passphrase="a passphrase of theirs"),
        lab.run_alone(content=content, passphrase="a wrong one"),
        lab.run_alone(content=content),
        lab.run_alone(content=other),
        lab.run_alone(content=other, balancer={**lab.options()["balancer"], "socket": "/nowhere"}),
        lab.run_alone(content=other.replace("END PRIVATE", "END PRlVATE")),
        lab.run_alone(state="rolled_back"),
    ]
    secrets = [secret for key in (leaf.key, second.key) for secret in pieces(private_pem(key))]
    secrets += [*pieces(encrypted), b"a passphrase of theirs"]
    told = json.dumps([outcome.result for outcome in outputs]).encode() + b"".join(
        outcome.output.encode() for outcome in outputs
    )
    assert [outcome.code for outcome in outputs] == [0, 0, 1, 1, 0, 1, 1, 0]
    allowed = {lab.edge.certificates / name for name in ("acme.pem", ".acme.pem.undone", ".acme.pem.previous")}
    searched = [path for root in (lab.edge.folder, tmp_path) for path in root.rglob("*") if path.is_file()]
    places = {str(path): path.read_bytes() for path in searched if path not in allowed}
    for secret in secrets:
        assert secret not in told
        assert not [name for name, data in places.items() if secret in data]
    assert any(pieces(private_pem(leaf.key))[1] in path.read_bytes() for path in allowed if path.exists())
    assert not list(tmp_path.rglob("*"))
    for path in allowed:
        if path.exists():
            assert path.stat().st_mode & 0o777 == 0o600
    assert os.environ["TMPDIR"] == str(tmp_path)


def pieces(pem: bytes) -> list[bytes]:
    """Parts of a key's text that are in no other key: its lines but the first, which is the same for all of a kind."""
    return [line for line in pem.split(b"\n")[2:-2] if len(line) > 30]
