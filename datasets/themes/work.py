"""Wages, savings and things made."""

from __future__ import annotations

from fractions import Fraction

from datasets.problems import WORDS, Draw, Problem, Solution


def overtime(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    wage, extra, hours = draw.whole(12, 36, 2), draw.whole(2, 12), draw.pick([35, 38, 40])
    job = draw.pick(["bakery", "warehouse", "library", "hotel", "workshop"])
    work = Solution()
    base = work.step("The ordinary hours bring {}.", hours, "*", wage, money=True)
    rate = work.step("An hour of overtime is worth {}.", wage, "*", Fraction(3, 2), money=True)
    over = work.step("The overtime brings {}.", extra, "*", rate, money=True)
    total = work.step("The week's pay is {}.", base, "+", over, money=True)
    question = (
        f"{name} works in a {job} for ${wage} an hour. Hours beyond {hours} a week are paid one and a half times as much. "
        f"How many dollars does {name} earn in a week of {hours + extra} hours?"
    )
    return work.problem(question, total)


def saving_up(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    weeks, saved, gift = draw.whole(4, 20), draw.whole(5, 30), draw.whole(10, 60, 5)
    weekly = draw.whole(6, 25)
    price = weekly * weeks + saved + gift
    thing = draw.pick(["a telescope", "a skateboard", "a camera", "a pair of skis", "an amplifier"])
    work = Solution()
    has = work.step(f"{name} already has {{}}.", saved, "+", gift, money=True)
    missing = work.step("Still missing is {}.", price, "-", has, money=True)
    needed = work.step("That takes {} weeks.", missing, "/", weekly)
    question = (
        f"{name} wants {thing} that costs ${price}. There is ${saved} in the money box and ${gift} came as a birthday present. "
        f"Putting aside ${weekly} a week, how many weeks does {name} have to save?"
    )
    return work.problem(question, needed)


def machines(draw: Draw) -> Problem:
    count, minutes, each = draw.whole(3, 12), draw.pick([4, 5, 6, 10, 12, 15]), draw.whole(2, 9)
    hours, faulty = draw.whole(4, 10), draw.whole(10, 90, 10)
    item = draw.pick(["bolts", "toy cars", "bottle caps", "hinges", "light bulbs"])
    work = Solution()
    rounds = work.step("In an hour a machine does {} rounds.", 60, "/", minutes)
    hourly = work.step(f"One machine makes {{}} {item} an hour.", rounds, "*", each)
    together = work.step(f"All of them make {{}} {item} an hour.", hourly, "*", count)
    day = work.step(f"In the whole shift that is {{}} {item}.", together, "*", hours)
    good = work.step(f"The good ones are {{}} {item}.", day, "-", faulty)
    question = (
        f"A factory has {count} machines. Each makes {each} {item} every {minutes} minutes. In a shift of {hours} hours, {faulty} of the "
        f"{item} turn out faulty. How many good {item} does the shift make?"
    )
    return work.problem(question, good)


def painting(draw: Draw) -> Problem:
    a, b = draw.names(2)
    slow, fast, hours = draw.whole(3, 9), draw.whole(10, 18), draw.whole(3, 8)
    thing = draw.pick(["fence posts", "chairs", "shutters", "flower pots", "garden gnomes"])
    total = (slow + fast) * hours + draw.whole(5, 60)
    work = Solution()
    both = work.step(f"Together they paint {{}} {thing} an hour.", slow, "+", fast)
    done = work.step(f"In {hours} hours they paint {{}} {thing}.", both, "*", hours)
    left = work.step(f"Left to paint are {{}} {thing}.", total, "-", done)
    question = (
        f"{a} paints {slow} {thing} an hour and {b} paints {fast}. There are {total} {thing} to paint. "
        f"After they have worked side by side for {WORDS[hours]} hours, how many are left?"
    )
    return work.problem(question, left)


def account(draw: Draw) -> Problem:
    (name,) = draw.names(1)
    start, rent = draw.whole(100, 400, 10), draw.whole(450, 900, 10)
    pay, bills = draw.whole(200, 420, 10), draw.whole(40, 160, 5)
    work = Solution()
    got = work.step("Before anything is taken off, the account holds {}.", start, "+", pay, money=True)
    costs = work.step("What is taken off comes to {}.", rent, "+", bills, money=True)
    short = costs - got
    if short <= 0:
        balance = work.step("The balance is {}.", got, "-", costs, money=True)
    else:
        work.step("The account is short of {}, so the balance is below zero.", costs, "-", got, money=True)
        balance = -short
    question = (
        f"{name}'s account holds ${start}. A refund of ${pay} arrives, then rent of ${rent} and bills of ${bills} are taken off. "
        "What is the balance in dollars? Write a negative number if the account is overdrawn."
    )
    return work.problem(question, balance, below_zero=True)


TEMPLATES = (overtime, saving_up, machines, painting, account)
