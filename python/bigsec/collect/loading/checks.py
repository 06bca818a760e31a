"""What no single value shows: values that cannot go together, and the files that are named."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from bigsec.collect.loading.judging import Judge
from bigsec.collect.loading.places import KeyPath
from bigsec.collect.settings import RETENTION_DAYS_FLOOR, Section, Settings
from bigsec.errors import Problem

__all__ = ["contradictions", "file_faults"]

_APPROVALS = 2
_SECRET_FILES = frozenset({"token_file", "key_file", "keeper_token_file"})


def contradictions(settings: Settings, judge: Judge) -> list[Problem]:
    """Values that are right each for itself and cannot go together."""
    return [
        *_same_address(settings, judge),
        *_one_stdin(settings, judge),
        *_retention(settings, judge),
        *_two_sinks_one_file(settings, judge),
    ]


def _same_address(settings: Settings, judge: Judge) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {("tcp", settings.admin.listen): "[admin]"}
    for name, source in settings.sources.items():
        listen = getattr(source, "listen", None)
        if listen is None:
            continue
        protocol = "udp" if source.type == "syslog_udp" else "tcp"
        other = taken.setdefault((protocol, listen), f"[sources.{name}]")
        if other != f"[sources.{name}]":
            message = f"[sources.{name}] listens where {other} does: {listen}"
            yield judge.contradiction(
                ("sources", name, "listen"), message, "give it a port of its own"
            )


def _one_stdin(settings: Settings, judge: Judge) -> Iterator[Problem]:
    named = [name for name, source in settings.sources.items() if source.type == "stdin"]
    for name in named[1:]:
        message = f"[sources.{name}] reads stdin, which [sources.{named[0]}] reads already"
        yield judge.contradiction(("sources", name), message, "leave one of them out")


def _retention(settings: Settings, judge: Judge) -> Iterator[Problem]:
    log = settings.log
    if log.retention_days < RETENTION_DAYS_FLOOR and len(set(log.approvers)) < _APPROVALS:
        message = f"`log.retention_days` is below {RETENTION_DAYS_FLOOR}, and nobody can approve it"
        mend = (
            f"keep records {RETENTION_DAYS_FLOOR} days or longer, or name two keys in "
            "`log.approvers` and have both sign with `bigsec evidence approve`"
        )
        yield judge.contradiction(("log", "retention_days"), message, mend)


def _two_sinks_one_file(settings: Settings, judge: Judge) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name, sink in settings.sinks.items():
        if sink.type != "file":
            continue
        path = os.path.abspath(sink.path)
        other = taken.setdefault(path, name)
        if other != name:
            message = f"[sinks.{name}] writes the file of [sinks.{other}]: {sink.path}"
            yield judge.contradiction(("sinks", name, "path"), message, "give it a file of its own")


def file_faults(settings: Settings, judge: Judge) -> list[Problem]:
    """Files of secrets and certificates that are missing, or that others can read."""
    return [
        fault
        for path, value in _files(settings, ())
        if (fault := _file_fault(path, value, judge)) is not None
    ]


def _files(section: Section, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for key in type(section).model_fields:
        value = getattr(section, key)
        here = (*path, key)
        if isinstance(value, Section):
            yield from _files(value, here)
        elif isinstance(value, dict):
            for name, below in value.items():
                yield from _files(below, (*here, name))
        elif key.endswith("_file") and isinstance(value, str):
            yield here, value


def _file_fault(path: KeyPath, value: str, judge: Judge) -> Problem | None:
    key = ".".join(map(str, path))
    try:
        status = os.stat(value)
    except OSError as error:
        code, name = "BS4202", "config.unreadable"
        message = f"`{key}`: {value} cannot be read: {error.strerror}"
        mend = "check the path; it is read by the user that the daemon runs as"
        if path == ("log", "key_file"):
            mend = f"make a key with `bigsec evidence keygen {value}`"
        return judge.file_fault(code, name, path, message, mend)
    # A group may read: that is how systemd hands a credential over.
    open_to_others = status.st_mode & (stat.S_IWGRP | stat.S_IRWXO)
    if str(path[-1]) in _SECRET_FILES and open_to_others:
        message = (
            f"`{key}`: {value} can be read by others (mode {stat.S_IMODE(status.st_mode):04o})"
        )
        return judge.file_fault("BS4207", "config.secret", path, message, f"chmod o= {value}")
    return None
