"""Templates with HTTP APIs, function URLs, authorizers, CORS and keys, as a user starts and calls them."""
import json
import os
import shutil
import tempfile
import unittest

from puddle import AUTH, Server

HANDLER = """
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify({ version: event.version, key: event.routeKey,
  variables: event.stageVariables, authorizer: event.requestContext.authorizer, env: process.env.URL }) });
exports.simple = async (event) => ({ isAuthorized: event.headers['x-token'] === 'good', context: { who: 'me' } });
const policy = (event, good) => ({ principalId: 'me', policyDocument: { Version: '2012-10-17', Statement: [
  { Action: 'execute-api:Invoke', Effect: good ? 'Allow' : 'Deny', Resource: event.methodArn }] } });
exports.token = async (event) => policy(event, event.authorizationToken === 'good');
exports.request = async (event) => policy(event, event.headers['X-A'] === 'good');
"""
HTTP = """
Transform: AWS::Serverless-2016-10-31
Globals:
  HttpApi: { StageVariables: { color: red }, CorsConfiguration: true }
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.echo
      Runtime: nodejs20.x
      CodeUri: .
      FunctionUrlConfig: { AuthType: NONE, Cors: { AllowOrigins: ["https://a.test"] } }
      Events:
        Get: { Type: HttpApi, Properties: { Path: "/items/{id}", Method: get } }
        Old: { Type: HttpApi, Properties: { Path: /old, Method: post, PayloadFormatVersion: "1.0" } }
        Rest: { Type: HttpApi }
Outputs:
  Url: { Value: !GetAtt EchoUrl.FunctionUrl }
  Api: { Value: !Ref ServerlessHttpApi }
  Endpoint: { Value: !GetAtt ServerlessHttpApi.ApiEndpoint }
"""

GUARDED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Simple:
    Type: AWS::Serverless::Function
    Properties: { Handler: index.simple, Runtime: nodejs20.x, CodeUri: . }
  Token:
    Type: AWS::Serverless::Function
    Properties: { Handler: index.token, Runtime: nodejs20.x, CodeUri: . }
  Request:
    Type: AWS::Serverless::Function
    Properties: { Handler: index.request, Runtime: nodejs20.x, CodeUri: . }
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.echo
      Runtime: nodejs20.x
      CodeUri: .
      Environment: { Variables: { URL: !Sub "${Http.ApiEndpoint}/live" } }
      Events:
        Guarded: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /guarded, Method: get } }
        Open: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /open, Method: get, Auth: { Authorizer: NONE } } }
        Jwt: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /jwt, Method: get, Auth: { Authorizer: Jwt } } }
        Iam: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /iam, Method: get, Auth: { Authorizer: AWS_IAM } } }
        Items: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /items, Method: get } }
        Post: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /items, Method: post, Auth: { Authorizer: NONE } } }
        Asked: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /asked, Method: any, Auth: { Authorizer: Asked } } }
        Key: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /key, Method: get,
                                        Auth: { Authorizer: NONE, ApiKeyRequired: true } } }
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: live
      CorsConfiguration: { AllowOrigins: ["https://a.test"], AllowMethods: [GET], MaxAge: 60, AllowCredentials: true }
      Auth:
        DefaultAuthorizer: Mine
        EnableIamAuthorizer: true
        Authorizers:
          Mine: { FunctionArn: !GetAtt Simple.Arn, AuthorizerPayloadFormatVersion: 2.0, EnableSimpleResponses: true,
                  Identity: { Headers: [X-Token] } }
          Jwt: { JwtConfiguration: { issuer: "https://issuer.test/", audience: [me] } }
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Cors: { AllowOrigin: "'https://a.test'", AllowHeaders: "'X-Token'", MaxAge: "'600'" }
      Auth:
        DefaultAuthorizer: Token
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers:
          Token: { FunctionArn: !GetAtt Token.Arn, Identity: { Header: X-Token } }
          Asked: { FunctionArn: !GetAtt Request.Arn, FunctionPayloadType: REQUEST, Identity: { Headers: [X-A] } }
        UsagePlan: { CreateUsagePlan: PER_API, Quota: { Limit: 1000, Period: MONTH } }
      GatewayResponses:
        UNAUTHORIZED:
          StatusCode: 418
          ResponseParameters: { Headers: { X-Kind: "'teapot'" } }
          ResponseTemplates: { application/json: '{"no":$context.error.messageString}' }
"""

PLAIN = """
Resources:
  Plain:
    Type: AWS::Lambda::Function
    Properties: { Handler: index.echo, Runtime: nodejs20.x, Code: ., Role: !GetAtt Role.Arn, Tags: [{ Key: a, Value: b }] }
  Role: { Type: AWS::IAM::Role, Properties: {} }
  Link:
    Type: AWS::Lambda::Url
    Properties: { AuthType: NONE, TargetFunctionArn: !GetAtt Plain.Arn }
Outputs:
  Url: { Value: !GetAtt Link.FunctionUrl }
"""

DEFINITION = """openapi: 3.0.1
info: { title: defined, version: 1.0 }
paths:
  /mock:
    get:
      parameters: [{ name: q, in: query, required: false, schema: { type: string } }]
      responses: { 203: { description: made } }
      x-amazon-apigateway-integration:
        type: mock
        timeoutInMillis: 5000
        requestTemplates: { application/json: '{"statusCode": 203}' }
        responses: { default: { statusCode: 203, responseTemplates: { application/json: '{"mock":true}' } } }
"""
WITH_FUNCTION = """  /echo:
    get:
      responses: {}
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations"
"""
DEFINED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.echo
      Runtime: nodejs20.x
      CodeUri: .
      Events:
        Rest: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /event, Method: get } }
        Same: { Type: Api, Properties: { RestApiId: !Ref Rest, Path: /mock, Method: get } }
        Http: { Type: HttpApi, Properties: { ApiId: !Ref Http, Path: /event, Method: get } }
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      DEFINITION
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        info: { title: http }
        paths:
          /defined:
            get:
              x-amazon-apigateway-integration:
                type: aws_proxy
                payloadFormatVersion: "2.0"
                uri: !GetAtt Echo.Arn
"""


class Templates(unittest.TestCase):
    def start(self, template, files=None):
        folder = tempfile.mkdtemp(prefix="puddle-templates-")
        self.addCleanup(shutil.rmtree, folder, True)
        for name, text in (("template.yaml", template), ("index.js", HANDLER), *(files or {}).items()):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
        s = Server("--quiet", "-t", os.path.join(folder, "template.yaml"))
        self.addCleanup(s.close)
        return s

    def outputs(self, s):
        return dict(line.split(": ", 1) for line in s.lines if ": " in line)

    def call(self, s, path, method="GET", **headers):
        status, got, body = s.request(method, path, b"", {k.replace("_", "-"): v for k, v in headers.items()})
        try:
            return status, got, json.loads(body)
        except ValueError:
            return status, got, body.decode()

    def stage(self, s, name):
        """The path of the API of that name, as the server's start prints it."""
        line = [l for l in s.lines if l.startswith("%s (" % name)][0]
        return line.split(s.url)[1].rstrip("/")

    # ---- the implicit HTTP API ----

    def test_http_api_events_are_routes_of_the_only_api(self):
        s = self.start(HTTP)
        status, _, body = self.call(s, "/items/1")
        self.assertEqual((status, body["version"], body["key"]), (200, "2.0", "GET /items/{id}"), s.stderr()[-2000:])
        self.assertEqual(body["variables"], {"color": "red"})
        self.assertEqual(self.call(s, "/old", "POST")[2]["version"], "1.0")
        self.assertEqual(self.call(s, "/other/path", "PUT")[2]["key"], "$default")
        path = self.stage(s, "ServerlessHttpApi")
        status, headers, _ = self.call(s, path + "/items/1", Origin="https://a.test")
        self.assertEqual((status, headers.get("access-control-allow-origin")), (200, "*"))
        self.assertEqual(self.call(s, path + "/items/2")[2]["key"], "GET /items/{id}")
        self.assertEqual(self.outputs(s)["Endpoint"], s.url + path)

    def test_a_function_url_and_every_id_outlive_a_restart(self):
        s = self.start(HTTP)
        before = self.outputs(s)
        host = before["Url"].split("/")[2]
        self.assertEqual(self.call(s, "/any", Host=host)[2]["key"], "$default")
        status, _, body = s.lambda_("GET", "/2021-10-31/functions/Echo/url")
        config = json.loads(body)
        self.assertEqual((status, config["FunctionUrl"], config["Cors"]),
                         (200, before["Url"], {"AllowOrigins": ["https://a.test"]}))
        self.assertEqual(s.stop(), 0)
        s.start()
        after = self.outputs(s)
        self.assertEqual(after["Api"], before["Api"])
        self.assertEqual(after["Url"].split(":")[1], before["Url"].split(":")[1])
        self.assertEqual(self.call(s, "/any", Host=after["Url"].split("/")[2])[0], 200)
        self.assertEqual(self.call(s, "/items/1")[0], 200)
        apis = json.loads(self.signed(s, "GET", "/v2/apis"))["items"]
        self.assertEqual([api["apiId"] for api in apis], [before["Api"]])

    def test_plain_functions_and_urls(self):
        s = self.start(PLAIN)
        host = self.outputs(s)["Url"].split("/")[2]
        self.assertEqual(self.call(s, "/any", Host=host)[2]["key"], "$default")
        self.assertEqual(s.stop(), 0)
        s.start()
        self.assertEqual(self.call(s, "/any", Host=self.outputs(s)["Url"].split("/")[2])[0], 200)

    def test_status_names_the_urls(self):
        s = self.start(GUARDED)
        status, _, body = self.call(s, "/_puddle/status")
        self.assertEqual(status, 200)
        self.assertIn(s.url + self.stage(s, "Http") + "/", json.dumps(body))
        self.assertIn(s.url + self.stage(s, "Rest") + "/", json.dumps(body))

    def signed(self, s, method, path):
        status, _, body = s.request(method, path, b"", {"Authorization": AUTH % "apigateway",
                                                        "X-Amz-Date": "20260101T000000Z"})
        self.assertEqual(status, 200, body)
        return body

    # ---- authorizers, CORS, keys ----

    def test_http_api_authorizers(self):
        s = self.start(GUARDED)
        http = self.stage(s, "Http")
        self.assertTrue(http.endswith("/live"))
        self.assertEqual(self.call(s, http + "/guarded")[0], 401)
        self.assertEqual(self.call(s, http + "/guarded", X_Token="bad")[0], 403)
        status, _, body = self.call(s, http + "/guarded", X_Token="good")
        self.assertEqual((status, body["authorizer"]), (200, {"lambda": {"who": "me"}}))
        self.assertEqual(body["env"], s.url + http)
        self.assertEqual(self.call(s, http + "/open")[0], 200)
        status, headers, _ = self.call(s, http + "/guarded", "OPTIONS", Origin="https://a.test",
                                       Access_Control_Request_Method="GET")
        self.assertEqual((status, headers["access-control-allow-origin"], headers["access-control-max-age"]),
                         (204, "https://a.test", "60"))
        self.assertEqual(self.call(s, http + "/jwt", Authorization="Bearer x")[0], 401)
        self.assertEqual(self.call(s, http + "/iam")[0], 403)

    def test_rest_authorizers_gateway_responses_and_keys(self):
        s = self.start(GUARDED)
        rest = self.stage(s, "Rest")
        status, headers, body = self.call(s, rest + "/items")
        self.assertEqual((status, headers["x-kind"], body), (418, "teapot", {"no": "Unauthorized"}))
        self.assertEqual(self.call(s, rest + "/items", X_Token="bad")[0], 403)
        self.assertEqual(self.call(s, rest + "/items", X_Token="good")[2]["authorizer"]["principalId"], "me")
        self.assertEqual(self.call(s, rest + "/items", "POST")[0], 200)
        self.assertEqual(self.call(s, rest + "/asked", "PUT", X_A="bad")[0], 403)
        self.assertEqual(self.call(s, rest + "/asked", "PUT", X_A="good")[0], 200)
        self.assertEqual(self.call(s, rest + "/key")[0], 403)
        key = self.outputs(s)["RestApiKey"].split(": ")[1]
        self.assertEqual(self.call(s, rest + "/key", x_api_key=key)[0], 200)
        self.assertEqual(s.stop(), 0)
        s.start()
        self.assertEqual(self.outputs(s)["RestApiKey"].split(": ")[1], key)
        self.assertEqual(self.call(s, rest + "/key", x_api_key=key)[0], 200)
        self.assertEqual(self.call(s, rest + "/key", x_api_key=key[1:] + "x")[0], 403)
        plans = json.loads(self.signed(s, "GET", "/usageplans"))
        self.assertEqual(len(plans["item"]), 1)
        self.assertEqual(len(json.loads(self.signed(s, "GET", "/apikeys"))["item"]), 1)

    def test_rest_cors_is_an_options_method_of_every_path(self):
        s = self.start(GUARDED)
        rest = self.stage(s, "Rest")
        for path, methods in (("/items", "GET,OPTIONS,POST"), ("/key", "GET,OPTIONS"),
                              ("/asked", "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT")):
            status, headers, _ = self.call(s, rest + path, "OPTIONS")
            self.assertEqual((status, headers["access-control-allow-methods"]), (200, methods), path)
            self.assertEqual(headers["access-control-allow-origin"], "https://a.test")
            self.assertEqual(headers["access-control-allow-headers"], "X-Token")
            self.assertEqual(headers["access-control-max-age"], "600")
            self.assertNotIn("access-control-allow-credentials", headers)

    def test_a_definition_makes_routes_beside_those_of_events(self):
        for name, files in (("DefinitionBody", {}), ("Include", {"api.yaml": DEFINITION % 8}), ("DefinitionUri", {"api.yaml": DEFINITION % 8})):
            at = {"DefinitionBody": DEFINITION % 8,
                  "Include": "        Fn::Transform: { Name: AWS::Include, Parameters: { Location: api.yaml } }"}.get(name)
            uri = "DefinitionUri: api.yaml" if at is None else "DefinitionBody:\n" + at
            s = self.start(DEFINED.replace("DEFINITION", uri).replace("HTTP", (DEFINITION_HTTP)), files)
            rest, http = self.stage(s, "defined"), self.stage(s, "http")
            self.assertEqual(self.call(s, rest + "/mock")[0::2], (203, {"mock": True}), name)
            self.assertEqual(self.call(s, rest + "/echo")[0], 200 if name != "DefinitionUri" else 500, name)
            self.assertEqual(self.call(s, rest + "/event")[0], 200)
            self.assertEqual(self.call(s, http + "/defined")[2]["key"], "GET /defined")
            self.assertEqual(self.call(s, http + "/event")[2]["key"], "GET /event")
            self.assertEqual(s.stop(), 0)
            s.start()
            self.assertEqual(self.call(s, rest + "/mock")[0], 203)

    def test_a_definition_makes_routes_beside_those_of_events(self):
        whole = DEFINITION + WITH_FUNCTION
        inline = "DefinitionBody:\n" + "".join("        %s\n" % line for line in whole.splitlines())
        include = "DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api.yaml } } }"
        for definition, files in ((inline, {}), (include, {"api.yaml": whole}),
                                  ("DefinitionUri: api.yaml", {"api.yaml": DEFINITION})):
            s = self.start(DEFINED.replace("DEFINITION", definition), files)
            for _ in range(2):
                rest, http = self.stage(s, "defined"), self.stage(s, "http")
                self.assertEqual(self.call(s, rest + "/mock")[0::2], (203, {"mock": True}), definition)
                if definition != "DefinitionUri: api.yaml":
                    self.assertEqual(self.call(s, rest + "/echo")[0], 200, definition)
                self.assertEqual(self.call(s, rest + "/event")[0], 200)
                self.assertEqual(self.call(s, http + "/defined")[2]["key"], "GET /defined")
                self.assertEqual(self.call(s, http + "/event")[2]["key"], "GET /event")
                self.assertEqual(s.stop(), 0)
                s.start()


if __name__ == "__main__":
    unittest.main()
