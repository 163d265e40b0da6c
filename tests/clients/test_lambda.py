import json
import unittest

from puddle import Server, make_zip

HANDLERS = {
    "index.js": """
exports.echo = async (event) => event;
exports.nothing = async () => {};
exports.boom = async () => { throw new TypeError('boom'); };
exports.callback = (event, context, callback) => callback(null, { via: 'callback' });
exports.both = async (event, context, callback) => { callback(null, 'first'); return 'second'; };
exports.callbackError = (event, context, callback) => callback(new Error('no'));
exports.exit = async () => process.exit(3);
exports.exit0 = async () => process.exit(0);
exports.killed = async () => process.kill(process.pid, 'SIGKILL');
exports.hang = () => new Promise(() => setInterval(() => {}, 1000));
exports.quiet = () => {};
exports.log = async (event, context) => { console.log('one\\ntwo'); console.error('bad'); return context.awsRequestId; };
exports.big = async (n) => 'x'.repeat(n);
exports.context = async (event, context) => Object.keys(context);
exports.reject = async () => { Promise.reject(new Error('lost')); await new Promise(r => setTimeout(r, 1000)); };
exports.env = async () => process.env;
exports.flood = async () => { const line = 'y'.repeat(1023) + '\\n'; for (let i = 0; i < 20000; i++) process.stdout.write(line); return 'done'; };
exports.state = (() => { let n = 0; return async () => ++n; })();
exports.slow = async () => { await new Promise(r => setTimeout(r, 300)); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };
""",
}


class Functions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)

    def make(self, export, **more):
        name = self.id().split(".")[-1][:60]
        status, _, body = self.s.create_function(name, HANDLERS, "index." + export, **more)
        self.assertEqual(status, 201, body)
        return name

    def call(self, export, payload="{}", **more):
        status, headers, body = self.s.invoke(self.make(export, **more), payload)
        self.assertEqual(status, 200, body)
        return headers, json.loads(body)

    def fails(self, export, error_type, message, **more):
        headers, body = self.call(export, **more)
        self.assertEqual(headers.get("x-amz-function-error"), "Unhandled")
        self.assertEqual(body["errorType"], error_type)
        self.assertRegex(body["errorMessage"], message)
        return body

    def test_get_function_code_signing_config_of_an_unsigned_function(self):
        name = self.make("echo")
        status, _, body = self.s.lambda_("GET", "/2020-06-30/functions/%s/code-signing-config" % name)
        self.assertEqual((status, json.loads(body)), (200, {}))

    def test_a_handler_that_returns_its_event(self):
        headers, body = self.call("echo", '{"a":[1,"\u00e4"]}')
        self.assertEqual(body, {"a": [1, "\u00e4"]})
        self.assertEqual(headers["x-amz-executed-version"], "$LATEST")
        self.assertNotIn("x-amz-function-error", headers)

    def test_an_empty_payload_is_an_empty_object(self):
        self.assertEqual(self.call("echo", "")[1], {})

    def test_no_return_value_is_null(self):
        self.assertIsNone(self.call("nothing")[1])

    def test_a_callback_answers(self):
        self.assertEqual(self.call("callback")[1], {"via": "callback"})

    def test_the_first_of_callback_and_promise_wins(self):
        self.assertEqual(self.call("both")[1], "first")

    def test_a_sync_handler_that_never_answers_gives_null(self):
        self.assertIsNone(self.call("quiet")[1])

    def test_a_thrown_error(self):
        body = self.fails("boom", "TypeError", "^boom$")
        self.assertEqual(body["trace"][0], "TypeError: boom")

    def test_an_error_given_to_the_callback(self):
        self.fails("callbackError", "Error", "^no$")

    def test_an_exit_status(self):
        self.fails("exit", "Runtime.ExitError", "^RequestId: [-0-9a-f]{36} Error: Runtime exited with error: exit status 3$")

    def test_an_exit_without_a_reason(self):
        self.fails("exit0", "Runtime.ExitError", "Error: Runtime exited without providing a reason$")

    def test_a_killed_runtime(self):
        self.fails("killed", "Runtime.ExitError", "Error: Runtime exited with error: signal: killed$")

    def test_a_timeout(self):
        self.fails("hang", "Sandbox.Timedout", "^RequestId: [-0-9a-f]{36} Error: Task timed out after 1.00 seconds$", Timeout=1)

    def test_an_unhandled_rejection(self):
        self.fails("reject", "Runtime.UnhandledPromiseRejection", "lost")

    def test_a_missing_export(self):
        self.fails("nowhere", "Runtime.HandlerNotFound", "index.nowhere is undefined or not exported")

    def test_a_missing_module(self):
        name = self.id().split(".")[-1]
        self.s.create_function(name, {"other.js": ""}, "index.handler")
        body = json.loads(self.s.invoke(name)[2])
        self.assertEqual(body["errorType"], "Runtime.ImportModuleError")

    def test_a_handler_path_outside_of_the_code(self):
        name = self.id().split(".")[-1]
        self.s.create_function(name, HANDLERS, "../../etc/passwd.handler")
        self.assertEqual(json.loads(self.s.invoke(name)[2])["errorType"], "Runtime.MalformedHandlerName")

    def test_a_response_at_and_past_the_limit(self):
        name = self.make("big", Timeout=20, MemorySize=512)
        status, headers, body = self.s.invoke(name, str(6291556 - 2))
        self.assertEqual((status, len(body)), (200, 6291556))
        status, headers, body = self.s.invoke(name, str(6291556 - 1))
        self.assertEqual(json.loads(body)["errorType"], "Function.ResponseSizeTooLarge")

    def test_a_request_at_and_past_the_limit(self):
        name = self.make("nothing", Timeout=20, MemorySize=512)
        payload = '"' + "a" * (6291456 - 2) + '"'
        self.assertEqual(self.s.invoke(name, payload)[0], 200)
        status, headers, body = self.s.invoke(name, payload[:-1] + 'a"')
        self.assertEqual(status, 413)
        self.assertEqual(headers["x-amzn-errortype"], "RequestEntityTooLargeException")

    def test_a_payload_that_is_not_json(self):
        name = self.make("echo")
        status, headers, body = self.s.invoke(name, "nonsense")
        self.assertEqual((status, headers["x-amzn-errortype"]), (400, "InvalidRequestContentException"))
        self.assertIn("Unrecognized token 'nonsense'", json.loads(body)["message"])

    def test_the_log_tail_has_start_lines_end_and_report_in_order(self):
        import base64
        name = self.make("log")
        _, headers, body = self.s.invoke(name, "{}", **{"X-Amz-Log-Type": "Tail"})
        text = base64.b64decode(headers["x-amz-log-result"]).decode()
        request = json.loads(body)
        self.assertRegex(text, "^START RequestId: %s Version: \\$LATEST\n.*\t%s\tINFO\tone\rtwo\n.*\tERROR\tbad\n"
                               "END RequestId: %s\nREPORT RequestId: %s\tDuration: [0-9.]+ ms\tBilled Duration: [0-9]+ ms\t"
                               "Memory Size: 128 MB\tMax Memory Used: [0-9]+ MB\tInit Duration: [0-9.]+ ms\t\n$" % ((request,) * 4))
        _, headers, _ = self.s.invoke(name, "{}", **{"X-Amz-Log-Type": "Tail"})
        self.assertNotIn("Init Duration", base64.b64decode(headers["x-amz-log-result"]).decode())

    def test_context_members_in_the_order_of_the_runtime(self):
        self.assertEqual(self.call("context")[1][:9], [
            "callbackWaitsForEmptyEventLoop", "functionVersion", "functionName", "memoryLimitInMB", "logGroupName",
            "logStreamName", "clientContext", "identity", "invokedFunctionArn"])

    def test_the_environment_of_a_handler(self):
        _, env = self.call("env", Environment={"Variables": {"MINE": "yes"}})
        self.assertEqual((env["MINE"], env["AWS_REGION"], env["TZ"]), ("yes", "us-east-1", ":UTC"))
        self.assertEqual(env["AWS_ENDPOINT_URL"], self.s.url)
        self.assertNotIn("HOME", env)

    def test_a_flood_of_output_does_not_stop_the_server(self):
        self.assertEqual(self.call("flood", Timeout=30)[1], "done")

    def test_a_warm_environment_keeps_its_state_and_an_update_replaces_it(self):
        name = self.make("state")
        self.assertEqual([json.loads(self.s.invoke(name)[2]) for _ in range(3)], [1, 2, 3])
        self.s.lambda_("PUT", "/2015-03-31/functions/%s/configuration" % name, '{"Timeout":5}')
        self.assertEqual(json.loads(self.s.invoke(name)[2]), 1)

    def test_concurrent_invocations_get_an_environment_each(self):
        import concurrent.futures
        name = self.make("slow", Timeout=20)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pids = list(pool.map(lambda _: json.loads(self.s.invoke(name)[2]), range(4)))
        self.assertGreater(len(set(pids)), 1)

    def test_a_custom_runtime_in_bash(self):
        name = self.id().split(".")[-1]
        script = """#!/bin/bash
while true; do
  event=$(curl -sS -D /tmp/headers.$$ "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  id=$(grep -i '^lambda-runtime-aws-request-id' /tmp/headers.$$ | tr -d '\\r' | cut -d' ' -f2)
  curl -sS -o /dev/null -d "{\\"got\\":$event}" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
"""
        self.assertEqual(self.s.create_function(name, {"bootstrap": script}, "x", "provided.al2023")[0], 201)
        self.assertEqual(json.loads(self.s.invoke(name, '{"a":1}')[2]), {"got": {"a": 1}})
        self.assertEqual(json.loads(self.s.invoke(name, '2')[2]), {"got": 2})

    def test_a_package_without_a_bootstrap(self):
        name = self.id().split(".")[-1]
        self.s.create_function(name, {"x": ""}, "x", "provided.al2023")
        self.assertEqual(json.loads(self.s.invoke(name)[2])["errorType"], "Runtime.InvalidEntrypoint")

    def test_an_event_invocation_is_accepted_with_an_empty_body(self):
        name = self.make("nothing")
        status, headers, body = self.s.invoke(name, "{}", **{"X-Amz-Invocation-Type": "Event"})
        self.assertEqual((status, body), (202, b""))
        self.assertNotIn("x-amz-executed-version", headers)

    def test_a_dry_run(self):
        name = self.make("boom")
        self.assertEqual(self.s.invoke(name, "{}", **{"X-Amz-Invocation-Type": "DryRun"})[::2], (204, b""))

    def test_an_unknown_function(self):
        status, headers, body = self.s.invoke("nobody")
        self.assertEqual(status, 404)
        self.assertEqual(json.loads(body), {"Type": "User", "Message":
                         "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST"})

    def test_create_get_list_update_and_delete(self):
        name = self.make("nothing", Description="d", Environment={"Variables": {"KEY": "1"}})
        self.assertEqual(self.s.create_function(name, HANDLERS)[0], 409)
        status, _, body = self.s.lambda_("GET", "/2015-03-31/functions/" + name)
        got = json.loads(body)
        self.assertEqual((got["Configuration"]["State"], got["Configuration"]["Description"]), ("Active", "d"))
        path = got["Code"]["Location"].split("/", 3)[3]
        self.assertTrue(self.s.request("GET", "/" + path)[2].startswith(b"PK"))
        names = [f["FunctionName"] for f in json.loads(self.s.lambda_("GET", "/2015-03-31/functions/")[2])["Functions"]]
        self.assertIn(name, names)
        status, _, body = self.s.lambda_("PUT", "/2015-03-31/functions/%s/configuration" % name,
                                         json.dumps({"MemorySize": 256, "RevisionId": "wrong"}))
        self.assertEqual(status, 412)
        self.assertEqual(self.s.lambda_("DELETE", "/2015-03-31/functions/" + name)[0], 204)
        self.assertEqual(self.s.lambda_("GET", "/2015-03-31/functions/%s/configuration" % name)[0], 404)

    def test_permissions_are_kept_and_shown(self):
        name = self.make("nothing")
        path = "/2015-03-31/functions/%s/policy" % name
        self.assertEqual(self.s.lambda_("GET", path)[0], 404)
        body = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
        self.assertEqual(self.s.lambda_("POST", path, json.dumps(body))[0], 201)
        self.assertEqual(self.s.lambda_("POST", path, json.dumps(body))[0], 409)
        policy = json.loads(json.loads(self.s.lambda_("GET", path)[2])["Policy"])
        self.assertEqual(policy["Statement"][0]["Principal"], {"Service": "apigateway.amazonaws.com"})
        self.assertEqual(self.s.lambda_("DELETE", path + "/s")[0], 204)  # RemovePermission
        self.assertEqual(self.s.lambda_("GET", path)[0], 404)  # GetPolicy

    def test_versions_and_tags_are_listed(self):
        name = self.make("nothing", Tags={"k": "v"})
        body = json.loads(self.s.lambda_("GET", "/2015-03-31/functions/%s/versions" % name)[2])  # ListVersionsByFunction
        self.assertEqual([v["Version"] for v in body["Versions"]], ["$LATEST"])
        arn = "arn:aws:lambda:us-east-1:000000000000:function:" + name
        self.assertEqual(json.loads(self.s.lambda_("GET", "/2017-03-31/tags/" + arn)[2]), {"Tags": {"k": "v"}})  # ListTags

    def test_reserved_environment_keys_are_refused(self):
        status, _, body = self.s.create_function("reserved", HANDLERS, Environment={"Variables": {"AWS_REGION": "x"}})
        self.assertEqual(status, 400)
        self.assertIn("Reserved keys used in this request: AWS_REGION", json.loads(body)["message"])

    def test_packages_that_are_no_good(self):
        for label, files in {"dots": {"../evil.js": "x"}, "absolute": {"/evil.js": "x"}, "back": {"..\\evil.js": "x"}}.items():
            status, _, body = self.s.create_function("bad-" + label, files)
            self.assertEqual(status, 400, label)
            self.assertIn("Could not unzip uploaded file", json.loads(body)["message"])

    def test_a_package_of_a_gibibyte_of_zeros(self):
        status, _, body = self.s.create_function("bomb", {"zeros": b"\0" * (262144000 + 1)})
        self.assertEqual(status, 400)
        self.assertIn("Unzipped size must be smaller than 262144000 bytes", json.loads(body)["message"])

    def test_something_that_is_not_a_zip(self):
        body = {"FunctionName": "notzip", "Runtime": "nodejs20.x", "Handler": "a.b",
                "Role": "arn:aws:iam::000000000000:role/any", "Code": {"ZipFile": "aGVsbG8="}}
        self.assertEqual(self.s.lambda_("POST", "/2015-03-31/functions", json.dumps(body))[0], 400)

    def test_update_function_code(self):
        name = self.make("nothing")
        import base64
        code = base64.b64encode(make_zip({"index.js": "exports.nothing = async () => 'new';"})).decode()
        status, _, body = self.s.lambda_("PUT", "/2015-03-31/functions/%s/code" % name, json.dumps({"ZipFile": code}))
        self.assertEqual((status, json.loads(body)["LastUpdateStatus"]), (200, "InProgress"))
        self.assertEqual(json.loads(self.s.invoke(name)[2]), "new")
