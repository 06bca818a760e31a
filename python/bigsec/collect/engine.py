"""Packs and rules as the configuration names them."""

from __future__ import annotations

from bigsec._core import Packs, Rules
from bigsec.collect.settings import Settings
from bigsec.library import default_packs

__all__ = ["load_packs", "load_rules"]


def load_packs(settings: Settings) -> Packs:
    """The parser packs. Raises PackError with all problems."""
    path = settings.packs.path
    return default_packs() if path is None else Packs.load(path)


def load_rules(settings: Settings, packs: Packs) -> Rules:
    """The rules; what cannot be loaded is listed in `problems`. Raises RuleError where none can."""
    chosen = settings.rules
    return Rules.load(
        *chosen.paths, statuses=chosen.statuses, min_level=chosen.min_level, packs=packs
    )
