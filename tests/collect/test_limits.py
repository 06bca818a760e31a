"""Rule 4.5: every limit of the configuration is met exactly, and exceeded by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from bigsec.collect.settings.limits import Limits
from bigsec.collect.settings.sections import Log, Store, Watch

_SECTIONS: tuple[type[BaseModel], ...] = (Limits, Log, Store, Watch)


def _bounds() -> Iterator[tuple[type[BaseModel], str, str, float]]:
    for section in _SECTIONS:
        for name, field in section.model_fields.items():
            for bound in field.metadata:
                for side in ("ge", "gt", "le"):
                    limit = getattr(bound, side, None)
                    if limit is not None:
                        yield section, name, side, limit


@pytest.mark.parametrize(("section", "name", "side", "limit"), list(_bounds()))
def test_a_limit_is_met_exactly_and_not_exceeded(
    section: type[BaseModel], name: str, side: str, limit: float
) -> None:
    beyond = limit + 1 if side == "le" else limit if side == "gt" else limit - 1
    met = limit + 1 if side == "gt" else limit
    assert getattr(section.model_validate({name: met}), name) == met
    with pytest.raises(ValidationError) as told:
        section.model_validate({name: beyond})
    assert told.value.errors()[0]["loc"] == (name,)


def test_every_number_of_the_table_has_both_bounds() -> None:
    bounds = [(section, name, side) for section, name, side, _ in _bounds()]
    for name, field in Limits.model_fields.items():
        assert field.annotation is int
        assert (Limits, name, "ge") in bounds, f"{name} has no least"
        assert (Limits, name, "le") in bounds, f"{name} has no most"
