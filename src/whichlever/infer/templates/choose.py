"""Which lines are worth a label: chosen without looking at any label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from whichlever.infer.templates.match import collapse
from whichlever.infer.templates.mine import mine_templates


def choose_lines(lines: Sequence[str], number: int = 32) -> list[int]:
    """Choose lines to label: one of each of the largest groups of an unlabelled mining.

    Returns
    -------
    Indices into ``lines``, the line of the largest group first; fewer than ``number`` where there
    are fewer groups.
    """
    mined = mine_templates(lines)
    size: Counter[str] = Counter()
    first: dict[str, int] = {}
    for index, line in enumerate(lines):
        template = mined.template_of(collapse(line))
        size[template] += 1
        first.setdefault(template, index)
    return [first[template] for template, _ in size.most_common(number)]
