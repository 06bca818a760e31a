"""`bigsec run`: the daemon."""

from __future__ import annotations

import signal
import sys
import warnings
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.configuration import ConfigOption, SetOption, load_config
from bigsec.cli.exits import Exit, exit_of
from bigsec.cli.options import ColorOption
from bigsec.cli.problems import show_error
from bigsec.cli.terminal import Color, console, is_terminal, visible
from bigsec.cli.wording import text
from bigsec.errors import BigsecError, EvidenceError, StoreFullError, StoreLockedError

if TYPE_CHECKING:
    from bigsec.collect.own_log import OwnLog

# Waiting or a restart mends these: another process ends, space is freed, a broken store is moved
# aside by the next start. Everything else needs a person, and a restart that cannot help must not
# be tried for ever.
PASSING = frozenset({"BS3105", "BS4211", "BS5001", "BS5002", "BS5003"})


class LogForm(StrEnum):
    """The form of the daemon's log of itself."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


LogFormOption = Annotated[
    LogForm,
    typer.Option("--log-format", metavar="FORM", help=text("run.log_format"), show_default=False),
]


SuperviseOption = Annotated[
    bool, typer.Option("--supervise", help=text("run.supervise"), show_default=False)
]


class Wishes:
    """What signals ask for; a second request to stop ends the program at once."""

    def __init__(self) -> None:
        self.stop = False
        self.reload = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._reload)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.stop = True

    def _reload(self, number: int, frame: FrameType | None) -> None:
        self.reload = True


def run(
    config: ConfigOption = None,
    sets: SetOption = None,
    log_format: LogFormOption = LogForm.AUTO,
    supervise: SuperviseOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Run the daemon."""
    if supervise:
        return _supervise(config, sets, log_format, color)
    wishes = Wishes()
    loaded = load_config(config, sets)
    log = own_log(log_format)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", RuntimeWarning)
            return _serve(loaded, wishes, log, lambda: load_config(config, sets), warned)
    except BigsecError as error:
        # Said where people look and where programs do; on a terminal they are the same place.
        if log_format is LogForm.AUTO and is_terminal(sys.stderr):
            show_error(error, console(color, err=True))
        else:
            log.failed(error)
        return _exit(error)


def _supervise(
    configs: list[str] | None, sets: list[str] | None, log_format: LogForm, color: Color
) -> int:
    """Run the daemon in a process of its own."""
    from bigsec.collect.supervising import Supervisor

    command = [sys.executable, "-m", "bigsec", "run", "--log-format", log_format, "--color", color]
    command += [part for one in configs or [] for part in ("--config", one)]
    command += [part for one in sets or [] for part in ("--set", one)]
    return Supervisor(command, own_log(log_format)).run()


def _serve(loaded: Any, wishes: Wishes, log: OwnLog, read_again: Any, warned: list[Any]) -> int:
    from bigsec.cli.detection import Detection
    from bigsec.collect.service import Service
    from bigsec.store import live_store

    with live_store(Path(loaded.settings.data_dir) / "store") as live:
        for one in warned:
            log.warning("store.sqlite_old", str(one.message))
        Service(loaded, live, Detection(), wishes=wishes, log=log, read_again=read_again).run()
    return Exit.DONE


def own_log(form: LogForm) -> OwnLog:
    """The daemon's log of itself on stderr: text for a terminal, else JSON."""
    from bigsec.collect.own_log import OwnLog

    as_text = form is LogForm.TEXT or (form is LogForm.AUTO and is_terminal(sys.stderr))
    return OwnLog(sys.stderr, _line if as_text else None)


def _line(entry: dict[str, Any]) -> str:
    """An entry as a person reads it: local time, level, text, and what else fits into a line."""
    moment = datetime.fromisoformat(entry["time"]).astimezone().strftime("%H:%M:%S")
    level = text(f"log_level.{entry['level']}")
    known = {"time", "level", "code", "text"}
    plain = {name: value for name, value in entry.items() if not isinstance(value, dict | list)}
    more = "".join(f"  {name}={value}" for name, value in plain.items() if name not in known)
    return visible(f"{moment} {level} {entry['text']}{more}")


def _exit(error: BigsecError) -> Exit:
    if error.code in PASSING or isinstance(error, StoreFullError | StoreLockedError):
        return Exit.UNAVAILABLE
    if isinstance(error, EvidenceError):
        return Exit.CONFIGURATION
    code = exit_of(error)
    return Exit.CONFIGURATION if code is Exit.BAD_INPUT else code
