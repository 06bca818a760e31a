"""Positions and ledgers of evidence logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bigsec.errors import StoreError
from bigsec.store import (
    LedgerEntry,
    Store,
    add_ledgers,
    begin_chunk,
    ledgers_of,
    memory_store,
    note_lost,
    position_of,
    read_alarms,
    read_rhythms,
    rewind,
    write_alarms,
    write_rhythms,
)

LOG = "0" * 32


@pytest.fixture
def store() -> Store:
    return memory_store()


def _entry(source: str, count: int, skew: int | None = None) -> LedgerEntry:
    return LedgerEntry(
        source=source,
        received=count,
        parsed=count,
        unparsed=0,
        quarantined=0,
        events=count,
        first_received_us=count,
        last_received_us=count + 1,
        clock_skew_us=skew,
        parsers={"syslog": count},
    )


def test_a_chunk_takes_effect_once_and_follows_the_one_before(store: Store) -> None:
    assert position_of(store, LOG, "detect") is None
    with store.write() as connection:
        assert begin_chunk(connection, LOG, "detect", 0, 10)
    for first, after in ((0, 10), (5, 10)):
        with store.write() as connection:
            assert not begin_chunk(connection, LOG, "detect", first, after)
    with store.write() as connection, pytest.raises(ValueError, match="do not follow"):
        begin_chunk(connection, LOG, "detect", 5, 20)
    assert position_of(store, LOG, "detect") == 10
    assert position_of(store, LOG, "other") is None
    assert position_of(store, "1" * 32, "detect") is None


def test_an_undone_transaction_leaves_position_and_ledger(store: Store) -> None:
    def record_and_fail() -> None:
        with store.write() as connection:
            begin_chunk(connection, LOG, "detect", 0, 10)
            add_ledgers(connection, LOG, [_entry("fw", 10)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        record_and_fail()
    assert position_of(store, LOG, "detect") is None
    assert ledgers_of(store, LOG) == []


def test_ledgers_add_up_by_source(store: Store) -> None:
    for entries in ([_entry("fw", 3, skew=7)], [_entry("fw", 4), _entry("app", 1)]):
        with store.write() as connection:
            add_ledgers(connection, LOG, entries)
    app, fw = ledgers_of(store, LOG)
    assert (app.source, app.received, app.clock_skew_us) == ("app", 1, None)
    assert (fw.received, fw.parsed, fw.parsers) == (7, 7, {"syslog": 7})
    assert (fw.first_received_us, fw.last_received_us, fw.clock_skew_us) == (3, 5, 7)
    assert fw.received == fw.parsed + fw.unparsed + fw.quarantined


def test_a_garbled_ledger_is_told_as_damage(store: Store) -> None:
    with store.write() as connection:
        add_ledgers(connection, LOG, [_entry("fw", 1)])
        connection.exec_driver_sql("UPDATE source_ledger SET parsers = '[]'")
    with pytest.raises(StoreError, match="damaged"):
        ledgers_of(store, LOG)


def test_lost_ranges_rhythms_and_alarms_are_kept_once(store: Store) -> None:
    for _ in range(2):
        with store.write() as connection:
            note_lost(connection, LOG, 5, 9, "a broken block")
        write_rhythms(store, {"fw": "[[1, 2.0]]"})
        write_alarms(store, {("drops", "fw"): 5}, [])
    assert read_rhythms(store) == {"fw": "[[1, 2.0]]"}
    assert read_alarms(store) == {("drops", "fw"): 5}
    write_alarms(store, {}, [("drops", "fw")])
    assert read_alarms(store) == {}


def test_the_tables_come_with_an_upgrade(tmp_path: Path) -> None:
    from bigsec.store import open_store

    with open_store(tmp_path, create=True) as opened:
        assert position_of(opened, LOG, "detect") is None


def test_what_was_deleted_before_its_turn_is_noted_and_reading_goes_on(store: Store) -> None:
    for first, after in ((0, 10), (25, 30)):
        with store.write() as connection:
            assert begin_chunk(connection, LOG, "detect", first, after)
    with store.read() as connection:
        lost = connection.exec_driver_sql('SELECT first, "end" FROM lost_range').all()
    assert [tuple(one) for one in lost] == [(10, 25)]
    assert position_of(store, LOG, "detect") == 30
    rewind(store, LOG, "detect", 3)
    assert position_of(store, LOG, "detect") == 3
