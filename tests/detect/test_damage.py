"""A damaged store is read, or refused with its name; nothing else comes out of it."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from bigsec.detect import get_incident, list_incidents, record, summary
from bigsec.detect.queries import COLUMNS, incident_fields
from bigsec.errors import NotFoundError, StoreError
from bigsec.store import GarbledError, OutputFolder, open_store

from .conftest import Pair, pair

PAGE = 4096
PAIRS = [
    pair(n * 9, rule=f"r{n % 3}", host=f"w{n % 4}", source=f"203.0.113.{n % 5}") for n in range(60)
]


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


def outcome(folder: Path) -> str:
    """Read everything and record again: nothing, or the code of what refused, and its place."""
    try:
        with open_store(folder) as store:
            summary(store)
            for one in list_incidents(store, limit=1000).incidents:
                get_incident(store, one.incident_id)
            record(store, [one for one, _ in PAIRS], [event for _, event in PAIRS])
    except StoreError as error:
        return f"{error.code} {str(folder / 'bigsec.db') in error.message}"
    except NotFoundError as error:
        return error.code
    return ""


def test_a_damaged_store_is_read_or_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, PAIRS)
    path = tmp_path / "bigsec.db"
    good = path.read_bytes()
    seed = time.time_ns()
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311  # Where to damage is no secret.
    outcomes: Counter[str] = Counter()
    for _ in range(150):
        path.write_bytes(damaged(good, chance))
        (tmp_path / "bigsec.db-journal").unlink(missing_ok=True)
        outcomes[outcome(tmp_path)] += 1
    # BS3101: the revision itself was hit. BS3106: an id in an index was, and leads nowhere.
    assert outcomes.keys() <= {"", "BS3105 True", "BS3101 True", "BS3106"}
    assert outcomes["BS3105 True"] > 20


@pytest.mark.parametrize("column", ["source", "tactics", "first_us", "severity_id"])
@pytest.mark.parametrize("value", ["x'ff'", "'{'", "'[1]'"])
def test_a_value_of_a_wrong_kind_is_refused(tmp_path: Path, column: str, value: str) -> None:
    put(tmp_path, PAIRS)
    with open_store(tmp_path) as store:
        with store.write() as connection:
            connection.exec_driver_sql(f"UPDATE incident SET {column} = {value}")  # noqa: S608
        with pytest.raises(StoreError, match="damaged") as caught:
            list_incidents(store)
    assert caught.value.code == "BS3105"


def test_an_incident_without_an_id_is_refused(tmp_path: Path) -> None:
    """A damaged schema lets a column be NULL that never was."""
    put(tmp_path, PAIRS)
    with open_store(tmp_path) as store, store.read() as connection:
        row = dict(connection.execute(select(*COLUMNS)).mappings().first() or {})
    with pytest.raises(GarbledError, match="the id of an incident"):
        incident_fields(row | {"incident_id": None})
