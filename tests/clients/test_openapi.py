"""OpenAPI and Swagger definitions imported, called, exported and imported again."""
import copy
import json
import unittest

import boto3
from botocore.exceptions import ClientError

from puddle import Server

HANDLERS = {"index.js": """
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });
exports.token = async (event) => ({ principalId: 'me', policyDocument: { Statement: [{ Action: '*',
  Effect: event.authorizationToken === 'yes' ? 'Allow' : 'Deny', Resource: '*' }] } });
"""}
URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations"
ECHO = "arn:aws:lambda:us-east-1:000000000000:function:oas-echo"
TOKEN = "arn:aws:lambda:us-east-1:000000000000:function:oas-token"

OAS30 = {
    "openapi": "3.0.1",
    "info": {"title": "pets", "version": "2024-02-03", "description": "All about pets"},
    "servers": [{"url": "https://example.com/{basePath}", "variables": {"basePath": {"default": "v1/shop"}}}],
    "paths": {
        "/pets/{petId}": {
            "parameters": [{"$ref": "#/components/parameters/petId"}],
            "get": {
                "operationId": "getPet",
                "parameters": [{"name": "verbose", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"description": "200 response", "headers": {
                    "X-Kind": {"schema": {"type": "string"}}}, "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}},
                "security": [{"who": []}],
                "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": URI % ECHO},
            },
            "options": {
                "responses": {"200": {"description": "200 response", "headers": {
                    "Access-Control-Allow-Origin": {"schema": {"type": "string"}}}, "content": {}}},
                "x-amazon-apigateway-integration": {
                    "type": "mock", "passthroughBehavior": "when_no_match",
                    "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                    "responses": {"default": {"statusCode": "200", "responseParameters": {
                        "method.response.header.Access-Control-Allow-Origin": "'*'"}}}},
            },
        },
        "/pets": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                                "required": True},
                "responses": {},
                "x-amazon-apigateway-request-validator": "all",
                "x-amazon-apigateway-integration": {"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI % ECHO},
            },
        },
        "/any/{proxy+}": {
            "x-amazon-apigateway-any-method": {
                "security": [{"api_key": []}],
                "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": URI % ECHO},
            },
        },
    },
    "components": {
        "parameters": {"petId": {"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}},
        "schemas": {
            "Kind": {"type": "string", "enum": ["cat", "dog"]},
            "Pet": {"type": "object", "required": ["kind"], "properties": {
                "kind": {"$ref": "#/components/schemas/Kind"}, "age": {"type": "integer"}}},
        },
        "securitySchemes": {
            "who": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
                    "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": URI % TOKEN,
                                                       "authorizerResultTtlInSeconds": 0}},
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        },
    },
    "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True, "validateRequestParameters": True}},
    "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {
        "responseParameters": {"gatewayresponse.header.X-From": "'gateway'"},
        "responseTemplates": {"application/json": "{\"oops\":$context.error.messageString}"}}},
    "x-amazon-apigateway-binary-media-types": ["image/png"],
}

SWAGGER = """
swagger: 2.0
info: {title: store, version: 1.5}
basePath: /shop/api
consumes: [application/json]
paths:
  /orders:
    post:
      parameters:
        - {in: header, name: X-Who, required: true, type: string}
        - {in: body, name: Order, schema: {$ref: '#/definitions/Order'}}
      responses:
        201:
          description: created
          schema: {$ref: '#/definitions/Order'}
        default: {description: other}
      x-amazon-apigateway-request-validator: full
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 201}'}
        responses:
          '201': {statusCode: 201, responseTemplates: {application/json: '{"made":true}'}}
definitions:
  Order: {type: object, required: [n], properties: {n: {type: integer}}}
x-amazon-apigateway-request-validators:
  full: {validateRequestBody: true, validateRequestParameters: true}
"""


class Definitions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet")
        cls.addClassCleanup(cls.s.close)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.api = session.client("apigateway", endpoint_url=cls.s.url)
        cls.v2 = session.client("apigatewayv2", endpoint_url=cls.s.url)
        for export in ("echo", "token"):
            status, _, body = cls.s.create_function("oas-" + export, HANDLERS, "index." + export)
            assert status == 201, body

    def imported(self, definition, **more):
        body = definition if isinstance(definition, str) else json.dumps(definition)
        return self.api.import_rest_api(body=body.encode(), **more)

    def deployed(self, definition, **more):
        api = self.imported(definition, **more)["id"]
        self.api.create_deployment(restApiId=api, stageName="dev")
        return api

    def call(self, api, path, method="GET", body=b"", **headers):
        return self.s.request(method, "/dev" + path, body, {"Host": "%s.execute-api.us-east-1.localhost" % api, **headers})

    def refused(self, call, **arguments):
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], "BadRequestException")
        return raised.exception.response["Error"]["Message"]

    def test_an_imported_openapi_3_definition_serves_as_it_says(self):
        answer = self.imported(OAS30)
        api = answer["id"]
        self.assertEqual((answer["name"], answer["version"], answer["description"]),
                         ("pets", "2024-02-03", "All about pets"))
        self.assertEqual(answer["binaryMediaTypes"], ["image/png"])
        self.assertNotIn("warnings", answer)
        self.assertEqual(self.call(api, "/pets")[0], 403)  # not deployed
        self.api.create_deployment(restApiId=api, stageName="dev")
        status, _, body = self.call(api, "/pets/7?verbose=1", Authorization="yes")
        self.assertEqual(status, 200, body)
        event = json.loads(body)
        self.assertEqual(event["resource"], "/pets/{petId}")
        self.assertEqual(event["pathParameters"], {"petId": "7"})
        self.assertEqual(event["requestContext"]["operationName"], "getPet")
        self.assertEqual(event["requestContext"]["authorizer"]["principalId"], "me")
        status, headers, body = self.call(api, "/pets/7", Authorization="no")
        self.assertEqual((status, headers["x-from"]), (403, "gateway"))
        self.assertEqual(list(json.loads(body)), ["oops"])
        status, headers, _ = self.call(api, "/pets/7", "OPTIONS")
        self.assertEqual((status, headers["access-control-allow-origin"]), (200, "*"))
        ok = self.call(api, "/pets", "POST", b'{"kind":"cat","age":3}', **{"Content-Type": "application/json"})
        self.assertEqual(ok[0], 200, ok[2])
        bad = self.call(api, "/pets", "POST", b'{"kind":"cow"}', **{"Content-Type": "application/json"})
        self.assertEqual((bad[0], json.loads(bad[2])), (400, {"oops": "Invalid request body"}))
        self.assertEqual(self.call(api, "/any/a/b", "PATCH")[0], 403)  # wants a key

    def test_a_swagger_2_definition_in_yaml_is_imported_with_its_base_path(self):
        for how, path in (("ignore", "/orders"), ("prepend", "/shop/api/orders"), ("split", "/api/orders")):
            api = self.deployed(SWAGGER, parameters={"basepath": how})
            headers = {"Content-Type": "application/json", "X-Who": "me"}
            status, _, body = self.call(api, path, "POST", b'{"n":1}', **headers)
            self.assertEqual((status, body), (201, b'{"made":true}'), how)
            status, _, body = self.call(api, path, "POST", b'{"n":"x"}', **headers)
            self.assertEqual((status, json.loads(body)), (400, {"message": "Invalid request body"}))
            status, _, body = self.call(api, path, "POST", b'{"n":1}', **{"Content-Type": "application/json"})
            self.assertEqual((status, json.loads(body)), (400, {"message": "Missing required request parameters: [X-Who]"}))

    def test_warnings_are_told_and_may_end_the_import(self):
        answer = self.imported(SWAGGER)
        self.assertEqual(answer["warnings"], ["The default response of POST /orders is left out"])
        before = len(self.api.get_rest_apis(limit=500)["items"])
        message = self.refused(self.api.import_rest_api, body=SWAGGER.encode(), failOnWarnings=True)
        self.assertIn("Warnings found during import", message)
        self.assertEqual(len(self.api.get_rest_apis(limit=500)["items"]), before)

    def test_a_definition_with_errors_leaves_nothing(self):
        broken = copy.deepcopy(OAS30)
        broken["paths"]["/pets/{other}"] = {"get": {"responses": {}}}
        broken["paths"]["/pets"]["post"]["x-amazon-apigateway-integration"]["uri"] = "nonsense"
        before = len(self.api.get_rest_apis(limit=500)["items"])
        message = self.refused(self.api.import_rest_api, body=json.dumps(broken).encode())
        self.assertTrue(message.startswith("Errors found during import:\n\tUnable to "), message)
        self.assertIn("Unable to put integration on 'POST' for resource at path '/pets': ", message)
        self.assertIn("Unable to create resource at path '/pets/{other}': A sibling ({petId}) of this resource already "
                      "has a variable path part -- only one is allowed", message)
        self.assertEqual(len(self.api.get_rest_apis(limit=500)["items"]), before)
        for text in (b"{", b"a: [", b"{}", b'{"swagger":"1.2"}', b"[1]", b"\xff\xfe", b"null", b"{" * 5000):
            self.assertTrue(self.refused(self.api.import_rest_api, body=text).startswith("Invalid OpenAPI input."), text)
        with self.assertRaises(ClientError) as raised:
            self.api.import_rest_api(body=b"")
        self.assertEqual(raised.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)

    def test_put_merges_or_overwrites(self):
        api = self.deployed(OAS30)
        extra = {"openapi": "3.0.1", "info": {"title": "renamed"}, "paths": {
            "/pets": {"get": {"responses": {}, "x-amazon-apigateway-integration": {
                "type": "aws_proxy", "httpMethod": "POST", "uri": URI % ECHO}}},
            "/new": {"get": {"responses": {}, "x-amazon-apigateway-integration": {
                "type": "aws_proxy", "httpMethod": "POST", "uri": URI % ECHO}}}}}
        self.assertEqual(self.api.put_rest_api(restApiId=api, mode="merge", body=json.dumps(extra).encode())["name"], "renamed")
        methods = {r["path"]: sorted(r.get("resourceMethods", {})) for r in
                   self.api.get_resources(restApiId=api, limit=500)["items"]}
        self.assertEqual(methods["/pets"], ["GET", "POST"])
        self.assertEqual(methods["/new"], ["GET"])
        self.assertEqual(self.call(api, "/new")[0], 403)  # the deployment is what it was
        self.api.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(extra).encode())
        methods = {r["path"]: sorted(r.get("resourceMethods", {})) for r in
                   self.api.get_resources(restApiId=api, limit=500)["items"]}
        self.assertEqual(methods, {"/": [], "/pets": ["GET"], "/new": ["GET"]})
        self.assertEqual(self.call(api, "/pets/7", "OPTIONS")[0], 200)
        self.api.create_deployment(restApiId=api, stageName="dev")
        self.assertEqual(self.call(api, "/new")[0], 200)
        self.assertEqual(self.call(api, "/pets/7", "OPTIONS")[0], 403)

    def test_an_export_imported_again_exports_the_same(self):
        for kind, types in (("oas30", ("application/json", "application/yaml")), ("swagger", ("application/json", "application/yaml"))):
            first = self.deployed(OAS30)
            for accepts in types:
                out = self.api.get_export(restApiId=first, stageName="dev", exportType=kind, accepts=accepts,
                                          parameters={"extensions": "apigateway"})
                self.assertEqual(out["contentType"], accepts)
                self.assertTrue(out["contentDisposition"].startswith("attachment; filename="))
                text = out["body"].read().decode()
                second = self.deployed(text)
                again = self.api.get_export(restApiId=second, stageName="dev", exportType=kind, accepts=accepts,
                                            parameters={"extensions": "apigateway"})["body"].read().decode()
                self.assertEqual(again.replace(second, first), text)
            document = json.loads(self.api.get_export(restApiId=first, stageName="dev", exportType=kind, parameters={
                "extensions": "apigateway"})["body"].read())
            operation = document["paths"]["/pets/{petId}"]["get"]
            self.assertEqual(operation["operationId"], "getPet")
            self.assertEqual(operation["security"], [{"who": []}])
            self.assertEqual(operation["x-amazon-apigateway-integration"]["uri"], URI % ECHO)
            ref = "#/components/schemas/" if kind == "oas30" else "#/definitions/"
            schemas = document["components"]["schemas"] if kind == "oas30" else document["definitions"]
            self.assertEqual(schemas["Pet"]["properties"]["kind"], {"$ref": ref + "Kind"})
            plain = json.loads(self.api.get_export(restApiId=first, stageName="dev", exportType=kind)["body"].read())
            self.assertNotIn("x-amazon-apigateway-integration", json.dumps(plain))
        self.assertIn("Invalid export type", self.refused(self.api.get_export, restApiId=first, stageName="dev", exportType="raml"))

    HTTP_API = {
        "openapi": "3.0.1", "info": {"title": "http", "version": "7"},
        "paths": {
            "/items/{id}": {"get": {"operationId": "one", "security": [{"guard": []}],
                                    "x-amazon-apigateway-integration": {"$ref": "#/components/x-amazon-apigateway-integrations/echo"}}},
            "/$default": {"x-amazon-apigateway-any-method": {"isDefaultRoute": True, "x-amazon-apigateway-integration": {
                "payloadFormatVersion": "1.0", "type": "aws_proxy", "httpMethod": "POST", "uri": URI % ECHO}}},
        },
        "components": {
            "x-amazon-apigateway-integrations": {"echo": {"payloadFormatVersion": "2.0", "type": "aws_proxy", "httpMethod": "POST",
                                                          "uri": ECHO, "timeoutInMillis": 5000}},
            "securitySchemes": {
                "guard": {"type": "apiKey", "name": "X-Key", "in": "header", "x-amazon-apigateway-authorizer": {
                    "type": "request", "identitySource": "$request.header.X-Key", "authorizerUri": URI % TOKEN,
                    "authorizerPayloadFormatVersion": "1.0", "authorizerResultTtlInSeconds": 0}},
                "unused": {"type": "oauth2", "flows": {}, "x-amazon-apigateway-authorizer": {
                    "type": "jwt", "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {"audience": ["a"], "issuer": "https://issuer.example"}}}},
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": 60},
    }

    def http_call(self, api, path, **headers):
        return self.s.request("GET", path, b"", {"Host": "%s.execute-api.us-east-1.localhost" % api, **headers})

    def test_an_http_api_is_imported_exported_and_reimported(self):
        answer = self.v2.import_api(Body=json.dumps(self.HTTP_API))
        api = answer["ApiId"]
        self.assertEqual((answer["Name"], answer["Version"], answer["ProtocolType"]), ("http", "7", "HTTP"))
        self.assertEqual(answer["CorsConfiguration"], {"AllowOrigins": ["https://a.example"], "MaxAge": 60})
        self.v2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        status, headers, body = self.http_call(api, "/items/5", Origin="https://a.example", **{"X-Key": "k"})
        self.assertEqual(headers.get("access-control-allow-origin"), "https://a.example")
        self.assertEqual(status, 403, body)  # the authorizer only knows TOKEN events: it denies
        status, _, body = self.http_call(api, "/else/where")
        self.assertEqual((status, json.loads(body)["version"]), (200, "1.0"))
        for kind in ("JSON", "YAML"):
            for stage in ({}, {"StageName": "$default"}):
                text = self.v2.export_api(ApiId=api, Specification="OAS30", OutputType=kind, **stage)["body"].read().decode()
                second = self.v2.import_api(Body=text)["ApiId"]
                again = self.v2.export_api(ApiId=second, Specification="OAS30", OutputType=kind)["body"].read().decode()
                self.assertEqual(again.replace(second, api), text)
        document = json.loads(self.v2.export_api(ApiId=api, Specification="OAS30", OutputType="JSON")["body"].read())
        self.assertEqual(document["paths"]["/items/{id}"]["get"]["x-amazon-apigateway-integration"]["timeoutInMillis"], 5000)
        self.assertEqual(document["paths"]["/items/{id}"]["get"]["parameters"],
                         [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}])
        plain = self.v2.export_api(ApiId=api, Specification="OAS30", OutputType="JSON", IncludeExtensions=False)["body"].read()
        self.assertNotIn(b"x-amazon", plain)
        other = {"openapi": "3.0.1", "info": {"title": "other"}, "paths": {"/only": {"get": {
            "x-amazon-apigateway-integration": {"payloadFormatVersion": "2.0", "type": "AWS_PROXY", "uri": ECHO}}}}}
        self.assertEqual(self.v2.reimport_api(ApiId=api, Body=json.dumps(other))["Name"], "other")
        self.assertEqual([r["RouteKey"] for r in self.v2.get_routes(ApiId=api)["Items"]], ["GET /only"])
        status, _, body = self.http_call(api, "/only")
        self.assertEqual((status, json.loads(body)["routeKey"]), (200, "GET /only"))
        self.assertEqual(self.http_call(api, "/else")[0], 404)

    def test_an_http_api_that_cannot_be_made_leaves_nothing(self):
        before = len(self.v2.get_apis(MaxResults="500")["Items"])
        broken = copy.deepcopy(self.HTTP_API)
        broken["components"]["x-amazon-apigateway-integrations"]["echo"]["type"] = "mock"
        self.assertIn("Unable to create integration for route 'GET /items/{id}': HTTP APIs only support",
                      self.refused(self.v2.import_api, Body=json.dumps(broken)))
        self.refused(self.v2.import_api, Body=SWAGGER)
        self.refused(self.v2.import_api, Body="{")
        self.assertEqual(len(self.v2.get_apis(MaxResults="500")["Items"]), before)


if __name__ == "__main__":
    unittest.main()
