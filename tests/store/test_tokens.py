"""Tokens are kept as hashes, hold for their time, and survive what a scan does to the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bigsec.errors import NotFoundError, StoreError, StoreLockedError
from bigsec.store import (
    OutputFolder,
    create_token,
    find_token,
    list_tokens,
    open_store,
    revoke_token,
    tokens_exist,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_secret_is_found_again_until_its_time_is_over(tmp_path: Path) -> None:
    made = create_token(tmp_path, " siem ", lifetime=DAY, now=lambda: NOW)
    assert made.token.name == "siem"
    with open_store(tmp_path) as store:
        last = NOW + DAY - timedelta(seconds=1)
        assert find_token(store, made.secret, now=lambda: last) == made.token
        assert find_token(store, made.secret, now=lambda: NOW + DAY) is None
        assert tokens_exist(store)
        assert tokens_exist(store, holding=True, now=lambda: last)
        assert not tokens_exist(store, holding=True, now=lambda: NOW + DAY)


@pytest.mark.parametrize(
    "given", ["", "bsk_", "bsk_" + "a" * 43, "x" * 100_000, "bsk_\0" + "é" * 42]
)
def test_what_is_no_secret_finds_nothing(tmp_path: Path, given: str) -> None:
    create_token(tmp_path, "siem", lifetime=DAY)
    with open_store(tmp_path) as store:
        assert find_token(store, given) is None


def test_two_tokens_have_nothing_in_common(tmp_path: Path) -> None:
    one = create_token(tmp_path, "a", lifetime=DAY)
    other = create_token(tmp_path, "a", lifetime=DAY)
    assert one.secret != other.secret
    assert one.token.token_id != other.token.token_id
    assert len(one.secret) == 47


def test_a_name_revokes_all_that_have_it_and_once(tmp_path: Path) -> None:
    made = [create_token(tmp_path, "siem", lifetime=DAY) for _ in range(2)]
    kept = create_token(tmp_path, "other", lifetime=DAY)
    assert len(revoke_token(tmp_path, "siem")) == 2
    assert revoke_token(tmp_path, made[0].token.token_id) == ()
    with open_store(tmp_path) as store:
        assert [find_token(store, one.secret) for one in made] == [None, None]
        assert find_token(store, kept.secret) == kept.token
        assert sum(one.revoked is not None for one in list_tokens(store)) == 2


def test_what_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        revoke_token(tmp_path / "none", "siem")
    assert not (tmp_path / "none").exists()
    create_token(tmp_path, "siem", lifetime=DAY)
    with pytest.raises(NotFoundError):
        revoke_token(tmp_path, "nobody")


@pytest.mark.parametrize("name", ["", " ", "a" * 101, "a\nb", "\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        create_token(tmp_path, name, lifetime=DAY)


@pytest.mark.parametrize("lifetime", [timedelta(0), -DAY, timedelta(days=4000)])
def test_a_lifetime_has_bounds(tmp_path: Path, lifetime: timedelta) -> None:
    with pytest.raises(ValueError, match="days"):
        create_token(tmp_path, "siem", lifetime=lifetime)


def test_a_scan_keeps_tokens_and_they_do_not_change_under_it(tmp_path: Path) -> None:
    made = create_token(tmp_path, "siem", lifetime=DAY)
    with OutputFolder(tmp_path) as output:
        with pytest.raises(StoreLockedError):
            revoke_token(tmp_path, "siem")
        with pytest.raises(StoreLockedError):
            create_token(tmp_path, "late", lifetime=DAY)
        output.commit()
    with open_store(tmp_path) as store:
        assert find_token(store, made.secret) == made.token
