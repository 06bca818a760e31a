"""The command `bigsec`: its commands, and what becomes of what they raise."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from bigsec.cli import (
    completion,
    config,
    demo,
    evaluate,
    evidence,
    hunt,
    incidents,
    indicators,
    lake,
    packs,
    parse,
    perceive,
    query,
    reload,
    replay,
    rule_backtest,
    rule_cost,
    rule_coverage,
    rule_explanation,
    rule_tests,
    rules,
    scan,
    serve,
    silence,
    status,
    token,
    verify,
)
from bigsec.cli import run as daemon
from bigsec.cli.exits import DISK_FULL, Exit, exit_of
from bigsec.cli.help import HelpfulCommand, HelpfulGroup
from bigsec.cli.problems import render, show_error
from bigsec.cli.terminal import Color, console, visible
from bigsec.cli.usage import problem_of, unknown_command
from bigsec.cli.wording import text
from bigsec.errors import BigsecError, Problem


@dataclass(slots=True)
class Debug:
    """Whether a defect shows where it happened."""

    traceback: bool = False


class PipeClosed(Exception):
    """Whoever read our output went away, which is no fault."""


class Root(HelpfulGroup):
    """The top of the tree."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a closed pipe is told apart before the parser can make it an error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise PipeClosed from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command, or name the nearest."""
        return _resolve(super().resolve_command, self, ctx, args)


class Group(HelpfulGroup):
    """A command with commands below it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command, or name the nearest."""
        return _resolve(super().resolve_command, self, ctx, args)


def _resolve(resolve: Any, group: HelpfulGroup, ctx: Any, args: list[str]) -> Any:
    if args and not args[0].startswith("-") and args[0] not in group.commands:
        raise unknown_command(args[0], list(group.commands))
    return resolve(ctx, args)


app = typer.Typer(
    cls=Root,
    help=text("app.help"),
    epilog=text("app.epilog"),
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from bigsec import __version__

        typer.echo(f"bigsec {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_version, help=text("app.version")),
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", envvar="BIGSEC_TRACEBACK", help=text("app.traceback")),
    ] = False,
) -> None:
    """What stands before a command."""
    ctx.obj.traceback = traceback


def _register() -> None:
    """The list of commands, in the order of the help page."""
    _add(app, "scan", scan.scan, "scan.help")
    _add(app, "parse", parse.parse, "parse.help")
    _add(app, "perceive", perceive.perceive, "perceive.help")
    _add(app, "evaluate", evaluate.evaluate, "evaluate.help")
    _add(app, "query", query.query, "query.help")
    _add(app, "hunt", hunt.hunt, "hunt.help")
    _add(app, "run", daemon.run, "run.help")
    _add(app, "reload", reload.reload, "reload.help")
    _add(app, "status", status.status, "status.help")
    _add(app, "top", status.top, "top.help")
    _add(app, "verify", verify.verify, "verify.help")
    _add(app, "replay", replay.replay, "replay.help")
    groups = (
        ("config", config),
        ("evidence", evidence),
        ("lake", lake),
        ("incidents", incidents),
        ("silence", silence),
        ("rules", rules),
        ("indicators", indicators),
        ("packs", packs),
        ("token", token),
    )
    for name, group in groups:
        app.add_typer(group.app, name=name, cls=Group, no_args_is_help=True)
    _add(config.app, "init", config.init, "config.init_help")
    _add(config.app, "show", config.show, "config.show_help")
    _add(config.app, "check", config.check, "config.check_help")
    _add(config.app, "schema", config.schema, "config.schema_help")
    _add(evidence.app, "show", evidence.show, "evidence.show_help")
    _add(evidence.app, "export", evidence.export, "evidence.export_help")
    _add(evidence.app, "keygen", evidence.keygen, "evidence.keygen_help")
    _add(evidence.app, "rotate", evidence.rotate, "evidence.rotate_help")
    _add(evidence.app, "approve", evidence.approve, "evidence.approve_help")
    _add(lake.app, "fill", lake.fill, "lake.fill_help")
    _add(lake.app, "info", lake.info, "lake.info_help")
    _add(incidents.app, "list", incidents.list_stored, "incidents.list_help")
    _add(incidents.app, "show", incidents.show, "incidents.show_help")
    _add(silence.app, "add", silence.add, "silence.add_help")
    _add(silence.app, "list", silence.list_silences, "silence.list_help")
    _add(silence.app, "end", silence.end, "silence.end_help")
    _add(rules.app, "check", rules.check, "rules.check_help")
    _add(rules.app, "list", rules.list_rules, "rules.list_help")
    _add(rules.app, "test", rule_tests.try_cases, "rules.test_help")
    _add(rules.app, "backtest", rule_backtest.backtest, "rules.backtest_help")
    _add(rules.app, "cost", rule_cost.cost, "rules.cost_help")
    _add(rules.app, "coverage", rule_coverage.coverage, "rules.coverage_help")
    _add(rules.app, "explain", rule_explanation.explain, "rules.explain_help")
    _add(indicators.app, "check", indicators.check, "indicators.check_help")
    _add(indicators.app, "find", indicators.find, "indicators.find_help")
    _add(packs.app, "list", packs.list_packs, "packs.list_help")
    _add(packs.app, "show", packs.show, "packs.show_help")
    _add(packs.app, "test", packs.try_samples, "packs.test_help")
    _add(packs.app, "new", packs.new, "packs.new_help")
    _add(token.app, "create", token.create, "token.create_help")
    _add(token.app, "list", token.list_tokens, "token.list_help")
    _add(token.app, "revoke", token.revoke, "token.revoke_help")
    _add(app, "serve", serve.serve, "serve.help")
    _add(app, "demo", demo.demo, "demo.help")
    _add(app, "completion", completion.completion, "completion.help")


def _add(group: typer.Typer, name: str, verb: Callable[..., int], told: str) -> None:
    group.command(name, cls=HelpfulCommand, help=text(told))(verb)


_register()


def tree() -> Any:
    """The commands as the parser has them, for running and for the reference."""
    from typer.main import get_command

    command: Any = get_command(app)
    for parameter in command.params:
        # `bigsec completion SHELL` does the same and can be read before it is run.
        if parameter.name in {"install_completion", "show_completion"}:
            parameter.hidden = True
    return command


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code."""
    debug = Debug()
    try:
        code = tree().main(arguments, prog_name="bigsec", standalone_mode=False, obj=debug)
        sys.stdout.flush()
    except (PipeClosed, BrokenPipeError):
        return _pipe_closed()
    except BigsecError as error:
        show_error(error, _err())
        return exit_of(error)
    except typer.TyperException as error:
        return _usage(error)
    except OSError as error:
        return _no_room(error) if error.errno in DISK_FULL else _defect(error, debug)
    except (typer.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except Exception as error:  # the outermost boundary: a defect must not look like a finding
        return _defect(error, debug)
    return int(code or 0)


def _usage(error: typer.TyperException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.message, err=True)
    else:
        _err().print(render(problem_of(error)), soft_wrap=True)
    return Exit.USAGE


def _pipe_closed() -> int:
    _drop_output()
    return Exit.DONE


def _no_room(error: OSError) -> int:
    _drop_output()
    told = text("app.full", place=visible(str(error.filename or "stdout")))
    _err().print(render(Problem("BS3103", "store.full", told)), soft_wrap=True)
    return Exit.UNAVAILABLE


def _drop_output() -> None:
    """What is still buffered goes nowhere: let the interpreter's last flush not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _defect(error: Exception, debug: Debug) -> int:
    if debug.traceback:
        traceback.print_exc()
    else:
        told = text("app.defect", kind=type(error).__name__, message=visible(str(error)))
        _err().print(told, style="bold red", soft_wrap=True)
    return Exit.DEFECT


def _err() -> Any:
    """Stderr before a command has said how it wants to be coloured."""
    return console(Color.AUTO, err=True)
