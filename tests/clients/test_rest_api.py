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
exports.token = async (event) => {
  if (event.authorizationToken === 'boom') throw new Error('x');
  if (event.authorizationToken === 'no') throw new Error('Unauthorized');
  if (event.authorizationToken === 'odd') return { policyDocument: {} };
  return { principalId: 'me', usageIdentifierKey: 'k'.repeat(20), context: { n: 1, s: 'x', b: true, calls: ++count },
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke',
      Effect: event.authorizationToken === 'deny' ? 'Deny' : 'Allow',
      Resource: event.authorizationToken === 'other' ? 'arn:aws:execute-api:*:*:*/dev/GET/y' : '*' }] } };
};
let count = 0;
exports.request = async (event) => ({ principalId: event.headers['X-User'] || 'none', policyDocument: { Statement: [
  { Action: '*', Effect: 'Allow', Resource: event.methodArn }] }, context: { type: event.type, body: String(event.body) } });
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

    # ---- validators and models ----

    def test_required_parameters_and_bodies_are_validated(self):
        api = self.api.create_rest_api(name="n")["id"]
        self.assertEqual([m["name"] for m in self.api.get_models(restApiId=api)["items"]], ["Empty", "Error"])
        self.api.create_model(restApiId=api, name="Pet", contentType="application/json", schema=json.dumps({
            "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}}}))
        self.api.create_model(restApiId=api, name="Pets", contentType="application/json", schema=json.dumps({
            "type": "array", "items": {"$ref": "https://apigateway.amazonaws.com/restapis/%s/models/Pet" % api}}))
        validator = self.api.create_request_validator(restApiId=api, name="v", validateRequestBody=True, validateRequestParameters=True)
        self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("echo")}, api=api, method_args={
            "requestValidatorId": validator["id"], "requestModels": {"application/json": "Pets"},
            "requestParameters": {"method.request.querystring.q": True, "method.request.header.X-A": True,
                                  "method.request.querystring.z": False}})
        self.assertEqual(self.call(api, body=b"[]")[0::2], (400, b'{"message": "Missing required request parameters: [q, X-A]"}'))
        good = {"X-A": "1"}
        self.assertEqual(self.call(api, "/x?q=1", body=b'[{"name":"a","age":3}]', **good)[0], 200)
        for body in (b'[{"age":3}]', b'[{"name":"a","age":-1}]', b'{}', b'nonsense'):
            status, headers, text = self.call(api, "/x?q=1", body=body, **good)
            self.assertEqual((status, text, headers["x-amzn-errortype"]), (400, b'{"message": "Invalid request body"}', "BadRequestException"))
        self.api.put_gateway_response(restApiId=api, responseType="BAD_REQUEST_BODY", statusCode="422",
                                      responseParameters={"gatewayresponse.header.X-Why": "'body'"},
                                      responseTemplates={"application/json": '{"why":"$context.error.validationErrorString","m":$context.error.messageString}'})
        self.assertEqual(self.call(api, "/x?q=1", body=b'[{}]', **good)[0], 400)  # until the next deployment
        self.api.create_deployment(restApiId=api, stageName="dev")
        status, headers, text = self.call(api, "/x?q=1", body=b'[{}]', **good)
        self.assertEqual((status, headers["x-why"], text), (
            422, "body", b'{"why":"[object has missing required properties (["name"])]","m":"Invalid request body"}'))

    def test_models_validators_and_gateway_responses_are_managed(self):
        api = self.api.create_rest_api(name="n")["id"]
        self.api.create_model(restApiId=api, name="M", contentType="application/json", schema='{"type":"object"}')
        self.assertEqual(self.refused("ConflictException", self.api.create_model, restApiId=api, name="M", contentType="application/json",
                                      schema='{"type":"object"}'), "Model name already exists for this REST API")
        for schema in ("{", "[]", '{"type":5}', "{}"):
            self.refused("BadRequestException", self.api.create_model, restApiId=api, name="N", contentType="application/json", schema=schema)
        self.assertEqual(self.refused("BadRequestException", self.api.update_model, restApiId=api, modelName="M", patchOperations=[
            {"op": "replace", "path": "/name", "value": "x"}]),
            "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]")
        self.assertEqual(self.api.update_model(restApiId=api, modelName="M", patchOperations=[
            {"op": "replace", "path": "/description", "value": "d"}])["description"], "d")
        self.make({"type": "MOCK"}, api=api, method_args={"requestModels": {"application/json": "M"}}, deploy=False)
        self.assertEqual(self.refused("ConflictException", self.api.delete_model, restApiId=api, modelName="M"),
                         "Cannot delete model 'M', is referenced in method request: /x/POST")
        self.api.delete_model(restApiId=api, modelName="Empty")
        self.assertEqual(self.refused("NotFoundException", self.api.get_model, restApiId=api, modelName="Empty"),
                         "Invalid model name specified: Empty")
        made = self.api.create_request_validator(restApiId=api, name="v", validateRequestBody=True)
        self.assertEqual(self.api.update_request_validator(restApiId=api, requestValidatorId=made["id"], patchOperations=[
            {"op": "replace", "path": "/validateRequestParameters", "value": "true"}])["validateRequestParameters"], True)
        self.assertEqual(len(self.api.get_request_validators(restApiId=api)["items"]), 1)
        self.assertEqual(self.api.get_request_validator(restApiId=api, requestValidatorId=made["id"])["name"], "v")
        self.api.delete_request_validator(restApiId=api, requestValidatorId=made["id"])
        self.assertEqual(self.refused("NotFoundException", self.api.get_request_validator, restApiId=api, requestValidatorId=made["id"]),
                         "Invalid Request Validator identifier specified")
        self.assertEqual(len(self.api.get_gateway_responses(restApiId=api)["items"]), 21)
        default = self.api.get_gateway_response(restApiId=api, responseType="THROTTLED")
        self.assertEqual((default["statusCode"], default["defaultResponse"]), ("429", True))
        changed = self.api.update_gateway_response(restApiId=api, responseType="THROTTLED", patchOperations=[
            {"op": "replace", "path": "/statusCode", "value": "503"},
            {"op": "add", "path": "/responseParameters/gatewayresponse.header.X", "value": "'1'"},
            {"op": "replace", "path": "/responseTemplates/application~1json", "value": "{}"}])
        self.assertEqual((changed["statusCode"], changed["responseTemplates"]), ("503", {"application/json": "{}"}))
        self.assertEqual(self.refused("BadRequestException", self.api.update_gateway_response, restApiId=api, responseType="THROTTLED",
                                      patchOperations=[{"op": "replace", "path": "/wrongPath", "value": "1"}]), "Invalid patch path /wrongPath")
        self.api.delete_gateway_response(restApiId=api, responseType="THROTTLED")
        self.assertEqual(self.refused("NotFoundException", self.api.delete_gateway_response, restApiId=api, responseType="THROTTLED"),
                         "Gateway response type not defined on api")

    # ---- authorizers ----

    def authorized(self, export, **authorizer):
        api = self.api.create_rest_api(name="n")["id"]
        made = self.api.create_authorizer(restApiId=api, name="a", authorizerUri=LAMBDA % self.function(export), **{
            "type": "TOKEN", "identitySource": "method.request.header.Authorization", "authorizerResultTtlInSeconds": 0, **authorizer})
        self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("echo")}, api=api, method="ANY",
                  method_args={"authorizationType": "CUSTOM", "authorizerId": made["id"]})
        return api, made

    def test_token_authorizers(self):
        api, made = self.authorized("token")
        status, _, body = self.call(api, Authorization="go")
        event = json.loads(body)
        context = event["requestContext"]["authorizer"]
        self.assertEqual((context["principalId"], context["n"], context["s"], context["b"]), ("me", "1", "x", "true"))
        self.assertIn("integrationLatency", context)
        denied = b'{"Message":"User is not authorized to access this resource%s"}'
        for token, want in (("deny", (403, denied % b" with an explicit deny")), ("other", (403, denied % b"")),
                            ("no", (401, b'{"message":"Unauthorized"}')), ("boom", (500, b'{"message":null}')),
                            ("odd", (500, b'{"message":null}'))):
            status, headers, body = self.call(api, Authorization=token)
            self.assertEqual((status, body), want, token)
        self.assertEqual(headers["x-amzn-errortype"], "AuthorizerConfigurationException")
        self.assertEqual(self.call(api)[0::2], (401, b'{"message":"Unauthorized"}'))
        self.refused("ConflictException", self.api.delete_authorizer, restApiId=api, authorizerId=made["id"])
        self.assertEqual(self.api.get_authorizer(restApiId=api, authorizerId=made["id"])["authType"], "custom")
        self.assertEqual(len(self.api.get_authorizers(restApiId=api)["items"]), 1)

    def test_token_validation_and_cached_results(self):
        api, made = self.authorized("token", authorizerResultTtlInSeconds=300, identityValidationExpression="^g.*")
        self.assertEqual(self.call(api, Authorization="x")[0], 401)

        def calls():
            return json.loads(self.call(api, Authorization="go")[2])["requestContext"]["authorizer"]["calls"]
        first = calls()
        self.assertEqual(calls(), first)
        self.api.flush_stage_authorizers_cache(restApiId=api, stageName="dev")
        self.assertNotEqual(calls(), first)
        self.api.update_authorizer(restApiId=api, authorizerId=made["id"], patchOperations=[
            {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "0"}])

    def test_request_authorizers_see_the_request(self):
        api, _ = self.authorized("request", type="REQUEST", identitySource="method.request.header.X-User, method.request.querystring.k")
        self.assertEqual(self.call(api, **{"X-User": "u"})[0], 401)
        context = json.loads(self.call(api, "/x?k=1", body=b"hi", **{"X-User": "u"})[2])["requestContext"]["authorizer"]
        self.assertEqual((context["principalId"], context["type"], context["body"]), ("u", "REQUEST", "undefined"))

    def test_iam_methods_want_a_signature(self):
        api = self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("echo")},
                        method_args={"authorizationType": "AWS_IAM"})
        self.assertEqual(self.call(api)[0::2], (403, b'{"message":"Missing Authentication Token"}'))
        signed = ("AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/execute-api/aws4_request, "
                  "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64)
        event = json.loads(self.call(api, Authorization=signed, **{"X-Amz-Date": "20260101T000000Z"})[2])
        self.assertEqual(event["requestContext"]["identity"]["accessKey"], "AK")

    # ---- API keys ----

    def test_api_keys_and_usage_plans_are_held(self):
        api = self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("echo")},
                        method_args={"apiKeyRequired": True})
        key = self.api.create_api_key(name="k", enabled=True, value="v" * 20)
        plan = self.api.create_usage_plan(name="p", apiStages=[{"apiId": api, "stage": "dev"}], quota={"limit": 3, "period": "DAY"})
        self.assertEqual(self.call(api)[0::2], (403, b'{"message":"Forbidden"}'))
        self.assertEqual(self.call(api, **{"x-api-key": key["value"]})[0], 403)
        self.api.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
        event = json.loads(self.call(api, **{"x-api-key": key["value"]})[2])
        self.assertEqual((event["requestContext"]["identity"]["apiKey"], event["requestContext"]["identity"]["apiKeyId"]),
                         (key["value"], key["id"]))
        got = [self.call(api, **{"x-api-key": key["value"]}) for _ in range(3)]
        self.assertEqual([g[0] for g in got], [200, 200, 429])
        self.assertEqual(got[2][2], b'{"message":"Limit Exceeded"}')
        usage = self.api.get_usage(usagePlanId=plan["id"], startDate="2000-01-01", endDate="2100-01-01")["items"]
        self.assertEqual(usage, {key["id"]: [[3, 0]]})
        self.s.request("POST", "/_puddle/clock", json.dumps({"shift_ms": 86400000}))
        self.assertEqual(self.call(api, **{"x-api-key": key["value"]})[0], 200)
        self.api.update_usage_plan(usagePlanId=plan["id"], patchOperations=[
            {"op": "remove", "path": "/quota"}, {"op": "replace", "path": "/throttle/rateLimit", "value": "0.001"},
            {"op": "replace", "path": "/throttle/burstLimit", "value": "1"}])
        got = [self.call(api, **{"x-api-key": key["value"]}) for _ in range(2)]
        self.assertEqual([g[0] for g in got], [200, 429])
        self.assertEqual(got[1][2], b'{"message":"Too Many Requests"}')
        self.api.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
        self.assertEqual(self.call(api, **{"x-api-key": key["value"]})[0], 403)

    def test_keys_and_plans_are_managed(self):
        self.assertEqual(self.refused("BadRequestException", self.api.create_api_key, value="short"),
                         "API Key value should be at least 20 characters")
        self.assertEqual(self.refused("BadRequestException", self.api.create_api_key, value="x" * 129),
                         "API Key value exceeds maximum size of 128 characters")
        key = self.api.create_api_key(name="managed")
        self.assertEqual(len(key["value"]), 40)
        self.assertNotIn("value", self.api.get_api_key(apiKey=key["id"]))
        self.assertEqual(self.api.get_api_key(apiKey=key["id"], includeValue=True)["value"], key["value"])
        self.assertEqual([k["id"] for k in self.api.get_api_keys(nameQuery="manag")["items"]], [key["id"]])
        self.refused("ConflictException", self.api.create_api_key, value=key["value"])
        plan = self.api.create_usage_plan(name="p2")
        self.refused("NotFoundException", self.api.update_usage_plan, usagePlanId=plan["id"], patchOperations=[
            {"op": "add", "path": "/apiStages", "value": "nope:dev"}])
        self.assertEqual(self.refused("BadRequestException", self.api.update_usage_plan, usagePlanId=plan["id"], patchOperations=[
            {"op": "add", "path": "/apiStages", "value": "nope"}]), "Invalid API Stage specified")
        self.api.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
        self.assertEqual(self.api.get_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])["name"], "managed")
        self.assertEqual(len(self.api.get_usage_plan_keys(usagePlanId=plan["id"])["items"]), 1)
        self.assertEqual([p["id"] for p in self.api.get_usage_plans(keyId=key["id"])["items"]], [plan["id"]])
        self.assertEqual(self.api.get_usage_plan(usagePlanId=plan["id"])["name"], "p2")
        self.api.delete_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])
        self.api.delete_usage_plan(usagePlanId=plan["id"])
        self.assertEqual(self.refused("NotFoundException", self.api.get_usage_plan, usagePlanId=plan["id"]),
                         "Invalid Usage Plan ID specified")
        self.api.delete_api_key(apiKey=key["id"])
        self.refused("NotFoundException", self.api.get_api_key, apiKey=key["id"])

    # ---- updates ----

    def test_methods_integrations_and_responses_are_patched(self):
        api = self.mock('{"statusCode":200}', response={"responseTemplates": {"application/json": "a"}})
        self.api.update_integration_response(**self.where, statusCode="200", patchOperations=[
            {"op": "replace", "path": "/responseTemplates/application~1json", "value": "b"}])
        self.api.update_integration(**self.where, patchOperations=[
            {"op": "add", "path": "/requestTemplates/text~1plain", "value": '{"statusCode":200}'},
            {"op": "replace", "path": "/timeoutInMillis", "value": "100"}])
        self.api.update_method_response(**self.where, statusCode="200", patchOperations=[
            {"op": "add", "path": "/responseParameters/method.response.header.X", "value": "true"}])
        changed = self.api.update_method(**self.where, patchOperations=[
            {"op": "replace", "path": "/operationName", "value": "op"}, {"op": "replace", "path": "/apiKeyRequired", "value": "false"}])
        self.assertEqual((changed["operationName"], changed["methodIntegration"]["timeoutInMillis"]), ("op", 100))
        self.assertEqual(self.call(api)[2], b"a")
        made = self.api.create_deployment(restApiId=api, stageName="dev")
        self.assertEqual(self.call(api)[2], b"b")
        self.assertEqual(self.api.update_deployment(restApiId=api, deploymentId=made["id"], patchOperations=[
            {"op": "replace", "path": "/description", "value": "d"}])["description"], "d")
        self.assertEqual(self.refused("BadRequestException", self.api.update_method, **self.where, patchOperations=[
            {"op": "replace", "path": "/httpMethod", "value": "x"}]), "Invalid patch path /httpMethod")

    def test_resources_are_renamed_and_moved_with_what_is_below(self):
        api = self.api.create_rest_api(name="n")["id"]
        root = self.api.get_resources(restApiId=api)["items"][0]["id"]
        a = self.api.create_resource(restApiId=api, parentId=root, pathPart="a")["id"]
        b = self.api.create_resource(restApiId=api, parentId=a, pathPart="b")["id"]
        self.api.update_resource(restApiId=api, resourceId=a, patchOperations=[{"op": "replace", "path": "/pathPart", "value": "z"}])
        self.assertEqual(self.api.get_resource(restApiId=api, resourceId=b)["path"], "/z/b")
        self.assertEqual(self.refused("BadRequestException", self.api.update_resource, restApiId=api, resourceId=a, patchOperations=[
            {"op": "replace", "path": "/parentId", "value": b}]), "Resources cannot be cyclical.")
        self.api.update_resource(restApiId=api, resourceId=b, patchOperations=[{"op": "replace", "path": "/parentId", "value": root}])
        self.assertEqual(self.api.get_resource(restApiId=api, resourceId=b)["path"], "/b")
        self.assertEqual(self.refused("BadRequestException", self.api.update_resource, restApiId=api, resourceId=root, patchOperations=[
            {"op": "replace", "path": "/pathPart", "value": "x"}]), "Root resource cannot update its pathPart.")
        self.assertEqual(self.refused("ConflictException", self.api.update_resource, restApiId=api, resourceId=b, patchOperations=[
            {"op": "replace", "path": "/pathPart", "value": "z"}]), "Another resource with the same parent already has this name: z")

    def test_methods_are_tried_without_a_deployment(self):
        self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("echo")}, deploy=False,
                  method_args={"apiKeyRequired": True})
        made = self.api.test_invoke_method(**self.where, pathWithQueryString="/x?q=1", body="hi", headers={"X-A": "1"},
                                           stageVariables={"v": "1"})
        event = json.loads(made["body"])
        self.assertEqual((made["status"], event["body"], event["queryStringParameters"], event["stageVariables"]),
                         (200, "hi", {"q": "1"}, {"v": "1"}))
        self.assertEqual((event["requestContext"]["stage"], event["requestContext"]["identity"]["sourceIp"]),
                         ("test-invoke-stage", "test-invoke-source-ip"))
        self.assertIn("Method completed with status: 200", made["log"])
        self.api.put_integration(**self.where, type="MOCK")
        self.assertEqual(self.api.test_invoke_method(**self.where)["status"], 500)

    def test_the_account_and_custom_domain_names(self):
        self.assertEqual(self.api.get_account()["throttleSettings"], {"burstLimit": 5000, "rateLimit": 10000.0})
        self.assertEqual(self.api.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value":
                         "arn:aws:iam::000000000000:role/x"}])["cloudwatchRoleArn"], "arn:aws:iam::000000000000:role/x")
        api = self.make({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": LAMBDA % self.function("echo")})
        self.assertEqual(self.s.request("POST", "/x", headers={"Host": "api.example.test"})[0], 403)
        self.api.create_domain_name(domainName="api.example.test", endpointConfiguration={"types": ["REGIONAL"]})
        self.api.create_base_path_mapping(domainName="api.example.test", basePath="v1", restApiId=api, stage="dev")
        status, _, body = self.s.request("POST", "/v1/x", headers={"Host": "api.example.test"})
        event = json.loads(body)
        self.assertEqual((status, event["path"], event["resource"], event["requestContext"]["path"], event["requestContext"]["domainName"]),
                         (200, "/v1/x", "/x", "/v1/x", "api.example.test"))
        self.assertEqual(self.s.request("POST", "/x", headers={"Host": "api.example.test"})[0::2], (403, b'{"message":"Forbidden"}'))
        self.api.update_base_path_mapping(domainName="api.example.test", basePath="v1", patchOperations=[
            {"op": "replace", "path": "/basePath", "value": "(none)"}])
        self.assertEqual(self.s.request("POST", "/x", headers={"Host": "api.example.test"})[0], 200)
        self.assertEqual(self.api.get_base_path_mapping(domainName="api.example.test", basePath="(none)")["stage"], "dev")
        self.assertEqual(len(self.api.get_base_path_mappings(domainName="api.example.test")["items"]), 1)
        self.assertEqual(self.api.update_domain_name(domainName="api.example.test", patchOperations=[
            {"op": "replace", "path": "/securityPolicy", "value": "TLS_1_2"}])["securityPolicy"], "TLS_1_2")
        self.assertEqual([d["domainName"] for d in self.api.get_domain_names()["items"]], ["api.example.test"])
        self.assertEqual(self.api.get_domain_name(domainName="api.example.test")["domainNameStatus"], "AVAILABLE")
        self.api.delete_base_path_mapping(domainName="api.example.test", basePath="(none)")
        self.api.delete_domain_name(domainName="api.example.test")
        self.refused("NotFoundException", self.api.get_domain_name, domainName="api.example.test")


if __name__ == "__main__":
    unittest.main()
