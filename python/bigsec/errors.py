"""Every exception that bigsec raises.

    BigsecError
    ├── InputError            a file or stream cannot be read        (OSError)
    ├── FormatError           no such format or time zone            (ValueError)
    ├── RuleError             no rule could be loaded                (ValueError)
    ├── IndicatorError        no indicator could be loaded           (ValueError)
    ├── PackError             a parser pack is invalid               (ValueError)
    ├── SchemaError           data that is not in the event schema   (ValueError)
    ├── StreamConsumedError   a stream was asked for twice           (RuntimeError)
    ├── StoreError            a store cannot be opened or written
    │   ├── StoreLockedError
    │   ├── StoreFullError                                           (OSError)
    │   └── StoreVersionError
    ├── LakeError             a lake cannot be opened, read or written
    ├── QueryError            a filter over events is invalid        (ValueError)
    ├── ConfigError           the configuration is invalid           (ValueError)
    ├── EvidenceError         an evidence log cannot be opened or read
    ├── DaemonError           no daemon answers, or it refused
    ├── NotFoundError         nothing has the id asked for           (LookupError)
    └── MissingExtraError     a package is not installed             (RuntimeError)

Each has `code` (for people, `BS2104`), `name` (for programs) and `problems`, the list of single
faults with their places. Bad records are never exceptions: they are data.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = [
    "BigsecError",
    "ConfigError",
    "DaemonError",
    "EvidenceError",
    "FormatError",
    "IndicatorError",
    "InputError",
    "LakeError",
    "MissingExtraError",
    "NotFoundError",
    "PackError",
    "Problem",
    "QueryError",
    "RuleError",
    "SchemaError",
    "StoreError",
    "StoreFullError",
    "StoreLockedError",
    "StoreVersionError",
    "StreamConsumedError",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input: what, where, and the mend.

    line and column count from 1; 0 means unknown. length is the number of characters at fault.
    """

    code: str
    name: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    length: int = 0
    mend: str = ""
    excerpt: str = ""

    def to_dict(self) -> dict[str, str | int]:
        """The fault as an object for programs."""
        return asdict(self)


class BigsecError(Exception):
    """Base of all exceptions of bigsec.

    Built from the values it keeps, so that it pickles.
    """

    def __init__(
        self, code: str, name: str, message: str, problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(code, name, message, problems)
        self.code = code
        self.name = name
        self.message = message
        self.problems = problems

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class InputError(BigsecError, OSError):
    """A file or stream cannot be read."""


class FormatError(BigsecError, ValueError):
    """No such format or time zone."""


class RuleError(BigsecError, ValueError):
    """No rule could be loaded."""


class IndicatorError(BigsecError, ValueError):
    """No indicator could be loaded."""


class PackError(BigsecError, ValueError):
    """A parser pack is invalid."""


class SchemaError(BigsecError, ValueError):
    """Data that is not in the event schema."""


class StreamConsumedError(BigsecError, RuntimeError):
    """A stream can be read once; it was asked for twice."""


class StoreError(BigsecError):
    """A store cannot be opened or written."""


class StoreLockedError(StoreError):
    """Another process writes to the store."""


class StoreFullError(StoreError, OSError):
    """The disk is full; what stood in the store before is unchanged."""


class StoreVersionError(StoreError):
    """The store was written by a newer version."""


class LakeError(BigsecError):
    """A lake of events cannot be opened, read or written, or a query needs more than it may."""


class QueryError(BigsecError, ValueError):
    """A filter over events is invalid; its one problem has the column and the mend."""


class ConfigError(BigsecError, ValueError):
    """The configuration is invalid; `problems` has every fault of it."""


class EvidenceError(BigsecError):
    """An evidence log cannot be opened, read or written."""


class DaemonError(BigsecError):
    """No daemon answers, or it refused what it was asked."""


class NotFoundError(BigsecError, LookupError):
    """Nothing has the id that was asked for."""


class MissingExtraError(BigsecError, RuntimeError):
    """A function needs a package that is not installed."""
