"""Template mining: what of a line is constant and what is variable, from few labelled lines."""

from whichlever.infer.templates.choose import choose_lines
from whichlever.infer.templates.match import WILDCARD
from whichlever.infer.templates.mine import TemplateSet, mine_templates

__all__ = ["WILDCARD", "TemplateSet", "choose_lines", "mine_templates"]
