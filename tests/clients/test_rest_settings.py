"""Settings of REST APIs as boto3 sets them: stages, throttling, tags, keys and their use."""
import json
import unittest

import boto3
from botocore.exceptions import ClientError

from puddle import Server

DEFAULTS = {"metricsEnabled": False, "dataTraceEnabled": False, "throttlingBurstLimit": 5000, "throttlingRateLimit": 10000.0,
            "cachingEnabled": False, "cacheTtlInSeconds": 300, "cacheDataEncrypted": False,
            "requireAuthorizationForCacheControl": True,
            "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER"}


class Base(unittest.TestCase):
    """No tests of its own: what the tests of REST APIs' settings share."""

    @classmethod
    def start(cls, *arguments):
        cls.s = Server("--quiet", *arguments)
        cls.addClassCleanup(cls.s.close)
        cls.session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        cls.api = cls.session.client("apigateway", endpoint_url=cls.s.url)

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        return raised.exception.response["Error"]["Message"]

    def make(self, *paths, stage="dev", method=None, api=None, **api_args):
        """An API that answers {"ok":1} by MOCK on GET of each path."""
        api = api or self.api.create_rest_api(name="n", **api_args)["id"]
        root = self.api.get_resources(restApiId=api)["items"][0]["id"]
        for path in paths or ("x",):
            parent = root
            for part in path.split("/"):
                parent = self.api.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
            where = {"restApiId": api, "resourceId": parent, "httpMethod": "GET"}
            self.api.put_method(**where, **{"authorizationType": "NONE", **(method or {})})
            self.api.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode":200}'})
            self.api.put_method_response(**where, statusCode="200")
            self.api.put_integration_response(**where, statusCode="200", responseTemplates={"application/json": '{"ok":1}'})
        self.deployment = self.api.create_deployment(restApiId=api, stageName=stage)["id"]
        return api

    def get(self, api, path="/x", stage="dev", **headers):
        return self.s.request("GET", "/%s%s" % (stage, path), b"", {"Host": "%s.execute-api.us-east-1.localhost" % api, **headers})


class Settings(Base):
    @classmethod
    def setUpClass(cls):
        cls.start()

    def patch(self, api, *operations):
        return self.api.update_stage(restApiId=api, stageName="dev", patchOperations=[
            {"op": op, "path": path, **({} if value is None else {"value": value})} for op, path, value in operations])

    def not_patched(self, api, op, path, value=None, code="BadRequestException"):
        operation = {"op": op, "path": path, **({} if value is None else {"value": value})}
        return self.refused(code, self.api.update_stage, restApiId=api, stageName="dev", patchOperations=[operation])

    # ---- stages ----

    def test_method_settings_are_stored_and_removed(self):
        api = self.make()
        got = self.patch(api, ("replace", "/*/*/metrics/enabled", "true"), ("replace", "/*/*/logging/loglevel", "INFO"),
                         ("replace", "/~1x/GET/throttling/rateLimit", "12.5"), ("replace", "/~1x/GET/throttling/burstLimit", "7"),
                         ("replace", "/~1x/GET/caching/ttlInSeconds", "60"), ("replace", "/~1x/GET/caching/enabled", "true"))
        self.assertEqual(got["methodSettings"], {
            "*/*": {**DEFAULTS, "metricsEnabled": True, "loggingLevel": "INFO"},
            "~1x/GET": {**DEFAULTS, "throttlingRateLimit": 12.5, "throttlingBurstLimit": 7, "cacheTtlInSeconds": 60,
                        "cachingEnabled": True}})
        self.assertEqual(self.api.get_stage(restApiId=api, stageName="dev")["methodSettings"], got["methodSettings"])
        self.assertEqual(list(self.patch(api, ("remove", "/*/*", None))["methodSettings"]), ["~1x/GET"])
        self.assertEqual(self.not_patched(api, "remove", "/*/*"),
                         "Cannot remove method setting */* because there is no method setting for this method ")
        for path, value in (("/*/*/logging/loglevel", "LOUD"), ("/*/*/caching/ttlInSeconds", "3601"),
                            ("/*/*/throttling/rateLimit", "x"), ("/*/*/throttling/burstLimit", "-2"),
                            ("/*/*/metrics/enabled", "yes"), ("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "X")):
            self.assertIn(path, self.not_patched(api, "replace", path, value))
        self.patch(api, ("replace", "/*/*/caching/ttlInSeconds", "3600"), ("replace", "/*/*/throttling/rateLimit", "-1"))
        for path in ("/tags/a", "/documentation_version", "/x/y/GET/metrics/enabled", "/*/*/metrics/x", "/canarySettings", "x"):
            self.assertTrue(self.not_patched(api, "replace", path, "true").startswith(
                "Invalid method setting path: %s. Must be one of: [/deploymentId, " % path), path)

    def test_the_other_members_of_a_stage_are_patched(self):
        api = self.make()
        log = "arn:aws:logs:us-east-1:000000000000:log-group:g"
        got = self.patch(api, ("replace", "/accessLogSettings/destinationArn", log), ("replace", "/accessLogSettings/format", "$context.requestId"),
                         ("replace", "/cacheClusterEnabled", "true"), ("replace", "/tracingEnabled", "true"),
                         ("replace", "/clientCertificateId", "c1"), ("replace", "/documentationVersion", "v"),
                         ("replace", "/description", "d"), ("replace", "/variables/a", "1"))
        self.assertEqual(got["accessLogSettings"], {"destinationArn": log, "format": "$context.requestId"})
        self.assertEqual([got[k] for k in ("cacheClusterEnabled", "cacheClusterSize", "cacheClusterStatus", "tracingEnabled",
                                           "clientCertificateId", "documentationVersion", "description", "variables")],
                         [True, "0.5", "AVAILABLE", True, "c1", "v", "d", {"a": "1"}])
        self.assertEqual(self.patch(api, ("replace", "/cacheClusterSize", "1.6"))["cacheClusterSize"], "1.6")
        self.api.flush_stage_cache(restApiId=api, stageName="dev")
        self.refused("NotFoundException", self.api.flush_stage_cache, restApiId=api, stageName="nope")
        self.not_patched(api, "replace", "/cacheClusterSize", "7")
        self.assertEqual(self.not_patched(api, "replace", "/accessLogSettings/format", ""), "Access Log value must not be empty")
        self.assertEqual(self.not_patched(api, "replace", "/accessLogSettings/randomValue", "x"),
                         "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]")
        for path in ("accessLogSettings/*", "accessLogSettings/destinationArn", "accessLogSettings/randomValue"):
            self.assertEqual(self.not_patched(api, "remove", "/" + path),
                             "Cannot remove method setting %s because there is no method setting for this method " % path)
        got = self.patch(api, ("remove", "/accessLogSettings", None), ("remove", "/variables/a", None),
                         ("replace", "/cacheClusterEnabled", "false"))
        self.assertNotIn("accessLogSettings", got)
        self.assertEqual((got["variables"], got["cacheClusterStatus"]), ({}, "NOT_AVAILABLE"))
        self.assertEqual(self.not_patched(api, "replace", "/deploymentId", "nope"), "Deployment id does not exist")

    def test_a_failed_patch_changes_nothing(self):
        api = self.make()
        with self.assertRaises(ClientError):
            self.patch(api, ("replace", "/description", "new"), ("replace", "/nope", "x"))
        self.assertNotIn("description", self.api.get_stage(restApiId=api, stageName="dev"))

    def test_stages_and_deployments_are_made_with_their_settings(self):
        api = self.make()
        made = self.api.create_stage(restApiId=api, stageName="b", deploymentId=self.deployment, cacheClusterEnabled=True,
                                     cacheClusterSize="6.1", tracingEnabled=True, tags={"a": "b"}, variables={"v": "1"})
        self.assertEqual([made[k] for k in ("cacheClusterSize", "cacheClusterStatus", "tracingEnabled", "tags")],
                         ["6.1", "AVAILABLE", True, {"a": "b"}])
        self.api.create_deployment(restApiId=api, stageName="b", tracingEnabled=False, cacheClusterEnabled=False)
        stage = self.api.get_stage(restApiId=api, stageName="b")
        self.assertEqual((stage["tracingEnabled"], stage["cacheClusterEnabled"]), (False, False))

    def test_canaries_are_refused_when_configured(self):
        api = self.make()
        self.assertIn("not support canary", self.refused(
            "BadRequestException", self.api.create_stage, restApiId=api, stageName="c", deploymentId=self.deployment,
            canarySettings={"percentTraffic": 10}))
        self.assertIn("not support canary", self.not_patched(api, "replace", "/canarySettings/percentTraffic", "10"))
        self.assertEqual(self.not_patched(api, "add", "/canarySettings/deploymentId", "x"),
                         "Invalid add operation with path: /canarySettings/deploymentId")
        copy = {"op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId"}
        self.assertEqual(self.refused("BadRequestException", self.api.update_stage, restApiId=api, stageName="dev",
                                      patchOperations=[copy]), "Promotion not available. Canary does not exist.")
        self.assertTrue(self.refused("BadRequestException", self.api.update_stage, restApiId=api, stageName="dev",
                                     patchOperations=[{**copy, "from": "/variables"}]).startswith(
            "Invalid copy operation with path: /deploymentId and from /variables. Valid copy:path are"))

    def test_throttling_is_held_by_method_and_clock(self):
        api = self.make("x", "a/b")
        self.patch(api, ("replace", "/*/*/throttling/rateLimit", "0.001"), ("replace", "/*/*/throttling/burstLimit", "2"),
                   ("replace", "/~1a~1b/GET/throttling/rateLimit", "0"), ("replace", "/~1a~1b/GET/throttling/burstLimit", "0"))
        got = [self.get(api) for _ in range(3)]
        self.assertEqual([g[0] for g in got], [200, 200, 429])
        self.assertEqual((got[2][1]["x-amzn-errortype"], got[2][2]), ("TooManyRequestsException", b'{"message":"Too Many Requests"}'))
        self.assertEqual(self.get(api, "/a/b")[0], 429)
        self.s.request("POST", "/_puddle/clock", json.dumps({"shift_ms": 1000000}))
        self.assertEqual([self.get(api)[0] for _ in range(2)], [200, 429])
        self.patch(api, ("replace", "/a~1b/GET/throttling/rateLimit", "-1"))
        self.patch(api, ("remove", "/~1a~1b/GET", None))
        self.assertEqual([self.get(api, "/a/b")[0] for _ in range(4)], [200] * 4)
        self.patch(api, ("remove", "/*/*", None))
        self.assertEqual(self.get(api)[0], 200)

    # ---- tags ----

    def test_keys_plans_domains_and_stages_are_tagged(self):
        api = self.make()
        key = self.api.create_api_key(name="t", tags={"a": "1"})["id"]
        plan = self.api.create_usage_plan(name="t", tags={"a": "1"})["id"]
        self.api.create_domain_name(domainName="tags.example.test", tags={"a": "1"})
        self.api.create_stage(restApiId=api, stageName="t", deploymentId=self.deployment, tags={"a": "1"})
        for path in ("apikeys/" + key, "usageplans/" + plan, "domainnames/tags.example.test", "restapis/%s/stages/t" % api):
            arn = "arn:aws:apigateway:us-east-1::/" + path
            self.api.tag_resource(resourceArn=arn, tags={"b": "2"})
            self.assertEqual(self.api.get_tags(resourceArn=arn)["tags"], {"a": "1", "b": "2"}, path)
            self.api.untag_resource(resourceArn=arn, tagKeys=["a"])
            self.assertEqual(self.api.get_tags(resourceArn=arn)["tags"], {"b": "2"}, path)
        self.assertEqual(self.api.get_api_key(apiKey=key)["tags"], {"b": "2"})
        self.refused("NotFoundException", self.api.get_tags, resourceArn="arn:aws:apigateway:us-east-1::/apikeys/nope")
        self.refused("BadRequestException", self.api.get_tags, resourceArn="arn:aws:apigateway:us-east-1::/nope/x")

    # ---- keys and their use ----

    def keyed(self, **plan):
        api = self.make(method={"apiKeyRequired": True})
        key = self.api.create_api_key(name="k", enabled=True)
        plan = self.api.create_usage_plan(name="p", apiStages=[{"apiId": api, "stage": "dev"}], **plan)["id"]
        self.api.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        return api, key, plan

    def test_usage_can_be_extended(self):
        api, key, plan = self.keyed(quota={"limit": 2, "period": "MONTH"})

        def calls(count):
            return [self.get(api, **{"x-api-key": key["value"]})[0] for _ in range(count)]
        self.assertEqual(calls(3), [200, 200, 429])
        got = self.api.update_usage(usagePlanId=plan, keyId=key["id"], patchOperations=[{"op": "replace", "path": "/remaining", "value": "1"}])
        self.assertEqual(got["items"], {key["id"]: [[2, 1]]})
        self.assertEqual(calls(2), [200, 429])
        usage = self.api.get_usage(usagePlanId=plan, startDate="2000-01-01", endDate="2100-01-01")["items"]
        self.assertEqual(usage, {key["id"]: [[3, 0]]})
        for path, value in (("/remaining", "-1"), ("/remaining", "x"), ("/used", "1")):
            self.refused("BadRequestException", self.api.update_usage, usagePlanId=plan, keyId=key["id"], patchOperations=[
                {"op": "replace", "path": path, "value": value}])
        self.refused("NotFoundException", self.api.update_usage, usagePlanId=plan, keyId="nope", patchOperations=[])
        api, key, plan = self.keyed()
        self.refused("BadRequestException", self.api.update_usage, usagePlanId=plan, keyId=key["id"], patchOperations=[
            {"op": "replace", "path": "/remaining", "value": "1"}])

    def test_a_plan_throttles_single_methods_of_a_stage(self):
        api, key, plan = self.keyed(throttle={"rateLimit": 1000, "burstLimit": 1000})

        def calls(count):
            return [self.get(api, **{"x-api-key": key["value"]})[0] for _ in range(count)]

        def patch(op, path, value=None):
            return self.api.update_usage_plan(usagePlanId=plan, patchOperations=[
                {"op": op, "path": path, **({} if value is None else {"value": value})}])["apiStages"][0].get("throttle")
        at = "/apiStages/%s:dev/throttle" % api
        patch("replace", at + "/~1x~1GET/rateLimit", "0.001")
        self.assertEqual(patch("replace", at + "/x/GET/burstLimit", "2"), {"/x/GET": {"rateLimit": 0.001, "burstLimit": 2}})
        self.assertEqual(calls(3), [200, 200, 429])
        self.assertEqual(patch("remove", at + "/x/GET"), {})
        self.assertEqual(calls(3), [200] * 3)
        for path, value in ((at + "/x/GET/rateLimit", "-1"), (at + "/x/GET/nope", "1"), ("/apiStages/nope:dev/throttle/x/GET/rateLimit", "1"),
                            ("/apiStages/x", "1")):
            with self.assertRaises(ClientError) as raised:
                patch("replace", path, value)
            self.assertEqual(raised.exception.response["Error"]["Code"], "BadRequestException", path)
        self.assertIsNone(patch("remove", at))

    def test_keys_are_imported_from_csv(self):
        plan = self.api.create_usage_plan(name="csv")["id"]
        body = ('Key,name,enabled,usageplanIds,description\r\n%s,one,TRUE,"%s,nope","a ""b"", c"\r\n\r\n%s,two,false,,\n' %
                ("1" * 20, plan, "2" * 128))
        got = self.api.import_api_keys(body=body.encode(), format="csv")
        self.assertEqual((len(got["ids"]), got["warnings"]), (2, ["Invalid Usage Plan ID specified: nope"]))
        one, two = [self.api.get_api_key(apiKey=i, includeValue=True) for i in got["ids"]]
        self.assertEqual([one[k] for k in ("name", "value", "enabled", "description")], ["one", "1" * 20, True, 'a "b", c'])
        self.assertEqual((two["name"], two["value"], two["enabled"]), ("two", "2" * 128, False))
        self.assertEqual([k["id"] for k in self.api.get_usage_plan_keys(usagePlanId=plan)["items"]], [got["ids"][0]])
        count = len(self.api.get_api_keys(limit=500)["items"])
        for bad in (b"", b"name\nx", b"name,key\nx,short", b'name,key\nx,"' + b"3" * 20, body.encode(),
                    b"name,key\na,%s\nb,%s" % (b"4" * 20, b"4" * 20), b"name,key" + b",c" * 15, b"name,key\nx," + b"5" * 129):
            with self.assertRaises(ClientError, msg=bad):
                self.api.import_api_keys(body=bad, format="csv")
        self.refused("BadRequestException", self.api.import_api_keys, failOnWarnings=True, format="csv",
                     body=b"name,key,usageplanIds\nx,%s,nope" % (b"6" * 20))
        self.assertEqual(len(self.api.get_api_keys(limit=500)["items"]), count)
        self.assertEqual([k["name"] for k in self.api.get_api_keys(nameQuery="on", includeValues=True)["items"]], ["one"])
