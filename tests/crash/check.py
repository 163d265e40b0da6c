"""Compares a table with what its workers know, its indexes with the table, and its stream with both."""
import json

from load import ACCOUNTS, MONEY, Connection


class Wrong(Exception):
    pass


def whole(connection, operation, body):
    """Every page's items."""
    items, start = [], None
    while True:
        status, reply = connection.call(operation, {**body, **({"ExclusiveStartKey": start} if start else {})})
        if status != 200:
            raise Wrong("%s: %s" % (operation, reply))
        items += reply["Items"]
        start = reply.get("LastEvaluatedKey")
        if start is None:
            return items


def key_of(item):
    return item["pk"]["S"], int(item["sk"]["N"])


def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def check_worker(connection, worker):
    """Exactly the acknowledged writes; the open request done or not. Takes over what turned out."""
    got = {int(i["sk"]["N"]): i for i in whole(connection, "Query", {
        "TableName": "Load", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": worker.name}},
        "ConsistentRead": True})}
    opened = dict(worker.open)
    for sk in set(got) | set(worker.items):
        if sk not in opened and not same(got.get(sk), worker.items.get(sk)):
            raise Wrong("%s/%d: expected %s, found %s" % (worker.name, sk, worker.items.get(sk), got.get(sk)))
    done = [same(got.get(sk), item) for sk, item in opened.items()]
    undone = [same(got.get(sk), worker.items.get(sk)) for sk in opened]
    if not all(d or u for d, u in zip(done, undone)):
        raise Wrong("%s: a request in flight left something else: %s" % (worker.name, worker.open))
    if worker.whole and not (all(done) or all(undone)):
        raise Wrong("%s: half of a request is there: %s" % (worker.name, worker.open))
    worker.items, worker.open = got, []


def check_indexes(connection):
    table = {key_of(i): i for i in whole(connection, "Scan", {"TableName": "Load", "ConsistentRead": True})}
    for index, attribute in (("byg", "g"), ("byl", "l")):
        entries = whole(connection, "Scan", {"TableName": "Load", "IndexName": index})
        found = {key_of(i): i for i in entries}
        wanted = {k: i for k, i in table.items() if attribute in i}
        if len(found) != len(entries):
            raise Wrong("index %s has an item twice" % index)
        if not same(sorted(found), sorted(wanted)) or any(not same(found[k], wanted[k]) for k in wanted):
            raise Wrong("index %s is not the table's: %s" % (index, sorted(set(found) ^ set(wanted))[:5]))
    return table


def read_stream(connection, arn):
    status, reply = connection.call("DescribeStream", {"StreamArn": arn})
    records = []
    for shard in reply["StreamDescription"]["Shards"]:
        status, reply = connection.call("GetShardIterator", {
            "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"})
        iterator, empty = reply["ShardIterator"], False
        while iterator and not empty:
            status, reply = connection.call("GetRecords", {"ShardIterator": iterator})
            if status != 200:
                raise Wrong("GetRecords: %s" % reply)
            records += [r["dynamodb"] | {"eventName": r["eventName"]} for r in reply["Records"]]
            iterator, empty = reply.get("NextShardIterator"), not reply["Records"]
    return records


def check_stream(connection, table):
    """Played from the start, the stream gives the table; each record follows from those before it."""
    arn = connection.call("DescribeTable", {"TableName": "Load"})[1]["Table"]["LatestStreamArn"]
    state, last = {}, -1
    records = read_stream(connection, arn)
    for r in records:
        key, number = key_of(r["Keys"]), int(r["SequenceNumber"])
        if number <= last:
            raise Wrong("the stream's sequence numbers do not grow: %d after %d" % (number, last))
        last = number
        if not same(r.get("OldImage"), state.get(key)):
            raise Wrong("record %d of %s: old image %s, but it was %s" % (number, key, r.get("OldImage"), state.get(key)))
        wanted = "REMOVE" if "NewImage" not in r else "MODIFY" if key in state else "INSERT"
        if r["eventName"] != wanted:
            raise Wrong("record %d is %s, not %s" % (number, r["eventName"], wanted))
        if "NewImage" in r:
            state[key] = r["NewImage"]
        else:
            state.pop(key)
    if not same(sorted(state), sorted(table)) or any(not same(state[k], table[k]) for k in table):
        raise Wrong("the stream does not lead to the table: %s" % sorted(set(state) ^ set(table))[:5])
    return len(records)


def check_all(port, workers):
    connection = Connection(port)
    for worker in workers[:-1]:
        check_worker(connection, worker)
    table = check_indexes(connection)
    records = check_stream(connection, table)
    total = sum(int(i["n"]["N"]) for i in whole(connection, "Scan", {"TableName": "Bank", "ConsistentRead": True}))
    if total != ACCOUNTS * MONEY:
        raise Wrong("the bank has %d instead of %d" % (total, ACCOUNTS * MONEY))
    return len(table), records
