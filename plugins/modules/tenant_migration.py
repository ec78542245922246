# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_migration
short_description: Enable a customer's subscription for migration, or disable it
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Says on the target whether a migration may write to a subscription. M(atmail.migration.settings_apply) refuses one
    that is not enabled.
  - Changes nothing else of the subscription, and makes none. Mail, accounts and log-ins do not depend on it.
extends_documentation_fragment:
  - atmail.migration.database
  - atmail.migration.ssh
attributes:
  check_mode:
    support: full
    description: Reads the subscription; writes nothing.
  diff_mode:
    support: full
    description: Shows the subscription before and after.
options:
  profile:
    description:
      - What the target is.
      - V(postfixadmin) is the database of PostfixAdmin, with the two tables of C(docs/postfixadmin-target.sql) beside
        its own.
    type: str
    choices: [cloud, postfixadmin]
    default: cloud
  subscription:
    description: The customer's subscription on the target.
    type: str
    required: true
  region:
    description:
      - The region that the subscription must be in; nothing is written to one that is elsewhere.
      - A subscription whose region is empty is on a target without regions.
    type: str
    required: true
  state:
    description:
      - V(enabled) lets migrations write to the subscription, which must be active.
      - V(disabled) ends that, also for a subscription that is suspended. A run that is writing is waited for.
    type: str
    choices: [enabled, disabled]
    default: enabled
notes:
  - The database user needs C(SELECT) on the table of tenants and C(UPDATE) on its column C(migration_enabled), nothing
    else.
seealso:
  - module: atmail.migration.settings_apply
"""

EXAMPLES = r"""
- name: Let the customer be migrated
  atmail.migration.tenant_migration:
    customer: acme
    database: &cloud
      host: db-eu.atmailcloud.example
      name: cloud
      user: tenants
      password: "{{ vault_cloud_tenants_password }}"
      ca_path: /etc/migration/cloud-ca.pem
    subscription: acme
    region: eu

- name: Close the door at the end
  atmail.migration.tenant_migration:
    customer: acme
    database: *cloud
    subscription: acme
    region: eu
    state: disabled
"""

RETURN = r"""
tenant:
  description: The subscription as it is now, or would be in check mode.
  returned: success
  type: dict
  contains:
    subscription:
      description: Its name.
      returned: always
      type: str
      sample: acme
    region:
      description: The region it is in.
      returned: always
      type: str
      sample: eu
    status:
      description: Whether it is in use; V(active), or the target's word for what else it is.
      returned: always
      type: str
      sample: active
    migration_enabled:
      description: Whether a migration may write to it.
      returned: always
      type: bool
      sample: true
was_enabled:
  description: Whether a migration could write to it before this task.
  returned: success
  type: bool
  sample: false
kind:
  description:
    - The kind of failure when the module fails, to match on.
    - V(tenant_unknown), V(tenant_elsewhere) or V(tenant_suspended) when it is about the subscription.
  returned: failure
  type: str
  sample: tenant_unknown
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    customer: acme
    subscription: acme
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Give the region that the subscription is in, then run again; nothing has been written.
"""

from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.settings.enabling import tenant_migration
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import REACH, TENANT

SPEC = ArgumentSpec(options={**REACH, **TENANT})


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return tenant_migration(call.params, check_mode=call.check_mode, diff_mode=call.diff_mode)


if __name__ == "__main__":
    main()
