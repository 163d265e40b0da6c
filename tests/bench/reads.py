#!/usr/bin/env python3
"""Measures Query, Scan and what an index costs a PutItem, on the release build (build/puddle); CPU is the server's.
Megabytes are those of the items. --quick: fewer rounds."""
import json
import os
import pathlib
import random
import socket
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/clients"))
os.environ.setdefault("PUDDLE", str(ROOT / "build/puddle"))
from puddle import AUTH, Server  # noqa: E402

ROUNDS = 200 if "--quick" in sys.argv else 1000
ITEMS = 20000 if "--quick" in sys.argv else 100000


class Client:
    """Raw HTTP, so that the client's own cost stays out of the way."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))

    @staticmethod
    def request(operation, body):
        body = json.dumps(body).encode()
        return ("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: DynamoDB_20120810.%s\r\n"
                "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\nAuthorization: %s\r\n"
                "Content-Length: %d\r\n\r\n" % (operation, AUTH % "dynamodb", len(body))).encode() + body

    def send(self, request):
        self.socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(65536)
        head, _, rest = data.partition(b"\r\n\r\n")
        size = int([l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")][0].split(b":")[1])
        parts, have = [rest], len(rest)
        while have < size:
            part = self.socket.recv(1 << 20)
            parts.append(part)
            have += len(part)
        body = b"".join(parts)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(body.decode())
        return body

    def call(self, operation, body):
        return json.loads(self.send(self.request(operation, body)))


def cpu_seconds(pid):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def timed(server, work):
    cpu, wall = cpu_seconds(server.process.pid), time.monotonic()
    result = work()
    return result, time.monotonic() - wall, cpu_seconds(server.process.pid) - cpu


def create(c, name, indexes=()):
    names = sorted({"pk", "sk"} | {k for i in indexes for k in i[1:]})
    body = {"TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in names],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]}
    if indexes:
        body["GlobalSecondaryIndexes"] = [
            {"IndexName": i[0], "KeySchema": [{"AttributeName": k, "KeyType": t} for k, t in zip(i[1:], ("HASH", "RANGE"))],
             "Projection": {"ProjectionType": "ALL"}} for i in indexes]
    c.call("CreateTable", body)


def fill(c, table, count, size, **more):
    for i in range(count):
        item = {"pk": {"S": "p%d" % (i % max(1, count // 100))}, "sk": {"S": "s%06d" % i}, "n": {"N": str(i)},
                "v": {"S": "x" * (size - 30)}, **{k: {"S": f(i)} for k, f in more.items()}}
        c.send(c.request("PutItem", {"TableName": table, "Item": item}))


def main():
    server = Server("--quiet")
    try:
        c = Client(server.port)
        create(c, "Query", [("gsi", "g", "sk")])
        fill(c, "Query", 1000, 1000, g=lambda i: "g%d" % (i % 10))
        for index, key, value in ((None, "pk", "p3"), ("gsi", "g", "g3")):
            body = {"TableName": "Query", "KeyConditionExpression": key + " = :p",
                    "ExpressionAttributeValues": {":p": {"S": value}}}
            if index:
                body["IndexName"] = index
            assert c.call("Query", body)["Count"] == 100
            request = c.request("Query", body)
            _, wall, cpu = timed(server, lambda: [c.send(request) for _ in range(ROUNDS)])
            print("Query of 100 items of 1 KB, %s: %.0f MB/s of CPU, %.0f MB/s seen, %.0f us CPU a Query (wanted: 300)" %
                  (index or "table", ROUNDS * 0.1 / cpu, ROUNDS * 0.1 / wall, cpu / ROUNDS * 1e6))
        create(c, "Scan")
        fill(c, "Scan", ITEMS, 1000)

        def scan(**more):
            body = {"TableName": "Scan", "FilterExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "7"}}, **more}
            found, longest = 0, 0
            while True:
                began = time.monotonic()
                reply = c.call("Scan", body)
                longest = max(longest, time.monotonic() - began)
                found += reply["Count"]
                if "LastEvaluatedKey" not in reply:
                    return found, longest
                body["ExclusiveStartKey"] = reply["LastEvaluatedKey"]
        (found, longest), wall, cpu = timed(server, scan)
        assert found == 1
        print("Scan with a filter over %d items of 1 KB: %.0f MB/s of CPU, %.0f MB/s seen, longest page %.1f ms "
              "(wanted: 100)" % (ITEMS, ITEMS / 1000 / cpu, ITEMS / 1000 / wall, longest * 1e3))
        costs = {}
        for name, indexes in (("Plain", []), ("One", [("gsi", "g")])):
            create(c, name, indexes)
            requests = [c.request("PutItem", {"TableName": name, "Item": {
                "pk": {"S": "p%d" % random.randrange(1000)}, "sk": {"S": "s%06d" % i}, "g": {"S": "g%d" % random.randrange(500)},
                "v": {"S": "x" * 250}}}) for i in range(ITEMS // 5)]
            _, _, cpu = timed(server, lambda: [c.send(r) for r in requests])
            costs[name] = cpu / len(requests) * 1e6
        print("PutItem of 300 bytes: %.1f us, with a GSI %.1f us: %+.0f %% (wanted: at most +60 %%)" %
              (costs["Plain"], costs["One"], (costs["One"] / costs["Plain"] - 1) * 100))
    finally:
        server.close()


main()
