"""Errors of the store are those of the one table, pickle, and name place and mend."""

from __future__ import annotations

import errno
import pickle

import pytest

from bigsec import _core
from bigsec.errors import StoreError, StoreFullError, StoreLockedError
from bigsec.store import faults
from bigsec.store.engine import sqlite_module

EVERY = [
    faults.newer("out", "0009"),
    faults.locked("out", 7),
    faults.full("out"),
    faults.missing("out"),
    faults.broken("out", "torn"),
    faults.denied("out", "no"),
    faults.unsupported("out"),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.code)
def test_an_error_is_of_the_table_and_names_place_and_mend(error: StoreError) -> None:
    known = {(code.number, code.name) for code in _core.codes()}
    assert (error.code, error.name) in known
    (problem,) = error.problems
    assert problem.file == "out"
    assert problem.mend
    assert "out" in error.message
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # Our own bytes.
    assert (type(again), again.args) == (type(error), error.args)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFullError),
        (errno.EDQUOT, StoreFullError),
        (errno.EFBIG, StoreFullError),
        (errno.EACCES, StoreError),
        (errno.EROFS, StoreError),
    ],
)
def test_errors_of_the_system_become_errors_of_the_store(
    number: int, kind: type[StoreError]
) -> None:
    with pytest.raises(StoreError) as caught, faults.faults("out"):
        raise OSError(number, "told by the system")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        ("database or disk is full", StoreFullError, "BS3103"),
        ("database is locked", StoreLockedError, "BS3102"),
        ("file is not a database", StoreError, "BS3105"),
        ("database disk image is malformed", StoreError, "BS3105"),
        ("no such table: incident", StoreError, "BS3105"),
        ("attempt to write a readonly database", StoreError, "BS1102"),
    ],
)
def test_errors_of_sqlite_without_a_code_are_known_by_their_text(
    message: str, kind: type[StoreError], code: str
) -> None:
    with pytest.raises(StoreError) as caught, faults.faults("out"):
        raise sqlite_module().OperationalError(message)
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_failed_write_is_a_full_disk_and_a_failed_read_a_broken_store() -> None:
    def failing(*, writes: bool) -> StoreError:
        with pytest.raises(StoreError) as caught, faults.faults("out", writes=writes):
            raise sqlite_module().OperationalError("disk I/O error")
        return caught.value

    assert failing(writes=True).code == "BS3103"
    assert failing(writes=False).code == "BS3105"


@pytest.mark.parametrize(("fault", "code"), [(3, "BS3103"), (19, "BS3103"), (1, "BS3105")])
def test_p6_a_reader_that_cannot_write_the_index_met_a_full_disk(fault: int, code: str) -> None:
    """P6: taken for damage, it would end the daemon and move its store aside."""
    error = sqlite_module().OperationalError("disk I/O error")
    error.sqlite_errorcode = 10 | fault << 8
    with pytest.raises(StoreError) as caught, faults.faults("out"):
        raise error
    assert caught.value.code == code


def test_a_fault_of_the_program_is_not_the_stores() -> None:
    wrong = sqlite_module().OperationalError('near "SELCT": syntax error')
    with pytest.raises(type(wrong)), faults.faults("out"):
        raise wrong


def test_damaged_text_is_not_repeated() -> None:
    message = "Could not decode to UTF-8 column 'raw' with text 'password=\x80'"
    with pytest.raises(StoreError) as caught, faults.faults("out"):
        raise sqlite_module().OperationalError(message)
    assert caught.value.code == "BS3105"
    assert "password" not in str(caught.value)
