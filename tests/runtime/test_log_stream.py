"""`run --format logs` as a process: order, checkpoints, kills, stops, doors, and what it says."""

from __future__ import annotations

import gzip
import json
import random
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from small_parser import finish, start
from whichlever.packs.logs.simulate import simulate_lines


def documents(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def originals(data: bytes) -> list[str]:
    return [d["event"]["original"] for d in documents(data)]


def until(path: Path, lines: int, child: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Wait until a file has so many lines."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        assert child.poll() is None, child.stderr and child.stderr.read()
        time.sleep(0.02)
    raise AssertionError(f"{path} has not {lines} lines")


def stopped(child: subprocess.Popen[bytes], sign: int = signal.SIGTERM) -> tuple[int, str]:
    child.send_signal(sign)
    _, said = child.communicate(timeout=120)
    return child.returncode, said.decode()


def test_a_pipe_answers_at_once_in_order_as_ecs() -> None:
    child = start("-i", "-", "--source", "gate")
    assert child.stdin is not None
    assert child.stdout is not None
    for number in range(1, 4):
        child.stdin.write(b"deny 10.0.0.%d to 192.0.2.7\n" % number)
        child.stdin.flush()
        said = json.loads(child.stdout.readline())  # before the next line is written
        assert said == {
            "source": {"ip": f"10.0.0.{number}"}, "client": {"ip": f"10.0.0.{number}"},
            "destination": {"ip": "192.0.2.7"},
            "event": {"original": f"deny 10.0.0.{number} to 192.0.2.7", "dataset": "gate"},
            "whichlever": {"id": number, "source": "gate", "confidence": 0.9, "shape": "two",
                           "abstain": False},
        }  # fmt: skip
    _, error = child.communicate(b"only 10.0.0.9\n nothing", timeout=120)
    assert child.returncode == 0
    assert b"5 events" in error
    assert b"3 by shape, 2 read by the tagger, 1 left to a person, 0 error rows" in error


def test_every_manner_of_writing(tmp_path: Path) -> None:
    line = b"deny 10.0.0.1 to 192.0.2.7\nnone\n"
    (dotted, unsure) = documents(finish("-i", "-", "--as", "dotted", given=line).stdout)
    assert dotted["source.ip"] == "10.0.0.1"
    assert unsure["whichlever.abstain"] is True
    (answer, _) = documents(finish("-i", "-", "--as", "answers", given=line).stdout)
    assert answer == {
        "id": 1,
        "fields": {"source.ip": "10.0.0.1", "client.ip": "10.0.0.1", "destination.ip": "192.0.2.7"},
        "spans": {"client.ip": [[5, 13]], "source.ip": [[5, 13]], "destination.ip": [[17, 26]]},
        "shape": "two",
        "abstain": False,
    }
    (ocsf, _) = documents(finish("-i", "-", "--as", "ocsf", given=line).stdout)
    assert ocsf["src_endpoint"] == {"ip": "10.0.0.1"}
    assert ocsf["raw_data"] == "deny 10.0.0.1 to 192.0.2.7"
    wrong = finish("-i", "-", "--as", "xml", given=line)
    assert wrong.returncode == 2
    assert b"--as 'xml'" in wrong.stderr


def test_files_go_on_with_what_they_have_gained(tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", tmp_path / "out.jsonl"
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(b"from b 10.0.0.2\n"))
    log.write_bytes(b"one\ntwo\n")
    command = ("-i", str(tmp_path / "*.log*"), "-o", str(out), "--json")
    first = json.loads(finish(*command).stdout)
    assert (first["events"], first["resumed"]) == (3, False)
    with log.open("ab") as file:
        file.write(b"three\n")
    again = json.loads(finish(*command).stdout)
    assert (again["events"], again["resumed"]) == (1, True)
    assert originals(out.read_bytes()) == ["one", "two", "from b 10.0.0.2", "three"]
    assert [d["whichlever"]["id"] for d in documents(out.read_bytes())] == [1, 2, 3, 4]
    assert documents(out.read_bytes())[0]["log"]["file"]["path"] == str(log)
    other = finish(*command, "--as", "dotted")
    assert other.returncode == 2
    assert b"another --as" in other.stderr
    assert finish(*command, "--as", "dotted", "--restart").returncode == 0
    assert len(documents(out.read_bytes())) == 4
    (tmp_path / ".out.jsonl.state.json").unlink()
    there = finish(*command)
    assert there.returncode == 2
    assert b"is there already" in there.stderr


def test_kill_minus_nine_of_a_follower_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    log, out, dice = tmp_path / "app.log", tmp_path / "out.jsonl", random.Random(5)
    lines = [line.replace("\n", " ") for line in simulate_lines(4_000, 1)]
    written = kills = 0
    child = start("-i", str(log), "--follow", "-o", str(out))
    while written < len(lines):
        with log.open("a") as file:
            file.writelines(f"{line}\n" for line in lines[written : written + 250])
        written += 250
        if written in (1_000, 2_250, 3_000):
            until(out, dice.randrange(1, written // 2), child)
            child.kill()
            child.communicate()
            kills += 1
            log.rename(tmp_path / f"app.log.{kills}")  # rotated while nobody reads
            child = start("-i", str(log), "--follow", "-o", str(out))
    until(out, len(lines), child)
    code, said = stopped(child)
    assert code == 0, said
    assert kills == 3
    whole = finish("-i", "-", given="".join(f"{line}\n" for line in lines).encode())
    assert originals(out.read_bytes()) == lines
    same = [{k: v for k, v in d.items() if k != "log"} for d in documents(out.read_bytes())]
    assert same == documents(whole.stdout)  # the very bytes but for the file's name


def test_a_stop_flushes_what_is_held_and_a_restart_goes_on(tmp_path: Path) -> None:
    log, out = tmp_path / "app.log", tmp_path / "out.jsonl"
    log.write_text("2024-06-01 a\n at b\n2024-06-01 c\n at d\nhalf")
    command = ("-i", str(log), "--follow", "-o", str(out), "--join", "timestamp")
    child = start(*command)
    until(out, 1, child)
    code, said = stopped(child)
    assert code == 0
    assert "(stopped)" in said
    assert "4 bytes of an unfinished line" in said
    assert originals(out.read_bytes()) == ["2024-06-01 a\n at b", "2024-06-01 c\n at d"]
    with log.open("a") as file:
        file.write(" whole\n2024-06-02 e\n")
    child = start(*command)
    until(out, 4, child)
    stopped(child, signal.SIGINT)
    assert originals(out.read_bytes())[2:] == ["half whole", "2024-06-02 e"]


def test_syslog_by_udp_and_tcp_to_the_last_message(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    child = start("--listen", "udp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "-o", str(out),
                  "--source", "127.0.0.1=gate")  # fmt: skip
    assert child.stderr is not None
    ports = [int(child.stderr.readline().rsplit(b":", 1)[1]) for _ in range(2)]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.create_connection(("127.0.0.1", ports[1]))
    for i in range(300):
        udp.sendto(b"<13>udp %d 10.0.0.1 192.0.2.1" % i, ("127.0.0.1", ports[0]))
        message = b"<13>tcp %d 10.0.0.1 192.0.2.1" % i
        tcp.sendall(b"%d %s" % (len(message), message))
    until(out, 1, child)
    tcp.close()
    code, said = stopped(child)
    udp.close()
    assert code == 0
    assert "600 events" in said
    assert "lost" not in said
    seen = originals(out.read_bytes())
    for kind in ("udp", "tcp"):
        mine = [text for text in seen if text.startswith(f"<13>{kind}")]
        assert mine == [f"<13>{kind} {i} 10.0.0.1 192.0.2.1" for i in range(300)]
    first = documents(out.read_bytes())[0]
    assert (first["event"]["dataset"], first["log"]["source"]["address"]) == ("gate", "127.0.0.1")


def test_a_reader_that_goes_away_is_a_clear_stop_and_nothing_is_lost(tmp_path: Path) -> None:
    log, state = tmp_path / "a.log", tmp_path / "state.json"
    log.write_text("".join(f"line {i} {'x' * 300}\n" for i in range(6_000)))
    child = start("-i", str(log), "--state", str(state))
    assert child.stdout is not None
    assert child.stderr is not None
    first = [json.loads(child.stdout.readline())["event"]["original"] for _ in range(5)]
    child.stdout.close()
    said = child.stderr.read().decode()
    assert child.wait(120) == 2
    child.communicate()
    assert said.count("\n") == 1
    assert "its reader went away" in said
    rest = finish("-i", str(log), "--state", str(state))
    assert rest.returncode == 0
    seen = {text.split()[1] for text in [*first, *originals(rest.stdout)]}
    assert seen == {str(i) for i in range(6_000)}


def test_what_does_not_go_together_is_said_in_one_line(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x\n")
    for options, said in (
        ((), "nothing to read"),
        (("-i", "-", "-i", str(log)), "a pipe is read alone"),
        (("-i", "-", "--follow"), "--follow goes with files"),
        (("-i", str(log), "-o", str(log)), "a file of their own"),
        (("-i", str(tmp_path / "none")), "no such file"),
        (("-i", str(log), "--join", "x"), "--join"),
        (("--listen", "udp://8.8.8.8:1"), "cannot listen there"),
        (("-i", str(log), "-o", str(tmp_path / "no" / "out")), "no such folder"),
    ):
        done = finish(*options)
        assert done.returncode == 2, done.stderr
        assert said.encode() in done.stderr
        assert done.stderr.count(b"\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.log"]
