"""Alerts of sensors become incidents: what is rare is seen, what is usual is not, and nothing but
the times of the alerts decides."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.detect.perceive import Alert, Habits, InOrder, Perceiver, Perception, Sensors
from bigsec.errors import PackError

BENCH = Path(__file__).resolve().parents[2] / "bench"
HOUR = 3_600.0
DAY = 24 * HOUR
# Detectors of every kind, and one that no table knows.
DETECTORS = (
    "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed",
    "Wazuh: Web server 400 error code.",
    "Wazuh: Common web attack.",
    "Wazuh: Successful sudo to ROOT executed.",
    "Wazuh: IDS event.",
    "AMiner: New event type.",
    "AMiner: High entropy in Apache Access request.",
    "AMiner: New service_stop parameter combination in Audit logs.",
    "Acme: frobnicator out of range",
)
SMALL = Perception(learning_s=HOUR, rare_bits=1.0, incident_bits=4.0, campaign_bits=6.0)


@st.composite
def _alerts(draw: st.DrawFn) -> list[Alert]:
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from((0.0, 0.5, 2.0, 60.0, 301.0, 700.0, 3_000.0)),
                st.sampled_from(DETECTORS),
                st.sampled_from(("a", "b", "c")),
            ),
            max_size=120,
        )
    )
    time_s, made = 1_000.0, []
    for number, (step, detector, host) in enumerate(steps):
        time_s += step
        made.append(Alert(time_s, detector, host, f"{number:04}"))
    return made


def _all(perceiver: Perceiver) -> list[dict[str, Any]]:
    settings = perceiver.settings
    return [incident.explain(settings) for incident in perceiver.incidents.values()]


def _perceive(alerts: Sequence[Alert], settings: Perception = SMALL) -> Perceiver:
    perceiver = Perceiver(settings)
    for alert in alerts:
        perceiver.take(alert)
    return perceiver


@given(_alerts(), st.randoms(use_true_random=False))
def test_order_inside_the_lateness_changes_nothing(alerts: list[Alert], chance: Any) -> None:
    lateness_s = 120.0
    shuffled = sorted(alerts, key=lambda one: one.time_s + chance.uniform(0, lateness_s))
    order = InOrder(lateness_s)
    given_out = [one for alert in shuffled for one in order.push(alert)] + list(order.flush())
    assert given_out == sorted(alerts)
    assert order.late == 0
    assert _all(_perceive(given_out)) == _all(_perceive(sorted(alerts)))


@given(_alerts(), st.integers(0, 120))
def test_in_two_halves_with_a_restart_between_the_incidents_are_the_same(
    alerts: list[Alert], cut: int
) -> None:
    first = _perceive(alerts[:cut])
    second = Perceiver(SMALL)
    second.restore(json.loads(json.dumps(first.state())))
    for alert in alerts[cut:]:
        second.take(alert)
    whole = _perceive(alerts)
    assert _all(second) == _all(whole)
    assert second.state() == whole.state()


@given(_alerts())
def test_the_parts_of_a_score_add_up_and_every_alert_is_counted(alerts: list[Alert]) -> None:
    perceiver = Perceiver(SMALL)
    taken = [incident.number for alert in alerts if (incident := perceiver.take(alert)) is not None]
    for told in _all(perceiver):
        assert sum(part["counted"] for part in told["parts"]) == pytest.approx(
            told["score"], abs=0.001 * (len(told["parts"]) + 1)
        )
        assert told["alerts"] == taken.count(told["incident"])
        assert told["first_s"] <= told["last_s"]
        assert told["hosts"]
    for campaign in perceiver.campaigns.values():
        members = [perceiver.incidents[number] for number in campaign.incidents]
        assert campaign.score == pytest.approx(sum(one.score for one in members))
        assert all(one.campaign == campaign.number for one in members)


def test_an_alert_that_comes_too_late_is_counted_and_kept() -> None:
    order = InOrder(10.0)
    given_out = [*order.push(Alert(0, "d", "h", "1")), *order.push(Alert(100, "d", "h", "2"))]
    given_out += [*order.push(Alert(200, "d", "h", "3")), *order.push(Alert(50, "d", "h", "4"))]
    given_out += order.flush()
    assert order.late == 1
    assert [one.alert_id for one in given_out] == ["1", "2", "4", "3"]
    assert given_out == sorted(given_out, key=lambda one: one.time_s)


def _usual(days: int) -> list[Alert]:
    """Ordinary life: a detector that fires all day, one each morning, on two hosts."""
    made = []
    for number in range(days * 288):
        time_s = number * 300.0
        made.append(Alert(time_s, "Wazuh: Web server 400 error code.", "web"))
        if number % 288 == 96:
            made.append(Alert(time_s + 1, "Wazuh: PAM: Login session opened.", "files"))
    return made


ATTACK = [
    Alert(0, "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed", "web"),
    Alert(1, "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed", "files"),
    Alert(120, "Wazuh: Suspicious URL access.", "web"),
    Alert(130, "Wazuh: Common web attack.", "web"),
    Alert(600, "AMiner: High entropy in Apache Access request.", "web"),
    Alert(900, "Wazuh: User successfully changed UID.", "web"),
]


def test_what_is_usual_is_not_raised_and_what_is_new_is_at_once() -> None:
    usual = _usual(4)
    quiet = _perceive(usual, Perception())
    assert [one for one in quiet.incidents.values() if one.raised_s is not None] == []
    began_s = usual[-1].time_s + 60
    attack = [one._replace(time_s=began_s + one.time_s) for one in ATTACK]
    for alert in attack:
        quiet.take(alert)
    raised = [one for one in quiet.incidents.values() if one.raised_s is not None]
    methods = {one.method.name: one.raised_s for one in raised}
    assert set(methods) == {"scanning", "web_attack", "web_command", "privilege"}
    assert methods["scanning"] == began_s
    assert methods["web_attack"] == began_s + 130
    assert len({one.campaign for one in raised}) == 1
    told = raised[0].explain(quiet.settings)
    assert (told["tactic"], told["technique"]) == ("reconnaissance", "T1595")
    assert told["hosts"] == ["files", "web"]


def test_what_happens_everywhere_at_once_is_upkeep() -> None:
    usual = _usual(3)
    began_s = usual[-1].time_s + 60
    stop = "AMiner: New service_stop parameter combination in Audit logs."
    alone = _perceive([*usual, Alert(began_s, stop, "files")], Perception())
    everywhere = [Alert(began_s + number, stop, f"h{number}") for number in range(30)]
    upkeep = _perceive([*usual, *everywhere], Perception())
    assert [one.method.name for one in alone.incidents.values() if one.raised_s] == ["service"]
    raised = [one for one in upkeep.incidents.values() if one.raised_s is not None]
    assert len(raised) < 10


def test_several_detectors_of_one_event_count_once() -> None:
    usual = _usual(3)
    began_s = usual[-1].time_s + 60
    names = ("Wazuh: PAM: User login failed.", "Wazuh: sshd: x", "Wazuh: brute force")
    together = [Alert(began_s, name, "files") for name in names]
    apart = [Alert(began_s + 20 * number, name, "files") for number, name in enumerate(names)]
    one, other = (
        next(
            incident
            for incident in _perceive([*usual, *alerts], Perception()).incidents.values()
            if incident.method.name == "login"
        )
        for alerts in (together, apart)
    )
    assert len(one.parts) == len(other.parts) == 3
    assert other.score > 2 * one.score


def test_memory_is_bounded_whatever_the_number_of_hosts() -> None:
    settings = Perception(pairs_max=500, incidents_max=100, parts_max=50, learning_s=1.0)
    perceiver = Perceiver(settings)
    for number in range(20_000):
        detector = DETECTORS[number % len(DETECTORS)]
        perceiver.take(Alert(number * 0.7, detector, f"host-{number}"))
    state = perceiver.state()
    assert len(state["habits"]["pairs"]) <= 500
    assert len(state["habits"]["hosts"]) <= 500
    assert len(state["bits"]) <= 500
    assert len(perceiver.incidents) <= 100
    assert max(len(one.parts) for one in perceiver.incidents.values()) <= 50
    assert sum(state["habits"]["detectors"].values()) <= 500
    # The pairs that are left are those that came last.
    assert state["habits"]["pairs"][-1][0] == "host-19999"


def test_rare_says_more_than_frequent_and_known_elsewhere_less_than_unheard_of() -> None:
    settings = Perception(learning_s=1.0)
    habits = Habits(settings)
    for number in range(1_000):
        habits.bits(number * 300.0, "often", "a")
        if number % 50 == 0:
            habits.bits(number * 300.0, "seldom", "a")
    now_s = 1_000 * 300.0 + DAY
    often, seldom = habits.bits(now_s, "often", "a"), habits.bits(now_s, "seldom", "a")
    elsewhere, unheard = habits.bits(now_s, "often", "b"), habits.bits(now_s, "never", "b")
    assert often is not None
    assert seldom is not None
    assert elsewhere is not None
    assert unheard is not None
    assert often < seldom < unheard
    assert often < elsewhere < unheard <= settings.bits_max
    assert habits.bits(now_s + 1, "never", "b") is None, "once in a bin"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("x.toml", "prefixes = [1", "x.toml"),
        ("x.toml", 'prefixes = ["X: "]', "alerts is no list"),
        ("x.toml", 'prefixes = ["X"]\n[[alerts]]\ncontains = ["a"]\nmethod = "x"', "is none of"),
        ("x.toml", 'prefixes = ["X"]\n[[alerts]]\nmethod = "login"', "alerts[0].contains"),
        (
            "x.toml",
            'prefixes = ["X"]\n[[alerts]]\ncontains = ["a"]\nmethod = "login"\nweight = -1',
            "alerts[0].weight",
        ),
        ("methods.toml", "[login]\nweight = 1.0\nheight = 2", "[login]"),
        ("methods.toml", "[login]\nweight = 1.0", "[unclassified] is missing"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    methods = "[login]\nweight = 1.0\n[unclassified]\nweight = 1.0\n"
    (tmp_path / "methods.toml").write_text(methods)
    (tmp_path / name).write_text(text)
    with pytest.raises(PackError) as fault:
        Sensors(tmp_path)
    assert told in str(fault.value)
    assert name in str(fault.value)


def test_what_no_table_knows_counts_by_its_rarity() -> None:
    sensors = Sensors()
    assert sensors.meaning("Acme: frobnicator out of range").method.name == "unclassified"
    assert sensors.meaning("Zeek: SSH::Password_Guessing").method.name == "login"
    assert sensors.meaning("Suricata: Alert - ET INFO x").weight == 0.0


@pytest.mark.parametrize("scenario", ["russellmitchell", "wardbeck"])
def test_a_real_attack_in_real_noise_is_few_incidents(shared_data: Path, scenario: str) -> None:
    path = shared_data / "ait-alerts" / f"{scenario}.csv.zst"
    sys.path.insert(0, str(BENCH))
    try:
        from sets.ait_alerts import alerts, labelled
    finally:
        sys.path.remove(str(BENCH))
    perceiver, held = Perceiver(), {}
    given_alerts = sorted(alerts(path))
    attack = labelled(path)
    for alert in given_alerts:
        incident = perceiver.take(alert)
        if incident is not None and int(alert.alert_id) in attack:
            held[incident.number] = True
    raised = [one for one in perceiver.incidents.values() if one.raised_s is not None]
    assert len(raised) <= 60
    assert sum(one.number in held for one in raised) >= 0.25 * len(raised)
