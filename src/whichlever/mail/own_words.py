"""The author's own words: quoted and forwarded mail, signature, disclaimer, list furniture apart.

Rules go by line and look only at a line's beginning or at bounded windows of it, so the time is
linear in the text whatever a mail holds. They stand here, and not a library, because the kept
libraries search the whole mail with backtracking expressions.
"""

from __future__ import annotations

import re

# Each is matched at the beginning of a stripped line of at most _MOST characters.
_MOST = 400
_QUOTE = re.compile(r"(?:[A-Za-z]{0,4}>|\|\s|:\s?>)")
_BELOW = re.compile(
    r"-{2,10}\s?(?:original|forwarded|weitergeleitete|ursprüngliche|message|mensaje|messaggio"
    r"|begin forwarded|doorgestuurd|oorspronkelijk)[^-]{0,60}-{0,10}$"
    r"|begin forwarded message:|_{20,}$|-{5,} ?forwarded by "
    r"|am .{3,120} schrieb .{1,120}:$|el .{3,120} escribió:?$|le .{3,120} a écrit ?:?$"
    r"|il .{3,120} ha scritto:?$|op .{3,120} schreef .{0,120}:?$|em .{3,120} escreveu:?$",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?:on\b.{3,250}|.{3,120}<[^<>\s]{3,80}@[^<>\s]{3,80}>\s?|[^\s].{0,100}\b)"
    r"(?:wrote|writes|said|schrieb|schreef|écrit|escribió)\s?:$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\*{0,2}(from|sent|to|cc|subject|date|von|gesendet|an|betreff|de|envoyé|enviado|para|asunto"
    r"|objet|à)\*{0,2}\s?:\*{0,2}\s",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"-- ?$|—\s?$|sent (?:from|via) (?:my|the|outlook|mail|yahoo|proton)\b"
    r"|get outlook for |von meinem .{1,40} gesendet|envoyé de mon |enviado desde mi "
    r"|inviato da(?:l mio)? ",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r".{0,80}(?:this (?:e-?mail|message|communication|transmission)\b.{0,80}"
    r"(?:confidential|intended|privileged)"
    r"|intended (?:only|solely) for (?:the )?(?:use|person|individual|addressee|recipient|named)"
    r"|if you (?:are not|have received this|received this) .{0,40}(?:recipient|error|mistake)"
    r"|diese e-?mail .{0,40}vertraulich|confidentiality notice)",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"(?:to unsubscribe|unsubscribe[: ]|you received this (?:message|email) because"
    r"|_{10,}$|.{0,60} mailing list$|.{0,60}mailing list\s*-|list (?:info|archives?)\s?:"
    r"|yahoo! groups|={20,}$|.{0,40}https?://[^\s]{1,200}/(?:mailman/)?listinfo)",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 15
"""A signature below its delimiter is short; what comes after more lines is text again."""


def own_words(text: str) -> str:
    """The words of ``text`` that its author wrote in it, paragraphs kept.

    Quoted lines between own ones are left out, and the own ones kept; below the head of a
    forwarded or quoted mail, a signature or a list's footer nothing is kept.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    for at, line in enumerate(lines):
        bare = line.strip()[:_MOST]
        if _QUOTE.match(bare):
            _drop_attribution(kept)
            continue
        if _ends(lines, at, bare):
            break
        kept.append(line.rstrip())
    kept = _without_disclaimer(kept)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _ends(lines: list[str], at: int, bare: str) -> bool:
    """Whether nothing from this line on is the author's."""
    if not bare:
        return False
    if _BELOW.match(bare) or _headers_of_another(lines, at):
        return True
    if _wrote(lines, at, bare):
        return all(_not_own(line) for line in lines[at + 1 : at + 400])
    rest = [line for line in lines[at + 1 :][: _SIGNATURE_LINES + 1] if line.strip()]
    if _SIGNATURE.match(bare) or (_LIST.match(bare) and at > 0):
        few = len(lines) - at <= 4 * _SIGNATURE_LINES
        return few and (len(rest) <= _SIGNATURE_LINES)
    return False


def _wrote(lines: list[str], at: int, bare: str) -> bool:
    if _WROTE.match(bare):
        return True
    # "On Tue, … Jane Doe <jane@…>" is often folded onto a second line: "wrote:".
    following = lines[at + 1].strip()[:_MOST] if at + 1 < len(lines) else ""
    return (
        bool(following)
        and bare[:3].lower() in ("on ", "am ", "le ", "el ")
        and bool(_WROTE.match(f"{bare} {following}"[:_MOST]))
    )


def _not_own(line: str) -> bool:
    bare = line.strip()[:_MOST]
    return not bare or bool(_QUOTE.match(bare)) or bool(_LIST.match(bare))


def _headers_of_another(lines: list[str], at: int) -> bool:
    """Whether three of four lines from here on are From:, Sent:, To:, Subject: of another mail."""
    if not _HEADER.match(lines[at].strip()[:_MOST]):
        return False
    names = set()
    for line in lines[at : at + 6]:
        found = _HEADER.match(line.strip()[:_MOST])
        if found:
            names.add(found.group(1).lower())
    return len(names) >= 3


def _drop_attribution(kept: list[str]) -> None:
    """Take away "… wrote:" above a quotation, which is on one line or folded onto two."""
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    for taken in (1, 2):
        if end < taken:
            return
        joined = " ".join(line.strip() for line in kept[end - taken : end])[:_MOST]
        if _WROTE.match(joined) or _BELOW.match(joined):
            del kept[end - taken :]
            return


def _without_disclaimer(lines: list[str]) -> list[str]:
    """Lines above a disclaimer that stands in the last third of the text."""
    for at in range(len(lines) - 1, max(len(lines) * 2 // 3 - 1, 0), -1):
        if _DISCLAIMER.match(lines[at].strip()[:_MOST]):
            begin = at
            while begin > 1 and lines[begin - 1].strip() and at - begin < _SIGNATURE_LINES:
                begin -= 1
            return lines[:begin] if begin > 1 else lines[:at]
    return lines
