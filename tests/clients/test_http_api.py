import base64
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

import boto3
from botocore.exceptions import ClientError

from puddle import Server

ECHO = {"index.js": """
exports.echo = async (event) => event;
exports.v2 = async (event) => ({ statusCode: 201, headers: { 'X-One': '1', n: 5 }, cookies: ['a=1; Path=/', 'b=2'],
  body: Buffer.from('bin\\u00e4ry').toString('base64'), isBase64Encoded: true });
exports.text = async () => 'plain';
exports.list = async () => [1, { a: 2 }];
exports.boom = async () => { throw new Error('x'); };
exports.bad = async () => ({ statusCode: 'x' });
exports.v1 = async (event) => ({ statusCode: 200, multiValueHeaders: { 'x-a': ['1', '2'] }, body: JSON.stringify(event) });
exports.cors = async () => ({ statusCode: 200, headers: { 'access-control-allow-origin': 'https://evil' }, body: 'x' });
exports.slow = async () => { await new Promise(r => setTimeout(r, 3000)); return 'late'; };
let calls = 0;
exports.simple = async (event) => { calls++; return { isAuthorized: event.headers.authorization === 'good',
  context: { calls, user: 'u', list: [1] } }; };
exports.policy = async (event) => ({ principalId: 'me', context: { a: 'b' }, policyDocument: { Version: '2012-10-17',
  Statement: [{ Action: 'execute-api:Invoke', Effect: event.headers.authorization === 'deny' ? 'Deny' : 'Allow',
    Resource: event.routeArn || event.methodArn }] } });
exports.broken = async () => 'what';
"""}


JWKS = os.path.join(tempfile.gettempdir(), "puddle-jwks-%d.json" % os.getpid())


def url64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class HttpApis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet", "--jwks", "https://issuer.test/=" + JWKS)
        cls.addClassCleanup(cls.s.close)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.api = session.client("apigatewayv2", endpoint_url=cls.s.url)
        cls.rest = session.client("apigateway", endpoint_url=cls.s.url)
        cls.functions = {}

    def function(self, export):
        if export not in self.functions:
            status, _, body = self.s.create_function("f-" + export, ECHO, "index." + export)
            self.assertEqual(status, 201, body)
            self.functions[export] = json.loads(body)["FunctionArn"]
        return self.functions[export]

    def quick(self, export, **more):
        return self.api.create_api(Name="n", ProtocolType="HTTP", Target=self.function(export), **more)

    def get(self, api, path="/", method="GET", body=b"", **headers):
        return self.s.request(method, path, body, {
            "Host": "%s.execute-api.us-east-1.localhost" % api["ApiId"], **headers})

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        return raised.exception.response["Error"]["Message"]

    def routed(self, export, key="GET /x", version="2.0", integration=None, route=None, stage=None, api=None):
        api = api or self.api.create_api(Name="n", ProtocolType="HTTP")
        made = self.api.create_integration(ApiId=api["ApiId"], IntegrationType="AWS_PROXY", PayloadFormatVersion=version,
                                           IntegrationUri=self.function(export), **(integration or {}))
        self.api.create_route(ApiId=api["ApiId"], RouteKey=key, Target="integrations/" + made["IntegrationId"],
                              **(route or {}))
        self.api.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True, **(stage or {}))
        return api

    # ---- management ----

    def test_quick_create_makes_integration_route_and_stage(self):
        api = self.quick("echo")
        self.assertEqual(api["ProtocolType"], "HTTP")
        self.assertEqual(api["RouteSelectionExpression"], "$request.method $request.path")
        routes = self.api.get_routes(ApiId=api["ApiId"])["Items"]
        self.assertEqual([(r["RouteKey"], r["ApiGatewayManaged"], r["AuthorizationType"]) for r in routes],
                         [("$default", True, "NONE")])
        integrations = self.api.get_integrations(ApiId=api["ApiId"])["Items"]
        self.assertEqual([(i["IntegrationType"], i["PayloadFormatVersion"]) for i in integrations],
                         [("AWS_PROXY", "2.0")])
        stages = self.api.get_stages(ApiId=api["ApiId"])["Items"]
        self.assertEqual([(s["StageName"], s["AutoDeploy"]) for s in stages], [("$default", True)])
        self.assertIn("Successfully deployed stage with deployment ID", stages[0]["LastDeploymentStatusMessage"])

    def test_api_endpoint_answers(self):
        api = self.quick("text")
        path = api["ApiEndpoint"][len(self.s.url):]
        self.assertTrue(api["ApiEndpoint"].startswith(self.s.url))
        for suffix in ("", "/", "/a/b", "/$default/x"):
            self.assertEqual(self.s.request("GET", path + suffix)[2], b"plain", suffix)

    def test_apis_are_listed_updated_tagged_and_deleted(self):
        api = self.api.create_api(Name="first", ProtocolType="HTTP", Description="d", Tags={"a": "b"})
        changed = self.api.update_api(ApiId=api["ApiId"], Name="second", CorsConfiguration={"AllowOrigins": ["*"]})
        self.assertEqual((changed["Name"], changed["Description"], changed["CorsConfiguration"]),
                         ("second", "d", {"AllowOrigins": ["*"]}))
        arn = "arn:aws:apigateway:us-east-1::/apis/" + api["ApiId"]
        self.api.tag_resource(ResourceArn=arn, Tags={"c": "d"})
        self.api.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(self.api.get_tags(ResourceArn=arn)["Tags"], {"c": "d"})
        self.api.delete_cors_configuration(ApiId=api["ApiId"])
        self.assertNotIn("CorsConfiguration", self.api.get_api(ApiId=api["ApiId"]))
        self.assertIn(api["ApiId"], [a["ApiId"] for a in self.api.get_apis()["Items"]])
        pages = [p["Items"] for p in self.api.get_paginator("get_apis").paginate(PaginationConfig={"PageSize": 1})]
        self.assertIn(api["ApiId"], [i["ApiId"] for p in pages for i in p])
        self.assertTrue(all(len(p) <= 1 for p in pages))
        self.api.delete_api(ApiId=api["ApiId"])
        self.refused("NotFoundException", self.api.get_api, ApiId=api["ApiId"])

    def test_websocket_apis_and_first_class_integrations_are_refused(self):
        self.assertIn("WebSocket", self.refused("BadRequestException", self.api.create_api, Name="w",
                      ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"))
        api = self.api.create_api(Name="n", ProtocolType="HTTP")
        self.assertIn("integrationSubtype", self.refused("BadRequestException", self.api.create_integration,
                      ApiId=api["ApiId"], IntegrationType="AWS_PROXY", IntegrationSubtype="SQS-SendMessage",
                      PayloadFormatVersion="1.0"))
        self.refused("BadRequestException", self.api.create_integration, ApiId=api["ApiId"], IntegrationType="MOCK")
        self.assertEqual(self.api.get_integrations(ApiId=api["ApiId"])["Items"], [])

    def test_routes_check_key_target_and_authorizer(self):
        api = self.api.create_api(Name="n", ProtocolType="HTTP")["ApiId"]
        for key in ("GET", "FOO /x", "GET x", "GET /{a+}/b", "GET /{}", "GET //x", "default"):
            self.refused("BadRequestException", self.api.create_route, ApiId=api, RouteKey=key)
        self.refused("NotFoundException", self.api.create_route, ApiId=api, RouteKey="GET /", Target="integrations/no")
        self.refused("BadRequestException", self.api.create_route, ApiId=api, RouteKey="GET /", AuthorizationType="JWT")
        route = self.api.create_route(ApiId=api, RouteKey="GET /{a}/{b+}")
        self.assertEqual(self.refused("ConflictException", self.api.create_route, ApiId=api, RouteKey="GET /{a}/{b+}"),
                         "Route with key GET /{a}/{b+} already exists for this API")
        self.assertEqual(self.api.update_route(ApiId=api, RouteId=route["RouteId"], RouteKey="ANY /y")["RouteKey"], "ANY /y")
        self.refused("NotFoundException", self.api.delete_route_request_parameter, ApiId=api, RouteId=route["RouteId"],
                     RequestParameterKey="k")
        self.api.delete_route(ApiId=api, RouteId=route["RouteId"])
        self.refused("NotFoundException", self.api.get_route, ApiId=api, RouteId=route["RouteId"])

    def test_integrations_merge_parameters_and_are_guarded_by_their_routes(self):
        api = self.routed("echo", integration={"RequestParameters": {"append:header.a": "1", "append:header.b": "2"}})["ApiId"]
        made = self.api.get_integrations(ApiId=api)["Items"][0]
        changed = self.api.update_integration(ApiId=api, IntegrationId=made["IntegrationId"], TimeoutInMillis=1000,
                                              RequestParameters={"append:header.a": "", "append:header.c": "3"})
        self.assertEqual(changed["RequestParameters"], {"append:header.b": "2", "append:header.c": "3"})
        self.assertEqual(self.api.get_integration(ApiId=api, IntegrationId=made["IntegrationId"])["TimeoutInMillis"], 1000)
        self.refused("ConflictException", self.api.delete_integration, ApiId=api, IntegrationId=made["IntegrationId"])
        for key in ("append:header.authorization", "put:header.a", "append:path", "overwrite:body"):
            self.refused("BadRequestException", self.api.update_integration, ApiId=api,
                         IntegrationId=made["IntegrationId"], RequestParameters={key: "1"})
        self.api.delete_route(ApiId=api, RouteId=self.api.get_routes(ApiId=api)["Items"][0]["RouteId"])
        self.api.delete_integration(ApiId=api, IntegrationId=made["IntegrationId"])

    def test_a_deployment_is_a_snapshot(self):
        api = self.api.create_api(Name="n", ProtocolType="HTTP")
        made = self.api.create_integration(ApiId=api["ApiId"], IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                                           IntegrationUri=self.function("text"))
        route = self.api.create_route(ApiId=api["ApiId"], RouteKey="GET /x", Target="integrations/" + made["IntegrationId"])
        self.api.create_stage(ApiId=api["ApiId"], StageName="dev")
        self.assertEqual(self.get(api, "/dev/x")[0], 404)
        first = self.api.create_deployment(ApiId=api["ApiId"], StageName="dev", Description="one")
        self.assertEqual(self.get(api, "/dev/x")[2], b"plain")
        self.api.update_route(ApiId=api["ApiId"], RouteId=route["RouteId"], RouteKey="GET /y")
        self.assertEqual((self.get(api, "/dev/x")[0], self.get(api, "/dev/y")[0]), (200, 404))
        second = self.api.create_deployment(ApiId=api["ApiId"])
        self.api.update_stage(ApiId=api["ApiId"], StageName="dev", DeploymentId=second["DeploymentId"])
        self.assertEqual((self.get(api, "/dev/x")[0], self.get(api, "/dev/y")[0]), (404, 200))
        self.refused("BadRequestException", self.api.delete_deployment, ApiId=api["ApiId"], DeploymentId=second["DeploymentId"])
        self.assertEqual(self.api.update_deployment(ApiId=api["ApiId"], DeploymentId=first["DeploymentId"],
                                                    Description="two")["Description"], "two")
        self.assertEqual(self.api.get_deployment(ApiId=api["ApiId"], DeploymentId=first["DeploymentId"])["DeploymentStatus"], "DEPLOYED")
        self.api.delete_deployment(ApiId=api["ApiId"], DeploymentId=first["DeploymentId"])
        self.assertEqual([d["DeploymentId"] for d in self.api.get_deployments(ApiId=api["ApiId"])["Items"]],
                         [second["DeploymentId"]])

    def test_stages_keep_settings_and_variables(self):
        api = self.routed("echo", stage={"StageVariables": {"a": "1", "b": "2"}, "AccessLogSettings": {
            "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x", "Format": "$context.requestId"},
            "RouteSettings": {"GET /x": {"DetailedMetricsEnabled": True}}})
        changed = self.api.update_stage(ApiId=api["ApiId"], StageName="$default", StageVariables={"a": "", "c": "3"})
        self.assertEqual(changed["StageVariables"], {"b": "2", "c": "3"})
        event = json.loads(self.get(api, "/x")[2])
        self.assertEqual(event["stageVariables"], {"b": "2", "c": "3"})
        self.api.delete_access_log_settings(ApiId=api["ApiId"], StageName="$default")
        self.api.delete_route_settings(ApiId=api["ApiId"], StageName="$default", RouteKey="GET /x")
        stage = self.api.get_stage(ApiId=api["ApiId"], StageName="$default")
        self.assertNotIn("AccessLogSettings", stage)
        self.assertEqual(stage["RouteSettings"], {})
        self.refused("NotFoundException", self.api.update_stage, ApiId=api["ApiId"], StageName="$default",
                     RouteSettings={"GET /no": {"DetailedMetricsEnabled": True}})
        self.refused("ConflictException", self.api.create_stage, ApiId=api["ApiId"], StageName="$default")
        self.api.delete_stage(ApiId=api["ApiId"], StageName="$default")
        self.assertEqual(self.get(api, "/x")[0], 404)

    # ---- events ----

    def test_the_event_of_payload_format_2(self):
        api = self.routed("echo", "POST /a/{name}/{rest+}")
        status, _, body = self.get(api, "/a/n%20m/x//y%2Fz?q=1&q=2&e=&p=%C3%A4+b", "POST", b'{"k":1}', **{
            "Content-Type": "application/json", "X-Dup": "1", "Cookie": "c=1; d=2", "User-Agent": "me"})
        self.assertEqual(status, 200)
        event = json.loads(body)
        self.assertEqual(list(event), ["version", "routeKey", "rawPath", "rawQueryString", "cookies", "headers",
                                       "queryStringParameters", "requestContext", "body", "pathParameters", "isBase64Encoded"])
        self.assertEqual(event["routeKey"], "POST /a/{name}/{rest+}")
        self.assertEqual(event["rawPath"], "/a/n m/x//y/z")
        self.assertEqual(event["rawQueryString"], "q=1&q=2&e=&p=%C3%A4+b")
        self.assertEqual(event["cookies"], ["c=1", "d=2"])
        self.assertEqual(event["queryStringParameters"], {"q": "1,2", "e": "", "p": "\u00e4 b"})
        self.assertEqual(event["pathParameters"], {"name": "n m", "rest": "x//y/z"})
        self.assertEqual((event["body"], event["isBase64Encoded"]), ('{"k":1}', False))
        self.assertNotIn("cookie", event["headers"])
        self.assertEqual((event["headers"]["x-dup"], event["headers"]["x-forwarded-for"]), ("1", "127.0.0.1"))
        context = event["requestContext"]
        self.assertEqual(list(context), ["accountId", "apiId", "domainName", "domainPrefix", "http", "requestId",
                                         "routeKey", "stage", "time", "timeEpoch"])
        self.assertEqual(context["http"], {"method": "POST", "path": "/a/n m/x//y/z", "protocol": "HTTP/1.1",
                                           "sourceIp": "127.0.0.1", "userAgent": "me"})
        self.assertEqual((context["stage"], context["domainPrefix"]), ("$default", api["ApiId"]))

    def test_absent_is_absent_and_bodies_that_are_not_text_are_base64(self):
        api = self.quick("echo")
        event = json.loads(self.get(api)[2])
        for member in ("body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"):
            self.assertNotIn(member, event)
        self.assertEqual((event["routeKey"], event["rawPath"]), ("$default", "/"))
        for kind, text in (("text/html", True), ("application/vnd.x+json", True), ("application/octet-stream", False),
                           (None, False), ("multipart/form-data", False)):
            event = json.loads(self.get(api, "/", "POST", b"hi", **({"Content-Type": kind} if kind else {}))[2])
            self.assertEqual((event["body"], event["isBase64Encoded"]), ("hi", False) if text else ("aGk=", True), kind)

    def test_stages_with_a_name_are_in_the_path(self):
        api = self.routed("echo", "GET /x")
        self.api.create_stage(ApiId=api["ApiId"], StageName="dev", AutoDeploy=True)
        event = json.loads(self.get(api, "/dev/x")[2])
        self.assertEqual((event["rawPath"], event["requestContext"]["stage"]), ("/dev/x", "dev"))
        self.assertEqual(json.loads(self.get(api, "/x")[2])["rawPath"], "/x")

    def test_the_event_of_payload_format_1(self):
        api = self.routed("v1", "GET /x/{id}", version="1.0")
        status, headers, body = self.get(api, "/x/7?a=1&a=2", **{"X-One": "1"})
        event = json.loads(body)
        self.assertEqual(headers["x-a"], "2")  # the test's reader keeps the last of both
        self.assertEqual((event["version"], event["resource"], event["path"]), ("1.0", "/x/{id}", "/x/7"))
        self.assertEqual(event["pathParameters"], {"id": "7"})
        self.assertEqual(event["multiValueQueryStringParameters"], {"a": ["1", "2"]})
        self.assertEqual(event["headers"]["x-one"], "1")
        self.assertIsNone(event["requestContext"]["resourceId"])

    def test_full_matches_win_over_greedy_ones_over_the_default(self):
        api = self.routed("text", "GET /a/b")
        for key, export in (("ANY /a/b", "list"), ("GET /a/{x}", "v2"), ("GET /{p+}", "echo"), ("$default", "boom")):
            made = self.api.create_integration(ApiId=api["ApiId"], IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                                               IntegrationUri=self.function(export))
            self.api.create_route(ApiId=api["ApiId"], RouteKey=key, Target="integrations/" + made["IntegrationId"])
        self.assertEqual(self.get(api, "/a/b")[2], b"plain")
        self.assertEqual(self.get(api, "/a/b", "PUT")[2], b'[1,{"a":2}]')
        self.assertEqual(self.get(api, "/a/c")[0], 201)
        self.assertEqual(json.loads(self.get(api, "/q/r")[2])["routeKey"], "GET /{p+}")
        self.assertEqual(self.get(api, "/q/r", "PUT")[0], 500)

    # ---- replies ----

    def test_replies_of_payload_format_2(self):
        status, headers, body = self.get(self.quick("v2"))
        self.assertEqual((status, body, headers["x-one"], headers["n"]), (201, "bin\u00e4ry".encode(), "1", "5"))
        self.assertIn("apigw-requestid", headers)
        for export, want, kind in (("text", b"plain", "application/json"), ("list", b'[1,{"a":2}]', "application/json")):
            status, headers, body = self.get(self.quick(export))
            self.assertEqual((status, body, headers["content-type"]), (200, want, kind))

    def test_failed_and_malformed_results_are_500(self):
        for export in ("boom", "bad"):
            status, headers, body = self.get(self.quick(export))
            self.assertEqual((status, body), (500, b'{"message":"Internal Server Error"}'))
            self.assertEqual(headers["content-type"], "application/json")

    def test_no_route_no_stage_no_api_is_404(self):
        api = self.api.create_api(Name="n", ProtocolType="HTTP")
        self.assertEqual(self.get(api)[0::2], (404, b'{"message":"Not Found"}'))
        self.api.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
        self.assertEqual(self.get(api)[0::2], (404, b'{"message":"Not Found"}'))

    def test_an_integration_that_takes_too_long_is_503(self):
        api = self.routed("slow", integration={"TimeoutInMillis": 100})
        self.assertEqual(self.get(api, "/x")[0::2], (503, b'{"message":"Service Unavailable"}'))

    def test_a_disabled_endpoint_is_not_served(self):
        api = self.quick("text")
        self.api.update_api(ApiId=api["ApiId"], DisableExecuteApiEndpoint=True)
        self.assertEqual(self.get(api)[0], 404)

    def test_throttling_settings_are_kept_to(self):
        api = self.quick("text")
        self.api.update_stage(ApiId=api["ApiId"], StageName="$default", DefaultRouteSettings={
            "ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.001})
        got = [self.get(api)[0] for _ in range(4)]
        self.assertEqual(got, [200, 200, 429, 429])

    def test_a_body_of_10_mib_is_taken_and_no_more(self):
        api = self.routed("list", "POST /x")
        self.assertEqual(self.get(api, "/x", "POST", b"x" * (10 << 20 | 1))[0::2],
                         (413, b'{"message":"Request Entity Too Large"}'))

    # ---- custom domain names ----

    def test_domain_names_and_mappings_route_by_host(self):
        http_api, name = self.quick("text")["ApiId"], "shop.example.test"
        rest = self.rest.create_rest_api(name="r")["id"]
        root = self.rest.get_resources(restApiId=rest)["items"][0]["id"]
        where = {"restApiId": rest, "resourceId": root, "httpMethod": "GET"}
        self.rest.put_method(**where, authorizationType="NONE")
        self.rest.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode":200}'})
        self.rest.put_method_response(**where, statusCode="200")
        self.rest.put_integration_response(**where, statusCode="200", responseTemplates={"application/json": "rest"})
        self.rest.create_deployment(restApiId=rest, stageName="dev")
        made = self.api.create_domain_name(DomainName=name, Tags={"a": "1"}, DomainNameConfigurations=[
            {"CertificateArn": "arn:aws:acm:us-east-1:1:certificate/x", "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}])
        configuration = made["DomainNameConfigurations"][0]
        self.assertEqual((made["ApiMappingSelectionExpression"], configuration["DomainNameStatus"], configuration["CertificateArn"]),
                         ("$request.basepath", "AVAILABLE", "arn:aws:acm:us-east-1:1:certificate/x"))
        self.assertTrue(configuration["ApiGatewayDomainName"].endswith(".execute-api.us-east-1.amazonaws.com"))
        self.assertEqual(self.rest.get_domain_name(domainName=name)["regionalDomainName"], configuration["ApiGatewayDomainName"])
        self.refused("ConflictException", self.api.create_domain_name, DomainName=name, DomainNameConfigurations=[{}])

        def at(path):
            return self.s.request("GET", path, headers={"Host": name})[0::2]
        self.assertEqual(at("/")[0], 403)
        root = self.api.create_api_mapping(DomainName=name, ApiId=http_api, Stage="$default")
        self.assertEqual(root["ApiMappingKey"], "")
        deep = self.api.create_api_mapping(DomainName=name, ApiId=rest, Stage="dev", ApiMappingKey="a/b")
        self.assertEqual([at(p) for p in ("/", "/a", "/a/b", "/a/b/", "/a/bc")],
                         [(200, b"plain"), (200, b"plain"), (200, b"rest"), (200, b"rest"), (200, b"plain")])
        self.refused("ConflictException", self.api.create_api_mapping, DomainName=name, ApiId=rest, Stage="dev", ApiMappingKey="a/b")
        self.refused("BadRequestException", self.api.create_api_mapping, DomainName=name, ApiId=rest, Stage="nope", ApiMappingKey="z")
        self.refused("BadRequestException", self.api.create_api_mapping, DomainName=name, ApiId="nope", Stage="dev", ApiMappingKey="z")
        self.refused("BadRequestException", self.api.create_api_mapping, DomainName=name, ApiId=rest, Stage="dev", ApiMappingKey="/z")
        self.refused("BadRequestException", self.api.create_api_mapping, DomainName=name, ApiId=rest, Stage="dev", ApiMappingKey="z" * 301)
        moved = self.api.update_api_mapping(DomainName=name, ApiId=rest, ApiMappingId=deep["ApiMappingId"], ApiMappingKey="c")
        self.assertEqual((moved["ApiMappingId"], moved["ApiMappingKey"], moved["Stage"]), (deep["ApiMappingId"], "c", "dev"))
        self.assertEqual((at("/a/b")[1], at("/c")[1]), (b"plain", b"rest"))
        self.assertEqual(self.api.get_api_mapping(DomainName=name, ApiMappingId=deep["ApiMappingId"])["ApiId"], rest)
        first = self.api.get_api_mappings(DomainName=name, MaxResults="1")
        rest_of = self.api.get_api_mappings(DomainName=name, MaxResults="1", NextToken=first["NextToken"])
        self.assertEqual([m["ApiMappingKey"] for m in first["Items"] + rest_of["Items"]], ["", "c"])
        self.assertNotIn("NextToken", rest_of)
        self.assertEqual(self.rest.get_base_path_mapping(domainName=name, basePath="c")["stage"], "dev")
        self.api.update_api(ApiId=http_api, DisableExecuteApiEndpoint=True)
        self.rest.update_rest_api(restApiId=rest, patchOperations=[
            {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}])
        self.assertEqual((at("/")[0], at("/c")[0]), (200, 200))
        self.assertEqual(self.s.request("GET", "/dev/", headers={"Host": rest + ".execute-api.us-east-1.localhost"})[0], 403)
        echo = self.quick("echo")["ApiId"]
        self.api.create_api_mapping(DomainName=name, ApiId=echo, Stage="$default", ApiMappingKey="e")
        event = json.loads(at("/e/1")[1])
        self.assertEqual((event["rawPath"], event["requestContext"]["http"]["path"], event["requestContext"]["domainName"]),
                         ("/e/1", "/e/1", name))
        self.api.delete_api_mapping(DomainName=name, ApiMappingId=root["ApiMappingId"])
        self.refused("NotFoundException", self.api.get_api_mapping, DomainName=name, ApiMappingId=root["ApiMappingId"])
        self.assertEqual(at("/")[0], 403)
        self.api.delete_domain_name(DomainName=name)
        self.refused("NotFoundException", self.api.get_domain_name, DomainName=name)
        self.refused("NotFoundException", self.api.get_api_mappings, DomainName=name)

    def test_domain_names_are_changed_listed_and_tagged(self):
        for name in ("a.list.test", "b.list.test"):
            self.api.create_domain_name(DomainName=name, DomainNameConfigurations=[{"CertificateArn": "arn:aws:acm:us-east-1:1:certificate/x"}])
        names = [d["DomainName"] for d in self.api.get_domain_names()["Items"]]
        self.assertEqual([n for n in names if n.endswith(".list.test")], ["a.list.test", "b.list.test"])
        changed = self.api.update_domain_name(DomainName="a.list.test", DomainNameConfigurations=[
            {"CertificateArn": "arn:aws:acm:us-east-1:1:certificate/y"}])
        self.assertEqual(changed["DomainNameConfigurations"][0]["CertificateArn"], "arn:aws:acm:us-east-1:1:certificate/y")
        arn = "arn:aws:apigateway:us-east-1::/domainnames/a.list.test"
        self.api.tag_resource(ResourceArn=arn, Tags={"k": "v"})
        self.assertEqual(self.api.get_domain_name(DomainName="a.list.test")["Tags"], {"k": "v"})
        self.api.untag_resource(ResourceArn=arn, TagKeys=["k"])
        self.assertEqual(self.api.get_tags(ResourceArn=arn)["Tags"], {})
        self.refused("BadRequestException", self.api.create_domain_name, DomainName="c.list.test")
        self.refused("BadRequestException", self.api.create_domain_name, DomainName="c.list.test", DomainNameConfigurations=[{}, {}])
        self.refused("BadRequestException", self.api.create_domain_name, DomainName="c.list.test", DomainNameConfigurations=[{}],
                     MutualTlsAuthentication={"TruststoreUri": "s3://x/y"})
        for name in ("a.list.test", "b.list.test"):
            self.api.delete_domain_name(DomainName=name)

    # ---- CORS ----

    def test_cors_is_answered_by_the_api(self):
        api = self.quick("cors", CorsConfiguration={"AllowOrigins": ["https://app.test", "http://*"], "AllowMethods": ["GET"],
                                                    "AllowHeaders": ["x-a"], "ExposeHeaders": ["x-b"], "MaxAge": 5})
        status, headers, body = self.get(api, "/", "OPTIONS", Origin="https://app.test", **{
            "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-A"})
        self.assertEqual((status, body), (204, b""))
        self.assertEqual({k: v for k, v in headers.items() if k.startswith("access-")},
                         {"access-control-allow-origin": "https://app.test", "access-control-allow-methods": "GET",
                          "access-control-allow-headers": "x-a", "access-control-max-age": "5"})
        for origin, method, ask in (("https://evil.test", "GET", ""), ("https://app.test", "PUT", ""),
                                    ("https://app.test", "GET", "x-z")):
            headers = self.get(api, "/", "OPTIONS", Origin=origin, **{
                "Access-Control-Request-Method": method, "Access-Control-Request-Headers": ask})[1]
            self.assertFalse([k for k in headers if k.startswith("access-")])
        headers = self.get(api, "/", Origin="http://any.test")[1]
        self.assertEqual((headers["access-control-allow-origin"], headers["access-control-expose-headers"]),
                         ("http://any.test", "x-b"))
        self.assertNotIn("access-control-allow-origin", self.get(api)[1])

    # ---- authorizers ----

    def lambda_authorizer(self, export, ttl=0, **more):
        api = self.api.create_api(Name="n", ProtocolType="HTTP")
        made = self.api.create_authorizer(ApiId=api["ApiId"], AuthorizerType="REQUEST", Name="a", AuthorizerResultTtlInSeconds=ttl,
                                          IdentitySource=["$request.header.Authorization"], AuthorizerUri=
                                          "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations" %
                                          self.function(export), **more)
        self.routed("echo", api=api, route={"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]})
        return api

    def test_lambda_authorizers_with_simple_replies(self):
        api = self.lambda_authorizer("simple", AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True)
        self.assertEqual(self.get(api, "/x")[0::2], (401, b'{"message":"Unauthorized"}'))
        self.assertEqual(self.get(api, "/x", Authorization="bad")[0::2], (403, b'{"message":"Forbidden"}'))
        event = json.loads(self.get(api, "/x", Authorization="good")[2])
        context = event["requestContext"]["authorizer"]["lambda"]
        self.assertEqual((context["user"], context["list"]), ("u", [1]))
        again = json.loads(self.get(api, "/x", Authorization="good")[2])["requestContext"]["authorizer"]["lambda"]
        self.assertEqual(again["calls"], context["calls"] + 1)

    def test_authorizer_results_are_cached_by_identity_until_reset(self):
        api = self.lambda_authorizer("simple", 300, AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True)

        def calls():
            return json.loads(self.get(api, "/x", Authorization="good")[2])["requestContext"]["authorizer"]["lambda"]["calls"]
        first = calls()
        self.assertEqual(calls(), first)
        self.assertEqual(self.get(api, "/x", Authorization="bad")[0], 403)
        self.api.reset_authorizers_cache(ApiId=api["ApiId"], StageName="$default")
        self.assertEqual(calls(), first + 2)
        self.s.request("POST", "/_puddle/clock", json.dumps({"shift_ms": 301000}))
        self.assertEqual(calls(), first + 3)

    def test_lambda_authorizers_with_policies(self):
        for version in ("1.0", "2.0"):
            api = self.lambda_authorizer("policy", AuthorizerPayloadFormatVersion=version)
            event = json.loads(self.get(api, "/x", Authorization="go")[2])
            self.assertEqual(event["requestContext"]["authorizer"]["lambda"], {"a": "b"})
            self.assertEqual(self.get(api, "/x", Authorization="deny")[0], 403)

    def test_an_authorizer_that_fails_is_500(self):
        for export in ("broken", "boom"):
            api = self.lambda_authorizer(export, AuthorizerPayloadFormatVersion="2.0")
            self.assertEqual(self.get(api, "/x", Authorization="x")[0::2], (500, b'{"message":"Internal Server Error"}'))

    def test_authorizers_check_their_settings(self):
        api = self.api.create_api(Name="n", ProtocolType="HTTP")["ApiId"]
        jwt = {"ApiId": api, "AuthorizerType": "JWT", "Name": "j", "IdentitySource": ["$request.header.Authorization"],
               "JwtConfiguration": {"Audience": ["a"], "Issuer": "https://i.test"}}
        made = self.api.create_authorizer(**jwt)
        self.refused("BadRequestException", self.api.create_authorizer, **jwt)
        for change in ({"IdentitySource": ["x"]}, {"JwtConfiguration": {"Issuer": "https://i.test"}},
                       {"JwtConfiguration": {"Audience": ["a"], "Issuer": "i"}}):
            self.refused("BadRequestException", self.api.create_authorizer, **{**jwt, "Name": "k", **change})
        self.assertEqual(self.api.update_authorizer(ApiId=api, AuthorizerId=made["AuthorizerId"], Name="z")["Name"], "z")
        self.assertEqual(self.api.get_authorizer(ApiId=api, AuthorizerId=made["AuthorizerId"])["AuthorizerType"], "JWT")
        route = self.api.create_route(ApiId=api, RouteKey="GET /", AuthorizationType="JWT", AuthorizerId=made["AuthorizerId"])
        self.refused("ConflictException", self.api.delete_authorizer, ApiId=api, AuthorizerId=made["AuthorizerId"])
        self.api.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")
        self.api.delete_authorizer(ApiId=api, AuthorizerId=made["AuthorizerId"])
        self.assertEqual(self.api.get_authorizers(ApiId=api)["Items"], [])

    def test_iam_routes_want_a_signature(self):
        api = self.routed("echo", route={"AuthorizationType": "AWS_IAM"})
        self.assertEqual(self.get(api, "/x")[0::2], (403, b'{"message":"Forbidden"}'))
        signed = ("AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/execute-api/aws4_request, "
                  "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64)
        event = json.loads(self.get(api, "/x", Authorization=signed, **{"X-Amz-Date": "20260101T000000Z"})[2])
        self.assertEqual(event["requestContext"]["authorizer"]["iam"]["accessKey"], "AK")

    def jwt(self, claims, key="rsa", header=None, change=lambda token: token):
        header = {"alg": "RS256", "kid": "k1", **(header or {})}
        part = ".".join(url64(json.dumps(p).encode()) for p in (header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.keys[key]], input=part.encode(),
                                   capture_output=True, check=True).stdout
        return change(part + "." + url64(signature))

    def jwt_api(self, issuer, **route):
        api = self.api.create_api(Name="n", ProtocolType="HTTP")
        made = self.api.create_authorizer(ApiId=api["ApiId"], AuthorizerType="JWT", Name="j",
                                          IdentitySource=["$request.header.Authorization"],
                                          JwtConfiguration={"Audience": ["app"], "Issuer": issuer})
        return self.routed("echo", api=api, route={"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"], **route})

    def make_keys(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.keys = {name: os.path.join(folder, name) for name in ("rsa", "other")}
        for path in self.keys.values():
            subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.keys["rsa"], "-noout", "-modulus"], check=True,
                                 capture_output=True).stdout.decode().strip().split("=")[1]
        return json.dumps({"keys": [{"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "e": "AQAB",
                                     "n": url64(bytes.fromhex(modulus))}]})

    def test_jwt_authorizers_check_signature_claims_and_scopes(self):
        with open(JWKS, "w") as file:
            file.write(self.make_keys())
        self.addCleanup(os.unlink, JWKS)
        issuer = "https://issuer.test/"
        api = self.jwt_api(issuer, AuthorizationScopes=["read", "write"])
        now = json.loads(self.s.request("GET", "/_puddle/clock")[2])["now_ms"] // 1000
        good = {"iss": issuer, "aud": ["x", "app"], "exp": now + 60, "nbf": now - 5, "iat": now - 5, "scope": "a read",
                "sub": "me", "n": 5, "list": ["a", "b"], "flag": True}

        def status(claims, **more):
            return self.get(api, "/x", Authorization="Bearer " + self.jwt(claims, **more))[0]
        reply, _, body = self.get(api, "/x", Authorization="Bearer " + self.jwt(good))
        self.assertEqual(reply, 200, body)
        jwt = json.loads(body)["requestContext"]["authorizer"]["jwt"]
        self.assertEqual(jwt["scopes"], ["read", "write"])
        self.assertEqual((jwt["claims"]["sub"], jwt["claims"]["n"], jwt["claims"]["list"], jwt["claims"]["aud"],
                          jwt["claims"]["flag"]), ("me", "5", "[a b]", "[x app]", "true"))
        self.assertEqual(self.get(api, "/x", Authorization=self.jwt(good))[0], 200)
        self.assertEqual(status({**{k: v for k, v in good.items() if k != "aud"}, "client_id": "app"}), 200)
        self.assertEqual(status({**{k: v for k, v in good.items() if k != "scope"}, "scp": ["write"]}), 200)
        for change in ({"iss": "https://other/"}, {"aud": "no"}, {"exp": now - 1}, {"nbf": now + 100}, {"iat": now + 100}):
            self.assertEqual(status({**good, **change}), 401, change)
        self.assertEqual(status({k: v for k, v in good.items() if k != "exp"}), 401)
        self.assertEqual(status(good, key="other"), 401)
        self.assertEqual(status(good, header={"alg": "none"}), 401)
        self.assertEqual(status(good, header={"kid": "k2"}), 401)
        self.assertEqual(status(good, change=lambda token: token[:-6] + "AAAAAA"), 401)
        self.assertEqual(status({**good, "scope": "a"}), 403)
        reply, headers, body = self.get(api, "/x")
        self.assertEqual((reply, body, headers["www-authenticate"]), (401, b'{"message":"Unauthorized"}', "Bearer"))
        self.assertEqual(self.get(api, "/x", Authorization="Bearer x.y.z")[0], 401)

    def test_keys_of_an_issuer_on_this_machine_are_fetched_once(self):
        keys, asked = self.make_keys(), []

        class Issuer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                text = keys if self.path == "/keys" else json.dumps({"jwks_uri": "http://%s/keys" % self.headers["Host"]})
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass
        peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        self.addCleanup(peer.server_close)
        self.addCleanup(peer.shutdown)
        issuer = "http://127.0.0.1:%d" % peer.server_port
        api = self.jwt_api(issuer)
        now = json.loads(self.s.request("GET", "/_puddle/clock")[2])["now_ms"] // 1000
        token = self.jwt({"iss": issuer, "aud": "app", "exp": now + 60})
        for _ in range(2):
            self.assertEqual(self.get(api, "/x", Authorization=token)[0], 200)
        self.assertEqual(asked, ["/.well-known/openid-configuration", "/keys"])

    # ---- HTTP ----

    def test_http_integrations_pass_requests_on(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                                    "body": body.decode(), "method": self.command}).encode()
                self.send_response(207)
                self.send_header("X-Back", "1")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)
            do_GET = do_POST

            def log_message(self, *_):
                pass
        peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        self.addCleanup(peer.server_close)
        self.addCleanup(peer.shutdown)
        api = self.api.create_api(Name="n", ProtocolType="HTTP")
        made = self.api.create_integration(
            ApiId=api["ApiId"], IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", PayloadFormatVersion="1.0",
            IntegrationUri="http://127.0.0.1:%d/base/{rest}?fixed=1" % peer.server_port,
            RequestParameters={"append:header.x-id": "$request.header.x-in", "overwrite:querystring.q": "$context.stage",
                               "remove:header.x-gone": "''", "append:header.x-mix": "a-${request.querystring.z}-b",
                               "append:header.x-none": "$request.header.nope"},
            ResponseParameters={"207": {"overwrite:statuscode": "202", "append:header.x-path": "$response.body.path",
                                        "overwrite:header.x-back": "2"}})
        self.api.create_route(ApiId=api["ApiId"], RouteKey="ANY /{rest+}", Target="integrations/" + made["IntegrationId"])
        self.api.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
        status, headers, body = self.get(api, "/a/b%20c?q=0&z=9", "POST", b"data", **{"X-In": "7", "X-Gone": "1"})
        seen = json.loads(body)
        self.assertEqual((status, headers["x-back"], headers["x-path"]), (202, "2", seen["path"]))
        self.assertEqual((seen["path"], seen["body"], seen["method"]), ("/base/a/b%20c?fixed=1&z=9&q=%24default", "data", "POST"))
        self.assertEqual((seen["headers"]["x-id"], seen["headers"]["x-mix"]), ("7", "a-9-b"))
        self.assertNotIn("x-gone", seen["headers"])
        self.assertNotIn("x-none", seen["headers"])
        self.assertIn("for=127.0.0.1", seen["headers"]["forwarded"])

    def test_http_integrations_with_other_hosts_are_not_called(self):
        api = self.api.create_api(Name="n", ProtocolType="HTTP", Target="http://192.0.2.1/")
        self.assertEqual(self.get(api)[0::2], (500, b'{"message":"Internal Server Error"}'))


if __name__ == "__main__":
    unittest.main()
