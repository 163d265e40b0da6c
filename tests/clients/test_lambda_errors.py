"""Errors recorded from Lambda that the other tests do not produce: one row a request. The text is compared up to where
the recording was cut ("...")."""
import base64
import json
import unittest

from boto import ARN, Boto, code
from puddle import ROLE, make_zip

INVALID, NONE, VALIDATION = "InvalidParameterValueException", "ResourceNotFoundException", "ValidationException"
PARSE = "Could not parse request body into json: Could not parse payload into json: "
SOURCE = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: %d]"
RUNTIMES = ("[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
            "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, "
            "java11, dotnet6, nodejs18.x, provided.al2, java8.al2]")
NAME = (r"Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso("
        r"[a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?")
RESOURCE = (r"Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]"
            r"?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|"
            "code-signing-config:c...")
FUNCTIONS = "/2015-03-31/functions"
F = "errors-function"


def at(field, value, constraint):
    return "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s" % (value, field, constraint)


def create(**more):
    return ("POST", FUNCTIONS, {"FunctionName": "new", "Runtime": "nodejs20.x", "Handler": "index.handler", "Role": ROLE,
                                "Code": {"ZipFile": base64.b64encode(code()).decode()}, **more})


def configure(**more):
    return ("PUT", "%s/%s/configuration" % (FUNCTIONS, F), more)


def permit(**more):
    return ("POST", "%s/%s/policy" % (FUNCTIONS, F), {"StatementId": "s", "Action": "lambda:InvokeFunction",
                                                      "Principal": "s3.amazonaws.com", **more})


LONG = "a" * 65
ARN_LONG = ARN + "b" * 100
ROWS = [
    (403, "AccessDeniedException", None, create(FunctionName="arn:aws:lambda:us-east-1:123456789012:function:new")),
    (403, "AccessDeniedException", None, create(FunctionName="123456789012:function:new")),
    (400, INVALID, at("functionName", LONG, "Member must have length less than or equal to 64"), create(FunctionName=LONG)),
    (400, VALIDATION, at("functionName", ARN_LONG, "Member must have length less than or equal to 140"),
     create(FunctionName=ARN_LONG)),
    (400, VALIDATION, at("functionName", "invalid:function:name", NAME), create(FunctionName="invalid:function:name")),
    (404, NONE, "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')",
     create(FunctionName="arn:aws:lambda:ap-southeast-1:000000000000:function:new")),
    (400, INVALID, "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " +
     RUNTIMES + " or be a valid ARN", create(Runtime="PYTHON3.9")),
    (400, INVALID, "Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy enum value "
     "set: " + RUNTIMES + " or be a valid ARN", create(Runtime="non-existent-runtime")),
    (400, VALIDATION, at("role", "r1", r"Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:"
                         r"role/?[a-zA-Z_0-9+=,.@\-_/]+"), create(Role="r1")),
    (400, VALIDATION, at("architectures", "[X86_64]", "Member must satisfy constraint: [Member must satisfy enum value set: "
                         "[x86_64, arm64], Member must not be null]"), create(Architectures=["X86_64"])),
    (400, VALIDATION, at("architectures", "[x86_64, arm64]", "Member must have length less than or equal to 1"),
     create(Architectures=["x86_64", "arm64"])),
    (400, VALIDATION, at("snapStart.applyOn", "invalidOption", "Member must satisfy enum value set: [PublishedVersions, "
                         "None]"), create(SnapStart={"ApplyOn": "invalidOption"})),
    (400, VALIDATION, at("vpcConfig.subnetIds", "[bad]", "Member must satisfy constraint: [Member must have length less than "
                         "or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular "
                         "expression pattern: subnet-[0-9a-z]*]"), create(VpcConfig={"SubnetIds": ["bad"]})),
    (400, VALIDATION, at("vpcConfig.securityGroupIds", "[bad]", "Member must satisfy constraint: [Member must have length "
                         "less than or equal to 1024, Member must have length greater than or equal to 0, Member must "
                         "satisfy regular expression pattern: sg-[0-9a-zA-Z]*]"),
     create(VpcConfig={"SecurityGroupIds": ["bad"]})),
    (400, INVALID, "Lambda was unable to configure your environment variables because the environment variables you have "
     'provided exceeded the 4KB limit. String measured: {"LARGE_VAR":"%s"}' % ("x" * 4096),
     create(Environment={"Variables": {"LARGE_VAR": "x" * 4096}})),
    (400, INVALID, "Lambda was unable to configure your environment variables because the environment variables you have "
     'provided exceeded the 4KB limit. String measured: {"SMALL_VAR":"ok","LARGE_VAR":"%s"}' % ("x" * 4064),
     configure(Environment={"Variables": {"SMALL_VAR": "ok", "LARGE_VAR": "x" * 4064}})),
    (400, INVALID, "Please don't provide ImageUri when updating a function with packageType Zip.",
     ("PUT", "%s/%s/code" % (FUNCTIONS, F), {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/test:latest"})),
    (404, NONE, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
     ("GET", FUNCTIONS + "/" + ARN.replace("us-east-1", "eu-west-1") + F, None)),
    (404, NONE, "Function not found: " + ARN + F + ":1221", ("GET", "%s/%s?Qualifier=1221" % (FUNCTIONS, F), None)),
    (404, NONE, "Function not found: " + ARN + "some-function:$LATEST",
     ("GET", FUNCTIONS + "/some-function?Qualifier=$LATEST", None)),
    (404, NONE, "Function not found: " + ARN + F + ":aliasdoesnotexist",
     ("GET", "%s/%s?Qualifier=aliasdoesnotexist" % (FUNCTIONS, F), None)),
    (404, NONE, "Function not found: " + ARN + F + ":non-existent-alias",
     ("POST", "%s/%s/invocations?Qualifier=non-existent-alias" % (FUNCTIONS, F), {})),
    (404, NONE, "Alias not found: " + ARN + F + ":non-existent",
     ("PUT", "%s/%s/aliases/non-existent" % (FUNCTIONS, F), {"Description": "d"})),
    (404, NONE, "Cannot find alias arn: " + ARN + F + ":non-existent",
     ("GET", "%s/%s/aliases/non-existent" % (FUNCTIONS, F), None)),
    (404, NONE, "Cannot find alias arn: " + ARN + F + ":doesnotexist",
     ("GET", "/2019-09-30/functions/%s/provisioned-concurrency?Qualifier=doesnotexist" % F, None)),
    (404, NONE, "The function %s:1221 doesn't have an EventInvokeConfig" % (ARN + F),
     ("GET", "/2019-09-25/functions/%s/event-invoke-config?Qualifier=1221" % F, None)),
    (404, NONE, "The function %s:doesnotexist doesn't have an EventInvokeConfig" % (ARN + F),
     ("DELETE", "/2019-09-25/functions/%s/event-invoke-config?Qualifier=doesnotexist" % F, None)),
    (400, VALIDATION, at("qualifier", "2", r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"),
     ("GET", "/2021-10-31/functions/%s/url?Qualifier=2" % F, None)),
    (400, VALIDATION, at("qualifier", "2", r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"),
     ("GET", "/2021-10-31/functions/%s:2/url" % F, None)),
    (400, VALIDATION, at("statementId", "example.com", "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"),
     permit(StatementId="example.com")),
    (400, VALIDATION, at("qualifier", "invalid-qualifier-with-?-char", r"Member must satisfy regular expression pattern: "
                         r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"),
     ("POST", "%s/%s/policy?Qualifier=invalid-qualifier-with-%%3F-char" % (FUNCTIONS, F), permit()[2])),
    (400, VALIDATION, at("functionName", "arn:aws:lambda:us-east-1:123400000000@function:myfn", "Member must satisfy regular "
                         "expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?..."),
     ("POST", FUNCTIONS + "/arn:aws:lambda:us-east-1:123400000000%40function:myfn/invocations", {})),
    (400, VALIDATION, "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be "
     "null", ("DELETE", "/2017-03-31/tags/" + ARN + F, None)),
] + [
    (400, VALIDATION, at("resource", arn, RESOURCE), ("GET", "/2017-03-31/tags/" + arn, None))
    for arn in ("arn:aws:something", ARN.replace(":function:", ":foobar:") + "x",
                ARN.replace(":function:", ":capacity-provider:") + "x:alias",
                ARN.replace(":function:", ":event-source-mapping:") + "0" * 8 + ":alias")
] + [
    (400, VALIDATION, "2 validation errors detected: Value '%s' at 'compatibleRuntimes' failed to satisfy constraint: Member "
     "must satisfy enum value set: %s..." % (shown, RUNTIMES[:250]),
     ("POST", "/2018-10-31/layers/l/versions", {
         "Content": {"ZipFile": base64.b64encode(make_zip({"a": "b"})).decode()}, "CompatibleRuntimes": given,
         "CompatibleArchitectures": ["invalidarch"]}))
    for given, shown in ((["invalidruntime"], "[invalidruntime]"),
                         (["invalidruntime", "invalidruntime2", "nodejs20.x"], "[invalidruntime, invalidruntime2, nodejs20.x]"))
] + [
    (400, VALIDATION, at("routingConfig.additionalVersionWeights", "{$LATEST=0.5}", "Map keys must satisfy constraint: [Member "
                         "must have length less than or equal to 1024, Member must have length greater than or equal to 1, "
                         "Member must satisfy regular expression pattern: [0-9]+]"),
     ("POST", "%s/%s/aliases" % (FUNCTIONS, F), {"Name": "a", "FunctionVersion": "1", "RoutingConfig": {
         "AdditionalVersionWeights": {"$LATEST": 0.5}}})),
]


class Errors(Boto):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s.create_function(F, {"index.js": "exports.handler = async () => new Promise(r => setTimeout(r, 1000));"})

    def test_recorded_errors(self):
        self.maxDiff = None
        for status, error, message, (method, path, body) in ROWS:
            with self.subTest(path=path, message=message):
                got, headers, reply = self.s.lambda_(method, path, b"" if body is None else json.dumps(body))
                reply = json.loads(reply)
                text = reply.get("message", reply.get("Message"))
                if message is not None and message.endswith("..."):
                    message = message[:-3]
                    text = text[:len(message)]
                self.assertEqual((got, headers.get("x-amzn-errortype"), text), (status, error, message))
                if error == INVALID:
                    self.assertEqual(reply.get("Type"), "User")

    def test_payloads_that_are_not_json(self):
        for body, message in ((b"n\x87r", "Invalid UTF-8 start byte 0x87" + SOURCE % 3),
                              (b"\x99", "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, "
                               "Number, Array, Object or token 'null', 'true' or 'false')" + SOURCE % 1)):
            status, headers, reply = self.s.invoke(F, body)
            self.assertEqual((status, headers["x-amzn-errortype"], json.loads(reply)["message"]),
                             (400, "InvalidRequestContentException", PARSE + message))

    def test_an_update_while_another_one_runs(self):
        import threading
        big = base64.b64encode(make_zip({"index.js": "1", "%s" % "big": "y" * (20 << 20)})).decode()
        path = "%s/%s/code" % (FUNCTIONS, F)
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(self.s.lambda_("PUT", path, json.dumps({"ZipFile": big}))))
                   for _ in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        refused = [json.loads(r[2]) for r in replies if r[0] == 409]
        self.assertTrue(refused)
        self.assertEqual(refused[0]["message"], "The operation cannot be performed at this time. An update is in progress for "
                         "resource: " + ARN + F)
        self.assertTrue(any(r[0] == 200 for r in replies))

    def test_sizes(self):
        status, headers, reply = self.s.create_function("big", {"index.js": "x"}, Description="y" * 10)
        self.assertEqual(status, 201)
        body = create(Code={"ZipFile": "A" * 70167212})[2]
        status, headers, reply = self.s.lambda_("POST", FUNCTIONS, json.dumps(body))
        self.assertEqual((status, headers["x-amzn-errortype"], json.loads(reply)["message"]),
                         (413, "RequestEntityTooLargeException",
                          "Request must be smaller than 70167211 bytes for the CreateFunction operation"))
        body = create(Code={"ZipFile": base64.b64encode(b"\0" * 52428801).decode()})[2]
        status, headers, reply = self.s.lambda_("POST", FUNCTIONS, json.dumps(body))
        self.assertEqual((status, json.loads(reply)), (413, {"message": "Zipped size must be smaller than 52428800 bytes"}))

    def test_reserved_concurrency_throttles(self):
        self.l.put_function_concurrency(FunctionName=F, ReservedConcurrentExecutions=0)
        status, headers, reply = self.s.invoke(F)
        self.assertEqual((status, json.loads(reply)), (429, {
            "Type": "User", "message": "Rate Exceeded.", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}))
        self.l.delete_function_concurrency(FunctionName=F)


if __name__ == "__main__":
    unittest.main()
