"""Templates and what they are given: every word of a code comes from `alerts.words`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from stayaway.alerts import words
from stayaway.alerts.review_model import LIST_NAMES, AlertRow, AlertView, ListName
from stayaway.alerts.words import age_words
from stayaway.api.alerts import shown_image
from stayaway.api.settings import ReviewSettings
from stayaway.console.sketch import HEIGHT, MOST_NUMBERED, WIDTH, draw, map_features, places_of
from stayaway.kernel.decimals import exact
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import compact_json
from stayaway.kernel.legible import legible
from stayaway.kernel.plates import difference_words
from stayaway.kernel.timezones import load_time_zone

LISTS: dict[ListName, str] = {
    "live": "Live",
    "historical": "Historical",
    "ended": "Order since ended",
    "closed": "Closed",
}
_UNITS = {"YD": "yd", "FT": "ft", "M": "m"}


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _clock_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%d %b %H:%M:%S UTC")


def _local(at: datetime, zone_name: str) -> str:
    """The wall clock of the court's zone, with its abbreviation; UTC where the calendar ends before it."""
    try:
        return at.astimezone(load_time_zone(zone_name)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except OverflowError:
        return _utc(at)


def _distance(value: float, unit: str) -> str:
    return f"{value:g} {_UNITS[unit]}"


def _shown(value: Any) -> Any:
    """What a template prints: texts without hidden characters; not what is markup already."""
    return legible(value) if type(value) is str else value


def make_environment() -> Environment:
    """Jinja with escaping on, an error for every unknown name, and our words."""
    environment = Environment(
        loader=PackageLoader("stayaway.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(
        instant=format_instant,
        utc=_utc,
        clock_time=_clock_time,
        local=_local,
        age=age_words,
        distance=_distance,
        exact=exact,
    )
    environment.globals.update(words=words, lists=LISTS, list_names=LIST_NAMES)
    return environment


class Presenter:
    """Turns what was loaded into HTML."""

    def __init__(self, settings: ReviewSettings) -> None:
        self._settings = settings
        self._environment = make_environment()

    def page(self, template: str, context: Mapping[str, Any]) -> str:
        """A whole page."""
        return self._environment.get_template(template).render(context)

    def row(self, row: AlertRow, *, is_new: bool = False) -> str:
        """One line of a list, the same on the page and in the live stream."""
        return self._environment.get_template("_row.html").render(**self.row_context(row), is_new=is_new)

    def row_context(self, row: AlertRow) -> dict[str, Any]:
        """What `_row.html` needs."""
        now = self._settings.wall_clock()
        return {
            "alert": row,
            "state": row.state_at(now),
            "holder": row.claim_holder(now),
            "age_s": (self._settings.clock() - row.last_observed_at).total_seconds(),
        }

    def alert_context(self, view: AlertView) -> dict[str, Any]:
        """What `alert.html` needs beyond the frame."""
        now = self._settings.wall_clock()
        places = places_of(view.evidence, self._settings.policy)
        features = map_features(view, places)
        plate = view.best_plate
        return {
            "view": view,
            "alert": view.row,
            "state": view.row.state_at(now),
            "holder": view.row.claim_holder(now),
            "places": {(p.item.topic, p.item.partition, p.item.record_offset): p for p in places},
            "features": compact_json(features).decode(),
            "drawing": draw(features),
            "has_minor": len(places) > MOST_NUMBERED,
            "width": WIDTH,
            "height": HEIGHT,
            "differences": difference_words(plate.characters) if plate else (),
            "needs_second_look": view.row.match_kind in self._settings.policy.second_look_kinds,
            "image_sha256": shown_image(self._settings, view),
            "zone_name": view.version.court_time_zone,
        }
