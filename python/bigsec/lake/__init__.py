"""The lake: every event in Parquet files, to be searched for years.

A view of the evidence logs, which can be removed and filled anew at any time.
"""

from __future__ import annotations

from bigsec.lake.catalogue import Catalogue, LakeFile
from bigsec.lake.condition import Condition
from bigsec.lake.engine import Limits
from bigsec.lake.filtering import condition_of
from bigsec.lake.hunting import Hunted, hunt
from bigsec.lake.merging import KEEP_DAYS_MIN, Upkeep
from bigsec.lake.reading import Bucket, Counted, Lake
from bigsec.lake.writing import LakeWriter

__all__ = [
    "KEEP_DAYS_MIN",
    "Bucket",
    "Catalogue",
    "Condition",
    "Counted",
    "Hunted",
    "Lake",
    "LakeFile",
    "LakeWriter",
    "Limits",
    "Upkeep",
    "condition_of",
    "hunt",
]
