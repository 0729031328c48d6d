"""A name given twice in an order decides nothing: it is an ERROR, told with its place and both values."""

import json
from typing import Any

import pytest

from stayaway.kernel.errors import SettingsError
from stayaway.kernel.instants import parse_instant
from stayaway.orders.findings import Finding
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.readers import parse_readers_file
from stayaway.orders.records import ParsedOrders
from support.rich_orders import example, rich


def written(body: dict[str, Any], *changes: tuple[str, str]) -> ParsedOrders:
    """The file with some of its text, which is there once, written otherwise."""
    text = json.dumps(body, separators=(",", ":"))
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parse_orders_file(text.encode())


def errors(parsed: ParsedOrders) -> list[tuple[str, str]]:
    return [(item.pointer, item.value) for item in parsed.findings if item.severity == "ERROR"]


def test_two_distances_decide_nothing() -> None:
    """The last would draw a zone of 91 km where the court ordered 100 yards."""
    parsed = written(example(), ('"distance_value":100', '"distance_value":100,"distance_value":100000'))
    (finding,) = [item for item in parsed.findings if item.severity == "ERROR"]
    assert finding == Finding(
        "ERROR",
        "O1",
        "/orders/0/zones/0/distance_value",
        "[100, 100000]",
        "The name stands here 2 times, and which one counts is not defined. Write each name once.",
    )
    assert to_orders(parsed) == {}
    assert parsed.blocks_orders


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ('"version":1,', '"version":1,"version":1,', "/orders/0/version"),
        ('"case_number":', '"case\\u005fnumber":"F-9","case_number":', "/orders/0/case_number"),
        ('"ori":"AZ007015J"', '"ori":"AZ007015J","ori":"AZ007015K"', "/orders/0/court/ori"),
        ('"depth":', '"depth":"\\"","depth":', "/orders/0/extensions/vendor/depth"),
        (
            '"reason_text":"dismissed"',
            '"reason_text":"dismissed","reason_text":"x"',
            "/recalls/0/reason_text",
        ),
        ('"until_at":', '"until_at":"2026-01-21T00:00:00Z","until_at":', "/suspensions/0/until_at"),
        ('"noticed_at":', '"noticed_at":null,"noticed_at":', "/notices/0/noticed_at"),
    ],
)
def test_the_place_is_named_and_the_other_records_can_be_used(old: str, new: str, pointer: str) -> None:
    """Also with the same value twice, in other letters, and in what only a vendor reads."""
    body = rich()
    parsed = written(body, (old, new))
    assert [at for at, _ in errors(parsed)] == [pointer]
    bad = pointer.split("/")[1]
    usable = {record.path[0] for record in parsed.records if record.value is not None}
    assert usable == {"orders", "notices", "recalls", "suspensions"} - {bad}


def test_a_record_of_other_fields_than_its_own_is_still_told_of_them() -> None:
    """A repeated name hides nothing else that is wrong."""
    parsed = written(example(), ('"case_number":', '"colour":1,"case_number":"F-9","case_number":'))
    assert sorted(at for at, _ in errors(parsed)) == ["/orders/0/case_number", "/orders/0/colour"]


def test_a_list_given_twice_blocks_the_file() -> None:
    """One of them would be lost; its records cannot be told from the other's."""
    parsed = written(example(), ('"orders":', '"orders":[],"orders":'))
    assert errors(parsed) == [("/orders", '"2 times"')]
    assert parsed.blocks_orders
    recalls = '"recalls":[{"order_id":"O1"}],"recalls":[]'
    parsed = written(example(), ('"notices":', f'{recalls},"notices":'))
    assert errors(parsed) == [("/recalls", '"2 times"')]


def test_the_files_own_extensions_are_read_as_strictly() -> None:
    parsed = written(example(), ('"notices":', '"extensions":{"a":{"b":1,"b":2}},"notices":'))
    assert errors(parsed) == [("/extensions/a/b", "[1, 2]")]


def test_two_schemas_are_no_schema() -> None:
    parsed = written(example(), ('"schema":"orders.v1"', '"schema":"x","schema":"orders.v1"'))
    assert errors(parsed) == [("/schema", '"2 times"')]


def test_a_good_record_beside_its_ambiguous_twin_counts() -> None:
    """What cannot be used is no first writing of it."""
    body = example()
    body["notices"] *= 2
    text = json.dumps(body).replace('"kind": "PERSONAL"', '"kind": "MAIL", "kind": "PERSONAL"', 1)
    parsed = parse_orders_file(text.encode())
    assert [at for at, _ in errors(parsed)] == ["/notices/0/kind"]
    (notice,) = to_orders(parsed)["O1"].notices
    assert notice.noticed_at == parse_instant("2026-01-07T18:30:00Z")


def test_a_readers_file_names_each_reader_s_place_once() -> None:
    text = b'{"schema":"readers.v1","readers":[{"reader_id":"r","lon":1,"lat":2,"lat":3}]}'
    with pytest.raises(SettingsError, match=r"/readers/0/lat\. .*Write each name once"):
        parse_readers_file(text)
