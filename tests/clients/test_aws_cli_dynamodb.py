"""Every family of DynamoDB operations once through the aws command."""
import json
import shutil
import subprocess
import unittest

from puddle import Server


class AwsCliDynamodb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("aws") is None:
            raise unittest.SkipTest("aws is not installed")
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)

    def aws(self, *args, service="dynamodb", fails=None):
        done = subprocess.run(["aws", "--endpoint-url", self.s.url, "--output", "json", service, *args], env=self.s.environment(),
                              capture_output=True, text=True, timeout=60)
        if fails:
            self.assertIn(fails, done.stderr)
            return None
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def need(self, operation):
        if not self.s.has(operation):
            self.skipTest("the server has no " + operation)

    def table(self, name, *more):
        self.aws("create-table", "--table-name", name, "--billing-mode", "PAY_PER_REQUEST", "--key-schema", "AttributeName=pk,KeyType=HASH",
                 "AttributeName=sk,KeyType=RANGE", "--attribute-definitions", "AttributeName=pk,AttributeType=S",
                 "AttributeName=sk,AttributeType=N", *more)
        self.aws("wait", "table-exists", "--table-name", name)

    def test_items(self):
        self.table("Items")
        key = '{"pk":{"S":"a"},"sk":{"N":"1"}}'
        self.aws("put-item", "--table-name", "Items", "--item", '{"pk":{"S":"a"},"sk":{"N":"1"},"n":{"N":"1"}}',
                 "--condition-expression", "attribute_not_exists(pk)")
        self.aws("put-item", "--table-name", "Items", "--item", key, "--condition-expression", "attribute_not_exists(pk)",
                 fails="(ConditionalCheckFailedException) when calling the PutItem operation: The conditional request failed")
        reply = self.aws("update-item", "--table-name", "Items", "--key", key, "--update-expression", "SET n = n + :v",
                         "--expression-attribute-values", '{":v":{"N":"2"}}', "--return-values", "UPDATED_NEW")
        self.assertEqual(reply, {"Attributes": {"n": {"N": "3"}}})
        self.aws("batch-write-item", "--request-items", '{"Items":[{"PutRequest":{"Item":{"pk":{"S":"a"},"sk":{"N":"2"}}}}]}')
        reply = self.aws("batch-get-item", "--request-items", '{"Items":{"Keys":[%s]}}' % key)
        self.assertEqual(reply["Responses"]["Items"][0]["n"], {"N": "3"})
        reply = self.aws("query", "--table-name", "Items", "--key-condition-expression", "pk = :p", "--expression-attribute-values",
                         '{":p":{"S":"a"}}', "--page-size", "1")
        self.assertEqual((reply["Count"], len(reply["Items"])), (2, 2))
        reply = self.aws("scan", "--table-name", "Items", "--filter-expression", "attribute_exists(n)", "--max-items", "1")
        self.assertEqual(len(reply["Items"]), 1)
        reply = self.aws("delete-item", "--table-name", "Items", "--key", key, "--return-values", "ALL_OLD")
        self.assertEqual(reply["Attributes"]["n"], {"N": "3"})

    def test_transactions(self):
        self.table("Txs")
        item = '{"pk":{"S":"a"},"sk":{"N":"1"}}'
        put = '[{"Put":{"TableName":"Txs","Item":%s,"ConditionExpression":"attribute_not_exists(pk)"}}]' % item
        self.aws("transact-write-items", "--transact-items", put)
        self.aws("transact-write-items", "--transact-items", put, fails="[ConditionalCheckFailed]")
        reply = self.aws("transact-get-items", "--transact-items", '[{"Get":{"TableName":"Txs","Key":%s}}]' % item)
        self.assertEqual(reply["Responses"], [{"Item": json.loads(item)}])

    def test_tables(self):
        self.need("TagResource")
        self.table("Tables", "--stream-specification", "StreamEnabled=true,StreamViewType=KEYS_ONLY")
        self.aws("update-time-to-live", "--table-name", "Tables", "--time-to-live-specification", "Enabled=true,AttributeName=exp")
        self.assertEqual(self.aws("describe-time-to-live", "--table-name", "Tables")["TimeToLiveDescription"]["AttributeName"], "exp")
        arn = self.aws("describe-table", "--table-name", "Tables")["Table"]["TableArn"]
        self.aws("tag-resource", "--resource-arn", arn, "--tags", "Key=a,Value=b")
        self.assertEqual(self.aws("list-tags-of-resource", "--resource-arn", arn), {"Tags": [{"Key": "a", "Value": "b"}]})
        self.aws("update-table", "--table-name", "Tables", "--attribute-definitions", "AttributeName=g,AttributeType=S",
                 "--global-secondary-index-updates",
                 '[{"Create":{"IndexName":"byg","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]')
        self.aws("wait", "table-exists", "--table-name", "Tables")
        self.assertIn("AccountMaxReadCapacityUnits", self.aws("describe-limits"))
        self.assertEqual(len(self.aws("describe-endpoints")["Endpoints"]), 1)
        self.assertIn("Tables", self.aws("list-tables")["TableNames"])
        stream = self.aws("list-streams", "--table-name", "Tables", service="dynamodbstreams")["Streams"][0]["StreamArn"]
        shard = self.aws("describe-stream", "--stream-arn", stream, service="dynamodbstreams")["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = self.aws("get-shard-iterator", "--stream-arn", stream, "--shard-id", shard, "--shard-iterator-type", "LATEST",
                            service="dynamodbstreams")["ShardIterator"]
        self.assertEqual(self.aws("get-records", "--shard-iterator", iterator, service="dynamodbstreams")["Records"], [])

    def test_backups(self):
        self.need("RestoreTableFromBackup")
        self.table("Backups")
        self.aws("put-item", "--table-name", "Backups", "--item", '{"pk":{"S":"a"},"sk":{"N":"1"}}')
        arn = self.aws("create-backup", "--table-name", "Backups", "--backup-name", "one")["BackupDetails"]["BackupArn"]
        self.aws("restore-table-from-backup", "--target-table-name", "Again", "--backup-arn", arn)
        self.aws("wait", "table-exists", "--table-name", "Again")
        self.assertEqual(self.aws("scan", "--table-name", "Again")["Count"], 1)
        self.aws("update-continuous-backups", "--table-name", "Backups", "--point-in-time-recovery-specification",
                 "PointInTimeRecoveryEnabled=true")
        reply = self.aws("describe-continuous-backups", "--table-name", "Backups")["ContinuousBackupsDescription"]
        self.assertEqual(reply["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "ENABLED")

    def test_partiql(self):
        self.need("BatchExecuteStatement")
        self.table("Pql")
        self.aws("execute-statement", "--statement", "INSERT INTO Pql VALUE {'pk':'a','sk':1,'v':'x'}")
        reply = self.aws("execute-statement", "--statement", "SELECT v FROM Pql WHERE pk=? AND sk=?", "--parameters", '[{"S":"a"},{"N":"1"}]')
        self.assertEqual(reply["Items"], [{"v": {"S": "x"}}])
        reply = self.aws("batch-execute-statement", "--statements", '[{"Statement":"DELETE FROM Pql WHERE pk=\'a\' AND sk=1"}]')
        self.assertEqual(len(reply["Responses"]), 1)
