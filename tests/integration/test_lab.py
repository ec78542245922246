# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: its servers hold what was put into them, start and stop as promised, and say why when they do not."""

from __future__ import annotations

import base64
import imaplib
import json
import os
import poplib
import pwd
import re
import socket
import ssl
import subprocess
import sys
import sysconfig
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

import paramiko
import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from tests.lab import demo, mailgen, process
from tests.lab.errors import LabError, StartError
from tests.lab.lab import Lab
from tests.lab.maildir import Folder, encode_name, write_mailbox
from tests.lab.region import Region
from tests.lab.site import Site
from tests.lab.state import RegionOptions, SiteOptions

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.temporary(scale="test") as lab:
        yield lab


def _imap(lab: Lab, side: Site | Region, user: str, password: str) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cafile=str(lab.authority.ca_file))
    client = imaplib.IMAP4_SSL("127.0.0.1", side.state.ports["imaps"], ssl_context=context)
    client.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
    return client


def _refused(lab: Lab, side: Site | Region, user: str, password: str) -> bool:
    try:
        _imap(lab, side, user, password).logout()
    except imaplib.IMAP4.error as error:
        return "AUTHENTICATIONFAILED" in str(error)
    return False


def _master(side: Site | Region, user: str) -> tuple[str, str]:
    shown = side.shown([]) if isinstance(side, Region) else side.shown()
    return f"{user}*{shown['master_user']}", str(shown["master_password"])


class TestMail:
    """What the generator wrote is what IMAP and POP show."""

    def test_every_message_of_a_mailbox(self, lab: Lab) -> None:
        site = lab.site("acme")
        site.add_account("whole@acme.example", "x")
        plan = mailgen.Plan("whole", messages=200, folders=20, max_size=200_000, huge_gap=True)
        folders = list(mailgen.make_mailbox(plan))
        write_mailbox(
            site.maildir("whole@acme.example"), folders, owner=site.file_owner, subscribed_but_missing=mailgen.MISSING
        )
        client = _imap(lab, site, "whole@acme.example", "x")
        for folder in folders:
            assert _seen(client, folder) == _expected(folder)
        names = {_name(folder) for folder in folders}
        assert names <= _names(client.list()[1])
        subscribed = {_name(folder) for folder in folders if folder.subscribed} | {"Gone long ago"}
        assert _names(client.lsub()[1]) == subscribed
        client.logout()

    def test_pop_shows_the_uids(self, lab: Lab) -> None:
        site = lab.site("acme")
        account = site.state.accounts["ann@acme.example"]
        context = ssl.create_default_context(cafile=str(lab.authority.ca_file))
        client = poplib.POP3_SSL("127.0.0.1", site.state.ports["pop3s"], context=context)
        client.user(account.address)
        client.pass_(account.password)
        uids = [int(line.split()[1][:8], 16) for line in client.uidl()[1]]
        assert uids
        assert uids == sorted(uids)
        client.quit()

    def test_delivered_mail_arrives(self, lab: Lab) -> None:
        site = lab.site("acme")
        site.add_account("new@acme.example", "x")
        site.deliver("new@acme.example", b"Subject: hello\n\nx\n", 1_600_000_000)
        client = _imap(lab, site, "new@acme.example", "x")
        client.select()
        (answer,) = client.uid("FETCH", "1", "(INTERNALDATE RFC822.SIZE)")[1]
        assert b"13-Sep-2020 12:26:40 +0000" in answer
        assert b"RFC822.SIZE 21" in answer
        client.logout()


def _name(folder: Folder) -> str:
    return ".".join(encode_name(name) for name in folder.path) or "INBOX"


def _names(lines: Sequence[object]) -> set[str]:
    found = (re.match(rb'\(.*?\) "." "?(.*?)"?$', line) for line in lines if isinstance(line, bytes))
    return {match[1].decode() for match in found if match}


def _expected(folder: Folder) -> tuple[int, int, dict[int, tuple[object, ...]]]:
    messages: dict[int, tuple[object, ...]] = {}
    for uid, mail in folder.messages:
        data = re.sub(rb"(?<!\r)\n", b"\r\n", b"".join(mail.parts))
        messages[uid] = (mail.date, frozenset(mail.flags) | frozenset(mail.keywords), data)
    return folder.uidvalidity, folder.uidnext, messages


def _seen(client: imaplib.IMAP4_SSL, folder: Folder) -> tuple[int, int, dict[int, tuple[object, ...]]]:
    status, answer = client.select(f'"{_name(folder)}"', readonly=True)
    assert status == "OK", answer
    uidvalidity = int(client.response("UIDVALIDITY")[1][0])
    uidnext = int(client.response("UIDNEXT")[1][0])
    messages: dict[int, tuple[object, ...]] = {}
    for part in client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1] if folder.messages else []:
        if isinstance(part, tuple):
            head, data = part
            uid = int(_group(rb"UID (\d+)", head))
            flags = frozenset(_group(rb"FLAGS \((.*?)\)", head).decode().split()) - {"\\Recent"}
            messages[uid] = (int(_seconds(head)), flags, data)
    return uidvalidity, uidnext, messages


def _group(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text)
    assert match is not None, text
    return bytes(match[1])


def _seconds(head: bytes) -> float:
    day, month, rest = _group(rb'INTERNALDATE "(.*?)"', head).decode().strip().split("-", 2)
    return parsedate_to_datetime(f"{day} {month} {rest}").timestamp()


class TestAccounts:
    """Who may log in where, and with what."""

    def test_everybody_in_lab_json_can_log_in(self, lab: Lab) -> None:
        shown = json.loads((lab.directory / "lab.json").read_text())
        accounts = shown["sites"]["acme"]["accounts"]
        assert {account["stored"] for account in accounts} == {"plain", "md5", "md5_crypt"}
        assert len(accounts) >= 7
        for account in accounts:
            refused = _refused(lab, lab.site("acme"), account["address"], account["password"])
            assert refused is not account["enabled"], account["address"]
            assert _refused(lab, lab.site("acme"), account["address"], account["password"] + "x")

    @pytest.mark.parametrize("side", ["site", "region"])
    def test_disabled_account_opens_for_the_master_only(self, lab: Lab, side: str) -> None:
        at: Site | Region = lab.site("acme") if side == "site" else lab.region("eu")
        at.add_account("locked@acme.example", "x", enabled=False)
        assert _refused(lab, at, "locked@acme.example", "x")
        client = _imap(lab, at, *_master(at, "locked@acme.example"))
        assert client.select()[0] == "OK"
        client.logout()

    def test_quota_of_the_cloud(self, lab: Lab) -> None:
        lab.region("eu").add_account("full@acme.example", "x", quota_bytes=10_000)
        client = _imap(lab, lab.region("eu"), "full@acme.example", "x")
        assert client.append("INBOX", "", "", b"Subject: x\r\n\r\n" + b"y" * 9_000)[0] == "OK"
        status, answer = client.append("INBOX", "", "", b"Subject: x\r\n\r\n" + b"y" * 9_000)
        assert status == "NO"
        assert b"OVERQUOTA" in answer[0]
        client.logout()

    def test_special_use_of_the_cloud(self, lab: Lab) -> None:
        lab.region("eu").add_account("special@acme.example", "x")
        client = _imap(lab, lab.region("eu"), "special@acme.example", "x")
        client.create("Junk")
        assert rb'(\HasNoChildren \Junk) "/" Junk' in client.list()[1]
        client.logout()

    def test_doveadm(self, lab: Lab) -> None:
        region = lab.region("eu")
        region.add_account("api@acme.example", "x")
        update: dict[str, object] = {"user": "api@acme.example", "mailbox": "INBOX", "uidValidity": "777777"}
        assert _doveadm(region, "mailboxUpdate", update)[0][0] == "doveadmResponse"
        client = _imap(lab, region, "api@acme.example", "x")
        client.select()
        assert client.response("UIDVALIDITY")[1] == [b"777777"]
        client.logout()


def _doveadm(region: Region, command: str, arguments: dict[str, object]) -> list[list[object]]:
    shown = region.shown([])
    key = base64.b64encode(str(shown["doveadm_api_key"]).encode()).decode()
    request = urllib.request.Request(
        str(shown["doveadm_url"]),
        json.dumps([[command, arguments, "tag"]]).encode(),
        {"Content-Type": "application/json", "Authorization": f"X-Dovecot-API {key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        result: list[list[object]] = json.load(answer)
    return result


class TestDatabases:
    """The site's through the tunnel only reads, the cloud's takes TLS only."""

    def test_site_through_the_tunnel(self, lab: Lab) -> None:
        shown = lab.site("acme").shown()
        with _ssh(shown["ssh"]) as client, _through(client, shown["database"]) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT COUNT(*) FROM UserSession JOIN Users USING (Account)")
            assert cursor.fetchall()[0][0] >= 7
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute("DELETE FROM Users")

    def test_site_has_the_oddities(self, lab: Lab) -> None:
        with lab.site("acme").database.session() as cursor:
            cursor.execute("SELECT Forward, AutoReply FROM Users WHERE Forward LIKE '%&%' OR AutoReply LIKE '%&%'")
            (bob, erin) = cursor.fetchall()
            assert bob[0] == "o'brien&amp;sons@phone.example.net"
            assert "&lt;the 30th&gt; &amp; read no mail. Gr&uuml;&szlig;e!" in erin[1]
            cursor.execute("SELECT value FROM SpamSettings WHERE value LIKE '%\r' OR value = ''")
            assert len(cursor.fetchall()) >= 3
            cursor.execute("SELECT preference FROM SpamSettings WHERE username = 'GLOBAL'")
            assert len(cursor.fetchall()) >= 2
            cursor.execute("SELECT AliasTo FROM MailAliases WHERE AliasName = 'team@acme.example'")
            assert len(cursor.fetchall()) == 3

    def test_tunnel_leads_nowhere_else(self, lab: Lab) -> None:
        with _ssh(lab.site("acme").shown()["ssh"]) as client:
            transport = client.get_transport()
            assert transport is not None
            for port in (lab.region("eu").state.ports["imaps"], lab.site("acme").state.ports["pop3s"]):
                with pytest.raises(paramiko.ChannelException, match="prohibited"):
                    transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0))
            output = client.exec_command("id")[1]
            assert b"uid=" not in output.read()
            with pytest.raises(paramiko.SSHException):
                client.invoke_shell()

    def test_changed_host_key(self, lab: Lab) -> None:
        site = lab.site("acme")
        public_key = site.sshd.change_host_key()
        with pytest.raises(paramiko.BadHostKeyException):
            _ssh(site.shown()["ssh"])
        site.sshd.trust(public_key)
        _ssh(site.shown()["ssh"]).close()

    def test_cloud_takes_tls_only(self, lab: Lab) -> None:
        shown = lab.region("eu").shown([])["database"]
        login = {
            "host": shown["host"],
            "port": shown["port"],
            "user": shown["user"],
            "password": shown["password"],
            "database": shown["name"],
        }
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            pymysql.connect(**login, ssl_disabled=True)
        ca = str(lab.authority.ca_file)
        connection = pymysql.connect(**login, ssl_ca=ca, ssl_verify_cert=True, ssl_verify_identity=True)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT migration_enabled FROM tenants WHERE subscription = 'acme'")
            assert cursor.fetchall() == ((1,),)


def _ssh(shown: dict[str, str]) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.load_host_keys(shown["known_hosts"])
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(
        shown["host"],
        int(shown["port"]),
        username=shown["user"],
        key_filename=shown["key_file"],
        allow_agent=False,
        look_for_keys=False,
    )
    return client


def _through(client: paramiko.SSHClient, shown: dict[str, str]) -> Connection[Cursor]:
    transport = client.get_transport()
    assert transport is not None
    channel = transport.open_channel("direct-tcpip", (shown["host"], int(shown["port"])), ("127.0.0.1", 0))
    connection = pymysql.connect(
        host=shown["host"],
        user=shown["user"],
        password=shown["password"],
        database=shown["name"],
        defer_connect=True,
    )
    connection.connect(channel)  # type: ignore[arg-type]  # a channel does all of a socket that PyMySQL asks for
    return connection


class TestOptions:
    """What tests can ask for."""

    def test_prefix_capability_rawlog_certificate_and_no_doveadm(self) -> None:
        site = SiteOptions(
            prefix="INBOX.", extra="imap_capability = IMAP4rev1 UIDPLUS", rawlog=True, certificate="wrong_name"
        )
        region = RegionOptions(doveadm=False, certificate="expired")
        with Lab.temporary(site_options={"acme": site}, region_options={"eu": region}) as lab:
            assert "doveadm_url" not in lab.describe()["regions"]["eu"]
            lab.region("eu").add_account("a@acme.example", "x")
            lab.site("acme").add_account("a@acme.example", "x")
            with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                _imap(lab, lab.region("eu"), "a@acme.example", "x")
            with pytest.raises(ssl.SSLCertVerificationError, match="not valid for '127"):
                _imap(lab, lab.site("acme"), "a@acme.example", "x")
            for _dummy in range(3):
                client = imaplib.IMAP4("127.0.0.1", lab.site("acme").state.ports["imap"])
                client.login("a@acme.example", "x")
                assert client.capability()[1][-1] == b"IMAP4rev1 UIDPLUS"
                assert b'"INBOX." "."' in client.namespace()[1][0]
                client.select("INBOX", readonly=True)
                client.logout()
            logs = sorted((lab.site("acme").dovecot.rawlog / "a@acme.example").glob("*.in"))
            assert len(logs) == 3
            assert all(b"EXAMINE INBOX" in path.read_bytes() for path in logs)


class TestLife:
    """Starting, stopping, dying."""

    @pytest.fixture
    def small(self) -> Iterator[Lab]:
        with Lab.temporary() as lab:
            yield lab

    def test_up_twice_starts_nothing(self, small: Lab) -> None:
        before = [process.load(server.pid_file) for server in small.servers]
        again = Lab.up(small.directory)
        assert [process.load(server.pid_file) for server in again.servers] == before
        assert again.describe() == small.describe()

    def test_what_died_comes_back_with_its_data(self, small: Lab) -> None:
        small.site("acme").add_account("a@acme.example", "x")
        small.save()
        _imap(small, small.site("acme"), "a@acme.example", "x").create("Kept")
        shown = small.describe()
        for server in small.servers:
            server.kill()
            assert not server.running()
        again = Lab.up(small.directory)
        assert all(server.running() for server in again.servers)
        assert again.describe() == shown
        client = _imap(again, again.site("acme"), "a@acme.example", "x")
        assert client.select("Kept")[0] == "OK"
        client.logout()

    def test_kept_lab_comes_back(self) -> None:
        with Lab.temporary() as lab:
            shown = lab.describe()
            lab.down(keep=True)
            assert not any(server.running() for server in lab.servers)
            assert Lab.up(lab.directory).describe() == shown

    def test_labs_side_by_side(self, lab: Lab, small: Lab) -> None:
        third: list[Lab] = []

        def run() -> None:
            with Lab.temporary() as other:
                third.append(other)
                assert all(server.running() for server in other.servers)

        threads = [threading.Thread(target=run) for dummy in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        labs = [lab, small, *third]
        ports = [port for each in labs for server in each.servers for port in server.listens_on()]
        assert len(third) == 2
        assert len(ports) == len(set(ports))
        assert all(server.running() for server in (*lab.servers, *small.servers))

    def test_taken_port_is_named_and_nothing_runs(self, small: Lab) -> None:
        small.down(keep=True)
        port = small.region("eu").state.ports["imaps"]
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            listener.listen()
            with pytest.raises(StartError, match=rf"eu dovecot did not start: another program listens on port {port}"):
                Lab.up(small.directory)
        assert not any(server.running() for server in small.servers)

    def test_broken_configuration_shows_the_log_and_nothing_runs(self, small: Lab) -> None:
        small.down(keep=True)
        with pytest.raises(StartError, match=r"(?s)acme dovecot did not start: .*no_such_setting"):
            Lab.up(small.directory, site_options={"acme": SiteOptions(extra="no_such_setting = yes")})
        assert not any(server.running() for server in small.servers)

    def test_no_lab_here(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="no lab in"):
            Lab.open(tmp_path)

    def test_down_removes_everything(self) -> None:
        with Lab.temporary() as lab:
            pids = [process.load(server.pid_file) for server in lab.servers]
            lab.down()
            assert not any(pid is None or pid.alive() for pid in pids)
            assert not lab.layout.directory.exists()
            assert not lab.layout.run.exists()

    def test_command_line(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        directory = tmp_path_factory.mktemp("lab")
        common = ["--dir", str(directory / "lab")]
        up = _command("up", *common, "--sites", "acme,globex", "--regions", "eu,us", "--scale", "test")
        assert up.returncode == 0, up.stderr
        try:
            assert f"globex: {len(demo.PEOPLE)} accounts" in up.stdout
            assert _command("status", *common).stdout.count("running") == 14
            again = _command("up", *common, "--sites", "acme,globex", "--regions", "eu,us", "--scale", "test")
            assert "accounts" not in again.stdout
        finally:
            down = _command("down", *common)
        assert down.returncode == 0, down.stderr
        status = _command("status", *common)
        assert status.returncode == 1
        assert "no lab in" in status.stderr


class TestOrdinaryUser:
    """Root is needed for packages only."""

    def test_all_servers_belong_to_the_user(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("the other tests have run as an ordinary user already")
        user = pwd.getpwnam("www-data")
        python = _python_for(user)
        with tempfile.TemporaryDirectory(prefix="lab-") as folder:
            os.chown(folder, user.pw_uid, user.pw_gid)
            common = ["--dir", f"{folder}/lab"]
            up = _run([*python, "up", *common, "--sites", "acme", "--regions", "eu", "--scale", "test"])
            assert up.returncode == 0, up.stderr
            try:
                lab = Lab.open(f"{folder}/lab")
                found = [process.load(server.pid_file) for server in lab.servers]
                assert len(found) == 7
                for each in found:
                    assert each is not None
                    assert Path(f"/proc/{each.pid}").stat().st_uid == user.pw_uid
                account = lab.site("acme").state.accounts["ann@acme.example"]
                client = _imap(lab, lab.site("acme"), account.address, account.password)
                assert int(client.select()[1][0] or b"0") > 0
                client.logout()
                _ssh(json.loads((lab.directory / "lab.json").read_text())["sites"]["acme"]["ssh"]).close()
            finally:
                down = _run([*python, "down", *common])
            assert down.returncode == 0, down.stderr
            assert not any(each is not None and each.alive() for each in found)


def _python_for(user: pwd.struct_passwd) -> list[str]:
    """A command that runs the lab's as another user: with our Python, or the system's where ours is out of reach."""
    drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
    version = f"import sys, jinja2, cryptography, pymysql; assert sys.version_info[:2] == {sys.version_info[:2]!r}"
    libraries = sysconfig.get_paths()["purelib"]
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*drop, "env", f"PYTHONPATH={libraries}", "PYTHONDONTWRITEBYTECODE=1", python]
        if _run([*command, "-c", version]).returncode == 0:
            return [*command, "-m", "tests.lab"]
    pytest.skip("no Python that another user may run sees the libraries")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120)


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the lab's command with its output in pipes: a server that held on to them would make this wait for ever."""
    return _run([sys.executable, "-m", "tests.lab", *arguments])
