"""Quarantined records read again: nothing is lost, nothing is doubled, and what was counted stays counted."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest

from accessboard.quarantine import drop, judge_of, replay, show
from ingest_server.intake import Intake, Origin
from ingest_server.settings import IngestSettings
from sql import quarantine as held_records
from sql import release
from sql.batch import Batch, Quarantined, Receipt
from sql.connection import DatabaseUnavailable, connect
from sql.quarantine import Selection
from sql.release import Held, Replayed, Verdict
from sql.storing import utc_micros
from sql.writing import MOST_KEPT, LogWriter
from tests.conftest import NATIVE_DSN

Say = pytest.CaptureFixture[str]
Sums = tuple[int, ...]


def record(n: int, **fields: Any) -> bytes:
    usual = {"timestamp": "2024-06-02T10:15:30Z", "method": "GET", "path": f"/item/{n}", "status": 200}
    return json.dumps(usual | fields).encode()


def refused(*records: bytes, kind: str = "no_path") -> list[Quarantined]:
    """Records that an earlier version could not read."""
    return [Quarantined(kind, "an earlier version could not read it", each) for each in records]


class World:
    """What the tables say about one source of the test's own."""

    def __init__(self, dsn: str, writer: LogWriter, service: str) -> None:
        self.dsn, self.writer, self.service = dsn, writer, service
        self.source = f"web@{service}"
        self.selection = Selection(source=self.source)

    def hold(self, *quarantined: Quarantined, identity: bytes | None = None) -> Receipt:
        return self.writer.store(Batch(self.source, self.service, [], list(quarantined), identity, 100))

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with connect(self.dsn) as connection:
            return connection.execute(statement.encode(), {"source": self.source}).fetchall()

    def sums(self) -> Sums:
        """Received, stored, duplicate, quarantined: the same in both ledgers."""
        columns = "sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(quarantined)::int"
        ledger, batches = (
            self.ask(f"select {columns} from {table} where source = %(source)s")[0]
            for table in ("ingest_ledger", "ingest_batch")
        )
        assert ledger == batches
        assert ledger[0] == sum(ledger[1:])
        return ledger

    def held(self) -> list[tuple[Any, ...]]:
        """Kind, reason and bytes of what is in quarantine."""
        return self.ask(
            "select kind, reason, record from quarantine as q join ingest_batch as b on b.id = q.batch_id "
            "where source = %(source)s order by q.id"
        )

    def paths(self) -> list[str]:
        rows = self.ask(
            "select path from access_log as l join ingest_batch as b on b.id = l.batch_id "
            "where b.source = %(source)s order by path"
        )
        return [row[0] for row in rows]

    def replay(self, selection: Selection | None = None, *, dry_run: bool = False) -> Replayed:
        total = Replayed()
        with connect(self.dsn) as connection:
            judge = judge_of(connection, IngestSettings())
            for page in held_records.replay(connection, selection or self.selection, judge, dry_run=dry_run):
                total.add(page)
        return total


@pytest.fixture
def world(dsn: str, writer: LogWriter, service: str) -> World:
    return World(dsn, writer, service)


def test_replay_stores_what_can_be_read_now(world: World) -> None:
    world.hold(*refused(*(record(n) for n in range(3))))
    assert world.sums() == (3, 0, 0, 3)
    assert world.replay() == Replayed(looked_at=3, released=3, stored=3)
    assert world.sums() == (3, 3, 0, 0)
    assert world.held() == []
    assert world.paths() == ["/item/0", "/item/1", "/item/2"]
    assert world.replay() == Replayed()


def test_replay_moves_records_in_the_ledger_of_their_arrival(world: World) -> None:
    world.hold(*refused(record(1), record(2)))
    world.ask("update ingest_ledger set minute = minute - interval '1 day' where source = %(source)s returning 1")
    world.ask(
        "update quarantine set received_at = received_at - interval '1 day' where batch_id in "
        "(select id from ingest_batch where source = %(source)s) returning 1"
    )
    last = world.ask("select max(last_arrival) from ingest_ledger where source = %(source)s")
    world.replay()
    entries = world.ask(
        "select kind, received, stored, duplicate, quarantined, minute < now() - interval '23 hours' "
        "from ingest_ledger where source = %(source)s order by received desc"
    )
    assert entries == [("no_path", 2, 0, 0, 2, True), ("no_path", 0, 2, 0, -2, True)]
    # A replay is no arrival.
    assert world.ask("select max(last_arrival) from ingest_ledger where source = %(source)s") == last


def test_replay_keeps_what_still_cannot_be_read_and_renews_its_reason(world: World) -> None:
    world.hold(*refused(b'{"timestamp":"2024-06-02T10:15:30Z","method":"GET","status":200}', kind="bad_time"))
    world.hold(*refused(b"not a log line"))
    assert world.replay() == Replayed(looked_at=2, kept=2)
    assert world.held() == [
        ("no_path", "path is missing", b'{"timestamp":"2024-06-02T10:15:30Z","method":"GET","status":200}'),
        ("unreadable", "the line fits no known log format", b"not a log line"),
    ]
    assert world.sums() == (2, 0, 0, 2)
    kinds = dict(
        world.ask("select kind, sum(quarantined)::int from ingest_ledger where source = %(source)s group by 1")
    )
    assert {kind: n for kind, n in kinds.items() if n} == {"no_path": 1, "unreadable": 1}


def test_replay_of_a_whole_body_stores_its_records_and_keeps_its_broken_ones(world: World) -> None:
    body = b"\n".join([record(1), b"{broken", record(2), record(3, method=7)])
    world.hold(*refused(body, kind="unreadable"))
    assert world.replay() == Replayed(looked_at=1, released=1, stored=2, kept=2)
    assert world.sums() == (4, 2, 0, 2)
    assert world.paths() == ["/item/1", "/item/2"]
    assert [row[0] for row in world.held()] == ["unreadable", "bad_method"]
    assert world.replay() == Replayed(looked_at=2, kept=2)
    assert world.sums() == (4, 2, 0, 2)


def test_replay_reads_a_compressed_body_and_leaves_a_broken_one_as_it_is(world: World) -> None:
    whole = gzip.compress(b"\n".join(record(n) for n in range(50)))
    world.hold(*refused(whole, whole[:-9], kind="unreadable"))
    assert world.replay() == Replayed(looked_at=2, released=1, stored=50, kept=1)
    assert world.sums() == (51, 50, 0, 1)
    assert [row[0::2] for row in world.held()] == [("unreadable", whole[:-9])]
    assert "gzip" in world.held()[0][1]


def test_replay_keeps_the_reason_of_bytes_that_are_no_text(world: World) -> None:
    world.hold(Quarantined("unreadable", "the body is no snappy block", b"\xff\x06\x01\n\xfe\xfd"))
    world.replay()
    assert world.held() == [("unreadable", "the body is no snappy block", b"\xff\x06\x01\n\xfe\xfd")]


def test_replay_counts_what_is_there_already_as_duplicate(world: World, intake: Intake) -> None:
    known = record(1, _id=f"known-{world.service}")
    batch = intake.batch(known, Origin(world.source, world.service), utc_micros())
    assert world.writer.store(batch) == Receipt(1, 1, 0, 0)
    new = record(2, _id=f"new-{world.service}")
    world.hold(*refused(known, new, new))
    assert world.replay() == Replayed(looked_at=3, released=3, stored=1, duplicate=2)
    assert world.sums() == (4, 2, 2, 0)
    assert world.paths() == ["/item/1", "/item/2"]


def test_replay_knows_a_place_in_a_file_by_the_source_of_its_batch(world: World, intake: Intake) -> None:
    place = record(1, file="/var/log/a.log", offset=17)
    world.writer.store(intake.batch(place, Origin(world.source, world.service), utc_micros()))
    world.hold(*refused(place))
    assert world.replay() == Replayed(looked_at=1, released=1, duplicate=1)


def test_replay_counts_a_record_for_the_service_that_it_names(world: World) -> None:
    other = f"{world.service}-other"
    world.hold(*refused(record(1, service=other), record(2)))
    assert world.replay() == Replayed(looked_at=2, released=2, stored=2)
    assert world.sums() == (2, 2, 0, 0)
    by_service = world.ask(
        "select service, sum(received)::int, sum(stored)::int, sum(quarantined)::int from ingest_ledger "
        "where source = %(source)s group by 1 order by 1"
    )
    assert by_service == [(world.service, 1, 1, 0), (other, 1, 1, 0)]


def test_replay_passes_over_records_that_were_cut(world: World) -> None:
    long = record(1, note="x" * (MOST_KEPT + 10))
    world.hold(*refused(long))
    assert world.replay() == Replayed()
    assert world.held()[0][2] == long[:MOST_KEPT]


def test_replay_obeys_its_selection(world: World) -> None:
    world.hold(*refused(record(1), kind="no_path"), *refused(record(2), kind="bad_time"))
    assert world.replay(Selection("bad_time", world.source)).stored == 1
    assert world.paths() == ["/item/2"]
    assert world.replay(Selection("no_path", world.source + "x")) == Replayed()
    assert [row[0] for row in world.held()] == ["no_path"]


def test_replay_goes_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_records, "PAGE_RECORDS", 4)
    world.hold(*refused(*(record(n) if n % 3 else b"nothing" for n in range(24))))
    assert world.replay() == Replayed(looked_at=24, released=16, stored=16, kept=8)
    assert world.sums() == (24, 16, 0, 8)


def test_replay_bounds_a_page_by_its_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_records, "PAGE_BYTES", 150)
    world.hold(*refused(*(record(n) for n in range(5))))
    assert world.replay().stored == 5


def test_dry_run_says_the_same_and_changes_nothing(world: World) -> None:
    again = record(1, _id=f"twice-{world.service}")
    world.hold(*refused(again, again, b"nothing", kind="bad_time"))
    before = world.held(), world.sums()
    assert world.replay(dry_run=True) == Replayed(looked_at=3, released=2, stored=1, duplicate=1, kept=1)
    assert (world.held(), world.sums(), world.paths()) == (*before, [])


@pytest.mark.parametrize("place", ["insert_rows", "remember_names", "_entries", "_moved"])
def test_replay_that_is_interrupted_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    world.hold(*refused(record(1), record(2), b"nothing", kind="bad_time"))
    before = world.held(), world.sums()

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(release, place, interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.replay()
    assert (world.held(), world.sums(), world.paths()) == (*before, [])
    monkeypatch.undo()
    assert world.replay().stored == 2


def test_replay_that_fails_later_keeps_the_pages_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_records, "PAGE_RECORDS", 2)
    world.hold(*refused(*(record(n) for n in range(6))))
    with connect(world.dsn) as connection:
        judge = judge_of(connection, IngestSettings())
        pages = held_records.replay(connection, world.selection, judge)
        assert next(pages).stored == 2
        connection.close()
        with pytest.raises(DatabaseUnavailable):
            next(pages)
    assert world.sums() == (6, 2, 0, 4)
    assert world.replay().stored == 4


def test_replay_leaves_in_place_what_the_database_refuses(world: World) -> None:
    world.hold(*refused(record(1), record(2), record(3)))
    with connect(world.dsn) as connection:
        judge = judge_of(connection, IngestSettings())

        def spoil(held: Held) -> Verdict:
            verdict = judge(held)
            rows = [row._replace(status=5) if row.path == "/item/2" else row for row in verdict.rows]
            return Verdict(rows, verdict.refused)

        (counts,) = held_records.replay(connection, world.selection, spoil)
    assert counts == Replayed(looked_at=3, released=2, stored=2, kept=1)
    assert world.sums() == (3, 2, 0, 1)
    ((kind, _, raw),) = world.held()
    assert (kind, raw) == ("refused_by_database", record(2))
    assert world.replay().stored == 1


@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded database has one session: replays take turns")
def test_replays_at_once_do_not_double(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_records, "PAGE_RECORDS", 7)
    world.hold(*refused(*(record(n) for n in range(200))))
    totals: list[Replayed] = []
    threads = [threading.Thread(target=lambda: totals.append(world.replay())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.replay()
    assert sum(total.stored for total in totals) <= 200
    assert world.sums() == (200, 200, 0, 0)
    assert len(world.paths()) == 200


def test_replayed_rows_are_counted_by_the_pages_at_once(world: World) -> None:
    before = world.ask("select coalesce(max(id), 0) from touched_minute")[0][0]
    world.hold(*refused(record(1)))
    world.replay()
    if not NATIVE_DSN:  # a native server may have refreshed them already
        touched = world.ask(f"select minute::text from touched_minute where id > {before}")
        assert [row[0][:16] for row in touched] == ["2024-06-02 10:15"]
    assert world.ask("select name from route where service = '" + world.service + "'") == [("/item/{id}",)]


# ---- the commands ----


def test_replay_says_what_became_of_the_records(world: World, capsys: Say) -> None:
    world.hold(*refused(record(1), b"nothing"))
    replay(world.dsn, world.selection, IngestSettings(), dry_run=True)
    counts = "looked at 2  taken out 1  stored 1  duplicate 0  still quarantined 1\n"
    assert capsys.readouterr().out == "dry run: " + counts
    replay(world.dsn, world.selection, IngestSettings(), dry_run=False)
    assert capsys.readouterr().out == counts


def test_list_shows_the_newest_first_and_json_lines(world: World, capsys: Say) -> None:
    world.hold(*refused(b'{"a":"\xff\n"}', b"second", kind="bad_time"))
    show(world.dsn, world.selection, 10, as_json=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith('bad_time: an earlier version could not read it  (6 bytes)  "second"')
    assert "\\n" in second
    show(world.dsn, world.selection, 1, as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["record"] == "second"
    show(world.dsn, Selection("no_such_kind"), 1, as_json=False)
    assert "nothing" in capsys.readouterr().out


def test_drop_deletes_the_kind_only_and_the_ledger_still_counts(world: World, capsys: Say) -> None:
    world.hold(*refused(b"a", b"b", kind="bad_time"), *refused(b"c", kind="no_path"))
    drop(world.dsn, Selection("bad_time", world.source), confirmed=True)
    assert capsys.readouterr().out == "dropped 2\n"
    assert [row[2] for row in world.held()] == [b"c"]
    assert world.sums() == (3, 0, 0, 3)


def test_drop_asks_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hold(*refused(b"a", kind="bad_time"))
    asked: list[str] = []

    def no(question: str, **_: Any) -> None:
        asked.append(question)
        raise KeyboardInterrupt

    monkeypatch.setattr("click.confirm", no)
    with pytest.raises(KeyboardInterrupt):
        drop(world.dsn, Selection("bad_time", world.source), confirmed=False)
    assert asked
    assert len(world.held()) == 1
