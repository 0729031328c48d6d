"""The columns road says exactly what the road of one event at a time says."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.access.policy import Policy
from stayaway.kernel.instants import parse_instant, to_us
from stayaway.sightings.batch import decode_batch
from stayaway.sightings.instant_columns import parse_instants
from stayaway.sightings.model import CheckIn, PlateRead, Refusal
from stayaway.sightings.wire import parse_sighting
from support.wire_examples import CHECK_IN, PLATE_READ, example_policy

POLICY: Policy = example_policy()

odd_values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-400, 400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        ["", "8AK-471", "*", "US-AZ", "CA", "2026-03-06T20:15:00.5Z", "2026-03-06T20:15:00,5Z", "a\u007fb"]
    ),
    st.just([]),
    st.just({}),
    st.lists(st.fixed_dictionaries({"plate": st.text(max_size=5)}), max_size=3),
)
OPTIONAL = (
    "accuracy_m region_confidence candidates make satellites hdop extensions image_sha256 direction_deg zz"
)
fields = st.sampled_from(sorted({*PLATE_READ, *CHECK_IN, *OPTIONAL.split()}))


@st.composite
def event_bytes(draw: st.DrawFn) -> bytes:
    body = dict(draw(st.sampled_from([PLATE_READ, CHECK_IN])))
    for name in draw(st.lists(fields, max_size=3)):
        if draw(st.booleans()):
            body[name] = draw(odd_values)
        else:
            body.pop(name, None)
    data = json.dumps(body, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 3)) :]
    return data


def judged_alone(value: bytes | None) -> Refusal | tuple[float, float, int, int, bool, str]:
    """Step 1 by the slow road, age and all."""
    sighting = parse_sighting(value)
    if isinstance(sighting, Refusal):
        return sighting
    age = sighting.received_at - sighting.observed_at
    if age < -timedelta(seconds=POLICY.max_future_s):
        return Refusal("FUTURE", "/observed_at")
    if age > timedelta(seconds=POLICY.max_age_s):
        return Refusal("TOO_OLD", "/observed_at")
    identity = sighting.plate if isinstance(sighting, PlateRead) else sighting.device_id
    observed_us, received_us = to_us(sighting.observed_at), to_us(sighting.received_at)
    return sighting.lon, sighting.lat, observed_us, received_us, isinstance(sighting, CheckIn), identity


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(event_bytes(), st.none()), max_size=8))
def test_a_batch_is_its_events(values: list[bytes | None]) -> None:
    batch = decode_batch(values, POLICY)
    found: dict[int, object] = dict(batch.refusals)
    columns = (batch.lon, batch.lat, batch.observed_us, batch.received_us, batch.is_device)
    rows = zip(*(column.tolist() for column in columns), batch.identities, strict=True)
    found.update(zip(batch.index.tolist(), rows, strict=True))
    assert found == {i: judged_alone(value) for i, value in enumerate(values)}
    assert batch.index.tolist() == sorted(batch.index.tolist())


instants = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?Z?", fullmatch=True
    ),
    st.from_regex(
        r"[0-9]{4}-(0[0-9]|1[0-3])-[0-3][0-9]T2[0-4]:59:5[0-9](\.[0-9]{0,6})?[Zz ]", fullmatch=True
    ),
).filter(lambda text: 20 <= len(text) <= 27)


@settings(max_examples=500, deadline=None)
@given(st.lists(instants, min_size=1, max_size=6))
def test_instants_in_columns_are_instants(texts: list[str]) -> None:
    values, good = parse_instants(texts)
    for text, value, is_good in zip(texts, values.tolist(), good.tolist(), strict=True):
        try:
            expected = to_us(parse_instant(text))
        except ValueError:
            assert not is_good
        else:
            assert is_good
            assert value == expected


def test_age_limits_are_exact() -> None:
    """FUTURE and TOO_OLD begin one microsecond past the policy's limits."""

    def refusal(observed: str, received: str) -> Refusal | None:
        body = {**PLATE_READ, "observed_at": observed, "received_at": received}
        return decode_batch([json.dumps(body).encode()], POLICY).refusals.get(0)

    assert refusal("2026-03-06T20:05:00Z", "2026-03-06T20:00:00Z") is None
    assert refusal("2026-03-06T20:05:00.000001Z", "2026-03-06T20:00:00Z") == Refusal("FUTURE", "/observed_at")
    assert refusal("2026-03-06T20:00:00Z", "2026-04-05T20:00:00Z") is None
    assert refusal("2026-03-06T20:00:00Z", "2026-04-05T20:00:00.000001Z") == Refusal(
        "TOO_OLD", "/observed_at"
    )


def test_an_empty_batch() -> None:
    batch = decode_batch([], POLICY)
    assert (batch.n, batch.index.size, batch.refusals) == (0, 0, {})
