"""Kitchen, garden, rooms and ages."""

from __future__ import annotations

from fractions import Fraction

from datasets.problems import TIMES, Draw, Problem, Solution


def recipe(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    serves, guests = draw.pick([4, 6, 8]), draw.pick([12, 18, 24, 36, 48])
    grams, have = draw.whole(120, 600, 20), draw.whole(100, 500, 50)
    dish = draw.pick(["pancakes", "a lentil soup", "flat bread", "a noodle salad", "dumplings"])
    food = {"a lentil soup": "lentils", "a noodle salad": "noodles"}.get(dish, "flour")
    work = Solution()
    times = work.step("The recipe has to be made {} times over.", guests, "/", serves)
    needed = work.step(f"That takes {{}} grams of {food}.", grams, "*", times)
    buy = work.step(f"{name} must buy {{}} grams.", needed, "-", have)
    question = (
        f"A recipe for {dish} serves {serves} people and takes {grams} grams of {food}. {name} expects {guests} "
        f"people and has {have} grams of {food} in the cupboard. How many more grams are needed?"
    )
    return work.problem(question, buy)


def tiles(draw: Draw) -> Problem:
    length, width, doors = draw.whole(4, 12), draw.whole(3, 9), draw.whole(2, 4)
    per_metre, box = draw.pick([4, 9, 16, 25]), draw.pick([4, 5, 6, 8, 10, 12])
    room = draw.pick(["kitchen", "bathroom", "terrace", "workshop"])
    work = Solution()
    area = work.step(f"The {room} measures {{}} square metres.", length, "*", width)
    floor = work.step("Without the cupboards that is {} square metres.", area, "-", doors)
    count = work.step("That takes {} tiles.", floor, "*", per_metre)
    boxes = work.step("They come in {} boxes.", count, "/", box)
    question = (
        f"A {room} is {length} metres long and {width} metres wide. Cupboards cover {doors} square metres of it, "
        f"and the rest is to be tiled. A square metre takes {per_metre} tiles, and a box holds {box}. How many "
        "boxes are needed, if none is left over?"
    )
    return work.problem(question, boxes)


def ages(draw: Draw) -> Problem:
    a, b, c = draw.names(3)
    young, factor, older, years = draw.whole(4, 14), draw.pick([2, 3, 4]), draw.whole(2, 9), draw.whole(3, 15)
    work = Solution()
    second = work.step(f"{b} is {{}} years old.", young, "*", factor)
    third = work.step(f"{c} is {{}} years old.", second, "+", older)
    total = work.step("Today their ages add up to {} years.", young, "+", second, "+", third)
    gained = work.step(f"In {years} years the three of them grow older by {{}} years in all.", years, "*", 3)
    later = work.step("Then their ages add up to {} years.", total, "+", gained)
    question = (
        f"{a} is {young} years old. {b} is {TIMES[factor]} as old as {a}, and {c} is {older} years older than {b}. "
        f"What will their three ages add up to in {years} years?"
    )
    return work.problem(question, later)


def water_tank(draw: Draw) -> Problem:
    rate, leak, minutes = draw.whole(12, 48), draw.whole(2, 6), draw.whole(10, 60, 5)
    start, used = draw.whole(20, 200, 10), draw.whole(15, 90, 5)
    place = draw.pick(["garden tank", "fish pond", "rain barrel", "fountain"])
    work = Solution()
    net = work.step(f"Every minute the {place} gains {{}} litres.", rate, "-", leak)
    gained = work.step("By the time the tap is closed it has gained {} litres.", net, "*", minutes)
    full = work.step("Then it holds {} litres.", start, "+", gained)
    left = work.step("After the watering it holds {} litres.", full, "-", used)
    question = (
        f"A {place} holds {start} litres. A tap fills it with {rate} litres a minute while {leak} litres a minute "
        f"leak away. After {minutes} minutes the tap is closed and the leak mended, and {used} litres are used for "
        f"watering. How many litres are in the {place} now?"
    )
    return work.problem(question, left)


def electricity(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    power, hours, days = draw.pick([2, 3, 4, 5]), draw.whole(2, 8), draw.pick([14, 20, 30, 31])
    price, fixed = Fraction(draw.pick([20, 25, 30, 40, 50]), 100), draw.whole(5, 20)
    device = draw.pick(["heater", "kiln", "pump", "charger for the car"])
    work = Solution()
    daily = work.step(f"In a day the {device} uses {{}} kilowatt-hours.", power, "*", hours)
    month = work.step(f"In {days} days it uses {{}} kilowatt-hours.", daily, "*", days)
    cost = work.step("They cost {}.", month, "*", price, money=True)
    bill = work.step("With the fixed charge the bill is {}.", cost, "+", fixed, money=True)
    cents = int(price * 100)
    question = (
        f"{name} has a {device} that draws {power} kilowatts and runs {hours} hours a day. A kilowatt-hour costs "
        f"{cents} cents, and there is a fixed charge of ${fixed}. How many dollars is the bill for {days} days?"
    )
    return work.problem(question, bill)


TEMPLATES = (recipe, tiles, ages, water_tank, electricity)
