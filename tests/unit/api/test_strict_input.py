"""What is sent to the API is as strict as an orders file: no null, no value of another JSON type.

The published OpenAPI document says which type each field has; the forms are held to it.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stayaway.api.act_forms import (
    ActForm,
    AnswerForm,
    ApprovalForm,
    ConfirmationForm,
    NoticeForm,
    RecallForm,
    SuspensionForm,
    ValidationForm,
)
from stayaway.api.app import create_api
from stayaway.api.draft_forms import DraftForm, WithdrawForm
from stayaway.api.forms import AcknowledgeForm, ClaimForm, ConfirmForm, DismissForm, Input
from stayaway.api.settings import ReviewSettings
from stayaway.schemas import openapi_document

Json = dict[str, Any]
AT = "2026-03-06T20:15:00Z"
ANSWER: Json = {"question_id": "mutual", "answer": "NO", "reason_text": "as the court found"}
ACCEPTED: Json = {"unusual_accepted": True}
TYPED: Json = {"case_number": "F-1", "expiry": "P2Y"}
WHOLE: dict[type[Input], Json] = {
    ActForm: ACCEPTED,
    ClaimForm: {},
    AcknowledgeForm: {},
    WithdrawForm: {},
    ConfirmForm: {"sight": "IMAGE", "second_look": True, "seen": "0" * 16},
    DismissForm: {"reason_code": "MISREAD", "seen": "0" * 16},
    NoticeForm: {"order_version": 1, "respondent_id": "R1", "kind": "MAIL", "noticed_at": AT, **ACCEPTED},
    RecallForm: {"recalled_at": AT, "reason_text": "dismissed", "void": True, **ACCEPTED},
    SuspensionForm: {"from_at": AT, "until_at": AT, "reason_text": "mediation", **ACCEPTED},
    ValidationForm: {"validated_at": AT, "source_text": "the docket", **ACCEPTED},
    AnswerForm: ANSWER,
    ConfirmationForm: TYPED,
    ApprovalForm: {**TYPED, "answers": [ANSWER], "emergency_reason_text": "night"},
    DraftForm: {"order": {"order_id": "O1"}},
}
"""Each form with all of its fields."""
FIELDS = [(form, name) for form, whole in WHOLE.items() for name in whole]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(-5, 5),
    st.sampled_from([0.0, 1.0, float("inf")]),
    st.sampled_from(["", "yes", "true", "1", "null", "YES", "IMAGE", "MAIL", AT, "0" * 16]),
    st.lists(st.sampled_from([ANSWER, None, "x", 1]), max_size=2),
    st.dictionaries(st.sampled_from(["order_id", "x"]), st.none() | st.just("O1"), max_size=2),
)


def _kind(value: Any) -> str:
    """The JSON type of a value, by how it is written."""
    first = json.dumps(value)[0]
    by_mark = {'"': "string", "[": "array", "{": "object", "n": "null", "t": "boolean", "f": "boolean"}
    if first in by_mark:
        return by_mark[first]
    return "integer" if json.dumps(value).lstrip("-").isdigit() else "number"


def _forms(of: type[Input]) -> Iterator[type[Input]]:
    for form in of.__subclasses__():
        yield form
        yield from _forms(form)


def test_every_form_is_looked_at_with_all_of_its_fields() -> None:
    assert set(_forms(Input)) == set(WHOLE)
    for form, whole in WHOLE.items():
        assert set(whole) == set(form.model_fields), form
        form.model_validate(whole)


@given(field=st.sampled_from(FIELDS), value=VALUES)
def test_a_value_of_another_json_type_is_refused(field: tuple[type[Input], str], value: Any) -> None:
    """By the type that the form publishes, which never is null."""
    form, name = field
    published = form.model_json_schema()["properties"][name]["type"]
    whole = {**WHOLE[form], name: value}
    if _kind(value) != published:
        with pytest.raises(ValidationError) as refused:
            form.model_validate(whole)
        assert refused.value.errors()[0]["loc"][0] == name
        return
    with suppress(ValidationError):  # of the right type, and wrong in another way
        kept = getattr(form.model_validate(whole), name)
        assert isinstance(kept, datetime | list) or (kept, type(kept)) == (value, type(value))


@given(form=st.sampled_from(sorted(WHOLE, key=str)), name=st.text(max_size=8), value=VALUES)
def test_an_unknown_field_is_refused(form: type[Input], name: str, value: Any) -> None:
    if name not in form.model_fields:
        with pytest.raises(ValidationError):
            form.model_validate({**WHOLE[form], name: value})


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """The API with no database: what it refuses never comes that far."""
    app = create_api(cast("ReviewSettings", None))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"stayaway-actor": "ann", "idempotency-key": "k", "if-match": '"1-0"'}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


def _routes_with_a_body() -> Iterator[tuple[str, str, str]]:
    for path, methods in openapi_document()["paths"].items():
        for method, about in methods.items():
            body = about.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                address = path.replace("{order_id}", "O1").replace("{version}", "1")
                address = address.replace("{draft_number}", "1").replace("{alert_number}", "1")
                yield method, address, body["schema"]["$ref"].rsplit("/", 1)[1]


@pytest.mark.parametrize(("method", "path", "name"), list(_routes_with_a_body()))
async def test_every_route_refuses_a_field_of_another_type_with_its_pointer(
    http: httpx.AsyncClient, method: str, path: str, name: str
) -> None:
    form = next(form for form in WHOLE if form.__name__ == name)
    for field in WHOLE[form]:
        for wrong in (None, 1.5, [1.5], {"x": None}, 10**30):
            if isinstance(wrong, dict) and name == "DraftForm":
                continue  # a draft may be wrong in any way
            answer = await http.request(method, path, json={**WHOLE[form], field: wrong})
            assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
            problem = answer.json()["problems"][0]
            assert problem["pointer"].split("/")[1] == field
            assert problem["detail"]
    unknown = await http.request(method, path, json={**WHOLE[form], "voidd": True})
    assert unknown.json()["problems"] == [
        {"pointer": "/voidd", "detail": "Unknown field: leave it out. Here stands true or false. (body)"}
    ]


async def test_a_recall_is_void_only_by_a_plain_true(http: httpx.AsyncClient) -> None:
    """A void recall withdraws alerts: whoever means it writes it."""
    for wrong, kind in ((None, "null"), ("yes", "a text"), (1, "a whole number"), ("true", "a text")):
        body = {**WHOLE[RecallForm], "void": wrong}
        answer = await http.post("/api/v1/orders/O1/recalls", json=body)
        assert answer.status_code == 422
        (problem,) = answer.json()["problems"]
        assert problem["pointer"] == "/void"
        assert problem["detail"].endswith(f"Here stands {kind}. (body)")
        assert answer.json()["remedy"]


async def test_what_was_sent_is_not_repeated(http: httpx.AsyncClient) -> None:
    body = {**WHOLE[NoticeForm], "order_version": "8AK871", "kind": "8AK872"}
    answer = await http.post("/api/v1/orders/O1/notices", json=body)
    assert [item["pointer"] for item in answer.json()["problems"]] == ["/order_version", "/kind"]
    assert "8AK87" not in answer.text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("orders?limt=3", "limt"),
        ("orders?limit=3&limit=4", "limit"),
        ("orders?limit=1.0", "limit"),
        ("orders?limit=%203", "limit"),
        ("orders?limit=1_0", "limit"),
        ("orders?limit=", "limit"),
        ("orders?after=%00", "after"),
        ("orders?after=O1%0A", "after"),
        ("orders/O1?at_=2026-03-06T20:15:00Z", "at_"),
        ("orders/O1?known_at=2026-03-06", "known_at"),
        ("orders/O1/history?x", "x"),
        ("orders-due?within_days=+3", "within_days"),
        ("order-drafts?state=open", "state"),
        ("order-drafts?stat=OPEN", "stat"),
        ("order-drafts/1/preview?etag=1", "etag"),
        ("alerts?list=live&befor=3", "befor"),
        ("alerts/1?view=api", "view"),
    ],
)
async def test_a_parameter_that_is_unknown_doubled_or_in_another_form_is_refused(
    http: httpx.AsyncClient, query: str, name: str
) -> None:
    answer = await http.get(f"/api/v1/{query}")
    assert answer.status_code == 422, answer.text
    assert [item["pointer"] for item in answer.json()["problems"]] == [f"/{name}"]


async def test_an_unknown_parameter_is_answered_with_the_known_ones(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/orders?limt=3")
    assert answer.json()["problems"][0]["detail"] == "Known here: after, limit; leave this one out (query)"
    acting = await http.post("/api/v1/orders/O1/recalls?void=true", json=WHOLE[RecallForm])
    assert acting.status_code == 422


@pytest.mark.parametrize("number", ["1.0", "01", "+1", "%201", "1_0", "٣"])
async def test_a_number_in_a_path_is_plain_digits(http: httpx.AsyncClient, number: str) -> None:
    for path in (f"order-drafts/{number}", f"orders/O1/versions/{number}", f"alerts/{number}"):
        assert (await http.get(f"/api/v1/{path}")).status_code == 422
