"""How many routes a service may have, whoever gave them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ingest_server.route import RouteRules
from ingest_server.route_book import FAIL_FOR_S, READ_AGAIN_S, RouteBook
from sql.batch import OTHER_ROUTES
from sql.connection import DatabaseUnavailable


class Stored:
    """The routes in the database, and how often they were read."""

    def __init__(self, *routes: tuple[str, str]) -> None:
        self.routes = list(routes)
        self.reads = 0
        self.away = False

    def __call__(self) -> Iterable[tuple[str, str]]:
        self.reads += 1
        if self.away:
            raise DatabaseUnavailable("it is away")
        return list(self.routes)


class Clock:
    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


def book(most: int, stored: Stored | None = None, clock: Clock | None = None) -> RouteBook:
    book = RouteBook(RouteRules.default(), most, stored or Stored(), clock or Clock())
    book.refresh()
    return book


def routes(book: RouteBook, service: str, *paths: str) -> list[str]:
    return [book.route(service, path) for path in paths]


def test_route_folds_ids() -> None:
    assert routes(book(1), "shop", "/user/17", "/user/18") == ["/user/{id}"] * 2


def test_routes_beyond_the_limit_share_one_name() -> None:
    few = book(2)
    assert routes(few, "shop", "/a", "/b", "/c", "/d") == ["/a", "/b", OTHER_ROUTES, OTHER_ROUTES]
    assert routes(few, "shop", "/b", "/a") == ["/b", "/a"]


def test_scan_of_many_paths_leaves_only_the_limit() -> None:
    few = book(10)
    assert len(set(routes(few, "shop", *(f"/word{'x' * n}" for n in range(1, 200))))) == 11


def test_two_services_have_a_limit_each() -> None:
    few = book(1)
    assert routes(few, "shop", "/a", "/b") == ["/a", OTHER_ROUTES]
    assert routes(few, "cart", "/b", "/a") == ["/b", OTHER_ROUTES]


def test_routes_of_the_database_count() -> None:
    few = book(2, Stored(("shop", "/a"), ("shop", "/b"), ("cart", "/c")))
    assert routes(few, "shop", "/c", "/a", "/b") == [OTHER_ROUTES, "/a", "/b"]
    assert routes(few, "cart", "/d", "/e") == ["/d", OTHER_ROUTES]


def test_shared_name_itself_takes_no_place() -> None:
    few = book(2, Stored(("shop", OTHER_ROUTES), ("shop", "/a")))
    assert routes(few, "shop", "/b", "/c") == ["/b", OTHER_ROUTES]


def test_more_routes_in_the_database_than_allowed_keep_their_names() -> None:
    few = book(1, Stored(*(("shop", f"/{name}") for name in "abc")))
    assert routes(few, "shop", "/a", "/b", "/c", "/d") == ["/a", "/b", "/c", OTHER_ROUTES]


def test_routes_are_read_before_the_first_batch_and_then_once_a_minute() -> None:
    stored, clock = Stored(), Clock()
    few = RouteBook(RouteRules.default(), 2, stored, clock)
    assert (stored.reads, few.fresh) == (0, False)
    for moment, reads in [(5, 1), (5, 1), (64.9, 1), (65, 2), (100, 2), (124.9, 2), (125, 3), (1e6, 4)]:
        clock.now = moment
        assert few.fresh == (reads == stored.reads)
        few.refresh()
        assert (stored.reads, few.fresh) == (reads, True), moment
    assert READ_AGAIN_S == 60


def test_route_reads_nothing_by_itself() -> None:
    stored, clock = Stored(), Clock()
    few = book(2, stored, clock)
    clock.now += 10 * READ_AGAIN_S
    few.route("shop", "/a")
    assert stored.reads == 1


def test_routes_that_another_process_added_count_after_a_minute() -> None:
    stored, clock = Stored(), Clock()
    few = book(2, stored, clock)
    assert routes(few, "shop", "/a") == ["/a"]
    stored.routes.append(("shop", "/b"))
    clock.now += READ_AGAIN_S
    few.refresh()
    assert routes(few, "shop", "/c", "/b", "/a") == [OTHER_ROUTES, "/b", "/a"]


def test_routes_that_cannot_be_read_are_read_again_soon_but_not_by_every_body() -> None:
    stored, clock = Stored(("shop", "/a")), Clock()
    stored.away = True
    few = RouteBook(RouteRules.default(), 1, stored, clock)
    for reads in (1, 2):
        with pytest.raises(DatabaseUnavailable):
            few.refresh()
        assert (stored.reads, few.fresh) == (reads, False)
        with pytest.raises(DatabaseUnavailable):
            few.refresh()
        assert stored.reads == reads
        clock.now += FAIL_FOR_S
    stored.away = False
    few.refresh()
    assert few.fresh
    assert routes(few, "shop", "/b") == [OTHER_ROUTES]
