"""What every command does around its work: where it writes, how it speaks, how it shows faults."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigsec.cli import problems
from bigsec.cli.output import Format, choose
from bigsec.cli.progress import Progress
from bigsec.cli.terminal import Color, console, is_terminal
from bigsec.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Talk:
    """The form of a command's output."""

    form: Format
    color: Color
    quiet: bool = False
    verbose: bool = False

    @classmethod
    def of(
        cls,
        form: Format | None,
        json: bool,
        color: Color,
        *,
        quiet: bool = False,
        verbose: bool = False,
    ) -> Talk:
        """From a command's options."""
        return cls(choose(form, json), color, quiet, verbose)

    @property
    def out(self) -> Console:
        """Where data for people goes."""
        return console(self.color)

    @property
    def err(self) -> Console:
        """Where talk goes."""
        return console(self.color, err=True)

    def progress(self, *, beside_data: bool = False) -> Progress:
        """A progress line that knows whether to be seen.

        beside_data: results go to stdout meanwhile; on one terminal the two would mix.
        """
        mixed = beside_data and is_terminal(sys.stdout)
        live = is_terminal(sys.stderr) and not self.quiet and not mixed
        return Progress(sys.stderr, live=live, plain=self.verbose and not self.quiet)

    def say(self, told: str) -> None:
        """A remark, unless the user asked for quiet."""
        if not self.quiet:
            self.err.print(told, soft_wrap=True)

    def show(self, faults: Sequence[Problem]) -> None:
        """Faults are shown also when quiet: errors all, warnings unless quiet."""
        shown = [one for one in faults if problems.is_error(one) or not self.quiet]
        problems.show(shown, self.err)
