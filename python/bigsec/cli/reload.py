"""`bigsec reload`: let the running daemon read its configuration again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from bigsec.cli.configuration import ConfigOption, SetOption, load_config
from bigsec.cli.exits import Exit
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.wording import text
from bigsec.errors import DaemonError, Problem

# Thousands of rules are read in less.
WAIT_S = 60.0
_POLL_S = 0.1


def reload(
    config: ConfigOption = None,
    sets: SetOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Check the configuration, let the daemon take it, and show what changed."""
    from bigsec.collect.reloading import last_reload
    from bigsec.store import writer_of

    talk = Talk.of(form, json, color, quiet=quiet)
    data_dir = Path(load_config(config, sets).settings.data_dir)
    pid = writer_of(data_dir / "store")
    if pid is None:
        raise _away(text("reload.nobody", folder=visible(str(data_dir))))
    before = last_reload(data_dir)
    count = before["count"] if before else 0
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise _away(text("reload.no_right", pid=pid, reason=error.strerror or "")) from error
    result = _result(data_dir, count)
    return _tell(result, talk)


def _result(data_dir: Path, count: int) -> dict[str, Any]:
    from bigsec.collect.reloading import last_reload

    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        found = last_reload(data_dir)
        if found is not None and found["count"] > count:
            return found
        time.sleep(_POLL_S)
    raise _away(text("reload.no_answer", seconds=int(WAIT_S)))


def _tell(result: dict[str, Any], talk: Talk) -> int:
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, ())
        writer.write(result)
        writer.close()
    elif result["ok"]:
        for change in result["changes"]:
            old, new = (visible(str(change[one])) for one in ("old", "new"))
            talk.out.print(f"{visible(change['key'])}: {old} → {new}", soft_wrap=True)
        talk.say(text("reload.done", count=len(result["changes"])))
    if not result["ok"]:
        names = set(Problem.__dataclass_fields__)
        talk.show(
            [Problem(**{k: v for k, v in p.items() if k in names}) for p in result["problems"]]
        )
        talk.say(text("reload.refused"))
        return Exit.CONFIGURATION
    return Exit.DONE


def _away(message: str) -> DaemonError:
    code, name = "BS4209", "daemon.away"
    problem = Problem(code, name, message, mend=text("reload.mend"))
    return DaemonError(code, name, message, (problem,))
