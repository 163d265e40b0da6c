"""aws-cli, version 1 and version 2 where each is found: the issue's flow without a template."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from puddle import ROLE, Server, make_zip

HANDLER = {"index.js": """
exports.handler = async (event) => event.httpMethod ? { statusCode: 201, headers: { 'X-A': 'b' },
  body: JSON.stringify({ path: event.path, id: event.pathParameters, q: event.queryStringParameters, body: event.body }) }
  : { got: event };"""}


def find_cli(major):
    seen = set()
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/bin", "/usr/local/bin"]:
        path = os.path.join(folder, "aws")
        if path in seen or not os.access(path, os.X_OK):
            continue
        seen.add(path)
        out = subprocess.run([path, "--version"], capture_output=True, text=True)
        if ("aws-cli/%d." % major) in out.stdout + out.stderr:
            return path
    return None


class Flow:
    major = 0

    @classmethod
    def setUpClass(cls):
        cls.cli = find_cli(cls.major)
        if cls.cli is None:
            raise unittest.SkipTest("no aws-cli version %d on this machine" % cls.major)
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        with open(os.path.join(cls.folder, "fn.zip"), "wb") as f:
            f.write(make_zip(HANDLER))
        cls.aws("lambda", "create-function", "--function-name", "f", "--runtime", "nodejs20.x", "--handler",
                "index.handler", "--role", ROLE, "--zip-file", "fileb://fn.zip")
        cls.aws("lambda", "wait", "function-active-v2", "--function-name", "f")

    @classmethod
    def aws(cls, *args):
        env = {k: v for k, v in cls.s.environment().items() if k != "AWS_ENDPOINT_URL"}
        done = subprocess.run([cls.cli, "--endpoint-url", cls.s.url, "--output", "json", *args], cwd=cls.folder,
                              env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (args, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout

    def test_tables_and_items(self):
        self.aws("dynamodb", "create-table", "--table-name", "Tab", "--billing-mode", "PAY_PER_REQUEST", "--key-schema",
                 "AttributeName=id,KeyType=HASH", "--attribute-definitions", "AttributeName=id,AttributeType=S")
        self.aws("dynamodb", "wait", "table-exists", "--table-name", "Tab")
        self.assertEqual(self.aws("dynamodb", "describe-table", "--table-name", "Tab")["Table"]["TableStatus"], "ACTIVE")
        self.aws("dynamodb", "put-item", "--table-name", "Tab", "--item", '{"id":{"S":"1"},"n":{"N":"1.0"}}')
        self.assertEqual(self.aws("dynamodb", "get-item", "--table-name", "Tab", "--key", '{"id":{"S":"1"}}'),
                         {"Item": {"id": {"S": "1"}, "n": {"N": "1"}}})
        self.aws("dynamodb", "delete-item", "--table-name", "Tab", "--key", '{"id":{"S":"1"}}')
        self.assertEqual(self.aws("dynamodb", "get-item", "--table-name", "Tab", "--key", '{"id":{"S":"1"}}').strip(), "")
        self.assertEqual(self.aws("dynamodb", "list-tables"), {"TableNames": ["Tab"]})
        self.aws("dynamodb", "delete-table", "--table-name", "Tab")
        self.aws("dynamodb", "wait", "table-not-exists", "--table-name", "Tab")

    def invoke(self, *args):
        reply = self.aws("lambda", "invoke", "--function-name", "f", *args, "out.json")
        with open(os.path.join(self.folder, "out.json")) as f:
            return reply, f.read()

    def test_invoke_in_all_types(self):
        payload = ("--payload", '{"a":1}') + (("--cli-binary-format", "raw-in-base64-out") if self.major == 2 else ())
        reply, body = self.invoke(*payload, "--log-type", "Tail")
        self.assertEqual((reply["StatusCode"], reply["ExecutedVersion"], json.loads(body)), (200, "$LATEST", {"got": {"a": 1}}))
        self.assertIn("LogResult", reply)
        self.assertEqual(self.invoke("--invocation-type", "Event")[0], {"StatusCode": 202})
        self.assertEqual(self.invoke("--invocation-type", "DryRun")[0], {"StatusCode": 204})

    def test_a_rest_api_in_front_of_a_function(self):
        api = self.aws("apigateway", "create-rest-api", "--name", "test")["id"]
        root = self.aws("apigateway", "get-resources", "--rest-api-id", api)["items"][0]["id"]
        resource = self.aws("apigateway", "create-resource", "--rest-api-id", api, "--parent-id", root,
                            "--path-part", "{proxy+}")["id"]
        self.aws("apigateway", "put-method", "--rest-api-id", api, "--resource-id", resource, "--http-method", "ANY",
                 "--authorization-type", "NONE")
        arn = self.aws("lambda", "get-function-configuration", "--function-name", "f")["FunctionArn"]
        self.aws("apigateway", "put-integration", "--rest-api-id", api, "--resource-id", resource, "--http-method", "ANY",
                 "--type", "AWS_PROXY", "--integration-http-method", "POST", "--uri",
                 "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations" % arn)
        self.aws("lambda", "add-permission", "--function-name", "f", "--statement-id", "s", "--action",
                 "lambda:InvokeFunction", "--principal", "apigateway.amazonaws.com")
        self.aws("apigateway", "create-deployment", "--rest-api-id", api, "--stage-name", "prod")
        want = {"path": "/a/b", "id": {"proxy": "a/b"}, "q": {"x": "1 2"}, "body": "hi"}
        for path, host in (("/_aws/execute-api/%s/prod/a/b?x=1+2" % api, None),
                           ("/restapis/%s/prod/_user_request_/a/b?x=1+2" % api, None),
                           ("/prod/a/b?x=1+2", "%s.execute-api.us-east-1.amazonaws.com" % api)):
            status, headers, body = self.s.request("POST", path, "hi", {"Host": host} if host else {})
            self.assertEqual((status, headers.get("x-a"), json.loads(body)), (201, "b", want), path)
        status, headers, body = self.s.request("GET", "/_aws/execute-api/%s/prod" % api)
        self.assertEqual((status, body), (403, b'{"message":"Missing Authentication Token"}'))
        self.assertEqual(headers["x-amzn-errortype"], "MissingAuthenticationTokenException")


class Version1(Flow, unittest.TestCase):
    major = 1


class Version2(Flow, unittest.TestCase):
    major = 2
