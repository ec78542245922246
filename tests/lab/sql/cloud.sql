-- SPDX-License-Identifier: GPL-3.0-or-later
-- The cloud's schema, described in docs/cloud-schema.md. Addresses and domain names are stored in lower case and
-- compared byte by byte (utf8mb4_bin), so that two addresses are never taken for one.

SET NAMES utf8mb4;

CREATE TABLE tenants (
  subscription      varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  region            varchar(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  display_name      varchar(255) NOT NULL DEFAULT '',
  status            enum('active', 'suspended') NOT NULL DEFAULT 'active',
  migration_enabled tinyint(1)   NOT NULL DEFAULT 0,
  created_at        timestamp    NOT NULL DEFAULT current_timestamp(),
  updated_at        timestamp    NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE domains (
  name         varchar(255) NOT NULL,
  subscription varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status       enum('active', 'disabled') NOT NULL DEFAULT 'active',
  migration_applied text    DEFAULT NULL,
  created_at   timestamp    NOT NULL DEFAULT current_timestamp(),
  updated_at   timestamp    NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (name),
  KEY subscription (subscription),
  CONSTRAINT domains_tenant FOREIGN KEY (subscription) REFERENCES tenants (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE accounts (
  id              bigint unsigned NOT NULL AUTO_INCREMENT,
  address         varchar(320) NOT NULL,
  domain          varchar(255) NOT NULL,
  display_name    varchar(255) NOT NULL DEFAULT '',
  status          enum('active', 'disabled') NOT NULL DEFAULT 'active',
  password        varchar(255) DEFAULT NULL,           -- {SCHEME}value as Dovecot takes it; NULL: nobody can log in
  password_status enum('none', 'migrated', 'changed', 'temporary') NOT NULL DEFAULT 'none',
  password_set_on timestamp    NULL DEFAULT NULL,
  quota_bytes     bigint unsigned DEFAULT NULL,        -- NULL: unlimited
  migrate_status  enum('none', 'provisioned', 'syncing', 'migrated') NOT NULL DEFAULT 'none',
  migration_applied mediumtext DEFAULT NULL,           -- JSON: what a migration wrote last; no secret in it
  mailbox_server  varchar(255) NOT NULL DEFAULT '',
  mailbox_type    varchar(16)  NOT NULL DEFAULT 'mdbox',
  keep_forwarded  tinyint(1)   NOT NULL DEFAULT 1,     -- with a forward: keep a copy in the mailbox
  reply_to        varchar(320) NOT NULL DEFAULT '',
  signature       mediumtext   DEFAULT NULL,           -- may be HTML
  time_zone       varchar(64)  NOT NULL DEFAULT '',    -- a name of the IANA database
  language        varchar(35)  NOT NULL DEFAULT '',    -- a tag (RFC 5646)
  last_login      timestamp    NULL DEFAULT NULL,
  created_at      timestamp    NOT NULL DEFAULT current_timestamp(),
  updated_at      timestamp    NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (id),
  UNIQUE KEY address (address),
  KEY domain (domain),
  CONSTRAINT accounts_domain FOREIGN KEY (domain) REFERENCES domains (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Where an account's mail is sent on to; one row per target.
CREATE TABLE forwards (
  account_id bigint unsigned NOT NULL,
  target     varchar(320) NOT NULL,
  PRIMARY KEY (account_id, target),
  CONSTRAINT forwards_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The answer sent for an account (RFC 3834); starts and ends are UTC, NULL is open.
CREATE TABLE auto_replies (
  account_id bigint unsigned NOT NULL,
  status     enum('active', 'disabled') NOT NULL DEFAULT 'active',
  subject    varchar(998) NOT NULL DEFAULT '',
  body       mediumtext   NOT NULL,
  starts     datetime     DEFAULT NULL,
  ends       datetime     DEFAULT NULL,
  PRIMARY KEY (account_id),
  CONSTRAINT auto_replies_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Mailboxes elsewhere that an account polls. The cloud keeps the password as it needs it: to log in there.
CREATE TABLE external_accounts (
  account_id bigint unsigned NOT NULL,
  protocol   enum('imap', 'pop3') NOT NULL,
  host       varchar(255) NOT NULL,
  user       varchar(255) NOT NULL,
  port       smallint unsigned DEFAULT NULL,           -- NULL: the protocol's own
  tls        tinyint(1)   NOT NULL DEFAULT 1,
  password   varchar(255) DEFAULT NULL,
  PRIMARY KEY (account_id, protocol, host, user),
  CONSTRAINT external_accounts_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An alias with several targets has several rows. An empty local_part is the whole domain: a target `@other` maps
-- every local part to that domain, a target with a local part is a catch-all.
CREATE TABLE aliases (
  id         bigint unsigned NOT NULL AUTO_INCREMENT,
  domain     varchar(255) NOT NULL,
  local_part varchar(64)  NOT NULL DEFAULT '',
  target     varchar(320) NOT NULL,
  status     enum('active', 'disabled') NOT NULL DEFAULT 'active',
  KEY target (target),
  PRIMARY KEY (id),
  UNIQUE KEY alias (domain, local_part, target),
  CONSTRAINT aliases_domain FOREIGN KEY (domain) REFERENCES domains (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Senders that one account, or a whole domain, lets through or refuses.
CREATE TABLE account_sender_rules (
  account_id bigint unsigned NOT NULL,
  verdict    enum('allow', 'block') NOT NULL,
  pattern    varchar(320) NOT NULL,
  PRIMARY KEY (account_id, verdict, pattern),
  CONSTRAINT account_sender_rules_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE domain_sender_rules (
  domain  varchar(255) NOT NULL,
  verdict enum('allow', 'block') NOT NULL,
  pattern varchar(320) NOT NULL,
  PRIMARY KEY (domain, verdict, pattern),
  CONSTRAINT domain_sender_rules_domain FOREIGN KEY (domain) REFERENCES domains (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The same for everything of a subscription.
CREATE TABLE tenant_sender_rules (
  subscription varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  verdict      enum('allow', 'block') NOT NULL,
  pattern      varchar(320) NOT NULL,
  PRIMARY KEY (subscription, verdict, pattern),
  CONSTRAINT tenant_sender_rules_tenant FOREIGN KEY (subscription) REFERENCES tenants (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Entries of a subscription's shared address books; `fields` is a JSON list of [vCard property, value].
CREATE TABLE shared_contacts (
  id           bigint unsigned NOT NULL AUTO_INCREMENT,
  subscription varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source_key   varchar(255) NOT NULL,                  -- names the entry where it came from
  owner        varchar(320) NOT NULL DEFAULT '',
  name         varchar(255) NOT NULL DEFAULT '',
  emails       text         NOT NULL,                  -- JSON list
  fields       mediumtext   NOT NULL,
  migration_applied text    DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY source_key (subscription, source_key),
  CONSTRAINT shared_contacts_tenant FOREIGN KEY (subscription) REFERENCES tenants (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who may see or change them: `everyone`, `domain:…`, `group:…`, `account:…`.
CREATE TABLE shared_contact_permissions (
  contact_id bigint unsigned NOT NULL,
  subject    varchar(330) NOT NULL,
  rights     enum('read', 'write') NOT NULL DEFAULT 'read',
  PRIMARY KEY (contact_id, subject),
  CONSTRAINT shared_contact_permissions_contact FOREIGN KEY (contact_id) REFERENCES shared_contacts (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a migration wrote last, for things that are several rows: aliases, and lists of senders (name: the domain, or
-- empty). A note stays when the thing goes: that is how a removal made here is told from one made on the source.
CREATE TABLE migration_notes (
  subscription varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind         enum('aliases', 'senders') NOT NULL,
  name         varchar(320) NOT NULL,
  applied      mediumtext   NOT NULL,
  PRIMARY KEY (subscription, kind, name),
  CONSTRAINT migration_notes_tenant FOREIGN KEY (subscription) REFERENCES tenants (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
