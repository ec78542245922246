# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the demo's inventory that only the running lab knows: addresses, and secrets in Ansible Vault format."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import AnsibleVaultError, VaultLib, VaultSecret

from tests.lab.gnupg import KeyMaker

HEAD = "# SPDX-License-Identifier: GPL-3.0-or-later\n# Written by `make demo`; not in git.\n"
VAULT_PASSWORD = "vault-password"


def export(lab: Mapping[str, Any], inventory: Path) -> Path:
    """Write ``lab.yml`` and ``vault.yml`` of each site of the lab; gives back the file with the vault's password.

    What is right already is left alone, so that a second run changes nothing.
    """
    directory = Path(lab["dir"])
    password_file = directory / VAULT_PASSWORD
    if not password_file.exists():
        write_private(password_file, secrets.token_urlsafe(24) + "\n")
    vault = VaultLib([("default", VaultSecret(password_file.read_bytes().strip()))])
    for name, site in lab["sites"].items():
        region = lab["regions"][site["region"]]
        host_vars = inventory / "host_vars" / name
        host_vars.mkdir(parents=True, exist_ok=True)
        known = {**addresses(lab, site, region), "lab_pgp": public_key(directory / "pgp", name)}
        (host_vars / "lab.yml").write_text(HEAD + yaml.safe_dump(known))
        export_secrets(vault, host_vars / "vault.yml", site, region)
    return password_file


def addresses(lab: Mapping[str, Any], site: Mapping[str, Any], region: Mapping[str, Any]) -> dict[str, Any]:
    """Where the customer's two sides are."""

    def side(part: Mapping[str, Any]) -> dict[str, Any]:
        database = {key: part["database"][key] for key in ("host", "port", "name", "user")}
        return {"database": database, "imap": {**part["imap"], "admin_user": part["master_user"]}}

    no_dav = {"url": "https://127.0.0.1/", "admin_user": "", "admin_method": "separator"}
    dav = {key: region.get("dav", no_dav)[key] for key in no_dav}
    return {
        "lab_directory": lab["dir"],
        "lab_ca": lab["ca"],
        "lab_source": {**side(site), "ssh": site["ssh"]},
        "lab_target": {**side(region), "doveadm_url": region["doveadm_url"], "dav": dav},
        # a lab may be without calendars and contacts; its customers are then migrated without them
        "migration_has_dav": "dav" in region,
    }


def public_key(folder: Path, customer: str) -> dict[str, str]:
    """The customer's PGP key, made when it is not there; the secret key stands beside the public one."""
    folder.mkdir(mode=0o700, exist_ok=True)
    public, note = folder / f"{customer}.asc", folder / f"{customer}.fingerprint"
    if not note.exists():
        with KeyMaker() as maker:
            fingerprint = maker.make(f"{customer} <postmaster@{customer}.example>")
            maker.secret(fingerprint, folder / f"{customer}.key")
            maker.public(fingerprint, public)
        note.write_text(fingerprint + "\n")
    return {"fingerprint": note.read_text().strip(), "key_file": str(public)}


def export_secrets(vault: VaultLib, file: Path, site: Mapping[str, Any], region: Mapping[str, Any]) -> None:
    """Encrypt what is secret about the customer, unless the file says just that already."""
    known = read_secrets(vault, file)
    wanted = {
        "vault_source_database_password": site["database"]["password"],
        "vault_source_admin_password": site["master_password"],
        "vault_target_database_password": region["database"]["password"],
        "vault_target_admin_password": region["master_password"],
        "vault_doveadm_api_key": region["doveadm_api_key"],
        "vault_target_dav_password": region.get("dav", {}).get("admin_password", ""),
        "vault_snapshot_password": known.get("vault_snapshot_password") or secrets.token_urlsafe(24),
    }
    if wanted != known:
        write_private(file, vault.encrypt(HEAD + yaml.safe_dump(wanted)).decode())


def read_secrets(vault: VaultLib, file: Path) -> dict[str, str]:
    """What the file holds; nothing when it is not there, or of an earlier lab with another password."""
    try:
        content = yaml.safe_load(vault.decrypt(file.read_bytes()))
    except (FileNotFoundError, AnsibleVaultError):
        return {}
    return content if isinstance(content, dict) else {}


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    temporary = file.with_name(f"{file.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
