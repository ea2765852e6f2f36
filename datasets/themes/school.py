"""Classes, books and collections."""

from __future__ import annotations

from fractions import Fraction

from datasets.problems import TIMES, WORDS, Draw, Problem, Solution, Unsuitable


def reading(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    first, factor = draw.whole(8, 40), draw.pick([2, 3])
    rest_days, per_day = draw.whole(3, 9), draw.whole(10, 35)
    pages = first + first * factor + rest_days * per_day
    work = Solution()
    second = work.step("On the second day that is {} pages.", first, "*", factor)
    read = work.step("In two days that makes {} pages.", first, "+", second)
    left = work.step("Still to be read are {} pages.", pages, "-", read)
    daily = work.step(f"Spread over {rest_days} days that is {{}} pages a day.", left, "/", rest_days)
    question = (
        f"{name} has a book of {pages} pages and reads {first} pages on the first day and {TIMES[factor]} as many on the second. "
        f"To finish in {WORDS[rest_days]} more days, reading the same amount each day, how many pages a day must {name} read?"
    )
    return work.problem(question, daily)


def class_trip(draw: Draw) -> Problem:
    classes, size, adults = draw.whole(3, 8), draw.whole(18, 31), draw.whole(4, 14)
    seats = draw.pick([12, 16, 20, 24, 30, 40, 50])
    place = draw.pick(["the museum", "the harbour", "the castle", "the observatory", "the botanical garden"])
    price = draw.whole(60, 300, 10)
    work = Solution()
    pupils = work.step("There are {} pupils.", classes, "*", size)
    people = work.step("With the adults that makes {} people.", pupils, "+", adults)
    buses = work.step("They fill {} buses.", people, "/", seats)
    cost = work.step("The buses cost {}.", buses, "*", price, money=True)
    question = (
        f"{WORDS[classes].capitalize()} classes of {size} pupils each and {adults} adults travel to {place} in buses with {seats} seats, "
        f"and every seat is taken. A bus costs ${price}. How many dollars do the buses cost?"
    )
    return work.problem(question, cost)


def test_score(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    scores = [draw.whole(60, 98) for _ in range(draw.pick([2, 3, 4]))]
    goal = draw.whole(78, 94)
    subject = draw.pick(["maths", "history", "biology", "geography", "music"])
    tests = len(scores) + 1
    work = Solution()
    needed = work.step(f"For that average, all {tests} tests must add up to {{}} points.", goal, "*", tests)
    parts: list[int | str | Fraction] = [scores[0]]
    for score in scores[1:]:
        parts += ["+", score]
    so_far = work.step("So far the points add up to {}.", *parts)
    last = work.step("The last test must bring {} points.", needed, "-", so_far)
    if last > 100:
        raise Unsuitable
    listed = ", ".join(map(str, scores[:-1])) + f" and {scores[-1]}"
    question = (
        f"{name} scored {listed} points in the first {subject} tests of the year. "
        f"One test is left. How many points must it bring for an average of exactly {goal}?"
    )
    return work.problem(question, last)


def stickers(draw: Draw) -> Problem:
    a, b, c = draw.names(3)
    start, factor, more = draw.whole(12, 90), draw.pick([2, 3, 4]), draw.whole(5, 40)
    thing = draw.pick(["stickers", "marbles", "stamps", "football cards", "shells", "badges"])
    work = Solution()
    second = work.step(f"{b} has {{}} {thing}.", start, "*", factor)
    third = work.step(f"{c} has {{}} {thing}.", second, "-", more)
    total = work.step(f"All three have {{}} {thing}.", start, "+", second, "+", third)
    question = f"{a} has {start} {thing}. {b} has {TIMES[factor]} as many as {a}, and {c} has {more} fewer than {b}. "
    return work.problem(question + draw.pick(["How many do they have in all?", f"How many {thing} do the three have together?"]), total)


def votes(draw: Draw) -> Problem:
    a, b, c = draw.names(3)
    total, percent = draw.whole(200, 2400, 20), draw.pick([20, 25, 30, 35, 40, 45])
    ahead = draw.whole(6, 60, 2)
    work = Solution()
    first = work.step(f"{a} got {{}} votes.", total, "*", Fraction(percent, 100))
    left = work.step("The other two share {} votes.", total, "-", first)
    even = work.step("Without the lead they would share {} votes evenly.", left, "-", ahead)
    behind = work.step(f"{c} got {{}} votes.", even, "/", 2)
    won = work.step(f"{b} got {{}} votes.", behind, "+", ahead)
    question = (
        f"In a school election {total} votes were cast for three candidates. {a} got {percent}% of them, and {b} "
        f"got {ahead} more than {c}. How many votes did {b} get?"
    )
    return work.problem(question, won)


TEMPLATES = (reading, class_trip, test_score, stickers, votes)
