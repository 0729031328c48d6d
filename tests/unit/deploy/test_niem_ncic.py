"""The mapping page names every field and every code of the orders file, and no other."""

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from stayaway.kernel.forms import Form
from stayaway.orders.wire import OrdersFileForm

PAGE = Path(__file__).parents[3] / "deploy" / "niem-ncic.md"
WINDOWS = "schedule[]`, `windows[]"


def sections() -> dict[str, list[list[str]]]:
    """Heading → the cells of its table's rows, the header left out."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            found.setdefault(heading, []).append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def firsts(heading: str) -> list[str]:
    return [row[0].strip("`") for row in sections().get(heading, [])]


def inner(annotation: Any) -> Iterator[Any]:
    """The types within an annotation: of Annotated, unions and lists."""
    if get_origin(annotation) in (typing.Union, types.UnionType, list, typing.Annotated):
        for part in get_args(annotation):
            yield from inner(part)
    else:
        yield annotation


def forms(form: type[Form], path: str) -> Iterator[tuple[str, type[Form]]]:
    yield path, form
    for name, field in form.model_fields.items():
        here = f"{path}.{name}" if path else name
        for part in inner(field.annotation):
            if isinstance(part, type) and issubclass(part, Form):
                many = (
                    "[]" if get_origin(field.annotation) is list or "list[" in str(field.annotation) else ""
                )
                yield from forms(part, here + many)


def codes(form: type[Form], path: str) -> Iterator[tuple[str, list[str]]]:
    for name, field in form.model_fields.items():
        for part in inner(field.annotation):
            values = [value for value in get_args(part) if isinstance(value, str)]
            if get_origin(part) is Literal and len(values) > 1:
                many = "[]" if "list[" in str(field.annotation) else ""
                yield f"{path}.{name}{many}", values


ALL = [(path, form) for path, form in forms(OrdersFileForm, "") if path]


def heading_of(path: str) -> str:
    return f"`{WINDOWS}`" if path.endswith(("schedule[]", "windows[]")) else f"`{path}`"


def test_every_form_of_the_file_is_walked() -> None:
    paths = {path for path, _ in ALL}
    assert {"orders[]", "orders[].court", "orders[].respondents[].vehicles[]", "suspensions[]"} <= paths
    assert len(paths) == 14


def test_every_field_has_a_row_and_every_row_a_field() -> None:
    for path, form in ALL:
        assert sorted(firsts(heading_of(path))) == sorted(form.model_fields), path


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    listed = [(path, values) for owner, form in ALL for path, values in codes(form, owner)]
    assert len(listed) == 10
    for path, values in listed:
        assert sorted(firsts(f"`{path}` codes")) == sorted(values), path


def test_no_section_is_left_over_and_every_row_is_filled_in() -> None:
    known = {heading_of(path) for path, _ in ALL}
    known |= {f"`{path}` codes" for owner, form in ALL for path, _ in codes(form, owner)}
    assert set(sections()) == known
    for heading, rows in sections().items():
        for row in rows:
            assert len(row) == 4, (heading, row)
            assert all(row[:3]), (heading, row)


def test_the_conditions_are_ncics_own_codes() -> None:
    for row in sections()["`orders[].conditions[]` codes"]:
        assert row[2] == f"PCO {row[0].strip('`')}"
