import base64
import gzip
import http.server
import json
import threading
import unittest

import boto3
from botocore.exceptions import ClientError

from puddle import Server

HANDLERS = {"index.js": """
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });
exports.plain = async (event) => ({ got: event });
exports.fail = async (event) => { throw new Error(event.why || 'NotFound: no such thing'); };
exports.big = async (event) => ({ statusCode: 200, body: 'x'.repeat(5000) });
"""}
LAMBDA = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations"


class RestApis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.api = session.client("apigateway", endpoint_url=cls.s.url)
        cls.ddb = session.client("dynamodb", endpoint_url=cls.s.url)
        cls.functions = {}

    def function(self, export):
        if export not in self.functions:
            status, _, body = self.s.create_function("r-" + export, HANDLERS, "index." + export)
            self.assertEqual(status, 201, body)
            self.functions[export] = json.loads(body)["FunctionArn"]
        return self.functions[export]

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        return raised.exception.response["Error"]["Message"]

    def make(self, integration, method="POST", path="x", responses=None, method_args=None, api=None, deploy=True, **api_args):
        """An API with one method on /<path>; responses: {status: put_integration_response arguments}."""
        api = api or self.api.create_rest_api(name="n", **api_args)["id"]
        parent = [r for r in self.api.get_resources(restApiId=api)["items"] if r["path"] == "/"][0]["id"]
        for part in path.split("/"):
            parent = self.api.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
        where = {"restApiId": api, "resourceId": parent, "httpMethod": method}
        self.api.put_method(**where, **{"authorizationType": "NONE", **(method_args or {})})
        self.api.put_integration(**where, **integration)
        for status, arguments in (responses or {}).items():
            arguments = dict(arguments)
            self.api.put_method_response(**where, statusCode=status, responseParameters={
                k: False for k in arguments.get("responseParameters", {})})
            self.api.put_integration_response(**where, statusCode=status, **arguments)
        if deploy:
            self.api.create_deployment(restApiId=api, stageName="dev")
        self.where = where
        return api

    def call(self, api, path="/x", method="POST", body=b"", stage="dev", **headers):
        return self.s.request(method, "/%s%s" % (stage, path), body, {
            "Host": "%s.execute-api.us-east-1.localhost" % api, **headers})

    def mock(self, template, status="200", response=None, **more):
        return self.make({"type": "MOCK", "requestTemplates": {"application/json": template}},
                         responses={status: response or {}}, **more)

    def render(self, template, path="/x", body=b"", **headers):
        """What a response template gives."""
        api = self.mock('{"statusCode":200}', response={"responseTemplates": {"application/json": template}},
                        path="x" if path.startswith("/x") else "{p}/{rest+}")
        status, _, text = self.call(api, path, body=body, **headers)
        self.assertEqual(status, 200, text)
        return text.decode()

    # ---- MOCK and templates ----

    def test_mock_answers_the_status_its_template_names(self):
        api = self.make({"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": $input.params("code")}'}},
                        responses={"200": {"responseTemplates": {"application/json": '{"ok":true}'}},
                                   "404": {"selectionPattern": "4\\d\\d", "responseTemplates": {"application/json": '{"no":1}'},
                                           "responseParameters": {"method.response.header.X-A": "'static'"}}})
        self.assertEqual(self.call(api, "/x?code=200")[0::2], (200, b'{"ok":true}'))
        status, headers, body = self.call(api, "/x?code=418")
        self.assertEqual((status, headers["x-a"], body), (404, "static", b'{"no":1}'))
        self.assertEqual(self.call(api, "/x?code=abc")[0::2], (500, b'{"message": "Internal server error"}'))

    def test_handmade_cors_by_mock_works(self):
        api = self.make({"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode":200}'}}, method="OPTIONS", responses={
            "200": {"responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'",
                                           "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'"}}})
        status, headers, body = self.call(api, method="OPTIONS", Origin="https://app.test",
                                          **{"Access-Control-Request-Method": "GET"})
        self.assertEqual((status, headers["access-control-allow-origin"], headers["access-control-allow-methods"]),
                         (200, "*", "GET,OPTIONS"))

    def test_templates_see_the_request(self):
        self.assertEqual(self.render('$input.params("q") $input.params("X-H") $input.params().querystring.q $input.params("none").',
                                     "/x?q=a%20b", **{"X-H": "h"}), "a b h a b .")
        self.assertEqual(self.render('$context.httpMethod $context.stage $context.resourcePath $context.identity.sourceIp '
                                     '[$context.identity.apiKey]$context.nope|'), "POST dev /x 127.0.0.1 []|")
        self.assertEqual(self.render('#foreach($k in $input.params().querystring.keySet())$k=$input.params().querystring.get($k)'
                                     '#if($foreach.hasNext)&#end#end', "/x?a=1&b=2"), "a=1&b=2")
        self.assertEqual(self.render('$util.escapeJavaScript("it\'s \u00e4/") $util.urlEncode("a b&c") $util.urlDecode("a%20b") '
                                     '$util.base64Encode("hi") $util.base64Decode("aGk=") $util.parseJson("{""a"":[1,2]}").a[1]'),
                         "it\\'s \\u00E4\\/ a+b%26c a b aGk= hi 2")

    def test_request_templates_see_the_body_by_jsonpath(self):
        api = self.make({"type": "AWS", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("plain"), "requestTemplates": {
            "application/json": '#set($r = $input.path("$"))\n{"whole": $input.json("$"), "name": "$r.user.name", "n": $input.json("$.list[1]"),'
                                '"miss": $input.json("$.zip"), "raw": "$util.escapeJavaScript($input.body)"}'}},
            responses={"200": {}})
        body = {"user": {"name": "J\u00fcrgen"}, "list": [1, {"a": 2}]}
        status, _, text = self.call(api, body=json.dumps(body, ensure_ascii=False).encode())
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text), {"got": {"whole": body, "name": "J\u00fcrgen", "n": {"a": 2}, "miss": "",
                                                    "raw": json.dumps(body, ensure_ascii=False)}})

    def test_overrides_in_templates_change_status_and_headers(self):
        api = self.mock('{"statusCode":200}', response={"responseTemplates": {"application/json":
                        '#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-T = "tea")x'}})
        status, headers, body = self.call(api)
        self.assertEqual((status, headers["x-t"], body), (418, "tea", b"x"))

    def test_a_template_that_does_not_parse_fails_the_request_only(self):
        api = self.mock('{"statusCode":200}', response={"responseTemplates": {"application/json": "#if($x)"}})
        self.assertEqual(self.call(api)[0], 500)

    def test_passthrough_behaviour_by_content_type(self):
        for behaviour, templates, kind, want in (
                ("WHEN_NO_MATCH", {"application/json": '{"statusCode":200}'}, "text/plain", 500),  # passed on: no status in it
                ("WHEN_NO_TEMPLATES", {"application/json": '{"statusCode":200}'}, "text/plain", 415),
                ("NEVER", {}, "application/json", 415), ("NEVER", {"application/json": '{"statusCode":200}'}, "application/json", 200)):
            api = self.make({"type": "MOCK", "passthroughBehavior": behaviour, "requestTemplates": templates}, responses={"200": {}})
            status, _, body = self.call(api, body=b"hello", **{"Content-Type": kind})
            self.assertEqual(status, want, (behaviour, body))
            if want == 415:
                self.assertEqual(body, b'{"message": "Unsupported Media Type"}')

    # ---- Lambda without proxy ----

    def test_a_functions_error_is_matched_by_its_message(self):
        api = self.make({"type": "AWS", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("fail")}, responses={
            "200": {}, "404": {"selectionPattern": "NotFound.*", "responseTemplates": {
                "application/json": '{"message": "$input.path("$.errorMessage")"}'},
                "responseParameters": {"method.response.header.X-Type": "integration.response.body.errorType"}}})
        status, headers, body = self.call(api)
        self.assertEqual((status, headers["x-type"], body), (404, "Error", b'{"message": "NotFound: no such thing"}'))
        self.assertEqual(self.call(api, body=b'{"why":"else"}')[0], 200)

    def test_functions_may_be_invoked_as_events(self):
        api = self.make({"type": "AWS", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("plain"),
                         "requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}},
                        responses={"202": {}})
        self.assertEqual(self.call(api, body=b"{}")[0::2], (202, b""))

    # ---- DynamoDB ----

    def test_dynamodb_is_called_without_a_function(self):
        self.ddb.create_table(TableName="direct", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        api = self.make({"type": "AWS", "integrationHttpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:dynamodb:action/PutItem",
                         "credentials": "arn:aws:iam::000000000000:role/any", "requestTemplates": {"application/json":
                             '{"TableName":"direct","Item":{"id":{"S":"$input.path("$.id")"},"n":{"N":"$input.path("$.n")"}}}'}},
                        responses={"200": {"responseTemplates": {"application/json": '{"saved":true}'}},
                                   "400": {"selectionPattern": "4\\d{2}", "responseTemplates": {
                                       "application/json": '{"error":$input.json("$.message")}'}}})
        self.assertEqual(self.call(api, body=b'{"id":"a","n":5}')[0::2], (200, b'{"saved":true}'))
        self.assertEqual(self.ddb.get_item(TableName="direct", Key={"id": {"S": "a"}})["Item"]["n"], {"N": "5"})
        status, _, body = self.call(api, body=b'{"id":"a","n":"x"}')
        self.assertEqual(status, 400)
        self.assertIn("cannot be converted to a numeric value", json.loads(body)["error"])

    def test_services_that_are_not_here_are_refused_when_configured(self):
        api = self.mock('{"statusCode":200}', deploy=False)
        self.assertIn("sqs", self.refused("BadRequestException", self.api.put_integration, **self.where, type="AWS",
                      integrationHttpMethod="POST", uri="arn:aws:apigateway:us-east-1:sqs:path/000000000000/q"))
        self.assertTrue(api)

    # ---- HTTP ----

    def peer(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = json.dumps({"path": self.path, "method": self.command, "body": body.decode(),
                                    "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
                self.send_response(503 if "fail" in self.path else 201)
                self.send_header("X-Back", "1")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)
            do_GET = do_PUT = do_POST

            def log_message(self, *_):
                pass
        peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        self.addCleanup(peer.server_close)
        self.addCleanup(peer.shutdown)
        return "http://127.0.0.1:%d" % peer.server_port

    def test_http_proxy_passes_everything_on(self):
        api = self.make({"type": "HTTP_PROXY", "integrationHttpMethod": "ANY", "uri": self.peer() + "/base/{proxy}",
                         "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy",
                                               "integration.request.header.X-Stage": "context.stage"}},
                        method="ANY", path="{proxy+}", method_args={"requestParameters": {"method.request.path.proxy": True}})
        status, headers, body = self.call(api, "/a/b%20c?q=1&q=2", "PUT", b"data", **{"X-One": "1"})
        seen = json.loads(body)
        self.assertEqual((status, headers["x-back"]), (201, "1"))
        self.assertEqual((seen["path"], seen["method"], seen["body"]), ("/base/a/b%20c?q=1&q=2", "PUT", "data"))
        self.assertEqual((seen["headers"]["x-one"], seen["headers"]["x-stage"]), ("1", "dev"))

    def test_http_maps_request_and_response(self):
        api = self.make({"type": "HTTP", "integrationHttpMethod": "POST", "uri": self.peer() + "/{id}/${stageVariables.kind}",
                         "requestParameters": {"integration.request.path.id": "method.request.querystring.id",
                                               "integration.request.querystring.z": "'9'",
                                               "integration.request.header.X-In": "method.request.header.X-Out"},
                         "requestTemplates": {"application/json": '{"v":$input.json("$.a")}'}},
                        responses={"200": {"responseTemplates": {"application/json": '{"p":$input.json("$.path"),"b":$input.json("$.body")}'},
                                           "responseParameters": {"method.response.header.X-B": "integration.response.header.X-Back"}},
                                   "502": {"selectionPattern": "5.."}}, deploy=False)
        deployment = self.api.create_deployment(restApiId=api)
        self.api.create_stage(restApiId=api, stageName="dev", deploymentId=deployment["id"], variables={"kind": "ok"})
        status, headers, body = self.call(api, "/x?id=7", body=b'{"a":[1]}', **{"X-Out": "v"})
        self.assertEqual((status, headers["x-b"], json.loads(body)), (200, "1", {"p": "/7/ok?z=9", "b": '{"v":[1]}'}))
        self.api.update_stage(restApiId=api, stageName="dev", patchOperations=[
            {"op": "replace", "path": "/variables/kind", "value": "fail"}])
        self.assertEqual(self.call(api, "/x?id=7", body=b"{}")[0], 502)

    def test_other_hosts_are_not_called(self):
        api = self.make({"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://192.0.2.1/"})
        self.assertEqual(self.call(api)[0], 500)

    # ---- replies ----

    def test_replies_are_compressed_above_the_minimum_when_asked(self):
        api = self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("big")},
                        minimumCompressionSize=1000)
        status, headers, body = self.call(api, **{"Accept-Encoding": "gzip"})
        self.assertEqual((headers["content-encoding"], gzip.decompress(body)), ("gzip", b"x" * 5000))
        self.assertNotIn("content-encoding", self.call(api)[1])

    def test_binary_bodies_are_converted(self):
        api = self.make({"type": "MOCK", "contentHandling": "CONVERT_TO_TEXT", "requestTemplates": {
            "image/png": '#set($context.responseOverride.header.X-Body = $input.body){"statusCode":200}'}},
            responses={"200": {}}, binaryMediaTypes=["image/png"])
        headers = self.call(api, body=b"\x89PNG", **{"Content-Type": "image/png"})[1]
        self.assertEqual(base64.b64decode(headers["x-body"]), b"\x89PNG")


if __name__ == "__main__":
    unittest.main()
