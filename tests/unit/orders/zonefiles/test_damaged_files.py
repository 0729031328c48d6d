"""Files that were damaged anywhere end in a report or a refusal in words, never in anything else."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stayaway.orders.zonefiles.report import report_json
from support.zone_files import (
    HUNDRED_YARDS,
    bowtie,
    geojson,
    kml,
    kml_polygon,
    polygon,
    read_or_refusal,
    square,
    zipped,
)

_KML = kml(
    kml_polygon(square(), "x") + "<Placemark><Point><coordinates>1,2,3</coordinates></Point></Placemark>"
)
SEEDS = (
    geojson(
        polygon(square(), square(side=0.002)),
        {"type": "MultiPolygon", "coordinates": [[square()], [bowtie()]]},
        {"type": "Point", "coordinates": [0, 1]},
        names=["a", "b"],
        crs={"type": "name", "properties": {"name": "EPSG:4326"}},
    ),
    geojson(polygon(square(179.995, 10)), {"type": "GeometryCollection", "geometries": [polygon(square())]}),
    _KML,
    zipped({"doc.kml": _KML}),
    b'name,lon,lat,distance_value,distance_unit\nA,-111.9,33.4,100,YD\n"B, c",-111.9,33.4,100,M\n',
)
_WORDS = rb"""[ ] { , - 1e400 1e308 NaN null 180 90 "type" < &x; 359.9 "\ud800" true " </coordinates>"""
TOKENS = st.sampled_from([*_WORDS.split(), b"\x00", b"\x1d", b"\xff", b"\xef\xbb\xbf"])
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), TOKENS | st.binary(max_size=3)), min_size=1, max_size=6
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(seed=st.sampled_from(SEEDS), changes=CHANGES)
def test_a_damaged_file_is_read_or_refused_in_words(
    seed: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    """And what is read makes a report that is JSON, with an area or a finding for every zone."""
    data = bytearray(seed)
    for where, cut, token in changes:
        at = int(where * len(data))
        data[at : at + cut] = token
    found = read_or_refusal(bytes(data), distance=HUNDRED_YARDS, accepted_repairs=frozenset({1, 2}))
    if isinstance(found, str):
        assert found != "no remedy"
        return
    json.dumps(report_json(found), allow_nan=False).encode()
    noted = {finding.candidate for finding in found.findings if finding.severity != "INFO"}
    for candidate in found.candidates:
        assert candidate.is_usable or candidate.number in noted or None in noted
