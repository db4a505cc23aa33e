"""Two trades' jargon, made up for the simulation: what is written, and what it means.

A code has several spellings; each site has its own habit. The sentences are what a new colleague
at the desk would have to be told.
"""

from __future__ import annotations

from collections.abc import Mapping

Codes = Mapping[str, tuple[tuple[str, ...], ...]]
"""Plain sentence → slots of a note, each with its spellings."""

DENTAL: Codes = {
    "The patient needs a crown; book a long appointment.": (
        ("pfm", "crn prep", "full crwn"), ("# cusp", "fx cusp", "broken cusp"),
    ),
    "The nerve has to be treated before anything else.": (
        ("rct", "endo", "root tx"), ("irrev pulpitis", "tap+", "ttp++"),
    ),
    "The tooth cannot be kept and has to come out.": (
        ("xla", "exo", "ext"), ("gr iii mob", "unrestorable", "vrf"),
    ),
    "A small filling is enough.": (
        ("comp", "cr fill", "gic"), ("dbl caries", "class ii", "occl caries"),
    ),
    "The gums need a deep cleaning over several visits.": (
        ("srp", "rsd", "deep scale"), ("bpe 4", "6mm pkts", "bop 80%"),
    ),
    "Nothing is to be done; call the patient again in six months.": (
        ("6/12 recall", "rc 6m", "ncr 6/12"), ("nad", "wnl", "no tx"),
    ),
    "The patient grinds at night and gets a guard.": (
        ("nti", "occ splint", "nite guard"), ("attrition", "bruxer", "mm tender"),
    ),
    "The bite has to be checked by the orthodontist.": (
        ("ortho ref", "ref brace", "ortho r/v"), ("cl ii div 1", "oj 9mm", "crowding"),
    ),
    "A swelling has to be seen today.": (
        ("i+d", "inc drain", "drain abs"), ("facial swell", "pyrexia", "swelling++"),
    ),
    "The denture rubs and has to be eased.": (
        ("ease f/f", "adj dent", "ease p/-"), ("sore spot", "ulcer flange", "rubs"),
    ),
}  # fmt: skip

FREIGHT: Codes = {
    "The sender pays everything up to the port of arrival.": (
        ("cif", "cip", "frt ppd"), ("to pod", "ins incl", "pod charges coll"),
    ),
    "The buyer collects at the factory and pays everything.": (
        ("exw", "ex wks", "ex works"), ("coll by cnee", "buyer arr", "pu at fcty"),
    ),
    "The goods are held until customs has seen them.": (
        ("hold cus", "cus exam", "c/h hold"), ("x-ray", "vacis", "phys insp"),
    ),
    "The container came back late and is charged by the day.": (
        ("det", "detn", "det chgs"), ("mty late", "empty ret late", "after lfd"),
    ),
    "The box stood too long at the terminal and is charged by the day.": (
        ("dem", "demurr", "dmg chgs"), ("lfd passed", "free time over", "at pod 9d"),
    ),
    "Goods of several customers share one container.": (
        ("lcl", "groupage", "consol"), ("cfs", "w/m rate", "3 cbm"),
    ),
    "The ship left without this cargo; take the next one.": (
        ("rolled", "roll over", "rlld"), ("ovrbkd", "next vsl", "cut off missed"),
    ),
    "The papers are missing, so nothing is released.": (
        ("no obl", "bl pending", "docs short"), ("no rls", "telex n/r", "await obl"),
    ),
    "The load is dangerous and needs its declaration.": (
        ("dg", "haz", "imo cl 3"), ("dgd req", "un1263", "msds pls"),
    ),
    "The cargo has to stay cold all the way.": (
        ("reefer", "rf 40hc", "temp ctrl"), ("set -18", "genset", "+2/+8"),
    ),
}  # fmt: skip

TRADES: Mapping[str, Codes] = {"dental": DENTAL, "freight": FREIGHT}

PAST = ("prev", "hx", "last yr", "done b4")
"""Before a code: it is of the past, and means nothing for today."""

ASIDES = ("pls adv", "tc", "asap", "fyi", "as disc", "see file", "cb pm", "by fri", "ok w/ mgr")
