"""How every page is made: Jinja with escaping on, and the look they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from rft.report.drawing import DARK, LIGHT


def page(template: str, **values: Any) -> str:
    """The template of this folder with `values`; everything that is no `Markup` is escaped.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(light=LIGHT, dark=DARK, **values)
