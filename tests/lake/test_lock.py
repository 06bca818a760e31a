"""T11: the engine reads the files of its lake, and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from bigsec.lake import Lake, Limits
from bigsec.lake.engine import connected

REACHING = [
    "COPY (SELECT 1) TO '{out}'",
    "ATTACH '{out}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "RESET lock_configuration",
    "PRAGMA enable_external_access = true",
    "EXPORT DATABASE '{out}'",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
    "SELECT * FROM read_text('{data}/../../../../../../../../etc/passwd')",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "CREATE SECRET s (TYPE s3)",
    "CREATE TABLE t AS SELECT * FROM read_blob('/etc/passwd')",
]


@pytest.mark.parametrize("statement", REACHING)
def test_t11_a_statement_that_reaches_out_is_refused(
    few: Lake, tmp_path: Path, statement: str
) -> None:
    folder = few._folder
    out = tmp_path / "out"
    with connected(folder, Limits()) as link, pytest.raises(duckdb.Error):
        link.execute(statement.format(out=out, data=folder / "data")).fetchall()
    assert not out.exists()


def test_t11_no_table_function_reads_a_file_elsewhere(few: Lake, tmp_path: Path) -> None:
    """Every table function of the pinned engine, with a path in each shape that it might take."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\nTOPSECRET,1\n")
    with connected(few._folder, Limits()) as link:
        names = link.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE function_type LIKE '%table%'"
        ).fetchall()
    assert len(names) > 30
    paths = (secret, tmp_path, "http://127.0.0.1:1/x", tmp_path / "*")
    shapes = [(path, shape) for path in paths for shape in (f"'{path}'", f"['{path}']")]
    for (name,) in names:
        with connected(few._folder, Limits()) as link:
            for path, shape in shapes:
                try:
                    asked = f'SELECT * FROM "{name}"({shape}) LIMIT 5'  # noqa: S608
                    rows = link.execute(asked).fetchall()
                except duckdb.Error:
                    continue
                assert "TOPSECRET" not in str(rows), name
                # A function that gives back what it was given has read nothing.
                assert path == secret or "secret.csv" not in str(rows), name


def test_t11_the_lake_itself_can_be_read(few: Lake) -> None:
    path = few._folder / few.files()[0].path
    with connected(few._folder, Limits()) as link:
        (count,) = (
            link.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone() or ()
        )
    assert count > 0
