"""Lambda's and CloudWatch Logs' operations through the JavaScript v3 SDK and the AWS command line."""
import base64
import json
import shutil
import subprocess
import tempfile
import unittest

from puddle import ROLE, ROOT, Server, make_zip

HANDLER = {"index.js": "exports.handler = async (event) => { console.log('said hello'); return event; };"}
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)

    def test_javascript_v3(self):
        modules = ROOT / "tests/clients/js/node_modules/@aws-sdk"
        if shutil.which("node") is None or not (modules / "client-cloudwatch-logs").exists():
            self.skipTest("node, or node_modules of tests/clients/js, is not here")
        args = [base64.b64encode(make_zip(z)).decode() for z in (HANDLER, {"nodejs/a.js": "1"})]
        done = subprocess.run(["node", "lambda_v3.js", *args], cwd=ROOT / "tests/clients/js", env=self.s.environment(),
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.maxDiff = None
        self.assertEqual(json.loads(done.stdout), {
            "alias": ARN + "js-v3:live", "invoked": ["1", {"a": 1}], "versions": ["$LATEST", "1"], "aliases": ["live"],
            "reserved": 5, "provisioned": ["IN_PROGRESS", "READY", 1], "url": ["BUFFERED", 28], "eventInvoke": [0, True],
            "layer": [1, "arn:aws:lambda:us-east-1:000000000000:layer:js-layer:1"], "mapping": ["Creating", True, "Enabled"],
            "recursion": "Allow", "management": "Auto", "settings": 995,
            "missing": ["ResourceNotFoundException", 404], "conflict": ["ResourceConflictException", 409], "logs": True,
            "logEvents": True, "noGroup": ["ResourceNotFoundException", 400], "deleted": ["ResourceNotFoundException", 404]})

    def aws(self, *args):
        done = subprocess.run(["aws", "--endpoint-url", self.s.url, "--output", "json", *args], env=self.s.environment(),
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout or "null")

    def test_the_command_line(self):
        if shutil.which("aws") is None:
            self.skipTest("aws is not here")
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        open(folder + "/f.zip", "wb").write(make_zip(HANDLER))
        f = ["--function-name", "cli"]
        self.aws("lambda", "create-function", *f, "--runtime", "nodejs20.x", "--handler", "index.handler", "--role", ROLE,
                 "--zip-file", "fileb://%s/f.zip" % folder)
        self.aws("lambda", "wait", "function-active-v2", *f)
        self.assertEqual(self.aws("lambda", "publish-version", *f)["Version"], "1")
        self.aws("lambda", "create-alias", *f, "--name", "live", "--function-version", "1")
        self.aws("lambda", "update-function-configuration", *f, "--timeout", "9")
        self.aws("lambda", "wait", "function-updated-v2", *f)
        self.aws("lambda", "publish-version", *f)
        moved = self.aws("lambda", "update-alias", *f, "--name", "live", "--routing-config", "AdditionalVersionWeights={2=0.5}")
        self.assertEqual(moved["RoutingConfig"], {"AdditionalVersionWeights": {"2": 0.5}})
        reply = self.aws("lambda", "invoke", *f, "--qualifier", "2", folder + "/out.json")
        self.assertEqual((reply["ExecutedVersion"], open(folder + "/out.json").read()), ("2", "{}"))
        self.aws("lambda", "put-function-concurrency", *f, "--reserved-concurrent-executions", "3")
        self.aws("lambda", "create-function-url-config", *f, "--auth-type", "NONE")
        self.aws("lambda", "put-function-event-invoke-config", *f, "--maximum-retry-attempts", "1")
        layer = self.aws("lambda", "publish-layer-version", "--layer-name", "cli", "--zip-file", "fileb://%s/f.zip" % folder)
        self.aws("lambda", "update-function-configuration", *f, "--layers", layer["LayerVersionArn"])
        self.assertEqual(self.aws("lambda", "list-layers")["Layers"][0]["LayerName"], "cli")
        self.aws("lambda", "tag-resource", "--resource", ARN + "cli", "--tags", "a=1")
        got = self.aws("lambda", "get-function", *f)
        self.assertEqual((got["Tags"], got["Concurrency"], len(got["Configuration"]["Layers"])),
                         ({"a": "1"}, {"ReservedConcurrentExecutions": 3}, 1))
        group = ["--log-group-name", "/aws/lambda/cli"]
        self.aws("logs", "put-retention-policy", *group, "--retention-in-days", "7")
        self.assertEqual(self.aws("logs", "describe-log-groups")["logGroups"][0]["retentionInDays"], 7)
        events = self.aws("logs", "filter-log-events", *group, "--filter-pattern", "hello")["events"]
        self.assertEqual(len(events), 1)
        streams = self.aws("logs", "describe-log-streams", *group)["logStreams"]
        self.assertEqual(len(streams), 1)
        self.aws("lambda", "delete-alias", *f, "--name", "live")
        self.aws("lambda", "delete-function", *f, "--qualifier", "1")
        self.aws("lambda", "delete-function", *f)
        self.aws("logs", "delete-log-group", *group)


if __name__ == "__main__":
    unittest.main()
