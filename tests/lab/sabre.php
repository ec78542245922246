<?php
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What PHP's own web server runs for every request: SabreDAV with its own backends, as Atmail 7 has it, over the tables
// that tests/lab/sabre.py has made. Principals are principals/users/<address>, as in Atmail.

error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
ini_set('display_errors', '0');
date_default_timezone_set('UTC');
require_once 'Sabre/autoload.php';

/** Basic authentication with the digests that the Digest backend has, too. */
class LabBasic extends \Sabre\DAV\Auth\Backend\AbstractBasic
{
    private $pdo;

    public function __construct($pdo)
    {
        $this->pdo = $pdo;
    }

    protected function validateUserPass($username, $password)
    {
        $found = $this->pdo->prepare('SELECT digesta1 FROM users WHERE username = ?');
        $found->execute([$username]);
        return hash_equals((string) $found->fetchColumn(), md5($username . ':' . getenv('LAB_REALM') . ':' . $password));
    }
}

$pdo = new PDO(getenv('LAB_DSN'), getenv('LAB_USER'), getenv('LAB_PASSWORD'));
$pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$principals = new \Sabre\DAVACL\PrincipalBackend\PDO($pdo);
$server = new \Sabre\DAV\Server([
    new \Sabre\DAV\SimpleCollection('principals', [new \Sabre\CalDAV\Principal\Collection($principals, 'principals/users')]),
    new \Sabre\CalDAV\CalendarRootNode($principals, new \Sabre\CalDAV\Backend\PDO($pdo), 'principals/users'),
    new \Sabre\CardDAV\AddressBookRoot($principals, new \Sabre\CardDAV\Backend\PDO($pdo), 'principals/users'),
]);
$server->setBaseUri('/');
$log_in = getenv('LAB_DIGEST') ? new \Sabre\DAV\Auth\Backend\PDO($pdo) : new LabBasic($pdo);
$server->addPlugin(new \Sabre\DAV\Auth\Plugin($log_in, getenv('LAB_REALM')));
$calendars = new \Sabre\CalDAV\Plugin();
$calendars->setIMipHandler(new \Sabre\CalDAV\Schedule\IMip('calendars@' . getenv('LAB_DOMAIN')));
$server->addPlugin($calendars);
$server->addPlugin(new \Sabre\CardDAV\Plugin());
$rights = new \Sabre\DAVACL\Plugin();
$rights->defaultUsernamePath = 'principals/users';
$server->addPlugin($rights);
$server->exec();
