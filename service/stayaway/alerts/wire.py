"""What `decide` prints, v1: decision lines, alerts, the summary. Output may gain fields."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stayaway.matching.model import (
    Caution,
    Description,
    MatchKind,
    Reason,
    RegionMatch,
    ZoneRelation,
)
from stayaway.sightings.model import RefusalCode


class OutputForm(BaseModel):
    """A form that readers accept with fields they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class StepForm(OutputForm):
    """One numbered step: what it saw, and what it concluded."""

    number: int
    name: str
    saw: str
    concluded: str


class MatchForm(OutputForm):
    """Identity and place agreed: judged."""

    order_id: str
    order_version: int
    respondent_id: str
    zone_id: str
    vehicle_id: str | None
    device_id: str | None
    match_kind: MatchKind
    region_match: RegionMatch
    description: Description
    zone_relation: ZoneRelation
    inside_probability: Annotated[float | None, Field(description="3 decimals; INSIDE_WITHIN_ERROR only.")]
    reasons: Annotated[list[Reason], Field(description="All that hold; any suppresses.")]
    cautions: list[Caution]
    exception_ids: Annotated[list[str], Field(description="Those that apply or, on an alert, are possible.")]
    alert_id: Annotated[str | None, Field(description="The episode's; null on a suppressed match.")]
    order_sha256: Annotated[str, Field(description="Of the order version's canonical content.")]
    input_sha256: Annotated[str, Field(description="Of event, order as known, policy and K together.")]
    steps: list[StepForm]


class MatchedForm(OutputForm):
    """An event that matched something."""

    schema_: Literal["decision.v1"] = Field(alias="schema")
    line: int
    outcome: Literal["ALERT", "SUPPRESSED"]
    source: str
    event_id: str
    observed_at: str
    matches: list[MatchForm]
    content_sha256: Annotated[str, Field(description="Of the event's bytes as they stood in the file.")]


class NoneForm(OutputForm):
    """An event that matched nothing: this and nothing of the event."""

    schema_: Literal["decision.v1"] = Field(alias="schema")
    line: int
    outcome: Literal["NONE"]


class RefusedForm(OutputForm):
    """A line that could not be read."""

    schema_: Literal["decision.v1"] = Field(alias="schema")
    line: int
    outcome: Literal["REFUSED"]
    reasons: list[RefusalCode]
    field: Annotated[str | None, Field(description="JSON Pointer.")]


class AlertForm(OutputForm):
    """One episode: one visit of one respondent under one order."""

    schema_: Literal["alert.v1"] = Field(alias="schema")
    alert_id: str
    order_id: str
    respondent_id: str
    order_versions: list[int]
    zone_ids: list[str]
    first_observed_at: str
    last_observed_at: str
    lines: list[int]
    sighting_count: int
    match_kind: MatchKind
    zone_relation: ZoneRelation
    cautions: list[Caution]


class VersionsForm(OutputForm):
    """What a run was made with; the same versions give the same bytes."""

    engine: str
    policy_id: str
    policy_sha256: str
    tzdata: str
    geos: str


class SummaryForm(OutputForm):
    """Lines by outcome, alerts, and K."""

    schema_: Literal["summary.v1"] = Field(alias="schema")
    read: int
    refused: int
    none: int
    suppressed: int
    alert: int
    alerts: int
    known_at: str | None
    versions: VersionsForm


DecisionForm = MatchedForm | NoneForm | RefusedForm
