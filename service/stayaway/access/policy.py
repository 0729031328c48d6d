"""The jurisdiction's policy: what counts as notice, which matches may alert, how far and how late.

Every field is required and has no default: no policy file, no matching (WIRE.md, "Policy file").
"""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stayaway.access.policy_text import read_policy_text
from stayaway.kernel.jsontext import canonical_json

AccuracySource = Literal["CAMERA", "VEHICLE", "GNSS", "WIFI", "CELL"]
NoticeKind = Literal["PERSONAL", "IN_COURT", "OFFICER_VERBAL", "MAIL", "SUBSTITUTE", "PUBLICATION"]
MatchKind = Literal["DEVICE", "EXACT", "REGION_UNKNOWN", "OCR_EQUIVALENT", "ONE_DIFFERENT", "REGION_DIFFERS"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Metres = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class DefaultAccuracy(BaseModel):
    """Radius of the 95 % circle in metres, per source, where an event gives none."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    CAMERA: Metres
    VEHICLE: Metres
    GNSS: Metres
    WIFI: Metres
    CELL: Metres


class Policy(BaseModel):
    """policy.v1. Seconds and metres as the suffixes say; shares are 0-1."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    schema_: Literal["policy.v1"] = Field(alias="schema")
    policy_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
    notice_kinds: list[NoticeKind]
    match_kinds: list[MatchKind]
    second_look_kinds: list[MatchKind]
    min_region_confidence: Share
    loose_min_length: Annotated[int, Field(ge=1, le=10)]
    default_accuracy_m: DefaultAccuracy
    accuracy_cap_m: Metres
    min_inside_probability: Share
    episode_gap_s: Seconds
    live_limit_s: Seconds
    max_age_s: Seconds
    max_future_s: Seconds

    @property
    def canonical(self) -> bytes:
        """The policy's one byte form; `parse_policy` reads it."""
        return canonical_json(self.model_dump(by_alias=True))

    @property
    def sha256(self) -> str:
        """Digest of the canonical policy; decisions name it."""
        return hashlib.sha256(self.canonical).hexdigest()

    def seconds_us(self, name: Literal["episode_gap_s", "live_limit_s", "max_age_s", "max_future_s"]) -> int:
        """A limit in whole microseconds."""
        return round(float(getattr(self, name)) * 1_000_000)


def parse_policy(data: bytes) -> Policy:
    """The policy in `data`. Raises SettingsError that names each bad field and the remedy."""
    return read_policy_text(Policy, data, file="policy file", schema="policy.v1")
