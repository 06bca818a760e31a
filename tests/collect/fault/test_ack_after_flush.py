"""P2: the system calls of the real daemon show that no record is acknowledged before its flush."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from support import trace
from support.daemon import Daemon
from support.http_push import HttpSender, json_payload
from support.numbered import payload
from support.ports import HOST
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

ACKS = scale(300, 10_000)
HTTP_BATCH = 10
CALLS = (
    "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,fdatasync,fsync,openat,rename,renameat,"
    "renameat2"
)
_WRITES = frozenset(["write", "pwrite64", "writev", "pwritev", "pwritev2"])
_SENDS = frozenset(["write", "writev", "sendto", "sendmsg"])
_STAMP = re.compile(r"stream=(?P<stream>relp|http) number=(?P<number>[0-9]+) ")
_RELP_ACK = re.compile(r"(?<![0-9])(?P<transaction>[0-9]+) rsp [0-9]+ 200")
_HTTP_ACK = re.compile(r"HTTP/1\.1 2[0-9][0-9]")
# Longer than a record, so that one torn between two writes is seen whole.
_OVERLAP = 400

Key = tuple[str, int]


@dataclass
class Flushes:
    """Follows each record from its write to the flushes that cover it."""

    folder: str
    tails: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    written: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    flushing: dict[int, set[Key]] = field(default_factory=dict)
    flushed: set[Key] = field(default_factory=set)
    flushed_files: set[str] = field(default_factory=set)
    # Segments of which something is flushed, as they were when the watermark was written.
    marked: set[str] = field(default_factory=set)
    marking: dict[int, set[str]] = field(default_factory=dict)
    durable_marks: set[str] = field(default_factory=set)
    segment_of: dict[Key, str] = field(default_factory=dict)
    unsynced_files: set[str] = field(default_factory=set)
    syncing_folder: dict[int, set[str]] = field(default_factory=dict)
    new_files: int = 0

    def take(self, step: trace.Step) -> None:
        """One step of a call on a file of the log."""
        target, begins = step.target, step.result is None
        if step.name == "openat":
            self._opened(step)
        elif step.name in _WRITES and target.endswith(".seg") and begins:
            self._wrote(target, step.arguments)
        elif step.name in _WRITES and target.endswith("/watermark") and begins:
            self.marked = set(self.flushed_files)
        elif step.name in ("fdatasync", "fsync"):
            self._synced(step, target)

    def _opened(self, step: trace.Step) -> None:
        named = re.search(r'"(?P<path>[^"]*)", (?P<flags>[A-Z_|]+)', step.arguments)
        if named and "O_CREAT" in named["flags"] and step.result is not None and step.result >= 0:
            path = named["path"]
            if path.startswith(self.folder) and path.endswith(".seg"):
                self.unsynced_files.add(path)
                self.new_files += 1

    def _wrote(self, target: str, text: str) -> None:
        text = self.tails[target] + text
        self.tails[target] = text[-_OVERLAP:]
        for found in _STAMP.finditer(text):
            key = (found["stream"], int(found["number"]))
            self.written[target].add(key)
            self.segment_of[key] = target

    def _synced(self, step: trace.Step, target: str) -> None:
        if target == self.folder:
            # Only files that stood there when the flush began are covered by it.
            if step.result is None:
                self.syncing_folder[step.thread] = set(self.unsynced_files)
            elif step.result == 0:
                self.unsynced_files -= self.syncing_folder.pop(step.thread)
        elif target.endswith(".seg"):
            # Only what had been written when the flush began is covered by it.
            if step.result is None:
                self.flushing[step.thread] = set(self.written[target])
            elif step.result == 0:
                self.flushed |= self.flushing.pop(step.thread)
                self.flushed_files.add(target)
        elif target.endswith("/watermark"):
            if step.result is None:
                self.marking[step.thread] = set(self.marked)
            elif step.result == 0:
                self.durable_marks |= self.marking.pop(step.thread)

    def acknowledged(self, key: Key) -> None:
        """The sender is told: everything must have happened before."""
        assert key in self.flushed, f"{key} acknowledged before its segment was flushed"
        segment = self.segment_of[key]
        assert segment in self.durable_marks, (
            f"{key} acknowledged before a watermark named its segment"
        )
        assert segment not in self.unsynced_files, (
            f"{key} acknowledged before the folder of {segment} was flushed"
        )


@pytest.mark.timeout(scale(120, 1800))
def test_p2_every_ack_comes_after_the_flushes_that_cover_it(tmp_path: Path) -> None:
    """P2: the segment, the folder after each new file, and the watermark after the first group of
    each new file are flushed before the answer; later watermarks may follow it (decision 0011)."""
    sources = Sources()
    relp = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"), window=7)
    to = sources.listen("http", "http")
    http = HttpSender(to, lambda number: json_payload(payload("http", number)), batch=HTTP_BATCH)
    output = tmp_path / "calls"
    daemon = Daemon(
        tmp_path / "relay",
        sources.text,
        log="segment_bytes = 65536\ngroup_ms = 0",
        prefix=trace.tracer(output, CALLS),
    )
    try:
        daemon.start()
        for upto in range(10, ACKS + 1, 10):
            while relp.step(upto):
                pass
            http.step(http.next + HTTP_BATCH, timeout_s=30)
        assert daemon.stop(120) == 0, daemon.tail()
    finally:
        daemon.drop()
    assert relp.reconnects == http.reconnects == 0
    acks, flushes = _replay(output, str(daemon.evidence), relp.address[1], to[1])
    assert acks["relp"] == len(relp.acked) == ACKS
    assert acks["http"] == len(http.acked) // HTTP_BATCH
    assert flushes.new_files >= 2, "no new file came: the folder's flush was not looked at"
    print(f"{acks} acknowledgements, {flushes.new_files} new segments, 0 before their flush")


CASES = Path(__file__).parents[1] / "cases" / "traces"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.strace")), ids=lambda path: path.stem)
def test_p2_the_check_finds_what_is_wrong_in_a_trace(path: Path) -> None:
    """P2: traces written by hand; the first line says what is to be found in them."""
    wanted = path.read_text().splitlines()[0].removeprefix("# ")
    if wanted == "nothing":
        acks, _ = _replay(path, "/r/log", 601, 80)
        assert acks["relp"] == 2
        return
    with pytest.raises(AssertionError, match=re.escape(wanted)):
        _replay(path, "/r/log", 601, 80)


def _replay(
    output: Path, folder: str, relp_port: int, http_port: int
) -> tuple[dict[str, int], Flushes]:
    flushes = Flushes(folder)
    acks = {"relp": 0, "http": 0}
    for step in trace.steps(output):
        flushes.take(step)
        if step.name not in _SENDS or step.result is not None:
            continue
        if _from_port(step.target, relp_port):
            for found in _RELP_ACK.finditer(step.arguments):
                transaction = int(found["transaction"])
                if transaction > 1:  # 1 is `open`
                    flushes.acknowledged(("relp", transaction - 2))
                    acks["relp"] += 1
        elif _from_port(step.target, http_port) and _HTTP_ACK.search(step.arguments):
            first = acks["http"] * HTTP_BATCH
            for number in range(first, first + HTTP_BATCH):
                flushes.acknowledged(("http", number))
            acks["http"] += 1
    return acks, flushes


def _from_port(target: str, port: int) -> bool:
    return target.startswith(f"TCP:[{HOST}:{port}-")
