"""Finds the LaTeX answer of a response and brings it into one form, by bounded patterns. Nothing is parsed or evaluated here.

What passes `normalised` holds only characters and commands known to mean mathematics, in a size that a parser can take; the
bound on time (`reward.bounded`) is for what is left.
"""

from __future__ import annotations

import re
from fractions import Fraction

MAX_ANSWER = 400
"""Characters of an answer; a longer one is not read."""

MAX_DEPTH = 12
"""Brackets within brackets."""

MARKER = "####"
MAX_DIGITS = 40
MAX_EXPONENT_DIGITS = 4

_BOX = re.compile(r"\\f?box(?:ed)?[ \t]*(?=\{)")
_BOXED_WORD = re.compile(r"\\boxed +([0-9A-Za-z.+-]{1,40})")
_MATHS = re.compile(r"\$\$?([^$]{1,400})\$\$?|\\\(([^\n]{1,400}?)\\\)|\\\[([^\n]{1,400}?)\\\]")

_FOLD = {ord(key): value for key, value in {
    "\u2212": "-", "\u00d7": r"\times ", "\u00b7": r"\cdot ", "\u22c5": r"\cdot ", "\u00f7": r"\div ",
    "\u03c0": r"\pi ", "\u221e": r"\infty ",
    "\u2264": r"\le ", "\u2265": r"\ge ", "\u222a": r"\cup ", "\u2229": r"\cap ", "\u2205": r"\emptyset ", "\u03b8": r"\theta ",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u00b0": r"^\circ ", "\u20ac": r"\$", "\u00a3": r"\$",
    **{chr(0xFEE0 + ord(character)): character for character in "0123456789+-.,()=$"},
}.items()}  # fmt: skip

_REWRITES = [(re.compile(pattern), new) for pattern, new in (
    (r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])", ""),
    (r"\\(?:displaystyle|textstyle|limits)(?![A-Za-z])", ""),
    (r"(?<!\\)\\!", ""),
    (r"(?<=[0-9])\\,(?=[0-9]{3}(?![0-9]))", ""),
    (r"(?<!\\)\\[,;:> ]|\\q?quad(?![A-Za-z])|~", " "),
    (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
    (r"\\(?:textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|operatorname|mbox)[ ]?(?=\{)", r"\\text"),
    (r"\\(?:leq|leqslant)(?![A-Za-z])", r"\\le "),
    (r"\\(?:geq|geqslant)(?![A-Za-z])", r"\\ge "),
    (r"\\(?:varnothing|text\{ ?empty set ?\})", r"\\emptyset "),
    (r"\\(?:lbrace)(?![A-Za-z])", r"\\{"),
    (r"\\(?:rbrace)(?![A-Za-z])", r"\\}"),
    (r"\\(?:lvert|rvert|vert)(?![A-Za-z])", "|"),
    (r"\{,\}", ","),
    (r",? ?(?:\\text ?\{ ?,? ?(?:and|or) ?\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])) ?", ","),
    (r"\^\s?(?:\\circ(?![A-Za-z])|\{\s?\\circ\s?\})(?:\s?[CF](?![A-Za-z]))?|\\degrees?(?![A-Za-z])", ""),
    (r"\s+", " "),
)]  # fmt: skip

_UNIT_NAMES = """
    mm cm dm km m g kg mg lb lbs oz ml l ft feet foot in inch inches yd yard yards mile miles mph meter meters metre metres
    centimeter centimeters kilometer kilometers gram grams kilogram kilograms liter liters litre litres s sec second seconds min
    minute minutes hr h hour hours day days week weeks month months year years degree degrees radian radians dollar dollars cent
    cents euro euros pound pounds percent unit units square cubic sq cu per way ways student students people person apple apples
    point points time times number
"""
_TEXT_UNIT = re.compile(r"(?<=[0-9A-Za-z})!])\s?\\text\{\s?([A-Za-z][A-Za-z ./]{0,40})\}(?:\s?\^\s?\{?[23]\}?)?$")
_PLAIN_UNIT = re.compile(rf"(?<=[0-9}})])\s?(?:(?:{'|'.join(unit for unit in _UNIT_NAMES.split() if len(unit) > 1)})(?: (?!$)|$)){{1,4}}$")
_CHANGE_WORDS = """
    maybe perhaps about approximately approx roughly nearly almost not either if to unless hundred hundreds thousand thousands million
    millions billion billions dozen dozens half halves thirds quarters squared cubed factorial minus plus over pi
"""
_CHANGES = frozenset(_CHANGE_WORDS.split())
"""Words that change what stands before them, or take it back."""

_COMMAND_NAMES = """
    frac sqrt pi infty cdot times div pm le ge lt gt ne neq cup cap emptyset in theta alpha beta gamma delta lambda mu phi omega
    sigma rho tau epsilon varepsilon zeta eta kappa nu xi psi chi sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log
    exp binom lfloor rfloor lceil rceil text begin end sum int mathbb min max gcd
"""
_COMMANDS = frozenset(_COMMAND_NAMES.split())
_COMMAND = re.compile(r"\\([A-Za-z]+|.|$)")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{([pbvBV]?matrix)\}")
_ALLOWED = re.compile(r"[0-9A-Za-z .,;:+\-*/^_=<>()\[\]{}|!&\\]*")
_LONG_DIGITS = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
_APART = re.compile(r"(?<![_^])[0-9.]\s+[0-9.]|[0-9.]\s*\{?[.][0-9.]*[.]|\.\.")
_EXPONENT = re.compile(rf"\^\s?\{{?\s?[-+]?[0-9]{{{MAX_EXPONENT_DIGITS + 1}}}|\^[^^]{{0,40}}\^[^^]{{0,40}}\^")
_FACTORIAL = re.compile(r"[0-9]{4}\s?!|!\s?!|\)\s?!\s?\)\s?!|\\binom[^A-Za-z]{0,3}[0-9]{4}")
_SCIENTIFIC = re.compile(r"[0-9][eE][-+]?[0-9]")
_MIXED = re.compile(r"(?<![0-9A-Za-z.^_})\]!])([0-9]{1,9}) ?\\frac ?\{([0-9]{1,9})\} ?\{([0-9]{1,9})\}")
_SHORT_FRACTION = re.compile(r"\\frac ?(?:([0-9])|\{([^{}]*)\}) ?(?:([0-9A-Za-z])|\{([^{}]*)\})")
_SHORT_ROOT = re.compile(r"\\sqrt ?([0-9A-Za-z])")
_THOUSANDS = re.compile(r"(?<![0-9,.])([0-9]{1,3}(?:,[0-9]{3})+)(?![0-9,])")
_REPEATING = re.compile(r"(?<![0-9.])([0-9]{0,12})\.([0-9]{0,12})\\overline ?\{ ?([0-9]{1,12}) ?\}")
_STOP = re.compile(r"(?<![.,;:])[.,;:]$")
_WRAPPED = re.compile(r"\\text ?\{([^{}\\]*[0-9][^{}\\]*)\}|\{([^{}]*)\}")
"""A number set as text, or braces that only group."""
_CHOICE = re.compile(r"(?:\\text\{ ?)?\(?(?:\\text\{ ?)?([A-J])(?: ?\})?\)?(?: ?\})?\.?")
_WORDS = re.compile(r"\\text\{([^{}\\]{1,60})\}|([A-Za-z]{2,}(?: [A-Za-z]+){0,4})")


def marked(response: str, *, lenient: bool = False) -> str | None:
    r"""What a response marks as its answer: the last ``\boxed{}`` or the line of the last ``####``, whichever comes later.

    Args:
        lenient: without either, takes the only formula of the last line that is not empty.

    Returns:
        None if nothing is marked; an empty string if the last box is never closed, or holds nothing.
    """
    line = response.rfind(MARKER)
    box = _last_box(response)
    if box >= 0 and box > line:
        return _boxed(response, box)
    if line >= 0:
        end = response.find("\n", line)
        return response[line + len(MARKER) : end if end >= 0 else line + 4 * MAX_ANSWER][: 4 * MAX_ANSWER].strip()
    if lenient:
        response = response.rstrip()
        found = _MATHS.findall(response[response.rfind("\n") + 1 :][-4 * MAX_ANSWER :])
        if len(found) == 1:
            return "".join(found[0]).strip()
    return None


def normalised(answer: str) -> str | None:
    """An answer in one form, so that equal text means an equal answer; None if it is not one that can be read.

    Emphasis, spacing commands, currency, degree and per cent signs and trailing units are taken away; a per cent sign is a unit.
    """
    text = answer.strip()
    if not 0 < len(text) <= MAX_ANSWER:
        return None
    text = _undecorated(text.translate(_FOLD))
    for pattern, new in _REWRITES:
        text = pattern.sub(new, text)
    text = _without_unit(_STOP.sub("", text.strip()))
    if (inner := _WRAPPED.fullmatch(text)) is not None:
        text = (inner[1] or inner[2]).strip()
    if (choice := _CHOICE.fullmatch(text)) is not None:
        return f"\\text{{{choice[1]}}}"
    if (words := _WORDS.fullmatch(text)) is not None:
        return f"\\text{{{' '.join((words[1] or words[2]).casefold().split())}}}"
    text = _numbers(text)
    return text if _readable(text) else None


def is_text(answer: str) -> bool:
    """Whether a normalised answer is words, or the letter of a choice, and so no mathematics."""
    return answer.startswith("\\text{") and answer.endswith("}") and answer.count("{") == 1


def _last_box(response: str) -> int:
    return max(response.rfind("\\boxed"), response.rfind("\\fbox"))


def _boxed(response: str, at: int) -> str:
    found = _BOX.match(response, at)
    if found is None:
        word = _BOXED_WORD.match(response, at)
        return word[1] if word else ""
    depth = 0
    start = found.end()
    for index in range(start, min(len(response), start + 2 * MAX_ANSWER)):
        character = response[index]
        if character in "{}" and response[index - 1] != "\\":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return response[start + 1 : index].strip()
    return ""


def _undecorated(text: str) -> str:
    for _ in range(4):
        before = text
        text = text.strip()
        for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("`", "`")):
            if text.startswith(opening) and text.endswith(closing) and len(text) >= len(opening) + len(closing):
                inner = text[len(opening) : len(text) - len(closing)]
                if opening not in inner:
                    text = inner.strip()
        text = _STOP.sub("", text)
        text = re.sub(r"^([-+]?)\s?\\?\$\s?(?=[-+]?[0-9.])", r"\1", text)
        text = re.sub(r"\s?\\?%$", "", text)
        if text == before:
            break
    return text


def _without_unit(text: str) -> str:
    found = _TEXT_UNIT.search(text)
    if found is not None and not _CHANGES.intersection(found[1].lower().split()):
        text = text[: found.start()]
    return _PLAIN_UNIT.sub("", text).strip()


def _numbers(text: str) -> str:
    text = _REPEATING.sub(_repeating, text)
    # A list in brackets is no number with thousands: (1,234) is a point.
    if not re.search(r"[(\[{]", text.replace("\\frac{", "").replace("\\sqrt{", "").replace("^{", "")):
        text = _THOUSANDS.sub(lambda found: found[1].replace(",", ""), text)
    text = _SHORT_ROOT.sub(r"\\sqrt{\1}", text)
    text = _SHORT_FRACTION.sub(lambda found: f"\\frac{{{found[1] or found[2] or ''}}}{{{found[3] or found[4] or ''}}}", text)
    return _MIXED.sub(r"(\1+\\frac{\2}{\3})", text)


def _repeating(found: re.Match[str]) -> str:
    whole, fixed, period = found[1] or "0", found[2], found[3]
    scale = 10 ** len(fixed)
    value = Fraction(int(whole + fixed), scale) + Fraction(int(period), scale * (10 ** len(period) - 1))
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


def _readable(text: str) -> bool:
    if not text or not _ALLOWED.fullmatch(text) or len(text) > 2 * MAX_ANSWER:
        return False
    if any(pattern.search(text) for pattern in (_LONG_DIGITS, _APART, _EXPONENT, _FACTORIAL, _SCIENTIFIC)):
        return False
    commands = _COMMAND.findall(_ENVIRONMENT.sub("", text))
    known = all(command in _COMMANDS or command in {"{", "}", "\\"} for command in commands)
    return known and "\\text" not in text and "begin" not in commands and "end" not in commands and _nests(text)


def _nests(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in "{([") - (character in "})]")
        if not 0 <= depth <= MAX_DEPTH:
            return False
    return depth == 0
