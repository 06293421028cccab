"""Who may see and do what: every route by every role, signing in, tokens, shared views, proxies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from accessboard.accounts import make_link
from dashapp import pages
from dashapp.access import passwords
from dashapp.access.roles import ROLES, Level, reaches
from dashapp.access.secret import new_secret
from dashapp.settings import DashboardSettings
from sql.accounts import AccountStore
from sql.batch import Batch
from sql.writing import LogWriter
from tests.access_fuzz import faults, fuzzed
from tests.rights import BODIES, PAGES, RIGHTS, WHO, addresses, is_refused
from tests.rows import log_row
from tests.signing_in import FAR, OWN, PASSWORD, add_account, csrf_of, dashboard, signed_in, with_token

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash with less work: these tests sign in hundreds of times."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def store(dsn: str, connection: psycopg.Connection[Any]) -> Iterator[AccountStore]:
    connection.execute("truncate account, session, invitation, access_token, shared_view, audit cascade")
    store = AccountStore.open(dsn)
    yield store
    connection.execute("truncate account, session, invitation, access_token, shared_view, audit cascade")
    store.close()


@pytest.fixture
def server(engine: sa.Engine, store: AccountStore) -> Flask:
    for role in ROLES:
        add_account(store, role, role)
    return dashboard(engine, store)


def guest(server: Flask, address: str = "/", *, pin: bool = True) -> FlaskClient:
    """Somebody with a link to a view."""
    boss = signed_in(server, "administrator")
    form = {"csrf": csrf_of(boss), "name": "for a customer", "address": address, "days": "7"} | (
        {"pin": "1"} if pin else {}
    )
    said = boss.post("/admin/views", data=form, headers=OWN)
    link = re.search(r"/s/[\w-]+", said.text)
    assert link is not None, said.text
    client = server.test_client()
    answer = client.get(link[0], environ_base=FAR)
    assert (answer.status_code, answer.location) == (303, address)
    return client


def clients(server: Flask, store: AccountStore) -> dict[str, FlaskClient]:
    made = {"nobody": server.test_client(), "guest": guest(server)}
    made |= {role: signed_in(server, role) for role in ROLES}
    return made | {f"token {scope}": with_token(server, store, scope) for scope in ("read", "analyse", "ingest")}


def test_every_route_is_open_to_those_who_may_and_to_nobody_else(server: Flask, store: AccountStore) -> None:
    people = clients(server, store)
    wrong: list[tuple[object, ...]] = []
    for name, method, address in addresses(server):
        right = RIGHTS[name]  # a KeyError: a new route; think about who may, then add it
        if name in ("POST /signout", "POST /_dash-update-component"):
            continue  # the first would end the sessions of this test; the second needs what it fills: see below
        for who, level in WHO.items():
            answer = people[who].open(address, method=method, headers=OWN, environ_base=FAR, json=BODIES.get(method))
            if answer.status_code >= 500 and answer.status_code != 503:
                wrong.append((name, who, answer.status_code))
            elif is_refused(answer) == reaches(level, right):
                wrong.append((name, who, answer.status_code, answer.text[:120]))
    assert wrong == []


def test_every_page_is_open_to_those_who_may(server: Flask, store: AccountStore) -> None:
    people = clients(server, store)
    assert {page.PATH for page in pages.PAGES} == set(PAGES)
    wrong = []
    for path, right in PAGES.items():
        for who, level in WHO.items():
            answer = people[who].get(path, environ_base=FAR)
            if (answer.status_code == 200) != reaches(level, right):
                wrong.append((path, who, answer.status_code))
    assert wrong == []


def body_of(client: FlaskClient, name: str, search: str) -> dict[str, Any]:
    """What a page sends to fill its parts: the callback whose outputs begin with a name."""
    dependencies = client.get("/_dash-dependencies", environ_base=FAR).get_json()
    made = next(each for each in dependencies if each["output"].startswith(name))
    names = [each.rsplit(".", 1) for each in made["output"].strip(".").split("...")]
    outputs = [{"id": part, "property": prop.partition("@")[0]} for part, prop in names]
    return {
        "output": made["output"],
        "outputs": outputs if made["output"].startswith("..") else outputs[0],
        "inputs": [{**each, "value": search if each["property"] == "search" else None} for each in made["inputs"]],
        "state": [{**each, "value": None} for each in made["state"]],
        "changedPropIds": ["shell-url.search"],
    }


def filled(client: FlaskClient, name: str, search: str) -> str:
    """What the callback says."""
    body = body_of(client, name, search)
    return client.post("/_dash-update-component", json=body, headers=OWN, environ_base=FAR).text


def test_every_callback_is_open_to_those_who_may(server: Flask, store: AccountStore) -> None:
    people = clients(server, store)
    dependencies = people["administrator"].get("/_dash-dependencies", environ_base=FAR).get_json()
    wrong = []
    for output in [each["output"] for each in dependencies if not each["clientside_function"]]:
        parts = {name.split("-", 1)[0].split(".", 1)[0] for name in output.strip(".").split("...")}
        right: Level = "analyst" if "ai" in parts else "viewer"
        if parts <= {"shell", "overview", "patterns", "endpoints", "report"}:
            right = "guest"
        body = body_of(people["administrator"], output, "?last=5m")
        for who, level in WHO.items():
            answer = people[who].post("/_dash-update-component", json=body, headers=OWN, environ_base=FAR)
            if (answer.status_code not in (401, 403)) != reaches(level, right):
                wrong.append((output[:60], who, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("change", [
    {"output": "no-such.thing"}, {"output": 5}, {"outputs": []}, {"outputs": [{"id": "x", "property": "y"}]},
    {"inputs": []}, {"inputs": [{"id": "shell-url", "property": "href"}]}, {"state": [1]}, {"changedPropIds": [{}]},
])  # fmt: skip
def test_what_no_page_sends_is_refused(server: Flask, change: dict[str, Any]) -> None:
    client = signed_in(server, "viewer")
    body = body_of(client, "..shell-filter-values", "") | change
    answer = client.post("/_dash-update-component", json=body, headers=OWN)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "bad_callback")
    assert client.post("/_dash-update-component", data="[", headers=OWN).status_code == 400


def test_the_raw_quarantine_is_shown_to_administrators_only(server: Flask, store: AccountStore) -> None:
    def shown(who: str) -> str:
        return filled(signed_in(server, who), "..collection-quarantine.", "?lang=en")

    assert "This needs the role administrator" in shown("analyst")
    assert "This needs the role administrator" not in shown("administrator")


def test_a_person_is_led_to_the_sign_in_page_and_back(server: Flask) -> None:
    client = server.test_client()
    answer = client.get("/patterns?last=24h", environ_base=FAR)
    assert (answer.status_code, answer.location) == (303, "/signin?to=/patterns%3Flast%3D24h")
    answer = client.post(answer.location, data={"name": "VIEWER", "password": PASSWORD}, environ_base=FAR)
    assert (answer.status_code, answer.location) == (303, "/patterns?last=24h")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert client.get("/patterns", environ_base=FAR).status_code == 200
    assert client.get("/api/stats/summary").status_code == 200


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/x\r\ny"]
)
def test_nobody_is_led_elsewhere(server: Flask, to: str) -> None:
    answer = server.test_client().post(
        "/signin", data={"name": "viewer", "password": PASSWORD, "to": to}, environ_base=FAR
    )
    assert (answer.status_code, answer.location) == (303, "/")


def test_wrong_passwords_lock_an_account_for_a_while_and_an_address_too(
    server: Flask, connection: psycopg.Connection[Any]
) -> None:
    def attempt(name: str, password: str, address: str) -> int:
        client = server.test_client()
        answer = client.post(
            "/signin", data={"name": name, "password": password}, environ_base={"REMOTE_ADDR": address}
        )
        return answer.status_code

    assert [attempt("viewer", "wrong", f"192.0.2.{i}") for i in range(5)] == [401] * 5
    assert attempt("viewer", PASSWORD, "192.0.2.99") == 429
    assert attempt("analyst", PASSWORD, "192.0.2.99") == 303
    connection.execute(
        "update account set locked_until = clock_timestamp() - interval '1 second' where name = 'viewer'"
    )
    assert attempt("viewer", PASSWORD, "192.0.2.99") == 303
    assert [attempt(f"nobody{i}", "wrong", "198.51.100.7") for i in range(20)] == [401] * 20
    assert attempt("viewer", PASSWORD, "198.51.100.7") == 429
    failed = connection.execute("select count(*) from audit where action = 'sign_in_failed'").fetchone()
    assert failed == (25,)


def test_signing_out_ends_the_session(server: Flask) -> None:
    client = signed_in(server, "viewer")
    kept = client.get_cookie("accessboard-session")
    assert kept is not None
    assert client.post("/signout", data={"csrf": "x"}, headers=OWN).status_code == 403
    assert client.post("/signout", data={"csrf": csrf_of(client)}, headers=OWN).status_code == 303
    client.set_cookie("accessboard-session", kept.value)
    assert client.get("/api/stats/summary").status_code == 401


def test_another_site_can_change_nothing(server: Flask) -> None:
    boss = signed_in(server, "administrator")
    csrf = csrf_of(boss)
    form = {"csrf": csrf, "name": "mallory", "role": "administrator"}
    foreign: list[dict[str, str]] = [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}]
    for headers in foreign:
        assert boss.post("/admin/accounts", data=form, headers=headers).status_code == 403
        said = boss.post("/_dash-update-component", json={"output": "x.y"}, headers=headers)
        assert (said.status_code, said.get_json()["error"]["code"]) == (403, "cross_site")
    assert boss.post("/admin/accounts", data=form | {"csrf": "x" * 43}, headers=OWN).status_code == 403
    assert boss.post("/admin/accounts", data=form, headers=OWN).status_code == 200


def test_an_account_is_made_by_a_link_that_works_once(server: Flask, store: AccountStore) -> None:
    boss = signed_in(server, "administrator")
    said = boss.post(
        "/admin/accounts", data={"csrf": csrf_of(boss), "name": "min.jung", "role": "analyst"}, headers=OWN
    )
    link = re.search(r"/welcome/[\w-]+", said.text)
    assert link is not None
    client = server.test_client()
    assert "min.jung" in client.get(link[0], environ_base=FAR).text
    for bad in ("short", "min.jung is my name", "aaaaaaaaaaaaaaaa"):
        assert client.post(link[0], data={"password": bad, "again": bad}, environ_base=FAR).status_code == 400
    assert (
        client.post(link[0], data={"password": PASSWORD, "again": "another one"}, environ_base=FAR).status_code == 400
    )
    answer = client.post(link[0], data={"password": PASSWORD, "again": PASSWORD}, environ_base=FAR)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/ai").status_code == 200
    assert client.get("/admin").status_code == 303
    assert server.test_client().get(link[0], environ_base=FAR).status_code == 404
    found = store.named("min.jung")
    assert found is not None
    assert (found.password_hash or "").startswith("$argon2id$")


def test_a_closed_account_is_out_at_once_and_one_administrator_stays(server: Flask, store: AccountStore) -> None:
    boss, viewer = signed_in(server, "administrator"), signed_in(server, "viewer")
    ids = {each.name: each.id for each in store.accounts()}
    csrf = {"csrf": csrf_of(boss)}
    assert boss.post(f"/admin/accounts/{ids['viewer']}/disable", data=csrf, headers=OWN).status_code == 200
    assert viewer.get("/api/stats/summary").status_code == 401
    assert boss.post(f"/admin/accounts/{ids['administrator']}/disable", data=csrf, headers=OWN).status_code == 400
    changed = boss.post(f"/admin/accounts/{ids['administrator']}/role", data=csrf | {"role": "viewer"}, headers=OWN)
    assert changed.status_code == 400
    assert boss.get("/admin").status_code == 200


def test_before_the_first_administrator_accounts_may_change(engine: sa.Engine, store: AccountStore) -> None:
    client = dashboard(engine, store, auth="auto").test_client()
    assert client.post("/admin/accounts", data={"name": "operator", "role": "viewer"}, headers=OWN).status_code == 200
    account = store.accounts()[0].id
    role = {"role": "administrator"}
    assert client.post(f"/admin/accounts/{account}/role", data=role, headers=OWN).status_code == 200
    assert client.post(f"/admin/accounts/{account}/disable", headers=OWN).status_code == 200


def test_the_password_is_changed_with_the_one_before(server: Flask) -> None:
    client, other = signed_in(server, "viewer"), signed_in(server, "viewer")
    form = {"csrf": csrf_of(client), "password": "a longer sentence", "again": "a longer sentence"}
    assert client.post("/account", data=form | {"old": "wrong"}, headers=OWN).status_code == 400
    assert client.post("/account", data=form | {"old": PASSWORD}, headers=OWN).status_code == 303
    assert client.get("/api/stats/summary").status_code == 200
    assert other.get("/api/stats/summary").status_code == 401  # signed out everywhere else
    signed_in(server, "viewer", "a longer sentence")


def test_a_session_ends_when_nobody_uses_it(server: Flask, connection: psycopg.Connection[Any]) -> None:
    client = signed_in(server, "viewer")
    connection.execute("update session set expires_at = clock_timestamp() - interval '1 second'")
    assert client.get("/api/stats/summary").status_code == 401


def test_the_first_administrator_is_made_by_the_link_of_the_log(
    engine: sa.Engine, store: AccountStore, dsn: str
) -> None:
    server = dashboard(engine, store)
    client = server.test_client()
    assert "첫 관리자" in client.get("/signin", environ_base=FAR).text
    secret = new_secret()
    store.invite(secret.digest, None, timedelta(hours=1))
    form = {"name": "operator", "password": PASSWORD, "again": PASSWORD}
    assert client.post(f"/welcome/{secret.text}", data=form, environ_base=FAR).status_code == 303
    assert client.get("/admin").status_code == 200
    # A second such link makes nobody: somebody administers already.
    second = new_secret()
    store.invite(second.digest, None, timedelta(hours=1))
    assert server.test_client().post(f"/welcome/{second.text}", data=form, environ_base=FAR).status_code == 404
    settings = DashboardSettings(_env_file=None, dashboard_url="https://logs.example.com")  # type: ignore[call-arg]
    link = make_link(dsn, settings, "OPERATOR", None)
    assert link.startswith("https://logs.example.com/welcome/")
    assert [each.name for each in store.accounts()] == ["operator"]


def test_tokens_are_rotated_and_revoked(server: Flask, connection: psycopg.Connection[Any]) -> None:
    boss = signed_in(server, "administrator")
    csrf = {"csrf": csrf_of(boss)}

    def made(path: str, **form: str) -> str:
        said = boss.post(f"/admin/tokens{path}", data=csrf | form, headers=OWN)
        found = re.search(r"ab_[\w-]{43}", said.text)
        assert found is not None, said.text
        return found[0]

    def works(token: str) -> bool:
        answer = server.test_client().get("/api/stats/summary", headers={"X-API-Key": token}, environ_base=FAR)
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    first = made("", name="grafana", scope="read", days="30")
    row = connection.execute("select id, digest, hint from access_token").fetchone()
    assert row is not None
    assert first.encode() not in bytes(row[1])
    assert first.startswith(row[2])
    second = made(f"/{row[0]}/rotate")
    assert (works(first), works(second)) == (True, True)
    connection.execute("update access_token set expires_at = clock_timestamp() where id = %s", (row[0],))
    boss.post("/admin/tokens/999999/revoke", data=csrf, headers=OWN)  # forgets nothing that is not there
    assert (
        boss.post("/admin/tokens", data=csrf | {"name": "x", "scope": "read", "days": "1"}, headers=OWN).status_code
        == 200
    )
    assert (works(first), works(second)) == (False, True)
    newest = connection.execute("select id from access_token where hint = %s", (second[:9],)).fetchone()
    assert newest is not None
    assert boss.post(f"/admin/tokens/{newest[0]}/revoke", data=csrf, headers=OWN).status_code == 200
    assert works(second) is False
    used = connection.execute("select last_used_at is not null from access_token where id = %s", newest).fetchone()
    assert used == (True,)


def test_wrong_tokens_are_slowed_down(server: Flask) -> None:
    client = server.test_client()
    codes = [client.get("/api/stats/summary", headers={"X-API-Key": f"ab_{i}"}).status_code for i in range(62)]
    assert codes == [401] * 60 + [429] * 2


def test_a_shared_view_shows_what_was_shared(
    engine: sa.Engine, server: Flask, writer: LogWriter, service: str, connection: psycopg.Connection[Any]
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=10)
    rows = [
        log_row(ts=at, service=each, route=route)
        for each, route in ((service, "/mine"), (f"{service}-other", "/secret"))
    ]
    writer.store(Batch("import:test", service, rows, []))
    client = guest(server, f"/?service={service}")

    for search in ("?last=1h", f"?last=1h&service={service}-other", "?last=1h&service="):
        said = filled(client, "..endpoints-grid.rowData", search)
        assert "mine" in said
        assert "secret" not in said
    assert f"{service}-other" not in filled(client, "..shell-filter-values", "?last=1h")
    for address in ("/collection", "/realtime", "/ai", "/api/stats/summary", "/admin"):
        assert client.get(address, environ_base=FAR).status_code in (303, 403)
    connection.execute("update shared_view set revoked_at = clock_timestamp()")
    boss = signed_in(server, "administrator")  # signing in forgets who was there
    assert boss.get("/admin").status_code == 200
    assert client.get("/", environ_base=FAR).status_code == 303


def test_a_proxy_says_who_it_is(engine: sa.Engine, store: AccountStore) -> None:
    server = dashboard(engine, store, auth="proxy", trusted_proxies="192.0.2.0/24")
    client = server.test_client()

    def level(address: str, **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/admin", headers=given, environ_base={"REMOTE_ADDR": address}).status_code

    assert level("192.0.2.10", X_Forwarded_User="operator", X_Forwarded_Role="administrator") == 200
    assert level("192.0.2.10", X_Forwarded_User="operator") == 303  # a viewer may not
    assert (
        level("198.51.100.1", X_Forwarded_User="operator", X_Forwarded_Role="administrator") == 303
    )  # no proxy of ours
    assert level("192.0.2.10") == 303
    page = client.get("/account", headers={"X-Forwarded-User": "operator"}, environ_base=FAR)
    assert "operator" in page.text


def test_without_accounts_this_machine_is_let_in_and_nobody_else(engine: sa.Engine, store: AccountStore) -> None:
    server = dashboard(engine, store, auth="auto")
    client = server.test_client()
    assert client.get("/api/stats/summary").status_code == 200
    assert client.get("/admin").status_code == 200
    assert client.get("/api/stats/summary", environ_base=FAR).status_code == 401
    assert client.get("/api/stats/summary", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    assert client.get("/api/stats/summary", headers={"Host": "logs.example.com"}).status_code == 401
    assert (
        client.post(
            "/admin/accounts", data={"name": "a", "role": "viewer"}, headers={"Sec-Fetch-Site": "cross-site"}
        ).status_code
        == 403
    )
    add_account(store, "operator", "administrator")
    client.post("/admin/accounts", data={"name": "new", "role": "viewer"}, headers=OWN)
    assert client.get("/api/stats/summary").status_code == 401


def test_open_to_everybody_is_not_open_to_administer(engine: sa.Engine, store: AccountStore) -> None:
    client = dashboard(engine, store, auth="open").test_client()
    assert client.get("/api/stats/summary", environ_base=FAR).status_code == 200
    assert client.get("/admin", environ_base=FAR).status_code == 303
    assert client.post("/admin/accounts", data={"name": "a", "role": "administrator"}, headers=OWN).status_code == 403


def test_what_people_do_is_taken_down(server: Flask) -> None:
    boss, analyst = signed_in(server, "administrator"), signed_in(server, "analyst")
    analyst.get("/api/logs/export?format=csv&last=5m").get_data()
    analyst.post("/api/stats/ai-insights/analyze", json={"minutes": 5}, headers=OWN)
    boss.get("/api/collection/quarantine")
    trail = boss.get("/admin/audit?lang=en").text
    for action in ("sign_in", "export_rows", "quarantine"):
        assert f">{action}<" in trail
    assert "analyst" in trail


def test_strange_requests_break_nothing_and_open_nothing(dsn: str, store: AccountStore) -> None:
    with fuzzed(dsn) as (server, people):
        found, statuses = faults(server, people, 1_500, seed=7)
    assert found == []
    assert {200, 303, 400, 401, 403, 404} <= statuses.keys()


def test_who_asks_too_much_waits_and_nobody_else_does(engine: sa.Engine, store: AccountStore) -> None:
    server = dashboard(engine, store, requests_per_minute=5)
    for name in ("busy", "calm"):
        add_account(store, name, "viewer")
    busy, calm = signed_in(server, "busy"), signed_in(server, "calm")
    assert [busy.get("/api/storage", environ_base=FAR).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = busy.get("/api/storage", environ_base=FAR)
    assert refused.get_json()["error"]["code"] == "too_many"
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert calm.get("/api/storage", environ_base=FAR).status_code == 200
    assert busy.get("/healthz", environ_base=FAR).status_code == 200
