"""CSV of points with distances: named columns, no guess about units, every bad cell told."""

import codecs

import pytest

from stayaway.orders.zonefiles.limits import MAX_FEATURES
from stayaway.orders.zonefiles.model import Distance
from support.zone_files import read, refusal, remedies

HEAD = "name,lon,lat,distance_value,distance_unit\n"


def _read(*rows: str) -> list[str]:
    return remedies(read((HEAD + "\n".join(rows)).encode()))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "A,-111.9,33.4,100,YD\n",
        "NAME;Longitude;LATITUDE;Distance_Value;DISTANCE_UNIT\r\nA;-111.9;33.4;100;yards\r\n",
        'distance_unit\tname\tlat\tlon\tdistance_value\tnotes\nyd\tA\t33.4\t-111.9\t100.0\t"x, y"\n\n',
        codecs.BOM_UTF8.decode() + HEAD + "A,-111.9,33.4,100,Yard\n",
    ],
)
def test_columns_go_by_name_in_any_order_and_separator(text: str) -> None:
    """Other columns and empty rows are passed over."""
    (candidate,) = read(text.encode(), file_name="a.csv").usable
    assert candidate.name == "A"
    assert candidate.distance == Distance(100, "YD")
    assert candidate.geometry == {"type": "Point", "coordinates": [-111.9, 33.4]}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('A,"-111,9",33.4,100,YD', "decimal point instead of the comma"),
        ("A,111°54'W,33.4,100,YD", "Degrees, minutes"),
        ("A,,33.4,100,YD", "Give decimal degrees"),
        ("A,nan,33.4,100,YD", "Give decimal degrees"),
        ("A,33.4,-111.9,100,YD", "swapped"),
        ("A,-111.9,90.0002,100,YD", "just over the pole"),
        ("A,697000,890000,100,YD", "projected metres or feet"),
        ("A,-111.9,33.4,,", "needs the distance"),
        ("A,-111.9,33.4,100,", "none is assumed"),
        ("A,-111.9,33.4,100,MI", "none is assumed"),
        ("A,-111.9,33.4,,YD", "number over 0"),
        ("A,-111.9,33.4,-5,YD", "number over 0"),
        ("A,-111.9,33.4,100 yards,YD", "number over 0"),
        ("A,-111.9,33.4,0.00001,M", "from 0.1 m"),
        ("A,-111.9,33.4,999999999,M", "from 0.1 m"),
        ("A,-111.9,33.4,100,YD,more", "more values than there are columns"),
    ],
)
def test_each_bad_cell_is_told_and_the_next_row_is_read(row: str, words: str) -> None:
    """Everything is collected, not only the first."""
    report = read((HEAD + row + "\nB,-111.9,33.4,100,YD\n").encode())
    assert any(words in text for text in remedies(report)), remedies(report)
    assert [candidate.name for candidate in report.usable] == ["B"]


def test_null_island_is_a_warning() -> None:
    """0, 0 is what geocoders say when they found nothing."""
    report = read((HEAD + "A,0,0,100,YD\n").encode())
    assert any("Atlantic" in text for text in remedies(report, "WARNING"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"lon,lat,lon\n1,2,3\n", "one name"),
        (b"lon,longitude,lat\n1,2,3\n", "one column lon"),
        (b"-111.9,33.4,100,YD\n", "one column lon"),
        (b"name,lon,lat\nH\xf6m,1,2\n", "not UTF-8"),
        (b'name,lon,lat\n"A,1,2\n', "never ends"),
        (b'name,lon,lat\n"A"x,1,2\n', "never ends"),
        ((HEAD + "A,1,2,3,M\n").encode("utf-16"), "UTF-16"),
        ((HEAD + "A,1,2,3,M\n" * (MAX_FEATURES + 1)).encode(), "rows"),
        (("lon,lat" + ",x" * 300 + "\n").encode(), "columns"),
        (b"lon,lat\n" + b"9" * 200_000 + b",1\n", "never ends"),
    ],
)
def test_a_csv_without_its_columns_is_refused(data: bytes, words: str) -> None:
    """Each in its own words."""
    assert words in refusal(data)


def test_a_csv_without_rows_holds_nothing() -> None:
    """That is said; nothing is usable."""
    report = read(HEAD.encode())
    assert not report.candidates
    assert any("no row" in text for text in remedies(report, "WARNING"))
