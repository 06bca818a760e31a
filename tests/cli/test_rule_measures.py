"""`bigsec rules cost` and `rules coverage --over`: rules held against data."""

from __future__ import annotations

import json

from .conftest import Runner

HEAD = (
    "id: {id}\nstatus: test\nlevel: high\nlogsource: {{product: windows, category: {category}}}\n"
)
RULES = {
    # Needs a text: is asked about the one event that has it.
    "needs": ("process_creation", "{CommandLine|contains: whoami}", "attack.t1033"),
    # Needs none: is asked about every event of its log source.
    "asked": ("process_creation", "{CommandLine|re: 'w.o'}", "attack.t1059"),
    # Its field is in no event.
    "blind": ("process_creation", "{Hashes|contains: beef}", "attack.t1059"),
    # Its log source has no event.
    "deaf": ("dns_query", "{QueryName: a}", "attack.t1071"),
}
EVENTS = [
    {"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "CommandLine": text}
    for text in ("whoami /all", "ls", "dir", "net user")
]


def _written(bigsec: Runner) -> None:
    rules = bigsec.folder / "r"
    rules.mkdir()
    for number, (name, (category, selection, tag)) in enumerate(RULES.items()):
        rule_id = f"00000000-0000-4000-8000-{number:012}"
        head = HEAD.format(id=rule_id, category=category)
        body = f"tags: [{tag}]\ndetection:\n  s: {selection}\n  condition: s\n"
        (rules / f"{name}.yml").write_text(f"title: {name}\n{head}{body}", encoding="utf-8")
    lines = "".join(json.dumps(event) + "\n" for event in EVENTS)
    (bigsec.folder / "a.ndjson").write_text(lines, encoding="utf-8")


def test_the_cost_of_rules_is_how_often_they_must_be_asked(bigsec: Runner) -> None:
    _written(bigsec)
    done = bigsec("rules", "cost", "r", "--over", "a.ndjson")
    found = {row["title"]: row for row in map(json.loads, done.out.splitlines())}
    assert done.code == 0
    assert {name: (row["asked"], row["matched"]) for name, row in found.items()} == {
        "needs": (1, 1),
        "asked": (4, 1),
    }
    assert "4 events" in done.err
    assert "2 were asked, 2 never" in done.err
    one = bigsec("rules", "cost", "r", "--over", "a.ndjson", "--top", "1")
    assert len(one.out.splitlines()) == 1
    shown = bigsec.on_terminal("rules", "cost", "r", "--over", "a.ndjson", "--color", "never")
    assert "100.0%" in shown.out
    assert bigsec("rules", "cost", "r").code == 2


def test_coverage_over_data_tells_which_rules_they_feed(bigsec: Runner) -> None:
    _written(bigsec)
    done = bigsec("rules", "coverage", "r", "--over", "a.ndjson", "--json")
    found = {row["technique"]: row for row in map(json.loads, done.out.splitlines())}
    assert {one: (row["rules"], row["fed"]) for one, row in found.items()} == {
        "T1033": (1, 1),
        "T1059": (2, 1),
        "T1071": (1, 0),
    }
    assert found["T1059"]["lacking"] == [{"title": "blind", "events": 4, "missing": ["Hashes"]}]
    assert found["T1071"]["lacking"] == [{"title": "deaf", "events": 0, "missing": []}]
    assert "feed 2 rules; for 1 there is no event of their log source, for 1" in done.err
    layer = json.loads(bigsec("rules", "coverage", "r", "--over", "a.ndjson", "--layer").out)
    scores = {row["techniqueID"]: row["score"] for row in layer["techniques"]}
    assert scores == {"T1033": 1, "T1059": 1, "T1071": 0}
    without = json.loads(bigsec("rules", "coverage", "r", "--json").out.splitlines()[0])
    assert (without["fed"], without["lacking"]) == (None, None)


def test_placeholders_have_their_values_from_files(bigsec: Runner) -> None:
    _written(bigsec)
    rules = bigsec.folder / "r"
    text = (rules / "needs.yml").read_text(encoding="utf-8")
    text = text.replace("CommandLine|contains: whoami", "CommandLine|expand: '%Commands%'")
    (rules / "needs.yml").write_text(text, encoding="utf-8")
    without = bigsec("rules", "check", "r")
    assert without.code == 3
    assert "placeholders/Commands.txt" in without.out
    (rules / "placeholders").mkdir()
    (rules / "placeholders" / "Commands.txt").write_text("# ours\nls\nwhoami*\n", encoding="utf-8")
    assert bigsec("rules", "check", "r").code == 0
    done = bigsec("rules", "cost", "r", "--over", "a.ndjson")
    found = {row["title"]: row["matched"] for row in map(json.loads, done.out.splitlines())}
    assert found["needs"] >= 1


def test_a_log_that_is_not_there_is_told_and_the_others_are_read(bigsec: Runner) -> None:
    _written(bigsec)
    for command in ("cost", "coverage"):
        done = bigsec("rules", command, "r", "--over", "a.ndjson", "--over", "missing.log")
        assert done.code == 3
        assert "missing.log" in done.err
        assert done.out
