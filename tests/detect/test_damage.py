"""A damaged store is read, or refused with its name; nothing else comes out of it."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from bigsec.detect import get_incident, list_incidents, record, summary
from bigsec.errors import BigsecError, NotFoundError, StoreError
from bigsec.store import OutputFolder, open_store

from .conftest import Pair, pair

PAGE = 4096
PAIRS = [
    pair(n * 9, rule=f"r{n % 3}", host=f"w{n % 4}", source=f"203.0.113.{n % 5}") for n in range(60)
]
ANSWERS = {"BS3101", "BS3105", "BS3106"}


def put(folder: Path, pairs: list[Pair]) -> None:
    with OutputFolder(folder) as output:
        record(output.store, [one for one, _ in pairs], [event for _, event in pairs])
        output.commit()


def damaged(good: bytes, chance: random.Random) -> bytes:
    """The file with some bytes changed, its end cut off, a stretch of zeros, or a page doubled."""
    found = bytearray(good)
    place = chance.randrange(len(good))
    kind = chance.randrange(4)
    if kind == 0:
        for _ in range(chance.randrange(1, 20)):
            found[chance.randrange(len(found))] = chance.randrange(256)
    elif kind == 1:
        del found[place:]
    elif kind == 2:
        found[place : place + 512] = bytes(len(found[place : place + 512]))
    else:
        page, other = (chance.randrange(len(good) // PAGE) * PAGE for _ in range(2))
        found[page : page + PAGE] = good[other : other + PAGE]
    return bytes(found)


def use(folder: Path) -> None:
    """Read everything, and record again."""
    with open_store(folder) as store:
        summary(store)
        for one in list_incidents(store, limit=1000).incidents:
            get_incident(store, one.incident_id)
        record(store, [one for one, _ in PAIRS], [event for _, event in PAIRS])


def test_a_damaged_store_is_read_or_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, PAIRS)
    path = tmp_path / "bigsec.db"
    good = path.read_bytes()
    seed = time.time_ns()
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311  # Where to damage is no secret.
    refused = 0
    for number in range(150):
        path.write_bytes(damaged(good, chance))
        (tmp_path / "bigsec.db-journal").unlink(missing_ok=True)
        try:
            use(tmp_path)
        except StoreError as error:
            assert error.code in ANSWERS, f"seed {seed}, damage {number}"
            assert str(path) in str(error)
            refused += 1
        except BigsecError as error:
            assert isinstance(error, NotFoundError), f"seed {seed}, damage {number}"
    assert refused > 20


@pytest.mark.parametrize("column", ["title_en", "source", "tactics", "first_us", "severity_id"])
@pytest.mark.parametrize("value", ["x'ff'", "'{'", "'[1]'"])
def test_a_value_of_a_wrong_kind_is_refused_or_shown(
    tmp_path: Path, column: str, value: str
) -> None:
    put(tmp_path, PAIRS)
    with open_store(tmp_path) as store:
        with store.write() as connection:
            connection.exec_driver_sql(f"UPDATE incident SET {column} = {value}")  # noqa: S608
        try:
            found = list_incidents(store).incidents
        except StoreError as error:
            assert error.code == "BS3105"
        else:
            assert column == "title_en"
            assert found
