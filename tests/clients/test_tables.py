"""Tables through boto3 and the aws command: waiters, paginators, and what the clock does to items, streams and
backups. The clock is moved by POST /_puddle/clock; only idle_server_expires_items waits for real time to pass."""
import json
import os
import shutil
import sqlite3
import subprocess
import time
import unittest

from boto import client_of
from puddle import Server

KEYS = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
BOTH = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import boto3  # noqa: F401
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed")
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)
        cls.db, cls.streams = client_of(cls.s, "dynamodb"), client_of(cls.s, "dynamodbstreams")

    def table(self, **more):
        name = self.id().split(".")[-1]
        self.db.create_table(TableName=name, **{**KEYS, **more})
        self.db.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 3})
        return name

    def now(self):
        return json.loads(self.s.request("GET", "/_puddle/clock")[2])["now_ms"] / 1000

    def shift(self, seconds):
        status, _, body = self.s.request("POST", "/_puddle/clock", json.dumps({"shift_ms": seconds * 1000}))
        self.assertEqual(status, 200, body)

    def until(self, what):
        deadline = time.monotonic() + 20
        while not what():
            self.assertLess(time.monotonic(), deadline, "the condition never came true")

    def put(self, table, pk, **attributes):
        self.db.put_item(TableName=table, Item={"pk": {"S": pk}, **attributes})

    def keys(self, table):
        return sorted(i["pk"]["S"] for i in self.db.scan(TableName=table)["Items"])

    def records(self, arn):
        out = []
        for shard in self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"],
                                                       ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            while iterator:
                reply = self.streams.get_records(ShardIterator=iterator)
                out += reply["Records"]
                iterator = reply.get("NextShardIterator") if reply["Records"] else None
        return out

    def fails(self, code, call, **arguments):
        from botocore.exceptions import ClientError
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]

    def test_items_expire_when_the_clock_moves(self):
        t = self.table(StreamSpecification=BOTH)
        self.db.update_time_to_live(TableName=t, TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True})
        self.assertEqual(self.db.describe_time_to_live(TableName=t)["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED")
        for i in range(450):  # more than one slice
            self.put(t, "hour%03d" % i, ttl={"N": str(int(self.now()) + 3600)})
        self.put(t, "day", ttl={"N": str(int(self.now()) + 86400)})
        self.put(t, "never")
        self.shift(3000)
        self.assertEqual(len(self.keys(t)), 452)
        self.shift(700)
        self.until(lambda: self.keys(t) == ["day", "never"])
        self.assertEqual(self.db.describe_table(TableName=t)["Table"]["ItemCount"], 2)
        removed = [r for r in self.records(self.db.describe_table(TableName=t)["Table"]["LatestStreamArn"]) if r["eventName"] == "REMOVE"]
        self.assertEqual(len(removed), 450)
        for record in removed:
            self.assertEqual(record["userIdentity"], {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"})
            self.assertIn("ttl", record["dynamodb"]["OldImage"])

    def test_stream_records_live_24_hours(self):
        t = self.table(StreamSpecification=BOTH)
        arn = self.db.describe_table(TableName=t)["Table"]["LatestStreamArn"]
        self.put(t, "a")
        shard = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        self.shift(15 * 60 + 1)
        self.fails("ExpiredIteratorException", self.streams.get_records, ShardIterator=iterator)
        self.shift(5 * 3600)
        self.put(t, "b")  # in the next shard
        shards = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self.assertEqual(shards[1]["ParentShardId"], shards[0]["ShardId"])
        self.assertIn("EndingSequenceNumber", shards[0]["SequenceNumberRange"])
        records = self.records(arn)
        self.assertEqual([r["dynamodb"]["Keys"]["pk"]["S"] for r in records], ["a", "b"])
        numbers = [int(r["dynamodb"]["SequenceNumber"]) for r in records]
        self.assertLess(numbers[0], numbers[1])
        self.shift(19 * 3600)
        self.until(lambda: [r["dynamodb"]["Keys"]["pk"]["S"] for r in self.records(arn)] == ["b"])
        self.db.delete_table(TableName=t)
        self.db.get_waiter("table_not_exists").wait(TableName=t, WaiterConfig={"Delay": 1, "MaxAttempts": 3})
        self.assertEqual(self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"], "DISABLED")
        self.assertEqual(len(self.records(arn)), 1)
        self.shift(25 * 3600)
        self.until(lambda: not [s for s in self.streams.list_streams()["Streams"] if s["StreamArn"] == arn])
        self.fails("ResourceNotFoundException", self.streams.describe_stream, StreamArn=arn)

    def test_a_table_goes_back_to_any_moment(self):
        t = self.table()
        self.fails("PointInTimeRecoveryUnavailableException", self.db.restore_table_to_point_in_time, SourceTableName=t,
                   TargetTableName="none-" + t, UseLatestRestorableTime=True)
        self.db.update_continuous_backups(TableName=t, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        moments = {}
        for day in range(4):
            self.put(t, "day%d" % day)
            if day == 2:
                self.db.delete_item(TableName=t, Key={"pk": {"S": "day0"}})
            moments[day] = (self.now(), self.keys(t))
            self.shift(86400)
        from datetime import datetime, timezone
        for day, (when, keys) in moments.items():
            target = "%s-%d" % (t, day)
            self.db.restore_table_to_point_in_time(SourceTableName=t, TargetTableName=target,
                                                   RestoreDateTime=datetime.fromtimestamp(when + 3600, timezone.utc))
            self.db.get_waiter("table_exists").wait(TableName=target, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
            self.assertEqual(self.keys(target), keys)
        self.shift(40 * 86400)
        description = self.db.describe_continuous_backups(TableName=t)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        self.assertEqual((description["LatestRestorableDateTime"] - description["EarliestRestorableDateTime"]).days, 35)
        self.assertIn("must be within", self.fails(
            "InvalidRestoreTimeException", self.db.restore_table_to_point_in_time, SourceTableName=t, TargetTableName="late-" + t,
            RestoreDateTime=datetime.fromtimestamp(moments[0][0], timezone.utc)))
        self.db.delete_table(TableName=t)
        backup = self.db.list_backups(TableName=t, BackupType="SYSTEM")["BackupSummaries"][0]
        self.db.restore_table_from_backup(TargetTableName=t, BackupArn=backup["BackupArn"])
        self.db.get_waiter("table_exists").wait(TableName=t, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        self.assertEqual(self.keys(t), moments[3][1])

    def test_backups_page(self):
        t = self.table()
        arns = [self.db.create_backup(TableName=t, BackupName="one%d" % i)["BackupDetails"]["BackupArn"] for i in range(5)]
        pages = self.db.get_paginator("list_backups").paginate(TableName=t, PaginationConfig={"PageSize": 2})
        self.assertEqual(sorted(pages.search("BackupSummaries[].BackupArn")), sorted(arns))
        for arn in arns:
            self.assertEqual(self.db.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"], "AVAILABLE")
            self.db.delete_backup(BackupArn=arn)
        self.assertEqual(self.db.list_backups(TableName=t)["BackupSummaries"], [])

    def test_tags_page_and_settings_round_trip(self):
        t = self.table()
        arn = self.db.describe_table(TableName=t)["Table"]["TableArn"]
        self.db.tag_resource(ResourceArn=arn, Tags=[{"Key": "k%d" % i, "Value": "v"} for i in range(50)])
        self.assertEqual(len(list(self.db.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn).search("Tags[]"))), 50)
        self.db.untag_resource(ResourceArn=arn, TagKeys=["k%d" % i for i in range(49)])
        self.assertEqual(self.db.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "k49", "Value": "v"}])
        self.db.update_contributor_insights(TableName=t, ContributorInsightsAction="ENABLE")
        self.assertEqual(self.db.describe_contributor_insights(TableName=t)["ContributorInsightsStatus"], "ENABLED")
        listed = self.db.list_contributor_insights()["ContributorInsightsSummaries"]
        self.assertIn(t, [i["TableName"] for i in listed])
        kinesis = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
        self.db.enable_kinesis_streaming_destination(TableName=t, StreamArn=kinesis)
        self.db.disable_kinesis_streaming_destination(TableName=t, StreamArn=kinesis)
        described = self.db.describe_kinesis_streaming_destination(TableName=t)["KinesisDataStreamDestinations"][0]
        self.assertEqual(described["DestinationStatus"], "DISABLED")
        self.assertEqual(self.db.describe_limits()["TableMaxReadCapacityUnits"], 40000)

    def test_settings_that_debians_boto3_does_not_know(self):
        t = self.table()

        def ask(operation, **more):
            status, _, body = self.s.dynamodb(operation, more)
            self.assertEqual(status, 200, body)
            return json.loads(body)
        arn = ask("DescribeTable", TableName=t)["Table"]["TableArn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"},
                                                                      "Action": "dynamodb:GetItem", "Resource": arn}]})
        revision = ask("PutResourcePolicy", ResourceArn=arn, Policy=policy)["RevisionId"]
        got = ask("GetResourcePolicy", ResourceArn=arn)
        self.assertEqual((json.loads(got["Policy"]), got["RevisionId"]), (json.loads(policy), revision))
        ask("DeleteResourcePolicy", ResourceArn=arn, ExpectedRevisionId=revision)
        kinesis = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
        ask("EnableKinesisStreamingDestination", TableName=t, StreamArn=kinesis)
        reply = ask("UpdateKinesisStreamingDestination", TableName=t, StreamArn=kinesis,
                    UpdateKinesisStreamingConfiguration={"ApproximateCreationDateTimePrecision": "MICROSECOND"})
        self.assertEqual(reply["DestinationStatus"], "UPDATING")

    def test_the_endpoint_told_is_one_that_answers(self):
        address = self.db.describe_endpoints()["Endpoints"][0]["Address"]
        self.assertEqual("http://" + address, self.s.url)

    def test_an_index_of_a_big_table_is_waited_for(self):
        t = self.table()
        item = {"g": {"S": "x"}, "data": {"S": "y" * 500}}
        for at in range(0, 4000, 25):
            self.db.batch_write_item(RequestItems={t: [{"PutRequest": {"Item": {"pk": {"S": str(at + i)}, **item}}} for i in range(25)]})
        self.db.update_table(TableName=t, AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}], GlobalSecondaryIndexUpdates=[
            {"Create": {"IndexName": "byg", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}}])
        self.until(lambda: self.db.describe_table(TableName=t)["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE")
        pages = self.db.get_paginator("query").paginate(TableName=t, IndexName="byg", KeyConditionExpression="g = :x",
                                                        ExpressionAttributeValues={":x": {"S": "x"}}, Select="COUNT")
        self.assertEqual(sum(p["Count"] for p in pages), 4000)
        backup = self.db.create_backup(TableName=t, BackupName="big")["BackupDetails"]["BackupArn"]
        self.until(lambda: self.db.describe_backup(BackupArn=backup)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "AVAILABLE")
        self.db.restore_table_from_backup(TargetTableName="copy-" + t, BackupArn=backup)
        self.until(lambda: self.db.describe_table(TableName="copy-" + t)["Table"]["TableStatus"] == "ACTIVE")
        table = self.db.describe_table(TableName="copy-" + t)["Table"]
        self.assertEqual((table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"]), (4000, 4000))


class TablesOnTheirOwn(unittest.TestCase):
    def test_an_idle_server_expires_items(self):
        """Nobody asks it anything: its own timer wakes it. Seen from outside, in its file."""
        s = Server("--quiet")
        self.addCleanup(s.close)
        body = {"TableName": "idle", **KEYS}
        self.assertEqual(s.dynamodb("CreateTable", body)[0], 200)
        s.dynamodb("UpdateTimeToLive", {"TableName": "idle", "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True}})
        for i in range(3):
            s.dynamodb("PutItem", {"TableName": "idle", "Item": {"pk": {"S": str(i)}, "ttl": {"N": str(int(time.time()) + 2)}}})

        def left():
            file = sqlite3.connect("file:%s?mode=ro" % os.path.join(s.data, "puddle.db"), uri=True)
            try:
                return file.execute("SELECT count(*) FROM ddb_data_1").fetchone()[0]
            finally:
                file.close()
        self.assertEqual(left(), 3)
        deadline = time.monotonic() + 20
        while left() > 0:
            self.assertLess(time.monotonic(), deadline, "the items are still there")

    def test_streams_are_signed_for_dynamodb(self):
        s = Server("--strict-auth", "--key", "AKIDGOOD:secret", "--quiet", ephemeral=True)
        self.addCleanup(s.close)
        try:
            import boto3
        except ImportError:
            self.skipTest("boto3 is not installed")
        session = boto3.Session(aws_access_key_id="AKIDGOOD", aws_secret_access_key="secret", region_name="us-east-1")
        session.client("dynamodb", endpoint_url=s.url).create_table(TableName="abc", StreamSpecification=BOTH, **KEYS)
        self.assertEqual(len(session.client("dynamodbstreams", endpoint_url=s.url).list_streams()["Streams"]), 1)

    def test_kill_9_in_a_copy_loses_nothing(self):
        s = Server("--quiet")
        self.addCleanup(s.close)
        s.dynamodb("CreateTable", {"TableName": "abc", **KEYS})
        for at in range(0, 5000, 25):
            s.dynamodb("BatchWriteItem", {"RequestItems": {"abc": [
                {"PutRequest": {"Item": {"pk": {"S": str(at + i)}, "data": {"S": "y" * 1500}}}} for i in range(25)]}})
        status, _, body = s.dynamodb("CreateBackup", {"TableName": "abc", "BackupName": "big"})
        self.assertEqual(status, 200, body)
        arn = json.loads(body)["BackupDetails"]["BackupArn"]
        s.dynamodb("DeleteItem", {"TableName": "abc", "Key": {"pk": {"S": "4999"}}})
        s.stop(9)
        s.start()

        def ask(operation, **more):
            return json.loads(s.dynamodb(operation, more)[2])
        deadline = time.monotonic() + 30
        while ask("DescribeBackup", BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] != "AVAILABLE":
            self.assertLess(time.monotonic(), deadline)
        ask("RestoreTableFromBackup", BackupArn=arn, TargetTableName="copy")
        while ask("DescribeTable", TableName="copy")["Table"]["TableStatus"] != "ACTIVE":
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(ask("DescribeTable", TableName="copy")["Table"]["ItemCount"], 5000)
        self.assertEqual(ask("DescribeTable", TableName="abc")["Table"]["ItemCount"], 4999)


class TablesByAwsCli(unittest.TestCase):
    def test_settings_by_the_command(self):
        if shutil.which("aws") is None:
            self.skipTest("aws is not installed")
        s = Server("--quiet", ephemeral=True)
        self.addCleanup(s.close)

        def aws(*args, service="dynamodb"):
            done = subprocess.run(["aws", "--endpoint-url", s.url, "--output", "json", service, *args], env=s.environment(),
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout) if done.stdout.strip() else {}
        aws("create-table", "--table-name", "abc", "--attribute-definitions", "AttributeName=pk,AttributeType=S", "--key-schema",
            "AttributeName=pk,KeyType=HASH", "--provisioned-throughput", "ReadCapacityUnits=5,WriteCapacityUnits=5")
        aws("wait", "table-exists", "--table-name", "abc")
        aws("update-table", "--table-name", "abc", "--billing-mode", "PAY_PER_REQUEST")
        aws("update-table", "--table-name", "abc", "--stream-specification", "StreamEnabled=true,StreamViewType=KEYS_ONLY")
        table = aws("describe-table", "--table-name", "abc")["Table"]
        self.assertEqual(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(aws("list-streams", service="dynamodbstreams")["Streams"][0]["StreamArn"], table["LatestStreamArn"])
        aws("update-continuous-backups", "--table-name", "abc", "--point-in-time-recovery-specification", "PointInTimeRecoveryEnabled=true")
        aws("restore-table-to-point-in-time", "--source-table-name", "abc", "--target-table-name", "copy", "--use-latest-restorable-time")
        aws("wait", "table-exists", "--table-name", "copy")
        arn = aws("create-backup", "--table-name", "abc", "--backup-name", "one")["BackupDetails"]["BackupArn"]
        self.assertEqual(aws("list-backups", "--table-name", "abc")["BackupSummaries"][0]["BackupArn"], arn)
        aws("delete-backup", "--backup-arn", arn)
        aws("delete-table", "--table-name", "copy")
        aws("wait", "table-not-exists", "--table-name", "copy")
