"""Packs and rules as the configuration names them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bigsec._core import Indicators, Packs, Rules
from bigsec.collect.settings import Settings
from bigsec.errors import BigsecError, ConfigError
from bigsec.library import default_packs

__all__ = ["load_packs", "load_rules"]


def load_packs(settings: Settings) -> Packs:
    """The parser packs. Raises ConfigError with all problems."""
    path = settings.packs.path
    with _of_configuration():
        return default_packs() if path is None else Packs.load(path)


def load_rules(settings: Settings, packs: Packs) -> Rules | None:
    """The rules with the indicators, None where rules are switched off.

    What cannot be loaded is in `problems`. Raises ConfigError where nothing can.
    """
    chosen, known = settings.rules, settings.indicators
    if not chosen.enabled:
        return None
    with _of_configuration():
        rules = Rules.load(
            *chosen.paths, statuses=chosen.statuses, min_level=chosen.min_level, packs=packs
        )
        if not known.paths:
            return rules
        return rules.with_indicators(Indicators.load(*known.paths, level=known.level))


@contextmanager
def _of_configuration() -> Iterator[None]:
    """What the configuration names and cannot be used is a fault of the configuration."""
    try:
        yield
    except BigsecError as error:
        raise ConfigError(error.code, error.name, error.message, error.problems) from error
