"""The puddle commands against a running server."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from puddle import BINARY, Server

HANDLER = {"index.js": """
exports.handler = async (event) => { console.log('said ' + JSON.stringify(event)); return { got: event }; };
exports.boom = async () => { throw new Error('boom'); };
"""}


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        for name, export in (("f", "handler"), ("boom", "boom")):
            assert cls.s.create_function(name, HANDLER, "index." + export)[0] == 201

    def run_puddle(self, *args, stdin="", url=None):
        env = {**os.environ, "AWS_ENDPOINT_URL": url or self.s.url}
        done = subprocess.run([BINARY, *args], input=stdin, capture_output=True, text=True, timeout=30, env=env)
        return done.returncode, done.stdout, done.stderr

    def test_invoke_without_an_event(self):
        self.assertEqual(self.run_puddle("invoke", "f"), (0, '{"got":{}}\n', ""))

    def test_invoke_with_an_event_from_a_file_and_from_standard_input(self):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write('{"a":"\u00e4"}')
            f.flush()
            self.assertEqual(json.loads(self.run_puddle("invoke", "f", "-e", f.name)[1]), {"got": {"a": "\u00e4"}})
        for way in (("-e", "-"), ("-",), ("--event=-",)):
            self.assertEqual(self.run_puddle("invoke", "f", *way, stdin="[1]")[:2], (0, '{"got":[1]}\n'))

    def test_invoke_with_the_log(self):
        status, out, err = self.run_puddle("invoke", "f", "--tail")
        self.assertEqual((status, out), (0, '{"got":{}}\n'))
        self.assertRegex(err, r"(?s)START RequestId.*said \{\}.*END RequestId.*REPORT RequestId")

    def test_an_error_of_the_function_is_exit_status_1(self):
        status, out, err = self.run_puddle("invoke", "boom")
        self.assertEqual((status, json.loads(out)["errorMessage"]), (1, "boom"))

    def test_an_unknown_function_is_exit_status_1(self):
        status, out, err = self.run_puddle("invoke", "nobody")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("Function not found", err)
        self.assertEqual(self.run_puddle("logs", "nobody")[0], 1)

    def test_an_event_that_cannot_be_read(self):
        status, out, err = self.run_puddle("invoke", "f", "-e", "/nonexistent")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("/nonexistent", err)

    def test_logs(self):
        self.run_puddle("invoke", "f")
        status, out, _ = self.run_puddle("logs", "f")
        self.assertEqual(status, 0)
        self.assertIn("said {}", out)
        self.assertIn("REPORT RequestId", out)

    def test_logs_are_followed(self):
        env = {**os.environ, "AWS_ENDPOINT_URL": self.s.url}
        follow = subprocess.Popen([BINARY, "logs", "-f", "f"], stdout=subprocess.PIPE, text=True, env=env)
        try:
            self.s.invoke("f", '"followed"')
            self.assertTrue(any('said "followed"' in line for line in follow.stdout))
        finally:
            follow.kill()
            follow.wait()
            follow.stdout.close()

    def test_status(self):
        status, out, _ = self.run_puddle("status")
        body = json.loads(out)
        self.assertEqual((status, body["url"]), (0, self.s.url))
        self.assertEqual({f["name"] for f in body["functions"]}, {"f", "boom"})

    def test_env_can_be_evaluated_by_a_shell(self):
        script = 'eval "$("$0" env --port 1234)"; echo "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_REGION"'
        done = subprocess.run(["sh", "-c", script, BINARY], capture_output=True, text=True)
        self.assertEqual(done.stdout, "http://localhost:1234 test us-east-1\n")

    def test_a_port_given_wins_over_the_environment(self):
        port = str(self.s.port)
        self.assertEqual(self.run_puddle("status", "--port", port, url="http://localhost:1")[0], 0)
        self.assertEqual(self.run_puddle("status", "--port=" + port, url="http://localhost:1")[0], 0)

    def test_nobody_there(self):
        for command in (("status",), ("reset",), ("invoke", "f"), ("logs", "f")):
            status, out, err = self.run_puddle(*command, url="http://localhost:1")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("nothing answers at http://localhost:1", err)

    def test_wrong_usage_is_exit_status_2_and_says_why(self):
        for args in (("invoke",), ("invoke", "f", "-e"), ("invoke", "f", "x"), ("invoke", "f", "-", "-e", "x"), ("logs",),
                     ("logs", "f", "g"), ("status", "x"), ("status", "--tail"), ("reset", "a", "b"), ("env", "--port", "0"),
                     ("env", "--port", "65536"), ("help", "nothing"), ("start", "--port", "65536"), ("start", "x"),
                     ("start", "--account", "12"), ("start", "--strict-auth"), ("start", "--key", "a:b"),
                     ("start", "--key", "a"), ("start", "--quiet=1"), ("start", "--log-format", "xml"),
                     ("start", "--ephemeral", "--data", "x"), ("start", "--parameter", "x"), ("status", "--port", "99999")):
            status, out, err = self.run_puddle(*args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertTrue(err.startswith("puddle"), args)

    def test_help_names_every_command_and_every_option(self):
        status, out, _ = self.run_puddle("help")
        self.assertEqual(status, 0)
        for command in ("start", "invoke", "logs", "status", "reset", "env", "help", "version"):
            self.assertIn("puddle " + command, out)
            self.assertEqual(self.run_puddle("help", command)[0], 0)
            self.assertEqual(self.run_puddle(command, "--help")[0], 0)
        text = self.run_puddle("help", "start")[1]
        for option in ("-t", "--port", "--host", "--data", "--ephemeral", "--durable", "--account", "--strict-auth", "--key",
                       "--allow-origin", "--allow-host", "--parameter", "--log-format", "--quiet"):
            self.assertRegex(text, re.escape(option) + r"\b")


class Reset(unittest.TestCase):
    TABLE = {"TableName": "Tab", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
             "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}

    def fill(self, s):
        s.create_function("f", HANDLER)
        self.assertEqual(s.dynamodb("CreateTable", self.TABLE)[0], 200)

    def counts(self, s):
        body = json.loads(s.request("GET", "/_puddle/status")[2])
        return len(body["functions"]), body["tables"], len(body["apis"])

    def reset(self, s, *args):
        return subprocess.run([BINARY, "reset", "--port", str(s.port), *args], capture_output=True, text=True)

    def test_everything_or_one_service(self):
        s = Server("--quiet", ephemeral=True)
        self.addCleanup(s.close)
        self.fill(s)
        self.assertEqual(self.reset(s, "nonsense").returncode, 1)
        self.assertEqual(self.counts(s), (1, 1, 0))
        self.assertEqual(self.reset(s, "lambda").returncode, 0)
        self.assertEqual(self.counts(s), (0, 1, 0))
        s.create_function("f", HANDLER)
        self.assertEqual(self.reset(s).returncode, 0)
        self.assertEqual(self.counts(s), (0, 0, 0))
        self.fill(s)
        self.assertEqual(s.request("POST", "/moto-api/reset")[0], 200)
        self.assertEqual(self.counts(s), (0, 0, 0))

    def test_what_the_template_names_is_made_again_and_is_empty(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "index.js"), "w") as f:
                f.write("exports.handler = async () => ({ body: 'here' });")
            with open(os.path.join(folder, "template.yaml"), "w") as f:
                f.write("Transform: AWS::Serverless-2016-10-31\nResources:\n"
                        "  F:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: ., Handler: index.handler,"
                        " Runtime: nodejs20.x, Events: {E: {Type: Api, Properties: {Path: /x, Method: get}}}}\n"
                        "  T:\n    Type: AWS::Serverless::SimpleTable\n    Properties: {TableName: Simple}\n")
            s = Server("--quiet", ephemeral=True, cwd=folder)  # template.yaml of the folder
            self.addCleanup(s.close)
            self.assertEqual(self.counts(s), (1, 1, 1))
            self.assertEqual(s.dynamodb("PutItem", {"TableName": "Simple", "Item": {"id": {"S": "1"}}})[0], 200)
            self.fill(s)
            self.assertEqual(self.reset(s).returncode, 0)
            self.assertEqual(self.counts(s), (1, 1, 1))
            reply = s.dynamodb("GetItem", {"TableName": "Simple", "Key": {"id": {"S": "1"}}})
            self.assertEqual((reply[0], json.loads(reply[2])), (200, {}))
            self.assertEqual(s.request("GET", "/x")[::2], (200, b"here"))
