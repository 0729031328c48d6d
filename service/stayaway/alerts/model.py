"""Alerts as frozen values: states, the row that a plan works on, what a batch did."""

from dataclasses import dataclass
from typing import Literal

from stayaway.alerts.episodes import Summary

AlertState = Literal["OPEN", "CLAIMED", "CONFIRMED", "DISMISSED", "MERGED", "WITHDRAWN"]
Change = Literal["RAISED", "EXTENDED", "MERGED", "WITHDRAWN", "ORDER_ENDED", "REVISED"]
"""What the outbox says of an alert; V's acts add their own words."""

DISPOSED: tuple[AlertState, ...] = ("CONFIRMED", "DISMISSED")

OUTBOX_CHANNEL = "stayaway_outbox"
"""NOTIFY channel; a hint only: the outbox's sequence is the truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert as its row stands, read under the row's lock."""

    alert_id: str
    raised_us: int
    alert_number: int
    state: AlertState
    summary: Summary
    sighting_count: int
    merged_into: str | None
    raised_anew_from: str | None
    to_acknowledge_by: str | None = None

    @property
    def is_standing(self) -> bool:
        """Neither merged nor withdrawn."""
        return self.state not in ("MERGED", "WITHDRAWN")

    @property
    def is_root(self) -> bool:
        """Stands for an episode: the alert that the decisions point to."""
        return self.is_standing and self.raised_anew_from is None
