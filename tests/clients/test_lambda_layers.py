"""Layers: publishing, reading, policies, and functions that have them."""
import hashlib
import base64
import json
import unittest
import urllib.request

from boto import Boto
from puddle import make_zip

BAD, NONE, CONFLICT = "InvalidParameterValueException", "ResourceNotFoundException", "ResourceConflictException"
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:"
GONE = "The resource you requested does not exist."


class Layers(Boto):
    def publish(self, name=None, text="1", **more):
        return self.l.publish_layer_version(LayerName=name or self.name(), **more, Content={
            "ZipFile": make_zip({"nodejs/node_modules/dep/index.js": "module.exports = %s;" % text})})

    def test_a_layer_from_publishing_to_deletion(self):
        name = self.name()
        made = self.publish(Description="d", LicenseInfo="MIT", CompatibleRuntimes=["nodejs20.x"],
                            CompatibleArchitectures=["x86_64"])
        zipped = urllib.request.urlopen(made["Content"]["Location"]).read()
        self.assertEqual(made["Content"]["CodeSize"], len(zipped))
        self.assertEqual(made["Content"]["CodeSha256"], base64.b64encode(hashlib.sha256(zipped).digest()).decode())
        self.assertEqual((made["LayerArn"], made["LayerVersionArn"], made["Version"], made["Description"],
                          made["LicenseInfo"], made["CompatibleRuntimes"], made["CompatibleArchitectures"]),
                         (LAYER + name, LAYER + name + ":1", 1, "d", "MIT", ["nodejs20.x"], ["x86_64"]))
        self.assertEqual(self.publish(text="2")["Version"], 2)
        got = self.l.get_layer_version(LayerName=name, VersionNumber=1)
        self.assertEqual({k: got[k] for k in made if k != "ResponseMetadata"},
                         {k: made[k] for k in made if k != "ResponseMetadata"})
        self.assertEqual(self.l.get_layer_version_by_arn(Arn=LAYER + name + ":2")["Version"], 2)
        self.assertEqual(self.l.get_layer_version(LayerName=LAYER + name, VersionNumber=2)["Version"], 2)
        pages = list(self.l.get_paginator("list_layer_versions").paginate(LayerName=name, PaginationConfig={"PageSize": 1}))
        self.assertEqual([v["Version"] for p in pages for v in p["LayerVersions"]], [2, 1])
        self.assertNotIn("Content", pages[0]["LayerVersions"][0])
        mine = lambda **more: [(x["LayerName"], x["LatestMatchingVersion"]["Version"])
                               for x in self.l.list_layers(**more)["Layers"] if x["LayerName"] == name]
        self.assertEqual(mine(), [(name, 2)])
        self.assertEqual(mine(CompatibleRuntime="nodejs20.x", CompatibleArchitecture="x86_64"), [(name, 1)])
        self.assertEqual(mine(CompatibleRuntime="python3.12"), [])
        for number in (1, 2):
            self.l.delete_layer_version(LayerName=name, VersionNumber=number)
        self.l.delete_layer_version(LayerName=name, VersionNumber=2)
        self.assertEqual(mine(), [])
        self.assertEqual(self.l.list_layer_versions(LayerName=name)["LayerVersions"], [])
        self.assertEqual(self.publish()["Version"], 3)  # numbers are not used again

    def test_functions_with_layers(self):
        a, b = self.publish(self.name() + "-a"), self.publish(self.name() + "-b")
        f = self.make(Layers=[a["LayerVersionArn"], b["LayerVersionArn"]])
        expected = [{"Arn": x["LayerVersionArn"], "CodeSize": x["Content"]["CodeSize"]} for x in (a, b)]
        self.assertEqual(self.l.get_function_configuration(FunctionName=f)["Layers"], expected)
        self.l.publish_version(FunctionName=f)
        self.l.update_function_configuration(FunctionName=f, Layers=[b["LayerVersionArn"]])
        self.l.delete_layer_version(LayerName=self.name() + "-a", VersionNumber=1)
        self.assertEqual(self.l.get_function_configuration(FunctionName=f, Qualifier="1")["Layers"], expected)
        self.assertEqual(len(self.l.get_function_configuration(FunctionName=f)["Layers"]), 1)
        self.assertNotIn("Layers", self.l.update_function_configuration(FunctionName=f, Layers=[]))

    def test_what_functions_refuse(self):
        name, f = self.name(), self.make()
        self.publish(), self.publish()
        one, two = LAYER + name + ":1", LAYER + name + ":2"
        fails = lambda text, *layers: self.fails(BAD, text, self.l.update_function_configuration, FunctionName=f,
                                                 Layers=list(layers))
        same = ("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s "
                "are versions of the same layer.")
        fails(same % (one, two), one, two)
        fails(same % (one, one), one, one)
        fails("Layer version %s:9 does not exist." % (LAYER + name), LAYER + name + ":9")
        fails("Layer version %sdoesnotexist:1 does not exist." % LAYER, LAYER + "doesnotexist:1")
        fails("Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
              one.replace("us-east-1", "us-west-2"))
        many = [self.publish("%s-%d" % (name, i))["LayerVersionArn"] for i in range(6)]
        fails("Cannot reference more than 5 layers.", *many)
        self.l.update_function_configuration(FunctionName=f, Layers=many[:5])
        self.fails("ValidationException", "1 validation error detected: Value '[%s]' at 'layers' failed to satisfy "
                   "constraint: Member must satisfy constraint: [Member must have length less than or equal to 2048, Member "
                   "must have length greater than or equal to 1, Member must satisfy regular expression pattern: (arn:(aws"
                   r"[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:"
                   "[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)]" % (LAYER + name),
                   self.l.update_function_configuration, FunctionName=f, Layers=[LAYER + name])

    def test_what_layers_refuse(self):
        name = self.name()
        for call in (self.l.get_layer_version, self.l.delete_layer_version):
            for number in (0, -1):
                self.fails(BAD, "Layer Version Cannot be less than 1", call, LayerName=name, VersionNumber=number)
        self.fails(NONE, GONE, self.l.get_layer_version, LayerName=name, VersionNumber=1)
        self.publish()
        self.fails(NONE, GONE, self.l.get_layer_version, LayerName=name, VersionNumber=2)
        self.fails(NONE, GONE, self.l.get_layer_version_by_arn, Arn=LAYER + name + ":2")
        self.fails("ValidationException", "1 validation error detected: Value 'archdoesnotexist' at 'compatibleArchitecture' "
                   "failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]", self.l.list_layers,
                   CompatibleArchitecture="archdoesnotexist")
        self.fails(BAD, "Could not unzip uploaded file. Please check your file, then try to upload again.",
                   self.l.publish_layer_version, LayerName=name, Content={"ZipFile": b"no zip"})
        self.fails("ValidationException", "1 validation error detected: Value '%s' at 'arn' failed to satisfy constraint: "
                   "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|"
                   r"(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:"
                   "[a-zA-Z0-9-_]+)" % (LAYER + name), self.l.get_layer_version_by_arn, Arn=LAYER + name)

    def test_policies(self):
        name = self.name()
        self.publish()
        one = dict(LayerName=name, VersionNumber=1)
        allow = dict(Action="lambda:GetLayerVersion", Principal="*")
        add, remove = self.l.add_layer_version_permission, self.l.remove_layer_version_permission
        self.fails(NONE, "No policy is associated with the given resource.", self.l.get_layer_version_policy, **one)
        made = add(**one, **allow, StatementId="s1")
        self.assertEqual(json.loads(made["Statement"]), {"Sid": "s1", "Effect": "Allow", "Principal": "*",
                                                         "Action": "lambda:GetLayerVersion", "Resource": LAYER + name + ":1"})
        self.fails(CONFLICT, "The statement id (s1) provided already exists. Please provide a new statement id, or remove "
                   "the existing statement.", add, **one, **allow, StatementId="s1")
        stale = ("The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve "
                 "the latest Revision Id")
        self.fails("PreconditionFailedException", stale, add, **one, **allow, StatementId="s2", RevisionId="wrong")
        self.fails("PreconditionFailedException", stale, remove, **one, StatementId="s1", RevisionId="wrong")
        second = add(**one, **{**allow, "Principal": "111111111111"}, StatementId="s2", RevisionId=made["RevisionId"])
        policy = self.l.get_layer_version_policy(**one)
        self.assertEqual(policy["RevisionId"], second["RevisionId"])
        self.assertEqual([s["Principal"] for s in json.loads(policy["Policy"])["Statement"]],
                         ["*", {"AWS": "arn:aws:iam::111111111111:root"}])
        for other, where in ((dict(LayerName=name + "-doesnotexist", VersionNumber=1), name + "-doesnotexist:1"),
                             (dict(LayerName=name, VersionNumber=2), name + ":2")):
            gone = "Layer version %s does not exist." % (LAYER + where)
            self.fails(NONE, gone, add, **other, **allow, StatementId="s1")
            self.fails(NONE, gone, self.l.get_layer_version_policy, **other)
            self.fails(NONE, gone, remove, **other, StatementId="s1")
        self.fails(NONE, "Statement doesnotexist is not found in resource policy.", remove, **one, StatementId="doesnotexist")
        self.fails("ValidationException", "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: "
                   "Member must satisfy regular expression pattern: lambda:GetLayerVersion", add, **one, StatementId="s3",
                   Action="*", Principal="*")
        remove(**one, StatementId="s1")
        remove(**one, StatementId="s2")
        self.fails(NONE, "No policy is associated with the given resource.", self.l.get_layer_version_policy, **one)


if __name__ == "__main__":
    unittest.main()
