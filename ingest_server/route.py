"""Fold the ids in a path into placeholders, so that `/users/17` and `/users/18` are one endpoint. Pure.

Ids are new all the time, so nothing is remembered per path; only words that stay as they are, which repeat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingest_server.route_patterns import LONGEST_SEGMENT, CustomPattern, parse_patterns
from ingest_server.segments import BUILT_IN, DATE, ID, folded, is_date, is_file_name

MOST_CHARACTERS = 300
# Without one of these nothing in a path can be an id; digits of any script count.
_CANDIDATE = re.compile(r"[\d@;?]")
_MOST_KEPT, _LONGEST_KEPT = 8192, 64


@dataclass(frozen=True, slots=True)
class RouteRules:
    """Which segments of a path are ids.

    Attributes:
        patterns: patterns for a whole segment, tried before everything else, in order.
        off: the built-in placeholders, of `segments.BUILT_IN`, that are not used.
    """

    patterns: tuple[CustomPattern, ...] = ()
    off: frozenset[str] = frozenset()
    # Segments that no rule changes. Emptied when full, so never large; an id never gets in.
    _kept: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    # Routes of paths that end in a number, by what stands before it: most paths with an id do.
    _before_id: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def default(cls) -> RouteRules:
        """Return the rules without any setting."""
        return cls()

    @classmethod
    def parse(cls, text: str) -> RouteRules:
        r"""Return the rules of a setting such as `{sku}=[A-Z]{3}-\d+ {lang}=(ko|en) -date -email`.

        Raises:
            ValueError: one sentence that says which part is wrong and why.
        """
        patterns, off = parse_patterns(text, BUILT_IN)
        return cls(patterns, off)

    def route(self, path: str) -> str:
        """Return the route of a path, of at most MOST_CHARACTERS characters.

        A query never enters, and matrix parameters (`;jsessionid=...`) are cut. Escapes such as `%31` are not
        undone: whoever writes a digit like that gets an endpoint of its own. A lone year in the path of a file
        (`/images/2009/a.png`) stays: it is a folder, not an id.
        """
        if not self.patterns and _CANDIDATE.search(path) is None:
            return path if len(path) <= MOST_CHARACTERS else path[:MOST_CHARACTERS]
        head, slash, tail = path.rpartition("/")
        # Four digits may be a year and eight a date.
        if (
            self.patterns
            or self.off
            or not slash
            or not tail.isdecimal()
            or len(tail) in (4, 8)
            or len(head) > _LONGEST_KEPT
        ):
            return self._by_segment(path)
        route = self._before_id.get(head)
        if route is None:
            if len(self._before_id) >= _MOST_KEPT:
                self._before_id.clear()
            route = self._before_id[head] = self._by_segment(path)
        return route

    def _by_segment(self, path: str) -> str:
        segments = path.partition("?")[0].split("/")
        kept = self._kept
        for at, segment in enumerate(segments):
            if not segment or segment in kept or (segment.isalpha() and not self.patterns):
                continue
            segments[at] = self._folded(segment, segments, at)
        return "/".join(segments)[:MOST_CHARACTERS]

    def _folded(self, segment: str, segments: list[str], at: int) -> str:
        segment = segment.partition(";")[0]
        if self.patterns and len(segment) <= LONGEST_SEGMENT:
            for pattern in self.patterns:
                if pattern.matches(segment):
                    return pattern.placeholder
        if segment.isdecimal():
            return self._number(segment, segments, at)
        result = folded(segment, self.off)
        if result == segment and len(segment) <= _LONGEST_KEPT:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept.add(segment)
        return result

    def _number(self, segment: str, segments: list[str], at: int) -> str:
        if len(segment) == 8 and DATE not in self.off and is_date(segment):
            return "{date}"
        if ID in self.off:
            return segment
        if len(segment) == 4 and segment[:2] in ("19", "20") and is_file_name(segments[-1]):
            following = segments[at + 1] if at + 1 < len(segments) else ""
            return "{id}" if following.isdecimal() else segment
        return "{id}"


_DEFAULT = RouteRules.default()
route_of = _DEFAULT.route
