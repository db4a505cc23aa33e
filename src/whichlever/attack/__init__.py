"""Text that an attacker controls, tried on every lever of a run and on a live server.

The measuring itself (`whichlever.measure.attack_evade`) knows no lever; this room hands it the
fitted ones, the records an attacker writes into, and the time there is.
"""

from whichlever.attack.aim import check_attack
from whichlever.attack.job import attack_run, with_attacks
from whichlever.attack.served import attack_server

__all__ = ["attack_run", "attack_server", "check_attack", "with_attacks"]
