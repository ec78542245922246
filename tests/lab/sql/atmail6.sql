-- SPDX-License-Identifier: GPL-3.0-or-later
-- What Atmail 6 has otherwise than an early 7 (run after atmail7-early.sql): no storage of files, no photos, two more
-- tables of calendars, and 5.x types.

UPDATE Config SET value = '6.6.3' WHERE `key` = 'version';

DROP TABLE SharedFiles;
ALTER TABLE Abook DROP COLUMN isCompany, DROP COLUMN UserPhoto;
ALTER TABLE UserSession MODIFY Password varchar(64) DEFAULT NULL;

CREATE TABLE calendarDelegates (
  calendarid  int(11) unsigned NOT NULL,
  principalid int(11) unsigned NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE calendarExtendedData (
  id      int(11) unsigned NOT NULL AUTO_INCREMENT,
  Account varchar(128) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;
