"""The rules that the server tells about: loaded when first asked for, and kept."""

from __future__ import annotations

import threading

from bigsec import Rules

__all__ = ["RuleSet"]


class RuleSet:
    """A set of rules. paths: files and folders; none takes those that come with bigsec."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._rules: Rules | None = None

    @property
    def loaded(self) -> Rules | None:
        """The rules, where somebody has asked for them."""
        return self._rules

    def get(self) -> Rules:
        """The rules. Raises RuleError where none could be loaded."""
        with self._lock:
            if self._rules is None:
                self._rules = Rules.load(*self._paths)
            return self._rules
