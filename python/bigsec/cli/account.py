"""The account of a run, at its end on stderr: what was read, what was found, what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bigsec.cli.credit import credit
from bigsec.cli.levels import LEVELS, badge
from bigsec.cli.problems import is_error
from bigsec.cli.progress import size
from bigsec.cli.terminal import visible
from bigsec.cli.wording import text
from bigsec.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bigsec._core import Rules
    from bigsec.detect import Recorded

TOP_RULES = 5
# Parsers and reasons are shown by count; a folder of everything has many that are seen once.
_SHOWN_MAX = 8


class InputLedger(Protocol):
    """What became of the records of one input, or of one source of a log."""

    @property
    def bytes(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def parsed(self) -> int: ...
    @property
    def unparsed(self) -> int: ...
    @property
    def quarantined(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def parsers(self) -> dict[str, int]: ...
    @property
    def reasons(self) -> dict[str, int]: ...
    @property
    def duplicate_of(self) -> str | None: ...
    @property
    def problems(self) -> list[Problem]: ...


@dataclass(slots=True)
class Matched:
    """What matched, a rule or an indicator, and how often."""

    title: str
    level: str
    author: str
    license: str
    count: int = 0


def count_signals(signals: Iterable[Mapping[str, Any]], matched: dict[str, Matched]) -> None:
    """Add signals to what matched, which is kept by the id of the rule or indicator."""
    for signal in signals:
        found = matched.get(signal["rule_id"])
        if found is None:
            found = matched[signal["rule_id"]] = Matched(
                title=signal["rule_title"],
                level=signal["level"],
                author=signal["rule_author"],
                license=signal["rule_license"],
            )
        found.count += 1


@dataclass(slots=True)
class Account:
    """What a run did, summed over its inputs."""

    ledgers: Sequence[InputLedger] = ()
    elapsed_s: float = 0.0
    hidden: int = 0
    interrupted: bool = False
    rules: Rules | None = None
    matched: dict[str, Matched] = field(default_factory=dict)
    recorded: Recorded | None = None

    def problems(self, *, every: bool) -> list[Problem]:
        """The faults of the inputs. every: also the second and later of a kind in one file."""
        found: list[Problem] = []
        for ledger in self.ledgers:
            shown: set[str] = set()
            for problem in ledger.problems:
                if every or is_error(problem) or problem.code not in shown:
                    found.append(problem)
                shown.add(problem.code)
        return found

    @property
    def has_broken_input(self) -> bool:
        """Whether an input could not be read to its end."""
        return any(is_error(problem) for one in self.ledgers for problem in one.problems)

    @property
    def is_partial(self) -> bool:
        """Whether a record was not parsed."""
        return any(ledger.unparsed or ledger.quarantined for ledger in self.ledgers)


def show(account: Account, console: Console) -> None:
    """Print the account."""
    _inputs(account, console)
    if account.rules is not None:
        _signals(account, console)
    if account.recorded is not None:
        told = text(
            "account.incidents_told",
            new=f"{account.recorded.new_incidents:,}",
            updated=f"{account.recorded.updated_incidents:,}",
        )
        _row(console, "account.incidents", told)
    if account.rules is not None:
        _rules(account.rules, console)
    if account.interrupted:
        console.print(text("account.interrupted"), style="bold yellow", soft_wrap=True)


def _inputs(account: Account, console: Console) -> None:
    ledgers = account.ledgers
    read = sum(ledger.bytes for ledger in ledgers)
    rate = int(read / account.elapsed_s) if account.elapsed_s > 0 else 0
    head = text(
        "account.head",
        files=f"{len(ledgers):,}",
        bytes=size(read),
        elapsed=f"{account.elapsed_s:.{1 if account.elapsed_s >= 1 else 2}f}",
        rate=size(rate),
    )
    console.print(head, style="bold", soft_wrap=True)
    told = text(
        "account.records_told",
        received=f"{sum(ledger.received for ledger in ledgers):,}",
        parsed=f"{sum(ledger.parsed for ledger in ledgers):,}",
        unparsed=f"{sum(ledger.unparsed for ledger in ledgers):,}",
        quarantined=f"{sum(ledger.quarantined for ledger in ledgers):,}",
        events=f"{sum(ledger.events for ledger in ledgers):,}",
    )
    _row(console, "account.records", told)
    parsers: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for ledger in ledgers:
        parsers.update(ledger.parsers)
        reasons.update(ledger.reasons)
    if parsers:
        _row(console, "account.parsers", _counted(parsers))
    if reasons:
        _row(console, "account.reasons", _counted(reasons))
    if same := sum(1 for ledger in ledgers if ledger.duplicate_of):
        _row(console, "account.same", text("account.same_told", count=f"{same:,}"))
    if account.hidden:
        _row(console, "account.hidden", text("account.hidden_told", count=f"{account.hidden:,}"))


def _signals(account: Account, console: Console) -> None:
    from rich.text import Text

    levels: Counter[str] = Counter()
    for matched in account.matched.values():
        levels[matched.level] += matched.count
    told = Text(f"{sum(levels.values()):,}")
    for level in LEVELS:
        if levels[level]:
            told.append("  ").append_text(badge(level)).append(f" {levels[level]:,}")
    _row(console, "account.signals", told)
    top = sorted(
        account.matched.items(),
        key=lambda pair: (LEVELS.index(pair[1].level), -pair[1].count, pair[0]),
    )
    for index, (_, one) in enumerate(top[:TOP_RULES]):
        told = Text(f"{one.count:>7,}  ").append_text(badge(one.level)).append("  ")
        told.append(visible(one.title))
        if one.author or one.license:
            told.append(f"  {credit(one.author, one.license)}", style="dim")
        _row(console, "account.top" if index == 0 else "", told)
    if len(top) > TOP_RULES:
        _row(console, "", text("account.top_more", count=f"{len(top) - TOP_RULES:,}"))


def _rules(rules: Rules, console: Console) -> None:
    failed = len({problem.file for problem in rules.problems if is_error(problem)})
    told = [text("account.rules_loaded", count=f"{len(rules):,}")]
    if rules.skipped:
        told.append(text("account.rules_skipped", count=f"{rules.skipped:,}"))
    if failed:
        told.append(text("account.rules_failed", count=f"{failed:,}"))
    if warned := sum(1 for problem in rules.problems if not is_error(problem)):
        told.append(text("account.rules_warned", count=f"{warned:,}"))
    if rules.indicators:
        told.append(text("account.indicators", count=f"{rules.indicators:,}"))
    _row(console, "account.rules", " · ".join(told))


def _row(console: Console, key: str, told: str | Text) -> None:
    """One line of the account: a name of fixed width, then what is told."""
    from rich.cells import cell_len
    from rich.text import Text

    name = text(key) if key else ""
    line = Text("  ").append(name, style="dim")
    line.append(" " * max(1, int(text("account.width")) - cell_len(name)))
    line.append_text(told if isinstance(told, Text) else Text(told))
    console.print(line, soft_wrap=True)


def _counted(counts: Counter[str]) -> str:
    shown = [f"{visible(name)} {count:,}" for name, count in counts.most_common(_SHOWN_MAX)]
    if len(counts) > _SHOWN_MAX:
        shown.append(text("account.others", count=f"{len(counts) - _SHOWN_MAX:,}"))
    return " · ".join(shown)
