"""A kit is installed where there is no network, and the whole loop runs there without one.

What was tried is counted from outside: strace sees every call that could reach another machine,
also of native code and child processes, and the namespace's kernel counts packets it had no route
for. The kit is one without training parts, so that it is sealed and installed in a minute or two;
docs/on-prem.md says what the whole kit did.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from inside_room import CONTROL
from room import Watched, run_inside, watched, way_in

from whichlever.bundle.sign import new_key
from whichlever.seal.kit import write_kit
from whichlever.seal.plan import ANSWERING, plan_kit

LEVERS = "{linear: {windows: [400], c: [1.0], max_features: 20000}}"
RUN = {
    "audit.json", "environment.json", "examples.parquet", "lock", "measures.json", "report.html",
    "requests.jsonl", "splits.parquet", "task.yaml", "trials.parquet", "verdict.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Watched]:
    if shutil.which("strace") is None:
        pytest.skip("no strace here (Debian: apt-get install strace)")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here (Debian: apt-get install openssl)")
    if way_in() is None:
        pytest.skip("network namespaces are not permitted here (run as root)")
    place = tmp_path_factory.mktemp("sealed")
    private, public = new_key(place / "team")
    kit = write_kit(plan_kit(ANSWERING, level=1), place / "kit.tar", private).path
    (place / "room").mkdir()
    return run_inside(kit, public, place / "room", LEVERS)


@pytest.mark.slow
def test_the_loop_runs_from_the_kit_alone(walked: tuple[dict[str, Any], Watched]) -> None:
    said, _ = walked
    assert list(said["seconds"]) == [
        "install", "init", "compare", "pack", "key", "sign", "verify", "run",
    ]  # fmt: skip
    assert len(said["answers"]) == 200
    labels = {"critical", "investigate", "noise"}
    assert {line["label"] for line in said["answers"]} <= labels
    served = [line["label"] for line in said["served"]]
    assert served == [line["label"] for line in said["answers"][: len(served)]]


@pytest.mark.slow
def test_nothing_tried_to_leave(walked: tuple[dict[str, Any], Watched]) -> None:
    said, seen = walked
    assert said["interfaces"] == ["lo"]
    assert seen.off_loopback == [f"connect {CONTROL}"]  # the one that was made on purpose
    assert said["control"] != "reached"
    assert said["without_route"] == 0
    assert said["without_route_after_control"] == 1
    assert seen.reached["connect"] > {CONTROL}  # loopback was used, and seen
    assert seen.local == set()  # nor was a daemon asked that could look up names for it


@pytest.mark.slow
def test_files_lie_only_where_the_manual_says(walked: tuple[dict[str, Any], Watched]) -> None:
    said, _ = walked
    assert said["home"] == []  # without weights there is nothing to keep there
    assert said["tmp"] == []
    top = {name.partition("/")[0] for name in said["work"]}
    assert top == {
        "task", "run", "model.wl", "mine.key", "mine.pub", "in.jsonl", "out.jsonl",
        ".out.jsonl.job.json",
    }  # fmt: skip
    run = {name.removeprefix("run/").partition("/")[0] for name in said["work"]
           if name.startswith("run/")}  # fmt: skip
    assert run == RUN | {"fits"}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('1 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16'
         " <unfinished ...>", ["connect 10.0.0.2"]),
        ('1 sendto(3, "x", 1, 0, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), '
         'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 1',
         ["sendto 2001:db8::1"]),
        ('1 sendmmsg(3, [{msg_hdr={msg_name={sa_family=AF_INET, sin_port=htons(53), '
         'sin_addr=inet_addr("192.0.2.9")}, msg_namelen=16}, msg_len=1}], 1, 0) = 1',
         ["sendmmsg 192.0.2.9"]),
        ('1 connect(3, {sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), '
         'inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr), sin6_scope_id=0}, 28) = 0', []),
        ('1 bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("0.0.0.0")}, 16) = 0',
         ["bind 0.0.0.0"]),
    ],
)  # fmt: skip
def test_what_strace_writes_is_read(line: str, found: list[str]) -> None:
    assert watched(line).off_loopback == found


def test_a_local_daemon_that_was_asked_is_seen() -> None:
    line = '1 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT'
    assert watched(line).local == {"/var/run/nscd/socket"}
