"""What `stayaway orders check` prints: plain functions, without a terminal."""

from stayaway.orders.findings import Finding, UnreadableFileError
from stayaway.orders.parse import parse_orders_file

EXIT_GOOD, EXIT_ERRORS, EXIT_UNREADABLE = 0, 1, 2


def check_lines(data: bytes) -> tuple[list[str], int]:
    """A line of JSON for each finding, and the exit code: 0, 1 with errors, 2 unreadable."""
    try:
        parsed = parse_orders_file(data)
    except UnreadableFileError as error:
        return [unreadable_finding(error).as_line()], EXIT_UNREADABLE
    return [finding.as_line() for finding in parsed.findings], EXIT_ERRORS if parsed.has_errors else EXIT_GOOD


def unreadable_finding(error: UnreadableFileError) -> Finding:
    """A file that cannot be read at all, as the one finding there is about it."""
    return Finding("ERROR", None, "", error.message, error.remedy)
