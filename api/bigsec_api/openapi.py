"""Writes the OpenAPI document: `python -m bigsec_api.openapi > api/openapi.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bigsec_api.app import create_app

__all__ = ["document"]


def document() -> str:
    """The document as the repository keeps it."""
    return json.dumps(create_app(Path()).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
