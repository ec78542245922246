-- SPDX-License-Identifier: GPL-3.0-or-later
-- The tables of an on-premises Atmail 5 (and Open) that a migration reads, as far as they are publicly known.
--
-- Written anew after the published table and column names. Every table is latin1, as on servers of that time, whatever
-- programs have put into it. On a real site with MySQL there are many tables for each of UserSettings, Abook, AbookGroup,
-- MailSort, SpamDB, Calander, EmailMessage and UserPgp; the lab makes them of the one that stands here (generations.py).
--
-- Holds no account: those come from the lab's generator.

SET NAMES utf8mb4;

-- Passwords in plain text, or crypt(3)'s; PasswordMD5 is the MD5 of what is stored.
CREATE TABLE UserSession (
  Account     varchar(128) NOT NULL DEFAULT '',
  Password    varchar(64)  DEFAULT NULL,
  SessionID   varchar(64)  DEFAULT NULL,
  LastLogin   int(10) unsigned DEFAULT NULL,
  PasswordMD5 varchar(64)  DEFAULT NULL,
  SessionData text         DEFAULT NULL,
  ChangePass  int(1)       DEFAULT NULL,
  PRIMARY KEY (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Users (
  Account          varchar(128) NOT NULL DEFAULT '',
  PasswordQuestion varchar(64)  DEFAULT NULL,
  OtherEmail       varchar(128) DEFAULT NULL,
  FirstName        varchar(96)  DEFAULT NULL,
  LastName         varchar(96)  DEFAULT NULL,
  DateModified     timestamp    NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  DateCreate       timestamp    NULL DEFAULT NULL,
  id               mediumint(8) unsigned NOT NULL AUTO_INCREMENT,
  TelMobile        varchar(16)  DEFAULT NULL,
  Ugroup           varchar(16)  DEFAULT NULL,
  UserStatus       int(1)       DEFAULT NULL,
  MailDir          varchar(255) DEFAULT NULL,
  Forward          varchar(128) DEFAULT NULL,
  AutoReply        text         DEFAULT NULL,
  UserQuota        mediumint(8) unsigned DEFAULT NULL,
  PRIMARY KEY (id),
  KEY Account (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE UserSettings (
  Account    varchar(128) NOT NULL DEFAULT '',
  RealName   varchar(40)  DEFAULT NULL,
  TimeZone   varchar(32)  DEFAULT NULL,
  ReplyTo    varchar(255) DEFAULT NULL,
  Signature  text         DEFAULT NULL,
  MailType   varchar(4)   DEFAULT NULL,
  Mode       varchar(4)   DEFAULT NULL,
  Language   varchar(10)  DEFAULT NULL,
  MailServer varchar(64)  DEFAULT NULL,
  UseSSL     tinyint(1)   DEFAULT NULL,
  PRIMARY KEY (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Accounts (
  UserAccount varchar(32)  DEFAULT NULL,
  Account     varchar(128) NOT NULL DEFAULT '',
  Type        varchar(4)   DEFAULT NULL,
  MailServer  varchar(64)  DEFAULT NULL,
  UseSSL      tinyint(1)   DEFAULT 0,
  KEY Account (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE MailSort (
  EmailAddress varchar(64)  DEFAULT NULL,
  EmailSubject varchar(64)  DEFAULT NULL,
  EmailFolder  varchar(32)  DEFAULT NULL,
  Account      varchar(128) NOT NULL DEFAULT '',
  KEY Account (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Filter (
  Header      varchar(32)  DEFAULT NULL,
  Value       varchar(255) DEFAULT NULL,
  Score       int(2)       DEFAULT NULL,
  Account     varchar(128) DEFAULT NULL,
  Type        int(1)       DEFAULT NULL,
  id          int(11) NOT NULL AUTO_INCREMENT,
  Origin      varchar(32)  DEFAULT NULL,
  Description varchar(255) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Abook (
  UserEmail       varchar(255) DEFAULT NULL,
  UserEmail2      varchar(255) DEFAULT NULL,
  UserEmail3      varchar(255) DEFAULT NULL,
  UserEmail4      varchar(255) DEFAULT NULL,
  UserEmail5      varchar(255) DEFAULT NULL,
  UserFirstName   varchar(128) DEFAULT NULL,
  UserMiddleName  varchar(128) DEFAULT NULL,
  UserLastName    varchar(128) DEFAULT NULL,
  UserTitle       varchar(128) DEFAULT NULL,
  UserGender      char(1)      DEFAULT NULL,
  UserDOB         datetime     DEFAULT NULL,
  UserHomeCity    varchar(128) DEFAULT NULL,
  UserHomePhone   varchar(128) DEFAULT NULL,
  UserHomeMobile  varchar(128) DEFAULT NULL,
  UserURL         varchar(128) DEFAULT NULL,
  UserWorkCompany varchar(128) DEFAULT NULL,
  UserWorkTitle   varchar(128) DEFAULT NULL,
  UserWorkPhone   varchar(128) DEFAULT NULL,
  UserType        varchar(16)  DEFAULT NULL,
  UserInfo        text         DEFAULT NULL,
  UserPgpKey      text         DEFAULT NULL,
  UserPhoto       mediumtext   DEFAULT NULL,
  UserFileAs      varchar(255) DEFAULT NULL,
  Account         varchar(128) NOT NULL DEFAULT '',
  id              bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  DateAdded       datetime     DEFAULT NULL,
  DateModified    varchar(12)  DEFAULT NULL,
  EntryID         varchar(64)  DEFAULT NULL,
  PRIMARY KEY (id),
  KEY Account (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Abook_shared LIKE Abook;

-- Members of groups are addresses, not entries.
CREATE TABLE AbookGroup (
  GroupName  varchar(32)  DEFAULT NULL,
  GroupEmail varchar(64)  DEFAULT NULL,
  Account    varchar(128) NOT NULL DEFAULT '',
  id         bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE AbookGroup_shared LIKE AbookGroup;

CREATE TABLE AbookPermissions (
  AbookID     mediumint(8) unsigned DEFAULT NULL,
  Account     varchar(96) NOT NULL DEFAULT '',         -- an account, a group, a domain, or 'All Users'
  Permissions smallint(1) DEFAULT NULL,
  id          bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  Type        varchar(6)  DEFAULT NULL,
  Domain      varchar(64) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- From here on what only the commercial editions have.

CREATE TABLE Domains (
  Hostname varchar(255) NOT NULL DEFAULT '',
  Enable   char(1)      DEFAULT NULL,
  PRIMARY KEY (Hostname)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE MailAliases (
  AliasName    varchar(200) DEFAULT NULL,
  AliasTo      varchar(200) DEFAULT NULL,
  Domain       varchar(128) DEFAULT NULL,
  DateCreate   datetime     DEFAULT NULL,
  id           bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  AliasMailDir varchar(200) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE `Groups` (
  GroupName        varchar(64)  NOT NULL DEFAULT '',
  GroupDescription varchar(64)  DEFAULT NULL,
  GroupPrice       varchar(5)   DEFAULT NULL,
  GroupQuota       mediumint(8) unsigned DEFAULT NULL,
  MailForwarding   int(1) DEFAULT NULL,
  SMSSupport       int(1) DEFAULT NULL,
  POP3Support      int(1) DEFAULT NULL,
  IMAPSupport      int(1) DEFAULT NULL,
  PersonalSpam     int(1) DEFAULT NULL,
  GlobalAbookRead  int(1) DEFAULT NULL,
  GlobalAbook      int(1) DEFAULT NULL,
  SpamSupport      int(1) DEFAULT NULL,
  PRIMARY KEY (GroupName)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE SpamSettings (
  username   varchar(255) NOT NULL DEFAULT '',
  preference varchar(30)  NOT NULL DEFAULT '',
  value      varchar(100) NOT NULL DEFAULT '',
  prefid     int(11)      NOT NULL AUTO_INCREMENT,
  domain     varchar(128) DEFAULT NULL,
  PRIMARY KEY (prefid)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE SpamDB (
  SpamEmail varchar(64)  NOT NULL DEFAULT '',
  Account   varchar(128) DEFAULT NULL,
  KEY SpamEmail (SpamEmail)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- Calendars (the misspelling is Atmail's): events, and tasks where Task is set, in Outlook's terms; no time zone anywhere.
CREATE TABLE Calander (
  Importance      smallint(1)  DEFAULT NULL,
  UserTo          varchar(64)  DEFAULT NULL,           -- whose it is
  UserFrom        varchar(64)  DEFAULT NULL,
  Title           varchar(255) DEFAULT NULL,
  DatePost        timestamp    NOT NULL DEFAULT current_timestamp(),
  CalMessage      text         DEFAULT NULL,
  Alert           smallint(3)  DEFAULT NULL,
  DateStart       datetime     NOT NULL DEFAULT '0000-00-00 00:00:00',
  DateEnd         datetime     DEFAULT NULL,
  id              mediumint(8) unsigned NOT NULL AUTO_INCREMENT,
  Type            varchar(16)  DEFAULT NULL,
  Task            smallint(1)  DEFAULT NULL,
  Ref             smallint(6)  DEFAULT NULL,
  Parent          tinyint(1)   DEFAULT NULL,
  Permission      tinyint(1)   DEFAULT NULL,
  EntryID         varchar(64)  DEFAULT NULL,
  DateModified    varchar(12)  DEFAULT NULL,
  Location        varchar(64)  DEFAULT NULL,
  AllDayEvent     smallint(1)  DEFAULT NULL,
  DateAlert       datetime     DEFAULT NULL,
  IsRecurring     int(11)      DEFAULT NULL,
  IsException     int(11)      DEFAULT NULL,
  DateAlertPeriod mediumint(8) unsigned DEFAULT 60,
  SMSalert        int(1)       DEFAULT NULL,
  Availability    varchar(16)  DEFAULT 'Busy',
  CalNameID       mediumint(8) unsigned DEFAULT NULL,
  PRIMARY KEY (id),
  KEY UserTo (UserTo)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE CalendarNames (
  CalName varchar(64) DEFAULT NULL,
  id      mediumint(12) unsigned NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE CalendarPermissions (
  CalID       mediumint(8) unsigned DEFAULT NULL,
  Account     varchar(128) NOT NULL DEFAULT '',
  Permissions smallint(1)  DEFAULT NULL,
  Type        varchar(6)   DEFAULT NULL,
  id          bigint(10) unsigned NOT NULL AUTO_INCREMENT,
  Domain      varchar(64)  DEFAULT NULL,
  CalNameID   mediumint(8) unsigned DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- How appointments repeat; linkid is an id in the account's own shard of Calander.
CREATE TABLE recurrencePatterns (
  id               int(11) NOT NULL AUTO_INCREMENT,
  account          varchar(128) DEFAULT NULL,
  RecurrenceType   int(11)  DEFAULT NULL,
  PatternStartDate datetime DEFAULT NULL,
  PatternEndDate   datetime DEFAULT NULL,
  NoEndDate        int(11)  DEFAULT NULL,
  Occurences       int(11)  DEFAULT NULL,
  skipInterval     int(11)  DEFAULT NULL,
  DayOfWeekMask    int(11)  DEFAULT NULL,
  DayOfMonth       int(11)  DEFAULT NULL,
  Instance         int(11)  DEFAULT NULL,
  Duration         int(11)  DEFAULT NULL,
  MonthOfYear      int(11)  DEFAULT NULL,
  linkid           int(11)  DEFAULT NULL,
  IsSimple         int(11)  DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- Messages of users whose mail is kept in the database.
CREATE TABLE EmailMessage (
  EmailMessage longtext DEFAULT NULL,
  id           bigint(12) unsigned NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE UserPgp (
  Account varchar(128) NOT NULL DEFAULT '',
  pubring mediumblob   DEFAULT NULL,
  secring mediumblob   DEFAULT NULL,
  PRIMARY KEY (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Config (
  configId int(11) NOT NULL AUTO_INCREMENT,
  section  varchar(255) NOT NULL,
  `key`    varchar(255) NOT NULL,
  value    varchar(255) NOT NULL,
  type     varchar(255) NOT NULL,
  PRIMARY KEY (configId)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

INSERT INTO Config (section, `key`, value, type) VALUES
  ('global', 'version', '5.6.3', 'String'),
  ('global', 'userPasswordEncryptionType', 'PLAIN', 'String');
