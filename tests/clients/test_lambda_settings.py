"""Concurrency, function URLs, event invoke configurations, event source mappings, code signing and the small settings."""
import unittest

from boto import ARN, Boto

BAD, NONE, CONFLICT = "InvalidParameterValueException", "ResourceNotFoundException", "ResourceConflictException"
FUNCTIONS_ONLY = ("This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                  "operation. Please specify either a function name or an unqualified function ARN.")


def plain(reply):
    return {k: v for k, v in reply.items() if k != "ResponseMetadata"}


class Concurrency(Boto):
    def test_reserved_concurrency(self):
        f = self.make()
        self.assertEqual(plain(self.l.get_function_concurrency(FunctionName=f)), {})
        self.assertEqual(plain(self.l.put_function_concurrency(FunctionName=f, ReservedConcurrentExecutions=7)),
                         {"ReservedConcurrentExecutions": 7})
        self.assertEqual(self.l.get_function(FunctionName=f)["Concurrency"], {"ReservedConcurrentExecutions": 7})
        limit = self.l.get_account_settings()["AccountLimit"]
        self.assertEqual((limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]), (1000, 993))
        self.l.put_function_concurrency(FunctionName=f, ReservedConcurrentExecutions=900)
        reply = self.fails(BAD, "Specified ReservedConcurrentExecutions for function decreases account's "
                           "UnreservedConcurrentExecution below its minimum value of [100].",
                           self.l.put_function_concurrency, FunctionName=f, ReservedConcurrentExecutions=901)
        self.assertNotIn("Type", reply)
        self.fails(BAD, FUNCTIONS_ONLY, self.l.put_function_concurrency, FunctionName=f + ":1",
                   ReservedConcurrentExecutions=1)
        self.fails(NONE, "Function not found: " + ARN + "doesnotexist:$LATEST", self.l.put_function_concurrency,
                   FunctionName="doesnotexist", ReservedConcurrentExecutions=1)
        self.fails(NONE, "Function not found: " + ARN + "doesnotexist", self.l.get_function_concurrency,
                   FunctionName="doesnotexist")
        self.l.delete_function_concurrency(FunctionName=f)
        self.assertNotIn("Concurrency", self.l.get_function(FunctionName=f))

    def test_provisioned_concurrency(self):
        f = self.make()
        put, get = self.l.put_provisioned_concurrency_config, self.l.get_provisioned_concurrency_config
        one = dict(FunctionName=f, ProvisionedConcurrentExecutions=1)
        self.fails(BAD, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.", put,
                   **one, Qualifier="$LATEST")
        for call in (get, self.l.delete_provisioned_concurrency_config):
            self.fails(BAD, "The function resource provided must be an alias or a published version.", call,
                       FunctionName=f, Qualifier="$LATEST")
        self.fails(NONE, "Function not found: " + ARN + "doesnotexist:1", get, FunctionName="doesnotexist", Qualifier="1")
        self.fails(NONE, "Cannot find alias arn: " + ARN + "doesnotexist:noalias", get, FunctionName="doesnotexist",
                   Qualifier="noalias")
        self.fails(NONE, "Cannot find alias arn: " + ARN + f + ":noalias", put, **one, Qualifier="noalias")
        self.fails("ValidationException", "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' "
                   "failed to satisfy constraint: Member must have value greater than or equal to 1", put,
                   FunctionName=f, Qualifier="1", ProvisionedConcurrentExecutions=0)
        self.l.publish_version(FunctionName=f)
        self.l.create_alias(FunctionName=f, Name="live", FunctionVersion="1")
        self.fails("ProvisionedConcurrencyConfigNotFoundException",
                   "No Provisioned Concurrency Config found for this function", get, FunctionName=f, Qualifier="1")
        made = plain(put(**one, Qualifier="live"))
        self.assertEqual({k: v for k, v in made.items() if k != "LastModified"},
                         {"RequestedProvisionedConcurrentExecutions": 1, "AvailableProvisionedConcurrentExecutions": 0,
                          "AllocatedProvisionedConcurrentExecutions": 0, "Status": "IN_PROGRESS"})
        self.assertEqual(get(FunctionName=f, Qualifier="live")["RequestedProvisionedConcurrentExecutions"], 1)
        self.fails(CONFLICT, "Version is pointed by a Provisioned Concurrency alias", put, **one, Qualifier="1")
        listed = self.l.list_provisioned_concurrency_configs(FunctionName=f)["ProvisionedConcurrencyConfigs"]
        self.assertEqual([c["FunctionArn"] for c in listed], [ARN + f + ":live"])
        self.assertEqual(len(list(self.l.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=f))), 1)
        self.l.delete_provisioned_concurrency_config(FunctionName=f, Qualifier="live")
        self.l.delete_provisioned_concurrency_config(FunctionName=f, Qualifier="live")
        put(**one, Qualifier="1")
        self.fails(CONFLICT, "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned "
                   "version", put, **one, Qualifier="live")
        self.fails(BAD, "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                   "[1000].", put, FunctionName=f, Qualifier="1", ProvisionedConcurrentExecutions=1001)
        self.fails(BAD, "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                   "below its minimum value of [100].", put, FunctionName=f, Qualifier="1",
                   ProvisionedConcurrentExecutions=901)
        self.l.put_function_concurrency(FunctionName=f, ReservedConcurrentExecutions=1)
        self.fails(BAD, "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution "
                   "for function", put, FunctionName=f, Qualifier="1", ProvisionedConcurrentExecutions=2)
        self.l.delete_function_concurrency(FunctionName=f)
        put(FunctionName=f, Qualifier="1", ProvisionedConcurrentExecutions=2)
        self.addCleanup(self.l.delete_function, FunctionName=f)
        self.fails(BAD, " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned "
                   "concurrency [2].", self.l.put_function_concurrency, FunctionName=f, ReservedConcurrentExecutions=1)


class Urls(Boto):
    def test_a_url_from_creation_to_deletion(self):
        f = self.make()
        self.l.publish_version(FunctionName=f)
        self.l.create_alias(FunctionName=f, Name="live", FunctionVersion="1")
        made = self.l.create_function_url_config(FunctionName=f, AuthType="NONE")
        self.assertRegex(made["FunctionUrl"], r"^http://[a-z0-9]{32}\.lambda-url\.us-east-1\.localhost:%d/$" % self.s.port)
        self.assertEqual((made["FunctionArn"], made["AuthType"]), (ARN + f, "NONE"))
        url = "/2021-10-31/functions/%s/url" % f
        self.assertEqual(self.raw("GET", url)[1]["InvokeMode"], "BUFFERED")
        self.assertNotIn("LastModifiedTime", made)
        self.fails(CONFLICT, "Failed to create function url config for [functionArn = %s]. Error message:  "
                   "FunctionUrlConfig exists for this Lambda function" % (ARN + f), self.l.create_function_url_config,
                   FunctionName=f, AuthType="NONE")
        status, other = self.raw("POST", url + "?Qualifier=live", {
            "AuthType": "AWS_IAM", "Cors": {"AllowOrigins": ["*"], "MaxAge": 60}, "InvokeMode": "RESPONSE_STREAM"})
        self.assertEqual(status, 201)
        self.assertEqual((other["FunctionArn"], other["Cors"]), (ARN + f + ":live", {"AllowOrigins": ["*"], "MaxAge": 60}))
        changed = self.l.update_function_url_config(FunctionName=f, AuthType="AWS_IAM", Cors={"AllowMethods": ["GET"]})
        self.assertEqual((changed["FunctionUrl"], changed["AuthType"], changed["Cors"]),
                         (made["FunctionUrl"], "AWS_IAM", {"AllowMethods": ["GET"]}))
        got = self.l.get_function_url_config(FunctionName=f)
        self.assertEqual((got["CreationTime"], got["LastModifiedTime"]), (made["CreationTime"], changed["LastModifiedTime"]))
        arns = [c["FunctionArn"] for p in self.l.get_paginator("list_function_url_configs").paginate(
            FunctionName=f, PaginationConfig={"PageSize": 1}) for c in p["FunctionUrlConfigs"]]
        self.assertEqual(sorted(arns), [ARN + f, ARN + f + ":live"])
        self.l.delete_function_url_config(FunctionName=f)
        for call in (self.l.get_function_url_config, self.l.delete_function_url_config, self.l.update_function_url_config):
            self.fails(NONE, "The resource you requested does not exist.", call, FunctionName=f)
        self.assertEqual(self.raw("GET", url + "?Qualifier=live")[1]["InvokeMode"], "RESPONSE_STREAM")
        self.l.delete_alias(FunctionName=f, Name="live")
        self.assertEqual(self.l.list_function_url_configs(FunctionName=f)["FunctionUrlConfigs"], [])

    def test_what_urls_refuse(self):
        f = self.make()
        create = self.l.create_function_url_config
        for q in ("$LATEST", "1"):
            self.fails("ValidationException", "1 validation error detected: Value '%s' at 'qualifier' failed to satisfy "
                       "constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)" % q,
                       create, FunctionName=f, AuthType="NONE", Qualifier=q)
        self.assertEqual(self.raw("POST", "/2021-10-31/functions/%s/url" % f, {"AuthType": "NONE", "InvokeMode": "UNKNOWN"}),
                         (400, {"message": "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy "
                                "constraint: Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]"}))
        self.fails(NONE, "Function does not exist", create, FunctionName="nobody", AuthType="NONE")
        self.fails(NONE, "Function does not exist", create, FunctionName=f, AuthType="NONE", Qualifier="noalias")
        self.fails(NONE, "Function does not exist", self.l.list_function_url_configs, FunctionName="nobody")
        self.fails(NONE, "Function does not exist", self.l.update_function_url_config, FunctionName="nobody")
        self.fails(NONE, "The resource you requested does not exist.", self.l.get_function_url_config, FunctionName="nobody")


class EventInvoke(Boto):
    def test_configurations_of_qualifiers(self):
        f, other = self.make(), self.make(name="target-of-events")
        self.l.publish_version(FunctionName=f)
        self.l.create_alias(FunctionName=f, Name="live", FunctionVersion="1")
        put = self.l.put_function_event_invoke_config
        made = plain(put(FunctionName=f, DestinationConfig={"OnSuccess": {"Destination": ARN + other}}))
        made.pop("LastModified")
        self.assertEqual(made, {"FunctionArn": ARN + f + ":$LATEST", "DestinationConfig": {
            "OnFailure": {}, "OnSuccess": {"Destination": ARN + other}}})
        update = self.l.update_function_event_invoke_config
        changed = update(FunctionName=f, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60)
        self.assertEqual((changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"],
                          changed["DestinationConfig"]["OnSuccess"]), (1, 60, {"Destination": ARN + other}))
        again = put(FunctionName=f, MaximumRetryAttempts=0)
        self.assertNotIn("MaximumEventAgeInSeconds", again)
        self.assertEqual(again["DestinationConfig"], {"OnFailure": {}, "OnSuccess": {}})
        put(FunctionName=f, MaximumRetryAttempts=2, Qualifier="live")
        put(FunctionName=f + ":1", MaximumRetryAttempts=2)
        arns = [c["FunctionArn"] for p in self.l.get_paginator("list_function_event_invoke_configs").paginate(
            FunctionName=f, PaginationConfig={"PageSize": 2}) for c in p["FunctionEventInvokeConfigs"]]
        self.assertEqual(sorted(arns), sorted(ARN + f + q for q in (":$LATEST", ":1", ":live")))
        self.assertEqual(self.l.get_function_event_invoke_config(FunctionName=f)["MaximumRetryAttempts"], 0)
        self.l.delete_function_event_invoke_config(FunctionName=f, Qualifier="live")
        for call in (self.l.get_function_event_invoke_config, self.l.delete_function_event_invoke_config):
            self.fails(NONE, "The function %s:live doesn't have an EventInvokeConfig" % (ARN + f), call, FunctionName=f,
                       Qualifier="live")

    def test_what_they_refuse(self):
        f = self.make()
        put = self.l.put_function_event_invoke_config
        to = lambda on, arn: dict(FunctionName=f, DestinationConfig={on: {"Destination": arn}})
        self.fails(BAD, "You must specify at least one of error handling or destination setting.", put, FunctionName=f)
        self.fails(NONE, "The function doesn't exist.", put, FunctionName="nobody", MaximumRetryAttempts=1)
        self.fails(NONE, "The function doesn't exist.", put, FunctionName=f, Qualifier="noalias", MaximumRetryAttempts=1)
        self.fails(BAD, "The destination ARN " + ARN + "doesnotexist is invalid.", put,
                   **to("OnSuccess", ARN + "doesnotexist"))
        self.fails(BAD, "You can't specify the function as a destination for itself.", put, **to("OnSuccess", ARN + f))
        iam = (ARN + f).replace(":lambda:", ":iam:")
        self.fails(BAD, "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=%s), "
                   "onFailure=null) is invalid." % iam, put, **to("OnSuccess", iam))
        odd = (ARN + f).replace(":lambda:", ":_-/!lambda:")
        self.fails("ValidationException", "1 validation error detected: Value '%s' at 'destinationConfig.onFailure."
                   "destination' failed to satisfy constraint: Member must satisfy regular expression pattern: "
                   r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}"
                   r"((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)" % odd, put, **to("OnFailure", odd))
        self.fails(NONE, "The function %s:$LATEST doesn't have an EventInvokeConfig" % (ARN + f),
                   self.l.update_function_event_invoke_config, FunctionName=f, MaximumRetryAttempts=1)
        self.fails(NONE, "The function %sdoesnotexist:$LATEST doesn't have an EventInvokeConfig" % ARN,
                   self.l.get_function_event_invoke_config, FunctionName="doesnotexist")
        self.fails(NONE, "The function doesn't exist.", self.l.list_function_event_invoke_configs, FunctionName="doesnotexist")
        self.l.put_function_event_invoke_config(FunctionName=f, MaximumEventAgeInSeconds=21600, MaximumRetryAttempts=2)
        for age in (59, 21601):
            self.assertRaises(self.l.exceptions.ClientError, put, FunctionName=f, MaximumEventAgeInSeconds=age)


class Mappings(Boto):
    STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
    KAFKA = dict(SelfManagedEventSource={"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000", "kafka:2000"]}},
                 Topics=["topic"], StartingPosition="LATEST",
                 SourceAccessConfigurations=[{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:000000000000:secret:s"}])

    def test_a_mapping_from_creation_to_deletion(self):
        f = self.make()
        status, made = self.raw("POST", "/2015-03-31/event-source-mappings", {"FunctionName": f, **self.KAFKA, "Tags": {"a": "1"}})
        self.assertEqual(status, 202)
        uuid, arn = made["UUID"], made["EventSourceMappingArn"]
        self.assertRegex(uuid, "^[0-9a-f-]{36}$")
        self.assertEqual(arn, "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:" + uuid)
        self.assertEqual((made["State"], made["FunctionArn"], made["BatchSize"]), ("Creating", ARN + f, 100))
        self.assertNotIn("Tags", made)
        self.fails(CONFLICT, 'An event source mapping with event source ("kafka:1000,kafka:2000"), function ("%s"), '
                   'topics ("topic") already exists. Please update or delete the existing mapping with UUID %s' % (ARN + f, uuid),
                   self.l.create_event_source_mapping, FunctionName=f, **self.KAFKA)
        self.assertEqual(self.l.get_event_source_mapping(UUID=uuid)["State"], "Enabled")
        self.assertEqual(self.l.list_tags(Resource=arn)["Tags"], {"a": "1"})
        self.l.tag_resource(Resource=arn, Tags={"b": "2"})
        self.l.untag_resource(Resource=arn, TagKeys=["a"])
        changed = self.l.update_event_source_mapping(UUID=uuid, Enabled=False, BatchSize=7,
                                                     FilterCriteria={"Filters": [{"Pattern": '{"a":["b"]}'}]})
        self.assertEqual((changed["State"], changed["BatchSize"]), ("Disabling", 7))
        got = self.l.get_event_source_mapping(UUID=uuid)
        self.assertEqual((got["State"], got["FilterCriteria"]), ("Disabled", {"Filters": [{"Pattern": '{"a":["b"]}'}]}))
        self.assertEqual(self.l.list_tags(Resource=arn)["Tags"], {"b": "2"})
        other = self.make(name="other-target")
        moved = self.l.update_event_source_mapping(UUID=uuid, FunctionName=other)
        self.assertEqual((moved["State"], moved["FunctionArn"]), ("Updating", ARN + other))
        self.assertEqual(self.l.list_event_source_mappings(FunctionName=f)["EventSourceMappings"], [])
        self.assertEqual([m["UUID"] for m in self.l.list_event_source_mappings(FunctionName=other)["EventSourceMappings"]], [uuid])
        self.assertEqual(self.l.delete_event_source_mapping(UUID=uuid)["State"], "Deleting")
        for call in (self.l.get_event_source_mapping, self.l.delete_event_source_mapping, self.l.update_event_source_mapping):
            self.fails(NONE, "The resource you requested does not exist.", call, UUID=uuid)

    def test_a_mapping_of_a_stream(self):
        from boto import client_of
        f, db = self.make(), client_of(self.s, "dynamodb")
        stream = db.create_table(TableName="Streamed", BillingMode="PAY_PER_REQUEST",
                                 KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
                                 AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
                                 StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
                                 )["TableDescription"]["LatestStreamArn"]
        made = plain(self.l.create_event_source_mapping(FunctionName=f, EventSourceArn=stream, StartingPosition="LATEST",
                                                        FilterCriteria={"Filters": []}))
        uuid = made["UUID"]
        made.pop("LastModified")
        self.assertEqual(made, {
            "UUID": uuid, "BatchSize": 100, "BisectBatchOnFunctionError": False, "DestinationConfig": {"OnFailure": {}},
            "EventSourceArn": stream, "FunctionArn": ARN + f, "FunctionResponseTypes": [],
            "LastProcessingResult": "No records processed", "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "ParallelizationFactor": 1,
            "StartingPosition": "LATEST", "State": "Creating", "StateTransitionReason": "User action",
            "TumblingWindowInSeconds": 0, **({"EventSourceMappingArn": made["EventSourceMappingArn"]}
                                             if "EventSourceMappingArn" in made else {})})
        self.fails(CONFLICT, 'The event source arn (" %s ") and function (" %s ") provided mapping already exists. Please '
                   "update or delete the existing mapping with UUID %s" % (stream, f, uuid),
                   self.l.create_event_source_mapping, FunctionName=f, EventSourceArn=stream, StartingPosition="LATEST")
        self.assertEqual([m["UUID"] for m in self.l.list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"]],
                         [uuid])
        gone = stream[:-3] + "999"
        self.fails(BAD, "Stream not found: " + gone, self.l.create_event_source_mapping, FunctionName=f, EventSourceArn=gone,
                   StartingPosition="LATEST")

    def test_pages_of_mappings(self):
        uuids = []
        for i in range(3):
            f = self.make(name="paged-%d" % i)
            uuids.append(self.l.create_event_source_mapping(FunctionName=f, **self.KAFKA)["UUID"])
        got = [m["UUID"] for p in self.l.get_paginator("list_event_source_mappings").paginate(
            PaginationConfig={"PageSize": 2}) for m in p["EventSourceMappings"]]
        self.assertEqual([u for u in got if u in uuids], sorted(uuids))

    def test_what_mappings_refuse(self):
        f = self.make()
        create = lambda **more: dict(FunctionName=f, **more)
        fails = lambda text, **more: self.fails(BAD, text, self.l.create_event_source_mapping, **more)
        fails("Unrecognized event source.", **create())
        fails("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not "
              "be null.", **create(EventSourceArn=self.STREAM))
        fails("Unsupported starting position for arn type: " + self.STREAM,
              **create(EventSourceArn=self.STREAM, StartingPosition="AT_TIMESTAMP"))
        fails("Function does not exist", FunctionName="doesnotexist", EventSourceArn=self.STREAM, StartingPosition="LATEST")
        fails("Required 'sourceAccessConfigurations' parameter is missing.",
              **create(SelfManagedEventSource={"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000"]}}, StartingPosition="LATEST"))
        fails("Invalid filter pattern definition.",
              **create(**self.KAFKA, FilterCriteria={"Filters": [{"Pattern": "not json"}]}))
        fails("Unsupported DestinationConfig parameter for given event source mapping type.",
              **create(EventSourceArn="arn:aws:sqs:us-east-1:000000000000:q",
                       DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:d"}}))
        fails("Stream not found: arn:aws:kinesis:us-east-1:000000000000:stream/s",
              **create(EventSourceArn="arn:aws:kinesis:us-east-1:000000000000:stream/s", StartingPosition="LATEST"))
        self.fails("ValidationException", "1 validation error detected: Value 'invalid' at 'startingPosition' failed to "
                   "satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
                   self.l.create_event_source_mapping, **create(EventSourceArn=self.STREAM, StartingPosition="invalid"))


class Small(Boto):
    def test_code_signing(self):
        f = self.make()
        made = self.l.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [
            "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test"]}, Description="d")["CodeSigningConfig"]
        arn = made["CodeSigningConfigArn"]
        self.assertRegex(arn, "^arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-[a-z0-9]{17}$")
        self.assertEqual(made["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Warn"})
        self.assertEqual(plain(self.l.get_function_code_signing_config(FunctionName=f)), {})
        self.l.put_function_code_signing_config(FunctionName=f, CodeSigningConfigArn=arn)
        self.assertEqual(self.l.get_function_code_signing_config(FunctionName=f)["CodeSigningConfigArn"], arn)
        self.assertEqual(self.l.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"], [ARN + f])
        changed = self.l.update_code_signing_config(
            CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})["CodeSigningConfig"]
        self.assertEqual((changed["Description"], changed["AllowedPublishers"]), ("d", made["AllowedPublishers"]))
        self.assertEqual(self.l.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"], changed)
        self.assertIn(arn, [c["CodeSigningConfigArn"] for c in self.l.list_code_signing_configs()["CodeSigningConfigs"]])
        self.assertRaises(self.l.exceptions.ResourceConflictException, self.l.delete_code_signing_config,
                          CodeSigningConfigArn=arn)
        self.l.delete_function_code_signing_config(FunctionName=f)
        self.l.delete_code_signing_config(CodeSigningConfigArn=arn)
        gone = "The Lambda code signing configuration %s can not be found." % arn
        for call in (self.l.get_code_signing_config, self.l.update_code_signing_config, self.l.delete_code_signing_config,
                     self.l.list_functions_by_code_signing_config):
            self.assertNotIn("Type", self.fails(NONE, gone, call, CodeSigningConfigArn=arn))
        self.fails("CodeSigningConfigNotFoundException", "The code signing configuration cannot be found. Check that the "
                   "provided configuration is not deleted: %s." % arn, self.l.put_function_code_signing_config,
                   FunctionName=f, CodeSigningConfigArn=arn)
        self.fails(NONE, "Function not found: " + ARN + "csc-test-doesnotexist", self.l.get_function_code_signing_config,
                   FunctionName="csc-test-doesnotexist")

    def test_runtime_management_and_recursion(self):
        f = self.make()
        at = "/2021-07-20/functions/%s/runtime-management-config" % f  # PutRuntimeManagementConfig, GetRuntimeManagementConfig
        self.assertEqual(self.raw("GET", at), (200, {"FunctionArn": ARN + f, "UpdateRuntimeOn": "Auto"}))
        version = self.raw("GET", "/2015-03-31/functions/%s/configuration" % f)[1]["RuntimeVersionConfig"]["RuntimeVersionArn"]
        self.assertEqual(self.raw("PUT", at, {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": version})[0], 200)
        self.assertEqual(self.raw("GET", at)[1]["RuntimeVersionArn"], version)
        self.assertEqual(self.raw("PUT", at, {"UpdateRuntimeOn": "Manual"})[0], 400)
        self.assertEqual(self.raw("PUT", at, {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": version})[0], 400)
        at = "/2024-08-31/functions/%s/recursion-config" % f  # PutFunctionRecursionConfig, GetFunctionRecursionConfig
        self.assertEqual(self.raw("GET", at), (200, {"RecursiveLoop": "Terminate"}))
        self.assertEqual(self.raw("PUT", at, {"RecursiveLoop": "Allow"}), (200, {"RecursiveLoop": "Allow"}))
        self.assertEqual(self.raw("GET", at), (200, {"RecursiveLoop": "Allow"}))
        self.assertEqual(self.raw("PUT", at, {"RecursiveLoop": "InvalidValue"}), (400, {"message": "1 validation error "
                         "detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member must "
                         "satisfy enum value set: [Terminate, Allow]"}))

    def test_invoke_async(self):
        f = self.make()
        self.assertEqual(self.l.invoke_async(FunctionName=f, InvokeArgs=b"{}")["ResponseMetadata"]["HTTPStatusCode"], 202)
        self.fails(NONE, "Function not found: " + ARN + "nobody:$LATEST", self.l.invoke_async, FunctionName="nobody",
                   InvokeArgs=b"{}")

    def test_account_usage(self):
        f = self.make()
        size = self.l.get_function_configuration(FunctionName=f)["CodeSize"]
        before = self.l.get_account_settings()["AccountUsage"]
        self.l.publish_version(FunctionName=f)
        after = self.l.get_account_settings()["AccountUsage"]
        self.assertEqual((after["TotalCodeSize"] - before["TotalCodeSize"], after["FunctionCount"]),
                         (size, before["FunctionCount"]))

    def test_members_of_a_configuration(self):
        f = self.make(DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"},
                      EphemeralStorage={"Size": 10240}, MemorySize=10240, Timeout=900)
        got = self.l.get_function_configuration(FunctionName=f)
        self.assertEqual((got["DeadLetterConfig"], got["EphemeralStorage"], got["MemorySize"], got["Timeout"]),
                         ({"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"}, {"Size": 10240}, 10240, 900))
        got = self.l.update_function_configuration(FunctionName=f, DeadLetterConfig={"TargetArn": ""})
        self.assertNotIn("DeadLetterConfig", got)
        for more in ({"EphemeralStorage": {"Size": 511}}, {"EphemeralStorage": {"Size": 10241}}, {"MemorySize": 127},
                     {"MemorySize": 10241}, {"Timeout": 0}, {"Timeout": 901}):
            self.assertRaises(self.l.exceptions.ClientError, self.l.update_function_configuration, FunctionName=f, **more)
        self.fails(BAD, "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: "
                   "The subnet ID 'subnet-1' does not exist", self.l.update_function_configuration, FunctionName=f,
                   VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
        self.fails(BAD, "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "
                   "Message: The security group 'sg-1' does not exist", self.l.update_function_configuration, FunctionName=f,
                   VpcConfig={"SecurityGroupIds": ["sg-1"]})
        self.l.update_function_configuration(FunctionName=f, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
        self.fails(BAD, "nodejs20.x is not supported for SnapStart enabled functions.",
                   self.l.update_function_configuration, FunctionName=f, SnapStart={"ApplyOn": "PublishedVersions"})


if __name__ == "__main__":
    unittest.main()
