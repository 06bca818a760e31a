"""The options that name a configuration, and reading it with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from bigsec.collect.loading import Loaded

ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config", "-c", metavar="FILE", envvar="BIGSEC_CONFIG", help=text("config.option")
    ),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=text("config.set"))
]


def load_config(configs: list[str] | None, sets: list[str] | None = None) -> Loaded:
    """The configuration of a command's options. Raises ConfigError with all faults."""
    from bigsec.collect.loading import flag_layer, load

    flags = []
    for one in sets or []:
        key, equals, value = one.partition("=")
        if not equals or not all(key.split(".")):
            raise wrong_usage(text("config.bad_set", value=one))
        flags.append(flag_layer(f"--set {key}", key, value))
    return load(configs or (), flags=flags)
