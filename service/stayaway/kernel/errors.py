"""Errors that speak to a person: what is wrong, where, and what to do about it."""


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
        """The message, then the remedy."""
        return f"{self.message} {self.remedy}".strip()


class SettingsError(StayawayError):
    """A setting is missing or cannot be used; nothing was started."""


class UnreachableError(StayawayError):
    """A server did not answer within the limit."""


class NotFoundError(StayawayError):
    """No such alert, order or record for this reader."""


class ConflictError(StayawayError):
    """Somebody else was first, or the state does not allow the act."""
