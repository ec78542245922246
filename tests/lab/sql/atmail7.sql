-- SPDX-License-Identifier: GPL-3.0-or-later
-- The tables of an on-premises Atmail 7 that a migration reads, as far as they are publicly known.
--
-- Written anew after the published table and column names; where a type is not known, the 5.x type or the smallest
-- sensible one stands here. Old and new character sets stand side by side on purpose (`utf8` is three-byte UTF-8 on
-- every server of that time; `latin1` on the tables that were never converted), and so do the engines.
--
-- Holds the site's Config, and no account: those come from the lab's generator.

SET NAMES utf8mb4;

-- Accounts and passwords. Password has no scheme prefix: the site's scheme is in Config (userPasswordEncryptionType).
CREATE TABLE UserSession (
  Account     varchar(128) NOT NULL DEFAULT '',
  Password    varchar(128) DEFAULT NULL,
  SessionID   varchar(64)  DEFAULT NULL,
  LastLogin   int(10) unsigned DEFAULT NULL,          -- Unix time
  PasswordMD5 varchar(64)  DEFAULT NULL,
  SessionData text         DEFAULT NULL,
  ChangePass  int(1)       DEFAULT NULL,
  lifetime    int(10) unsigned DEFAULT 120,
  CalUser     int(1)       DEFAULT 0,                  -- 0 or NULL: an ordinary account
  PRIMARY KEY (Account),
  KEY SessionID (SessionID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

-- Profile and delivery. UserStatus: 0 or NULL is enabled. UserQuota: KB; 0 or NULL is unlimited. Forward and AutoReply
-- are stored with HTML entities.
CREATE TABLE Users (
  Account          varchar(128) NOT NULL DEFAULT '',
  PasswordQuestion varchar(64)  DEFAULT NULL,
  OtherEmail       varchar(128) DEFAULT NULL,
  FirstName        varchar(96)  DEFAULT NULL,
  LastName         varchar(96)  DEFAULT NULL,
  BirthDay         smallint(2)  DEFAULT NULL,
  BirthMonth       smallint(2)  DEFAULT NULL,
  BirthYear        smallint(4)  DEFAULT NULL,
  Gender           char(1)      DEFAULT NULL,
  Industry         varchar(42)  DEFAULT NULL,
  Occupation       varchar(40)  DEFAULT NULL,
  Address          varchar(96)  DEFAULT NULL,
  City             varchar(96)  DEFAULT NULL,
  PostCode         varchar(36)  DEFAULT NULL,
  State            varchar(24)  DEFAULT NULL,
  Country          varchar(32)  DEFAULT NULL,
  DateModified     timestamp    NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  DateCreate       timestamp    NULL DEFAULT NULL,
  id               mediumint(8) unsigned NOT NULL AUTO_INCREMENT,
  TelHome          varchar(16)  DEFAULT NULL,
  FaxHome          varchar(16)  DEFAULT NULL,
  TelWork          varchar(16)  DEFAULT NULL,
  FaxWork          varchar(16)  DEFAULT NULL,
  TelMobile        varchar(16)  DEFAULT NULL,
  TelPager         varchar(16)  DEFAULT NULL,
  Ugroup           varchar(16)  DEFAULT NULL,
  UserStatus       int(1)       DEFAULT NULL,
  MailDir          varchar(255) DEFAULT NULL,
  Forward          varchar(128) DEFAULT NULL,
  AutoReply        text         DEFAULT NULL,
  UserQuota        mediumint(8) unsigned DEFAULT NULL,
  PRIMARY KEY (id),
  KEY Account (Account)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE UserSettings (
  Account       varchar(128) NOT NULL DEFAULT '',
  RealName      varchar(40)  DEFAULT NULL,
  ReplyTo       varchar(255) DEFAULT NULL,
  Signature     text         DEFAULT NULL,
  TimeZone      varchar(32)  DEFAULT NULL,
  Language      varchar(10)  DEFAULT NULL,
  MailType      varchar(4)   DEFAULT NULL,
  Mode          varchar(4)   DEFAULT NULL,
  MailServer    varchar(64)  DEFAULT NULL,             -- an external IMAP host: the mailbox is not here
  UseSSL        tinyint(1)   DEFAULT NULL,
  SpamTreatment varchar(10)  DEFAULT NULL,
  AbookTrusted  tinyint(1)   DEFAULT NULL,
  DateFormat    varchar(16)  DEFAULT NULL,
  TimeFormat    varchar(16)  DEFAULT NULL,
  EmailEncoding varchar(16)  DEFAULT NULL,
  cssStyleTheme varchar(32)  DEFAULT NULL,
  PRIMARY KEY (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE Domains (
  Hostname varchar(255) NOT NULL DEFAULT '',
  Enable   char(1)      DEFAULT '1',
  PRIMARY KEY (Hostname)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- Five kinds of alias in one table; several rows of one AliasName are a fan-out.
CREATE TABLE MailAliases (
  AliasName    varchar(200) DEFAULT NULL,
  AliasTo      varchar(200) DEFAULT NULL,
  Domain       varchar(128) DEFAULT NULL,
  DateCreate   datetime     DEFAULT NULL,
  id           bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  AliasMailDir varchar(200) DEFAULT NULL,
  PRIMARY KEY (id),
  KEY AliasName (AliasName)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- SpamAssassin's user preferences; whitelist_from and blacklist_from have one row per address, GLOBAL is site-wide.
CREATE TABLE SpamSettings (
  username   varchar(255) NOT NULL DEFAULT '',
  preference varchar(30)  NOT NULL DEFAULT '',
  value      varchar(100) NOT NULL DEFAULT '',
  prefid     int(11)      NOT NULL AUTO_INCREMENT,
  domain     varchar(128) DEFAULT NULL,
  PRIMARY KEY (prefid),
  KEY username (username)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

CREATE TABLE awl (
  username  varchar(100) NOT NULL DEFAULT '',
  email     varchar(200) NOT NULL DEFAULT '',
  ip        varchar(10)  NOT NULL DEFAULT '',
  count     int(11)      DEFAULT 0,
  totscore  float        DEFAULT 0,
  IndexDate timestamp    NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (username, email, ip)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- Classes of service.
CREATE TABLE `Groups` (
  GroupName        varchar(64) NOT NULL DEFAULT '',
  GroupDescription varchar(255) DEFAULT NULL,
  GroupPrice       varchar(16) DEFAULT NULL,
  GroupQuota       mediumint(8) unsigned DEFAULT NULL,
  MailForwarding   int(1) DEFAULT NULL,
  SMSSupport       int(1) DEFAULT NULL,
  POP3Support      int(1) DEFAULT NULL,
  IMAPSupport      int(1) DEFAULT NULL,
  MultiSupport     int(1) DEFAULT NULL,
  PersonalSpam     int(1) DEFAULT NULL,
  GlobalAbookRead  int(1) DEFAULT NULL,
  GlobalAbook      int(1) DEFAULT NULL,
  AV               int(1) DEFAULT NULL,
  SpamSupport      int(1) DEFAULT NULL,
  Sync             int(1) DEFAULT NULL,
  PushSupport      int(1) DEFAULT NULL,
  GroupwareZone    varchar(64) DEFAULT NULL,
  Webmail          int(1) DEFAULT NULL,
  Calendar         int(1) DEFAULT NULL,
  SharedAbook      int(1) DEFAULT NULL,
  CalDAVServer     int(1) DEFAULT NULL,
  CardDAVServer    int(1) DEFAULT NULL,
  WebSyncShared    int(1) DEFAULT NULL,
  WebSyncGlobal    int(1) DEFAULT NULL,
  PRIMARY KEY (GroupName)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

-- The site's settings in the layout of late 7.x; 5, 6 and early 7 have `key` and `value` for keyName and keyValue.
CREATE TABLE Config (
  configId int(11) NOT NULL AUTO_INCREMENT,
  section  varchar(64)  NOT NULL DEFAULT '',
  keyName  varchar(64)  NOT NULL DEFAULT '',
  keyValue varchar(255) DEFAULT NULL,
  type     varchar(32)  DEFAULT NULL,
  PRIMARY KEY (configId),
  KEY section (section, keyName)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

INSERT INTO Config (section, keyName, keyValue, type) VALUES
  ('global',  'version',                           '7.8.0', 'String'),
  ('global',  'userPasswordEncryptionType',        'MD5',   'String'),
  ('global',  'externalUserPasswordEncryptionType', 'PLAIN', 'String'),
  ('global',  'usersFolderBaseName',               '/usr/local/atmail/users', 'String'),
  ('dovecot', 'authType',                          'sql',   'String');

-- External mailboxes that a user polls.
CREATE TABLE Accounts (
  UserAccount varchar(32)  DEFAULT NULL,
  Account     varchar(128) DEFAULT NULL,
  Type        varchar(4)   DEFAULT NULL,
  MailServer  varchar(64)  DEFAULT NULL,
  UseSSL      tinyint(1)   DEFAULT NULL,
  id          int(11) NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (id),
  KEY Account (Account)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

-- Contacts; Global = 1 is the account's own entry in the global address book, which holds the user's display name.
CREATE TABLE Abook (
  id              bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  Account         varchar(128) NOT NULL DEFAULT '',
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
  UserHomeAddress varchar(128) DEFAULT NULL,
  UserHomeCity    varchar(128) DEFAULT NULL,
  UserHomeState   varchar(128) DEFAULT NULL,
  UserHomeZip     varchar(128) DEFAULT NULL,
  UserHomeCountry varchar(128) DEFAULT NULL,
  UserHomePhone   varchar(128) DEFAULT NULL,
  UserHomeMobile  varchar(128) DEFAULT NULL,
  UserHomeFax     varchar(128) DEFAULT NULL,
  UserURL         varchar(128) DEFAULT NULL,
  UserWorkCompany varchar(128) DEFAULT NULL,
  UserWorkTitle   varchar(128) DEFAULT NULL,
  UserWorkDept    varchar(128) DEFAULT NULL,
  UserWorkOffice  varchar(128) DEFAULT NULL,
  UserWorkAddress varchar(128) DEFAULT NULL,
  UserWorkCity    varchar(128) DEFAULT NULL,
  UserWorkState   varchar(128) DEFAULT NULL,
  UserWorkZip     varchar(128) DEFAULT NULL,
  UserWorkCountry varchar(128) DEFAULT NULL,
  UserWorkPhone   varchar(128) DEFAULT NULL,
  UserWorkMobile  varchar(128) DEFAULT NULL,
  UserWorkFax     varchar(128) DEFAULT NULL,
  UserType        varchar(16)  DEFAULT NULL,
  UserInfo        text         DEFAULT NULL,
  UserPgpKey      text         DEFAULT NULL,
  UserPhoto       mediumtext   DEFAULT NULL,
  UserFileAs      varchar(255) DEFAULT NULL,
  EntryID         varchar(64)  DEFAULT NULL,
  DateAdded       datetime     DEFAULT NULL,
  DateModified    varchar(12)  DEFAULT NULL,
  `Global`        tinyint(1)   NOT NULL DEFAULT 0,
  isCompany       tinyint(1)   NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY Account (Account)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

CREATE TABLE AbookGroupNames (
  id        bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  GroupName varchar(128) DEFAULT NULL,
  Account   varchar(128) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

CREATE TABLE AbookGroup (
  GroupID bigint(20) unsigned NOT NULL,
  AbookID bigint(20) unsigned NOT NULL,
  Account varchar(128) DEFAULT NULL,
  KEY GroupID (GroupID)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

CREATE TABLE AbookPermissions (
  AbookID     bigint(20) unsigned DEFAULT NULL,
  Account     varchar(96) DEFAULT NULL,                -- an account, a group, a domain, or 'All Users'
  Permissions smallint(6) DEFAULT NULL,
  id          bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  Type        varchar(6)  DEFAULT NULL,
  Domain      varchar(64) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

CREATE TABLE AdminUsers (
  Username     varchar(64) NOT NULL DEFAULT '',
  Password     varchar(64) DEFAULT NULL,
  UMasterAdmin int(1)      DEFAULT 0,
  PRIMARY KEY (Username)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

-- Files of the webmail's storage, which does not migrate.
CREATE TABLE SharedFiles (
  id      bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  Account varchar(128) DEFAULT NULL,
  Name    varchar(255) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

-- Calendars: the tables of sabre/dav 3.0.
CREATE TABLE principals (
  id          int(11) unsigned NOT NULL AUTO_INCREMENT,
  uri         varbinary(200) NOT NULL,
  email       varbinary(80)  DEFAULT NULL,
  displayname varchar(80)    DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uri (uri)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE calendars (
  id            int(11) unsigned NOT NULL AUTO_INCREMENT,
  principaluri  varbinary(100) DEFAULT NULL,
  displayname   varchar(100)   DEFAULT NULL,
  uri           varbinary(200) DEFAULT NULL,
  synctoken     int(10) unsigned NOT NULL DEFAULT 1,
  description   text           DEFAULT NULL,
  calendarorder int(11) unsigned NOT NULL DEFAULT 0,
  calendarcolor varbinary(10)  DEFAULT NULL,
  timezone      text           DEFAULT NULL,
  components    varbinary(20)  DEFAULT NULL,
  transparent   tinyint(1)     NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY principaluri (principaluri, uri)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE calendarobjects (
  id             int(11) unsigned NOT NULL AUTO_INCREMENT,
  calendardata   mediumblob     DEFAULT NULL,
  uri            varbinary(200) DEFAULT NULL,
  calendarid     int(10) unsigned NOT NULL,
  lastmodified   int(11) unsigned DEFAULT NULL,
  etag           varbinary(32)  DEFAULT NULL,
  size           int(11) unsigned NOT NULL,
  componenttype  varbinary(8)   DEFAULT NULL,
  firstoccurence int(11) unsigned DEFAULT NULL,
  lastoccurence  int(11) unsigned DEFAULT NULL,
  uid            varbinary(200) DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY calendarid (calendarid, uri)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

-- Calendars elsewhere that users have subscribed to.
CREATE TABLE calendarsubscriptions (
  id           int(11) unsigned NOT NULL AUTO_INCREMENT,
  uri          varbinary(200)   DEFAULT NULL,
  principaluri varbinary(100)   NOT NULL,
  source       text             DEFAULT NULL,
  displayname  varchar(100)     DEFAULT NULL,
  lastmodified int(11) unsigned DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY principaluri (principaluri, uri)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

-- Who may read or change all of somebody's calendars: members of .../calendar-proxy-read and -write.
CREATE TABLE groupmembers (
  id           int(11) unsigned NOT NULL AUTO_INCREMENT,
  principal_id int(11) unsigned NOT NULL,
  member_id    int(11) unsigned NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY principal_id (principal_id, member_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;
