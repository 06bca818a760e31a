"""Log files that a command about rules looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.scan import inputs_of
from bigsec.cli.wording import text
from bigsec.collect import find_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bigsec._core import Batch
    from bigsec.cli.stop import Stop
    from bigsec.cli.talk import Talk
    from bigsec.collect import FoundInputs

OverOption = Annotated[
    list[str] | None, typer.Option("--over", metavar="PATH", help=text("rules.over"))
]


def found_over(over: list[str], talk: Talk) -> FoundInputs:
    """What `--over` names; what is not there is told."""
    found = find_inputs(path for path in over if path != "-")
    talk.show(found.problems)
    return found


def is_broken(found: FoundInputs) -> bool:
    """Whether something that was named is not there; what a folder leaves out (BS1107) is not."""
    return any(one.code != "BS1107" for one in found.problems)


def batches_over(
    over: list[str], found: FoundInputs, talk: Talk, stop: Stop, *, form: str | None, timezone: str
) -> Iterator[Batch]:
    """The events of log files, with a progress bar; ends where a stop is asked for."""
    from bigsec import EventReader, default_packs

    reader = EventReader(
        inputs_of(over, found, stop), default_packs(), format=form, timezone=timezone
    )
    progress = talk.progress()
    for batch in reader:
        yield batch
        progress.update(*reader.progress())
        if stop.requested:
            break
    progress.clear()
