"""Who may come in, and which part of the server a request is for."""
import json
import socket
import threading
import unittest

from puddle import AUTH, Server

ECHO = {"index.js": "exports.handler = async (e) => ({ body: JSON.stringify([e.httpMethod, e.path, e.headers.origin || e.headers.Origin]) });"}


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet", "--allow-host", "box.test", "--allow-origin", "https://app.test", ephemeral=True)
        cls.addClassCleanup(cls.s.close)

    def health(self, **headers):
        status, reply, _ = self.s.request("GET", "/_puddle/health", headers={k.replace("_", "-"): v for k, v in headers.items()})
        return status, reply

    def test_hosts_that_are_this_machine_or_aws_or_allowed(self):
        for host in ("localhost", "LOCALHOST:4566", "a.localhost", "127.0.0.1", "127.1.2.3:80", "[::1]:4566", "box.test",
                     "api.box.test:1", "dynamodb.us-east-1.amazonaws.com", "x.execute-api.localhost.localstack.cloud:4566"):
            self.assertNotEqual(self.health(Host=host)[0], 403, host)

    def test_hosts_that_somebody_else_answers_for(self):
        for host in ("evil.example", "127.0.0.1.evil.example", "127.evil.example", "localhost.evil.example", "evillocalhost",
                     "notbox.test", "box.test.evil.example", "evilamazonaws.com", "amazonaws.com.evil.example",
                     "xlocalhost.localstack.cloud", "192.168.0.1", "[::2]", "0.0.0.0", "abc.execute-api.evil.example",
                     "[::1", "", ".", "127.0.0.1.", "2130706433"):
            self.assertEqual(self.health(Host=host)[0], 403, host)

    def test_origins_that_may(self):
        for origin in ("http://localhost", "http://localhost:3000", "https://127.0.0.1:8443", "http://[::1]:1",
                       "http://my.localhost", "https://app.test"):
            status, reply = self.health(Origin=origin)
            self.assertEqual((status, reply.get("access-control-allow-origin")), (200, "*"), origin)
        self.assertNotIn("access-control-allow-origin", self.health()[1])

    def test_origins_that_may_not(self):
        for origin in ("null", "", "https://evil.example", "http://app.test", "https://app.test.evil.example",
                       "https://app.test:8443", "http://127.evil.example", "http://localhost.evil.example", "file://",
                       "chrome-extension://localhost", "http://evil.example#localhost", "localhost", "http://box.test"):
            self.assertEqual(self.health(Origin=origin)[0], 403, origin)

    def test_a_request_from_another_site_without_an_origin(self):
        self.assertEqual(self.health(Sec_Fetch_Site="cross-site")[0], 403)
        for site in ("same-origin", "same-site", "none"):
            self.assertEqual(self.health(Sec_Fetch_Site=site)[0], 200, site)
        self.assertEqual(self.health(Sec_Fetch_Site="cross-site", Origin="http://localhost:3000")[0], 200)

    def test_the_preflight_echoes_what_was_asked(self):
        status, reply, body = self.s.request("OPTIONS", "/2015-03-31/functions/f/invocations", headers={
            "Origin": "https://app.test", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-amz-date", "Access-Control-Request-Private-Network": "true"})
        self.assertEqual((status, body, reply["access-control-allow-headers"], reply["access-control-allow-methods"],
                          reply["access-control-allow-private-network"], reply["access-control-max-age"]),
                         (200, b"", "authorization,x-amz-date", "POST", "true", "172800"))
        self.assertEqual(self.s.request("OPTIONS", "/", headers={
            "Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})[0], 403)

    def test_any_origin_when_the_user_says_so(self):
        s = Server("--quiet", "--allow-origin", "*", ephemeral=True)
        self.addCleanup(s.close)
        for headers in ({"Origin": "null"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(s.request("GET", "/_puddle/health", headers=headers)[0], 200)


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)

    def signed(self, service, method="POST", path="/", body="", **headers):
        return self.s.request(method, path, body, {"Authorization": AUTH % service, "X-Amz-Date": "20260101T000000Z",
                                                   **headers})

    def test_aliases_of_health(self):
        for path in ("/_puddle/health", "/_localstack/health"):
            status, headers, body = self.s.request("GET", path)
            self.assertEqual((status, json.loads(body)["services"]),
                             (200, dict.fromkeys(("dynamodb", "dynamodbstreams", "lambda", "apigateway", "apigatewayv2", "logs"),
                                                 "running")))

    def test_own_endpoints_say_what_is_wrong(self):
        for method, path, want in (("POST", "/_puddle/health", 405), ("GET", "/_puddle/reset", 405), ("GET", "/_puddle", 404),
                                   ("GET", "/_puddle/", 404), ("GET", "/_puddle/nothing", 404),
                                   ("GET", "/_puddle/health/more", 404), ("GET", "/_puddle/code/../../etc/passwd", 404),
                                   ("GET", "/_puddle/code/a/b/../../../x", 404), ("GET", "/_puddle/logs", 404),
                                   ("GET", "/_puddle/logs?function=x&after=-1", 400), ("POST", "/_puddle/reset/x", 404)):
            self.assertEqual(self.s.request(method, path)[0], want, path)
        for body in ("", "{", "{}", '{"shift_ms":"1"}', '{"shift_ms":1.5}', '{"shift_ms":9223372036854775807}', "[]"):
            self.assertEqual(self.s.request("POST", "/_puddle/clock", body)[0], 400, body)

    def test_the_health_text_of_dynamodb(self):
        for headers in ({}, {"Host": "dynamodb.us-east-1.amazonaws.com"}):
            status, reply, body = self.s.request("GET", "/", headers=headers)
            self.assertEqual((status, body), (200, ("healthy: " + headers.get("Host", "127.0.0.1:%d" % self.s.port)).encode()))

    def test_the_host_an_sdk_kept(self):
        for host in ("dynamodb.eu-west-1.amazonaws.com", "123456789012.ddb.us-east-1.amazonaws.com"):
            status, _, body = self.s.request("POST", "/", "{}", {"Host": host, "Content-Type": "application/x-amz-json-1.0"})
            self.assertEqual((status, json.loads(body)["__type"].split("#")[1]), (400, "UnknownOperationException"))
        status, headers, body = self.s.request("GET", "/2015-03-31/functions/x", headers={"Host": "lambda.us-east-1.amazonaws.com"})
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "MissingAuthenticationTokenException"))

    def test_the_shape_of_a_path(self):
        status, headers, _ = self.s.request("GET", "/2015-03-31/functions/x")
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "MissingAuthenticationTokenException"))
        status, headers, _ = self.s.request("GET", "/restapis")
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "MissingAuthenticationTokenException"))

    def test_nothing_there(self):
        self.assertEqual(self.s.request("GET", "/save")[0], 404)

    def test_a_target_with_a_foreign_prefix_is_not_run(self):
        for target in ("Evil_20120810.ListTables", ".ListTables", "ListTables", "DynamoDB_20120810", "DynamoDB_20120810.",
                       "DynamoDB_20120810.?", "dynamodb_20120810.ListTables", "DynamoDB_20120810.ListTables.x"):
            status, _, body = self.signed("dynamodb", body="{}", **{"X-Amz-Target": target,
                                                                   "Content-Type": "application/x-amz-json-1.0"})
            self.assertEqual((status, body), (400, b'{"__type":"com.amazon.coral.service#UnknownOperationException"}'), target)

    def test_services_we_do_not_have_are_errors_that_their_clients_can_read(self):
        status, _, body = self.signed("ssm", body="{}", **{"X-Amz-Target": "AmazonSSM.GetParameter",
                                                          "Content-Type": "application/x-amz-json-1.1"})
        self.assertEqual((status, json.loads(body)["__type"]), (400, "UnknownOperationException"))
        status, _, body = self.signed("sts", body="Action=GetCallerIdentity&Version=2011-06-15",
                                      **{"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>InvalidAction</Code>", body)
        status, _, body = self.signed("s3", "PUT", "/bucket")
        self.assertEqual(status, 501)
        self.assertIn(b"<Code>NotImplemented</Code>", body)
        self.assertEqual(self.signed("no<such>", "GET", "/x")[0], 404)
        self.assertNotIn(b"<such>", self.signed("no<such>", "GET", "/x")[2])

    def test_a_function_url_nobody_has(self):
        status, headers, body = self.s.request("GET", "/", headers={"Host": "abc.lambda-url.us-east-1.localhost"})
        self.assertEqual((status, body, headers["x-amzn-errortype"]), (403, b'{"Message":null}', "AccessDeniedException"))

    def test_unknown_apis(self):
        for path, host in (("/_aws/execute-api/nope/prod/x", None), ("/_aws/execute-api/nope", None), ("/_aws/execute-api/", None),
                           ("/restapis/nope/prod/_user_request_/x", None), ("/restapis/nope/prod/_user_request_", None),
                           ("/prod/x", "nope.execute-api.localhost"), ("/", "nope.execute-api.localhost")):
            status, _, body = self.s.request("GET", path, headers={"Host": host} if host else {})
            self.assertEqual((status, body), (403, b'{"message":"Forbidden"}'), path)

    def test_what_is_not_supported_is_logged_once(self):
        s = Server(ephemeral=True)
        self.addCleanup(s.close)
        for _ in range(3):
            s.dynamodb("ListExports", {})
            s.lambda_("GET", "/2025-11-30/capacity-providers")
        self.assertEqual(s.stderr().count("ListExports is not supported"), 1)
        self.assertEqual(s.stderr().count("ListCapacityProviders is not supported"), 1)

    def test_the_clock_moves_by_at_most_a_hundred_years(self):
        century = 100 * 365 * 86400 * 1000
        self.assertEqual(self.s.request("POST", "/_puddle/clock", '{"shift_ms":%d}' % century)[0], 200)
        self.assertEqual(self.s.request("POST", "/_puddle/clock", '{"shift_ms":1}')[0], 400)
        self.assertEqual(self.s.request("POST", "/_puddle/clock", '{"shift_ms":-%d}' % century)[0], 200)
        self.assertEqual(self.s.request("POST", "/_puddle/clock", '{"shift_ms":-%d}' % (century + 1))[0], 400)


class UsersApi(unittest.TestCase):
    """The user's own API at the root: neither our Origin rule nor his Authorization are ours to judge."""
    @classmethod
    def setUpClass(cls):
        import os
        import tempfile
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "index.js"), "w") as f:
            f.write(ECHO["index.js"])
        with open(os.path.join(folder.name, "template.yaml"), "w") as f:
            f.write("Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
                    "    Properties: {CodeUri: ., Handler: index.handler, Runtime: nodejs20.x,\n"
                    "      Events: {E: {Type: Api, Properties: {Path: '/{proxy+}', Method: any}}}}\n")
        cls.s = Server("--quiet", ephemeral=True, cwd=folder.name)
        cls.addClassCleanup(cls.s.close)

    def test_a_page_of_another_site_may_call_it(self):
        for headers in ({"Origin": "https://other.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Authorization": "Bearer x"},
                        {"Authorization": "Basic Credential=a/b/c/s3/aws4_request"}):
            status, reply, body = self.s.request("POST", "/a/b", headers=headers)
            self.assertEqual((status, json.loads(body)), (200, ["POST", "/a/b", headers.get("Origin")]))
            self.assertNotIn("access-control-allow-origin", reply)

    def test_options_reach_the_api(self):
        status, _, body = self.s.request("OPTIONS", "/a", headers={"Origin": "https://other.example",
                                                                   "Access-Control-Request-Method": "PUT"})
        self.assertEqual((status, json.loads(body)[0]), (200, "OPTIONS"))

    def test_a_signed_call_of_the_api(self):
        status, _, body = self.s.request("GET", "/a", headers={"Authorization": AUTH % "execute-api"})
        self.assertEqual((status, json.loads(body)[:2]), (200, ["GET", "/a"]))

    def test_rebinding_is_refused_here_too(self):
        self.assertEqual(self.s.request("GET", "/a", headers={"Host": "evil.example"})[0], 403)

    def test_services_stay_where_they_are(self):
        self.assertEqual(self.s.request("GET", "/")[2][:8], b"healthy:")
        self.assertEqual(self.s.dynamodb("ListTables", {})[0], 200)
        self.assertEqual(self.s.request("POST", "/_puddle/reset", headers={"Origin": "https://other.example"})[0], 403)


class Addresses(unittest.TestCase):
    def test_only_loopback_is_listened_on(self):
        s = Server(ephemeral=True)
        self.addCleanup(s.close)
        listening = set()
        for name in ("/proc/net/tcp", "/proc/net/tcp6"):
            try:
                with open(name) as f:
                    rows = [line.split() for line in f.readlines()[1:]]
            except FileNotFoundError:
                continue
            listening |= {r[1].split(":")[0] for r in rows if r[3] == "0A" and int(r[1].split(":")[1], 16) == s.port}
        self.assertIn("0100007F", listening)
        self.assertLessEqual(listening, {"0100007F", "00000000000000000000000001000000"})

    def test_beyond_loopback_is_a_loud_choice_and_takes_any_host(self):
        s = Server("--host", "0.0.0.0", ephemeral=True)
        self.addCleanup(s.close)
        self.assertIn("everybody who can reach this address", s.stderr())
        self.assertEqual(s.request("GET", "/_puddle/health", headers={"Host": "myhost:80"})[0], 200)
        self.assertEqual(s.request("GET", "/_puddle/health", headers={"Origin": "http://myhost:80"})[0], 403)
        named = Server("--host", "0.0.0.0", "--allow-host", "myhost", ephemeral=True)
        self.addCleanup(named.close)
        self.assertEqual(named.request("GET", "/_puddle/health", headers={"Host": "myhost:80"})[0], 200)
        self.assertEqual(named.request("GET", "/_puddle/health", headers={"Host": "other"})[0], 403)


class StrictAuth(unittest.TestCase):
    def test_only_good_signatures_are_served(self):
        try:
            import boto3
            from botocore.exceptions import ClientError
        except ImportError:
            self.skipTest("boto3 is not installed")
        s = Server("--strict-auth", "--key", "AKIDGOOD:secret", "--key", "TEMP:other:token", "--quiet", ephemeral=True)
        self.addCleanup(s.close)

        def client(service, key, secret, token=None):
            return boto3.client(service, endpoint_url=s.url, region_name="us-east-1", aws_access_key_id=key,
                                aws_secret_access_key=secret, aws_session_token=token)
        for key in (("AKIDGOOD", "secret"), ("TEMP", "other", "token")):
            self.assertEqual(client("dynamodb", *key).list_tables()["TableNames"], [])
            self.assertEqual(client("lambda", *key).list_functions()["Functions"], [])
            self.assertEqual(client("apigateway", *key).get_rest_apis()["items"], [])
        for key, code in ((("AKIDGOOD", "wrong"), "InvalidSignatureException"), (("NOBODY", "secret"), "UnrecognizedClientException"),
                          (("TEMP", "other"), "UnrecognizedClientException"), (("TEMP", "other", "no"), "UnrecognizedClientException")):
            with self.assertRaises(ClientError) as caught:
                client("dynamodb", *key).list_tables()
            self.assertEqual(caught.exception.response["Error"]["Code"], code, key)
            with self.assertRaises(ClientError) as caught:
                client("lambda", *key).list_functions()
            self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403, key)

    def test_the_command_line_signs(self):
        import os
        import subprocess
        from puddle import BINARY
        s = Server("--strict-auth", "--key", "AKIDGOOD:secret", "--quiet", ephemeral=True)
        self.addCleanup(s.close)

        def invoke(secret):
            env = {**os.environ, "AWS_ENDPOINT_URL": s.url, "AWS_ACCESS_KEY_ID": "AKIDGOOD", "AWS_SECRET_ACCESS_KEY": secret}
            env.pop("AWS_SESSION_TOKEN", None)
            return subprocess.run([BINARY, "invoke", "nobody"], capture_output=True, text=True, env=env).stderr
        self.assertIn("Function not found", invoke("secret"))
        self.assertIn("signature", invoke("wrong"))


class Stopping(unittest.TestCase):
    def test_a_running_invocation_can_still_call_a_service(self):
        s = Server("--quiet", ephemeral=True)
        self.addCleanup(s.close)
        s.create_function("f", {"index.js": """
const http = require('http');
exports.handler = async () => {
  const get = (path) => new Promise((done, fail) => http.get(process.env.AWS_ENDPOINT_URL + path, { agent: false }, (r) => {
    let text = ''; r.on('data', (d) => text += d); r.on('end', () => done(text)); }).on('error', fail));
  while (JSON.parse(await get('/_puddle/health')).status !== 'stopping');
  return get('/');
};"""}, Timeout=9)
        result = []
        t = threading.Thread(target=lambda: result.append(s.invoke("f")))
        t.start()
        while json.loads(s.request("GET", "/_puddle/status")[2])["functions"][0]["busy"] == 0:
            pass
        self.assertEqual(s.stop(), 0)
        t.join()
        self.assertEqual(result[0][0], 200)
        self.assertTrue(json.loads(result[0][2]).startswith("healthy:"), result[0])

    def test_a_client_that_does_not_read_its_reply_does_not_hold_the_server(self):
        s = Server("--quiet", ephemeral=True)
        self.addCleanup(s.close)
        c = socket.create_connection(("127.0.0.1", s.port))
        self.addCleanup(c.close)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.sendall(b"GET /_puddle/operations HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        self.assertEqual(s.stop(), 0)

    def test_half_a_request_does_not_hold_the_server(self):
        s = Server("--quiet", ephemeral=True)
        self.addCleanup(s.close)
        c = socket.create_connection(("127.0.0.1", s.port))
        self.addCleanup(c.close)
        c.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        self.assertEqual(s.stop(), 0)
