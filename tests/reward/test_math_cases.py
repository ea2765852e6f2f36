"""Labelled answers for the maths grader: what must be paid and what must not, adversarial ones included."""

from __future__ import annotations

import pytest
from reward.contract import Sample
from reward.graders import build
from reward.score import Outcome

C, W, N, U = Outcome.CORRECT, Outcome.WRONG, Outcome.NO_MARKER, Outcome.UNPARSABLE


def graded(response: str, gold: object, **options: object) -> Outcome:
    score = build("math", options)(Sample("s", response, gold, [], {}))
    assert score.value == (1.0 if score.outcome is C else 0.0)
    return score.outcome


# Everything the marked line may hold beside a right number.
PAID = {
    "plain": ("6 times 7\n#### 42", "42"),
    "no space": ("####42", "42"),
    "deeper heading": ("##### 42", "42"),
    "negative": ("#### -42", "-42"),
    "minus sign": ("#### \u221242", "-42"),
    "plus": ("#### +42", "42"),
    "full-width digits": ("#### \uff14\uff12", "42"),
    "full-width minus": ("#### \uff0d\uff14\uff12", "-42"),
    "more of something": ("#### 42 more apples", "42"),
    "words with a hyphen": ("#### 42 non-fiction books", "42"),
    "dollars": ("#### $18", "18"),
    "escaped dollars": ("#### \\$18", "18"),
    "dollars, negative": ("#### -$18", "-18"),
    "dollars, negative inside": ("#### $-18", "-18"),
    "currency code": ("#### USD 18", "18"),
    "currency after": ("#### 18 \u20ac", "18"),
    "pounds": ("#### \u00a318", "18"),
    "country's dollars": ("#### US$18", "18"),
    "cents": ("#### $18.50", "18.5"),
    "thousands": ("#### 1,080", "1080"),
    "thousands in gold": ("#### 1080", "1,080"),
    "millions": ("#### 2,520,000", "2520000"),
    "thousands and decimals": ("#### $1,234.50", "1234.5"),
    "trailing zeros": ("#### 42.00", "42"),
    "no leading zero": ("#### .5", "0.5"),
    "leading zeros": ("#### 042", "42"),
    "full stop": ("#### 42.", "42"),
    "comma": ("#### 42,", "42"),
    "bold": ("#### **42**", "42"),
    "bold dollars": ("#### **$42**", "42"),
    "bold full stop": ("#### **42.**", "42"),
    "underlined": ("#### __42__", "42"),
    "code": ("#### `42`", "42"),
    "inline formula": ("#### $42$", "42"),
    "display formula": ("#### $$42$$", "42"),
    "brackets formula": ("#### \\(42\\)", "42"),
    "boxed": ("#### \\boxed{42}", "42"),
    "boxed in formula": ("#### $\\boxed{42}$", "42"),
    "unit": ("#### 42 apples", "42"),
    "unit with stop": ("#### 42 apples.", "42"),
    "bold number and unit": ("#### **42** clips", "42"),
    "unit in text command": ("#### 42 \\text{ dollars}", "42"),
    "unit of four words": ("#### 42 miles per hour today", "42"),
    "unit in brackets": ("#### 42 (apples)", "42"),
    "attached unit": ("#### 5kg", "5"),
    "compound unit": ("#### 5 km/h", "5"),
    "square metres": ("#### 5 cm\u00b2", "5"),
    "degrees": ("#### -5\u00b0C", "-5"),
    "per cent as unit": ("#### 50%", "50"),
    "per cent, escaped": ("#### 50\\%", "50"),
    "percent word": ("#### 50 percent", "50"),
    "label": ("#### Answer: 42", "42"),
    "bold label": ("#### **Answer:** 42", "42"),
    "sentence label": ("#### The final answer is 42", "42"),
    "carriage return": ("#### 42\r\nThat is all.", "42"),
    "no-break space": ("####\u00a042", "42"),
    "text after": ("#### 42\nI checked this twice.", "42"),
    "number in text after": ("#### 42\nThere were 17 to begin with.", "42"),
    "last of two markers": ("#### 41\nNo, again:\n#### 42", "42"),
    "far from the end": ("#### 42\n" + "That is my answer. " * 200, "42"),
    "exact decimals": ("#### 0.1000000000000000000000000000000000001", "0.1000000000000000000000000000000000001"),
    "after thinking": ("<think>maybe 41</think>\n#### 42", "42"),
    "marker in thinking": ("<think>#### 41</think>\n#### 42", "42"),
    "thinking begun in the prompt": ("so it must be #### 41</think>\n#### 42", "42"),
    "thinking after": ("#### 42\n<reasoning>was that right? #### 41</reasoning>", "42"),
    "thinking block within a line": ("I am sure.<think>#### 41</think>#### 42", "42"),
    "calculator marks": ("6*7 = <<6*7=42>>42\n#### 42", "42"),
}  # fmt: skip

# Wrong numbers, and right ones in a form that hedges, computes or hides: (response, gold, outcome).
REFUSED = {
    "wrong": ("#### 41", "42", W),
    "sign lost": ("#### 42", "-42", W),
    "ten times": ("#### 420", "42", W),
    "decimals off": ("#### 42.01", "42", W),
    "beyond a float's precision": ("#### 9007199254740993", "9007199254740992", W),
    "tiny difference": ("#### 0.1000000000000000000000000000000000001", "0.1", W),
    "per cent of one": ("#### 50%", "0.5", W),
    "last marker wins": ("#### 42\n#### 41", "42", W),
    "last marker wins on a line": ("#### 42 #### 41", "42", W),
    "all candidates": ("\n".join(f"#### {n}" for n in range(43, 0, -1)), "42", W),
    "no marker": ("The answer is 42.", "42", N),
    "boxed without marker": ("\\boxed{42}", "42", N),
    "three hashes": ("### 42", "42", N),
    "empty": ("", "42", N),
    "only in thinking": ("<think>#### 42</think>", "42", N),
    "thinking never closed": ("<think>#### 42", "42", N),
    "thinking never closed, capitals": ("<THINK>\n#### 42", "42", N),
    "thinking opened after": ("#### 42 <think>", "42", N),
    "marker before a stray close": ("#### 42</think>", "42", N),
    "second number behind a thinking block": ("#### 42 <think></think> or 41", "42", U),
    "number torn by a thinking block": ("#### 4<think></think>2", "42", U),
    "spam of tags": ("<think></think>" * 100 + "#### 42", "42", N),
    "marker alone": ("42 ####", "42", U),
    "number on the next line": ("####\n42", "42", U),
    "or": ("#### 42 or 41", "42", U),
    "or, spelled": ("#### 42 or forty-one", "42", U),
    "list": ("#### 41, 42, 43", "42", U),
    "list without spaces": ("#### 41,42", "42", U),
    "range": ("#### 41-42", "42", U),
    "range with dash": ("#### 41\u201342", "42", U),
    "slash": ("#### 42/41", "42", U),
    "expression": ("#### 40+2", "42", U),
    "equation": ("#### 40 + 2 = 42", "42", U),
    "assignment": ("#### x = 42", "42", U),
    "product": ("#### 6*7", "42", U),
    "power": ("#### 4**2", "16", U),
    "power sign": ("#### 4^2", "16", U),
    "superscript": ("#### 4\u00b2", "4", U),
    "root": ("#### \u221a1764", "42", U),
    "fraction": ("#### 84/2", "42", U),
    "mixed number": ("#### 3 1/2", "3.5", U),
    "vulgar fraction": ("#### \u00bd", "0.5", U),
    "and a half": ("#### 42 and a half", "42", U),
    "algebra": ("#### 42x", "42", U),
    "algebra apart": ("#### 42 x", "42", U),
    "factorial": ("#### 5!", "5", U),
    "pi": ("#### 42 pi", "42", U),
    "k": ("#### 42k", "42", U),
    "k apart": ("#### 42 K", "42", U),
    "M": ("#### $42M", "42", U),
    "million": ("#### 42 million", "42", U),
    "thousand dollars": ("#### 42 thousand dollars", "42", U),
    "dozen": ("#### 42 dozen eggs", "42", U),
    "hyphenated multiplier": ("#### 42-dozen", "42", U),
    "halves": ("#### 42 halves", "42", U),
    "ten-thousands in Chinese": ("#### 42\u4e07", "42", U),
    "million in Spanish": ("#### 42 millones", "42", U),
    "doubt": ("#### 42?", "42", U),
    "about": ("#### about 42", "42", U),
    "tilde": ("#### ~42", "42", U),
    "at least": ("#### >= 42", "42", U),
    "ish": ("#### 42ish", "42", U),
    "maybe": ("#### 42 maybe", "42", U),
    "at least, behind": ("#### 42 at least", "42", U),
    "at most, behind": ("#### 42 at most", "42", U),
    "less than that": ("#### 42 less than that", "42", U),
    "said to be false": ("#### 42 is false", "42", U),
    "hopefully": ("#### 42 hopefully", "42", U),
    "grand": ("#### 42 grand", "42", U),
    "thousand in French": ("#### 42 mille", "42", U),
    "or in German": ("#### 42 oder so", "42", U),
    "or in French": ("#### 42 ou rien", "42", U),
    "perhaps in French": ("#### 42 peut-\u00eatre", "42", U),
    "about in German": ("#### 42 ungef\u00e4hr", "42", U),
    "range in German": ("#### 42 bis", "42", U),
    "not": ("#### not 42", "42", U),
    "negative in words": ("#### negative 42", "42", U),
    "minus apart": ("#### - 42", "42", U),
    "two minus signs": ("#### --42", "42", U),
    "accountant's negative": ("#### (42)", "42", U),
    "malformed thousands": ("#### 1,08", "108", U),
    "malformed thousands, long": ("#### 10,80,000", "1080000", U),
    "thousands too late": ("#### 1080,000", "1080000", U),
    "space as separator": ("#### 1 080", "1080", U),
    "European separators": ("#### 1.080,00", "1080", U),
    "ellipsis": ("#### 3.33...", "3.33", U),
    "scientific": ("#### 1e3", "1000", U),
    "hexadecimal": ("#### 0x2A", "42", U),
    "time": ("#### 3:30", "330", U),
    "other script's digits": ("#### \u0664\u0662", "42", U),
    "second number in another script": ("#### 42 \u0664\u0661", "42", U),
    "number word": ("#### forty-two", "42", U),
    "number word beside": ("#### 42 one", "42", U),
    "not a number": ("#### NaN", "42", U),
    "infinity": ("#### Infinity", "42", U),
    "wall of digits": ("#### " + "4" * 50, "4" * 40, U),
    "sentence": ("#### 42 because that is what the teacher said", "42", U),
    "long line": ("#### 42 " + "apples " * 60, "42", U),
    "zero-width space inside": ("#### 4\u200b2", "42", U),
    "code to run": ("#### __import__('os').getpid()", "42", U),
    "markup": ("#### <b>42</b>", "42", U),
    "claim instead of answer": ("#### the correct answer", "42", U),
}  # fmt: skip


@pytest.mark.parametrize("name", PAID)
@pytest.mark.parametrize("mode", ["strict", "lenient"])
def test_a_right_marked_answer_is_paid(name: str, mode: str) -> None:
    response, gold = PAID[name]
    assert graded(response, gold, mode=mode) is C


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_not_paid_and_says_why(name: str) -> None:
    response, gold, outcome = REFUSED[name]
    assert graded(response, gold) is outcome


@pytest.mark.parametrize("name", [name for name, case in REFUSED.items() if "####" in case[0] and "think" not in name])
def test_lenient_mode_pays_no_marked_line_that_strict_mode_refuses(name: str) -> None:
    response, gold, _ = REFUSED[name]
    if response.split("####")[-1].strip(" \n") not in ("", "42"):
        assert graded(response, gold, mode="lenient") is not C


LENIENT_PAID = {
    "boxed": ("So it is \\boxed{42}.", "42"),
    "last box": ("\\boxed{41} no, \\boxed{42}", "42"),
    "text in box": ("\\boxed{\\text{42}}", "42"),
    "sentence": ("First 6, then 7.\nThe answer is 42.", "42"),
    "sentence, dollars": ("Natalia pays $1,234.50 in total.", "1234.5"),
    "sentence, negative": ("The balance is -42 dollars.", "-42"),
    "bold in sentence": ("Natalia sold **42** clips in May.", "42"),
    "assignment": ("x = 42", "42"),
    "bare": ("42", "42"),
    "grand total": ("The grand total is 42.", "42"),
    "more of something": ("She needs 42 more apples.", "42"),
    "blank lines at the end": ("42 apples\n\n  \n", "42"),
    "marker, then the number": ("####\n42", "42"),
}

LENIENT_REFUSED = {
    "no number": ("I do not know.", "42", N),
    "empty": ("", "42", N),
    "two numbers": ("6 times 7 is 42", "42", U),
    "or": ("42 or 41", "42", U),
    "not": ("It is not 42.", "42", U),
    "cannot": ("It cannot be 42.", "42", U),
    "doubted": ("I doubt it is 42.", "42", U),
    "more than": ("The answer is more than 42.", "42", U),
    "at least": ("At least 42.", "42", U),
    "below": ("The answer is below 42.", "42", U),
    "exceeds": ("The answer exceeds 42.", "42", U),
    "neither": ("The answer is neither 42 nor anything else.", "42", U),
    "not in German": ("Die Antwort ist nicht 42.", "42", U),
    "not in French": ("Ce n'est pas 42.", "42", U),
    "isn't": ("It isn't 42.", "42", U),
    "about": ("about 42", "42", U),
    "million": ("She has 42 million.", "42", U),
    "k": ("It costs 42k", "42", U),
    "k apart": ("It costs 42 k", "42", U),
    "number word": ("Two friends have 42.", "42", U),
    "earlier line": ("The answer is 42.\nThank you for asking!", "42", N),
    "sum": ("2 + 40", "42", U),
    "comparison": ("it is > 42", "42", U),
    "fraction": ("The answer is 3/4.", "3", U),
    "attached before": ("room A42", "42", U),
    "attached after": ("It is 42x", "42", U),
    "doubt": ("Is it 42?", "42", U),
    "box with a sum": ("\\boxed{40+2}\n42", "42", U),
    "box never closed": ("\\boxed{42", "42", U),
    "wrong": ("The answer is 41.", "42", W),
    "long line": ("so " * 300 + "42", "42", U),
}


@pytest.mark.parametrize("name", LENIENT_PAID)
def test_lenient_mode_reads_a_box_or_the_only_number_of_the_last_line(name: str) -> None:
    response, gold = LENIENT_PAID[name]
    assert graded(response, gold, mode="lenient") is C
    assert graded(response, gold, mode="strict") is not C


@pytest.mark.parametrize("name", LENIENT_REFUSED)
def test_lenient_mode_pays_nothing_that_could_mean_another_number(name: str) -> None:
    response, gold, outcome = LENIENT_REFUSED[name]
    assert graded(response, gold, mode="lenient") is outcome


@pytest.mark.parametrize(
    "gold",
    ["42", " 42 ", "$42", "42 apples", "6*7 = <<6*7=42>>42\n#### 42", "#### 41\n#### 42", 42, 42.0, {"answer": "42"}, {"answer": 42},
     {"text": "#### 42"}, {"reference_answer": {"answer": "42"}}, {"final_answer": "42", "steps": ["6*7"]}],
    ids=repr,
)  # fmt: skip
def test_a_reference_answer_is_read_in_every_shape(gold: object) -> None:
    assert graded("#### 42", gold) is C
    assert graded("#### 43", gold) is W


@pytest.mark.parametrize(
    "gold",
    [None, "", "forty-two", "42 or 41", "####", "40+2", "#### 42 million", True, float("nan"), float("inf"), 10**5000, [], ["42"], {},
     {"answer": None}, {"question": "42"}, {"answer": {"answer": {"answer": {"answer": "42"}}}}, "42\n43"],
    ids=lambda gold: repr(gold)[:30] if not isinstance(gold, int) or gold < 9 else "huge",
)  # fmt: skip
def test_an_unreadable_reference_answer_is_an_outcome_of_its_own(gold: object) -> None:
    assert graded("#### 42", gold) is Outcome.BAD_GOLD
    assert graded("", gold) is Outcome.BAD_GOLD


def test_a_grader_does_not_mistake_one_reference_for_the_one_before() -> None:
    grade = build("math")
    golds: list[object] = ["42", "41", 42, 41, 42.0, True, None, "42", {"answer": "41"}, "41"]
    outcomes = [grade(Sample("s", "#### 42", gold, [], {})).outcome for gold in golds]
    assert outcomes == [C, W, C, W, C, Outcome.BAD_GOLD, Outcome.BAD_GOLD, C, W, W]


def test_partial_pay_goes_to_a_readable_wrong_answer_only() -> None:
    grade = build("math", {"partial": 0.2})
    paid = [grade(Sample("s", text, "42", [], {})).value for text in ("#### 42", "#### 41", "#### 42 or 41", "41", "")]
    assert paid == [1.0, 0.2, 0.0, 0.0, 0.0]


def test_components_tell_being_right_from_being_readable() -> None:
    score = build("math")(Sample("s", "#### 41", "42", [], {}))
    assert score.components == ({"name": "correct", "value": 0.0, "type": "Reward"}, {"name": "answered", "value": 1.0, "type": "Metric"})
