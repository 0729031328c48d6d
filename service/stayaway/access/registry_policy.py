"""The registry's policy: what one person may do alone, and when an entry must be validated.

Every field is required and has no default: what a jurisdiction has not decided is not done. Only
`feeds_may_change_approved_orders` may be left out, as it came later: then all is as it was without it.
"""

import hashlib
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stayaway.access.policy_text import read_policy_text
from stayaway.kernel.jsontext import canonical_json

OrderKind = Literal["EMERGENCY", "EX_PARTE_TEMPORARY", "FINAL", "CRIMINAL_NO_CONTACT"]
Days = Annotated[int, Field(ge=1, le=3_650)]


class RegistryPolicy(BaseModel):
    """registry_policy.v1. Hours and days as the suffixes say.

    `emergency_single_approval_hours`: how long one person alone may put an order in force (0: never),
    for the kinds in `emergency_kinds`. NCIC's validation: an entry must be validated within
    `validation_first_days` after it was made and within `validation_then_days` after each validation;
    it shows as due `validation_notice_days` before (NCIC: 90, 365 and 30, so due from day 60).
    `feeds_may_change_approved_orders`: whether an orders file may bring a version of an order that people
    approved here. False: it is refused; true or left out: it is recorded, with a warning. A file's recalls,
    suspensions and notices are recorded in any case.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    schema_: Literal["registry_policy.v1"] = Field(alias="schema")
    policy_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
    emergency_single_approval_hours: Annotated[int, Field(ge=0, le=720)]
    emergency_kinds: list[OrderKind]
    validation_first_days: Days
    validation_then_days: Days
    validation_notice_days: Annotated[int, Field(ge=0, le=3_650)]
    feeds_may_change_approved_orders: bool = True

    @property
    def sha256(self) -> str:
        """Digest of the canonical policy; approvals name it. What the file left out is not in it."""
        body = self.model_dump(by_alias=True, exclude_unset=True)
        return hashlib.sha256(canonical_json(body)).hexdigest()

    def emergency_period(self, kind: OrderKind) -> timedelta | None:
        """How long one person alone may put an order of this kind in force; None: not at all."""
        if self.emergency_single_approval_hours == 0 or kind not in self.emergency_kinds:
            return None
        return timedelta(hours=self.emergency_single_approval_hours)


def parse_registry_policy(data: bytes) -> RegistryPolicy:
    """The policy in `data`. Raises SettingsError that names each bad field and the remedy."""
    return read_policy_text(RegistryPolicy, data, file="registry policy file", schema="registry_policy.v1")
