"""DynamoDB's operations: CPU and p50 of each against a fixed reply, PutItem and the peers, in one run."""
import statistics

from measure import QUICK, SECONDS, Client, Fixed, Load, cpu_seconds, dynalite, dynamodb_local, puddle, row


def schema(*keys, **more):
    return {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": k, "KeyType": ("HASH", "RANGE")[i]} for i, (k, _) in enumerate(keys)],
            "AttributeDefinitions": [{"AttributeName": k, "AttributeType": t} for k, t in keys] + more.pop("also", []), **more}


PLAIN = {"TableName": "Bench", **schema(("id", "S"))}
INDEXED = {"TableName": "Indexed", **schema(("id", "S"), also=[{"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}],
           GlobalSecondaryIndexes=[{"IndexName": "byg", "Projection": {"ProjectionType": "ALL"}, "KeySchema": [
               {"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}]}])}
RANGES = {"TableName": "Ranges", **schema(("pk", "S"), ("sk", "N"))}
PARTITIONS = 20
QUERY_ITEM = 1024  # bytes as DynamoDB counts them
SCAN_ITEMS = 20000 if QUICK else 100000


def fill_ranges(client):
    for p in range(PARTITIONS):
        for first in range(0, 100, 25):
            client.call("BatchWriteItem", {"RequestItems": {"Ranges": [{"PutRequest": {"Item": {
                "pk": {"S": "q%d" % p}, "sk": {"N": str(i)}, "data": {"S": "x" * (QUERY_ITEM - 2 - len("q%d" % p) - 2 - 2 - 4 - 10)},
                "f": {"BOOL": True}, "rev": {"N": "7"}}}} for i in range(first, first + 25)]}})


def fill_scan(client, count):
    """Items of about 300 bytes; returns their size in all."""
    for first in range(0, count, 25):
        client.call("BatchWriteItem", {"RequestItems": {"Scanned": [{"PutRequest": {"Item": {
            "id": {"S": "scan-%07d" % i}, "n": {"N": str(i)}, "data": {"S": "abcdefghij" * 25}, "flag": {"BOOL": True}}}}
            for i in range(first, first + 25)]}})
    return count * (2 + 12 + 1 + 4 + 4 + 250 + 4 + 1)


def scan(server, client, bytes_in_all, count):
    """Filtered scans of the whole table: megabytes of items read for a second of the server's CPU."""
    before, found, scanned, start = cpu_seconds(server.pid), 0, 0, None
    while True:
        reply = client.call("Scan", {"TableName": "Scanned", "FilterExpression": "n < :n AND flag = :t", "ExpressionAttributeValues": {
            ":n": {"N": str(count // 100)}, ":t": {"BOOL": True}}, **({"ExclusiveStartKey": start} if start else {})})
        found, scanned, start = found + reply["Count"], scanned + reply["ScannedCount"], reply.get("LastEvaluatedKey")
        if start is None:
            break
    assert found == count // 100 and scanned >= count, (found, scanned)
    return bytes_in_all * scanned / count / 1e6 / (cpu_seconds(server.pid) - before)


OPS = (("GetItem", "Bench", 0, 1000), ("PutItem", "Bench", 0, 1000), ("UpdateItem", "Bench", 0, 1000),
       ("BatchWriteItem", "Bench", 0, 1000), ("Query", "Ranges", 0, PARTITIONS), ("PutNew", "Bench", 1000000, 1),
       ("PutIndexed", "Indexed", 1000000, 1))


def prepare(server):
    client = Client(server.port)
    for table in (PLAIN, INDEXED, RANGES, {**PLAIN, "TableName": "Scanned"}):
        client.call("CreateTable", table)
    fill_ranges(client)
    Load(server.pid, server.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000, seconds=1)
    return client


class Rounds:
    """Operations of one server in turn, several times, each round with a fixed reply: medians of what was measured close together."""

    def __init__(self, server, fixed=None, ops=OPS, rounds=3, seconds=None):
        self.loads = [self.round(server, fixed, ops, n, seconds) for n in range(rounds)]

    @staticmethod
    def round(server, fixed, ops, number, seconds):
        made = {"fixed": fixed.load(seconds=1)} if fixed else {}
        for op, table, first, count in ops:
            made[op] = Load(server.pid, server.port, "dynamodb.lua", "PutNew" if op == "PutIndexed" else op, table,
                            first * (number + 1), count, seconds=seconds or SECONDS / 2)
        return made

    def cpu(self, op):
        return statistics.median(r[op].cpu for r in self.loads)

    def p50(self, op):
        return statistics.median(r[op].p50 for r in self.loads)

    def ratio(self, op, to="fixed"):
        return statistics.median(r[op].cpu / r[to].cpu for r in self.loads)

    def p50_ratio(self, op, to="fixed"):
        return statistics.median(r[op].p50 / r[to].p50 for r in self.loads)


NAMES = (("GetItem", "GetItem"), ("PutItem", "PutItem"), ("UpdateItem", "UpdateItem"), ("Query", "Query, 100 items of 1 KB"),
         ("BatchWriteItem", "BatchWriteItem of 25"), ("PutIndexed", "PutItem with a GSI"))


def against_fixed(name, made, op, limit):
    row(name, "%.1f us CPU, %.2fx fixed, p50 %.2fx" % (made.cpu(op), made.ratio(op), made.p50_ratio(op)), "<= %.1fx" % limit,
        made.ratio(op) <= limit)


def ours():
    fixed = Fixed()
    s = puddle(ephemeral=True)
    client = prepare(s)
    made = Rounds(s, fixed)
    row("fixed reply on the same loop", "%.1f us CPU, p50 %.0f us" % (made.cpu("fixed"), made.p50("fixed")))
    against_fixed("GetItem", made, "GetItem", 2.0)
    against_fixed("PutItem ephemeral", made, "PutItem", 2.7)
    ratio = made.ratio("UpdateItem", "PutItem")
    row("UpdateItem", "%.1f us CPU, %.2fx PutItem" % (made.cpu("UpdateItem"), ratio), "<= 1.5x", ratio <= 1.5)
    rate = 100 * QUERY_ITEM / made.cpu("Query")
    row("Query, 100 items of 1 KB", "%.0f us CPU, %.0f MB/s of items" % (made.cpu("Query"), rate), ">= 300 MB/s", rate >= 300)
    ratio = made.ratio("BatchWriteItem", "PutItem")
    row("BatchWriteItem of 25", "%.0f us CPU, %.1fx PutItem" % (made.cpu("BatchWriteItem"), ratio), "<= 10x", ratio <= 10)
    ratio = made.ratio("PutIndexed", "PutNew")
    row("PutItem of a new item, with a GSI", "%.1f us CPU, %+.0f %%" % (made.cpu("PutIndexed"), (ratio - 1) * 100), "<= +60 %", ratio <= 1.6)
    made.scan = scan(s, client, fill_scan(client, SCAN_ITEMS), SCAN_ITEMS)
    row("Scan with a filter over %d items" % SCAN_ITEMS, "%.0f MB/s of items" % made.scan, ">= 100 MB/s", made.scan >= 100)
    s.close()
    for label, args in (("on disk", []), ("--durable", ["--durable"])):
        s = puddle(*args)
        prepare(s)
        against_fixed("PutItem " + label, Rounds(s, fixed, OPS[1:2]), "PutItem", 3.7)
        s.close()
    fixed.close()
    return made


def peers(made):
    for start, least in ((dynalite, 5), (dynamodb_local, 50)):
        peer = start()
        if peer is None:
            row("DynamoDB Local", "not measured: no Java and Maven, or no jar")
            continue
        count = 5000 if QUICK else 20000
        client = prepare(peer)
        Rounds(peer, rounds=1, seconds=1 if QUICK else 4)  # warm
        theirs = Rounds(peer, rounds=1 if QUICK else 2)
        for op, name in NAMES:
            wanted = {"GetItem": 7, "PutItem": 6}.get(op, 5) if start is dynalite else least
            ratio = theirs.cpu(op) / made.cpu(op)
            row("%s: %s" % (peer.name, name), "%.0f us CPU, %.0fx ours, p50 %.0fx" % (theirs.cpu(op), ratio, theirs.p50(op) / made.p50(op)),
                ">= %dx" % wanted, ratio >= wanted)
        rate = scan(peer, client, fill_scan(client, count), count)
        row("%s: Scan with a filter over %d items" % (peer.name, count), "%.1f MB/s, %.0fx less" % (rate, made.scan / rate), ">= %dx" % least,
            made.scan / rate >= least)
        peer.close()


def growth():
    """Costs are compared as ratios to a fixed reply of the same moment."""
    most = 100000 if QUICK else 1000000
    fixed, s = Fixed(), puddle()
    prepare(s)
    small = Rounds(s, fixed, (("GetItem", "Bench", 0, 1000), ("PutItem", "Bench", 0, 1000)))
    filled = 0
    while filled < most:
        filled += 25 * int(Load(s.pid, s.port, "dynamodb.lua", "BatchWriteItem", "Bench", filled, most - filled + 24, seconds=5).requests)
    large = Rounds(s, fixed, (("GetItem", "Bench", 0, most), ("PutItem", "Bench", 0, most)))
    put = Load(s.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, most, seconds=5 if QUICK else 20)
    get = large.ratio("GetItem") / small.ratio("GetItem")
    row("GetItem at %d items" % most, "%.2fx the cost at 1,000" % get, "<= 1.3x", get <= 1.3)
    row("PutItem on disk at %d items" % most, "%.2fx, p99 %.1f ms, longest %.0f ms" % (
        large.ratio("PutItem") / small.ratio("PutItem"), put.p99 / 1000, put.longest / 1000), "p99 < 20 ms, < 50 ms",
        put.p99 < 20000 and put.longest < 50000)
    s.close()
    fixed.close()
