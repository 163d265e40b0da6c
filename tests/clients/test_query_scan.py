"""Query, Scan and indexes as boto3's users use them: conditions, paginators, parallel scans; and indexes after kill -9."""
import collections
import json
import os
import random
import signal
import threading
import unittest

from puddle import Server


def definition(name, *, attributes, key, **indexes):
    def schema(names):
        return [{"AttributeName": n, "KeyType": k} for n, k in zip(names, ("HASH", "RANGE"))]
    body = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema(key),
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in attributes.items()]}
    for kind, entries in indexes.items():
        body[{"gsi": "GlobalSecondaryIndexes", "lsi": "LocalSecondaryIndexes"}[kind]] = [
            {"IndexName": n, "KeySchema": schema(k), "Projection": p} for n, k, p in entries]
    return body


ALL, KEYS_ONLY = {"ProjectionType": "ALL"}, {"ProjectionType": "KEYS_ONLY"}
ORDERS = definition("Orders", attributes={"customer": "S", "at": "N", "status": "S", "total": "N"}, key=("customer", "at"),
                    gsi=[("by-status", ("status", "at"), ALL), ("statuses", ("status",), KEYS_ONLY)],
                    lsi=[("by-total", ("customer", "total"), {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]})])


class QueryAndScan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import boto3
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed")
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.client = session.client("dynamodb", endpoint_url=cls.s.url)
        cls.client.create_table(**ORDERS)
        cls.table = session.resource("dynamodb", endpoint_url=cls.s.url).Table("Orders")
        cls.orders = []
        with cls.table.batch_writer() as batch:
            for i in range(600):
                order = {"customer": "c%d" % (i % 7), "at": i, "note": "n" * (i % 50)}
                if i % 3:
                    order["status"] = "open" if i % 2 else "done"
                if i % 5:
                    order["total"] = (i * 7919) % 1000
                cls.orders.append(order)
                batch.put_item(Item=order)

    def plain(self, items):
        return sorted((i["customer"], int(i["at"])) for i in items)

    def test_conditions_of_the_resource(self):
        from boto3.dynamodb.conditions import Attr, Key
        got = self.table.query(KeyConditionExpression=Key("customer").eq("c3") & Key("at").between(100, 200),
                               ScanIndexForward=False)["Items"]
        want = [o["at"] for o in reversed(self.orders) if o["customer"] == "c3" and 100 <= o["at"] <= 200]
        self.assertEqual([int(i["at"]) for i in got], want)
        got = self.table.query(IndexName="by-status", KeyConditionExpression=Key("status").eq("open") & Key("at").lt(90),
                               FilterExpression=Attr("note").size().gt(20), ProjectionExpression="customer, #a",
                               ExpressionAttributeNames={"#a": "at"})
        want = [o for o in self.orders if o.get("status") == "open" and o["at"] < 90]
        self.assertEqual(got["ScannedCount"], len(want))
        self.assertEqual([int(i["at"]) for i in got["Items"]], [o["at"] for o in want if len(o["note"]) > 20])
        self.assertEqual(set(got["Items"][0]), {"customer", "at"})

    def test_local_index_sorts_and_fetches(self):
        from boto3.dynamodb.conditions import Key
        got = self.table.query(IndexName="by-total", KeyConditionExpression=Key("customer").eq("c1"))["Items"]
        want = sorted(o["total"] for o in self.orders if o["customer"] == "c1" and "total" in o)
        self.assertEqual([int(i["total"]) for i in got], want)
        self.assertNotIn("note", got[-1])
        got = self.table.query(IndexName="by-total", KeyConditionExpression=Key("customer").eq("c1") & Key("total").gte(500),
                               Select="ALL_ATTRIBUTES", ConsistentRead=True)["Items"]
        self.assertEqual([int(i["total"]) for i in got], [t for t in want if t >= 500])
        self.assertIn("note", got[-1])

    def test_paginators_give_every_item_once(self):
        for size in (1, 7, 100, 1000):
            pages = self.client.get_paginator("query").paginate(
                TableName="Orders", IndexName="statuses", KeyConditionExpression="#s = :s",
                ExpressionAttributeNames={"#s": "status"}, ExpressionAttributeValues={":s": {"S": "done"}},
                PaginationConfig={"PageSize": size})
            got = sorted((i["customer"]["S"], int(i["at"]["N"])) for p in pages for i in p["Items"])
            self.assertEqual(got, self.plain(o for o in self.orders if o.get("status") == "done"))
        pages = self.client.get_paginator("scan").paginate(TableName="Orders", PaginationConfig={"PageSize": 13})
        got = sorted((i["customer"]["S"], int(i["at"]["N"])) for p in pages for i in p["Items"])
        self.assertEqual(got, self.plain(self.orders))

    def test_parallel_scans_share_the_table(self):
        found = collections.Counter()

        def scan(segment):
            for page in self.client.get_paginator("scan").paginate(
                    TableName="Orders", Segment=segment, TotalSegments=5, PaginationConfig={"PageSize": 31}):
                found.update((i["customer"]["S"], i["at"]["N"]) for i in page["Items"])
        threads = [threading.Thread(target=scan, args=(i,)) for i in range(5)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(found), len(self.orders))
        self.assertEqual(set(found.values()), {1})

    def test_counts_of_indexes_are_described(self):
        described = self.client.describe_table(TableName="Orders")["Table"]
        counts = {i["IndexName"]: i["ItemCount"] for k in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
                  for i in described[k]}
        with_status = sum("status" in o for o in self.orders)
        self.assertEqual(counts, {"by-status": with_status, "statuses": with_status,
                                  "by-total": sum("total" in o for o in self.orders)})
        self.assertGreater(described["LocalSecondaryIndexes"][0]["IndexSizeBytes"], 1000)

    def test_a_long_page_does_not_keep_others_waiting(self):
        self.client.create_table(**definition("Small", attributes={"k": "S"}, key=("k",)))
        for start in range(0, 20000, 25):
            self.client.batch_write_item(RequestItems={"Small": [
                {"PutRequest": {"Item": {"k": {"S": str(i)}}}} for i in range(start, start + 25)]})
        done = threading.Event()
        counts = []

        def scan():
            for _ in range(5):
                counts.append(self.client.scan(TableName="Small", FilterExpression="attribute_exists(x)")["ScannedCount"])
            done.set()
        thread = threading.Thread(target=scan)
        thread.start()
        answered = 0
        while not done.is_set():
            status, _, _ = self.s.dynamodb("GetItem", {"TableName": "Small", "Key": {"k": {"S": "7"}}})
            self.assertEqual(status, 200)
            answered += 1
        thread.join()
        self.assertEqual(counts, [20000] * 5)
        self.assertGreater(answered, 0)


class IndexesAfterAKill(unittest.TestCase):
    def items(self, s, index=None):
        found, body = {}, {"TableName": "Orders", **({"IndexName": index} if index else {})}
        while True:
            status, _, data = s.dynamodb("Scan", body)
            self.assertEqual(status, 200, data)
            reply = json.loads(data)
            for i in reply["Items"]:
                key = (i["customer"]["S"], i["at"]["N"])
                self.assertNotIn(key, found)
                found[key] = i
            if "LastEvaluatedKey" not in reply:
                return found
            body["ExclusiveStartKey"] = reply["LastEvaluatedKey"]

    def load(self, s, seed, stop, acknowledged, written):
        choose = random.Random(seed)
        while not stop.is_set():
            key = {"customer": {"S": "c%d-%d" % (seed, choose.randrange(5))}, "at": {"N": str(choose.randrange(40))}}
            item = {**key, "v": {"S": str(choose.random())}}
            if choose.random() < 0.7:
                item["status"] = {"S": choose.choice(["open", "done"])}
            if choose.random() < 0.7:
                item["total"] = {"N": str(choose.randrange(100))}
            name = (key["customer"]["S"], key["at"]["N"])
            try:
                if choose.random() < 0.3:
                    status, _, data = s.dynamodb("DeleteItem", {"TableName": "Orders", "Key": key})
                    item = None
                else:
                    status, _, data = s.dynamodb("PutItem", {"TableName": "Orders", "Item": item})
            except OSError:
                acknowledged[name] = "unknown"
                return
            assert status == 200, data
            acknowledged[name] = item
            written.release()

    def test_indexes_are_what_the_table_is(self):
        s = Server("--quiet")
        self.addCleanup(s.close)
        self.assertEqual(s.dynamodb("CreateTable", ORDERS)[0], 200)
        acknowledged = {}
        for round_ in range(4):
            stop, written = threading.Event(), threading.Semaphore(0)
            threads = [threading.Thread(target=self.load, args=(s, n, stop, acknowledged, written)) for n in range(4)]
            for t in threads:
                t.start()
            for _ in range(400):
                self.assertTrue(written.acquire(timeout=30))
            s.stop(signal.SIGKILL)
            stop.set()
            for t in threads:
                t.join()
            s.start()
            table = self.items(s)
            for key, want in acknowledged.items():
                if want != "unknown":
                    self.assertEqual(table.get(key), want, key)
            acknowledged = {k: table.get(k) for k in acknowledged}
            with_status = {k: v for k, v in table.items() if "status" in v}
            self.assertEqual(self.items(s, "by-status"), with_status)
            self.assertEqual(self.items(s, "statuses"),
                             {k: {n: v[n] for n in ("customer", "at", "status")} for k, v in with_status.items()})
            self.assertEqual(self.items(s, "by-total"), {
                k: {n: v[n] for n in ("customer", "at", "total", "status") if n in v} for k, v in table.items()
                if "total" in v})


if __name__ == "__main__":
    os.environ.setdefault("PUDDLE", "build/puddle")
    unittest.main()
