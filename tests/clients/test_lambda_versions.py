"""Versions, aliases, policies and tags, as boto3's users see them."""
import json
import urllib.request
import unittest

from boto import ARN, Boto, code

BAD, NONE, CONFLICT = "InvalidParameterValueException", "ResourceNotFoundException", "ResourceConflictException"
STALE = ("The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
         "retrieve the latest Revision Id")
VERSION = "exports.handler = async (e, c) => [process.env.AWS_LAMBDA_FUNCTION_VERSION, c.functionVersion, c.invokedFunctionArn, %r];"


class Versions(Boto):
    def test_versions_keep_what_they_were(self):
        f = self.make(VERSION % "one", Description="first")
        first = self.l.publish_version(FunctionName=f, Description="v1")
        self.assertEqual((first["Version"], first["FunctionArn"], first["Description"], first["State"]),
                         ("1", ARN + f + ":1", "v1", "Active"))
        again = self.l.publish_version(FunctionName=f, Description="other")
        self.assertEqual((again["Version"], again["Description"]), ("1", "v1"))  # nothing has changed
        self.l.update_function_code(FunctionName=f, ZipFile=code(VERSION % "two"))
        second = self.l.publish_version(FunctionName=f)
        self.assertEqual((second["Version"], second["Description"]), ("2", "first"))
        self.assertEqual(self.invoke(f + ":1")[1], ["1", "1", ARN + f + ":1", "one"])
        reply, got = self.invoke(f, Qualifier="2")
        self.assertEqual(got, ["2", "2", ARN + f + ":2", "two"])
        self.assertEqual(reply["ExecutedVersion"], "2")
        reply, got = self.invoke(f)
        self.assertEqual((reply["ExecutedVersion"], got[2:]), ("$LATEST", [ARN + f, "two"]))
        listed = self.l.list_versions_by_function(FunctionName=f)["Versions"]
        self.assertEqual([v["Version"] for v in listed], ["$LATEST", "1", "2"])
        self.assertEqual([v["FunctionArn"] for v in listed], [ARN + f + ":$LATEST", ARN + f + ":1", ARN + f + ":2"])
        self.assertNotIn("State", listed[0])
        pages = self.l.get_paginator("list_versions_by_function").paginate(FunctionName=f, PaginationConfig={"PageSize": 1})
        self.assertEqual([v["Version"] for p in pages for v in p["Versions"]], ["$LATEST", "1", "2"])

    def test_configuration_alone_makes_a_version_too(self):
        f = self.make(Environment={"Variables": {"AA": "1"}})
        self.l.publish_version(FunctionName=f)
        self.l.update_function_configuration(FunctionName=f, Environment={"Variables": {"AA": "2"}}, Timeout=9)
        self.assertEqual(self.l.publish_version(FunctionName=f)["Version"], "2")
        old = self.l.get_function_configuration(FunctionName=f, Qualifier="1")
        self.assertEqual((old["Environment"]["Variables"], old["Timeout"]), ({"AA": "1"}, 3))
        self.l.update_function_configuration(FunctionName=f, Environment={"Variables": {"AA": "2"}}, Timeout=9)
        self.assertEqual(self.l.publish_version(FunctionName=f)["Version"], "2")

    def test_publish_with_create_and_update(self):
        f = self.name()
        created = self.l.create_function(FunctionName=f, Runtime="nodejs20.x", Handler="index.handler", Publish=True,
                                         Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": code()})
        self.assertEqual((created["Version"], created["FunctionArn"], created["State"]), ("1", ARN + f, "Pending"))
        self.l.get_waiter("function_active_v2").wait(FunctionName=f)
        self.l.get_waiter("published_version_active").wait(FunctionName=f, Qualifier="1")
        updated = self.l.update_function_code(FunctionName=f, ZipFile=code("exports.handler = 1"), Publish=True)
        self.assertEqual((updated["Version"], updated["FunctionArn"]), ("2", ARN + f + ":2"))
        self.l.get_waiter("function_updated_v2").wait(FunctionName=f)
        dry = self.l.update_function_code(FunctionName=f, ZipFile=code("x"), DryRun=True)
        self.assertEqual(dry["Version"], "$LATEST")
        self.assertNotEqual(dry["CodeSha256"], self.l.get_function_configuration(FunctionName=f)["CodeSha256"])

    def test_publish_version_checks(self):
        f = self.make()
        config = self.l.get_function_configuration(FunctionName=f)
        self.fails(BAD, "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST (%s). "
                        "Please try again with the CodeSHA256 in $LATEST." % config["CodeSha256"],
                   self.l.publish_version, FunctionName=f, CodeSha256="somenonexistentsha256")
        self.fails("PreconditionFailedException", STALE, self.l.publish_version, FunctionName=f, RevisionId="wrong")
        self.fails(NONE, "Function not found: " + ARN + "nobody", self.l.publish_version, FunctionName="nobody")
        self.l.publish_version(FunctionName=f, CodeSha256=config["CodeSha256"], RevisionId=config["RevisionId"])
        self.fails("PreconditionFailedException", STALE, self.l.update_function_code, FunctionName=f,
                   ZipFile=code(), RevisionId="wrong")
        self.fails("PreconditionFailedException", STALE, self.l.update_function_configuration, FunctionName=f,
                   Timeout=4, RevisionId="wrong")

    def test_deleting_versions(self):
        f = self.make()
        self.l.publish_version(FunctionName=f)
        self.l.update_function_configuration(FunctionName=f, Timeout=5)
        self.l.publish_version(FunctionName=f)
        self.l.create_alias(FunctionName=f, Name="live", FunctionVersion="2")
        self.l.create_alias(FunctionName=f, Name="both", FunctionVersion="1",
                            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
        self.fails(CONFLICT, "Unable to delete version because the following aliases reference it: [both, live]",
                   self.l.delete_function, FunctionName=f, Qualifier="2")
        self.fails(BAD, "$LATEST version cannot be deleted without deleting the function.",
                   self.l.delete_function, FunctionName=f, Qualifier="$LATEST")
        self.l.delete_alias(FunctionName=f, Name="both")
        self.l.delete_function(FunctionName=f, Qualifier="1")
        self.l.delete_function(FunctionName=f, Qualifier="1221")  # no such version: nothing happens
        self.fails(NONE, "Function not found: " + ARN + f + ":1", self.l.get_function, FunctionName=f, Qualifier="1")
        self.fails(NONE, "Function not found: " + ARN + f + ":1", self.l.invoke, FunctionName=f + ":1")
        self.l.update_function_configuration(FunctionName=f, Timeout=6)
        self.assertEqual(self.l.publish_version(FunctionName=f)["Version"], "3")  # numbers are not used again
        self.l.delete_function(FunctionName=f)
        self.fails(NONE, "Function not found: " + ARN + f, self.l.list_versions_by_function, FunctionName=f)
        f = self.make()
        self.assertEqual(self.l.list_aliases(FunctionName=f)["Aliases"], [])
        self.assertEqual(self.l.publish_version(FunctionName=f)["Version"], "1")

    def test_the_package_of_a_version_can_be_downloaded(self):
        f = self.make("// one\n")
        self.l.publish_version(FunctionName=f)
        one = self.l.get_function(FunctionName=f, Qualifier="1")["Code"]["Location"]
        self.l.update_function_code(FunctionName=f, ZipFile=code("// two\n"))
        with urllib.request.urlopen(one) as reply:
            self.assertEqual(reply.read(), code("// one\n"))
        with urllib.request.urlopen(self.l.get_function(FunctionName=f)["Code"]["Location"]) as reply:
            self.assertEqual(reply.read(), code("// two\n"))

    def test_list_functions_with_all_versions(self):
        f = self.make(name="zz-last")
        self.l.publish_version(FunctionName=f)
        arns = [x["FunctionArn"] for p in self.l.get_paginator("list_functions").paginate(FunctionVersion="ALL")
                for x in p["Functions"]]
        self.assertEqual(arns[-2:], [ARN + f + ":$LATEST", ARN + f + ":1"])
        plain = [x["FunctionArn"] for x in self.l.list_functions()["Functions"]]
        self.assertIn(ARN + f, plain)
        self.assertNotIn(ARN + f + ":1", plain)
        self.assertEqual([x["FunctionArn"] for p in self.l.get_paginator("list_functions").paginate(
            PaginationConfig={"PageSize": 2}) for x in p["Functions"]], plain)
        self.fails("ValidationException", "1 validation error detected: Value 'invalid' at 'functionVersion' failed to "
                   "satisfy constraint: Member must satisfy enum value set: [ALL]", self.l.list_functions,
                   FunctionVersion="invalid")


class Aliases(Boto):
    def two(self, **more):
        f = self.make(VERSION % "x", **more)
        self.l.publish_version(FunctionName=f)
        self.l.update_function_configuration(FunctionName=f, Timeout=5)
        self.l.publish_version(FunctionName=f)
        return f

    def test_an_alias_from_creation_to_deletion(self):
        f = self.two()
        made = self.l.create_alias(FunctionName=f, Name="live", FunctionVersion="1", Description="d")
        made.pop("ResponseMetadata")
        self.assertEqual(made, {"AliasArn": ARN + f + ":live", "Name": "live", "FunctionVersion": "1",
                                "Description": "d", "RevisionId": made["RevisionId"]})
        self.assertEqual(self.invoke(f, Qualifier="live")[1][:3], ["1", "1", ARN + f + ":live"])
        config = self.l.get_function(FunctionName=f + ":live")["Configuration"]
        self.assertEqual((config["Version"], config["FunctionArn"]), ("1", ARN + f + ":live"))
        moved = self.l.update_alias(FunctionName=f, Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
        self.assertEqual((moved["FunctionVersion"], moved["Description"]), ("2", "d"))
        self.assertNotEqual(moved["RevisionId"], made["RevisionId"])
        reply, got = self.invoke(f + ":live")
        self.assertEqual((reply["ExecutedVersion"], got[0]), ("2", "2"))
        self.fails("PreconditionFailedException", STALE, self.l.update_alias, FunctionName=f, Name="live",
                   RevisionId=made["RevisionId"])
        self.assertEqual(self.l.get_alias(FunctionName=f, Name="live")["RevisionId"], moved["RevisionId"])
        for n in range(3):
            self.l.create_alias(FunctionName=f, Name="a%d" % n, FunctionVersion="1")
        self.assertEqual([a["Name"] for a in self.l.list_aliases(FunctionName=f, FunctionVersion="1")["Aliases"]],
                         ["a0", "a1", "a2"])
        pages = self.l.get_paginator("list_aliases").paginate(FunctionName=f, PaginationConfig={"PageSize": 3})
        self.assertEqual([[a["Name"] for a in p["Aliases"]] for p in pages], [["a0", "a1", "a2"], ["live"]])
        self.l.delete_alias(FunctionName=f, Name="live")
        self.l.delete_alias(FunctionName=f, Name="live")
        self.fails(NONE, "Cannot find alias arn: " + ARN + f + ":live", self.l.get_alias, FunctionName=f, Name="live")
        self.fails(NONE, "Alias not found: " + ARN + f + ":live", self.l.update_alias, FunctionName=f, Name="live")
        self.fails(NONE, "Function not found: " + ARN + f + ":live", self.l.invoke, FunctionName=f, Qualifier="live")

    def test_weights(self):
        f = self.two()
        self.l.create_alias(FunctionName=f, Name="w", FunctionVersion="1",
                            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
        got = [self.invoke(f, Qualifier="w")[0]["ExecutedVersion"] for _ in range(60)]
        self.assertEqual(set(got), {"1", "2"})  # by chance wrong once in 2**59
        kept = self.l.update_alias(FunctionName=f, Name="w", Description="still")
        self.assertEqual(kept["RoutingConfig"], {"AdditionalVersionWeights": {"2": 0.5}})
        self.l.update_alias(FunctionName=f, Name="w", RoutingConfig={"AdditionalVersionWeights": {"2": 0.0}})
        self.assertEqual({self.invoke(f, Qualifier="w")[0]["ExecutedVersion"] for _ in range(10)}, {"1"})
        self.assertNotIn("RoutingConfig", self.l.update_alias(FunctionName=f, Name="w", RoutingConfig={}))

    def test_what_aliases_refuse(self):
        f = self.two()
        make = lambda **more: dict(FunctionName=f, Name="custom", FunctionVersion="1", **more)
        weights = lambda **w: {"AdditionalVersionWeights": {k[1:]: v for k, v in w.items()}}
        create = self.l.create_alias
        self.fails(BAD, "Number of items in AdditionalVersionWeights cannot be greater than 1", create,
                   **make(RoutingConfig=weights(v1=0.8, v2=0.2)))
        for value in ("2.0", "-1.0"):
            self.fails("ValidationException", "1 validation error detected: Value '{2=%s}' at "
                       "'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy "
                       "constraint: [Member must have value less than or equal to 1.0, Member must have value greater "
                       "than or equal to 0.0, Member must not be null]" % value, create,
                       **make(RoutingConfig=weights(v2=float(value))))
        self.fails(BAD, "Invalid function version 1. Function version 1 is already included in routing configuration.",
                   create, **make(RoutingConfig=weights(v1=0.5)))
        self.fails(NONE, "Function not found: " + ARN + f + ":10", create, FunctionName=f, Name="custom",
                   FunctionVersion="10", RoutingConfig=weights(v2=0.5))
        self.fails(NONE, "Function not found: " + ARN + f + ":10", create, **make(RoutingConfig=weights(v10=0.5)))
        reply = self.fails(BAD, "$LATEST is not supported for an alias pointing to more than 1 version", create,
                           FunctionName=f, Name="custom", FunctionVersion="$LATEST", RoutingConfig=weights(v1=0.5))
        self.assertNotIn("Type", reply)
        self.fails(NONE, "Function not found: " + ARN + f + "-unknown:1", create, FunctionName=f + "-unknown",
                   Name="custom", FunctionVersion="1")
        self.fails("ValidationException", "1 validation error detected: Value '2024' at 'name' failed to satisfy "
                   "constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)", create,
                   FunctionName=f, Name="2024", FunctionVersion="1")
        create(**make(RoutingConfig={}))
        self.fails(CONFLICT, "Alias already exists: " + ARN + f + ":custom", create, **make())
        create(FunctionName=f, Name="latest", FunctionVersion="$LATEST")
        self.assertEqual(self.invoke(f + ":latest")[1][0], "$LATEST")
        self.fails(BAD, "The derived qualifier from the function name does not match the specified qualifier.",
                   self.l.get_function, FunctionName=f + ":1", Qualifier="2")


class Policies(Boto):
    def test_policies_of_qualifiers(self):
        f = self.make()
        self.l.publish_version(FunctionName=f)
        self.l.create_alias(FunctionName=f, Name="live", FunctionVersion="1")
        add = lambda sid, **more: json.loads(self.l.add_permission(
            FunctionName=f, StatementId=sid, Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
            **more)["Statement"])
        self.assertEqual(add("s1"), {"Sid": "s1", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                     "Action": "lambda:InvokeFunction", "Resource": ARN + f})
        self.assertEqual(add("s1", Qualifier="1")["Resource"], ARN + f + ":1")
        self.assertEqual(add("s1", Qualifier="live")["Resource"], ARN + f + ":live")
        self.assertEqual(add("s2", SourceArn="arn:aws:s3:::b", SourceAccount="111111111111")["Condition"],
                         {"StringEquals": {"AWS:SourceAccount": "111111111111"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}})
        policy = self.l.get_policy(FunctionName=f, Qualifier="live")
        self.assertEqual([s["Sid"] for s in json.loads(policy["Policy"])["Statement"]], ["s1"])
        self.fails("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call "
                   "the GetPolicy API to retrieve the latest Revision Id", self.l.remove_permission, FunctionName=f,
                   StatementId="s1", Qualifier="live", RevisionId="wrong")
        self.l.remove_permission(FunctionName=f, StatementId="s1", Qualifier="live", RevisionId=policy["RevisionId"])
        self.fails(NONE, "The resource you requested does not exist.", self.l.get_policy, FunctionName=f, Qualifier="live")
        self.fails(NONE, "No policy is associated with the given resource.", self.l.remove_permission, FunctionName=f,
                   StatementId="s1", Qualifier="live")
        self.assertEqual(len(json.loads(self.l.get_policy(FunctionName=f)["Policy"])["Statement"]), 2)

    def test_what_policies_refuse(self):
        f = self.make()
        one = dict(FunctionName=f, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
        add = self.l.add_permission
        self.fails(BAD, "We currently do not support adding policies for $LATEST.", add, **one, Qualifier="$LATEST")
        self.fails(NONE, "Function not found: " + ARN + f + ":42", add, **one, Qualifier="42")
        self.fails(NONE, "Function not found: " + ARN + f + ":valid-with-$-but-doesnotexist", add, **one,
                   Qualifier="valid-with-$-but-doesnotexist")
        self.fails(NONE, "Cannot find alias arn: " + ARN + f + ":alias-doesnotexist", add, **one,
                   Qualifier="alias-doesnotexist")
        self.fails(BAD, "The provided principal was invalid. Please check the principal and try again.", add,
                   **{**one, "Principal": "not-a-service"})
        self.fails(NONE, "No policy found for: " + ARN + "doesnotexist", self.l.remove_permission,
                   FunctionName="doesnotexist", StatementId="s3")
        self.fails(NONE, "Function not found: " + ARN + "doesnotexist", self.l.get_policy, FunctionName="doesnotexist")
        self.fails(NONE, "The resource you requested does not exist.", self.l.get_policy, FunctionName=f)
        self.fails(NONE, "No policy is associated with the given resource.", self.l.remove_permission, FunctionName=f,
                   StatementId="s3")
        add(**one)
        self.fails(CONFLICT, "The statement id (s3) provided already exists. Please provide a new statement id, or "
                   "remove the existing statement.", add, **one)
        self.fails(NONE, "Statement non-existent is not found in resource policy.", self.l.remove_permission,
                   FunctionName=f, StatementId="non-existent")


class Tags(Boto):
    def test_tags_of_functions_and_mappings(self):
        f = self.make(Tags={"a": "1"})
        self.l.tag_resource(Resource=ARN + f, Tags={"b": "2", "a": "3"})
        self.assertEqual(self.l.list_tags(Resource=ARN + f)["Tags"], {"a": "3", "b": "2"})
        self.l.untag_resource(Resource=ARN + f, TagKeys=["a", "none"])
        self.assertEqual(self.l.get_function(FunctionName=f)["Tags"], {"b": "2"})
        self.fails(BAD, "Tags on function aliases and versions are not supported. Please specify a function ARN.",
                   self.l.list_tags, Resource=ARN + f + ":1")
        self.fails(BAD, "An error occurred and the request cannot be processed.", self.l.tag_resource, Resource=ARN + f,
                   Tags={})
        self.fails(BAD, "Number of tags exceeds resource tag limit.", self.l.tag_resource, Resource=ARN + f,
                   Tags={"k%d" % i: "v" for i in range(51)})
        self.l.tag_resource(Resource=ARN + f, Tags={"k%d" % i: "v" for i in range(49)})
        self.fails(BAD, "Number of tags exceeds resource tag limit.", self.l.tag_resource, Resource=ARN + f,
                   Tags={"one": "more"})
        none = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:00000000-0000-0000-0000-000000000000"
        self.fails(NONE, "Event source mapping not found: " + none, self.l.list_tags, Resource=none)
        none = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:x"
        self.fails(NONE, "Capacity provider not found: " + none, self.l.list_tags, Resource=none)
        self.fails(NONE, "Function not found: " + ARN + "doesnotexist", self.l.list_tags, Resource=ARN + "doesnotexist")


if __name__ == "__main__":
    unittest.main()
