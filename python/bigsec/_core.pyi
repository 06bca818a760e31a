"""The compiled core. Use the names that `bigsec` exports; this module is their implementation."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, final

from bigsec.errors import Problem

@final
class Code:
    """One kind of fault: `number` for people (`BS2104`), `name` for programs."""

    @property
    def number(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...

@final
class Leaf:
    """One leaf of the event schema."""

    @property
    def path(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def own(self) -> bool: ...
    @property
    def about(self) -> str: ...

@final
class Batch:
    """An Arrow record batch: anything that speaks the Arrow PyCapsule interface can take it.

    batch: any such object of one batch. Raises TypeError for others.
    """

    def __new__(cls, batch: object) -> Batch: ...
    def __len__(self) -> int: ...
    @property
    def num_rows(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    def to_ndjson(self) -> bytes:
        """One JSON object a row and line, nested as the columns are; nulls are left out.

        Ids are 32 hexadecimal digits, times ISO 8601 in UTC with six digits.
        """

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, as `to_ndjson` has them."""

    def to_ecs(self) -> list[dict[str, Any]]:
        """The events by the names of the Elastic Common Schema, with dotted keys: a view.

        Parts of values have names of their own (`url.registered_domain`, `user.domain`,
        `process.args`); who and what an event names stands in `related.ip`, `related.hosts`,
        `related.user` and `related.hash`; what a sentence says below `prose`; fields without an
        ECS name below `unmapped`. A name with several values has a list.
        Raises SchemaError where the batch is not of the event schema.
        """

    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Packs:
    """A set of parser packs."""

    @staticmethod
    def load(directory: str | PathLike[str]) -> Packs:
        """Load every pack of a folder. Raises PackError with all problems."""

    def __len__(self) -> int: ...
    @property
    def ids(self) -> list[str]: ...
    @property
    def samples(self) -> int:
        """How many samples stand in them."""

    def check(self) -> list[Problem]:
        """Read every sample; each difference from what stands beside it is a problem."""

    def about(self, pack_id: str) -> dict[str, str]:
        """id, title, about, decoder of a pack. Raises NotFoundError."""

@final
class Ledger:
    """What became of the records of one input: received = parsed + unparsed + quarantined."""

    @property
    def path(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def bytes(self) -> int:
        """Decompressed bytes read."""

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
    def parsers(self) -> dict[str, int]:
        """Events by parser pack; `none` for what nothing could read."""

    @property
    def duplicate_of(self) -> str | None:
        """The input with the very same bytes that was read instead."""

    @property
    def reasons(self) -> dict[str, int]:
        """Records that were not parsed, by code number."""

    @property
    def problems(self) -> list[Problem]:
        """Faults of the input, the first 20 of each kind."""

@final
class EventReader:
    """Reads inputs into event batches, once.

    inputs: paths of files (`.gz`, `.zst`, `.xz` are decompressed as streams), or ("name", bytes),
    ("name", iterable of bytes lines), or ("name", file object opened in binary mode).
    format: a pack or decoder id, or None to find it per file and line.
    timezone: IANA name or offset for records that do not say theirs.
    received_us: time of receipt in µs UTC; None takes each file's time of change (else now).
    keep_raw: keep each record's text in `raw_data`.
    """

    def __new__(
        cls,
        inputs: Sequence[str | tuple[str, bytes] | tuple[str, Iterable[bytes]]],
        packs: Packs,
        *,
        format: str | None = None,
        timezone: str = "UTC",
        received_us: int | None = None,
        keep_raw: bool = False,
    ) -> EventReader: ...
    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    @property
    def ledgers(self) -> list[Ledger]:
        """One a finished input, and the one being read."""

    def progress(self) -> tuple[int, int, str]:
        """(compressed bytes read, bytes in all or 0 where unknown, the input being read)."""

@final
class Rule:
    """One loaded rule."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def license(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def tags(self) -> list[str]: ...
    @property
    def references(self) -> list[str]: ...
    @property
    def falsepositives(self) -> list[str]: ...
    @property
    def logsource(self) -> dict[str, str]: ...
    @property
    def is_correlation(self) -> bool: ...

@final
class Rules:
    """A loaded set of Sigma rules."""

    @staticmethod
    def load(
        *paths: str | PathLike[str],
        statuses: Sequence[str] | None = None,
        min_level: str | None = None,
        placeholders: Mapping[str, Sequence[str]] | None = None,
        tables: str | PathLike[str] | None = None,
        packs: Packs | None = None,
    ) -> Rules:
        """Load rule files and folders; without paths, the rules that come with bigsec.

        statuses: Sigma statuses to take; None takes all but deprecated and unsupported.
        min_level: informational, low, medium, high or critical; lower rules are left out.
        placeholders: values for `|expand`.
        tables: folder with logsources.yaml and entities.yaml; None takes those of bigsec.
        packs: whose field maps resolve batches that carry none; None takes those of bigsec.
        Rules that cannot be loaded are listed in `problems`. Raises RuleError where none could.
        """

    def __len__(self) -> int: ...
    @property
    def rules(self) -> list[Rule]: ...
    @property
    def problems(self) -> list[Problem]: ...
    @property
    def files(self) -> int:
        """Rule files read."""

    @property
    def skipped(self) -> int:
        """Valid rules left out by status or level."""

    @property
    def version(self) -> str:
        """Content hash of the rules, the tables and the indicators."""

    def explain(
        self, rule_id: str, data: object, *, event_id: str | None = None, limit: int = 1
    ) -> list[dict[str, Any]]:
        """Why a rule matches events or does not: every question with its answer.

        data: as for `match`. event_id: this event alone; None takes the first `limit`.
        Each is `{"event_id", "question", "holds", "line", "found", "parts"}`: what is asked in the
        rule's words, the answer, its line in the rule's file (0: none), the values that the event
        has there, and the questions that it is made of, which have no `event_id`.
        Raises NotFoundError where no rule of single events has the id, SchemaError as `match`.
        """

    def costs(self, data: object) -> dict[str, Any]:
        """What the rules of single events cost on these events.

        data: as for `match`. Gives `events`, `ns` (all of matching, in ns of time passed) and
        `rules`: `{"rule_id", "asked", "matched", "ns"}` of those that had to be asked about an
        event, because it had all the texts that the rule needs.
        Raises SchemaError as `match`.
        """

    def survey(self, data: object) -> list[dict[str, Any]]:
        """What these events have for each rule of single events.

        data: as for `match`. Each is `{"rule_id", "events", "missing"}`: how many events are of the
        rule's log source, and which of its fields none of them has. Raises SchemaError as `match`.
        """

    @property
    def indicators(self) -> int:
        """How many indicators are looked for beside the rules."""

    def with_indicators(self, indicators: Indicators) -> Rules:
        """The same rules, with indicators to look for beside them.

        `problems` has the problems of both.
        """

    def match(self, data: object) -> Batch:
        """Match events and give the signals of rules and, where there are any, of indicators.

        Correlations are judged over the events of one call, in order of their own times.

        data: anything with `__arrow_c_stream__` or `__arrow_c_array__` in the event schema.
        Raises SchemaError where it is not.
        """

@final
class Indicators:
    """A loaded set of indicators: what others have seen attackers use."""

    @staticmethod
    def load(*paths: str | PathLike[str], level: str = "medium") -> Indicators:
        """Load lists (one indicator a line) and tables (CSV, TSV with a header line).

        A table has a column `indicator` (or `value`, `ioc`) and may have `type`, `family` (or
        `name`, `malware`), `level`, `tags`, `valid_until`, `reference`. Kinds are ip, network,
        ip_port, domain, url, url_path, email, hash, file_name, ja3 and ja4; all but file names and
        ja3 are known by their shape. Domains stand for all names below them.
        level: of those whose file does not say one.
        Rows that cannot be taken are in `problems`. Raises IndicatorError where none could.
        """

    def __len__(self) -> int: ...
    @property
    def counts(self) -> dict[str, int]:
        """Indicators by kind."""

    @property
    def problems(self) -> list[Problem]: ...
    @property
    def repeated(self) -> int:
        """Indicators that were given more than once; the worst level counts."""

    @property
    def version(self) -> str:
        """Content hash."""

    def find(self, text: str) -> list[dict[str, Any]]:
        """What of a text is known: id, type, value, found, name, level, source, reference,
        valid_until_us (None: without end)."""

@final
class ScanChunk:
    """A part of a scan's result."""

    @property
    def signals(self) -> Batch: ...
    @property
    def events(self) -> Batch:
        """The events that the signals speak of, with their text in `raw_data`."""

@final
class Scanner:
    """Parses and matches inputs in one pass. Iterate it; each chunk is a second's work or less.

    inputs, format, timezone, received_us: as for EventReader.
    since_us, until_us: only events with `time_effective` in [since, until) (µs UTC) are matched.
    known_files: (prefix hash hex, ordinal, size, content hash hex) of files seen by earlier scans.
    evidence: folder of an evidence log that the records go to, unsigned; None keeps none.
    keep_raw: all records; otherwise only those that signals speak of.
    """

    def __new__(
        cls,
        inputs: Sequence[str | tuple[str, bytes] | tuple[str, Iterable[bytes]]],
        rules: Rules,
        packs: Packs,
        *,
        format: str | None = None,
        timezone: str = "UTC",
        received_us: int | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
        known_files: Sequence[tuple[str, int, int, str]] = ...,
        evidence: str | PathLike[str] | None = None,
        keep_raw: bool = True,
    ) -> Scanner: ...
    def __iter__(self) -> Iterator[ScanChunk]: ...
    def __next__(self) -> ScanChunk: ...
    def progress(self) -> tuple[int, int, str]: ...
    @property
    def ledgers(self) -> list[Ledger]: ...
    @property
    def files(self) -> list[tuple[str, int, int, str]]:
        """The files read to their end, as known_files takes them."""

    @property
    def matched(self) -> dict[str, int]:
        """Signals by rule id."""

@final
class SourceLedger:
    """What became of the records of one source in a stretch of a log."""

    @property
    def source(self) -> str: ...
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
    def doubles(self) -> int:
        """Records that their sender may have sent before."""

    @property
    def bytes(self) -> int: ...
    @property
    def first_received_us(self) -> int: ...
    @property
    def last_received_us(self) -> int: ...
    @property
    def clock_skew_us(self) -> int | None:
        """How far the sender's clock is behind ours; None where no record told its time."""

    @property
    def parsers(self) -> dict[str, int]: ...
    @property
    def reasons(self) -> dict[str, int]: ...

@final
class DescriptorStore:
    """The service manager's file descriptor store (sd_notify(3)), which holds connections beyond
    the end of the daemon.

    address: as NOTIFY_SOCKET names it, a path or `@` and an abstract name. Raises OSError where
    nobody listens there.
    """

    def __new__(cls, address: str) -> DescriptorStore: ...
    def inherit(self, count: int, send: Callable[[int], None]) -> None:
        """Take over the sockets that an earlier process left.

        send: called once with a descriptor, which it closes; it sends each of `count` sockets
        there (SCM_RIGHTS) with the socket's key and, for a connection, the bytes that were taken
        out of it, each as 8 bytes little-endian. Raises OSError for anything else.
        """

@final
class DaemonChunk:
    """What the records `[first, next)` of a log come to. Chunks follow without a gap."""

    @property
    def signals(self) -> Batch: ...
    @property
    def events(self) -> Batch:
        """The events that the signals speak of, with their text in `raw_data`."""

    @property
    def every(self) -> Batch | None:
        """All events, where they were asked for."""

    @property
    def ledgers(self) -> list[SourceLedger]: ...
    @property
    def braked(self) -> list[tuple[str, str, int]]:
        """Rules that flood: id, title, and how many signals were not given for it."""

    @property
    def lost(self) -> list[tuple[int, int, str]]:
        """Ranges of records that cannot be read any more, and why."""

    @property
    def first(self) -> int: ...
    @property
    def next(self) -> int: ...
    @property
    def lag(self) -> int:
        """Durable records that are in no chunk yet."""

@final
class Daemon:
    """Sources, the evidence log and its reader.

    settings: the core's sections of the configuration as JSON, every value written out.
    Opens the log. Raises ConfigError and EvidenceError.
    """

    def __new__(
        cls,
        settings: str,
        packs: Packs,
        rules: Rules | None,
        store: DescriptorStore | None = None,
    ) -> Daemon: ...
    @property
    def log_id(self) -> str:
        """Id of the log, 32 hexadecimal digits."""

    @property
    def drained(self) -> bool:
        """Whether it was stopped and all chunks were given."""

    def start(self, position: int) -> None:
        """Take records in, and read the log from a sequence on; -1 from the first it has."""

    def next_chunk(self, timeout_s: float) -> DaemonChunk | None:
        """The next chunk; None where none came in time or, after `stop`, where all was read."""

    def append(self, source: str, records: list[bytes]) -> int:
        """Put records of the platform itself into the log; the sequence after them, durable."""

    def status(self) -> str: ...
    def address(self, source: str) -> str | None:
        """Where a source listens: with the port that the system chose for port 0."""

    def set_gauge(self, name: str, value: float) -> None: ...
    def reload(self, settings: str, packs: Packs, rules: Rules | None) -> str:
        """Take another configuration; what changed, as JSON. Raises and keeps the old one."""

    def stop(self, deadline_s: float) -> list[str]:
        """End the sources, flush, and let the rest of the log be read by `next_chunk`.

        The names of sources that did not end in time.
        """

@final
class LogEvents:
    """Reads an evidence log from a position on, also beside its writer.

    settings: as for Daemon; without them, formats are found by record.
    rules: match them; without them, chunks have no signals, and `every` has all events.
    position: the first sequence; -1 from the first that the log has.
    until: the sequence to end before; None reads on as the log grows.
    """

    def __new__(
        cls,
        path: str,
        packs: Packs,
        *,
        settings: str | None = None,
        rules: Rules | None = None,
        position: int = ...,
        until: int | None = None,
    ) -> LogEvents: ...
    def next_chunk(self, timeout_s: float) -> DaemonChunk | None:
        """The next chunk; None where none came in time, or all before `until` was read."""

@final
class EvidenceLog:
    """An evidence log in a folder, read offline; nothing is written. Raises EvidenceError."""

    def __new__(cls, path: str | PathLike[str]) -> EvidenceLog: ...
    @property
    def name(self) -> str: ...
    @property
    def id(self) -> str:
        """32 hexadecimal digits."""

    @property
    def key(self) -> int:
        """47 bits that stand for the log in event ids."""

    @property
    def first(self) -> int:
        """The first record still kept."""

    @property
    def size(self) -> int:
        """One after the last record that is durable."""

    def verify(
        self,
        *,
        keys: Sequence[str] = ...,
        approvers: Sequence[str] = ...,
        name: str | None = None,
        checkpoints: Sequence[str] = ...,
        threads: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> str:
        """Verify the whole log; the report as JSON.

        keys: verifier keys that are believed, as text. name: what the log must be called.
        approvers: verifier keys of those whose approvals of early deletions count. checkpoints:
        signed notes that were kept elsewhere. progress: segments done, of how many.
        """

    def show(self, reference: str) -> dict[str, Any]:
        """A record by sequence or event id, with its proof.

        Keys: sequence, event_id, source, received_us, peer, flags (continued, cut, double), raw
        (bytes), record (bytes as hashed), leaf, path (list), size, root, checkpoint (note or None).
        Raises NotFoundError.
        """

    def export(self, references: Sequence[str]) -> str:
        """A bundle of records that a third party verifies, as JSON."""

def generate_key(path: str | PathLike[str], name: str) -> str:
    """Make a signing key in a file that only its owner can read; its verifier key."""

def verifier_key(path: str | PathLike[str]) -> str:
    """The verifier key of a key file."""

def rotate_key(
    log: str | PathLike[str], key: str | PathLike[str], new_key: str | PathLike[str]
) -> str:
    """Sign the new key with the old one in the log's checkpoints; the new verifier key."""

def approve_deletion(
    log: str | PathLike[str], key: str | PathLike[str], end: int, reason: str
) -> str:
    """Approve that the records before `end` are deleted whatever their age; the signed text.

    It goes to `approvals` in the log's folder, where the daemon finds it; two by different
    approvers count. reason: one line.
    """

def explain_record(
    raw: bytes,
    packs: Packs,
    *,
    format: str | None = None,
    timezone: str = "UTC",
    received_us: int | None = None,
) -> dict[str, Any]:
    """Which pack reads a record and why, field by field.

    received_us: when it was received, for times without a year; None is now.
    Keys: outcome (event, directive, unparsed), parser, decoder, reason (code or None), why,
    time_us, fields (list of {source, name, value, kind, column}), derived (column: text).
    """

def read_record(path: str, position: int) -> bytes | None:
    """The raw bytes of the record at an offset of the decompressed file, without its line end."""

def codes() -> list[Code]:
    """Every kind of fault."""

def schema() -> list[Leaf]:
    """Every leaf of the event schema."""

__version__: str
__all__ = [
    "Batch",
    "Code",
    "Daemon",
    "DaemonChunk",
    "DescriptorStore",
    "EventReader",
    "EvidenceLog",
    "Indicators",
    "Leaf",
    "Ledger",
    "LogEvents",
    "Packs",
    "Rule",
    "Rules",
    "ScanChunk",
    "Scanner",
    "SourceLedger",
    "__version__",
    "approve_deletion",
    "codes",
    "explain_record",
    "generate_key",
    "read_record",
    "rotate_key",
    "schema",
    "verifier_key",
]
