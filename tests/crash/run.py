#!/usr/bin/python3
"""Kills the server under load, fails its commits and fills its disk; looks whether everything it said is still true.

  run.py [--kills N] [--items N] [--seed N]

The binary is $PUDDLE (default build/puddle). Ends with "N passed, N failed"."""
import argparse
import json
import os
import pathlib
import random
import resource
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]
import check  # noqa: E402
import load  # noqa: E402
from puddle import BINARY, Server  # noqa: E402

WORKERS = 5
RESTART_MS = 150


def sanitized():
    with open(BINARY, "rb") as f:
        return b"__asan_init" in f.read()


def restart_ms(server):
    began = time.monotonic()
    server.start()
    return (time.monotonic() - began) * 1000


def kill_under_load(kills, seed, *args):
    server = Server("--quiet", *args)
    try:
        load.create(server.port)
        workers = [load.Worker("w%d" % i, seed * 100 + i) for i in range(WORKERS)]
        random.seed(seed)
        for number in range(kills):
            def during(stop):
                stop.wait(0.05 + random.random() * 0.5)
                server.stop(signal.SIGKILL)
            load.run(workers, server.port, during)
            took = restart_ms(server)
            items, records = check.check_all(server.port, workers)
            print("  kill %d: %d requests acknowledged, %d items, %d stream records, ready after %.0f ms" % (
                number + 1, sum(w.done for w in workers), items, records, took), flush=True)
        assert sum(w.done for w in workers) > kills * 20, "hardly any load"
    finally:
        server.close()


def restart_with_many_items(count):
    """Killed with its newest writes not yet in the main file: ready in time, everything there."""
    server = Server("--quiet")
    try:
        load.create(server.port)
        connection = load.Connection(server.port)
        for first in range(0, count, 25):
            status, reply = connection.call("BatchWriteItem", {"RequestItems": {"Load": [{"PutRequest": {"Item": {
                "pk": {"S": "p%d" % (i % 1000)}, "sk": {"N": str(i)}, "g": {"S": "g%d" % (i % 100)}, "d": {"S": "x" * 200}}}}
                for i in range(first, min(first + 25, count))]}})
            assert status == 200 and not reply["UnprocessedItems"], reply
        times = []
        for _ in range(5):
            connection = load.Connection(server.port)
            assert connection.call("PutItem", {"TableName": "Load", "Item": {"pk": {"S": "last"}, "sk": {"N": "1"}}})[0] == 200
            server.stop(signal.SIGKILL)
            times.append(restart_ms(server))
        reply = load.Connection(server.port).call("GetItem", {"TableName": "Load", "Key": {"pk": {"S": "p%d" % ((count - 1) % 1000)},
                                                                                          "sk": {"N": str(count - 1)}}})[1]
        assert "Item" in reply, reply
        print("  %d items: ready after %s ms" % (count, ", ".join("%.0f" % t for t in times)), flush=True)
        limit = RESTART_MS * (20 if sanitized() else 1)
        assert sorted(times)[2] < limit, "more than %d ms" % limit
    finally:
        server.close()


def failed_commits(seed):
    """Every 40th commit fails: its requests get 500 and leave nothing; the server lives and goes on."""
    points = ",".join("db.commit:%d" % n for n in range(40, 600, 40))
    server = Server("--quiet", env={"PUDDLE_FAULT": points})
    try:
        load.create(server.port)
        workers = [load.Worker("w%d" % i, seed * 100 + i) for i in range(WORKERS)]
        load.run(workers, server.port, lambda stop: stop.wait(1.5))
        check.check_all(server.port, workers)
        assert sum(w.refused for w in workers) > 0, "no commit failed"
        del server.env["PUDDLE_FAULT"]
        server.stop(signal.SIGKILL)
        server.start()
        check.check_all(server.port, workers)
        print("  %d requests refused, %d acknowledged" % (sum(w.refused for w in workers), sum(w.done for w in workers)))
    finally:
        server.close()


def full_disk():
    """The data file may not grow (RLIMIT_FSIZE): writes fail with 500 and leave nothing, reads go on; with room again, so
    do writes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the child inherits it: a write past the limit fails with EFBIG
    server = Server("--quiet")
    try:
        load.create(server.port)
        connection = load.Connection(server.port)
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4 << 20, hard))

        def put(i):
            return connection.call("PutItem", {"TableName": "Load", "Item": {"pk": {"S": "a"}, "sk": {"N": str(i)}, "d": {"S": "x" * 100000}}})[0]

        def there(i):
            status, reply = connection.call("GetItem", {"TableName": "Load", "Key": {"pk": {"S": "a"}, "sk": {"N": str(i)}}})
            assert status == 200, reply
            return "Item" in reply
        answers = [put(i) for i in range(120)]
        assert set(answers) == {200, 500}, answers
        assert [there(i) for i in range(120)] == [a == 200 for a in answers], "what was acknowledged is not what is there"
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY if hard == resource.RLIM_INFINITY else hard, hard))
        assert put(500) == 200, "no write although there is room again"
        server.stop(signal.SIGKILL)
        server.start()
        connection = load.Connection(server.port)
        assert [there(i) for i in range(120)] == [a == 200 for a in answers] and there(500)
        print("  %d of 120 writes had room" % answers.count(200))
    finally:
        server.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--items", type=int, default=100000)
    options.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    o = options.parse_args()
    print("seed %d" % o.seed)
    passed = failed = 0
    for name, run in (("kill -9 under mixed load", lambda: kill_under_load(o.kills, o.seed)),
                      ("kill -9 under mixed load with --durable", lambda: kill_under_load((o.kills + 3) // 4, o.seed + 1, "--durable")),
                      ("restart with many items", lambda: restart_with_many_items(o.items)),
                      ("commits that fail", lambda: failed_commits(o.seed)), ("a full disk", full_disk)):
        try:
            run()
            print("ok " + name, flush=True)
            passed += 1
        except Exception:
            print("FAIL %s\n%s" % (name, traceback.format_exc()), flush=True)
            failed += 1
    print("%d passed, %d failed" % (passed, failed))
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
