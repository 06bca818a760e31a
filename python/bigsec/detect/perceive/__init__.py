"""From a flood of alerts of sensors to few incidents.

A sensor's alert is worth what it is rare. `Habits` learns without labels how often each detector
fires on each host; `Perceiver` gathers what is rare there into incidents, one for each method in
one place, and those that belong together into campaigns; `Sensors` knows, as data, what the alerts
of a sensor speak of. `InOrder` puts alerts that come late into their place.

Everything is a function of the alerts in the order of their times: replayed, in halves, or after a
restart (`Perceiver.state`), the same alerts give the same incidents.
"""

from __future__ import annotations

from bigsec.detect.perceive.evaluating import Evaluation, Found, evaluate
from bigsec.detect.perceive.habits import Habits
from bigsec.detect.perceive.incident import Campaign, Incident, Part
from bigsec.detect.perceive.keeping import rows_of
from bigsec.detect.perceive.memory import Memory
from bigsec.detect.perceive.ordering import InOrder
from bigsec.detect.perceive.perceiver import Perceiver
from bigsec.detect.perceive.reading import Fault, read_alerts, read_labels
from bigsec.detect.perceive.sensors import Meaning, Method, Sensors, Shape
from bigsec.detect.perceive.settings import Alert, Perception

__all__ = [
    "Alert",
    "Campaign",
    "Evaluation",
    "Fault",
    "Found",
    "Habits",
    "InOrder",
    "Incident",
    "Meaning",
    "Memory",
    "Method",
    "Part",
    "Perceiver",
    "Perception",
    "Sensors",
    "Shape",
    "evaluate",
    "read_alerts",
    "read_labels",
    "rows_of",
]
