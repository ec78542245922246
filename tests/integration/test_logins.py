# SPDX-License-Identifier: GPL-3.0-or-later
"""Log-ins at real Dovecots: every way with every password, tokens, certificates, old TLS, compression."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import AuthError, InputError, TlsError
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import imap_server
from ansible_collections.atmail.migration.plugins.module_utils.settings.sizes import MailboxSize, measure
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account
from ansible_collections.atmail.migration.plugins.module_utils.transport.login import LogIn, log_in

from tests.faults.tampering import tampering
from tests.lab import mailgen
from tests.lab.oauth import Tokens, serving_tokens
from tests.lab.state import RegionOptions, SiteOptions

from .checks import wire
from .checks.module import Result
from .checks.world import Pair, World, plain

NOBODY: dict[str, Any] = {"admin_user": None, "admin_password": None}
#: What breaks other tools (imapsync's ll_justlogin_* and ksks_password_doublequote), and what quoting can't express.
PASSWORDS = (
    "with space",
    " before and after ",
    'dou"ble"',
    "back\\slash\\",
    "$HOME",
    "%s%u%%",
    "a&b",
    "(par)",
    "a=b",
    "st*ar",
    "back`tick`",
    "apo'strophe",
    "{12}",
    "{3+}",
    "NIL",
    "\x7f and \x1f",  # Dovecot takes no tab, line end or ^A in a password
    "é",
    "漢字",
    "🔑",
    "all \" \\ $ % & ( ) = * ` ' { } é 漢",
    "x" * 200,
    "é漢 " * 66,
)


@dataclass
class Door:
    """An account with a password of its own, and the server that it is on."""

    world: World
    side: str
    user: str
    password: str

    def enter(self, **options: Any) -> LogIn:
        """Log in and leave."""
        given = {
            name: value for name, value in (self.world.side(self.side) | NOBODY | options).items() if value is not None
        }
        made = log_in(Server.from_options(self.side, given), Account(self.user, self.password))
        reply = made.run(b"STATUS INBOX (MESSAGES)")
        assert reply.ok
        made.wire.close()
        return made


def door(world: World, password: str, side: str = "target") -> Door:
    """A fresh account."""
    pair = world.pair()
    if side == "target":
        world.region.add_account(pair.address, password)
    else:
        world.site.add_account(pair.address, password)
    return Door(world, side, pair.address, password)


def methods(log: Path, user: str, count: int = 1) -> list[str]:
    """The SASL methods of a user's log-ins so far, as Dovecot names them; LOGIN the command is PLAIN to it.

    `count` are waited for: the log is written while we go on.
    """
    pattern = re.compile(rf"Login: user=<{re.escape(user)}>, method=(\w+)")
    end = time.monotonic() + (5 if count else 0.3)
    while True:
        found = pattern.findall(log.read_text(errors="replace"))
        if (count and len(found) >= count) or time.monotonic() > end:
            return found
        time.sleep(0.05)


def failed(log: Path, user: str) -> list[str]:
    """What Dovecot says about a user's refused log-ins, when the connection has ended."""
    end = time.monotonic() + 5
    while True:
        lines = [line for line in log.read_text(errors="replace").splitlines() if user in line]
        if any("auth failed" in line for line in lines) or time.monotonic() > end:
            return lines
        time.sleep(0.05)


# passwords


@pytest.fixture(scope="module")
def doors(world: World) -> list[Door]:
    """An account for each password."""
    return [door(world, password) for password in PASSWORDS]


@pytest.mark.case(102)
@pytest.mark.parametrize("auth", ["login", "plain", "auto"])
@pytest.mark.parametrize("number", range(len(PASSWORDS)))
def test_any_password_by_every_way(doors: list[Door], number: int, auth: str) -> None:
    """The command LOGIN (quoted, or with literals) and SASL PLAIN."""
    assert b"COMPRESS=DEFLATE" in doors[number].enter(auth=auth).capabilities


@pytest.mark.case(102)
def test_any_password_in_clear_text_and_after_starttls(world: World, doors: list[Door]) -> None:
    described = world.lab.describe()["regions"]["eu"]
    one = doors[-3]
    one.enter(security="plain", port=described["imap_plain_port"], allow_plaintext=True)
    one.enter(security="starttls", port=described["imap_plain_port"])


@pytest.mark.case(85, 102)
def test_sasl_login_where_nothing_else_is_there(world: World, doors: list[Door]) -> None:
    with world.changed(region=RegionOptions(rawlog=True, extra="auth_mechanisms = login\n")):
        for one in doors:
            before = len(methods(world.region.dovecot.log, one.user, 0))
            one.enter()
            if not one.password.isascii():
                assert methods(world.region.dovecot.log, one.user, before + 1)[-1] == "LOGIN"
        with pytest.raises(AuthError, match="it offers AUTH=LOGIN"):
            doors[0].enter(auth="plain")


@pytest.mark.case(102)
@pytest.mark.parametrize(
    ("auth", "method"),
    [
        ("auto", "separator"),
        ("login", "separator"),
        ("plain", "separator"),
        ("auto", "sasl_plain"),
        ("plain", "sasl_plain"),
    ],
)
@pytest.mark.parametrize("side", ["source", "target"])
def test_an_admin_user_by_every_way(world: World, side: str, auth: str, method: str) -> None:
    """`user*master`, and SASL PLAIN with an authorization identity."""
    pair = world.pair()
    server = Server.from_options(side, world.side(side) | {"auth": auth, "admin_method": method})
    made = log_in(server, Account(pair.address))
    assert made.run(b"NOOP").ok
    made.wire.close()
    log = (world.site if side == "source" else world.region).dovecot.log
    assert len(methods(log, pair.address)) == 1


@pytest.mark.case(102)
@pytest.mark.parametrize("auth", ["login", "plain", "auto"])
@pytest.mark.parametrize("password", ["wrong", "wröng"])
def test_a_wrong_password_is_tried_once(world: World, auth: str, password: str) -> None:
    one = door(world, "right")
    one.password = password
    with pytest.raises(AuthError) as caught:
        one.enter(auth=auth)
    assert password not in str(caught.value)
    mine = failed(world.region.dovecot.log, one.user)
    assert sum("password mismatch" in line.lower() for line in mine) == 1
    assert sum("auth failed, 1 attempts" in line for line in mine) == 1


# tokens


@pytest.fixture(scope="module")
def tokens(world: World) -> Iterator[Tokens]:
    """The source takes tokens."""
    with serving_tokens() as serving:
        extra = serving.configuration(world.site.folder)
        with world.changed(site=SiteOptions(extra=extra)):
            yield serving


@pytest.fixture
def three(world: World) -> list[Pair]:
    """Three mailboxes with some mail each."""
    pairs = [world.pair() for _number in range(3)]
    for pair in pairs:
        with pair.at_source() as source:
            source.append_many("INBOX", [plain(number) for number in range(5)])
    return pairs


def run_by_token(three: list[Pair], auth: str, **options: Any) -> Result:
    """Copy the three mailboxes one after the other."""
    first, *others = three
    return first.sync(others=others, source=NOBODY | {"auth": auth} | options, pace={"connections": 1})


@pytest.mark.case(102)
@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_a_token_of_each_mailbox(three: list[Pair], tokens: Tokens, auth: str) -> None:
    entries = []
    for number, pair in enumerate(three):
        token = f"{auth}-{number}-" + "t" * (2500 if number else 5)
        tokens.users[token] = pair.address
        entries.append({"source_user": pair.address, "source_password": token})
    result = three[0].done(source=NOBODY | {"auth": auth}, mailboxes=entries)
    assert result.summary["messages_copied"] == 15
    log = three[0].world.site.dovecot.log
    assert all(methods(log, pair.address)[-1] == auth.upper() for pair in three)
    for pair, entry in zip(three, entries, strict=True):
        assert entry["source_password"] not in result.text
        pair.faithful()


@pytest.mark.case(102)
def test_a_token_that_expires_in_the_middle_of_a_run_is_fetched_anew(
    three: list[Pair], tokens: Tokens, tmp_path: Path
) -> None:
    """The command prints a token of its user; each is good for one log-in, and the file is older than that."""
    file = tmp_path / "tokens"
    program = (
        "import pathlib, sys; file = pathlib.Path(sys.argv[1] + '-' + sys.argv[2]);"
        "number = int(file.read_text()) + 1 if file.exists() else 1; file.write_text(str(number));"
        "print(sys.argv[2].split('@')[0] + '-' + str(number))"
    )
    for pair in three:
        name = pair.address.split("@")[0]
        tokens.users |= {f"{name}-1": pair.address, f"{name}-2": pair.address}
        tokens.uses[f"{name}-1"] = 0 if pair is three[1] else 1
    command = [sys.executable, "-c", program, str(file), "{user}"]
    result = run_by_token(three, "xoauth2", oauth_token_command=command)
    assert not result.failed, result.text[:2000]
    asked = [token for token in tokens.asked if token.startswith(three[1].address.split("@")[0] + "-")]
    assert [token[-2:] for token in asked] == ["-1", "-2"], "the expired one once, then a fresh one"
    for pair in three:
        pair.faithful()


@pytest.mark.case(102)
@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_an_expired_token_is_one_clear_error(three: list[Pair], tokens: Tokens, auth: str) -> None:
    """It is tried once for its mailbox; the others are copied."""
    entries = []
    for number, pair in enumerate(three):
        token = f"expiring-{auth}-{number}"
        tokens.users[token] = pair.address
        entries.append({"source_user": pair.address, "source_password": token})
    expired = entries[1]["source_password"]
    tokens.uses[expired] = 0
    result = three[0].sync(source=NOBODY | {"auth": auth}, mailboxes=entries)
    assert (result.failed, result["kind"]) == (True, "auth_failed")
    (failure,) = result.failures(three[1].address)
    assert "fresh token" in failure["safe_next"]
    assert tokens.asked.count(expired) == 1
    assert expired not in result.text
    assert result.summary["messages_copied"] == 10


def test_mailboxes_are_measured_by_tokens_too(three: list[Pair], tokens: Tokens, tmp_path: Path) -> None:
    """As `source_info` does; no admin user is needed."""
    for pair in three:
        token = f"measure-{pair.address.split('@')[0]}"
        tokens.users[token] = pair.address
        (tmp_path / pair.address).write_text(token + "\n")
    world = three[0].world
    side = {name: value for name, value in world.side("source").items() if not name.startswith("admin_")}
    server = imap_server({"imap": side | {"auth": "oauthbearer", "oauth_token_file": f"{tmp_path}/{{user}}"}})
    assert server
    sizes = measure(server, [pair.address for pair in three])
    assert all(isinstance(size, MailboxSize) and size.messages == 5 for size in sizes.values())
    with pytest.raises(InputError, match="admin user"):
        imap_server({"imap": side})


def test_a_server_without_tokens_gets_none(three: list[Pair]) -> None:
    entries = [{"source_user": three[0].address, "target_password": "a-token"}]
    result = three[0].sync(target=NOBODY | {"auth": "oauthbearer"}, mailboxes=entries)
    assert (result.failed, result["kind"]) == (True, "auth_failed")
    assert "does not offer AUTH=OAUTHBEARER" in str(result.failures(three[0].address))
    log = three[0].world.region.dovecot.log.read_text(errors="replace")
    assert "a-token" not in log


# TLS


@pytest.mark.case(101)
@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("certificate", "kind", "advice"),
    [
        ("expired", "certificate_expired", "renewed"),
        ("wrong_name", "certificate_wrong_name", "Give as host a name"),
        ("self_signed", "certificate_untrusted", "ca_path"),
    ],
)
def test_certificates_that_are_no_good(world: World, security: str, certificate: str, kind: str, advice: str) -> None:
    with world.changed(site=SiteOptions(certificate=certificate)):
        described = world.lab.describe()["sites"]["acme"]
        port = described["imap"]["port"] if security == "tls" else described["imap_plain_port"]
        one = door(world, "right", "source")
        with pytest.raises(TlsError) as caught:
            one.enter(security=security, port=port)
        assert caught.value.kind == kind
        assert advice in caught.value.safe_next
        assert "no password has been sent" in caught.value.safe_next
        if certificate == "self_signed":
            one.enter(security=security, port=port, ca_path=str(world.site.dovecot.setup.certificate.certificate))
        allowed = int(certificate == "self_signed")
        assert len(methods(world.site.dovecot.log, one.user, allowed)) == allowed


@pytest.mark.case(101)
def test_a_source_that_speaks_tls_1_0_only(world: World) -> None:
    """Refused unless asked for, and then named in the result; never for a target."""
    with world.changed(site=SiteOptions(old_tls=True)):
        pair = world.pair()
        pair.fill(mailgen.Plan("old", messages=20, folders=3, max_size=20_000))
        result = pair.sync()
        assert (result.failed, result["kind"]) == (True, "tls_failed")
        (failure,) = result.failures(pair.address)
        assert "TLSv1 at most" in failure["message"]
        assert "min_tls" in failure["safe_next"]
        result = pair.done(source={"min_tls": "1.0"})
        assert any("TLSv1" in text and "source" in text for text in result.mailbox(pair.address)["findings"])
    pair.faithful()
    found = pair.done(source={"min_tls": "1.0"}).mailbox(pair.address)["findings"]
    assert found == [], "TLS 1.3 is spoken where it can be"
    result = pair.sync(target={"min_tls": "1.0"})
    assert (result.failed, result["kind"], result["where"]["option"]) == (True, "invalid_input", "target.min_tls")


@pytest.mark.case(101)
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b" STARTTLS", b"", "does not offer STARTTLS"),
        (
            b"OK Begin TLS negotiation now.\r\n",
            b"OK Begin TLS negotiation now.\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
            "CVE-2011-0411",
        ),
        (b"OK [CAPABILITY", b"PREAUTH [CAPABILITY", "PREAUTH"),
        (b"OK Begin TLS negotiation now.", b"NO TLS not available.", "refused STARTTLS"),
    ],
)
def test_somebody_on_the_way_takes_starttls_away(world: World, old: bytes, new: bytes, words: str) -> None:
    """Nothing goes on in clear text, and no password is sent."""
    port = world.lab.describe()["sites"]["acme"]["imap_plain_port"]
    one = door(world, "right", "source")
    with tampering(port, old, new) as proxy:
        with pytest.raises(TlsError, match=words):
            one.enter(security="starttls", port=proxy.port)
        assert b"LOGIN" not in proxy.said
        assert b"AUTHENTICATE" not in proxy.said
    assert methods(world.site.dovecot.log, one.user, 0) == []


# the address


@pytest.mark.case(100)
def test_a_name_and_both_kinds_of_addresses(world: World) -> None:
    """Dovecot on IPv6 and IPv4; `localhost` is either of them, or both."""
    with world.changed(site=SiteOptions(extra="listen = 127.0.0.1, ::1\n")):
        one = door(world, "right", "source")
        for host in ("127.0.0.1", "localhost", "::1"):
            one.enter(host=host, validate_certs=host != "::1")


# compression


@pytest.mark.parametrize("compress", ["always", "auto", "never"])
def test_compression(world: World, compress: str) -> None:
    """RFC 4978: `always` saves most of what mail of text takes; nobody asks for it on loopback by himself."""
    pair = world.pair()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number, "all work and no play " * 500) for number in range(50)])
    port = world.lab.describe()["sites"]["acme"]["imap_plain_port"]
    with tampering(port) as proxy:
        result = pair.done(
            source={"port": proxy.port, "security": "plain", "allow_plaintext": True, "compress": compress},
            target={"compress": compress},
        )
        heard = proxy.heard
    pair.faithful()
    assert result.mailbox(pair.address)["findings"] == []
    assert (heard < 100_000) == (compress == "always")
    asked = {one.verb for one in wire.commands(world.rawlog(), pair.address)}
    assert ("COMPRESS" in asked) == (compress == "always")
    pair.settled()


def test_compression_is_chosen_by_the_round_trip(world: World) -> None:
    one = door(world, "right", "source")
    port = world.lab.describe()["sites"]["acme"]["imap_plain_port"]
    with tampering(port, delay=0.03) as proxy:
        one.enter(port=proxy.port, security="plain", allow_plaintext=True, compress="auto")
        assert b"COMPRESS DEFLATE" in proxy.said
    with tampering(port) as proxy:
        one.enter(port=proxy.port, security="plain", allow_plaintext=True, compress="auto")
        assert b"COMPRESS" not in proxy.said


def test_compression_that_the_server_does_not_have_is_told(world: World) -> None:
    pair = world.pair()
    with world.changed(site=SiteOptions(extra="protocol imap {\n  mail_plugins =\n}\n")):
        result = pair.done(source={"compress": "always"})
        assert any("COMPRESS=DEFLATE" in text for text in result.mailbox(pair.address)["findings"])
        assert pair.done(source={"compress": "auto"}).mailbox(pair.address)["findings"] == []
