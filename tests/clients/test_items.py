"""Item operations under many clients at once: one winner, constant sums, tokens, kill -9; and how boto3 sees errors."""
import http.client
import json
import random
import signal
import threading
import unittest

from puddle import AUTH, Server

TABLE = {"TableName": "Bank", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
         "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
ACCOUNTS, START = 8, 1000


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, operation, **body):
        self.connection.request("POST", "/", json.dumps(body), {
            "X-Amz-Target": "DynamoDB_20120810." + operation, "Content-Type": "application/x-amz-json-1.0",
            "Authorization": AUTH % "dynamodb", "X-Amz-Date": "20260101T000000Z"})
        reply = self.connection.getresponse()
        body = json.loads(reply.read() or b"{}")
        return body if reply.status == 200 else {"error": body["__type"].split("#")[1], **body}


def run_together(count, work):
    """work(index) in count threads; the first exception is raised here."""
    errors = []

    def guarded(index):
        try:
            work(index)
        except BaseException as e:
            errors.append(e)
    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def move(source, target, amount):
    def part(account, sign, condition):
        return {"Update": {"TableName": "Bank", "Key": {"id": {"S": account}},
                           "UpdateExpression": "SET balance = balance %s :a" % sign, **condition,
                           "ExpressionAttributeValues": {":a": {"N": str(amount)}}}}
    return [part(source, "-", {"ConditionExpression": "balance >= :a"}), part(target, "+", {})]


class ManyClients(unittest.TestCase):
    def setUp(self):
        self.s = Server("--quiet")
        self.addCleanup(self.s.close)
        self.client = Client(self.s.port)
        self.client("CreateTable", **TABLE)

    def open_accounts(self):
        names = ["a%d" % i for i in range(ACCOUNTS)]
        for name in names:
            self.client("PutItem", TableName="Bank", Item={"id": {"S": name}, "balance": {"N": str(START)}})
        return names

    def balances(self, client, names):
        got = client("TransactGetItems", TransactItems=[{"Get": {"TableName": "Bank", "Key": {"id": {"S": n}}}} for n in names])
        return [int(r["Item"]["balance"]["N"]) for r in got["Responses"]]

    def test_money_moves_and_every_transactional_read_has_the_same_sum(self):
        names, done, reads, refused = self.open_accounts(), threading.Event(), [], []

        def work(index):
            client, dice = Client(self.s.port), random.Random(index)
            if index == 0:
                while not done.is_set():
                    reads.append(sum(self.balances(client, names)))
                return
            try:
                for _ in range(150):
                    source, target = dice.sample(names, 2)
                    got = client("TransactWriteItems", TransactItems=move(source, target, dice.randrange(1, 700)))
                    if "error" in got:
                        self.assertEqual(got["error"], "TransactionCanceledException")
                        self.assertEqual([r["Code"] for r in got["CancellationReasons"]], ["ConditionalCheckFailed", "None"])
                        refused.append(index)
            finally:
                finished[index] = True
                if all(finished[1:]):
                    done.set()
        finished = [False] * 9
        run_together(9, work)
        self.assertEqual(set(reads), {ACCOUNTS * START})
        self.assertGreater(len(reads), 20)
        self.assertTrue(refused)
        self.assertGreaterEqual(min(self.balances(self.client, names)), 0)

    def test_of_many_conditional_writers_exactly_one_wins(self):
        wins = [[] for _ in range(12)]

        def work(index):
            client = Client(self.s.port)
            for key in range(120):
                got = client("PutItem", TableName="Bank", Item={"id": {"S": "k%d" % key}, "by": {"N": str(index)}},
                             ConditionExpression="attribute_not_exists(id)")
                if "error" not in got:
                    wins[index].append(key)
                else:
                    self.assertEqual(got["error"], "ConditionalCheckFailedException")
        run_together(12, work)
        self.assertEqual(sorted(k for w in wins for k in w), list(range(120)))
        for index, keys in enumerate(wins):
            for key in keys:
                got = self.client("GetItem", TableName="Bank", Key={"id": {"S": "k%d" % key}})
                self.assertEqual(got["Item"]["by"]["N"], str(index))

    def test_counters_lose_no_update(self):
        def work(index):
            client = Client(self.s.port)
            for _ in range(200):
                client("UpdateItem", TableName="Bank", Key={"id": {"S": "n"}}, UpdateExpression="ADD n :one",
                       ExpressionAttributeValues={":one": {"N": "1"}})
        run_together(8, work)
        self.assertEqual(self.client("GetItem", TableName="Bank", Key={"id": {"S": "n"}})["Item"]["n"]["N"], "1600")

    def test_a_failed_condition_may_show_the_item(self):  # not by boto3: Debian's is older than the parameter
        item = {"id": {"S": "c"}, "n": {"N": "1"}}
        self.client("PutItem", TableName="Bank", Item=item)
        got = self.client("PutItem", TableName="Bank", Item=item, ConditionExpression="attribute_not_exists(id)",
                          ReturnValuesOnConditionCheckFailure="ALL_OLD")
        self.assertEqual(got, {"error": "ConditionalCheckFailedException", "message": "The conditional request failed",
                               "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": item})

    def add_once(self, client, token):
        return client("TransactWriteItems", ClientRequestToken=token, TransactItems=[
            {"Update": {"TableName": "Bank", "Key": {"id": {"S": "n"}}, "UpdateExpression": "ADD n :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}}}}])

    def test_a_token_is_applied_once_by_many_clients_and_after_kill_9(self):
        def work(index):
            client = Client(self.s.port)
            for token in range(25):
                self.assertEqual(self.add_once(client, "token-%d" % token), {})
        run_together(8, work)
        self.s.stop(signal.SIGKILL)
        self.s.start()
        work(0)
        client = Client(self.s.port)
        self.assertEqual(client("GetItem", TableName="Bank", Key={"id": {"S": "n"}})["Item"]["n"]["N"], "25")

    def test_kill_9_leaves_no_half_transaction_and_loses_none(self):
        acknowledged = [0] * 4
        for generation in range(3):
            def work(index):
                client = Client(self.s.port)
                try:
                    for _ in range(100000):
                        version = str(acknowledged[index] + 1)
                        items = [{"Put": {"TableName": "Bank", "Item": {"id": {"S": "p%d-%d" % (index, half)}, "v": {"N": version}}}}
                                 for half in range(3)]
                        if client("TransactWriteItems", TransactItems=items) == {}:
                            acknowledged[index] += 1
                        if acknowledged[index] % 40 == 20 and index == 0:
                            self.s.process.kill()
                except (OSError, http.client.HTTPException):
                    pass
            before = list(acknowledged)
            run_together(4, work)
            self.s.stop(signal.SIGKILL)
            self.s.start()
            client = Client(self.s.port)
            for index in range(4):
                versions = {client("GetItem", TableName="Bank", Key={"id": {"S": "p%d-%d" % (index, half)}})
                            .get("Item", {"v": {"N": "0"}})["v"]["N"] for half in range(3)}
                self.assertEqual(len(versions), 1, "a half transaction")
                stored = int(versions.pop())
                self.assertIn(stored, (acknowledged[index], acknowledged[index] + 1))
                acknowledged[index] = stored
            self.assertGreater(acknowledged[0], before[0])


class Boto3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import boto3
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed")
        cls.s = Server("--quiet", "--throttle", ephemeral=True)
        cls.addClassCleanup(cls.s.close)
        from botocore.config import Config
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.client = session.client("dynamodb", endpoint_url=cls.s.url, config=Config(retries={"total_max_attempts": 1}))
        cls.client.create_table(**TABLE)

    def test_cancellation_reasons(self):
        item = {"id": {"S": "t"}, "n": {"N": "1"}}
        self.client.put_item(TableName="Bank", Item=item)
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as e:
            self.client.transact_write_items(TransactItems=[
                {"Delete": {"TableName": "Bank", "Key": {"id": {"S": "other"}}}},
                {"Put": {"TableName": "Bank", "Item": item, "ConditionExpression": "n > :n",
                         "ExpressionAttributeValues": {":n": {"N": "1"}}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}])
        self.assertEqual(e.exception.response["CancellationReasons"], [
            {"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item}])
        self.assertTrue(e.exception.response["Error"]["Message"].endswith("[None, ConditionalCheckFailed]"))

    def test_throttling_is_an_error_that_clients_retry(self):
        definition = {**TABLE, "TableName": "Slow", "BillingMode": "PROVISIONED",
                      "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
        self.client.create_table(**definition)
        with self.assertRaises(self.client.exceptions.ProvisionedThroughputExceededException):
            for i in range(2000):
                self.client.put_item(TableName="Slow", Item={"id": {"S": str(i)}})
        self.assertGreaterEqual(i, 300)
        left = self.client.batch_write_item(RequestItems={
            "Slow": [{"PutRequest": {"Item": {"id": {"S": "x%d" % k}}}} for k in range(10)],
            "Bank": [{"PutRequest": {"Item": {"id": {"S": "x"}}}}]})["UnprocessedItems"]
        self.assertEqual(set(left), {"Slow"})


if __name__ == "__main__":
    unittest.main()
