"""Relational data: signals, incidents and what belongs to them, in SQLite.

This room knows tables, files and locks. What the rows mean, and who may change them how, is the
business of the modules that own them.
"""

from bigsec.store.database import ScannedFile, Store, chunks
from bigsec.store.deadline import is_overdue, stop_reads_after
from bigsec.store.faults import GarbledError
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

__all__ = [
    "GarbledError",
    "NewToken",
    "OutputFolder",
    "ScannedFile",
    "Store",
    "Token",
    "chunks",
    "create_token",
    "find_token",
    "is_overdue",
    "list_tokens",
    "memory_store",
    "open_store",
    "revoke_token",
    "stop_reads_after",
    "tokens_exist",
]
