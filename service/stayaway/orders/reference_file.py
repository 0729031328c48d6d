"""Files of the installation that orders are compared with: read strictly, or named with what is wrong."""

from collections.abc import Callable
from typing import TypeVar

from stayaway.kernel.errors import SettingsError
from stayaway.kernel.jsontext import Encoded, NotJsonError, parse_json
from stayaway.orders.fields import OrdersForm
from stayaway.orders.findings import FindingList
from stayaway.orders.formcheck import note_repeated_names, read_form

_Form = TypeVar("_Form", bound=OrdersForm)
_T = TypeVar("_T")


def read_reference_file(
    form: type[_Form], data: bytes, convert: Callable[[_Form, FindingList], _T], *, what: str, schema: str
) -> _T:
    """What `convert` makes of `data` as the form; it may note more that is wrong.

    `what`: what a person calls the file; `schema`: the form's name. Raises SettingsError that names the first
    bad field and how many more there are: such a file is used whole or not at all.
    """
    findings = FindingList(None)
    try:
        body = parse_json(data)
        note_repeated_names(data, Encoded.of(body), findings, within=0)
    except NotJsonError as error:
        raise SettingsError(
            f"The {what} is {error}.", "Send one JSON object in UTF-8, without a byte order mark."
        ) from error
    if not isinstance(body, dict):
        raise SettingsError(f"The {what} is no JSON object.", f'Send one object with "schema": "{schema}".')
    read = read_form(form, body, findings)
    made = None if read is None else convert(read, findings)
    errors = [item for item in findings.findings if item.severity == "ERROR"]
    if made is None or errors:
        first, more = errors[0], f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise SettingsError(f"The {what} cannot be used: {first.pointer or '/'}{more}.", first.remedy)
    return made
