"""A simulated company's people and mail."""

from whichlever.packs.phishing.simulate.mailbox import Simulated, simulate_mailbox
from whichlever.packs.phishing.simulate.world import DOMAIN, Person, make_people

__all__ = ["DOMAIN", "Person", "Simulated", "make_people", "simulate_mailbox"]
