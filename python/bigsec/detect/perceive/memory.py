"""What was perceived so far, in a file: the next run goes on from there, and so does one after a
crash.

The file has the state of the perceiver and the last alert that is in it, and is replaced whole.
Alerts are taken in their order, so those that are not after the last one were taken already. Of
alerts of one time, detector and host the names of their files and lines decide: where a file was
renamed, the very last alert may count twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson

from bigsec.detect.perceive.perceiver import Perceiver
from bigsec.detect.perceive.settings import Alert
from bigsec.errors import StoreError

__all__ = ["Memory"]

_FORMAT: Final = "bigsec.perceive"
_VERSION: Final = 1
_SHARE: Final = 0.05
"""Of the time goes to writing at most, save at the end."""


class Memory:
    """The file. passed_over: alerts that were taken in an earlier run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: Alert | None = None
        self.passed_over = 0

    def recall(self, perceiver: Perceiver) -> None:
        """Bring back what the file has, where there is one.

        Raises StoreError (BS4210) for a file that is none of ours or damaged, and OSError.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return
        try:
            told = orjson.loads(text)
            if told["format"] != _FORMAT or told["version"] != _VERSION:
                raise ValueError(f"it is of format {told['format']} {told['version']}")
            last = told["last"]
            self._last = None if last is None else Alert(*last)
            perceiver.restore(told["state"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            what = f"{self._path} is not what `perceive --state` wrote: {error}"
            raise StoreError("BS4210", "config.state", what) from None

    def take(self, perceiver: Perceiver, alerts: Iterable[Alert]) -> None:
        """Give the perceiver what is new of alerts in their order.

        What it knows is kept now and then, and at the end. Raises OSError.
        """
        kept, cost = time.monotonic(), 0.0
        for alert in alerts:
            if self._last is not None and alert <= self._last:
                self.passed_over += 1
                continue
            perceiver.take(alert)
            self._last = alert
            if time.monotonic() - kept > cost / _SHARE:
                began = time.monotonic()
                self._keep(perceiver)
                kept = time.monotonic()
                cost = kept - began
        self._keep(perceiver)

    def _keep(self, perceiver: Perceiver) -> None:
        last = None if self._last is None else list(self._last)
        told: dict[str, Any] = {"format": _FORMAT, "version": _VERSION, "last": last}
        told["state"] = perceiver.state()
        new = self._path.with_name(self._path.name + ".new")
        with new.open("wb") as file:
            file.write(orjson.dumps(told))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
