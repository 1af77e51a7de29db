"""Numbers as people write them in tables, as the decimal strings of the field `amount`."""

import re
from collections.abc import Iterable
from decimal import Decimal

DIGITS_MAX = 60  # of an amount; more is no amount

_BLANKS = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d+)*|[.,]\d+)(?:[eE][-+]?\d{1,2})?")
_COMMA_DECIMAL = re.compile(r"[-+]?\d*(?:\.\d{3})*,(?:\d{1,2}|\d{4,})|[-+]?\d{1,3}(?:\.\d{3})+,\d+")
_POINT_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+")
_COMMA_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None or _NUMBER.fullmatch(_BLANKS.sub("", text)) is not None


def uses_decimal_comma(values: Iterable[str], separator: str) -> bool:
    """Whether the numbers of a column have a decimal comma.

    `1,5` has one for certain; `1,234` only where it cannot be a thousand: in a file separated by semicolons.
    """
    sure = unsure = False
    for value in values:
        if "," in value:
            sure = sure or _COMMA_DECIMAL.fullmatch(value) is not None
            unsure = True
            if "." in value and value.rindex(".") > value.rindex(","):
                return False
    return sure or (unsure and separator == ";")


def thousands_with_points(values: Iterable[str]) -> bool:
    """Whether all numbers with a point could have it before thousands (`1.200`)."""
    return all(_POINT_THOUSANDS.fullmatch(value) for value in values if "." in value)


def decimal_text(text: str, decimal_comma: bool) -> str | None:
    """The number as a plain decimal string (no exponent, no separators, no zeros that say nothing); None if it is none."""
    if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX:
        return text.lstrip("0") or "0"
    text = _BLANKS.sub("", text)
    if not _NUMBER.fullmatch(text) or len(text) > DIGITS_MAX:
        return None
    if decimal_comma:
        if "," in text or _POINT_THOUSANDS.fullmatch(text):
            text = text.replace(".", "").replace(",", ".")
    elif _COMMA_THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    else:
        text = text.replace(",", ".")
    if text.count(".") > 1:
        if not _POINT_THOUSANDS.fullmatch(text):
            return None
        text = text.replace(".", "")
    plain = format(Decimal(text), "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "", "-") else plain
