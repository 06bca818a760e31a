"""Relational data: signals, incidents and what belongs to them, in SQLite.

This room knows tables, files and locks. What the rows mean, and who may change them how, is the
business of the modules that own them.
"""

from bigsec.store.database import ScannedFile, Store, chunks
from bigsec.store.opening import memory_store, open_store
from bigsec.store.output import OutputFolder

__all__ = ["OutputFolder", "ScannedFile", "Store", "chunks", "memory_store", "open_store"]
