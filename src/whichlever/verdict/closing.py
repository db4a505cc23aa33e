"""What the verdict says of closing rows unseen, and what would change that."""

from __future__ import annotations

from whichlever.measure.autoclosing import Promise
from whichlever.verdict.figures import Cite
from whichlever.verdict.types import Reason


def closing_reasons(cite: Cite, lever: str | None) -> list[Reason]:
    """What the lever can promise about rows closed unseen; nothing where none was asked for."""
    found = cite.measures.autoclose
    if found is None or lever is None:
        return []
    if lever not in {own.lever for own in found.levers}:
        text = (
            f"Auto-close: {lever} was put together on the calibration rows, so they can promise "
            "nothing of it; the levers it is made of have their own promises."
        )
        return [Reason(text=text, figure="autoclose.label")]
    own, path = found.lever(lever), f"closing.{lever}"
    if own.high_confidence is None:
        return [Reason(text=f"Auto-close: {own.refusal}", figure=f"{path}.refusal")]
    sure = own.high_confidence
    out = [_told(cite, sure, f"{path}.high_confidence")]
    if not sure.held and own.expected_loss is not None and own.expected_loss.held:
        out.append(_told(cite, own.expected_loss, f"{path}.expected_loss"))
    return out


def _told(cite: Cite, promise: Promise, path: str) -> Reason:
    head = f"Auto-close with {lever_of(path)}: "
    if not promise.held:
        return Reason(text=f"{head}{_lower(promise.refusal or '')}", figure=f"{path}.units")
    tested = promise.test
    if tested is None or tested.noise is None:
        return Reason(text=f"{head}{promise.text}", figure=f"{path}.threshold")
    if not tested.closed:
        text = f"{head}the promise can be kept only by closing nothing ({{0}} test rows closed)."
        return cite.reason(text, f"{path}.test.closed")
    label = cite.measures.autoclose.label if cite.measures.autoclose else ""
    text = (
        f"{head}{promise.text} On the test rows it closes {{0}} of {label}, and {{closed}} of "
        "{rows} protected rows"
    )
    more = {"closed": f"{path}.test.protected_closed", "rows": f"{path}.test.protected_rows"}
    if tested.missed is not None:
        text += ", a share of {missed}"
        more["missed"] = f"{path}.test.missed"
        if tested.missed.low is not None and tested.missed.low > promise.at_most:
            text += ": more than promised, so the test rows are not like the calibration rows"
    return cite.reason(f"{text}.", f"{path}.test.noise", **more)


def lever_of(path: str) -> str:
    """The lever's name in ``closing.NAME.KIND``."""
    return path.split(".", 1)[1].rsplit(".", 1)[0]


def closing_changes(cite: Cite, lever: str | None) -> list[Reason]:
    """Name the number of labels with which a refused promise could be made."""
    found = cite.measures.autoclose
    own = next((o for o in found.levers if o.lever == lever), None) if found else None
    sure = own.high_confidence if own is not None else None
    if sure is None or sure.held:
        return []
    path = f"closing.{lever}.high_confidence"
    what = "groups with protected" if sure.unit == "group" else "protected"
    text = (
        f"Auto-close could be promised with {{0}} {what} calibration rows and none closed; there "
        "are {units}"
    )
    more = {"units": f"{path}.units"}
    if sure.more_rows:
        text += ". At the share seen, that is about {rows} more labelled calibration rows"
        more["rows"] = f"{path}.more_rows"
    return [cite.reason(f"{text}.", f"{path}.needed", **more)]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
