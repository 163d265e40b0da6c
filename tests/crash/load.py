"""A mixed load whose outcome is known: each worker owns one partition of the table, does one request after the other, and
keeps the items that must be there. When the server dies, only the request in flight is open: done or not done."""
import http.client
import json
import random
import threading

from puddle import AUTH

TABLE = {
    "TableName": "Load", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in (("pk", "S"), ("sk", "N"), ("g", "S"), ("l", "N"))],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [{"IndexName": "byg", "Projection": {"ProjectionType": "ALL"},
                                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]}],
    "LocalSecondaryIndexes": [{"IndexName": "byl", "Projection": {"ProjectionType": "ALL"},
                               "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}]}],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}
BANK = {"TableName": "Bank", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
ACCOUNTS, MONEY = 8, 1000


class Gone(Exception):
    """The server does not answer any more."""


class Connection:
    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, operation, body):
        streams = operation in ("DescribeStream", "GetShardIterator", "GetRecords")
        try:
            self.http.request("POST", "/", json.dumps(body), {
                "X-Amz-Target": ("DynamoDBStreams_20120810." if streams else "DynamoDB_20120810.") + operation,
                "Content-Type": "application/x-amz-json-1.0", "Authorization": AUTH % "dynamodb", "X-Amz-Date": "20260101T000000Z"})
            reply = self.http.getresponse()
            return reply.status, json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError):
            raise Gone()


class Worker:
    """items: sort key -> item, as they must be. open: the changes of the request in flight, each (key, item or None);
    whole: they are done together or not at all."""

    def __init__(self, name, seed):
        self.name, self.random = name, random.Random(seed)
        self.items, self.open, self.whole = {}, [], False
        self.done = self.refused = 0

    def item(self, sk):
        r = self.random
        item = {"pk": {"S": self.name}, "sk": {"N": str(sk)}, "v": {"N": str(r.randrange(10 ** 9))}, "d": {"S": "x" * r.randrange(400)}}
        if r.random() < 0.7:
            item["g"] = {"S": "g%d" % r.randrange(5)}
        if r.random() < 0.7:
            item["l"] = {"N": str(r.randrange(50))}
        return item

    def request(self):
        """Operation and body; sets open and whole."""
        r, kind = self.random, self.random.random()
        sks = r.sample(range(120), 6)
        key = {"pk": {"S": self.name}, "sk": {"N": str(sks[0])}}
        if kind < 0.3:
            item = self.item(sks[0])
            self.open, self.whole = [(sks[0], item)], True
            return "PutItem", {"TableName": "Load", "Item": item}
        if kind < 0.55:
            v, g = str(r.randrange(10 ** 9)), "g%d" % r.randrange(5)
            self.open, self.whole = [(sks[0], {**self.items.get(sks[0], key), "v": {"N": v}, "g": {"S": g}})], True
            return "UpdateItem", {"TableName": "Load", "Key": key, "UpdateExpression": "SET v = :v, g = :g",
                                  "ExpressionAttributeValues": {":v": {"N": v}, ":g": {"S": g}}}
        if kind < 0.7:
            self.open, self.whole = [(sks[0], None)], True
            return "DeleteItem", {"TableName": "Load", "Key": key}
        if kind < 0.85:
            made = [(sk, self.item(sk)) for sk in sks[:4]] + [(sk, None) for sk in sks[4:]]
            self.open, self.whole = made, False
            return "BatchWriteItem", {"RequestItems": {"Load": [
                {"PutRequest": {"Item": i}} if i else {"DeleteRequest": {"Key": {"pk": {"S": self.name}, "sk": {"N": str(sk)}}}}
                for sk, i in made]}}
        made = [(sk, self.item(sk)) for sk in sks[:2]] + [(sks[2], None)]
        self.open, self.whole = made, True
        return "TransactWriteItems", {"TransactItems": [
            {"Put": {"TableName": "Load", "Item": i}} if i else
            {"Delete": {"TableName": "Load", "Key": {"pk": {"S": self.name}, "sk": {"N": str(sk)}}}} for sk, i in made]}

    def settle(self):
        for sk, item in self.open:
            if item is None:
                self.items.pop(sk, None)
            else:
                self.items[sk] = item
        self.open = []

    def run(self, port, stop):
        connection = Connection(port)
        try:
            while not stop.is_set():
                operation, body = self.request()
                status, reply = connection.call(operation, body)
                if status == 200:
                    assert not reply.get("UnprocessedItems"), reply
                    self.settle()
                    self.done += 1
                else:  # a failed commit: nothing of it may be there
                    assert status == 500, (status, reply)
                    self.open = []
                    self.refused += 1
        except Gone:
            pass

    def transfer(self, port, stop):
        connection = Connection(port)
        try:
            while not stop.is_set():
                a, b = self.random.sample(range(ACCOUNTS), 2)
                values = {":n": {"N": str(self.random.randrange(1, 50))}}
                connection.call("TransactWriteItems", {"TransactItems": [
                    {"Update": {"TableName": "Bank", "Key": {"id": {"S": "a%d" % a}}, "UpdateExpression": "SET n = n - :n",
                                "ConditionExpression": "n >= :n", "ExpressionAttributeValues": values}},
                    {"Update": {"TableName": "Bank", "Key": {"id": {"S": "a%d" % b}}, "UpdateExpression": "SET n = n + :n",
                                "ExpressionAttributeValues": values}}]})
        except Gone:
            pass


def create(port):
    connection = Connection(port)
    for table in (TABLE, BANK):
        status, reply = connection.call("CreateTable", table)
        assert status == 200, reply
    for i in range(ACCOUNTS):
        connection.call("PutItem", {"TableName": "Bank", "Item": {"id": {"S": "a%d" % i}, "n": {"N": str(MONEY)}}})


def run(workers, port, during):
    """Lets the workers work while during(stop) runs; the last one moves money."""
    stop = threading.Event()
    threads = [threading.Thread(target=w.run, args=(port, stop)) for w in workers[:-1]]
    threads.append(threading.Thread(target=workers[-1].transfer, args=(port, stop)))
    for t in threads:
        t.start()
    try:
        during(stop)
    finally:
        stop.set()
        for t in threads:
            t.join()
