"""Batches that arrive during a commit share the next one, and none of them pays for another."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from ingest_server import group_commit
from ingest_server.group_commit import LARGE_BATCH, MOST_BATCHES, MOST_ROWS, Closed, GroupCommit
from sql.batch import Batch, Receipt
from sql.connection import DatabaseUnavailable
from tests.rows import log_row

PATIENCE_S = 10.0
ROW = log_row()


def batch(name: str, rows: int = 1) -> Batch:
    return Batch("test", name, [ROW] * rows, [])


class Store:
    """A database that commits when the test lets it, and fails for the batches that the test names."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.fails: dict[str, Exception] = {}
        self.begun = threading.Semaphore(0)
        self._may_end = threading.Semaphore(0)
        self._held = threading.Event()

    def __call__(self, batches: Sequence[Batch]) -> list[Receipt]:
        self.groups.append([one.service for one in batches])
        self.begun.release()
        if self._held.is_set():
            assert self._may_end.acquire(timeout=PATIENCE_S)
        for one in batches:
            if one.service in self.fails:
                raise self.fails[one.service]
        return [Receipt(one.received, one.received, 0, 0) for one in batches]

    def hold(self) -> None:
        self._held.set()

    def let_one_end(self) -> None:
        self._may_end.release()

    def let_go(self) -> None:
        self._held.clear()
        self._may_end.release(100)

    def reset(self) -> None:
        """Forget what was let go, and what has begun."""
        self.begun, self._may_end = threading.Semaphore(0), threading.Semaphore(0)

    def wait_until_begun(self) -> None:
        assert self.begun.acquire(timeout=PATIENCE_S)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def commits(store: Store) -> Iterator[GroupCommit]:
    commits = GroupCommit(store, 1)
    yield commits
    store.let_go()
    commits.close()


def test_lone_batch_is_stored_at_once(store: Store, commits: GroupCommit) -> None:
    for name in "abc":
        assert commits.submit(batch(name, 2)).result(PATIENCE_S) == Receipt(2, 2, 0, 0)
    assert store.groups == [["a"], ["b"], ["c"]]


def test_batches_that_arrive_during_a_commit_share_the_next(store: Store, commits: GroupCommit) -> None:
    store.hold()
    futures = [commits.submit(batch("first"))]
    store.wait_until_begun()
    futures += [commits.submit(batch(name, n)) for n, name in enumerate("abc", 1)]
    assert not any(future.done() for future in futures)
    store.let_go()
    assert [future.result(PATIENCE_S).stored for future in futures] == [1, 1, 2, 3]
    assert store.groups == [["first"], ["a", "b", "c"]]


def test_small_batches_wait_together_though_a_thread_is_free(store: Store) -> None:
    commits = GroupCommit(store, 2)
    store.hold()
    futures = [commits.submit(batch("first"))]
    store.wait_until_begun()
    futures += [commits.submit(batch(name)) for name in "ab"]
    store.let_one_end()
    store.wait_until_begun()
    assert store.groups == [["first"], ["a", "b"]]
    store.let_go()
    assert all(future.result(PATIENCE_S).stored == 1 for future in futures)
    commits.close()


def test_large_batch_does_not_wait_while_a_thread_is_free(store: Store) -> None:
    commits = GroupCommit(store, 2)
    store.hold()
    futures = [commits.submit(batch("first"))]
    store.wait_until_begun()
    futures += [commits.submit(batch("small")), commits.submit(batch("large", LARGE_BATCH))]
    store.wait_until_begun()  # the first commit has not ended
    assert store.groups == [["first"], ["small", "large"]]
    store.let_go()
    assert [future.result(PATIENCE_S).stored for future in futures] == [1, 1, LARGE_BATCH]
    commits.close()


def test_group_holds_so_many_rows(store: Store, commits: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST_ROWS", 10)
    store.hold()
    futures = [commits.submit(batch("first"))]
    store.wait_until_begun()
    futures += [commits.submit(batch(name, n)) for name, n in zip("abcde", (4, 6, 1, 25, 1), strict=True)]
    store.let_go()
    assert [future.result(PATIENCE_S).stored for future in futures] == [1, 4, 6, 1, 25, 1]
    assert store.groups == [["first"], ["a", "b"], ["c"], ["d"], ["e"]]


def test_group_holds_so_many_batches(store: Store, commits: GroupCommit) -> None:
    assert MOST_BATCHES < MOST_ROWS
    store.hold()
    futures = [commits.submit(batch("first"))]
    store.wait_until_begun()
    futures += [commits.submit(batch(str(n))) for n in range(MOST_BATCHES + 1)]
    store.let_go()
    assert all(future.result(PATIENCE_S).stored == 1 for future in futures)
    assert store.groups[1:] == [[str(n) for n in range(MOST_BATCHES)], [str(MOST_BATCHES)]]


def test_unexpected_failure_of_one_batch_is_not_the_others_fault(store: Store, commits: GroupCommit) -> None:
    store.fails["b"] = RuntimeError("a defect")
    store.hold()
    first = commits.submit(batch("first"))
    store.wait_until_begun()
    a, b, c = (commits.submit(batch(name)) for name in "abc")
    store.let_go()
    assert [future.result(PATIENCE_S).stored for future in (first, a, c)] == [1, 1, 1]
    with pytest.raises(RuntimeError, match="a defect"):
        b.result(PATIENCE_S)
    assert store.groups == [["first"], ["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert commits.submit(batch("later")).result(PATIENCE_S).stored == 1


def test_database_that_is_away_is_said_to_all_of_a_group_and_asked_once(store: Store, commits: GroupCommit) -> None:
    store.fails["b"] = DatabaseUnavailable("it is away")
    store.hold()
    first = commits.submit(batch("first"))
    store.wait_until_begun()
    futures = [commits.submit(batch(name)) for name in "abc"]
    store.let_go()
    assert first.result(PATIENCE_S).stored == 1
    for future in futures:
        with pytest.raises(DatabaseUnavailable, match="it is away"):
            future.result(PATIENCE_S)
    assert store.groups == [["first"], ["a", "b", "c"]]
    store.fails.clear()
    assert commits.submit(batch("later")).result(PATIENCE_S).stored == 1


def test_batch_that_nobody_waits_for_any_more_is_not_the_others_fault(store: Store, commits: GroupCommit) -> None:
    store.hold()
    first = commits.submit(batch("first"))
    store.wait_until_begun()
    gone, other = commits.submit(batch("a")), commits.submit(batch("b"))
    gone.cancel()
    store.let_go()
    assert [future.result(PATIENCE_S).stored for future in (first, other)] == [1, 1]
    assert commits.submit(batch("later")).result(PATIENCE_S).stored == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_close_stores_what_was_taken_and_then_takes_nothing(store: Store, threads: int) -> None:
    commits = GroupCommit(store, threads)
    store.hold()
    futures = [commits.submit(batch("first"))]
    store.wait_until_begun()
    futures += [commits.submit(batch(name)) for name in "abc"]
    closing = threading.Thread(target=commits.close)
    closing.start()
    store.let_go()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    assert [future.result(0).stored for future in futures] == [1, 1, 1, 1]
    with pytest.raises(Closed, match="shutting down"):
        commits.submit(batch("late"))
    assert sorted(name for group in store.groups for name in group) == ["a", "b", "c", "first"]


def test_close_without_work_ends_and_may_be_repeated(store: Store) -> None:
    commits = GroupCommit(store, 2)
    commits.close()
    commits.close()
    assert store.groups == []
    with pytest.raises(DatabaseUnavailable):
        commits.submit(batch("late"))


def test_two_threads_that_gather_at_once_both_go_on(store: Store) -> None:
    commits = GroupCommit(store, 2)
    try:
        for turn in range(20):
            store.hold()
            futures = [commits.submit(batch("first"))]
            store.wait_until_begun()
            futures += [commits.submit(batch(name)) for name in "ab"]
            store.let_go()
            assert [future.result(PATIENCE_S).stored for future in futures] == [1, 1, 1], turn
            # The last group had several: whoever sees the next two may wait a moment for more.
            futures = [commits.submit(batch(name)) for name in "cd"]
            assert [future.result(PATIENCE_S).stored for future in futures] == [1, 1], turn
            store.reset()
    finally:
        commits.close()


def test_many_senders_each_get_the_receipt_of_their_own_batch(store: Store) -> None:
    commits = GroupCommit(store, 2)
    start, wrong = threading.Barrier(8), []

    def run(sender: int) -> None:
        start.wait(PATIENCE_S)
        for n in range(1, 101):
            if commits.submit(batch(f"{sender}-{n}", n)).result(PATIENCE_S) != Receipt(n, n, 0, 0):
                wrong.append((sender, n))  # noqa: PERF401

    threads = [threading.Thread(target=run, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    commits.close()
    assert wrong == []
    names = [name for group in store.groups for name in group]
    assert len(names) == len(set(names)) == 800
