r"""LaTeX and symbolic answers: equal forms, near misses, hostile ones, and where the answer is read from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reward.score import Outcome

from benchmarks.labelled import Case, paid, refused

C, W, N, U = Outcome.CORRECT, Outcome.WRONG, Outcome.NO_MARKER, Outcome.UNPARSABLE

_MATRIX = r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"

# gold, then forms of the same answer
_EQUAL: dict[str, tuple[Any, ...]] = {
    "fraction": (r"\frac{1}{2}", "0.5", "1/2", r"\dfrac{1}{2}", r"\frac12", r"\frac 1 2", r"\tfrac{2}{4}", "2^{-1}", ".5"),
    "negative fraction": (r"-\frac{3}{4}", r"\frac{-3}{4}", r"\frac{3}{-4}", "-0.75", r"-\left(\frac{3}{4}\right)", "\u22123/4"),
    "mixed number": (r"3\frac{1}{2}", "3.5", r"\frac{7}{2}", r"3 \frac{1}{2}"),
    "whole number": ("42", "42.0", r"\text{42}", "{42}", "6 \\cdot 7", r"6\times7", "+42", "x = 42", "42.", r"\$42", "2(21)"),
    "full-width digits": ("42", "\uff14\uff12"),
    "fraction in a fraction": ("0.5", r"\frac{\frac{1}{2}}{1}"),
    "product of a whole number": ("6", r"3\sqrt{4}", "2(3)", r"3\binom{2}{1}"),
    "thousands": ("10000", "10,000", "10{,}000", r"10\,000", r"10,\!000", r"10^4", r"1\times 10^{4}", r"1.0 \cdot 10^4"),
    "repeating decimal": (r"\frac{1}{3}", r"0.\overline{3}", r"\frac{2}{6}", "3^{-1}"),
    "root": (r"2\sqrt{3}", r"\sqrt{12}", r"\sqrt{4}\sqrt{3}", r"\frac{6}{\sqrt{3}}", r"2 \cdot 3^{1/2}", r"\sqrt[3]{24\sqrt{3}}"),
    "pi": (r"\frac{\pi}{4}", r"\arctan 1", r"\tan^{-1}(1)", r"0.25\pi", "\u03c0/4"),
    "logarithm": (r"\ln 8", r"3\ln 2", r"\ln{8}", r"3 \ln(2)"),
    "logarithm, other base": ("3", r"\log_2 8", r"\log_{2} 8"),
    "trigonometric": ("1", r"\sin^2 x + \cos^2 x", r"\sin\frac{\pi}{2}"),
    "factorial": ("120", "5!", r"\binom{10}{3}"),
    "sum and integral": ("55", r"\sum_{k=1}^{10} k", r"\int_0^1 55 dx"),
    "complex": ("3+4i", "4i+3", r"(2+i)^2"),
    "polynomial": ("x^2+2x+1", "(x+1)^2", "1+2x+x^2", r"x(x+2)+1"),
    "rational function": (r"\frac{1}{x+1}", r"\frac{x-1}{x^2-1}", "(x+1)^{-1}"),
    "function": ("2x+3", "f(x)=2x+3", "y = 3+2x"),
    "line": ("y=2x+3", "2x-y+3=0", "y-2x=3", "2y=4x+6"),
    "inequality": ("x<5", "5>x", "2x<10", r"x < 5"),
    "chain": (r"1 \le x < 2", r"2 > x \ge 1", r"1\leq x<2"),
    "point": ("(3,-1)", r"(3, -1)", r"\left(3,\,-1\right)", r"(\frac{6}{2},-1)"),
    "interval": ("[1,2)", r"\left[1, 2\right)", r"x \in [1,2)"),
    "open end": (r"(-\infty,2]\cup[3,\infty)", r"[3,\infty) \cup (-\infty,2]", "(-\u221e,2]\u222a[3,\u221e)"),
    "set": (r"\{1,2,3\}", "1,2,3", r"\{3,2,1\}", r"\{ 1, 2, \frac{6}{2} \}"),
    "two roots": (r"1\pm\sqrt{2}", r"1+\sqrt{2}, 1-\sqrt{2}", r"1-\sqrt2,1+\sqrt2", r"1-\sqrt2 \text{ and } 1+\sqrt2"),
    "empty set": (r"\emptyset", r"\varnothing", r"\{\}"),
    "matrix": (_MATRIX, r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1&2\\3&8/2\end{bmatrix}"),
    "vector": (r"\begin{pmatrix} 1 \\ -2 \end{pmatrix}", r"\begin{pmatrix}1\\-\frac{4}{2}\end{pmatrix}"),
    "unit": (r"5\text{ cm}", "5", r"5 \mathrm{cm}", "5 cm", r"5\text{ cm}^2", "5 square units", r"5\text{ square units}"),
    "degrees": (r"30^\circ", "30", r"30^{\circ}", "30\u00b0", r"30\degree", r"30\text{ degrees}"),
    "per cent": (r"50\%", "50", "50%", "50 percent"),
    "number base": ("4210_{5}", "4210_5", r"4210_{5}"),
    "words": (r"\text{east}", "east", r"\text{East}", r"\textbf{east}", r"\mathrm{East}"),
    "choice": (r"\text{(B)}", "B", "(B)", r"\text{B}", r"(\text{B})"),
    "gold with boxed solution": (r"Thus $\boxed{\frac{1}{2}}$.", "0.5"),
    "gold in object": ({"answer": "1/2"}, "0.5"),
    "gold a number": (0.5, r"\frac{1}{2}"),
}  # fmt: skip

# gold, answer, outcome
_REFUSED: dict[str, tuple[Any, str, Outcome | None]] = {
    "wrong": ("42", "41", W),
    "sign": (r"\frac{1}{2}", r"-\frac{1}{2}", W),
    "upside down": (r"\frac{1}{2}", "2", W),
    "decimal cut short": (r"\frac{1}{3}", "0.333", W),
    "decimal cut late": (r"\frac{1}{3}", "0.33333333333333", W),
    "rounded pi": (r"\pi", "3.14159", W),
    "rounded root": (r"\sqrt{2}", "1.41421356237", W),
    "beyond a float": ("9007199254740992", "9007199254740993", W),
    "tiny difference": ("0.1", "0.1000000000000000000000000000000001", W),
    "per cent of one": (r"50\%", "0.5", W),
    "point turned round": ("(3,1)", "(1,3)", W),
    "point, falling": ("(5,2)", "(7,3)", W),
    "closed for open": ("[1,2)", "[1,2]", W),
    "interval for point": ("(1,2)", "[1,2]", W),
    "set for point": ("(1,2)", r"\{1,2\}", W),
    "half of a set": (r"\{1,2\}", "1", W),
    "too many": (r"\{1,2\}", "1,2,3", W),
    "twice the same": (r"\{1,2\}", "1,1", W),
    "hedge": ("42", "42, 41", W),
    "hedge with or": ("42", r"42 \text{ or } 41", W),
    "hedge in plain words": ("42", "42 or 41", W),
    "all candidates": ("5", "1,2,3,4,5", W),
    "union's half": (r"(-\infty,2]\cup[3,\infty)", r"(-\infty,2]", W),
    "other letter": ("x+1", "y+1", W),
    "capital": ("x+1", "X+1", W),
    "other variable": ("x=5", "y=5", W),
    "coefficient": ("x^2+2x+1", "x^2+3x+1", W),
    "same at whole numbers": (r"\sin(\pi x)", "0", W),
    "absolute value": ("x", "|x|", W),
    "root of a square": ("x", r"\sqrt{x^2}", W),
    "direction": ("x<5", "x>5", W),
    "edge": ("x<5", r"x\le5", W),
    "side": ("x<5", "-x<-5", W),
    "other line": ("y=2x+3", "y=2x-3", W),
    "any line": ("y=2x+3", "0=0", W),
    "matrix entry": (_MATRIX, r"\begin{pmatrix}1&2\\3&5\end{pmatrix}", W),
    "matrix shape": (_MATRIX, r"\begin{pmatrix}1&2&3&4\end{pmatrix}", W),
    "base left out": ("4210_{5}", "4210", W),
    "base": ("4210_{5}", "4210_{6}", W),
    "word": (r"\text{east}", r"\text{west}", W),
    "choice": ("B", "C", W),
    "both choices": ("B", "B or C", W),
    "expression for a word": (r"\text{east}", "x", W),
    "times k": ("42", "42k", W),
    "million": ("42", r"42\text{ million}", U),
    "about": ("42", r"\approx 42", U),
    "numbers apart": ("10", "5 5", U),
    "zero": ("0", r"\frac{1}{0}", U),
    "nothing over nothing": ("0", r"\frac{0}{0}", U),
    "infinity": ("5", r"\infty", W),
    "empty": ("42", "", U),
    "blank": ("42", " ", U),
    "words only": ("42", "the answer is obvious", W),
    "prose and number": ("42", "forty-two 42", None),
    "unbalanced": (r"\frac{1}{2}", r"\frac{1}{2", U),
    "unfinished": ("42", "42+", U),
    "question": ("42", "42?", U),
    "prime": ("x", "x'", U),
    "ellipsis": (r"\frac{1}{3}", "0.333...", U),
    "unknown command": ("42", r"\undefined{42}", U),
    "giant exponent": ("1", r"10^{10^{10}}", U),
    "giant tower": ("1", "9^{9^{9^{9}}}", U),
    "giant power": ("1", "2^{100000}", U),
    "power of powers": ("1", r"((9^{999})^{999})^{999}", None),
    "giant factorial": ("1", "99999!", U),
    "nested factorials": ("1", "((9!)!)!", U),
    "giant binomial": ("1", r"\binom{999999999}{333333333}", U),
    "giant sum": ("1", r"\sum_{k=1}^{9999999} \sin(k^2)", None),
    "hard integral": ("1", r"\int_0^1 \frac{\sin(x^7+\exp(x))}{\ln(x+\sqrt{x})} dx", None),
    "deep braces": ("42", "{" * 200 + "42" + "}" * 200, U),
    "deep roots": ("1", r"\sqrt{" * 11 + "1" + "}" * 11, C),
    "too long": ("42", "+".join(["1"] * 300), U),
    "wall of digits": ("42", "4" * 100, U),
    "zero-width": ("42", "4\u200b2", U),
    "emoji": ("42", "42 \U0001f600", U),
    "null": ("42", "42\x00", U),
    "Python": ("42", "__import__('os').system('id')", U),
    "Python without signs": ("42", "lambda: 42", None),
    "Python, exec": ("42", 'exec("import os")', U),
    "attribute": ("42", "x.__class__", U),
    "TeX input": ("42", r"\input{/etc/passwd}", U),
    "TeX definition": ("42", r"\def\x{42}\x", U),
    "definition of a function": ("42", r"\newcommand{\x}{42}", U),
}  # fmt: skip

# gold, answer: a person would pay these, the grader does not
_MISSED = {
    "number in words": ("42", "forty-two"),
    "scientific": ("1000", "1e3"),
    "vulgar fraction": (r"\frac{1}{2}", "\u00bd"),
    "other digits": ("42", "\u0664\u0662"),
    "degrees for radians": (r"\frac{\pi}{6}", r"30^\circ"),
    "interval for an inequality": ("x>5", r"(5,\infty)"),
}

# gold, answer: nobody would pay these, the grader does
_FOOLED = {
    "other unit": (r"5\text{ km}", r"5\text{ m}"),
    "length for an area": (r"5\text{ cm}^2", r"5\text{ cm}"),
}

# response to 42
_MARKS = (
    (r"\boxed{42}", C),
    (r"\fbox{42}", C),
    (r"\boxed {42}", C),
    (r"\boxed 42", C),
    ("so\n#### 42", C),
    ("#### $42$\nDone.", C),
    (r"#### \boxed{42}", C),
    (r"\boxed{41} no: \boxed{42}", C),
    (r"\boxed{42} no: \boxed{41}", W),
    ("\\boxed{42}\n#### 41", W),
    ("#### 41\n\\boxed{42}", C),
    (r"<think>\boxed{41}</think>\boxed{42}", C),
    (r"<think>\boxed{42}</think>", N),
    (r"\boxed{42}" + " and so on" * 100, C),
    (r"\boxed{\boxed{42}}", C),
    (r"\boxed{42", U),
    (r"\boxed{42} \boxed{", U),
    (r"\boxed{42} \boxed{}", U),
    (r"\boxed", U),
    ("####", U),
    ("the answer is $42$", N),
    ("42", N),
    ("", N),
)

# response, gold
_LENIENT = (
    ("The answer is $42$.", "42", C),
    (r"The answer is \(\frac{1}{2}\).", "0.5", C),
    ("We have $x=1$ so $y=42$.", "42", N),
    ("The answer is 42.", "42", N),
    (r"\boxed{0.333}", r"\frac{1}{3}", C),
    (r"\boxed{3.142}", r"\pi", C),
    (r"\boxed{1.414}", r"\sqrt{2}", C),
    (r"\boxed{1.415}", r"\sqrt{2}", W),
    (r"\boxed{0.33}", r"\frac{1}{3}", W),
    (r"\boxed{41.999}", "42", W),
)


def boxed(answer: object) -> str:
    """A response that ends in `answer`."""
    return f"So we get $\\boxed{{{answer}}}$."


def _labelled(name: str, response: str, gold: Any, outcome: Outcome | None, **options: Any) -> Case:
    label = paid if outcome is C else refused
    return label(name, response, reference=gold, outcome=outcome, options=options)


def _cases() -> Iterator[Case]:
    for name, (gold, *forms) in _EQUAL.items():
        if isinstance(gold, str) and "boxed" not in gold:
            yield _labelled(f"{name}: the reference", boxed(gold), gold, C)
        for form in forms:
            yield _labelled(f"{name}: {form}", boxed(form), gold, C)
    for name, (gold, answer, outcome) in _REFUSED.items():
        # The one that has no end is not waited for as long as others may take.
        options = {"seconds": 1.0} if name == "hard integral" else {}
        yield _labelled(name, boxed(answer), gold, outcome, **options)
    for name, (gold, answer) in _MISSED.items():
        yield paid(name, boxed(answer), reference=gold, miss=True)
    for name, (gold, answer) in _FOOLED.items():
        yield refused(name, boxed(answer), reference=gold, miss=True)
    for index, (response, outcome) in enumerate(_MARKS):
        yield _labelled(f"mark {index}: {response[:30]}", response, "42", outcome)
    for response, gold, outcome in _LENIENT:
        yield _labelled(f"lenient: {response}", response, gold, outcome, mode="lenient")


CASES = list(_cases())
