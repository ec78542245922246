-- SPDX-License-Identifier: GPL-3.0-or-later
-- Two tables beside PostfixAdmin's own, made once by whoever looks after the database that customers migrate to.
-- PostfixAdmin knows no customers and keeps no notes; it never looks at these tables, and they may go after a migration.

-- A customer may be written to while migration_enabled is 1.
CREATE TABLE IF NOT EXISTS atmail_migration_tenants (
  subscription      varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  region            varchar(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  display_name      varchar(255) NOT NULL DEFAULT '',
  status            enum('active', 'suspended') NOT NULL DEFAULT 'active',
  migration_enabled tinyint(1)   NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What migrations wrote last, to tell it from what people changed since; no secret in it. A row of the kind `domains`
-- says whose domain it is: a domain without one is nobody's, and not touched.
CREATE TABLE IF NOT EXISTS atmail_migration_notes (
  id           bigint unsigned NOT NULL AUTO_INCREMENT,
  subscription varchar(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind         varchar(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         varchar(320) NOT NULL,
  applied      mediumtext   NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY name (kind, name),
  KEY subscription (subscription)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
