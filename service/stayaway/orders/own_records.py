"""Records that only this registry makes, never an orders file: emergency entry, confirmation, validation.

They are kept beside the file's records and in their form, so that they have two times as those have.
"""

from typing import Annotated

from pydantic import Field

from stayaway.kernel.forms import Identifier, Instant, Text
from stayaway.orders.fields import OrdersForm
from stayaway.orders.model import Confirmation, Provisional, Validation
from stayaway.orders.wire import MAX_VERSION

VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class ProvisionalForm(OrdersForm):
    """One person put the version in force alone, until `until_at`."""

    order_id: Identifier
    recorded_at: Instant
    version: VersionNumber
    until_at: Instant

    def to_record(self) -> Provisional:
        """As the rules take it."""
        return Provisional(
            order_id=self.order_id,
            recorded_at=self.recorded_at,
            version=self.version,
            until_at=self.until_at,
        )


class ConfirmationForm(OrdersForm):
    """Another person confirmed the version."""

    order_id: Identifier
    recorded_at: Instant
    version: VersionNumber

    def to_record(self) -> Confirmation:
        """As the rules take it."""
        return Confirmation(order_id=self.order_id, recorded_at=self.recorded_at, version=self.version)


class ValidationForm(OrdersForm):
    """The entry was compared with `source_text`, such as the court's docket, at `validated_at`."""

    order_id: Identifier
    recorded_at: Instant
    validated_at: Instant
    source_text: Text

    def to_record(self) -> Validation:
        """As `orders due` takes it."""
        return Validation(
            order_id=self.order_id,
            recorded_at=self.recorded_at,
            validated_at=self.validated_at,
            source_text=self.source_text,
        )


OWN_FORMS: dict[str, type[ProvisionalForm | ConfirmationForm | ValidationForm]] = {
    "PROVISIONAL": ProvisionalForm,
    "CONFIRMATION": ConfirmationForm,
    "VALIDATION": ValidationForm,
}
