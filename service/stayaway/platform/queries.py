"""SQL lives in .sql files as named, described queries; this reads them."""

import re
from importlib.resources import files

from stayaway.kernel.errors import StayawayError

_NAME = re.compile(r"-- name: ([a-z][a-z0-9_]*)", re.ASCII)
_DESCRIPTION = "-- description: "


class QueryError(StayawayError):
    """A .sql file breaks the form, or has no query of that name."""


class Queries:
    """The queries of one file: `queries.insert_alerts` and `queries["insert_alerts"]` are its SQL."""

    def __init__(self, origin: str, texts: dict[str, str], descriptions: dict[str, str]) -> None:
        self._origin = origin
        self._texts = texts
        self.descriptions = descriptions

    def __getitem__(self, name: str) -> str:
        """The SQL of that name; QueryError for an unknown one."""
        text = self._texts.get(name)
        if text is None:
            raise QueryError(f"{self._origin} has no query {name!r}")
        return text

    def __getattr__(self, name: str) -> str:
        """The same as an attribute."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def names(self) -> tuple[str, ...]:
        """The names, in the file's order."""
        return tuple(self._texts)


def load_queries(package: str, file: str) -> Queries:
    """Read `file` of `package`.

    Each query is headed by two comment lines, `-- name: insert_alerts` and
    `-- description: what it does`. Raises QueryError for a query
    without either, for a repeated name, and for SQL before the first name.
    """
    origin = f"{package}/{file}"
    text = (files(package) / file).read_text(encoding="utf-8")
    return parse_queries(origin, text)


def parse_queries(origin: str, text: str) -> Queries:
    """The same from a text; `origin` stands in the messages."""
    texts: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), start=1):
        heading = _NAME.fullmatch(line.rstrip())
        if heading:
            name = heading.group(1)
            if name in texts:
                raise QueryError(f"{origin}, line {number}: the name {name!r} is repeated")
            texts[name] = ""
        elif name and line.startswith(_DESCRIPTION):
            descriptions[name] = line.removeprefix(_DESCRIPTION).strip()
        elif name:
            texts[name] += line + "\n"
        elif line.strip() and not line.startswith("--"):
            raise QueryError(f"{origin}, line {number}: SQL before the first `-- name:`")
    stripped = {key: sql.strip() for key, sql in texts.items()}
    for key, sql in stripped.items():
        if not sql or not descriptions.get(key):
            raise QueryError(f"{origin}: query {key!r} lacks its SQL or its `-- description:`")
    return Queries(origin, stripped, descriptions)
