"""Decides whether two LaTeX answers are equal, in the worker of `reward.bounded`. Needs the optional layer of `lambda/symbolic`.

Text is parsed by the grammar of latex2sympy2_extended and never evaluated as Python: SymPy's own reading of strings, which is
Python's `eval`, is taken away below. Structure (lists, points, intervals, sets, unions) is read here, so that `(3,1)` is a point
and not an empty interval; the library reads what stands between the commas.
"""

from __future__ import annotations

import logging
import re
from typing import Any, NamedTuple

import sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, _Latex2Sympy
from sympy.parsing import sympy_parser

EQUAL, DIFFERENT, UNPARSABLE, BAD_GOLD = "equal", "different", "unparsable", "bad_gold"

MAX_ELEMENTS = 40
MAX_EXPONENT = 10_000
MAX_FACTORIAL = 500
MAX_NODES = 400
_DIGITS = 50
_POINTS = ((3, 7), (-5, 11), (13, 17), (-19, 23), (29, 5), (2, 31), (-37, 3))
"""Fractions that variables are given. Expressions equal at several such points, to fifty digits, are equal."""
_LEAST_POINTS = 3

_CONVERTING = ConversionConfig(interpret_as_mixed_fractions=False, lowercase_symbols=False)
_BASE = re.compile(r"([0-9]{1,40})_\{?([0-9]{1,2})\}?")
_NUMERAL = re.compile(r"[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60}")
_MEMBER = re.compile(r"[A-Za-z] ?\\in(?![A-Za-z]) ?")
_OPEN, _CLOSE = "([", ")]"


class Unreadable(ValueError):
    """An answer the grammar does not hold, or one too large to compare."""


class _Group(NamedTuple):
    """Several answers: kind is `set` (in any order), `union` (of intervals) or the brackets of a tuple or interval."""

    kind: str
    parts: tuple[Any, ...]


def _literal(text: object, *_: object, **__: object) -> Any:
    """Stands in for SymPy's reading of strings, which the library calls for numbers: a numeral, exactly, and nothing else."""
    if not isinstance(text, str) or not _NUMERAL.fullmatch(text):
        raise Unreadable("text is not evaluated")
    return sympy.Rational(text)


def compare(pair: list[str]) -> str:
    """Compares a reference answer with another; both normalised by `reward.latex`.

    Args:
        pair: the reference and the answer.

    Returns:
        `EQUAL`, `DIFFERENT`, `UNPARSABLE` or `BAD_GOLD`.
    """
    try:
        gold = _structure(pair[0])
    except Exception:
        return BAD_GOLD
    try:
        answer = _structure(pair[1])
        return EQUAL if _equal(gold, answer) else DIFFERENT
    except (Unreadable, ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError):
        return UNPARSABLE


def rounds_to(pair: list[str]) -> str:
    """Whether the answer, a decimal, is the value of the reference answer rounded to as many places.

    Returns:
        `EQUAL`, `DIFFERENT` or `BAD_GOLD`.
    """
    try:
        gold = _unnamed(_structure(pair[0]), sympy.Integer(0))[0]
        value = _value(_exact(gold), [], 0)
    except Exception:
        return BAD_GOLD
    if value is None or not value.is_real:
        return DIFFERENT
    half = sympy.Rational(1, 2) / sympy.Integer(10) ** len(pair[1].partition(".")[2])
    return EQUAL if abs(value - sympy.Rational(pair[1])) <= half else DIFFERENT


class _Reader(_Latex2Sympy):  # type: ignore[misc]
    """The library's reader, without its rule that a whole number before a rational one is a mixed number: 2(3) is 6, not 5."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._read: dict[int, Any] = {}

    def convert_postfix(self, node: Any) -> Any:
        if id(node) not in self._read:
            self._read[id(node)] = super().convert_postfix(node)
        return self._read[id(node)]

    def convert_postfix_list(self, nodes: Any, index: int = 0) -> Any:
        if index < len(nodes) - 1 and isinstance(first := self.convert_postfix(nodes[index]), sympy.Integer):
            rest = self.convert_postfix_list(nodes, index + 1)
            if isinstance(rest, sympy.Expr):
                return sympy.Mul(first, rest, evaluate=False)
        return super().convert_postfix_list(nodes, index)


def _structure(text: str) -> Any:
    text = text.strip()
    if not text:
        raise Unreadable("empty")
    if (base := _BASE.fullmatch(text)) is not None:
        return sympy.Symbol(f"{base[1].lstrip('0') or '0'} base {base[2]}")
    text = _MEMBER.sub("", text)
    for separator, kind in (("\\cup", "union"), (",", "set")):
        parts = _split(text, separator)
        if len(parts) > 1:
            return _Group(kind, tuple(_structure(part) for part in parts))
    return _enclosed(text)


def _enclosed(text: str) -> Any:
    if text.startswith("\\{") and text.endswith("\\}"):
        inner = text[2:-2].strip()
        return _Group("set", tuple(_structure(part) for part in _split(inner, ",")) if inner else ())
    if text == "\\emptyset":
        return _Group("set", ())
    if text[0] in _OPEN and text[-1] in _CLOSE and _closes_at_end(text):
        parts = _split(text[1:-1], ",")
        if len(parts) > 1:
            return _Group(text[0] + text[-1], tuple(_structure(part) for part in parts))
    return _expression(text)


def _split(text: str, separator: str) -> list[str]:
    parts, depth, start, index = [], 0, 0, 0
    while index < len(text):
        character = text[index]
        if character in "{[(":
            depth += 1
        elif character in "}])":
            depth -= 1
        elif depth == 0 and text.startswith(separator, index):
            parts.append(text[start:index])
            index += len(separator)
            start = index
            continue
        index += 1
    parts.append(text[start:])
    if len(parts) > MAX_ELEMENTS:
        raise Unreadable("too many elements")
    return parts


def _closes_at_end(text: str) -> bool:
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "{[(") - (character in "}])")
        if depth == 0:
            return index == len(text) - 1
    return False


def _expression(text: str) -> Any:
    if "\\pm" in text and text.count("\\pm") == 1:
        return _Group("set", tuple(_expression(text.replace("\\pm", sign)) for sign in "+-"))
    found = _Reader(config=_CONVERTING).parse(text)
    _check_size(found)
    return found


def _check_size(found: Any) -> None:
    """Refuses what would take for ever to compute, before anything is computed."""
    elements = list(found) if isinstance(found, sympy.MatrixBase) else [found]
    if len(elements) > MAX_ELEMENTS * 2:
        raise Unreadable("too many elements")
    for element in elements:
        for count, node in enumerate(sympy.preorder_traversal(element)):
            if count > MAX_NODES:
                raise Unreadable("too long")
            _check_node(node)


def _check_node(node: Any) -> None:
    if node in (sympy.nan, sympy.zoo):
        raise Unreadable("no value")
    if isinstance(node, sympy.Pow) and not node.exp.free_symbols:
        exponent = node.exp
        if exponent.has(sympy.Pow) and exponent.has(sympy.Integer) and any(abs(n) > 1 for n in exponent.atoms(sympy.Integer)):
            tower = [power for power in exponent.atoms(sympy.Pow) if power.exp.is_Integer and abs(power.exp) > 4]
            if tower:
                raise Unreadable("a tower of powers")
        if any(abs(number) > MAX_EXPONENT for number in exponent.atoms(sympy.Number) if number.is_finite):
            raise Unreadable("too large a power")
    if isinstance(node, sympy.factorial | sympy.binomial) and (
        any(abs(number) > MAX_FACTORIAL for number in node.atoms(sympy.Number)) or node.args[0].has(sympy.factorial, sympy.Pow)
    ):
        raise Unreadable("too large a factorial")


def _equal(gold: Any, answer: Any) -> bool:
    if isinstance(gold, _Group) or isinstance(answer, _Group):
        return _equal_groups(gold, answer)
    if isinstance(gold, sympy.MatrixBase) or isinstance(answer, sympy.MatrixBase):
        return (
            isinstance(gold, sympy.MatrixBase)
            and isinstance(answer, sympy.MatrixBase)
            and gold.shape == answer.shape
            and all(_equal(one, other) for one, other in zip(gold, answer, strict=True))
        )
    gold, answer = _unnamed(gold, answer)
    if _relations(gold) or _relations(answer):
        return _equal_relations(_relations(gold), _relations(answer))
    if not isinstance(gold, sympy.Expr) or not isinstance(answer, sympy.Expr):
        return bool(gold == answer)
    return _equal_expressions(gold, answer)


def _equal_groups(gold: Any, answer: Any) -> bool:
    if not isinstance(gold, _Group) or not isinstance(answer, _Group):
        return False
    if gold.kind != answer.kind or len(gold.parts) != len(answer.parts):
        return False
    if gold.kind not in {"set", "union"}:
        return all(_equal(one, other) for one, other in zip(gold.parts, answer.parts, strict=True))
    # Equality is transitive, so taking the first match for each never leaves a later one without its own.
    left = list(answer.parts)
    for part in gold.parts:
        match = next((index for index, other in enumerate(left) if _equal(part, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _unnamed(gold: Any, answer: Any) -> tuple[Any, Any]:
    """`x = 5` and `5` are the same answer; `x = 5` and `y = 5` are not."""
    if isinstance(gold, sympy.Eq) and _is_name(gold.lhs) and isinstance(answer, sympy.Expr):
        return gold.rhs, answer
    if isinstance(answer, sympy.Eq) and _is_name(answer.lhs) and isinstance(gold, sympy.Expr):
        return gold, answer.rhs
    return gold, answer


def _is_name(side: Any) -> bool:
    return isinstance(side, sympy.Symbol | sympy.core.function.AppliedUndef)


def _relations(found: Any) -> list[Any]:
    if isinstance(found, sympy.core.relational.Relational):
        return [found]
    parts = getattr(found, "_unsorted_args", None) or (found.args if isinstance(found, sympy.And) else ())
    if parts and all(isinstance(part, sympy.core.relational.Relational) for part in parts):
        return list(parts)
    return []


def _equal_relations(gold: list[Any], answer: list[Any]) -> bool:
    if not gold or len(gold) != len(answer):
        return False
    return any(all(_same_relation(one, other) for one, other in zip(gold, order, strict=True)) for order in (answer, answer[::-1]))


def _same_relation(one: Any, other: Any) -> bool:
    (kind, difference), (other_kind, other_difference) = _directed(one), _directed(other)
    if kind != other_kind:
        return False
    if difference == other_difference:
        return True
    ratio = _constant_ratio(difference, other_difference)
    return ratio is not None and (ratio > 0 or kind in {"=", "!="})


def _directed(relation: Any) -> tuple[str, Any]:
    left, right = _exact(relation.lhs), _exact(relation.rhs)
    if isinstance(relation, sympy.StrictLessThan | sympy.LessThan):
        left, right = right, left
    kinds = {sympy.Eq: "=", sympy.Ne: "!=", sympy.StrictLessThan: ">", sympy.StrictGreaterThan: ">"}
    return kinds.get(type(relation), ">="), left - right


def _constant_ratio(one: Any, other: Any) -> Any:
    """The number that `one` is `other` times, at every point; None if there is none."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    if one.free_symbols != other.free_symbols or not symbols:
        return None
    ratios = []
    for shift in range(len(_POINTS)):
        first, second = _value(one, symbols, shift), _value(other, symbols, shift)
        if first is None or second is None or abs(second) < sympy.Float(10) ** -30:
            continue
        ratios.append(first / second)
    if len(ratios) < _LEAST_POINTS or not ratios[0].is_real or abs(ratios[0]) < sympy.Float(10) ** -30:
        return None
    return ratios[0] if all(_close(ratio, ratios[0]) for ratio in ratios) else None


def _equal_expressions(gold: Any, answer: Any) -> bool:
    gold, answer = _exact(gold), _exact(answer)
    if gold == answer:
        return True
    if gold.is_Rational and answer.is_Rational:
        return False
    if gold.is_infinite or answer.is_infinite:
        return False
    symbols = sorted(gold.free_symbols | answer.free_symbols, key=str)
    if len(symbols) > 6:
        raise Unreadable("too many variables")
    compared = 0
    for shift in range(len(_POINTS) if symbols else 1):
        first, second = _value(gold, symbols, shift), _value(answer, symbols, shift)
        if (first is None) != (second is None):
            return False
        if first is not None and second is not None:
            if not _close(first, second):
                return False
            compared += 1
    if compared < (_LEAST_POINTS if symbols else 1):
        raise Unreadable("has no value to compare")
    return True


def _exact(expression: Any) -> Any:
    """Decimals as the fractions they are written as, and `i` as the imaginary unit."""
    floats = {number: sympy.Rational(str(number)) for number in expression.atoms(sympy.Float)}
    if floats:
        expression = expression.xreplace(floats)
    imaginary = sympy.Symbol("i")
    if imaginary in expression.free_symbols:
        expression = expression.subs(imaginary, sympy.I)
    return expression.doit()


def _value(expression: Any, symbols: list[Any], shift: int) -> Any:
    points = {}
    for index, symbol in enumerate(symbols):
        numerator, denominator = _POINTS[(index + shift) % len(_POINTS)]
        points[symbol] = sympy.Rational(numerator + 2 * index, denominator)
    value = expression.subs(points, simultaneous=True).doit().evalf(_DIGITS)
    if value in (sympy.nan, sympy.zoo) or value.is_infinite:
        return None
    if not value.is_number or value.free_symbols or value.has(sympy.Integral, sympy.Sum, sympy.Limit, sympy.core.function.AppliedUndef):
        raise Unreadable("has no value")
    return value


def _close(one: Any, other: Any) -> bool:
    largest = max(abs(one), abs(other))
    if largest < sympy.Float(10) ** -90:
        return True
    return bool(abs(one - other) <= largest * sympy.Float(10) ** -35)


def _warm_up() -> None:
    """Reads the grammar's tables and SymPy's parts once, in the parent, for all workers forked from it."""
    if compare(["\\frac{\\sqrt{x}}{2}+\\pi", "\\sqrt{x}/2+\\pi"]) != EQUAL:
        raise ImportError("the symbolic layer does not work as expected")


sympy_parser.parse_expr = _literal
sympy_parser.eval_expr = _literal
logging.getLogger("latex2sympy2_extended").disabled = True
_warm_up()
