"""From what was found to HTML."""

from collections.abc import Sequence

import jinja2
import pandas as pd

from crossres.report.summary import ChannelSummary
from crossres.report.tables import Table


def render_page(
    template: str, channels: Sequence[ChannelSummary], claims: pd.DataFrame, scale: str
) -> str:
    """Return the page.

    Parameters
    ----------
    template
        Text of workflow/templates/summary.html, in the language of Jinja.
    channels
        What was found in each channel.
    claims
        claims.csv.
    scale
        Of this run.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        channels=channels, claims=Table.of(claims), scale=scale
    )
