"""P15: several processes write to one store and are killed; it stays whole, and nothing is half."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from bigsec.store import ledgers_of, open_store, position_of

WRITERS, KILLS, CHUNK = 4, 20, 10

# Records chunk after chunk, and tells each number once it stands.
WRITER = f"""
import sys
from bigsec.store import LedgerEntry, add_ledgers, begin_chunk, open_store, position_of
folder, log = sys.argv[1:]
with open_store(folder) as store:
    while True:
        first = position_of(store, log, "c") or 0
        entry = LedgerEntry(source="s", received={CHUNK}, parsed={CHUNK}, unparsed=0, quarantined=0,
                            events={CHUNK}, first_received_us=0, last_received_us=first)
        with store.write() as connection:
            begin_chunk(connection, log, "c", first, first + {CHUNK})
            add_ledgers(connection, log, [entry])
        print(first + {CHUNK}, flush=True)
"""


def test_p15_twenty_kills_of_four_writers_leave_the_store_whole(tmp_path: Path) -> None:
    rolls = random.Random(15)  # noqa: S311  # a fixed seed
    logs = [f"{number:032x}" for number in range(WRITERS)]
    folder = tmp_path / "store"
    with open_store(folder, create=True):
        pass
    told = dict.fromkeys(logs, 0)
    for _ in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(folder)]
        writers = {
            log: subprocess.Popen([*command, log], stdout=subprocess.PIPE, text=True)
            for log in logs
        }
        for writer in writers.values():
            assert writer.stdout is not None
            writer.stdout.readline()
        time.sleep(rolls.uniform(0, 0.3))
        for writer in writers.values():
            writer.kill()
        for log, writer in writers.items():
            lines = writer.communicate()[0].split()
            told[log] = max([told[log], *map(int, lines)])
        with sqlite3.connect(folder / "bigsec.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with open_store(folder) as store:
            for log in logs:
                position = position_of(store, log, "c")
                (ledger,) = ledgers_of(store, log)
                assert position is not None
                assert position >= told[log], "what was told to stand is gone"
                assert ledger.received == position, "a transaction took effect in part"
    assert min(told.values()) > KILLS * CHUNK, "the writers hardly wrote"
