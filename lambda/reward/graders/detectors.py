"""Finds personal data by its form. Checksums decide where there are any, so that ordinary numbers are left alone.

What has no form of its own, a name or a place, can only be found if the record lists it.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator

Detector = Callable[[str], Iterator[str]]

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}(?:[ ]?@[ ]?|%40|[ ]?[(\[{][ ]?(?:at|@)[ ]?[)\]}][ ]?)[\w-]{1,63}"
    r"(?:(?:\.|[ ]?[(\[{][ ]?(?:dot|\.)[ ]?[)\]}][ ]?)[\w-]{2,63}){1,5}",
    re.IGNORECASE,
)
# By length; a phone number is told from other numbers by its plus, its leading zero or its 3-3-4 grouping.
_PHONE = re.compile(
    r"(?<![\w.,$\u20ac\u00a3#/-])(?:"
    r"(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,14}"
    r"|(?:1[ .-])?(?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[ .-]\d{4}"
    r"|\(?0[1-9](?:[ ()/-]{0,2}\d){7,10}"
    r")(?![\w]|[.,]\d)"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_CARD = re.compile(r"(?<![\w.-])(?:(?:\d[ -]?){12,18}\d|\d{4}(?:\.\d{4}){3})(?![\w-])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\w.]){_OCTET}(?:(?:\.|\[\.\]){_OCTET}){{3}}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?![\w:])")
_MONTHS = (
    r"(?:jan|ene|feb|f\u00e9v|mar|m\u00e4r|apr|avr|abr|may|mai|jun|jui|jul|aug|ao\u00fb|ago|sep|oct|okt|nov|dec|d\u00e9c|dez|dic)"
    r"[a-z\u00e9\u00fb]{0,7}\.?"
)
_DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?[ ](?:(?:of|de)[ ])?{_MONTHS},?(?:[ ]de)?[ ]\d{{4}}|{_MONTHS}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]\d{{4}})"
)
_BIRTH_DATE = re.compile(
    rf"(?:\bborn\b|\bbirth|\bd\.?o\.?b\b|\bgeb(?:\.|oren|urtsdatum)|\bn\u00e9e?\b|\bnacid[oa]\b|\bnaissance\b)[^\n\d]{{0,30}}({_DATE})",
    re.IGNORECASE,
)

_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
        26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""Length by country, from the registry of ISO 13616."""


_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")


def levelled(text: str) -> str:
    """`text` with every dash a hyphen and the digits of every script plain ones, as detectors expect it."""
    return text if text.isascii() else _DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), text.translate(_DASHES))


_DIGIT = re.compile(r"[^\D0-9]")


def _plain(pattern: re.Pattern[str]) -> Detector:
    return lambda text: (found[0] for found in pattern.finditer(text))


def _ibans(text: str) -> Iterator[str]:
    for found in _IBAN.finditer(text):
        compact = re.sub(r"[ -]", "", found[0]).upper()
        number = compact[: _IBAN_LENGTHS.get(compact[:2], 0)]
        if len(number) > 4 and int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1:
            yield number


def _cards(text: str) -> Iterator[str]:
    for found in _CARD.finditer(text):
        digits = [int(sign) for sign in found[0] if sign.isdigit()]
        doubled = [digit if index % 2 == 0 else digit * 2 - 9 * (digit > 4) for index, digit in enumerate(reversed(digits))]
        # Issuers' numbers begin with 2 to 6.
        if 2 <= digits[0] <= 6 and sum(doubled) % 10 == 0:
            yield found[0]


def _ipv6(text: str) -> Iterator[str]:
    for found in _IPV6.finditer(text):
        if found[0].count(":") < 2 or not any(sign.isdigit() for sign in found[0]):
            continue
        try:
            ipaddress.IPv6Address(found[0])
        except ValueError:
            continue
        yield found[0]


DETECTORS: dict[str, Detector] = {
    "email": _plain(_EMAIL),
    "phone": _plain(_PHONE),
    "iban": _ibans,
    "credit_card": _cards,
    "us_ssn": _plain(_SSN),
    "ipv4": _plain(_IPV4),
    "ipv6": _ipv6,
    "birth_date": lambda text: (found[1] for found in _BIRTH_DATE.finditer(text)),
}
