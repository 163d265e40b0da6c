"""Who may call a REST API: its resource policy and user pool authorizers."""
import json
import os
import shutil
import subprocess
import tempfile
import time

from botocore.exceptions import ClientError
from test_http_api import url64
import test_rest_settings

POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_pool"
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
LAMBDA = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations"
HANDLERS = {"index.js": """
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });
exports.token = async (event) => ({ principalId: 'me', policyDocument: { Statement: [{ Action: 'execute-api:Invoke',
  Effect: event.authorizationToken === 'deny' ? 'Deny' : 'Allow',
  Resource: event.authorizationToken === 'other' ? 'arn:aws:execute-api:*:*:*/dev/GET/y' : '*' }] } });
exports.asked = async (event) => {
  if (event.headers.Authorization === 'throw') throw new Error('x');
  return { principalId: [event.httpMethod, event.resource, event.queryStringParameters.q, event.stageVariables.v].join(' '),
    policyDocument: { Statement: [] } };
};
"""}


def statement(effect="Allow", resource="execute-api:/*", **more):
    return {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource, **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Access(test_rest_settings.Base):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.keys = {name: os.path.join(cls.folder, name) for name in ("rsa", "other")}
        for path in cls.keys.values():
            subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", cls.keys["rsa"], "-noout", "-modulus"], check=True,
                                 capture_output=True).stdout.decode().strip().split("=")[1]
        jwks = os.path.join(cls.folder, "jwks.json")
        with open(jwks, "w") as file:
            json.dump({"keys": [{"kty": "RSA", "kid": "k", "alg": "RS256", "e": "AQAB", "n": url64(bytes.fromhex(modulus))}]}, file)
        cls.start("--jwks", ISSUER + "=" + jwks)

    def function(self, export):
        status, _, body = self.s.create_function("a-" + export, HANDLERS, "index." + export)
        self.assertIn(status, (201, 409), body)
        return LAMBDA % ("arn:aws:lambda:us-east-1:000000000000:function:a-" + export)

    # ---- resource policies ----

    def test_a_resource_policy_decides_from_the_next_deployment_on(self):
        api = self.make("x", "y")
        local = {"Condition": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}}
        for policy, x, y in ((document(statement()), 200, 200),
                             (document(statement(), statement("Deny", **local)), 403, 403),
                             (document(statement(**local)), 200, 200),
                             (document(statement("Allow", "execute-api:/dev/GET/x")), 200, 403),
                             (document(statement("Allow", "arn:aws:execute-api:us-east-1:*:%s/*/GET/y" % api)), 403, 200),
                             (document(statement(), statement("Deny", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})), 403, 403)):
            before = self.get(api)[0]
            shown = self.api.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/policy", "value": policy}])
            self.assertEqual(json.loads('"%s"' % shown["policy"]), policy)
            self.assertEqual(self.get(api)[0], before)
            self.api.create_deployment(restApiId=api, stageName="dev")
            self.assertEqual((self.get(api)[0], self.get(api, "/y")[0]), (x, y), policy)
        self.api.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/policy", "value": ""}])
        self.api.create_deployment(restApiId=api, stageName="dev")
        self.assertEqual(self.get(api)[0], 200)
        self.assertNotIn("policy", self.api.get_rest_api(restApiId=api))

    def test_a_refusal_by_policy_is_worded_as_on_aws(self):
        api = self.make(policy=document(statement("Deny")))
        status, headers, body = self.get(api)
        arn = "arn:aws:execute-api:us-east-1:********0000:%s/dev/GET/x" % api
        self.assertEqual((status, headers["x-amzn-errortype"]), (403, "AccessDeniedException"))
        self.assertEqual(json.loads(body), {"Message": "User: anonymous is not authorized to perform: execute-api:Invoke on "
                         "resource: %s with an explicit deny in a resource-based policy" % arn})
        api = self.make(policy=document(statement("Allow", "execute-api:/other/*")))
        self.assertIn("because no resource-based policy allows the execute-api:Invoke action", self.get(api)[2].decode())

    def test_policies_that_cannot_be_decided_are_refused(self):
        def refuse(policy):
            return self.refused("BadRequestException", self.api.create_rest_api, name="n", policy=policy)
        for bad in ("{", "[]", "{}", json.dumps({"Statement": [{"Effect": "Maybe"}]})):
            self.assertEqual(refuse(bad), "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.")
        self.assertIn("principals other than *", refuse(document({**statement(), "Principal": {"AWS": "arn:aws:iam::1:root"}})))
        self.assertIn("aws:PrincipalArn", refuse(document(statement(Condition={"StringEquals": {"aws:PrincipalArn": "x"}}))))
        api = self.make()
        self.assertIn("DateLessThan", self.refused(
            "BadRequestException", self.api.update_rest_api, restApiId=api, patchOperations=[
                {"op": "replace", "path": "/policy", "value": document(statement(Condition={"DateLessThan": {"aws:CurrentTime": "x"}}))}]))

    def test_either_the_policy_or_the_authorizer_allows(self):
        api = self.api.create_rest_api(name="n", policy=document(statement("Allow", "execute-api:/*/GET/open"),
                                                                 statement("Deny", "execute-api:/*/GET/shut")))["id"]
        authorizer = self.api.create_authorizer(restApiId=api, name="a", type="TOKEN", authorizerUri=self.function("token"),
                                                identitySource="method.request.header.Authorization")["id"]
        self.make("open", "shut", "x", api=api, method={"authorizationType": "CUSTOM", "authorizerId": authorizer})
        got = {(path, token): self.get(api, path, Authorization=token)[0] for path in ("/open", "/shut", "/x")
               for token in ("ok", "deny", "other")}
        self.assertEqual(got, {("/open", "ok"): 200, ("/open", "deny"): 403, ("/open", "other"): 200, ("/shut", "ok"): 403,
                               ("/shut", "deny"): 403, ("/shut", "other"): 403, ("/x", "ok"): 200, ("/x", "deny"): 403,
                               ("/x", "other"): 403})

    # ---- user pools ----

    def token(self, key="rsa", **claims):
        claims = {"iss": ISSUER, "aud": "app", "sub": "s", "token_use": "id", "exp": int(time.time()) + 60, **claims}
        part = ".".join(url64(json.dumps(p).encode()) for p in ({"alg": "RS256", "kid": "k"}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.keys[key]], input=part.encode(),
                                   check=True, capture_output=True).stdout
        return part + "." + url64(signature)

    def pool_api(self, scopes=(), **more):
        api = self.api.create_rest_api(name="n")["id"]
        made = self.api.create_authorizer(restApiId=api, name="pool", type="COGNITO_USER_POOLS", providerARNs=[POOL],
                                          identitySource="method.request.header.Authorization", **more)
        self.assertEqual((made["authType"], made["providerARNs"]), ("cognito_user_pools", [POOL]))
        root = self.api.get_resources(restApiId=api)["items"][0]["id"]
        where = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
        self.api.put_method(**where, authorizationType="COGNITO_USER_POOLS", authorizerId=made["id"],
                            **({"authorizationScopes": list(scopes)} if scopes else {}))
        self.api.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=self.function("echo"))
        self.api.create_deployment(restApiId=api, stageName="dev")
        return api

    def test_tokens_of_a_user_pool_are_verified(self):
        api = self.pool_api()
        token = self.token(exp=4102444800, iat=1523180203, auth_time=1523180203, email_verified=True, **{"cognito:groups": ["a", "b"]})
        for given in (token, "Bearer " + token):
            status, _, body = self.get(api, "/", Authorization=given)
            self.assertEqual((status, json.loads(body)["requestContext"]["authorizer"]), (200, {"claims": {
                "iss": ISSUER, "aud": "app", "sub": "s", "token_use": "id", "exp": "Fri Jan 01 00:00:00 UTC 2100",
                "iat": "Sun Apr 08 09:36:43 UTC 2018", "auth_time": "1523180203", "email_verified": "true", "cognito:groups": "a,b"}}))
        for bad in ("", "x", "a.b.c", self.token("other"), self.token(iss="https://else.test"), self.token(token_use="access"),
                    self.token()[:-8] + "AAAAAAAA"):
            self.assertEqual(self.get(api, "/", Authorization=bad)[0::2], (401, b'{"message":"Unauthorized"}'), bad)
        self.assertEqual(self.get(api, "/")[0], 401)
        self.assertEqual(self.get(api, "/", Authorization=self.token(exp=int(time.time()) - 1))[0::2],
                         (401, b'{"message":"The incoming token has expired"}'))

    def test_scopes_want_an_access_token_that_has_one(self):
        api = self.pool_api(["r/read", "r/write"], identityValidationExpression="^app$")
        for claims, status in (({"token_use": "access", "scope": "x r/write"}, 200), ({"token_use": "access", "scope": "x"}, 401),
                               ({"token_use": "id", "scope": "r/read"}, 401),
                               ({"token_use": "access", "scope": "r/read", "aud": "apps"}, 401)):
            self.assertEqual(self.get(api, "/", Authorization=self.token(**claims))[0], status, claims)

    def test_a_pool_without_its_keys_is_refused(self):
        api = self.api.create_rest_api(name="n")["id"]
        make = {"restApiId": api, "name": "p", "type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization"}
        self.assertIn("--jwks https://cognito-idp.us-east-1.amazonaws.com/us-east-1_else=", self.refused(
            "BadRequestException", self.api.create_authorizer, **make, providerARNs=[POOL.replace("pool/us-east-1_pool", "pool/us-east-1_else")]))
        self.refused("BadRequestException", self.api.create_authorizer, **make)
        self.refused("BadRequestException", self.api.create_authorizer, **make, providerARNs=["arn:aws:s3:::x"])

    def test_pools_are_added_and_removed(self):
        api = self.api.create_rest_api(name="n")["id"]
        made = self.api.create_authorizer(restApiId=api, name="pool", type="COGNITO_USER_POOLS", providerARNs=[POOL])

        def patch(op, value):
            return self.api.update_authorizer(restApiId=api, authorizerId=made["id"], patchOperations=[
                {"op": op, "path": "/providerARNs", "value": value}])["providerARNs"]
        other = POOL.replace("000000000000", "111111111111")
        self.assertEqual(patch("add", other), [POOL, other])
        self.assertEqual(patch("remove", POOL), [other])
        for op, value in (("add", POOL + "x"), ("remove", other), ("replace", POOL)):
            with self.assertRaises(ClientError):
                patch(op, value)

    # ---- trying authorizers ----

    def test_authorizers_are_tried_without_a_method(self):
        api = self.api.create_rest_api(name="n")["id"]
        lambdas = {kind: self.api.create_authorizer(restApiId=api, name=kind, type=kind, authorizerUri=self.function(function),
                                                    identitySource="method.request.header.Authorization")["id"]
                   for kind, function in (("TOKEN", "token"), ("REQUEST", "asked"))}
        pool = self.api.create_authorizer(restApiId=api, name="pool", type="COGNITO_USER_POOLS", providerARNs=[POOL])["id"]

        def test(authorizer, token, **more):
            return self.api.test_invoke_authorizer(restApiId=api, authorizerId=authorizer, headers={"Authorization": token}, **more)
        got = test(lambdas["TOKEN"], "deny")
        self.assertEqual((got["clientStatus"], got["principalId"], json.loads(got["policy"])["Statement"][0]["Effect"]), (200, "me", "Deny"))
        self.assertIn("Starting authorizer: " + lambdas["TOKEN"], got["log"])
        got = test(lambdas["REQUEST"], "x", pathWithQueryString="/p?q=1", stageVariables={"v": "2"})
        self.assertEqual((got["clientStatus"], got["principalId"]), (200, "GET / 1 2"))
        self.assertEqual(test(lambdas["TOKEN"], "")["clientStatus"], 401)
        self.assertEqual(test(lambdas["REQUEST"], "throw")["clientStatus"], 500)
        got = test(pool, self.token(sub="me"))
        self.assertEqual((got["clientStatus"], got["claims"]["sub"]), (200, "me"))
        self.assertEqual(test(pool, "x")["clientStatus"], 401)
        self.refused("NotFoundException", self.api.test_invoke_authorizer, restApiId=api, authorizerId="nope")
