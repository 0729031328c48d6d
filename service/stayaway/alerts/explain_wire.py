"""What `explain --json` prints, v1. Output may gain fields."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from stayaway.alerts.explain import Explanation
from stayaway.alerts.rerun import Difference, Rerun, Verdict
from stayaway.alerts.rows import ENGINE_NAME
from stayaway.alerts.wire import OutputForm, StepForm
from stayaway.kernel.instants import format_instant
from stayaway.matching.model import DecisionStep


class DifferenceForm(OutputForm):
    """The first field that is not as it was stored."""

    field: str
    stored: Any
    now: Any

    @classmethod
    def of(cls, difference: Difference | None) -> "DifferenceForm | None":
        """`difference` on the wire; null where there is none."""
        return None if difference is None else cls.model_validate(asdict(difference))


class ExplainedDecisionForm(OutputForm):
    """One decision as stored, and what came of running it again."""

    source: str
    event_id: str
    observed_at: str
    zone_id: str
    outcome: Literal["ALERT", "WITHDRAWN"]
    verdict: Verdict
    difference: DifferenceForm | None
    why: Annotated[str | None, Field(description="Why it was not run again, in words.")]
    order_version: int
    order_sha256: str | None
    registry_sequence: int
    known_at: str
    policy_sha256: str
    engine: str
    decided_at: str
    content_sha256: Annotated[str | None, Field(description="Of the event's bytes.")]
    input_sha256: Annotated[str | None, Field(description="Of event, order as known, policy and K together.")]
    steps: list[StepForm]

    @classmethod
    def of(cls, item: Rerun) -> Self:
        """`item` on the wire."""
        row = {name: _plain(value) for name, value in item.stored.columns.items()}
        detail: Mapping[str, Any] = item.stored.detail or {}
        content: dict[str, Any] = {name: row[name] for name in cls.model_fields if name in row}
        return cls.model_validate(
            {
                **content,
                "verdict": item.verdict,
                "difference": DifferenceForm.of(item.difference),
                "why": item.why,
                "order_sha256": detail.get("order_sha256"),
                "input_sha256": detail.get("input_sha256"),
                "content_sha256": item.stored.event["content_sha256"] if item.stored.event else None,
                "steps": [_step(step) for step in item.stored.steps],
            }
        )


class ExplanationForm(OutputForm):
    """An alert explained. `verdict` SAME: every decision came out as it was stored, bit for bit."""

    schema_: Literal["explanation.v1"] = Field(alias="schema")
    alert_id: str
    alert_number: int
    order_id: str
    respondent_id: str
    state: str
    verdict: Verdict
    difference: DifferenceForm | None
    engine_now: Annotated[str, Field(description="The engine that ran the decisions again.")]
    episode: StepForm
    two_places: Annotated[
        str | None,
        Field(
            description="Evidence in words, of the alert's sightings and the ones stored beside them under "
            "the same order; it decides nothing."
        ),
    ]
    neighbours_unopened: Annotated[
        int,
        Field(description="How many sightings stored beside the alert's did not open with the order's key."),
    ]
    decisions: list[ExplainedDecisionForm]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """`explanation` on the wire."""
        row = explanation.row
        return cls(
            schema="explanation.v1",
            alert_id=row.alert_id,
            alert_number=row.alert_number,
            order_id=row.order_id,
            respondent_id=row.respondent_id,
            state=row.state,
            verdict=explanation.verdict,
            difference=DifferenceForm.of(explanation.difference),
            engine_now=ENGINE_NAME,
            episode=_step(explanation.episode),
            two_places=explanation.two_places.words if explanation.two_places else None,
            neighbours_unopened=explanation.neighbours.unopened,
            decisions=[ExplainedDecisionForm.of(item) for item in explanation.decisions],
        )


def _step(step: DecisionStep) -> StepForm:
    return StepForm.model_validate(asdict(step))


def _plain(value: Any) -> Any:
    return format_instant(value) if isinstance(value, datetime) else value
