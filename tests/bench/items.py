"""DynamoDB's operations: CPU and p50 of each against a fixed reply, PutItem and the peers, in one run."""
from measure import QUICK, Client, Load, Fixed, dynalite, dynamodb_local, puddle, row


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
    from measure import cpu_seconds
    before, found, scanned, start = cpu_seconds(server.pid), 0, 0, None
    while True:
        reply = client.call("Scan", {"TableName": "Scanned", "FilterExpression": "n < :n AND flag = :t", "ExpressionAttributeValues": {
            ":n": {"N": str(count // 100)}, ":t": {"BOOL": True}}, **({"ExclusiveStartKey": start} if start else {})})
        found, scanned, start = found + reply["Count"], scanned + reply["ScannedCount"], reply.get("LastEvaluatedKey")
        if start is None:
            break
    assert found == count // 100 and scanned >= count, (found, scanned)
    return bytes_in_all * scanned / count / 1e6 / (cpu_seconds(server.pid) - before)


def measure(server, seconds=None):
    """Every operation on one server: a dictionary of loads, and the scan's MB/s."""
    client, out = Client(server.port), {}
    for table in (PLAIN, INDEXED, RANGES, {**PLAIN, "TableName": "Scanned"}):
        client.call("CreateTable", table)
    fill_ranges(client)
    Load(server.pid, server.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000, seconds=1)
    for op in ("GetItem", "PutItem", "UpdateItem", "BatchWriteItem"):
        out[op] = Load(server.pid, server.port, "dynamodb.lua", op, "Bench", 0, 1000, seconds=seconds)
    out["Query"] = Load(server.pid, server.port, "dynamodb.lua", "Query", "Ranges", 0, PARTITIONS, seconds=seconds)
    out["PutNew"] = Load(server.pid, server.port, "dynamodb.lua", "PutNew", "Bench", 1000000, 1, seconds=seconds)
    out["PutIndexed"] = Load(server.pid, server.port, "dynamodb.lua", "PutNew", "Indexed", 1000000, 1, seconds=seconds)
    return client, out


NAMES = (("GetItem", "GetItem"), ("PutItem", "PutItem"), ("UpdateItem", "UpdateItem"), ("Query", "Query, 100 items of 1 KB"),
         ("BatchWriteItem", "BatchWriteItem of 25"), ("PutIndexed", "PutItem with a GSI"))


def ours():
    fixed, made = Fixed(), None
    base = fixed.load()
    row("fixed reply on the same loop", "%.1f us CPU, p50 %.0f us" % (base.cpu, base.p50))
    for label, args, limit in (("ephemeral", [], 2.7), ("on disk", [], 3.7), ("--durable", ["--durable"], 3.7)):
        s = puddle(*args, ephemeral=label == "ephemeral")
        base = fixed.load()
        if label == "ephemeral":
            client, made = measure(s)
            put, get = made["PutItem"], made["GetItem"]
            row("GetItem", "%.1f us CPU, %.2fx fixed, p50 %.2fx" % (get.cpu, get.cpu / base.cpu, get.p50 / base.p50), "<= 2.0x", get.cpu <= 2.0 * base.cpu)
        else:
            Client(s.port).call("CreateTable", PLAIN)
            Load(s.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000, seconds=1)
            put = Load(s.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000)
        row("PutItem " + label, "%.1f us CPU, %.2fx fixed, p50 %.2fx" % (put.cpu, put.cpu / base.cpu, put.p50 / base.p50), "<= %.1fx" % limit, put.cpu <= limit * base.cpu)
        if label == "ephemeral":
            rest(s, client, made)
        s.close()
    fixed.close()
    return made


def rest(s, client, made):
    put, update, query, batch = made["PutItem"], made["UpdateItem"], made["Query"], made["BatchWriteItem"]
    row("UpdateItem", "%.1f us CPU, %.2fx PutItem" % (update.cpu, update.cpu / put.cpu), "<= 1.5x", update.cpu <= 1.5 * put.cpu)
    rate = 100 * QUERY_ITEM / query.cpu
    row("Query, 100 items of 1 KB", "%.0f us CPU, %.0f MB/s of items" % (query.cpu, rate), ">= 300 MB/s", rate >= 300)
    row("BatchWriteItem of 25", "%.0f us CPU, %.1fx PutItem" % (batch.cpu, batch.cpu / put.cpu), "<= 10x", batch.cpu <= 10 * put.cpu)
    new, indexed = made["PutNew"], made["PutIndexed"]
    row("PutItem of a new item, with a GSI", "%.1f us CPU, %+.0f %%" % (indexed.cpu, (indexed.cpu / new.cpu - 1) * 100), "<= +60 %", indexed.cpu <= 1.6 * new.cpu)
    rate = scan(s, client, fill_scan(client, SCAN_ITEMS), SCAN_ITEMS)
    row("Scan with a filter over %d items" % SCAN_ITEMS, "%.0f MB/s of items" % rate, ">= 100 MB/s", rate >= 100)
    made["Scan"] = rate


def peers(made):
    for start, least in ((dynalite, 5), (dynamodb_local, 50)):
        peer = start()
        if peer is None:
            row("DynamoDB Local", "not measured: no Java and Maven, or no jar")
            continue
        count = 5000 if QUICK else 20000
        client, theirs = measure(peer, seconds=2 if QUICK else 6)
        for op, name in NAMES:
            wanted = {"GetItem": 7, "PutItem": 6}.get(op, 5) if start is dynalite else least
            ratio = theirs[op].cpu / made[op].cpu
            row("%s: %s" % (peer.name, name), "%.0f us CPU, %.0fx ours, p50 %.0fx" % (theirs[op].cpu, ratio, theirs[op].p50 / made[op].p50),
                ">= %dx" % wanted, ratio >= wanted)
        rate = scan(peer, client, fill_scan(client, count), count)
        row("%s: Scan with a filter over %d items" % (peer.name, count), "%.1f MB/s, %.0fx less" % (rate, made["Scan"] / rate), ">= %dx" % least, made["Scan"] / rate >= least)
        peer.close()


def growth():
    most = 100000 if QUICK else 1000000
    s = puddle()
    Client(s.port).call("CreateTable", PLAIN)
    Load(s.pid, s.port, "dynamodb.lua", "BatchWriteItem", "Bench", 0, 1000, seconds=1)
    small = {op: Load(s.pid, s.port, "dynamodb.lua", op, "Bench", 0, 1000) for op in ("GetItem", "PutItem")}
    filled = 0
    while filled < most:
        filled += 25 * int(Load(s.pid, s.port, "dynamodb.lua", "BatchWriteItem", "Bench", filled, most - filled + 24, seconds=5).requests)
    get = Load(s.pid, s.port, "dynamodb.lua", "GetItem", "Bench", 0, most)
    put = Load(s.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, most, seconds=5 if QUICK else 20)
    row("GetItem at %d items" % most, "%.2fx the cost at 1,000" % (get.cpu / small["GetItem"].cpu), "<= 1.3x", get.cpu <= 1.3 * small["GetItem"].cpu)
    row("PutItem on disk at %d items" % most, "%.2fx, p99 %.1f ms, longest %.0f ms" % (put.cpu / small["PutItem"].cpu, put.p99 / 1000, put.longest / 1000),
        "p99 < 20 ms, < 50 ms", put.p99 < 20000 and put.longest < 50000)
    s.close()


