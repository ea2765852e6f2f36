"""Buying and selling."""

from __future__ import annotations

from fractions import Fraction

from datasets.problems import TIMES, Draw, Problem, Solution, dollars

GOODS = ("notebooks", "candles", "mugs", "posters", "scarves", "puzzles", "kites", "lanterns")


def two_months(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    goods, first, part = draw.pick(GOODS), draw.whole(24, 240, 4), draw.pick([("half", 2), ("a quarter of", 4)])
    months = draw.pick([("April", "May"), ("June", "July"), ("March", "April")])
    work = Solution()
    second = work.step(f"In {months[1]}, {name} sold {{}} {goods}.", first, "/", part[1])
    total = work.step(f"In both months together, {name} sold {{}} {goods}.", first, "+", second)
    as_many = "half as many" if part[1] == 2 else "a quarter as many"
    question = f"{name} sold {first} {goods} in {months[0]} and {as_many} in {months[1]}. "
    return work.problem(question + draw.pick(["How many were sold in the two months?", f"How many {goods} is that altogether?"]), total)


def change_from_a_note(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    (first, second), note = draw.several(GOODS, 2), draw.pick([50, 100, 200])
    count, price = draw.whole(2, 9), draw.whole(2, 9)
    more, dearer = draw.whole(2, 6), Fraction(draw.whole(5, 20), 2)
    work = Solution()
    one = work.step(f"The {first} cost {{}}.", count, "*", price, money=True)
    two = work.step(f"The {second} cost {{}}.", more, "*", dearer, money=True)
    both = work.step("Together that is {}.", one, "+", two, money=True)
    left = work.step(f"{name} gets back {{}}.", note, "-", both, money=True)
    question = (
        f"{name} buys {count} {first} at {dollars(price)} each and {more} {second} at {dollars(dearer)} each, and pays with ${note}. "
        "How many dollars of change should there be?"
    )
    return work.problem(question, left)


def discount(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    item, price = draw.pick(["coat", "bicycle", "printer", "tent", "guitar", "desk"]), draw.whole(40, 900, 20)
    percent, coupon = draw.pick([10, 15, 20, 25, 30, 40]), draw.whole(3, 15)
    work = Solution()
    off = work.step("The sale takes off {}.", price, "*", Fraction(percent, 100), money=True)
    sale = work.step(f"That brings the {item} to {{}}.", price, "-", off, money=True)
    paid = work.step("With the coupon it costs {}.", sale, "-", coupon, money=True)
    question = draw.pick(
        [
            f"A {item} costs ${price}. In a sale it is {percent}% off, and {name} also has a coupon worth ${coupon}, "
            "taken off the sale price.",
            f"{name} has a ${coupon} coupon for a {item}. The usual price is ${price}, and before the coupon the shop "
            f"takes {percent}% off.",
        ]
    )
    return work.problem(f"{question} How much does {name} pay, in dollars?", paid)


def profit(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    goods, count = draw.pick(GOODS), draw.whole(20, 160, 5)
    cost, factor, fee = draw.whole(2, 12), draw.pick([2, 3, 4]), draw.whole(10, 60, 5)
    work = Solution()
    price = work.step("Each one sells for {}.", cost, "*", factor, money=True)
    gain = work.step("That is a gain on each of {}.", price, "-", cost, money=True)
    gross = work.step(f"On all the {goods} the gain is {{}}.", count, "*", gain, money=True)
    net = work.step("After the stall is paid, what remains is {}.", gross, "-", fee, money=True)
    question = (
        f"{name} makes {goods} for ${cost} each and sells them at {TIMES[factor]} what they cost to make. Renting a stall costs ${fee}. "
        f"If {count} {goods} are sold, what is the profit in dollars?"
    )
    return work.problem(question, net)


def cinema(draw: Draw) -> Problem:
    adults, children = draw.whole(2, 9), draw.whole(2, 14)
    adult, child, popcorn = draw.whole(9, 18), draw.whole(4, 8), draw.whole(3, 7)
    work = Solution()
    grown = work.step("The adults' tickets cost {}.", adults, "*", adult, money=True)
    young = work.step("The children's tickets cost {}.", children, "*", child, money=True)
    people = work.step("There are {} people.", adults, "+", children)
    snacks = work.step("Popcorn for everyone costs {}.", people, "*", popcorn, money=True)
    total = work.step("The evening costs {}.", grown, "+", young, "+", snacks, money=True)
    place, kind = draw.pick([("cinema", "film"), ("theatre", "play"), ("planetarium", "show")])
    question = (
        f"{adults} adults and {children} children go to see a {kind} at the {place}. A ticket is ${adult} for an "
        f"adult and ${child} for a child, and everybody gets a bag of popcorn for ${popcorn}. How many dollars do they spend in total?"
    )
    return work.problem(question, total)


TEMPLATES = (two_months, change_from_a_note, discount, profit, cinema)
