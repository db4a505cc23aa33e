"""The texts of a kit: its installer, its README and its pinned requirements."""

from __future__ import annotations

from importlib.resources import files

from whichlever.seal.format import INSTALLER, README, REQUIREMENTS, Kit
from whichlever.seal.installed import OWN

ROOM = 1.35
"""How much room an installation needs per installed byte: compiled modules and some slack."""


def texts(kit: Kit, kit_bytes: int) -> dict[str, str]:
    """The kit's texts by file name; ``kit_bytes`` is about its size."""
    own = [p.name for p in kit.packages if p.origin == "built"]
    repacked = sum(p.origin == "repacked" for p in kit.packages)
    kept = sum(p.origin == "kept" for p in kit.packages)
    words = {
        "@VERSION@": kit.whichlever,
        "@PYTHON@": kit.python,
        "@PLATFORM@": kit.platform,
        "@GLIBC@": kit.glibc or "",
        "@GLIBC_SAID@": f", glibc {kit.glibc} or newer" if kit.glibc else "",
        "@EXTRAS@": ", ".join(kit.extras) or "no optional part",
        "@PACKAGES@": str(len(kit.packages)),
        "@KIT_MB@": f"{kit_bytes / 1e6:.0f}",
        "@INSTALLED_MB@": f"{kit.installed_bytes / 1e6:.0f}",
        "@NEEDS_KB@": str(int(kit.installed_bytes * ROOM / 1024)),
        "@ORIGINS@": (
            f"{repacked} wheels were packed again from what was installed and tested where this "
            f"was sealed,\neach file checked against its record: their bytes are not those of the "
            f"published wheels.\n{kept} wheels were kept and are as they were"
            + (f"; {', '.join(own)} was built from its source tree." if own else ".")
        ),
    }
    made = {REQUIREMENTS: _requirements(kit)}
    for name, source in ((INSTALLER, "install.sh"), (README, "readme.txt")):
        text = files(__package__).joinpath(source).read_text(encoding="utf-8")
        for mark, word in words.items():
            text = text.replace(mark, word)
        made[name] = text
    return made


def _requirements(kit: Kit) -> str:
    extras = f"[{','.join(kit.extras)}]" if kit.extras else ""
    return "".join(
        f"{p.name}{extras if p.name == OWN else ''}=={p.version} --hash=sha256:{p.sha256}\n"
        for p in kit.packages
    )
