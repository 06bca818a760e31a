"""Two other Sigma engines vote on ours: pySigma's SQL in SQLite, and rsigma.

Where they are known to answer otherwise stands in `deviations.yaml`; records that they cannot read
are those of `bench/sets/windows_deviations.yaml`. Everything else must be the same.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_up
import pytest
import rsigma_voter
import sqlite_voter
import yaml
from deviations import deviations

from corpus import SHARED, named, rows, unpack_rules
from matches import find, load_rules, shaped
from scan import build_peer
from sets import windows_events

Event = dict[str, Any]
Pair = tuple[str, str]

SEED = 20261130
# Rules are tried on so many events of each channel, id and source of the data, and on those that
# some rule matches: three for each.
OF_A_KIND = 12
OF_A_RULE = 3


@dataclass
class Ballot:
    """Rules, events, and what each voter found: pairs of rule and event."""

    rules: Mapping[str, Mapping[str, Any]]
    events: Mapping[str, Event]
    ours: set[Pair]
    votes: Mapping[str, set[Pair]]

    def disagreements(self) -> Iterator[str]:
        """Where a voter says otherwise than we do, and no known deviation says why."""
        known = deviations()
        for voter, theirs in self.votes.items():
            classes = [one for one in known if voter in one.voters]
            for pair in sorted(self.ours ^ theirs):
                rule, event = self.rules[pair[0]], self.events[pair[1]]
                if not any(one.has(rule, event) for one in classes):
                    said = "no match" if pair in self.ours else "a match"
                    yield f"{voter} says {said}: {rule['detection']} {event}"


@pytest.fixture(scope="module")
def peer() -> Path:
    """The program that asks rsigma."""
    if shutil.which("cargo") is None:
        pytest.skip("rsigma is built with cargo, which is not there")
    return build_peer()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_made_up_rules_and_events(peer: Path, tmp_path: Path) -> None:
    dice = random.Random(SEED)  # noqa: S311
    events = list(made_up.events(dice, 300))
    texts = dict(made_up.rules(dice, 700))
    (tmp_path / "rules").mkdir()
    for rule_id, text in texts.items():
        (tmp_path / "rules" / f"{rule_id}.yml").write_text(text, encoding="utf-8")
    file = _written(events, tmp_path / "events.ndjson")
    table = sqlite_voter.Table(events, numbers=[made_up.NUMBER])
    queries = {rule_id: sqlite_voter.queries(text) for rule_id, text in texts.items()}
    assert all(queries.values()), "SQLite can express each of them"
    ballot = Ballot(
        rules={rule_id: yaml.safe_load(text) for rule_id, text in texts.items()},
        events={event["_id"]: event for event in events},
        ours=_pairs(find([file], load_rules(tmp_path / "rules"), set(texts)).by_rule),
        votes={
            "sqlite": _pairs({one: table.matched(asked or ()) for one, asked in queries.items()}),
            "rsigma": _pairs(
                rsigma_voter.matches(peer, tmp_path / "rules", file, tmp_path / "matches")
            ),
        },
    )
    assert len(ballot.ours) > 20_000, "the rules match often enough to tell engines apart"
    assert list(ballot.disagreements()) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_sigma_hq_rules_on_recorded_attacks(peer: Path, tmp_path: Path) -> None:
    data, archive = SHARED / "windows-events", SHARED / "sigma-rules" / "rules.tar.zst"
    if not (data.is_dir() and archive.exists()):
        pytest.skip("../shared/data has no windows-events or sigma-rules")
    folder = unpack_rules(archive, tmp_path / "rules")
    events = _sample(data)
    file = _written(events, tmp_path / "events.ndjson")
    texts = dict(_windows_rules(folder))
    table = sqlite_voter.Table(events)
    expressed = {one: sqlite_voter.windows_queries(text) for one, text in texts.items()}
    asked = {one: queries for one, queries in expressed.items() if queries}
    assert len(asked) > 0.95 * len(texts), "SQLite can express nearly all of them"
    rules = {one: yaml.safe_load(texts[one]) for one in asked}
    by_id = {event["_id"]: event for event in events}
    found = find([file], load_rules(folder), set(asked))
    ours = _pairs(found.by_rule)
    sqlite = _pairs({one: table.matched(queries) for one, queries in asked.items()})
    # rsigma maps neither fields nor log sources: it votes where Sysmon's own names are meant and
    # its event id is that of the rule's category alone.
    own = {
        pair
        for pair in ours | sqlite
        if rules[pair[0]]["logsource"].get("category", "") == _category(by_id[pair[1]])
    }
    rsigma = _pairs(rsigma_voter.matches(peer, folder, file, tmp_path / "matches"))
    assert len(own) > 400, "rsigma has something to vote on"
    ballots = (
        Ballot(rules, by_id, ours, {"sqlite": sqlite}),
        Ballot(rules, by_id, ours & own, {"rsigma": rsigma & own}),
    )
    assert [one for ballot in ballots for one in ballot.disagreements()] == []


def _written(events: Iterable[Event], file: Path) -> Path:
    lines = (json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    file.write_text("".join(lines), encoding="utf-8")
    return file


def _pairs(by_rule: Mapping[str, Iterable[str]]) -> set[Pair]:
    return {(rule, event) for rule, events in by_rule.items() for event in events}


def _sample(data: Path) -> list[Event]:
    """Some events of every kind, and some that each rule matches, without the data's own keys."""
    wanted = {
        one for row in rows(named(data, "oracle.jsonl")) for one in row["matched"][:OF_A_RULE]
    }
    taken: Counter[tuple[object, ...]] = Counter()
    sample = []
    for file in shaped(data, "flat"):
        for event in rows(file):
            if windows_events.is_unread(event):
                continue
            kind = (event.get("Channel"), str(event.get("EventID")), file.parent.name)
            if event["_id"] in wanted or taken[kind] < OF_A_KIND:
                taken[kind] += 1
                event.pop("_file", None)
                sample.append(event)
    return sample


def _windows_rules(folder: Path) -> Iterator[Pair]:
    """Id and text of every rule for Windows that stands alone in its file."""
    for file in sorted(folder.rglob("*.yml")):
        text = file.read_text(encoding="utf-8")
        rule = yaml.safe_load(text) if "\n---" not in text else {}
        if rule.get("logsource", {}).get("product") == "windows":
            yield rule["id"], text


_CATEGORIES = {
    1: "process_creation",
    3: "network_connection",
    7: "image_load",
    8: "create_remote_thread",
    10: "process_access",
    11: "file_event",
    15: "create_stream_hash",
    22: "dns_query",
}


def _category(event: Event) -> str | None:
    """The category of a Sysmon event, if only one has its id."""
    is_sysmon = event.get("Channel") == "Microsoft-Windows-Sysmon/Operational"
    number = str(event.get("EventID"))
    return _CATEGORIES.get(int(number)) if is_sysmon and number.isdigit() else None
