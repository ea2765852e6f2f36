"""Every kind of problem, by theme."""

from __future__ import annotations

from collections.abc import Callable

from datasets.problems import Draw, Problem
from datasets.themes import farm, home, journeys, school, shop, sport, work

Template = Callable[[Draw], Problem]

TEMPLATES: tuple[Template, ...] = (
    *shop.TEMPLATES,
    *work.TEMPLATES,
    *school.TEMPLATES,
    *journeys.TEMPLATES,
    *home.TEMPLATES,
    *farm.TEMPLATES,
    *sport.TEMPLATES,
)
