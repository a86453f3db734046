"""The page that sums up a run; its words and layout are in workflow/templates."""

from crossres.report.page import render_page
from crossres.report.summary import ChannelTables, summarise

__all__ = ["ChannelTables", "render_page", "summarise"]
