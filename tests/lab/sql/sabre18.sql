-- SPDX-License-Identifier: GPL-3.0-or-later
-- What SabreDAV 1.8 has otherwise than 3.0, whose tables atmail7.sql has (run after that), and its users and address
-- books, which Atmail keeps elsewhere.

ALTER TABLE calendars CHANGE synctoken ctag int(10) unsigned NOT NULL DEFAULT 1;
ALTER TABLE principals ADD COLUMN vcardurl varchar(255) DEFAULT NULL;

CREATE TABLE users (
  id       int unsigned NOT NULL AUTO_INCREMENT,
  username varchar(128) NOT NULL,
  digesta1 varchar(32)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY username (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE addressbooks (
  id           int unsigned NOT NULL AUTO_INCREMENT,
  principaluri varchar(255) DEFAULT NULL,
  displayname  varchar(255) DEFAULT NULL,
  uri          varchar(200) DEFAULT NULL,
  description  text         DEFAULT NULL,
  ctag         int unsigned NOT NULL DEFAULT 1,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE cards (
  id            int unsigned NOT NULL AUTO_INCREMENT,
  addressbookid int unsigned NOT NULL,
  carddata      mediumblob   DEFAULT NULL,
  uri           varchar(200) DEFAULT NULL,
  lastmodified  int unsigned DEFAULT NULL,
  PRIMARY KEY (id),
  KEY addressbookid (addressbookid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
