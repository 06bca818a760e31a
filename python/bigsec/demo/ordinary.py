"""What happens on any day: people log on, read pages, programs start.

No rule may find anything in it but what bots leave behind, and that at the lowest levels alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from bigsec.demo.estate import (
    ADMINISTRATORS,
    BASTION,
    BOTS,
    DOMAIN,
    FILES,
    OFFICE,
    RESOLVER,
    SERVERS,
    STAFF,
    VISITORS,
    WEB,
)
from bigsec.demo.journal import ACCESS, DNS, EVE, LINUX, WINDOWS, Journal
from bigsec.demo.journal import OFFICE as OFFICE_FILE
from bigsec.demo.render import SYSMON, access, dns, eve, syslog, windows

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0.0.0 Mobile Safari/537.36",
)
PAGES = (
    ("/", 18240),
    ("/services/permits", 9120),
    ("/services/permits?district=7&page=2", 8810),
    ("/news/2026/road-works", 12044),
    ("/search?q=union+office+opening+hours", 7300),
    ("/search?q=select+a+school", 7122),
    ("/static/site.css", 15011),
    ("/static/app.js", 48210),
    ("/images/crest.png", 20333),
    ("/download?file=form-a3.pdf", 81234),
)
COMMANDS = (
    "/usr/bin/systemctl restart nginx",
    "/usr/bin/apt-get update",
    "/usr/bin/tail -n 100 /var/log/syslog",
    "/usr/bin/journalctl -u postgresql",
)
PROGRAMS = (
    (r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE", "permit-2217.docx"),
    (r"C:\Program Files\Mozilla Firefox\firefox.exe", "-osint -url https://intranet.corp.example/"),
    (r"C:\Windows\System32\notepad.exe", r"C:\Users\Public\Documents\readme.txt"),
    (r"C:\Windows\System32\rundll32.exe", "shell32.dll,Control_RunDLL timedate.cpl"),
    (
        r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        r"-ExecutionPolicy RemoteSigned -File C:\Scripts\inventory.ps1 -Encoding UTF8",
    ),
)
DOMAINS = (
    ("intranet.corp.example", "10.20.1.21"),
    ("mail.corp.example", "10.20.1.22"),
    ("update.vendor.example", "192.0.2.120"),
    ("www.example.org", "192.0.2.121"),
    ("wpad.corp.example", "-"),
)
JOBS = (
    "/usr/local/bin/report --out /srv/reports/day.csv",
    "find /tmp -mtime +7 -delete",
    "curl -fsS https://status.corp.example/ping/7 > /dev/null",
    "test -x /usr/sbin/anacron || run-parts /etc/cron.daily",
)
PROBES = ("wp-login.php", ".env", "phpmyadmin/index.php", "boaform/admin/formLogin")


def write(journal: Journal, end: datetime, dice: random.Random) -> None:
    """A day's worth of every file."""
    for tell, count in (
        (_session, 1_000),
        (_job, 2_500),
        (_page, 12_000),
        (_program, 2_500),
        (_logon, 3_500),
        (_traffic, 6_000),
        (_office, 5_000),
        (_name, 5_000),
        (_bot, 4),
    ):
        for at in _times(end, dice, count):
            tell(journal, at, dice)


def _times(end: datetime, dice: random.Random, count: int) -> Iterator[datetime]:
    """Moments of the day before `end`; two of three in its last ten hours, when people work."""
    for _ in range(count):
        hours = dice.uniform(0.5, 10) if dice.random() < 0.67 else dice.uniform(10, 23.5)
        yield end - timedelta(hours=hours)


def _session(journal: Journal, at: datetime, dice: random.Random) -> None:
    """An administrator logs on with a key, and sometimes orders something as root."""
    who, host, pid = dice.choice(ADMINISTRATORS), dice.choice(SERVERS), dice.randrange(2000, 60000)
    source = who.desk.ip if host is BASTION else BASTION.ip
    port = dice.randrange(40000, 65000)
    if dice.random() < 0.08:
        failed = f"Failed password for {who.login} from {source} port {port} ssh2"
        journal.add(LINUX, at - timedelta(seconds=9), syslog(at, host, "sshd", failed, pid))
    accepted = (
        f"Accepted publickey for {who.login} from {source} port {port} ssh2: ED25519 "
        f"SHA256:{_token(dice, 43)}"
    )
    journal.add(LINUX, at, syslog(at, host, "sshd", accepted, pid))
    opened = (
        f"pam_unix(sshd:session): session opened for user {who.login}(uid={who.uid}) by (uid=0)"
    )
    journal.add(LINUX, at, syslog(at, host, "sshd", opened, pid))
    if dice.random() < 0.5:
        later = at + timedelta(seconds=dice.randrange(20, 400))
        order = (
            f"{who.login} : TTY=pts/{dice.randrange(4)} ; PWD=/home/{who.login} ; USER=root ; "
            f"COMMAND={dice.choice(COMMANDS)}"
        )
        journal.add(LINUX, later, syslog(later, host, "sudo", order))
    gone = at + timedelta(seconds=dice.randrange(500, 1700))
    closed = f"pam_unix(sshd:session): session closed for user {who.login}"
    journal.add(LINUX, gone, syslog(gone, host, "sshd", closed, pid))


def _job(journal: Journal, at: datetime, dice: random.Random) -> None:
    """A job runs by the clock."""
    host, pid = dice.choice(SERVERS), dice.randrange(2000, 60000)
    opened = "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
    closed = "pam_unix(cron:session): session closed for user root"
    journal.add(LINUX, at, syslog(at, host, "CRON", opened, pid))
    journal.add(LINUX, at, syslog(at, host, "CRON", f"(root) CMD ({dice.choice(JOBS)})", pid + 1))
    journal.add(LINUX, at, syslog(at, host, "CRON", closed, pid))


def _page(journal: Journal, at: datetime, dice: random.Random) -> None:
    """Someone reads a page, or sends a form."""
    client, agent = dice.choice(VISITORS), dice.choice(BROWSERS)
    if dice.random() < 0.05:
        line = access(at, client, "POST /services/permits/apply HTTP/1.1", 302, 0, agent)
    else:
        path, size = dice.choice(PAGES)
        status, size = (404, 512) if dice.random() < 0.02 else (200, size + dice.randrange(200))
        referrer = "https://www.city.example/" if dice.random() < 0.6 else "-"
        line = access(at, client, f"GET {path} HTTP/1.1", status, size, agent, referrer)
    journal.add(ACCESS, at, line)


def _program(journal: Journal, at: datetime, dice: random.Random) -> None:
    """Someone starts a program at a desk."""
    who, (image, arguments) = dice.choice(STAFF), dice.choice(PROGRAMS)
    data: dict[str, object] = {
        "ProcessId": dice.randrange(1000, 20000),
        "Image": image,
        "OriginalFileName": image.rsplit("\\", 1)[-1],
        "CommandLine": f'"{image}" {arguments}',
        "CurrentDirectory": f"C:\\Users\\{who.login}\\",
        "User": rf"CORP\{who.login}",
        "IntegrityLevel": "Medium",
        "ParentImage": r"C:\Windows\explorer.exe",
        "ParentCommandLine": r"C:\Windows\Explorer.EXE",
    }
    journal.add(WINDOWS, at, windows(at, who.desk, SYSMON, 1, data))


def _logon(journal: Journal, at: datetime, dice: random.Random) -> None:
    """Someone logs on to the domain or opens a share."""
    who, host = dice.choice(STAFF), dice.choice((DOMAIN, FILES))
    data: dict[str, object] = {
        "TargetUserName": who.login,
        "TargetDomainName": "CORP",
        "TargetLogonId": f"0x{dice.randrange(1 << 24):x}",
        "LogonType": 3,
        "AuthenticationPackageName": "Kerberos",
        "WorkstationName": who.desk.name.upper(),
        "IpAddress": who.desk.ip,
        "IpPort": str(dice.randrange(49152, 65535)),
    }
    journal.add(WINDOWS, at, windows(at, host, "Security", 4624, data))


def _traffic(journal: Journal, at: datetime, dice: random.Random) -> None:
    """The sensor sees a page read, or has a small complaint."""
    who, port = dice.choice(STAFF), dice.randrange(49152, 65535)
    source = (who.desk.ip, port)
    if dice.random() < 0.95:
        seen = {"hostname": "www.city.example", "url": dice.choice(PAGES)[0], "http_method": "GET"}
        read = eve(at, "http", source, (WEB.ip, 80), http=seen | {"status": 200})
        journal.add(EVE, at, read)
    else:
        alert = {
            "action": "allowed",
            "gid": 1,
            "signature_id": 9000017,
            "rev": 2,
            "signature": "DEMO POLICY Cleartext update check",
            "category": "Potential Corporate Privacy Violation",
            "severity": 3,
        }
        journal.add(EVE, at, eve(at, "alert", source, (WEB.ip, 80), alert=alert))


def _name(journal: Journal, at: datetime, dice: random.Random) -> None:
    """A host looks up a name."""
    asking = dice.choice((*SERVERS, *(who.desk for who in STAFF)))
    name, answer = dice.choice(DOMAINS)
    source = (asking.ip, dice.randrange(1024, 65535))
    journal.add(DNS, at, dns(at, source, RESOLVER.ip, name, answer))


def _bot(journal: Journal, at: datetime, dice: random.Random) -> None:
    """A bot tries a page that is not there, as on every server."""
    request = f"GET /{dice.choice(PROBES)} HTTP/1.1"
    journal.add(ACCESS, at, access(at, dice.choice(BOTS), request, 404, 512, BROWSERS[1]))


def _office(journal: Journal, at: datetime, dice: random.Random) -> None:
    """The office system tells in Chinese who did what; the host guard that all is well."""
    who, pid = dice.choice(STAFF), 812
    text = dice.choice(
        (
            f"用户 {who.name} 登录成功 来源 {who.desk.ip}",
            f"用户 {who.name} 查阅公文 编号 {dice.randrange(1000, 9999)}",
            f"用户 {who.name} 提交审批 流程 请假申请",
            f"用户 {who.name} 退出系统",
        )
    )
    journal.add(OFFICE_FILE, at, syslog(at, OFFICE, "oa", text, pid))
    if dice.random() < 0.15:
        host = dice.choice(SERVERS)
        report = "例行扫描完成 发现威胁 0 个"
        journal.add(OFFICE_FILE, at, syslog(at, host, "hostguard", report, 331))


def _token(dice: random.Random, length: int) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "".join(dice.choices(alphabet, k=length))
