"""T7: a rule that floods is told of while it lasts, once."""

from __future__ import annotations

from bigsec.collect.floods import OVER_S, Floods


class _Alarms:
    def __init__(self) -> None:
        self.raised: dict[tuple[str, str], str] = {}
        self.told = 0

    def raise_once(self, kind: str, subject: str, detail: str) -> bool:
        if (kind, subject) in self.raised:
            return False
        self.raised[kind, subject] = detail
        self.told += 1
        return True

    def clear(self, kind: str, subject: str) -> None:
        self.raised.pop((kind, subject), None)


def test_t7_a_flood_is_told_of_once_and_ends() -> None:
    now = 0.0
    floods, alarms = Floods(lambda: now), _Alarms()
    gauges: dict[str, float] = {}
    floods.look(alarms, gauges.__setitem__)
    assert alarms.raised == {}
    for count in (5, 1_000):
        floods.take([("id-1", "Everything", count)])
        floods.look(alarms, gauges.__setitem__)
        now += OVER_S / 2
    told = "5 matches of the rule 'Everything' gave no signal: it matches too much"
    assert alarms.raised == {("rule_flood", "id-1"): told}
    assert (alarms.told, gauges) == (1, {'bigsec_rule_signals_braked{rule="id-1"}': 1_005.0})
    now += OVER_S
    floods.look(alarms, gauges.__setitem__)
    assert alarms.raised == {}
    floods.take([("id-1", "Everything", 1)])
    floods.look(alarms, gauges.__setitem__)
    assert alarms.told == 2
