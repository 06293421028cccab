"""What kinds of endpoints a web service has: how they answer, how long they take, what they are called."""

from __future__ import annotations

from typing import NamedTuple

STATUSES = (200, 201, 204, 206, 302, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)
SERVER_ERRORS = (500, 502, 503, 504)


class Role(NamedTuple):
    """A kind of endpoint.

    Attributes:
        method: of its requests.
        routes: what it may be called; `{noun}` is filled in.
        answers: shares of statuses below 500; the rest is 200.
        median_ms: between which latencies the median of such an endpoint lies.
        items: how many different paths its route stands for.
    """

    method: str
    routes: tuple[str, ...]
    answers: dict[int, float]
    median_ms: tuple[float, float]
    items: int = 1


ROLES = {
    "list": Role("GET", ("/v2/{noun}", "/v2/{noun}/recent", "/v2/{noun}/top"), {304: 0.04, 400: 0.003}, (18, 90)),
    "item": Role("GET", ("/v2/{noun}/{{id}}",), {304: 0.06, 404: 0.02, 403: 0.002}, (6, 50), 20_000),
    "part": Role("GET", ("/v2/{noun}/{{id}}/history", "/v2/{noun}/{{id}}/similar"), {404: 0.012}, (15, 120), 20_000),
    "create": Role("POST", ("/v2/{noun}",), {201: 0.93, 400: 0.018, 409: 0.006, 422: 0.022, 403: 0.003}, (30, 180)),
    "change": Role("PUT", ("/v2/{noun}/{{id}}",), {204: 0.5, 404: 0.01, 409: 0.01, 422: 0.012}, (25, 140), 20_000),
    "remove": Role("DELETE", ("/v2/{noun}/{{id}}",), {204: 0.95, 404: 0.03, 403: 0.01}, (15, 80), 20_000),
    "login": Role("POST", ("/signin", "/oauth/token"), {401: 0.07, 400: 0.01, 429: 0.002}, (60, 240)),
    "page": Role("GET", ("/", "/{noun}", "/about/{noun}"), {304: 0.2, 302: 0.02, 404: 0.003}, (12, 70)),
    "asset": Role("GET", ("/assets/{noun}/{{file}}",), {304: 0.45, 206: 0.01, 404: 0.006}, (1.5, 6), 300),
    "search": Role("GET", ("/v2/search/{noun}", "/v2/suggest/{noun}"), {400: 0.006, 422: 0.003}, (40, 220)),
    "report": Role("GET", ("/v2/reports/{noun}",), {204: 0.03, 403: 0.006}, (250, 1400)),
    "health": Role("GET", ("/healthz",), {}, (0.4, 1.5)),
}
# In which order a service has them, the most called ones early; each service starts elsewhere.
ORDER = ("list", "item", "asset", "page", "create", "part", "login", "search", "item", "list", "change", "report")
NOUNS = (
    "tickets", "seats", "venues", "artists", "reviews", "baskets", "coupons", "stores", "parcels", "drivers",
    "routes", "invoices", "refunds", "members", "photos", "playlists", "courses", "lessons", "grades", "rooms",
    "meters", "sensors", "recipes", "gifts", "letters", "events", "banners", "wallets", "badges", "threads",
)  # fmt: skip
SERVICES = ("storefront", "booking", "identity", "billing", "delivery", "media", "notices")

# What strangers look for on every host of the Internet.
MISSING = tuple(
    f"/{folder}{name}"
    for folder in ("", "old/", "backup/", "admin/", "test/", "api/", "cgi-bin/", "app/", "public/", "site/", "www/")
    for name in (
        ".env", ".git/HEAD", "wp-login.php", "xmlrpc.php", "phpinfo.php", "config.json", "server-status", "shell.php",
        "dump.sql", "id_rsa", ".aws/credentials", "web.config", "console", "manager/html", "setup.php", "login.action",
        "actuator/heapdump", ".svn/entries", "debug", "vendor/phpunit.xml", "owa", "boaform", "HNAP1", "jenkins",
        "solr/", "telescope", ".DS_Store", "composer.lock", "db.sqlite", "readme.html", "install.php", "eval.jsp",
    )
)  # fmt: skip
