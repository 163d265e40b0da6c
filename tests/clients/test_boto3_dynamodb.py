"""DynamoDB through boto3: the resource with its conditions and batch writer, the client with paginators and waiters."""
import unittest
from decimal import Decimal

from puddle import Server


def schema(*keys):
    return {"BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": k.split(":")[0], "KeyType": ("HASH", "RANGE")[i]} for i, k in enumerate(keys)],
            "AttributeDefinitions": [{"AttributeName": k.split(":")[0], "AttributeType": k.split(":")[1]} for k in keys]}


class Boto3Dynamodb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import boto3
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed")
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.client = session.client("dynamodb", endpoint_url=cls.s.url)
        cls.streams = session.client("dynamodbstreams", endpoint_url=cls.s.url)
        cls.resource = session.resource("dynamodb", endpoint_url=cls.s.url)

    def need(self, operation):
        if not self.s.has(operation):
            self.skipTest("the server has no " + operation)

    def make(self, name, *keys, **more):
        table = self.resource.create_table(TableName=name, **{**schema(*keys), **more})
        table.wait_until_exists()
        return table

    def test_batch_writer_writes_more_than_one_batch(self):
        table = self.make("Batches", "pk:S", "sk:N")
        with table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
            for i in range(130):
                batch.put_item(Item={"pk": "a", "sk": i, "data": "x" * i})
            batch.put_item(Item={"pk": "a", "sk": 0, "data": "again"})
            batch.delete_item(Key={"pk": "a", "sk": 129})
        self.assertEqual(table.scan(Select="COUNT")["Count"], 129)
        self.assertEqual(table.get_item(Key={"pk": "a", "sk": 0})["Item"]["data"], "again")

    def test_conditions_of_boto3(self):
        from boto3.dynamodb.conditions import Attr, Key
        table = self.make("Conditions", "pk:S", "sk:N")
        with table.batch_writer() as batch:
            for i in range(10):
                batch.put_item(Item={"pk": "p", "sk": i, "name": "n%d" % i, "tags": {"even" if i % 2 == 0 else "odd"},
                                     "map": {"deep": [i]}, **({"rare": True} if i == 7 else {})})

        def query(key, **more):
            return [int(i["sk"]) for i in table.query(KeyConditionExpression=key, **more)["Items"]]

        pk = Key("pk").eq("p")
        self.assertEqual(query(pk & Key("sk").between(3, 5)), [3, 4, 5])
        self.assertEqual(query(pk & Key("sk").gte(8), ScanIndexForward=False), [9, 8])
        self.assertEqual(query(pk, FilterExpression=Attr("name").begins_with("n") & ~Attr("tags").contains("odd")), [0, 2, 4, 6, 8])
        self.assertEqual(query(pk, FilterExpression=Attr("map.deep[0]").is_in([1, 4, 99])), [1, 4])
        self.assertEqual(query(pk, FilterExpression=Attr("rare").exists() | Attr("name").eq("n0")), [0, 7])
        self.assertEqual(query(pk, FilterExpression=Attr("name").size().gt(2) | Attr("sk2").attribute_type("S")), [])
        self.assertEqual(query(pk, FilterExpression=Attr("rare").ne(True) & Attr("name").between("n3", "n8")), [3, 4, 5, 6, 8])

    def test_the_resource_updates_with_conditions(self):
        from boto3.dynamodb.conditions import Attr
        table = self.make("Updates", "id:S")
        table.put_item(Item={"id": "a", "n": Decimal("1.5"), "set": {"x", "y"}}, ConditionExpression=Attr("id").not_exists())
        with self.assertRaises(self.client.exceptions.ConditionalCheckFailedException):
            table.put_item(Item={"id": "a"}, ConditionExpression=Attr("id").not_exists())
        reply = table.update_item(Key={"id": "a"}, UpdateExpression="SET n = n + :d, #l = :l DELETE #s :x",
                                  ExpressionAttributeNames={"#l": "list", "#s": "set"},
                                  ExpressionAttributeValues={":d": Decimal("0.1"), ":l": [None, b"\0", {"k": []}], ":x": {"x"}},
                                  ConditionExpression=Attr("n").lt(2), ReturnValues="ALL_NEW")
        self.assertEqual(reply["Attributes"], {"id": "a", "n": Decimal("1.6"), "list": [None, b"\0", {"k": []}], "set": {"y"}})
        reply = table.delete_item(Key={"id": "a"}, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL")
        self.assertEqual(reply["ConsumedCapacity"], {"TableName": "Updates", "CapacityUnits": 1.0})

    def test_paginators(self):
        table = self.make("Pages", "pk:S", "sk:N", GlobalSecondaryIndexes=[
            {"IndexName": "bysk", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}])
        with table.batch_writer() as batch:
            for i in range(40):
                batch.put_item(Item={"pk": "a" if i < 30 else "b", "sk": i, "d": "x"})
        pages = self.client.get_paginator("query").paginate(
            TableName="Pages", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "a"}},
            PaginationConfig={"PageSize": 7})
        self.assertEqual([int(i["sk"]["N"]) for i in pages.search("Items[]")], list(range(30)))
        scan = self.client.get_paginator("scan").paginate(TableName="Pages", IndexName="bysk", PaginationConfig={"PageSize": 9})
        self.assertEqual(sorted(int(i["sk"]["N"]) for i in scan.search("Items[]")), list(range(40)))
        halted = self.client.get_paginator("scan").paginate(TableName="Pages", PaginationConfig={"MaxItems": 5, "PageSize": 2}).build_full_result()
        rest = self.client.get_paginator("scan").paginate(TableName="Pages", PaginationConfig={"StartingToken": halted["NextToken"]}).build_full_result()
        self.assertEqual((len(halted["Items"]), len(rest["Items"])), (5, 35))
        names = self.client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
        self.assertIn("Pages", list(names.search("TableNames[]")))

    def test_batch_get_of_the_resource(self):
        table = self.make("Gets", "id:S")
        table.put_item(Item={"id": "a", "v": 1})
        reply = self.resource.batch_get_item(RequestItems={"Gets": {"Keys": [{"id": "a"}, {"id": "b"}], "ConsistentRead": True}})
        self.assertEqual(reply["Responses"], {"Gets": [{"id": "a", "v": 1}]})
        self.assertEqual(reply["UnprocessedKeys"], {})

    def test_transactions(self):
        self.make("Money", "id:S")
        put = {"Put": {"TableName": "Money", "Item": {"id": {"S": "a"}, "n": {"N": "5"}}}}
        self.client.transact_write_items(TransactItems=[put])
        with self.assertRaises(self.client.exceptions.TransactionCanceledException) as caught:
            self.client.transact_write_items(TransactItems=[
                {"Put": {"TableName": "Money", "Item": {"id": {"S": "b"}}}},
                {"Update": {"TableName": "Money", "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET n = n - :n",
                            "ConditionExpression": "n >= :n", "ExpressionAttributeValues": {":n": {"N": "6"}},
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}])
        reasons = caught.exception.response["CancellationReasons"]
        self.assertEqual([r["Code"] for r in reasons], ["None", "ConditionalCheckFailed"])
        self.assertEqual(reasons[1]["Item"], {"id": {"S": "a"}, "n": {"N": "5"}})
        got = self.client.transact_get_items(TransactItems=[{"Get": {"TableName": "Money", "Key": {"id": {"S": i}}}} for i in "ab"])
        self.assertEqual([r.get("Item") for r in got["Responses"]], [{"id": {"S": "a"}, "n": {"N": "5"}}, None])

    def test_ttl_tags_and_an_index_added_later(self):
        self.need("TagResource")
        table = self.make("Manage", "id:S")
        self.client.update_time_to_live(TableName="Manage", TimeToLiveSpecification={"AttributeName": "exp", "Enabled": True})
        self.assertEqual(self.client.describe_time_to_live(TableName="Manage")["TimeToLiveDescription"]["AttributeName"], "exp")
        arn = table.table_arn
        self.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "who", "Value": "me"}])
        self.assertEqual(self.client.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "who", "Value": "me"}])
        table.put_item(Item={"id": "a", "g": "x"})
        self.client.update_table(
            TableName="Manage", AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}], GlobalSecondaryIndexUpdates=[
                {"Create": {"IndexName": "byg", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}}])
        self.client.get_waiter("table_exists").wait(TableName="Manage", WaiterConfig={"Delay": 1})
        from boto3.dynamodb.conditions import Key
        self.assertEqual(table.query(IndexName="byg", KeyConditionExpression=Key("g").eq("x"))["Items"], [{"id": "a", "g": "x"}])

    def test_a_stream_is_read(self):
        table = self.make("Stream", "id:S", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        table.put_item(Item={"id": "a", "n": 1})
        table.delete_item(Key={"id": "a"})
        arn = self.streams.list_streams(TableName="Stream")["Streams"][0]["StreamArn"]
        self.assertEqual(arn, table.latest_stream_arn)
        shard = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        records = self.streams.get_records(ShardIterator=iterator)["Records"]
        self.assertEqual([r["eventName"] for r in records], ["INSERT", "REMOVE"])
        self.assertEqual(records[1]["dynamodb"]["OldImage"], {"id": {"S": "a"}, "n": {"N": "1"}})

    def test_a_backup_is_restored(self):
        self.need("RestoreTableFromBackup")
        table = self.make("Backed", "id:S")
        table.put_item(Item={"id": "a"})
        arn = self.client.create_backup(TableName="Backed", BackupName="one")["BackupDetails"]["BackupArn"]
        table.delete_item(Key={"id": "a"})
        self.client.restore_table_from_backup(TargetTableName="Restored", BackupArn=arn)
        self.client.get_waiter("table_exists").wait(TableName="Restored", WaiterConfig={"Delay": 1})
        self.assertEqual(self.client.scan(TableName="Restored")["Items"], [{"id": {"S": "a"}}])
        self.assertIn(arn, [b["BackupArn"] for b in self.client.list_backups()["BackupSummaries"]])
        self.client.delete_backup(BackupArn=arn)

    def test_partiql_and_its_paginator(self):
        self.need("ExecuteTransaction")
        self.make("Pql", "pk:S", "sk:N")
        for i in range(3):
            self.client.execute_statement(Statement="INSERT INTO \"Pql\" VALUE {'pk': 'a', 'sk': ?}", Parameters=[{"N": str(i)}])
        with self.assertRaises(self.client.exceptions.DuplicateItemException):
            self.client.execute_statement(Statement="INSERT INTO \"Pql\" VALUE {'pk': 'a', 'sk': 0}")
        reply = self.client.execute_statement(Statement="SELECT sk FROM \"Pql\" WHERE pk = 'a' AND sk > 0")
        self.assertEqual([i["sk"]["N"] for i in reply["Items"]], ["1", "2"])
        replies = self.client.batch_execute_statement(Statements=[
            {"Statement": "UPDATE \"Pql\" SET v = 1 WHERE pk = 'a' AND sk = %d" % sk} for sk in (1, 9)])
        self.assertEqual(len(replies["Responses"]), 2)
        self.client.execute_transaction(TransactStatements=[{"Statement": "DELETE FROM \"Pql\" WHERE pk = 'a' AND sk = 2"}])
        self.assertEqual(self.client.scan(TableName="Pql", Select="COUNT")["Count"], 2)
