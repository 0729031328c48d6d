"""Two places at once: evidence in words, of neighbouring sightings of one identity, never a decision."""

from datetime import UTC, datetime, timedelta

from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.alerts.two_places import CLOCK_SLACK_S, FASTEST_M_S, Fix, find_two_places

AT = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)


def fix(
    seconds: float,
    lon: float = -111.9,
    lat: float = 33.4,
    *,
    name: str = "vehicle V1",
    radius_m: float = 15,
    is_ours: bool = True,
    alert_number: int | None = None,
) -> Fix:
    return Fix(
        identity=name,
        observed_at=AT + timedelta(seconds=seconds),
        lon=lon,
        lat=lat,
        radius_m=radius_m,
        is_ours=is_ours,
        alert_number=alert_number,
    )


def test_fourteen_kilometres_in_half_a_minute_are_said_in_words() -> None:
    found = find_two_places([fix(30, lon=-111.75), fix(0)])
    assert found is not None
    assert found.words == (
        "Two places at once? vehicle V1 was seen at 2026-03-06T20:15:00Z (of this alert) and at "
        "2026-03-06T20:15:30Z (of this alert), at least 13.9 km apart: at least 1253 km/h. "
        "That often means a misread plate or a cloned one, or a reader whose clock or position is wrong: "
        "compare the images."
    )


def test_a_neighbours_sighting_is_said_not_to_be_of_this_alert() -> None:
    found = find_two_places([fix(30, lon=-111.75), fix(0, is_ours=False, alert_number=7)])
    assert found is not None
    assert "20:15:00Z (not of this alert but of alert 7) and at 2026-03-06T20:15:30Z (of this" in found.words
    found = find_two_places([fix(30, lon=-111.75, is_ours=False), fix(0)])
    assert found is not None
    assert "20:15:30Z (not of this alert: it raised none), at least" in found.words


def test_two_neighbours_of_the_alert_are_none_of_its_business() -> None:
    elsewhere = fix(30, lon=-111.75, is_ours=False)
    assert find_two_places([fix(0, is_ours=False), elsewhere, fix(4_000, lon=-111.75)]) is None


def test_a_plausible_drive_is_nothing() -> None:
    assert find_two_places([fix(0), fix(600, lon=-111.75)]) is None
    assert find_two_places([]) is None
    assert find_two_places([fix(0)]) is None


def test_two_identities_may_be_in_two_places() -> None:
    """The respondent's car and device apart mean that somebody else drives: no wonder of speed."""
    assert find_two_places([fix(0), fix(1, lon=-111.0, name="device D9")]) is None


def test_poor_positions_are_granted_their_circles() -> None:
    near, far = fix(0, radius_m=8_000), fix(1, lon=-111.75, radius_m=8_000)
    assert find_two_places([near, far]) is None


def test_clocks_are_granted_some_seconds() -> None:
    """At the same instant 600 m apart: two readers' clocks may differ by that."""
    assert find_two_places([fix(0), fix(0, lat=33.4054)]) is None
    assert find_two_places([fix(0), fix(0, lat=33.41)]) is not None


def test_the_worst_pair_is_the_one_shown() -> None:
    found = find_two_places([fix(0), fix(30, lon=-111.75), fix(90, lon=-111.0), fix(4_000, lon=-111.0)])
    assert found is not None
    assert (found.first.lon, found.second.lon) == (-111.75, -111.0)


positions = st.builds(
    fix,
    st.floats(0, 3_600),
    st.floats(-180, 180),
    st.floats(-85, 85),
    name=st.sampled_from(["vehicle V1", "device D9"]),
    radius_m=st.floats(0, 50_000),
    is_ours=st.booleans(),
)


@given(st.lists(positions, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_found_where_neighbours_need_more_than_the_fastest(fixes: list[Fix], random: object) -> None:
    """Against GeographicLib, neighbours told apart by counting what lies between."""
    needed = [
        max(0.0, Geodesic.WGS84.Inverse(a.lat, a.lon, b.lat, b.lon)["s12"] - a.radius_m - b.radius_m)
        / ((b.observed_at - a.observed_at).total_seconds() + CLOCK_SLACK_S)
        for a in fixes
        for b in fixes
        if a.identity == b.identity
        and (a.is_ours or b.is_ours)
        and a.observed_at < b.observed_at
        and not any(c.identity == a.identity and a.observed_at < c.observed_at < b.observed_at for c in fixes)
    ]
    if len({f.observed_at for f in fixes}) < len(fixes) or any(abs(n - FASTEST_M_S) < 1e-6 for n in needed):
        return
    shuffled = list(fixes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = find_two_places(shuffled)
    assert found == find_two_places(fixes)
    if max(needed, default=0.0) <= FASTEST_M_S:
        assert found is None
    else:
        assert found is not None
        assert abs(found.least_speed_m_s - max(needed)) < 1e-6 * max(needed)
