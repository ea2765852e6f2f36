"""Harvests, animals and boxes."""

from __future__ import annotations

from fractions import Fraction

from datasets.problems import TIMES, Draw, Problem, Solution

FRUIT = ("apples", "pears", "plums", "oranges", "mangoes", "peaches")


def orchard(draw: Draw) -> Problem:
    rows, trees, each = draw.whole(6, 24), draw.whole(8, 30), draw.whole(30, 150, 5)
    fruit, percent = draw.pick(FRUIT), draw.pick([5, 10, 15, 20])
    work = Solution()
    count = work.step("There are {} trees.", rows, "*", trees)
    harvest = work.step(f"They bear {{}} {fruit}.", count, "*", each)
    bruised = work.step(f"Bruised are {{}} {fruit}.", harvest, "*", Fraction(percent, 100))
    good = work.step(f"Left for sale are {{}} {fruit}.", harvest, "-", bruised)
    question = (
        f"An orchard has {rows} rows of {trees} trees, and each tree bears {each} {fruit}. {percent}% of the "
        f"{fruit} are bruised and cannot be sold. How many can be sold?"
    )
    return work.problem(question, good)


def eggs(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    hens, eaten, baked = draw.whole(14, 60), draw.whole(2, 6), draw.whole(3, 8)
    price, days = draw.whole(1, 3), draw.pick([5, 6, 7])
    bird = draw.pick(["hens", "ducks", "quails"])
    work = Solution()
    used = work.step("Every day the household uses {} eggs.", eaten, "+", baked)
    sold = work.step("Left to sell are {} eggs a day.", hens, "-", used)
    daily = work.step("They bring {} a day.", sold, "*", price, money=True)
    total = work.step(f"In {days} days that is {{}}.", daily, "*", days, money=True)
    question = (
        f"{name}'s {hens} {bird} each lay one egg a day. {eaten} eggs are eaten at breakfast, {baked} go into "
        f"cakes, and the others are sold for ${price} each. How many dollars do the eggs bring in {days} days?"
    )
    return work.problem(question, total)


def crates(draw: Draw) -> Problem:
    first, second = draw.several(FRUIT, 2)
    boxes, size = draw.whole(6, 40), draw.pick([12, 16, 18, 20, 24, 30])
    more, smaller = draw.whole(5, 30), draw.pick([6, 8, 10, 15])
    given = draw.whole(10, 90, 5)
    work = Solution()
    one = work.step(f"There are {{}} {first}.", boxes, "*", size)
    two = work.step(f"There are {{}} {second}.", more, "*", smaller)
    both = work.step("Together that is {} pieces of fruit.", one, "+", two)
    left = work.step("After the gift {} are left.", both, "-", given)
    question = (
        f"A grower packs {boxes} crates with {size} {first} each and {more} boxes with {smaller} {second} each, "
        f"then gives {given} pieces of the fruit to a school. How many pieces of fruit are left?"
    )
    return work.problem(question, left)


def herd(draw: Draw) -> Problem:
    goats, factor, fewer = draw.whole(8, 45), draw.pick([2, 3, 4]), draw.whole(3, 20)
    small, large = draw.pick([("goats", "sheep"), ("ponies", "cows"), ("donkeys", "llamas")])
    work = Solution()
    sheep = work.step(f"There are {{}} {large}.", goats, "*", factor)
    geese = work.step("There are {} geese.", sheep, "-", fewer)
    four = work.step("Animals with four legs number {}.", goats, "+", sheep)
    legs = work.step("They have {} legs.", four, "*", 4)
    bird_legs = work.step("The geese have {} legs.", geese, "*", 2)
    total = work.step("All together they have {} legs.", legs, "+", bird_legs)
    question = (
        f"On a farm there are {goats} {small}, {TIMES[factor]} as many {large} as {small}, and {fewer} fewer geese than {large}. "
        "How many legs do all the animals have?"
    )
    return work.problem(question, total)


def feed(draw: Draw) -> Problem:
    animals, kilos, sack = draw.whole(6, 48), draw.whole(2, 9), draw.pick([20, 24, 25, 30, 40, 50])
    days, price = draw.whole(5, 30), draw.whole(8, 30)
    kind = draw.pick(["horses", "cows", "pigs", "camels", "sheep"])
    work = Solution()
    daily = work.step("In a day they eat {} kilograms.", animals, "*", kilos)
    total = work.step(f"In {days} days they eat {{}} kilograms.", daily, "*", days)
    sacks = work.step("That is {} sacks.", total, "/", sack)
    cost = work.step("The sacks cost {}.", sacks, "*", price, money=True)
    question = (
        f"{animals} {kind} each eat {kilos} kilograms of feed a day. Feed comes in sacks of {sack} kilograms at ${price} a sack. "
        f"How many dollars does exactly enough feed for {days} days cost?"
    )
    return work.problem(question, cost)


TEMPLATES = (orchard, eggs, crates, herd, feed)
