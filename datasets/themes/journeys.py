"""Distances, speeds, fuel and temperatures on the way."""

from __future__ import annotations

from fractions import Fraction

from datasets.problems import WORDS, Draw, Problem, Solution, dollars


def two_stages(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    fast, slow = draw.whole(70, 110, 5), draw.whole(30, 60, 5)
    first, second = draw.whole(2, 6), Fraction(draw.whole(3, 9), 2)
    work = Solution()
    one = work.step("On the motorway that is {} kilometres.", fast, "*", first)
    two = work.step("On the country roads that is {} kilometres.", slow, "*", second)
    both = work.step("The whole way is {} kilometres.", one, "+", two)
    hours = f"{float(second):g}"
    question = (
        f"{name} drives for {first} hours on the motorway at {fast} kilometres an hour and then for {hours} hours "
        f"on country roads at {slow} kilometres an hour. How many kilometres is that?"
    )
    return work.problem(question, both)


def fuel(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    each_way, per_litre = draw.whole(60, 480, 12), draw.pick([8, 10, 12, 15, 16])
    price, tolls = Fraction(draw.pick([125, 150, 160, 175, 200]), 100), draw.whole(4, 24)
    vehicle = draw.pick(["car", "van", "camper", "taxi"])
    work = Solution()
    way = work.step("There and back is {} kilometres.", each_way, "*", 2)
    litres = work.step(f"The {vehicle} needs {{}} litres.", way, "/", per_litre)
    cost = work.step("The fuel costs {}.", litres, "*", price, money=True)
    total = work.step("With the tolls it comes to {}.", cost, "+", tolls, money=True)
    question = (
        f"{name} takes a {vehicle} to a town {each_way} kilometres away and back again. The {vehicle} goes "
        f"{per_litre} kilometres on a litre, a litre costs {dollars(price)}, and the tolls come to ${tolls}. How "
        "many dollars does the trip cost?"
    )
    return work.problem(question, total)


def catching_up(draw: Draw) -> Problem:
    a, b = draw.names(2)
    slow, difference, lead = draw.whole(6, 18), draw.whole(2, 9), draw.whole(2, 5)
    fast = slow + difference
    work = Solution()
    ahead = work.step(f"When {b} sets out, {a} is {{}} kilometres ahead.", slow, "*", lead)
    closing = work.step("The gap shrinks by {} kilometres every hour.", fast, "-", slow)
    hours = work.step(f"{b} catches up after {{}} hours.", ahead, "/", closing)
    way = work.step(f"By then {b} has gone {{}} kilometres.", hours, "*", fast)
    question = (
        f"{a} leaves the village by bicycle at {slow} kilometres an hour. {WORDS[lead].capitalize()} hours later "
        f"{b} follows on the same road at {fast} kilometres an hour. How many kilometres from the village does {b} catch up?"
    )
    return work.problem(question, way)


def mountain(draw: Draw) -> Problem:
    start, drop = draw.whole(2, 18), draw.pick([5, 6, 7])
    climbs = draw.whole(2, 5)
    back = draw.whole(2, 6)
    place = draw.pick(["hut", "pass", "summit", "glacier camp"])
    work = Solution()
    fall = work.step("On the way up it gets colder by {} degrees.", climbs, "*", drop)
    if fall > start:
        below = work.step(f"At the {place} it is {{}} degrees below zero.", fall, "-", start)
        result = back - below
        if result < 0:
            work.step("In the sun it is still {} degrees below zero.", below, "-", back)
        else:
            work.step("In the sun it is {} degrees.", back, "-", below)
    else:
        above = work.step(f"At the {place} it is {{}} degrees.", start, "-", fall)
        result = work.step("In the sun it is {} degrees.", above, "+", back)
    question = (
        f"In the valley it is {start} degrees Celsius. For every thousand metres of height it gets {drop} degrees "
        f"colder, and the {place} lies {climbs} thousand metres higher. Then the sun comes out and warms the {place} by {back} degrees. "
        "How many degrees is it there now? Write a negative number if it is below zero."
    )
    return work.problem(question, Fraction(result), below_zero=True)


def ferry(draw: Draw) -> Problem:
    trips, cars, people = draw.whole(4, 12), draw.whole(12, 60), draw.whole(2, 4)
    walkers, price = draw.whole(20, 120, 4), draw.whole(2, 9)
    work = Solution()
    riding = work.step("In the cars there are {} people on a crossing.", cars, "*", people)
    each = work.step("With those on foot that makes {} people.", riding, "+", walkers)
    day = work.step("In a day that is {} people.", each, "*", trips)
    money = work.step("They pay {}.", day, "*", price, money=True)
    question = (
        f"A ferry crosses the strait {trips} times a day. On every crossing it carries {cars} cars with {people} "
        f"people in each, and {walkers} people on foot. Everyone pays ${price}. How many dollars does the ferry take in a day?"
    )
    return work.problem(question, money)


TEMPLATES = (two_stages, fuel, catching_up, mountain, ferry)
