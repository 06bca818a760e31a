"""Log lines in, Arrow batches and signals out.

    import bigsec

    for batch in bigsec.read("access.log.gz"):       # any Arrow library can take a batch
        ...
    rules = bigsec.Rules.load("rules/")              # Sigma; what cannot be loaded is listed
    signals = rules.match(batch)                     # Arrow in, Arrow out
    known = bigsec.Indicators.load("feed.csv")       # addresses, domains, hashes, …
    signals = rules.with_indicators(known).match(batch)

Importing this package imports neither pyarrow nor anything else that is large. Exceptions stand
in `bigsec.errors`.
"""

from __future__ import annotations

from bigsec._core import (
    Batch,
    EventReader,
    Indicators,
    Ledger,
    Packs,
    Rule,
    Rules,
    ScanChunk,
    Scanner,
    __version__,
)
from bigsec.community_id import community_id
from bigsec.errors import BigsecError, Problem
from bigsec.library import (
    default_packs,
    default_rules,
    default_tables,
    read,
    scan,
)

__all__ = [
    "Batch",
    "BigsecError",
    "EventReader",
    "Indicators",
    "Ledger",
    "Packs",
    "Problem",
    "Rule",
    "Rules",
    "ScanChunk",
    "Scanner",
    "__version__",
    "community_id",
    "default_packs",
    "default_rules",
    "default_tables",
    "read",
    "scan",
]
