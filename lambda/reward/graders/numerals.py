"""Reads the one number a line gives as its answer. No model text is ever evaluated, and every pattern is bounded.

A numeral is handed on as text (``-1,234.50``), so that it can be compared as an exact decimal. What is read and what is
not is listed in `read_marked` and `read_sentence`; tests/reward/test_math_cases.py holds labelled cases of each.
"""

from __future__ import annotations

import re

MAX_LINE = 200
"""Characters of a marked line; a longer one is no answer."""

MAX_SENTENCE = 400
"""Characters of the last line in lenient mode."""

MAX_DIGITS = 40
"""Digits on either side of the point. School problems stay far below it; it bounds the work on a wall of digits."""

_FOLD = {0x2212: "-", **{0xFEE0 + ord(character): character for character in "0123456789+-.,$"}}
"""The minus sign U+2212 and the full-width forms that East Asian keyboards give. Other scripts' digits are not read."""

_MULTIPLIERS = """
    hundred hundreds thousand thousands million millions billion billions trillion trillions mil mln mn bn tn millones millionen
    mille thou grand tausend lakh lakhs crore crores dozen dozens gross score couple half halves third thirds quarter quarters fourth
    fourths fifth fifths sixth sixths seventh eighth eighths ninth tenth tenths hundredth hundredths thousandth thousandths
    double triple twice squared cubed factorial minus plus negative over pi infinity
"""
_NUMBER_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
    twenty thirty forty fourty fifty sixty seventy eighty ninety
"""
_HEDGES = """
    or and either neither nor otherwise maybe perhaps possibly probably likely presumably supposedly hopefully approx approximately about
    around roughly nearly almost not no never cannot wrong incorrect false unknown unsure doubt doubtful guess if unless except but between
    to through until versus vs ish than least most below exceed exceeds exceeding
    oder bis nicht kein keine vielleicht etwa ungefähr circa ou environ peut pas quizá quizás
    aproximadamente casi ni forse quasi talvez
"""
_REFUSED = frozenset((_MULTIPLIERS + _NUMBER_WORDS + _HEDGES).split())
"""Words that change the number, are one, or take it back."""
_REFUSED_IN_SENTENCE = _REFUSED - {"and", "to", "no", "over", "if", "but", "through", "until", "likely", "except", "grand"}
"""A whole sentence may hold the plain joining words; a unit may not."""

_UNIT_LETTERS = frozenset("glhscfGLHSCF")
"""Units of one letter. k, m, b and t are left out because they also mean thousand, million, billion and trillion."""

_CURRENCY = r"(?:(?:US|CA|AU|NZ|HK|A|C)?\\?[$€£¥₹₩₽]{1,2}|(?:USD|EUR|GBP|INR|JPY|CAD|AUD|CNY)\b|Rs\.?)"
_OPEN = r"(?:[\s*_`]|\\[(\[]|\\(?:boxed|text|mathrm|mathbf)\{)*+"
_CLOSE = r"(?:[\s*_`$}]|\\[)\]])*+"
_NUMBER = rf"(?P<whole>[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]{{1,{MAX_DIGITS}}})?(?:\.(?P<part>[0-9]{{1,{MAX_DIGITS}}}))?"
_WORD = r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['\u2019/-][A-Za-zÀ-ÖØ-öø-ÿ]+)*+[²³]?"
_MARKED = re.compile(
    rf"{_OPEN}(?:(?:the\s)?(?:final\s)?(?:answer|result|total)(?:\sis)?\s?[:=]?(?=[\s*_`]|$){_OPEN})?"
    rf"(?:(?P<sign>[-+]){_CURRENCY}?|{_CURRENCY}{_OPEN}(?P<inner>[-+])?)?"
    rf"{_NUMBER}(?P<tail>{_CLOSE}(?:\\?%|°[CF]?|[¢€£¥₹₩₽])?+{_CLOSE}"
    rf"(?P<words>\(?{_WORD}(?:\s{_WORD}){{0,3}}+\)?)?+{_CLOSE}(?P<stop>[.,;:!])?{_CLOSE})",
    re.IGNORECASE,
)
_TWO_NUMBERS = re.compile(r"[0-9][^0-9.,]+[0-9]")
"""What no single number can hold. The rest of the grammar would refuse it too, later."""
_TEXT = re.compile(r"\\(?:text|mathrm)\{([^{}]*)\}")

_IN_SENTENCE = re.compile(
    rf"(?<![A-Za-z0-9.,])(?:(?P<sign>-){_CURRENCY}?|{_CURRENCY}(?P<inner>-)?)?"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]{1,40})(?:\.(?P<part>[0-9]{1,40}))?",
)
_DIGIT = re.compile(r"\d")
_LETTERS = re.compile(r"[^\W\d_]+")
_OPERATOR = re.compile(r"[+^<>~≈±\u00d7÷≤≥=]|n['\u2019]t\b|(?<![A-Za-z])/|/(?![A-Za-z])|\?|\.\.|…")


def read_marked(line: str) -> str | None:
    """The number of a marked line, which must hold it and nothing that could change it.

    Read: an optional label ("answer:", "the final answer is"), sign, currency before or after, emphasis (``** __ ` $..$
    \\boxed{}``), well-formed thousands, a per cent or degree sign, up to four words of unit, one closing punctuation mark. A
    per cent sign is a unit: 50% is 50.

    Not read: two numbers, lists, ranges, expressions, fractions, scientific notation, comparisons, approximations, number
    words, words that multiply (dozen, half, k, million), malformed thousands, algebra (42x), doubt (42?).
    """
    line = line.strip()
    if not 0 < len(line) <= MAX_LINE or _TWO_NUMBERS.search(line):
        return None
    if not line.isascii():
        line = line.translate(_FOLD)
    if "\\" in line:
        line = _TEXT.sub(r" \1", line)
    found = _MARKED.fullmatch(line)
    if found is None or not (found["whole"] or found["part"]) or not _harmless(found):
        return None
    return _plain(found, found["sign"] or found["inner"])


def read_sentence(line: str) -> str | None:
    """The number of a sentence that holds exactly one, in digits, with no word or sign that could change it (lenient mode)."""
    line = line.strip()
    if not 0 < len(line) <= MAX_SENTENCE:
        return None
    if not line.isascii():
        line = line.translate(_FOLD)
    found = _IN_SENTENCE.search(line)
    if found is None or not _alone(line[: found.start()], line[found.end() :]):
        return None
    return _plain(found, found["sign"] or found["inner"])


def has_digit(line: str) -> bool:
    """Whether a line holds a digit at all, in whatever script."""
    return _DIGIT.search(line) is not None


def _harmless(found: re.Match[str]) -> bool:
    """Whether what follows the number leaves it as it is."""
    words, tail = found["words"], found["tail"]
    if words is None:
        return found["stop"] != "!"  # 5! is 120
    if tail[:1] == words[:1] and not _attached(words):
        return False
    parts = _LETTERS.findall(words.lower())
    if any(len(part) == 1 and part not in _UNIT_LETTERS for part in parts if not part.isnumeric()):
        return False
    return _REFUSED.isdisjoint(parts)


def _alone(head: str, tail: str) -> bool:
    """Whether the rest of a sentence neither holds another number nor changes the one between `head` and `tail`."""
    before = head.rstrip(" *_`")
    before = before.removesuffix("=")
    if any(character.isnumeric() for character in before + tail) or _OPERATOR.search(before) or _OPERATOR.search(tail):
        return False
    if (tail[:1] in ("-", "!", ",") and tail[1:2].strip()) or (tail[:1].isalpha() and not _attached(tail)):
        return False
    words = [word.lower() for word in _LETTERS.findall(f"{before} {tail}")]
    return _REFUSED_IN_SENTENCE.isdisjoint(words) and not _multiplies(tail)


def _attached(text: str) -> bool:
    """Whether letters right after a number are a unit (5kg), and neither algebra (5x) nor a multiplier (5k)."""
    letters = _LETTERS.match(text)
    return letters is not None and (len(letters[0]) > 1 or letters[0] in _UNIT_LETTERS)


def _multiplies(tail: str) -> bool:
    first = _LETTERS.match(tail.lstrip(" *_`$"))
    return first is not None and len(first[0]) == 1 and first[0] not in _UNIT_LETTERS and first[0] not in "aAI"


def _plain(found: re.Match[str], sign: str | None) -> str:
    whole = found["whole"] or "0"
    number = f"{whole}.{found['part']}" if found["part"] else whole
    return "-" + number if sign == "-" else number
