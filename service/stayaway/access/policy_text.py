"""A policy's bytes as its form: read so that no field can be overlooked, or named with what is wrong."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from stayaway.kernel.errors import SettingsError
from stayaway.kernel.jsontext import NotJsonError, json_pointer
from stayaway.kernel.repeated import WRITE_ONCE, parse_telling_repeats

_Form = TypeVar("_Form", bound=BaseModel)


def read_policy_text(form: type[_Form], data: bytes, *, file: str, schema: str) -> _Form:
    """`data` as the form. `file`: what a person calls it; `schema`: the form's name.

    Raises SettingsError that names each bad field, and each name given more than once, and the remedy.
    """
    try:
        body, repeated = parse_telling_repeats(data)
        if repeated:
            pointers = ", ".join(item.pointer for item in repeated)
            raise SettingsError(
                f"The {file} cannot be used: it has more than once {pointers}.",
                f"{WRITE_ONCE} Which of them counts is not defined.",
            )
        return form.model_validate(body)
    except NotJsonError as error:
        raise SettingsError(f"The {file} is {error}.", f"Send one JSON object of schema {schema}.") from error
    except ValidationError as error:
        findings = "; ".join(
            f"{json_pointer(*item['loc']) or '/'}: {item['msg']}" for item in error.errors(include_url=False)
        )
        raise SettingsError(
            f"The {file} cannot be used: {findings}.",
            f"Every field of {schema} is required and has no default.",
        ) from error
