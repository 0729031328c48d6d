"""Writes `schemas/` from the code's own forms, and fails where the folder has drifted.

`python -m stayaway.schemas FOLDER` writes; with `--check` it only compares.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter

from stayaway.access.policy import Policy
from stayaway.access.registry_policy import RegistryPolicy
from stayaway.alerts.explain_wire import ExplanationForm
from stayaway.alerts.wire import AlertForm, DecisionForm, SummaryForm
from stayaway.api.app import create_api
from stayaway.api.settings import ReviewSettings
from stayaway.orders.court_areas import CourtAreasForm
from stayaway.orders.readers import ReadersFileForm
from stayaway.orders.wire import FindingForm, OrdersFileForm
from stayaway.sightings.dead_letters import DEAD_LETTER_TOPIC
from stayaway.sightings.wire import (
    CHECK_IN_TOPIC,
    PLATE_READ_TOPIC,
    CheckInForm,
    DeadLetterForm,
    PlateReadForm,
)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

INPUT_FORMS: dict[str, type[BaseModel]] = {
    "plate_read.v1": PlateReadForm,
    "check_in.v1": CheckInForm,
    "orders.v1": OrdersFileForm,
    "readers.v1": ReadersFileForm,
    "court_areas.v1": CourtAreasForm,
    "policy.v1": Policy,
    "registry_policy.v1": RegistryPolicy,
}
OUTPUT_FORMS: dict[str, Any] = {
    "decision.v1": DecisionForm,
    "alert.v1": AlertForm,
    "summary.v1": SummaryForm,
    "explanation.v1": ExplanationForm,
    "dead_letter.v1": DeadLetterForm,
    "finding.v1": FindingForm,
}


def documents() -> dict[str, str]:
    """Every generated file of `schemas/` by its name."""
    files: dict[str, Any] = {}
    for name, form in INPUT_FORMS.items():
        files[f"{name}.json"] = {"$schema": _DIALECT, "$id": name, **without_null(form.model_json_schema())}
    for name, form in OUTPUT_FORMS.items():
        schema = TypeAdapter(form).json_schema(mode="serialization")
        files[f"{name}.json"] = {"$schema": _DIALECT, "$id": name, **schema}
    files["asyncapi.json"] = asyncapi_document()
    files["openapi.json"] = openapi_document()
    return {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in files.items()}


def without_null(schema: Any) -> Any:
    """The schema as the reader has it: an optional field is left out, never null."""
    if isinstance(schema, list):
        return [without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: without_null(value) for name, value in schema.items()}
    if found.get("default", 0) is None:
        del found["default"]
    choices = found.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [choice for choice in choices if choice != {"type": "null"}]
        del found["anyOf"]
        return {**others[0], **found} if len(others) == 1 else {"anyOf": others, **found}
    return found


def asyncapi_document() -> dict[str, Any]:
    """The three topics as AsyncAPI 3.0; keys and headers decide nothing."""
    topics = {
        "plateReads": (PLATE_READ_TOPIC, "plate_read.v1", "receive"),
        "checkIns": (CHECK_IN_TOPIC, "check_in.v1", "receive"),
        "deadLetters": (DEAD_LETTER_TOPIC, "dead_letter.v1", "send"),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "stayaway events",
            "version": "1",
            "description": "One JSON object a record. Kafka keys and headers decide nothing; no partitioning "
            "is assumed; CloudEvents producers use Kafka's binary mode.",
        },
        "defaultContentType": "application/json",
        "channels": {
            channel: {
                "address": topic,
                "messages": {form: {"name": form, "payload": {"$ref": f"./{form}.json"}}},
            }
            for channel, (topic, form, _) in topics.items()
        },
        "operations": {
            f"{action}{channel[0].upper()}{channel[1:]}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
            }
            for channel, (_, _, action) in topics.items()
        },
    }


def openapi_document() -> dict[str, Any]:
    """The review API; its routes are described without being served, so they are given nothing."""
    return create_api(cast("ReviewSettings", None)).openapi()


def main() -> None:
    """Write the folder named, or compare it with what the code says now."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    stale = []
    for name, text in documents().items():
        path = arguments.folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
    if arguments.check and stale:
        sys.exit(
            f"schemas have drifted from the code: {', '.join(stale)}; run `make schemas` and commit them"
        )


if __name__ == "__main__":
    main()
