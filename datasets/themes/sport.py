"""Training, tournaments and games."""

from __future__ import annotations

from datasets.problems import TIMES, WORDS, Draw, Problem, Solution


def laps(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    length, count, more = draw.pick([25, 50, 200, 250, 400]), draw.whole(6, 30), draw.whole(2, 10)
    days = draw.whole(2, 5)
    what, verb, unit = ("pool", "swims", "lengths") if length <= 50 else ("track", "runs", "laps")
    work = Solution()
    longer = work.step(f"On the long day that is {{}} {unit}.", count, "+", more)
    ordinary = work.step(f"On the ordinary days that makes {{}} {unit}.", days, "*", count)
    total = work.step(f"In the week that is {{}} {unit}.", ordinary, "+", longer)
    metres = work.step("They come to {} metres.", total, "*", length)
    question = (
        f"A {what} is {length} metres long. {name} {verb} {count} {unit} on each of {WORDS[days]} days, and on one "
        f"further day {more} {unit} more than on each of those. How many metres is that in all?"
    )
    return work.problem(question, metres)


def league(draw: Draw) -> Problem:
    wins, draws, losses = draw.whole(5, 22), draw.whole(2, 12), draw.whole(2, 10)
    for_win, for_draw, penalty = draw.pick([2, 3]), 1, draw.whole(2, 4)
    sport = draw.pick(["football", "handball", "hockey", "water polo", "chess"])
    work = Solution()
    won = work.step("The wins bring {} points.", wins, "*", for_win)
    level = work.step("The draws bring {} points.", draws, "*", for_draw)
    both = work.step("Together that is {} points.", won, "+", level)
    total = work.step("After the penalty {} points are left.", both, "-", penalty)
    question = (
        f"In a {sport} league a win is worth {for_win} points, a draw {for_draw} point and a loss nothing. A team "
        f"has {wins} wins, {draws} draws and {losses} losses, and {penalty} points are taken away for fielding a "
        "player who was not registered. How many points has the team?"
    )
    return work.problem(question, total)


def tickets(draw: Draw) -> Problem:
    rows, seats, price = draw.whole(12, 60), draw.whole(18, 45), draw.whole(6, 30)
    empty, free = draw.whole(10, 120, 5), draw.whole(5, 40)
    event = draw.pick(["final", "derby", "gymnastics show", "boxing evening"])
    work = Solution()
    places = work.step("The hall has {} seats.", rows, "*", seats)
    taken = work.step("Taken are {} seats.", places, "-", empty)
    paying = work.step("Paid for are {} seats.", taken, "-", free)
    money = work.step("They bring {}.", paying, "*", price, money=True)
    question = (
        f"A hall has {rows} rows of {seats} seats. At the {event}, {empty} seats stay empty and {free} go to "
        f"helpers who pay nothing. All others cost ${price}. How many dollars do the tickets bring?"
    )
    return work.problem(question, money)


def basketball(draw: Draw) -> Problem:
    a, b = draw.names(2)
    twos, threes, frees = draw.whole(3, 14), draw.whole(2, 8), draw.whole(2, 9)
    factor = draw.pick([2, 3])
    work = Solution()
    two = work.step("The two-point shots bring {} points.", twos, "*", 2)
    three = work.step("The three-point shots bring {} points.", threes, "*", 3)
    own = work.step(f"{a} scores {{}} points.", two, "+", three, "+", frees)
    other = work.step(f"{b} scores {{}} points.", own, "*", factor)
    both = work.step("Together they score {} points.", own, "+", other)
    question = (
        f"In a game of basketball {a} makes {twos} two-point shots, {threes} three-point shots and {frees} free "
        f"throws worth one point each. {b} scores {TIMES[factor]} as many points as {a}. How many points do the two score together?"
    )
    return work.problem(question, both)


def training_plan(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    first, more, weeks = draw.whole(8, 30), draw.whole(2, 6), draw.pick([3, 4])
    activity, unit = draw.pick([("rides", "kilometres"), ("rows", "kilometres"), ("walks", "kilometres"), ("trains", "hours")])
    work = Solution()
    amounts = [work.step(f"In the second week that is {{}} {unit}.", first, "+", more)]
    amounts.append(work.step(f"In the third week that is {{}} {unit}.", amounts[-1], "+", more))
    if weeks == 4:
        amounts.append(work.step(f"In the fourth week that is {{}} {unit}.", amounts[-1], "+", more))
    parts = [part for amount in amounts for part in ("+", amount)]
    total = work.step(f"In all that is {{}} {unit}.", first, *parts)
    question = (
        f"{name} {activity} {first} {unit} in the first week, and in every further week {more} {unit} more than in the week before. "
        f"How many {unit} is that in the first {WORDS[weeks]} weeks?"
    )
    return work.problem(question, total)


TEMPLATES = (laps, league, tickets, basketball, training_plan)
