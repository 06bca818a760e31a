"""`bigsec config`: write, show and check the daemon's configuration."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.configuration import ConfigOption, SetOption, load_config
from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows, to_json
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from bigsec.collect.connecting import Tried
    from bigsec.collect.loading import Loaded

app = typer.Typer(cls=HelpfulGroup, help=text("config.help"), rich_markup_mode=None)

COLUMNS = ("key", "value", "layer", "line")
HIDDEN = "••••"

OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help=text("config.output"))
]
ConnectOption = Annotated[bool, typer.Option("--connect", help=text("config.connect"))]


def init(output: OutputOption = None) -> int:
    """Write a configuration to begin with."""
    from bigsec.collect.settings.writing import SCHEMA_FILE, example, schema

    if output is None:
        typer.echo(example(), nl=False)
        return Exit.DONE
    path = Path(output)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError:
        raise wrong_usage(text("config.exists", path=visible(output))) from None
    except OSError as error:
        told = text("config.no_write", path=visible(output), reason=error.strerror or "")
        raise wrong_usage(told) from None
    path.with_name(SCHEMA_FILE).write_bytes(to_json(schema()) + b"\n")
    return Exit.DONE


def schema() -> int:
    """Print the JSON Schema of the configuration."""
    import json

    from bigsec.collect.settings.writing import schema as made

    typer.echo(json.dumps(made(), indent=2, ensure_ascii=False))
    return Exit.DONE


def show(
    config: ConfigOption = None,
    sets: SetOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Show every value and the layer that set it."""
    talk = Talk.of(form, json, color)
    found = list(leaves(load_config(config, sets)))
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for row in found:
            writer.write(row)
        writer.close()
        return Exit.DONE
    from rich.text import Text

    from bigsec.collect.settings.writing import toml

    width = max(len(row["key"]) for row in found)
    for row in found:
        value = "–" if row["value"] is None else toml(row["value"])
        line = Text(f"{row['key']:<{width}}  {visible(value)}")
        if row["layer"] != "default":
            place = f":{row['line']}" if row["line"] else ""
            line.append(f"  ← {visible(row['layer'])}{place}", style="cyan")
        talk.out.print(line, soft_wrap=True)
    return Exit.DONE


def leaves(loaded: Loaded) -> Iterator[dict[str, Any]]:
    """Every value with its dotted key and its layer; of a file with a secret, that it has one."""
    for path, value in _leaves(loaded.settings.model_dump(mode="json"), ()):
        origin = loaded.origins.get(path)
        yield {
            "key": ".".join(path),
            "value": _masked(path, value),
            "layer": origin.layer if origin else "default",
            "line": origin.line if origin else 0,
        }


def _masked(path: tuple[str, ...], value: Any) -> Any:
    secret = path[-1].endswith(("token_file", "key_file")) and value is not None
    return f"{value} ({HIDDEN})" if secret else value


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for key, below in value.items():
        yield from _leaves(below, (*path, key))


def check(
    config: ConfigOption = None,
    sets: SetOption = None,
    connect: ConnectOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Check the configuration, its packs and its rules; with --connect, the world around it."""
    from bigsec.collect.asking import daemon_at
    from bigsec.collect.connecting import try_out
    from bigsec.collect.engine import load_packs, load_rules

    talk = Talk(Format.TABLE, color, quiet)
    loaded = load_config(config, sets)
    settings = loaded.settings
    packs = load_packs(settings)
    rules = load_rules(settings, packs)
    talk.show(rules.problems if rules is not None else [])
    files = ", ".join(loaded.files) or text("config.defaults_alone")
    counts = {"sources": len(settings.sources), "sinks": len(settings.sinks)}
    told = text(
        "config.good",
        files=visible(files),
        rules=0 if rules is None else len(rules),
        packs=len(packs),
        **counts,
    )
    talk.say(told)
    if not connect:
        return Exit.DONE
    tried = list(try_out(settings, running=daemon_at(settings.admin.listen)))
    return _tell(tried, talk)


def _tell(tried: list[Tried], talk: Talk) -> int:
    """One line for each thing that was tried; one for all where all is well."""
    if all(one.fault is None for one in tried):
        talk.say(text("config.all_reached", count=len(tried)))
        return Exit.DONE
    for one in tried:
        mark, fault = ("✓", "") if one.fault is None else ("✗", f": {one.fault}")
        style = "green" if one.fault is None else "bold red"
        told = f"{mark} [{one.subject}] {visible(one.place)}{visible(fault)}"
        talk.err.print(told, style=style, soft_wrap=True)
    sys.stderr.flush()
    return Exit.UNAVAILABLE
