"""The words of an alert, the same in every channel (DOMAIN.md, "Words of an alert").

An alert is a lead that nobody has checked: the words say so first, and name nobody as guilty.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from stayaway.matching.model import Caution, Description, MatchKind, RegionMatch, ZoneRelation
from stayaway.orders.model import ExceptionKind, LinkBasis, OrderKind, PlaceType

Standing = Literal["LIVE", "HISTORICAL", "ORDER_SINCE_ENDED"]
State = Literal["OPEN", "CLAIMED", "CONFIRMED", "DISMISSED", "MERGED", "WITHDRAWN"]
Disposition = Literal[
    "VERIFIED_LEAD",
    "MISREAD",
    "WRONG_REGION",
    "WRONG_VEHICLE",
    "NOT_RESPONDENT",
    "EXCEPTION_APPLIES",
    "ORDER_NOT_NOTICED",
    "ORDER_STALE",
    "POSITION_ERROR",
    "DUPLICATE",
    "INCONCLUSIVE",
]

ADDRESS_WITHHELD_WORDS: Final = "The respondent was not told this address: do not voice it."
EXPLAINED_WORDS: Final = (
    "An unverified lead: a vehicle associated with, or a device assigned to, a respondent; driver unknown."
)
NOT_VERIFIED_WORDS: Final = "Nobody has signed in here: acts are recorded under the name given, not verified."


@dataclass(frozen=True, slots=True)
class Label:
    """One code in words. `symbol` is a shape of its own, so that colour never stands alone."""

    symbol: str
    text: str
    meaning: str


STANDINGS: Final[dict[Standing, Label]] = {
    "LIVE": Label("●", "Live", "Read within the policy's live limit."),
    "HISTORICAL": Label(
        "◷", "Historical", "Arrived late: older than the policy's live limit. It tells what was, not what is."
    ),
    "ORDER_SINCE_ENDED": Label(
        "■", "Order since ended", "In force when this was read; the order has ended since. Not live."
    ),
}
STATES: Final[dict[State, Label]] = {
    "OPEN": Label("○", "Open", "Waiting for a person."),
    "CLAIMED": Label("◐", "Claimed", "Somebody is looking at it; claiming is not confirming."),
    "CONFIRMED": Label("✔", "Verified lead", "A person checked it and confirmed it as a lead, nothing more."),
    "DISMISSED": Label("✕", "Dismissed", "A person closed it with a reason."),
    "MERGED": Label("⇥", "Merged", "A late sighting joined it to another alert of the same visit."),
    "WITHDRAWN": Label("↶", "Withdrawn", "The order turned out not to have been in force. Do not act on it."),
}
MATCH_KINDS: Final[dict[MatchKind, Label]] = {
    "DEVICE": Label("✓", "Device", "The device assigned to the respondent reported this position."),
    "EXACT": Label("✓", "Exact plate", "Characters and region are equal."),
    "REGION_UNKNOWN": Label(
        "≈", "Region unknown", "Characters are equal, one region is unknown: others may have issued it too."
    ),
    "OCR_EQUIVALENT": Label("≈", "Approximate", "Differs only in characters that cameras confuse."),
    "ONE_DIFFERENT": Label("≈", "Approximate", "One character differs."),
    "REGION_DIFFERS": Label("≠", "Another region", "Never an alert."),
}
RELATIONS: Final[dict[ZoneRelation, Label]] = {
    "INSIDE": Label("◉", "Inside", "The whole accuracy circle lies in the zone."),
    "INSIDE_WITHIN_ERROR": Label(
        "◎", "Inside within error", "A part of the accuracy circle lies in the zone."
    ),
    "WARNING": Label("◌", "Warning ring", "Outside the zone, in the ring that this order watches too."),
}
DESCRIPTIONS: Final[dict[Description, Label]] = {
    "AGREES": Label("=", "Agrees", "What the camera saw of make, model and colour agrees with the order."),
    "CONFLICTS": Label("≠", "Conflicts", "The camera saw another make, model or colour than the order has."),
    "UNKNOWN": Label("?", "Unknown", "Nothing to compare: one side has no make, model or colour."),
}
REGION_MATCHES: Final[dict[RegionMatch, Label]] = {
    "MATCH": Label("=", "Equal", "Both regions are known and equal."),
    "DIFFERS": Label("≠", "Differs", "The regions differ."),
    "UNKNOWN": Label("?", "Unknown", "One region is missing or too uncertain."),
}
CAUTIONS: Final[dict[Caution, str]] = {
    "EXCEPTION_POSSIBLE": "The order allows a time and place that may cover this: check it first.",
    "HISTORICAL": STANDINGS["HISTORICAL"].meaning,
    "ORDER_SINCE_ENDED": STANDINGS["ORDER_SINCE_ENDED"].meaning,
}
PLACES: Final[dict[PlaceType, str]] = {
    "HOME": "home",
    "WORK": "workplace",
    "SCHOOL": "school",
    "CHILDCARE": "childcare",
    "WORSHIP": "place of worship",
    "OTHER": "place",
}
LINKS: Final[dict[LinkBasis, str]] = {
    "REGISTERED": "registered to the respondent",
    "CO_REGISTERED": "registered to the respondent and to somebody else",
    "KNOWN_DRIVER": "registered to somebody else; the respondent is known to drive it",
}
ORDER_KINDS: Final[dict[OrderKind, str]] = {
    "EMERGENCY": "Emergency order",
    "EX_PARTE_TEMPORARY": "Temporary ex parte order",
    "FINAL": "Final order",
    "CRIMINAL_NO_CONTACT": "Criminal no-contact order",
}
EXCEPTIONS: Final[dict[ExceptionKind, str]] = {
    "CHILD_EXCHANGE": "child exchange",
    "COURT_APPEARANCE": "court appearance",
    "WORK": "work",
    "RESIDENCE_RETRIEVAL": "fetching belongings",
    "TRANSIT_CORRIDOR": "transit corridor",
    "OTHER": "other exception",
}
DISMISSALS: Final[dict[Disposition, str]] = {
    "MISREAD": "The camera misread the plate",
    "WRONG_REGION": "The plate is of another state or region",
    "WRONG_VEHICLE": "Another vehicle than the order's",
    "NOT_RESPONDENT": "The respondent was not the one there",
    "EXCEPTION_APPLIES": "The order allows it at this time and place",
    "ORDER_NOT_NOTICED": "The respondent was not told of this order",
    "ORDER_STALE": "The order was not in force or is out of date",
    "POSITION_ERROR": "The position is wrong",
    "DUPLICATE": "The same visit as another alert",
    "INCONCLUSIVE": "Cannot be told from what there is",
}
"""The closed list of reasons to dismiss with; confirming always records VERIFIED_LEAD."""


def standing_of(cautions: Iterable[str]) -> Standing:
    """Which list an alert is on. An ended order comes first: such an alert is never live."""
    held = frozenset(cautions)
    if "ORDER_SINCE_ENDED" in held:
        return "ORDER_SINCE_ENDED"
    return "HISTORICAL" if "HISTORICAL" in held else "LIVE"


def age_words(age_s: float) -> str:
    """How long ago, as a person says it: minutes up to two hours, then hours, then days."""
    minutes = int(max(age_s, 0.0) // 60)
    if minutes < 1:
        return "less than 1 min ago"
    if minutes <= 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours <= 48 else f"{hours // 24} days ago"


@dataclass(frozen=True, slots=True)
class LeadWords:
    """The fixed words: `heading` and `sentences` in order; `text` is all of it. `age`: what of it moves."""

    age: str
    sentences: tuple[str, ...]

    @property
    def heading(self) -> str:
        """What it is, and how old."""
        return f"UNVERIFIED LEAD, read {self.age}."

    @property
    def text(self) -> str:
        """As one paragraph."""
        return " ".join((self.heading, *self.sentences))


def lead_words(
    *,
    age_s: float,
    has_plate: bool,
    has_device: bool,
    agency_ori: str,
    telephone: str,
    address_withheld: bool,
) -> LeadWords:
    """DOMAIN.md's words for one alert. `age_s`: seconds since its latest read."""
    if has_plate and has_device:
        subject = "Vehicle associated with and device assigned to a respondent"
    else:
        subject = "Device assigned to a respondent" if has_device else "Vehicle associated with a respondent"
    check = (
        "Check plate, region and vehicle against the image"
        if has_plate
        else ("No plate was read: check the device's position and whom it is assigned to")
    )
    sentences = [
        f"{subject}; driver unknown; a protected person or child may be inside.",
        "Alone no ground for a stop.",
        f"{check}; confirm the order with {agency_ori}, {telephone}.",
    ]
    if address_withheld:
        sentences.append(ADDRESS_WITHHELD_WORDS)
    return LeadWords(age_words(age_s), tuple(sentences))


def relation_words(relation: ZoneRelation, probability: float | None) -> str:
    """`Inside within error, probability 0.734`."""
    text = RELATIONS[relation].text
    return text if probability is None else f"{text}, probability {probability:.3f}"
