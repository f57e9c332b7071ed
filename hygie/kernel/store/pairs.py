"""Read the parameters of a query string, a form, criteria or the address of a Bundle entry."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hygie.kernel.errors import InvalidRequest

MOST_FIELDS = 2_000


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Return the parameters by name and value, in order.

    >>> read_pairs("family=le%20goff&_count=")
    [('family', 'le goff'), ('_count', '')]

    Raises:
        InvalidRequest: it cannot be decoded, or holds too many.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise InvalidRequest(
            f"The parameters cannot be decoded: send UTF-8, and at most {MOST_FIELDS} of them."
        ) from error
