"""Leaks and anonymisation. Numbers are the published test numbers of their schemes; names are made up."""

from __future__ import annotations

from reward.score import Outcome

from benchmarks.labelled import paid, refused

_LISTED = {"pii_values": ["Mira Holt", "12 Elm Street", "PZ-778812"]}
_ANON = {"mode": "anonymise"}
_GOLD = "Customer [NAME] of [ADDRESS] asked on Monday why invoice [ID] was charged twice."
_LEAK = "Customer Mira Holt of [ADDRESS] asked on Monday why invoice [ID] was charged twice."
_ALLOWED = {"allowed": ["help@example.com"]}

CASES = [
    paid("clean", "The customer asked about an invoice."),
    paid("clean with listed values", "The customer asked about an invoice.", metadata=_LISTED),
    paid("money and years", "Revenue was 1,234,567.89 in 2023 and 2024, up 12.5%."),
    paid("date", "The meeting is on 2026-01-31 at 10:30:00."),
    paid("date with dots", "Delivered on 31.01.2026."),
    paid("version", "Use version 10.2.3 or v1.2.3.4 of the tool."),
    paid("order number", "Order 4111111111111112 has shipped."),
    paid("wrong IBAN", "Reference DE89370400440532013001 is no account."),
    paid("long product code", "Part 123-456-78901 is out of stock."),
    paid("allowed address", "Write to help@example.com.", options=_ALLOWED),
    paid("email left out of the detectors", "Write to a@example.com.", options={"detectors": ["iban"]}),
    paid("word that holds a value", "Miranda Holtzmann wrote.", metadata={"pii_values": ["Mira Holt"]}),
    paid("placeholder", "Dear [NAME], your card [CARD] was blocked.", metadata=_LISTED),
    paid("birth without a date", "She was born in spring."),
    paid("anonymised", _GOLD, reference=_GOLD, metadata=_LISTED, options=_ANON),
    paid("anonymised, other white space", _GOLD.replace(" ", "\n"), reference=_GOLD, options=_ANON),
    paid("other placeholders, allowed", _GOLD.replace("[NAME]", "<PERSON>"), reference=_GOLD, options={**_ANON, "any_placeholder": True}),
    paid("a word changed", _GOLD.replace("Monday", "Tuesday"), reference=_GOLD, options=_ANON, bound=0.9),
    refused("email", "Write to mira.holt@example.com today."),
    refused("email in capitals", "MIRA@EXAMPLE.COM"),
    refused("email with written signs", "mira (at) example (dot) com"),
    refused("email in wide letters", "mira\uff20example.com"),
    refused("email with a hidden sign", "mira@exam\u200bple.com"),
    refused("phone", "Call +1 202-555-0143."),
    refused("phone in brackets", "Call (202) 555-0143 now"),
    refused("phone, German", "Tel. 030 901820 44"),
    refused("phone without spaces", "+442079460958"),
    refused("IBAN", "Pay to DE89370400440532013000."),
    refused("IBAN in groups", "Pay to GB82 WEST 1234 5698 7654 32 please."),
    refused("IBAN in small letters", "gb82west12345698765432"),
    refused("card", "Card 4111 1111 1111 1111 expires soon."),
    refused("card with hyphens", "5500-0000-0000-0004"),
    refused("card of fifteen digits", "378282246310005"),
    refused("US social security number", "SSN 219-09-9999"),
    refused("IPv4", "from 192.0.2.146."),
    refused("IPv6", "from 2001:db8::8a2e:370:7334, twice"),
    refused("date of birth", "DOB: 04/07/1986"),
    refused("date of birth in words", "She was born on 4 July 1986 in Leeds."),
    refused("date of birth, German", "geboren am 04.07.1986"),
    refused("listed name", "Mira Holt called.", metadata=_LISTED),
    refused("listed name, other case and spacing", "MIRA\n holt called.", metadata=_LISTED),
    refused("listed name spelled apart", "M-i-r-a H.o.l.t called.", metadata=_LISTED),
    refused("listed code without its hyphen", "case PZ778812", metadata=_LISTED),
    refused("listed name in thinking", "<think>Mira Holt asks</think>The customer asks.", metadata=_LISTED),
    refused("listed as an object", "Mira Holt called.", metadata={"pii_values": {"name": "Mira Holt"}}),
    refused("leak beside placeholders", _LEAK, reference=_GOLD, metadata=_LISTED, options=_ANON),
    refused("empty", "", metadata=_LISTED),
    refused("everything removed", "[NAME] [ADDRESS] [ID]", reference=_GOLD, options=_ANON, bound=0.45),
    refused("placeholders only, many", "[NAME] [ADDRESS] [ID] " * 30, reference=_GOLD, options=_ANON, bound=0.05),
    refused("placeholders lost", "A customer asked on Monday why an invoice was charged twice.", reference=_GOLD, options=_ANON),
    refused("other placeholders", _GOLD.replace("[NAME]", "[PERSON]"), reference=_GOLD, options=_ANON, bound=0.7),
    refused("no reference", _GOLD, options=_ANON, outcome=Outcome.BAD_GOLD),
    refused("values are no list", "Fine.", metadata={"pii_values": 3.5}, outcome=Outcome.BAD_GOLD),
    refused("too long", "word " * 30_000, outcome=Outcome.OVERSIZE),
    refused("name that is not listed", "Jonas Berg called."),
    refused("half of a listed name", "Mira called.", metadata=_LISTED),
    refused("listed name backwards", "tloH ariM called.", metadata=_LISTED),
    refused("digits as words", "Call two zero two, five five five, zero one four three."),
]
_KNOWN = {"name that is not listed", "half of a listed name", "listed name backwards", "digits as words"}
CASES = [type(case)(**{**vars(case), "miss": case.name in _KNOWN}) for case in CASES]
