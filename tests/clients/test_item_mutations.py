"""Requests of item operations, damaged at random: each gets a reply that is JSON and no internal error, and the server
goes on. PUDDLE_MUTATIONS says how many (default 4000), PUDDLE_SEED from where."""
import copy
import http.client
import json
import os
import random
import unittest

from puddle import AUTH, Server

TABLE = {"TableName": "Tab", "BillingMode": "PAY_PER_REQUEST",
         "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in (("pk", "S"), ("sk", "N"), ("g", "N"), ("l", "S"))],
         "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
         "GlobalSecondaryIndexes": [{"IndexName": "gsi", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                     "Projection": {"ProjectionType": "KEYS_ONLY"}}],
         "LocalSecondaryIndexes": [{"IndexName": "lsi", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"},
                                                                      {"AttributeName": "l", "KeyType": "RANGE"}],
                                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]}}],
         "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}


def key(name):
    return {"pk": {"S": name}, "sk": {"N": "1"}}


ITEM = {**key("a"), "g": {"N": "5"}, "l": {"S": "q"}, "n": {"N": "3"},
        "x": {"L": [{"S": "a"}, {"M": {"b": {"NS": ["1", "2"]}}}]}}
ONE = {"ExpressionAttributeValues": {":v": {"N": "1"}}}
NAMED = {"ExpressionAttributeNames": {"#x": "x"}, **ONE}
ALL = {"ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE"}
OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
REQUESTS = [
    ("PutItem", {"TableName": "Tab", "Item": ITEM, "ConditionExpression": "attribute_not_exists(pk) OR n > :v",
                 "ReturnValues": "ALL_OLD", **ONE, **ALL, **OLD}),
    ("PutItem", {"TableName": "Tab", "Item": ITEM, "ConditionalOperator": "OR", "Expected": {
        "n": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "1"}]}, "q": {"Exists": False}}}),
    ("UpdateItem", {"TableName": "Tab", "Key": key("a"), "ReturnValues": "UPDATED_NEW", **NAMED, **ALL,
                    "UpdateExpression": "SET #x[1].b = :v, n = n + :v REMOVE l ADD g :v"}),
    ("UpdateItem", {"TableName": "Tab", "Key": key("a"), "ReturnValues": "ALL_NEW", "AttributeUpdates": {
        "n": {"Action": "ADD", "Value": {"N": "1"}}, "x": {"Action": "PUT", "Value": {"S": "1"}}, "l": {"Action": "DELETE"}}}),
    ("DeleteItem", {"TableName": "Tab", "Key": key("a"), "ConditionExpression": "size(#x) > :v", **NAMED}),
    ("GetItem", {"TableName": "Tab", "Key": key("a"), "ProjectionExpression": "#x[1].b, n", "ConsistentRead": True,
                 "ExpressionAttributeNames": {"#x": "x"}}),
    ("GetItem", {"TableName": "Tab", "Key": key("a"), "AttributesToGet": ["n", "x"]}),
    ("BatchGetItem", {"RequestItems": {"Tab": {"Keys": [key("a"), key("b")], "ProjectionExpression": "n"}}, **ALL}),
    ("BatchWriteItem", {"RequestItems": {"Tab": [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": key("b")}}]}, **ALL}),
    ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "Tab", "Key": key("a"), "ProjectionExpression": "n"}}], **ALL}),
    ("TransactWriteItems", {"ClientRequestToken": "t", "TransactItems": [
        {"Put": {"TableName": "Tab", "Item": ITEM, "ConditionExpression": "n < :v", **ONE, **OLD}},
        {"Update": {"TableName": "Tab", "Key": key("b"), "UpdateExpression": "SET n = if_not_exists(n, :v) + :v", **ONE}},
        {"Delete": {"TableName": "Tab", "Key": key("c")}},
        {"ConditionCheck": {"TableName": "Tab", "Key": key("d"), "ConditionExpression": "attribute_not_exists(pk)"}}], **ALL}),
]
NAMES = ["S", "N", "pk", "sk", "g", "l", "x", "Item", "Key", "Keys", "a", "", "Expected", "UpdateExpression",
         "ConditionExpression", ":v", "#x"]
VALUES = [None, True, 0, -1, 1.5, "", "a", "n", "1", "1e200", "#x", ":v", {}, [], {"S": "a"}, {"N": "1"}, {"N": "x"},
          {"B": "AA=="}, {"SS": ["a", "a"]}, {"NS": ["1"]}, {"L": []}, {"M": {}}, {"NULL": True},
          {"M": {"a": {"M": {"b": {"S": ""}}}}}, "ALL_OLD", "UPDATED_OLD", "NONE", "SET a = :v", "REMOVE #x[0], n",
          "a = b", "x[0].y", "attribute_exists(n)", "Tab", "nope", "x" * 300, "\ud800", "\u0000"]


def paths(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        for k in (value if isinstance(value, dict) else range(len(value))):
            yield from paths(value[k], path + (k,))


def at(value, path):
    for k in path:
        value = value[k]
    return value


def damage(body, dice):
    body = copy.deepcopy(body)
    for _ in range(dice.choice([1, 1, 1, 2, 3, 6])):
        inner = [p for p in paths(body) if p]
        if not inner:
            break
        path = dice.choice(inner)
        holder, what = at(body, path[:-1]), dice.randrange(6)
        if what == 0:
            del holder[path[-1]]
        elif what == 1 and isinstance(holder, dict):
            holder[dice.choice(NAMES)] = copy.deepcopy(dice.choice(VALUES))
        elif what == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(dice.choice(holder or VALUES)))
        elif what == 3:
            holder[path[-1]] = copy.deepcopy(at(body, dice.choice(list(paths(body)))))
        else:
            holder[path[-1]] = copy.deepcopy(dice.choice(VALUES))
    return body


class ItemMutations(unittest.TestCase):
    def test_damaged_requests_are_answered(self):
        dice = random.Random(int(os.environ.get("PUDDLE_SEED", "1")))
        server = Server("--quiet", ephemeral=True)
        self.addCleanup(server.close)
        self.assertEqual(server.dynamodb("CreateTable", TABLE)[0], 200)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        answered = {200: 0, 400: 0}
        for _ in range(int(os.environ.get("PUDDLE_MUTATIONS", "4000"))):
            operation, body = dice.choice(REQUESTS)
            sent = json.dumps(damage(body, dice) if dice.random() < 0.93 else body)
            connection.request("POST", "/", sent.encode(), {
                "X-Amz-Target": "DynamoDB_20120810." + operation, "Content-Type": "application/x-amz-json-1.0",
                "Authorization": AUTH % "dynamodb", "X-Amz-Date": "20260101T000000Z"})
            reply = connection.getresponse()
            got = reply.read()
            self.assertIn(reply.status, answered, (operation, sent, got))
            answered[reply.status] += 1
            json.loads(got)
        self.assertTrue(all(answered.values()), answered)


if __name__ == "__main__":
    unittest.main()
