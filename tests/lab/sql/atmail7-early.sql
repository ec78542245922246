-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an early Atmail 7 has otherwise than a late one (run after atmail7.sql): the columns of Config, and calendars as
-- SabreDAV 1.5 keeps them, in a table whose name has a capital letter.

ALTER TABLE Config CHANGE keyName `key` varchar(64) NOT NULL DEFAULT '', CHANGE keyValue value varchar(255) DEFAULT NULL;
UPDATE Config SET value = '7.0.1' WHERE `key` = 'version';

RENAME TABLE calendarobjects TO calendarObjects;
ALTER TABLE calendarObjects DROP COLUMN etag, DROP COLUMN size, DROP COLUMN componenttype, DROP COLUMN firstoccurence,
  DROP COLUMN lastoccurence, DROP COLUMN uid;
ALTER TABLE calendars CHANGE synctoken ctag int(10) unsigned NOT NULL DEFAULT 1;
DROP TABLE calendarsubscriptions;
DROP TABLE groupmembers;
