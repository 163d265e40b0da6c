"""boto3 and the JavaScript SDKs as their users use them."""
import json
import shutil
import subprocess
import unittest

from puddle import ROLE, ROOT, Server, make_zip

ECHO = {"index.js": "exports.handler = async (event) => event;"}


class Boto3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            import boto3
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed")
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.db = session.client("dynamodb", endpoint_url=cls.s.url)
        cls.tables = session.resource("dynamodb", endpoint_url=cls.s.url)
        cls.functions = session.client("lambda", endpoint_url=cls.s.url)
        cls.api = session.client("apigateway", endpoint_url=cls.s.url)

    def test_a_table_from_creation_to_deletion(self):
        from decimal import Decimal
        table = self.tables.create_table(
            TableName="Boto", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        table.wait_until_exists()
        item = {"id": "\u00e4", "n": Decimal("1.50"), "b": b"\0\xff", "s": {1, 2}, "l": [None, True], "m": {"x": ""}}
        table.put_item(Item=item)
        self.assertEqual(table.get_item(Key={"id": "\u00e4"})["Item"]["n"], Decimal("1.5"))
        self.assertEqual(table.get_item(Key={"id": "none"}).get("Item"), None)
        self.assertEqual(table.delete_item(Key={"id": "\u00e4"}, ReturnValues="ALL_OLD")["Attributes"]["l"], [None, True])
        table.delete()
        table.wait_until_not_exists()

    def test_expressions_decide_and_change(self):
        self.db.create_table(
            TableName="Expr", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        put = dict(TableName="Expr", Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)")
        self.db.put_item(**put)
        with self.assertRaises(self.db.exceptions.ConditionalCheckFailedException):
            self.db.put_item(**put)
        got = self.db.update_item(TableName="Expr", Key={"id": {"S": "a"}}, UpdateExpression="SET #n = :n",
                                  ExpressionAttributeNames={"#n": "name"}, ExpressionAttributeValues={":n": {"S": "x"}},
                                  ReturnValues="ALL_NEW")
        self.assertEqual(got["Attributes"], {"id": {"S": "a"}, "name": {"S": "x"}})

    def test_a_function_and_its_waiters(self):
        self.functions.create_function(FunctionName="boto", Runtime="nodejs20.x", Handler="index.handler", Role=ROLE,
                                       Code={"ZipFile": make_zip(ECHO)})
        self.functions.get_waiter("function_active").wait(FunctionName="boto")
        reply = self.functions.invoke(FunctionName="boto", Payload=b'{"a":1}')
        self.assertEqual(json.loads(reply["Payload"].read()), {"a": 1})
        self.functions.update_function_configuration(FunctionName="boto", Timeout=9)
        self.functions.get_waiter("function_updated").wait(FunctionName="boto")
        with self.assertRaises(self.functions.exceptions.ResourceNotFoundException):
            self.functions.get_function(FunctionName="nobody")

    def test_methods_and_their_responses_come_and_go(self):
        api = self.api.create_rest_api(name="m")["id"]
        root = self.api.get_resources(restApiId=api)["items"][0]["id"]
        where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
        self.api.put_method(**where, authorizationType="NONE")
        self.api.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST",
                                 uri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
                                     "arn:aws:lambda:us-east-1:000000000000:function:x/invocations")
        self.api.put_method_response(**where, statusCode="200")
        self.assertEqual(self.api.get_method_response(**where, statusCode="200")["statusCode"], "200")
        self.api.put_integration_response(**where, statusCode="200", selectionPattern="")
        self.api.delete_integration_response(**where, statusCode="200")
        self.api.delete_method_response(**where, statusCode="200")
        with self.assertRaises(self.api.exceptions.NotFoundException):
            self.api.get_method_response(**where, statusCode="200")
        self.api.delete_method(**where)
        with self.assertRaises(self.api.exceptions.NotFoundException):
            self.api.get_method(**where)

    def test_a_deleted_function_is_gone(self):
        self.functions.create_function(FunctionName="gone", Runtime="nodejs20.x", Handler="index.handler", Role=ROLE,
                                       Code={"ZipFile": make_zip(ECHO)})
        self.functions.delete_function(FunctionName="gone")
        with self.assertRaises(self.functions.exceptions.ResourceNotFoundException):
            self.functions.get_function(FunctionName="gone")

    def test_accounts_are_separate(self):
        import boto3
        other = boto3.client("dynamodb", endpoint_url=self.s.url, aws_access_key_id="111111111111",
                             aws_secret_access_key="x", region_name="us-east-1")
        other.create_table(TableName="Mine", BillingMode="PAY_PER_REQUEST",
                           KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                           AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        self.assertIn("111111111111", other.describe_table(TableName="Mine")["Table"]["TableArn"])
        self.assertNotIn("Mine", self.db.list_tables()["TableNames"])


class JavaScript(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("node") is None or not (ROOT / "tests/clients/js/node_modules/aws-sdk").exists():
            raise unittest.SkipTest("node, or node_modules of tests/clients/js, is not here")
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        cls.s.create_function("js", ECHO)
        done = subprocess.run(["node", "clients.js"], cwd=ROOT / "tests/clients/js", env=cls.s.environment(),
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        cls.results = json.loads(done.stdout)

    def test_the_v2_document_client(self):
        item = {"id": "a", "n": 1, "list": [1, "x", {"deep": True}], "nothing": None}
        self.assertEqual((self.results["v2get"], self.results["v2old"]), (item, item))
        self.assertEqual(self.results["v2error"], ["ResourceNotFoundException", "Requested resource not found", 400])

    def test_the_v3_clients(self):
        self.assertEqual(self.results["v3get"], {"id": [0, 255, 1], "tags": ["x", "y"], "big": "12345678901234567890"})
        self.assertEqual(self.results["v3tables"], ["JsV2", "JsV3"])
        self.assertEqual(self.results["v3invoke"], {"a": 1})
        self.assertEqual(self.results["v3error"], ["ResourceNotFoundException", 404])
