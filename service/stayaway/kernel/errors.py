"""Errors that speak to a person: what is wrong, where, and what to do about it."""

from collections.abc import Sequence


class StayawayError(Exception):
    """Base of every error this software raises on purpose.

    `message` names the field and the value's place, never a plate, a name or an address.
    `remedy` says what the reader can do.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """The message, then the remedy: two sentences."""
        if not self.remedy:
            return self.message
        return f"{self.message}{'' if self.message.endswith('.') else '.'} {self.remedy}"


class SettingsError(StayawayError):
    """A setting is missing or cannot be used; nothing was started."""


class UnreachableError(StayawayError):
    """A server did not answer within the limit."""


class NotFoundError(StayawayError):
    """No such alert, order or record for this reader."""


class ConflictError(StayawayError):
    """Somebody else was first, or the state does not allow the act."""


class StaleError(ConflictError):
    """What was to be changed has changed since it was looked at: a lost update was prevented."""


class NoTagError(StaleError):
    """What was sent in place of a tag names no state that anybody can have looked at."""


class NotAllowedError(StayawayError):
    """This person, or anyone under this policy, may not do that."""


class LooklessError(StayawayError):
    """The act does not say which state it was decided on."""


class RefusedError(StayawayError):
    """The act lacks something, or something in it does not hold; nothing was recorded.

    `problems`: (path into what was sent, what is wrong and what to do) pairs.
    """

    def __init__(
        self,
        problems: Sequence[tuple[tuple[str | int, ...], str]],
        remedy: str = "Correct it and send again.",
    ) -> None:
        super().__init__(" ".join(text for _, text in problems), remedy)
        self.problems = tuple(problems)
