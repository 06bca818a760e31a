"""Relational data: signals, incidents and what belongs to them, in SQLite.

This room knows tables, files and locks. What the rows mean, and who may change them how, is the
business of the modules that own them.
"""

from bigsec.store.beside import written_beside
from bigsec.store.database import ScannedFile, Store, chunks
from bigsec.store.deadline import is_overdue, stop_reads_after
from bigsec.store.faults import GarbledError
from bigsec.store.live import LiveStore, live_store, writer_of
from bigsec.store.logs import (
    LedgerEntry,
    add_ledgers,
    begin_chunk,
    ledgers_of,
    note_lost,
    position_of,
    rewind,
)
from bigsec.store.opening import memory_store, open_store
from bigsec.store.output import OutputFolder
from bigsec.store.tokens import (
    NewToken,
    Token,
    create_token,
    find_token,
    list_tokens,
    revoke_token,
    tokens_exist,
)
from bigsec.store.watching import read_alarms, read_rhythms, write_alarms, write_rhythms

__all__ = [
    "GarbledError",
    "LedgerEntry",
    "LiveStore",
    "NewToken",
    "OutputFolder",
    "ScannedFile",
    "Store",
    "Token",
    "add_ledgers",
    "begin_chunk",
    "chunks",
    "create_token",
    "find_token",
    "is_overdue",
    "ledgers_of",
    "list_tokens",
    "live_store",
    "memory_store",
    "note_lost",
    "open_store",
    "position_of",
    "read_alarms",
    "read_rhythms",
    "revoke_token",
    "rewind",
    "stop_reads_after",
    "tokens_exist",
    "write_alarms",
    "write_rhythms",
    "writer_of",
    "written_beside",
]
