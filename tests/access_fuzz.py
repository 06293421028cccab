"""`python -m tests.access_fuzz`: strange requests by everybody to everything. No 500, and nobody gets what is not his.

On an embedded database of its own, or that of TEST_DATABASE_URL; bounded in count, in this process, no network.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from dashapp.access.roles import ROLES, Level, reaches
from sql.accounts import AccountStore
from sql.connection import reading_engine
from sql.migrate import migrate
from tests.rights import RIGHTS, WHO, is_refused
from tests.signing_in import FAR, OWN, add_account, dashboard, signed_in, with_token

METHODS = ("GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
TEXTS = (
    "", " ", "0", "-1", "1e309", "nan", "5xx", "a" * 5_000, "\x00", "%00", "../../etc/passwd", "' or 1=1 --",
    "<script>", "{{7*7}}", "2025-07-01T09:00", "2025-07-01T09:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "(",
    "(?R)", "\u202e한글", "\ud83d", "null", "[]", "1h", "30d", "999999999999999999999", "10.0.0.0/8", "::1", "shop",
    "GET", "/api/{id}", "true",
)  # fmt: skip
NAMES = (
    "start", "end", "last", "service", "method", "route", "status", "client_ip", "text", "regex", "agent", "attribute",
    "latency_min", "latency_max", "limit", "after", "cursor", "format", "interval", "top_n", "vs", "vs_start", "lang",
    "to", "name", "password", "csrf", "role", "minutes", "question", "token", "thread", "value", "address", "days",
    "before", "output", "outputs", "inputs", "state", "changedPropIds", "id", "kind", "by", "among",
)  # fmt: skip
HEADERS = (
    "Host", "Origin", "Sec-Fetch-Site", "Referer", "X-Forwarded-For", "X-Forwarded-User", "X-Forwarded-Role", "Accept",
    "Cookie", "Authorization", "X-API-Key", "Content-Type", "Accept-Language", "X-Accessboard-Upload", "Range",
)  # fmt: skip


@contextmanager
def fuzzed(dsn: str) -> Iterator[tuple[Flask, dict[str, FlaskClient]]]:
    """A dashboard that must be signed in to, and a client for each of WHO but the guest."""
    store = AccountStore.open(dsn)
    engine = reading_engine(dsn)
    try:
        server = dashboard(engine, store, requests_per_minute=0)
        for role in ROLES:
            add_account(store, f"fuzz-{role}", role)
        people = {"nobody": server.test_client()} | {role: signed_in(server, f"fuzz-{role}") for role in ROLES}
        people |= {f"token {scope}": with_token(server, store, scope) for scope in ("read", "analyse", "ingest")}
        yield server, people
    finally:
        engine.dispose()
        store.close()


def strange(chance: random.Random, paths: list[str]) -> tuple[str, str, dict[str, Any]]:
    """One request: method, path, and what else a test client takes."""
    path = chance.choice(paths)
    if chance.random() < 0.2:
        at = chance.randrange(len(path) + 1)
        path = path[:at] + quote(chance.choice(TEXTS)[:200], errors="surrogatepass") + path[at:]
    query = {chance.choice(NAMES): chance.choice(TEXTS)[:600] for _ in range(chance.randrange(4))}
    query_text = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in query.items())
    given: dict[str, Any] = {"query_string": query_text, "headers": {}, "environ_base": FAR}
    for name in chance.sample(HEADERS, chance.randrange(3)):
        text = chance.choice(("same-origin", "cross-site", "Bearer x", "application/json", *TEXTS))
        sendable = text.encode("latin-1", "replace").decode("latin-1").translate({0: "", 10: "", 13: ""})
        given["headers"][name] = sendable[:2_000]
    if chance.random() < 0.5:
        given["headers"] = OWN | given["headers"]
    kind = chance.randrange(4)
    if kind == 0:
        values: tuple[object, ...] = (*TEXTS, 5, None, [], {}, True, 1e300)
        body = {chance.choice(NAMES): chance.choice(values) for _ in range(chance.randrange(5))}
        given |= {"data": json.dumps(body), "content_type": "application/json"}
    elif kind == 1:
        fields = {chance.choice(NAMES): chance.choice(TEXTS) for _ in range(chance.randrange(5))}
        given |= {"data": {name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()}}
    elif kind == 2:
        kind_of_body = chance.choice(("application/json", "text/x"))
        given |= {"data": chance.randbytes(chance.randrange(300)), "content_type": kind_of_body}
    return chance.choice(METHODS), "/" + path.lstrip("/"), given


def faults(server: Flask, people: dict[str, FlaskClient], requests: int, seed: int) -> tuple[list[str], Counter[int]]:
    """What went wrong in so many requests, and the statuses that were answered."""
    chance = random.Random(seed)
    adapter = server.url_map.bind("localhost")
    paths = sorted({rule.rule.replace("<int:entry>", "5") for rule in server.url_map.iter_rules()})
    for name, text in {"<path:path>": "patterns", "<path:rest>": "x", "<secret>": "s" * 43}.items():
        paths = [path.replace(name, text) for path in paths]
    paths += ["/signin"] * 3 + ["/_dash-update-component"] * 3
    found: list[str] = []
    statuses: Counter[int] = Counter()
    for number in range(requests):
        method, path, given = strange(chance, paths)
        who = chance.choice(list(people))
        if path.startswith("/signout"):
            continue
        changed = {"Cookie", "Authorization", "X-API-Key"} & given["headers"].keys()
        client = server.test_client() if changed else people[who]
        answer = client.open(path, method=method, **given)
        answer.get_data()
        statuses[answer.status_code] += 1
        told = f"{number}: {who} {method} {path[:120]} -> {answer.status_code}"
        if answer.status_code >= 500 and answer.status_code != 503:
            found.append(told)
        level: Level = "public" if changed else WHO[who]
        if answer.status_code < 300 and not reaches(level, _right(adapter, method, path)) and not is_refused(answer):
            found.append(f"{told}, which is not his")
        answer.close()
    return found, statuses


def _right(adapter: Any, method: str, path: str) -> Level:
    """What a request needs; that of a page is the page's own, tested elsewhere."""
    try:
        rule, _ = adapter.match(path.partition("?")[0], method="GET" if method == "HEAD" else method, return_rule=True)
    except (HTTPException, ValueError):
        return "public"
    if method == "OPTIONS":
        return "public"  # which methods a route has is no secret
    if rule.rule == "/<path:path>":
        return "guest"
    return RIGHTS.get(f"{'GET' if method == 'HEAD' else method} {rule.rule}", "administrator")


def main() -> None:
    """Print what went wrong."""
    parser = argparse.ArgumentParser(prog="tests.access_fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from accessboard.embedded.database import EmbeddedDatabase

    with tempfile.TemporaryDirectory() as folder:
        database = EmbeddedDatabase(Path(folder))
        database.start()
        try:
            migrate(database.dsn)
            began = time.monotonic()
            with fuzzed(database.dsn) as (server, people):
                found, statuses = faults(server, people, options.requests, options.seed)
        finally:
            database.stop()
    took = time.monotonic() - began
    click.echo("\n".join(found[:50]))
    click.echo(f"{statuses.total()} requests in {took:.0f} s: {len(found)} faults, {dict(statuses)}")


if __name__ == "__main__":
    main()
