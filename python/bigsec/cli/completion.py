"""`bigsec completion`: the script that makes a shell complete our commands."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from bigsec.cli.usage import check_choice
from bigsec.cli.wording import text

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
# The variable by which the shell's script asks this program for completions.
VARIABLE = "_BIGSEC_COMPLETE"

ShellArgument = Annotated[
    str, typer.Argument(metavar="SHELL", help=text("completion.shell"), show_default=False)
]


def completion(ctx: typer.Context, shell: ShellArgument) -> int:
    """Print the script of a shell."""
    check_choice("SHELL", shell, SHELLS)
    os.environ[VARIABLE] = f"source_{shell}"
    # Prints the script and exits.
    ctx.find_root().command.main(args=[], prog_name="bigsec", complete_var=VARIABLE)
    return 0
