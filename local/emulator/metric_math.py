"""CloudWatch metric math: a parser and evaluator for the operators and functions alarms and dashboards use.

Supported: + - * / ^, comparisons, && and ||, numbers, ids, arrays `[m1, m2]`, and the functions in `FUNCTIONS`. Nothing is
ever executed as Python. Series are joined by timestamp: where one side has no data point, the result has none.
"""

from __future__ import annotations

import itertools
import math
import operator
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.emulator.metric_series import Series

Value = float | Series | list[Series] | str


class MathError(ValueError):
    """An expression that cannot be parsed or evaluated; the message names the part."""


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign><=|>=|==|!=|&&|\|\||[-+*/^()\[\],<>]))"
)
_DEEPEST = 50

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an expression is evaluated against.

    Attributes:
        values: series by id.
        metrics: ids of those that are metrics and not expressions, which is what METRICS() gives.
        timeline: every period start of the queried range, for functions that fill gaps.
        period: seconds.
    """

    values: dict[str, Series]
    timeline: list[int]
    period: int
    metrics: frozenset[str] = frozenset()


def names_in(expression: str) -> set[str]:
    """Ids an expression refers to, so that they can be computed first."""
    tokens = _tokens(expression)
    return {text for index, (kind, text) in enumerate(tokens) if kind == "name" and tokens[index + 1][1] != "("}


def evaluate(expression: str, scope: Scope) -> Series:
    """The expression's series; a plain number becomes a constant over the whole timeline.

    Raises:
        MathError: it does not parse, names an unknown id or function, or gives several series.
    """
    parser = _Parser(_tokens(expression), scope)
    value = parser.whole()
    if isinstance(value, dict):
        return {at: number for at, number in value.items() if math.isfinite(number)}
    if isinstance(value, float):
        return dict.fromkeys(scope.timeline, value)
    raise MathError(f"{expression!r} does not give one time series")


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while expression[position:].strip():
        match = _TOKEN.match(expression, position)
        if not match or match.lastgroup is None:
            raise MathError(f"cannot read {expression[position:].strip()!r} in {expression!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return [*found, ("end", "")]


class _Parser:
    """Recursive descent, evaluating as it reads."""

    def __init__(self, tokens: list[tuple[str, str]], scope: Scope) -> None:
        self.tokens = tokens
        self.scope = scope
        self.at = 0
        self.depth = 0

    def whole(self) -> Value:
        value = self.either()
        if self.tokens[self.at][0] != "end":
            raise MathError(f"unexpected {self.tokens[self.at][1]!r}")
        return value

    def accept(self, *texts: str) -> str | None:
        kind, text = self.tokens[self.at]
        if kind in ("sign", "name") and text.upper() in texts:
            self.at += 1
            return text.upper()
        return None

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise MathError(f"expected {text!r}, found {self.tokens[self.at][1] or 'the end'!r}")

    def either(self) -> Value:
        value = self.both()
        while self.accept("||", "OR"):
            value = _combine(value, self.both(), lambda left, right: float(bool(left) or bool(right)))
        return value

    def both(self) -> Value:
        value = self.compared()
        while self.accept("&&", "AND"):
            value = _combine(value, self.compared(), lambda left, right: float(bool(left) and bool(right)))
        return value

    def compared(self) -> Value:
        value = self.total()
        while sign := self.accept(*_COMPARE):
            compare = _COMPARE[sign]
            value = _combine(value, self.total(), lambda left, right, compare=compare: float(compare(left, right)))  # type: ignore[misc]
        return value

    def total(self) -> Value:
        value = self.product()
        while sign := self.accept("+", "-"):
            value = _combine(value, self.product(), operator.add if sign == "+" else operator.sub)
        return value

    def product(self) -> Value:
        value = self.power()
        while sign := self.accept("*", "/"):
            value = _combine(value, self.power(), operator.mul if sign == "*" else _divide)
        return value

    def power(self) -> Value:
        if self.accept("-"):
            return _combine(0.0, self.power(), operator.sub)
        value = self.operand()
        return _combine(value, self.power(), _power) if self.accept("^") else value

    def operand(self) -> Value:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise MathError(f"nested deeper than {_DEEPEST}")
        try:
            return self.plain_operand()
        finally:
            self.depth -= 1

    def plain_operand(self) -> Value:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return float(text)
        if kind == "text":
            return text[1:-1]
        if text == "(":
            value = self.either()
            self.expect(")")
            return value
        if text == "[":
            return self.array()
        if kind != "name":
            raise MathError(f"unexpected {text or 'end'!r}")
        return self.called(text) if self.tokens[self.at][1] == "(" else self.named(text)

    def array(self) -> list[Series]:
        found = []
        while not self.accept("]"):
            value = self.either()
            if not isinstance(value, dict):
                raise MathError("an array may hold time series only")
            found.append(value)
            self.accept(",")
        return found

    def named(self, name: str) -> Value:
        if name in self.scope.values:
            return self.scope.values[name]
        if name in ("REPEAT", "LINEAR"):
            return name
        raise MathError(f"no metric or expression has the id {name!r}")

    def called(self, name: str) -> Value:
        self.expect("(")
        arguments: list[Value] = []
        while not self.accept(")"):
            arguments.append(self.either())
            self.accept(",")
        function = FUNCTIONS.get(name.upper())
        if function is None:
            raise MathError(f"function {name} is not computed here; known: {', '.join(sorted(FUNCTIONS))}")
        try:
            return function(self.scope, *arguments)
        except TypeError as problem:
            raise MathError(f"{name}: wrong arguments ({problem})") from problem


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        return float(left**right)
    except (OverflowError, ZeroDivisionError, TypeError):
        return math.nan


def _combine(left: Value, right: Value, function: Callable[[float, float], float]) -> Value:
    if isinstance(left, str | list) or isinstance(right, str | list):
        raise MathError("operators work on numbers and single time series")
    if isinstance(left, dict) and isinstance(right, dict):
        return {at: function(left[at], right[at]) for at in sorted(left.keys() & right.keys())}
    if isinstance(left, dict):
        return {at: function(value, right) for at, value in left.items()}  # type: ignore[arg-type]
    if isinstance(right, dict):
        return {at: function(left, value) for at, value in right.items()}
    return function(left, right)


def _fill(scope: Scope, series: Series, filler: Value) -> Series:
    """Give every period of the range a value: a constant, another series, the last value or a straight line."""
    if isinstance(filler, dict):
        return {at: series.get(at, filler[at]) for at in scope.timeline if at in series or at in filler}
    if isinstance(filler, float):
        return {at: series.get(at, filler) for at in scope.timeline}
    known = sorted(series)
    filled: Series = {}
    for at in scope.timeline:
        before, after = [k for k in known if k <= at], [k for k in known if k > at]
        if not before:
            continue
        if filler == "REPEAT" or at in series or not after:
            filled[at] = series[before[-1]]
        else:
            share = (at - before[-1]) / (after[0] - before[-1])
            filled[at] = series[before[-1]] + share * (series[after[0]] - series[before[-1]])
    return filled


def _if(scope: Scope, condition: Value, then: Value, otherwise: Value = math.nan) -> Value:
    if isinstance(condition, float):
        return then if condition else otherwise
    chosen: Series = {}
    for at, holds in condition.items():  # type: ignore[union-attr]
        branch = then if holds else otherwise
        value = branch.get(at) if isinstance(branch, dict) else branch
        if isinstance(value, float | int):
            chosen[at] = float(value)
    return chosen


def _steps(series: Series, function: Callable[[float, float], float]) -> Series:
    times = sorted(series)
    return {later: function(series[later] - series[earlier], later - earlier) for earlier, later in itertools.pairwise(times)}


def _aggregate(function: Callable[[list[float]], float]) -> Callable[..., Value]:
    """Over one series a number, over an array a series; several arguments count as an array, as CloudWatch lets MIN and MAX."""

    def apply(_scope: Scope, *given: Value) -> Value:
        if len(given) == 1 and isinstance(given[0], dict):
            return function(list(given[0].values())) if given[0] else {}
        many: list[Any] = given[0] if len(given) == 1 and isinstance(given[0], list) else list(given)
        times = sorted({at for series in many if isinstance(series, dict) for at in series})
        columns = {at: [s[at] if isinstance(s, dict) else s for s in many if not isinstance(s, dict) or at in s] for at in times}
        return {at: function(column) for at, column in columns.items()}

    return apply


def _each(function: Callable[[float], float]) -> Callable[..., Value]:
    def apply(_scope: Scope, value: Value) -> Value:
        if isinstance(value, dict):
            return {at: function(number) for at, number in value.items()}
        return function(value)  # type: ignore[arg-type]

    return apply


def _running_sum(_scope: Scope, series: Series) -> Series:
    total, out = 0.0, {}
    for at in sorted(series):
        total += series[at]
        out[at] = total
    return out


def _logarithm(base: float) -> Callable[[float], float]:
    return lambda value: math.log(value, base) if value > 0 else math.nan


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "ABS": _each(abs),
    "AVG": _aggregate(lambda values: math.fsum(values) / len(values)),
    "CEIL": _each(lambda value: float(math.ceil(value))),
    "DATAPOINT_COUNT": _aggregate(lambda values: float(len(values))),
    "DIFF": lambda _scope, series: _steps(series, lambda change, _seconds: change),
    "DIFF_TIME": lambda _scope, series: _steps(series, lambda _change, seconds: seconds),
    "FILL": _fill,
    "FLOOR": _each(lambda value: float(math.floor(value))),
    "IF": _if,
    "LOG": _each(_logarithm(math.e)),
    "LOG10": _each(_logarithm(10)),
    "MAX": _aggregate(max),
    "METRICS": lambda scope, prefix="": [series for name, series in scope.values.items() if name in scope.metrics and prefix in name],
    "METRIC_COUNT": lambda _scope, series: float(len(series)),
    "MIN": _aggregate(min),
    "PERIOD": lambda scope, _series: float(scope.period),
    "RATE": lambda _scope, series: _steps(series, lambda change, seconds: change / seconds),
    "RUNNING_SUM": _running_sum,
    "STDDEV": _aggregate(statistics.pstdev),
    "SUM": _aggregate(math.fsum),
}
"""Every function an expression may call."""
