"""What kind of program a user agent names: a browser, an app, a bot, a script. Pure."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal, get_args

from crawlerdetect import CrawlerDetect

from dashapp.agent import short_agent

ClientType = Literal["browser", "app", "bot", "script", "unknown"]
CLIENT_TYPES: tuple[ClientType, ...] = get_args(ClientType)
LONGEST_PRODUCT = 200

# The patterns of the library take a second for some text of 3,000 characters; what names a program stands in front.
_LONGEST = 256
_REMEMBERED = 20_000
# What most browsers send, letter by letter: it need not pass the 1,500 patterns of the library.
_PLAIN_BROWSER = re.compile(
    r"Mozilla/5\.0 \((?:Windows NT|Macintosh|X11|Linux; |Android |iPhone|iPad)[^()]{0,80}\) "
    r"(?:Gecko/[\d.]+ Firefox/[\d.]+"
    r"|AppleWebKit/[\d.]+ \(KHTML, like Gecko\) (?:Version/[\d.]+ |(?:Chrome|CriOS|FxiOS|SamsungBrowser)/[\d.]+ ){1,3}"
    r"(?:Mobile(?:/\w+)? )?Safari/[\d.]+(?: (?:Edg[eA]?|EdgiOS|OPR|Whale)/[\d.]+)*)"
)
_NOT_PLAIN = re.compile(r"bot|crawl|spider|compatible|http|headless|lighthouse|preview", re.IGNORECASE)
# Libraries and tools that people's own programs are written with; the library counts them among the crawlers.
_SCRIPT = re.compile(
    r"^(?:curl|wget|python|aiohttp|httpx|urllib|go-http-client|java|apache-httpclient|jakarta|axios|node|nodejs|node-fetch|undici|got"
    r"|superagent|postman|insomnia|httpie|libwww|lwp|perl|php|guzzle|ruby|faraday|rest-?client|reqwest|hyper|winhttp"
    r"|powershell|k6|wrk|apachebench|jmeter|locust|hey|vegeta|grpc|spring|resttemplate|feign|scrapy|mechanize"
    r"|sqlmap|nikto|nmap|masscan|zgrab|nuclei|gobuster|dirbuster|ffuf|feroxbuster|wfuzz|hydra|wpscan|dirb|arachni"
    r"|mozilla/[\d.]+ (?:zgrab|\(.{0,40}(?:windowspowershell|nmap)))(?![a-z])",
    re.IGNORECASE,
)
_APP = re.compile(r"^(?:okhttp|dalvik|dart|alamofire|flutter|reactnative)|CFNetwork|Darwin/", re.IGNORECASE)
_ON_A_DEVICE = re.compile(r"iPhone|iPad|iOS|Android|Darwin|Windows NT|Mac ?OS|macOS", re.IGNORECASE)
_BROWSER = re.compile(r"^(?:Mozilla|Opera)/")
_PROBE = re.compile(r"\bprobe\b|prometheus|blackbox|health-?check", re.IGNORECASE)
_PRODUCT = re.compile(r"^[\w.-]+/v?\d")


@lru_cache(maxsize=_REMEMBERED)
def client_type(agent: str | None) -> ClientType:
    """Tell what kind of program sends a user agent, as far as it says so itself; anyone can send any."""
    text = (agent or "").strip()[:_LONGEST]
    if text in ("", "-"):
        return "unknown"
    if _PLAIN_BROWSER.fullmatch(text) and not _NOT_PLAIN.search(text):
        return "browser"
    if _APP.search(text):
        return "app"
    if _SCRIPT.search(text):
        return "script"
    if _PROBE.search(text) or _library().isCrawler(text):
        return "bot"
    if _BROWSER.match(text):
        return "browser"
    if _ON_A_DEVICE.search(text):
        return "app"
    return "script" if _PRODUCT.match(text) else "unknown"


def product(agent: str) -> str:
    """Program and version. Browsers all begin with the same product; of others it says more than a short name."""
    return short_agent(agent) if agent.startswith("Mozilla/") else agent.split(" ", 1)[0][:LONGEST_PRODUCT]


@cache
def _library() -> CrawlerDetect:
    return CrawlerDetect()
