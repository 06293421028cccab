"""Check one sentence against the evidence: a sentence is kept whole, or it is taken out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dashapp.ai.checking import vocabulary as words
from dashapp.ai.checking.dates import names_date
from dashapp.ai.checking.numbers import fits, is_time
from dashapp.ai.checking.scanning import Scanner, Token
from dashapp.ai.evidence import ALL, Figure, Pack
from dashapp.ai.result import Fault, Piece, Sentence

_NEVER: Mapping[str, Fault] = {
    "link": "link", "brackets": "link", "address": "address", "path": "endpoint", "pseudonym": "name",
    "version": "name", "number_word": "uncited",
}  # fmt: skip
_STATUSES = range(100, 600)
_SHINGLE = 7


@dataclass(frozen=True, slots=True)
class Context:
    """What a sentence stands in.

    Attributes:
        endpoint: the one that it is about where it names none; None where there is none.
        evidence: ids that stand with the whole text, for what it claims without a number.
        advice: it says what to do: nothing in it says that something rose or fell.
        relative: days such as "어제" that the question speaks of.
    """

    endpoint: str | None = None
    evidence: frozenset[str] = frozenset()
    advice: bool = False
    relative: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence in pieces, or why it is taken out; the endpoint it speaks of last, the ids that it cites."""

    pieces: Sentence
    fault: Fault | None
    detail: str = ""
    endpoint: str | None = None
    cited: tuple[str, ...] = ()
    confirmed: int = 0


class _Wrong(Exception):
    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault: Fault = fault
        self.detail = detail


class Checker:
    """Checks sentences against one pack; `secrets` are texts that no sentence may hold, `prompt` the instructions."""

    def __init__(
        self, pack: Pack, *, prompt: str = "", secrets: Sequence[str] = (), searched: bool = True
    ) -> None:  # fmt: skip
        """Prepare the names of the pack; `searched` tells whether it holds what was found, so that none is none."""
        self.pack = pack
        self._searched = searched
        self._scanner = Scanner(pack)
        self._zone = ZoneInfo(pack.zone)
        self._shingles = shingles(prompt)
        self._secrets = [each for each in secrets if len(each) > 5]
        self._dates = {_date(each.value, self._zone) for each in pack.figures.values() if each.unit == "time"}

    def check(self, sentence: str, context: Context) -> Checked:
        """Check a sentence."""
        tokens = self._scanner.scan(sentence)
        try:
            cites = self._cites(tokens)
            self._never(sentence, tokens, context)
            endpoint = self._figures(sentence, tokens, cites, context)
            cited = tuple(key for ids in cites.values() for key in ids)
            stray = tuple(key for token in tokens if token.kind == "cite" for key in token.ids)
            self._endpoints(tokens, {*stray, *context.evidence}, self._extreme(sentence, tokens))
            self._times(tokens, {*stray})
            self._classes(tokens, stray)
            self._verdict(sentence)
            if not context.advice:
                self._directions(sentence, stray, context)
            self._most(sentence, stray, context)
        except _Wrong as wrong:
            return Checked(_plain(sentence), wrong.fault, wrong.detail)
        pieces = self._pieces(tokens, cites)
        return Checked(pieces, None, "", endpoint, tuple(dict.fromkeys(stray)), len(cited))

    def endpoint_named(self, text: str) -> str | None:
        """The endpoint of the evidence that a text names; None where it names none, or not just one."""
        return self._scanner.endpoint_of.get(text.strip().strip("`\"'"))

    def is_about(self, endpoint: str, ids: Iterable[str]) -> bool:
        """Whether some of the figures are about an endpoint."""
        return endpoint in self._supported({*ids})

    def _cites(self, tokens: Sequence[Token]) -> dict[int, tuple[str, ...]]:
        """Ids for each number, by its place: the citation that follows, one id a number, in their order."""
        found: dict[int, tuple[str, ...]] = {}
        waiting: list[int] = []
        for place, token in enumerate(tokens):
            if token.kind in ("number", "time"):
                waiting.append(place)
            elif token.kind == "cite":
                for key in token.ids:
                    if key not in self.pack.figures:
                        raise _Wrong("unknown_id", key)
                wanted = [at for at in waiting if not self._is_status(tokens[at], token if at == waiting[-1] else None)]
                if len(wanted) <= len(token.ids):
                    found |= {at: (key,) for at, key in zip(wanted, token.ids, strict=False)}
                elif wanted:
                    found[wanted[-1]] = (token.ids[-1],)
                waiting = []
        return found

    def _never(self, sentence: str, tokens: Sequence[Token], context: Context) -> None:
        for token in tokens:
            if token.kind in _NEVER:
                raise _Wrong(_NEVER[token.kind], token.text.strip())
            if token.kind == "known" and token.text in self._scanner.ambiguous:
                raise _Wrong("endpoint", token.text)
        for secret in self._secrets:
            if secret in sentence:
                raise _Wrong("address", "")
        if self._shingles & shingles(sentence):
            raise _Wrong("prompt", "")
        for day in words.RELATIVE.findall(sentence):
            if day.lower() not in context.relative:
                raise _Wrong("time", day)

    def _figures(
        self, sentence: str, tokens: Sequence[Token], cites: Mapping[int, tuple[str, ...]], context: Context
    ) -> str | None:
        """Check every number; returns the endpoint that the sentence speaks of last."""
        named = context.endpoint
        from_here = False
        overall = False
        segment = ""
        later = [self._endpoint(token) for token in tokens]
        for place, token in enumerate(tokens):
            if (endpoint := later[place]) is not None:
                named, from_here, overall = endpoint, True, False
            elif token.kind in ("text", "class", "percentile"):
                overall = overall or bool(words.OVERALL.search(token.text))
            if token.kind not in ("number", "time"):
                segment += token.text if token.kind != "cite" else ""
                continue
            if place not in cites:
                self._uncited(token, named)
                segment += token.text
                continue
            figure = self.pack.figures[cites[place][0]]
            after = "".join(each.text for each in tokens[place + 1 : place + 3] if each.kind in ("text", "class"))[:14]
            self._one(token, figure, segment + token.text + " " + after)
            following = next((each for each in later[place:] if each is not None), None)
            about = named if from_here or named is not None else following
            self._subject(sentence, figure, about, from_here=from_here, overall=overall, following=following)
            if figure.when == "before" and not words.BEFORE.search(sentence):
                raise _Wrong("period", token.text.strip())
            segment = ""
        return named

    def _one(self, token: Token, figure: Figure, near: str) -> None:
        """Whether a number is the figure, and is called what the figure measures."""
        if token.kind == "time":
            if not is_time(token.text, figure, self._zone):
                raise _Wrong("time", token.text.strip())
            return
        fault = fits(token.groups, figure)
        if fault is not None:
            raise _Wrong(fault, f"{token.text.strip()} {figure.id}")
        latencies = {measure for pattern, found in words.MEASURES if pattern.search(near) for measure in found}
        if figure.measure in words.LATENCIES and latencies and figure.measure not in latencies:
            raise _Wrong("measure", f"{token.text.strip()} {figure.id}")
        client, server = bool(words.CLIENT_ERRORS.search(near)), bool(words.SERVER_ERRORS.search(near))
        if (figure.measure, client, server) in (("server_errors", True, False), ("client_errors", False, True)):
            raise _Wrong("measure", f"{token.text.strip()} {figure.id}")
        errors, requests = bool(words.ERRORS.search(near)), bool(words.REQUESTS.search(near))
        if figure.unit == "count" and (figure.measure, errors, requests) in (
            ("requests", True, False), ("errors", False, True),
        ):  # fmt: skip
            raise _Wrong("measure", f"{token.text.strip()} {figure.id}")

    def _subject(
        self, sentence: str, figure: Figure, about: str | None, *, from_here: bool, overall: bool, following: str | None
    ) -> None:
        """Whether a figure is told of what it is about."""
        if figure.unit == "time":
            return
        if figure.about != ALL:
            if about != figure.about and not (not from_here and following == figure.about):
                raise _Wrong("subject", f"{figure.id} {figure.about}")
        elif from_here and about is not None and not overall and not figure.of:
            raise _Wrong("subject", f"{figure.id} {about}")
        names = [each for each in self._scanner_names() if each in sentence]
        if figure.of and names and not any(each in figure.of for each in names):
            raise _Wrong("subject", f"{figure.id} {figure.of}")

    def _scanner_names(self) -> Iterable[str]:
        return (each for each in self.pack.names if each not in self.pack.endpoints)

    def _uncited(self, token: Token, named: str | None) -> None:
        """A number without a figure: a status that occurs, or the length of the window; nothing else."""
        if token.kind == "time":
            raise _Wrong("time", token.text.strip())
        if self._is_status(token, None):
            if int(token.groups["digits"]) in self._statuses_of(named):
                return
            raise _Wrong("status", token.text.strip())
        digits, unit = token.groups["digits"], token.groups["unit"].strip()
        minutes = (self.pack.end - self.pack.start).total_seconds() / 60
        if unit in ("분", "min", "minute", "minutes") and float(digits.replace(",", "")) == minutes:
            return
        if unit in ("시간", "hour", "hours") and float(digits.replace(",", "")) * 60 == minutes:
            return
        raise _Wrong("uncited", token.text.strip())

    def _statuses_of(self, named: str | None) -> tuple[int, ...]:
        """Codes of an endpoint where they are known, else those of all."""
        known = self.pack.statuses.get(named or ALL)
        return self.pack.statuses.get(ALL, ()) if known is None else known

    def _classes(self, tokens: Sequence[Token], cited: Iterable[str]) -> None:
        """A class such as 5xx must occur, unless its number is told."""
        counted = {self.pack.figures[key].measure for key in cited}
        codes = self.pack.statuses.get(ALL)
        for token in tokens:
            if token.kind != "class" or codes is None or counted & {"client_errors", "server_errors"}:
                continue
            if not any(str(code)[0] == token.text[0] for code in codes):
                raise _Wrong("status", token.text)

    def _is_status(self, token: Token, cite: Token | None) -> bool:
        """A bare whole number from 100 to 599, unless the figure that it cites is that number."""
        if token.kind != "number" or token.groups["unit"] or token.groups["sign"] or token.groups["scale"]:
            return False
        digits = token.groups["digits"]
        if not digits.isdigit() or int(digits) not in _STATUSES or len(digits) != 3:
            return False
        return cite is None or not any(fits(token.groups, self.pack.figures[key]) is None for key in cite.ids)

    def _extreme(self, sentence: str, tokens: Sequence[Token]) -> set[str]:
        """Endpoints that a sentence calls the first of all, and that are: by what it says they are first in."""
        smallest = words.SMALLEST.search(sentence) is not None
        if not smallest and words.LARGEST.search(sentence) is None:
            return set()
        named = {endpoint for token in tokens if (endpoint := self._endpoint(token)) is not None}
        if not named:
            return set()
        measures: set[str] = set()
        for pattern, found in (
            (words.ERRORS, {"errors", "server_errors", "error_rate", "client_errors"}),
            (words.SLOW, words.LATENCIES),
            (words.REQUESTS, {"requests"}),
        ):
            if pattern.search(sentence) and not measures:
                measures = {*found}
        for endpoint in named:
            if not any(self._is_extreme(endpoint, measure, smallest=smallest) for measure in measures):
                raise _Wrong("subject", endpoint)
        return named

    def _is_extreme(self, endpoint: str, measure: str, *, smallest: bool) -> bool:
        values: dict[str, float] = {}
        for each in self.pack.figures.values():
            if each.measure == measure and each.when == "now" and each.about != ALL and not each.of:
                values.setdefault(each.about, each.value)
        if endpoint not in values:
            return False
        return values[endpoint] == (min if smallest else max)(values.values())

    def _endpoints(self, tokens: Sequence[Token], ids: set[str], first: set[str]) -> None:
        """An endpoint that is named must be one that the cited figures are about, or the first of all."""
        supported = self._supported(ids) | first
        for token in tokens:
            endpoint = self._endpoint(token)
            if endpoint is not None and endpoint not in supported:
                raise _Wrong("evidence", endpoint)

    def _supported(self, ids: set[str]) -> set[str]:
        found = {self.pack.figures[key].about for key in ids}
        return found.union(*(noted.endpoints for noted in self.pack.findings if ids & {*noted.ids}))

    def _times(self, tokens: Sequence[Token], ids: set[str]) -> None:
        """A date or a weekday must be that of a time which the sentence cites, else of any in the evidence."""
        cited = {_date(figure.value, self._zone) for key in ids if (figure := self.pack.figures[key]).unit == "time"}
        for token in tokens:
            if token.kind in ("date", "weekday") and not names_date(token.text, cited or self._dates):
                raise _Wrong("time", token.text)

    def _directions(self, sentence: str, cited: Iterable[str], context: Context) -> None:
        ups = self._signs([self.pack.figures[key] for key in cited])
        ups = ups or self._signs([self.pack.figures[key] for key in context.evidence])
        for pattern, sign in ((words.RISE, 1), (words.FALL, -1)):
            found = pattern.search(sentence)
            if found is not None and sign not in ups:
                raise _Wrong("direction", found[0])

    def _signs(self, figures: Sequence[Figure]) -> set[int]:
        """In which directions the figures show something to have changed."""
        signs = {1 if each.value > 0 else -1 for each in figures if each.unit in ("change", "points") and each.value}
        signs |= {1 if each.value > 1 else -1 for each in figures if each.unit == "times"}
        before = {(each.measure, each.about, each.of): each.value for each in figures if each.when == "before"}
        for each in figures:
            former = before.get((each.measure, each.about, each.of))
            if each.when == "now" and former is not None and former != each.value:
                signs.add(1 if each.value > former else -1)
        return signs

    def _verdict(self, sentence: str) -> None:
        found = words.WELL.search(sentence)
        if found is not None and (not self._searched or self.pack.verdict in ("high", "medium")):
            raise _Wrong("verdict", found[0])

    def _most(self, sentence: str, cited: Iterable[str], context: Context) -> None:
        found = words.MOST.search(sentence)
        if found is None:
            return
        figures = [self.pack.figures[key] for key in {*cited, *context.evidence}]
        if not any(each.unit == "share" and each.value > 0.5 for each in figures):
            raise _Wrong("evidence", found[0])

    def _endpoint(self, token: Token) -> str | None:
        return self._scanner.endpoint_of.get(token.text) if token.kind == "known" else None

    def _pieces(self, tokens: Sequence[Token], cites: Mapping[int, tuple[str, ...]]) -> Sentence:
        pieces: Sentence = []
        for place, token in enumerate(tokens):
            if token.kind == "cite":
                continue
            if place in cites:
                pieces.append(Piece(kind="figure", text=token.text.strip(), id=cites[place][0]))
            elif token.kind == "known":
                kind = "endpoint" if token.text in self._scanner.endpoint_of else "name"
                shown = self._scanner.endpoint_of.get(token.text)
                pieces.append(Piece(kind=kind, text=token.text, id=shown))  # type: ignore[arg-type]
            else:
                pieces += _plain(token.text)
        return pieces


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of seven words of a text: who repeats one repeats the text."""
    found = [each.strip(".,;:!?()[]\"'`").lower() for each in text.split()]
    return {tuple(found[place : place + _SHINGLE]) for place in range(len(found) - _SHINGLE + 1)}


def _plain(text: str) -> Sentence:
    return [Piece(kind="text", text=text)] if text else []


def _date(seconds: float, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(seconds, tz=zone).date()
