"""Trying again while a server is away, with a limit."""

import asyncio

from stayaway.kernel.errors import UnreachableError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0


class Patience:
    """Pauses that grow, up to a limit in seconds since the first failure."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._since: float | None = None
        self._pause_s = _FIRST_PAUSE_S

    async def pause(self, error: BaseException) -> None:
        """Wait before another try. Raises UnreachableError once the limit is over."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        if now - self._since > self._wait_s:
            raise UnreachableError(
                f"A server did not answer as it should for {self._wait_s:.0f} s ({type(error).__name__}).",
                "Nothing was skipped: the next start goes on at the same offsets.",
            ) from error
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
