// AWS SDK for JavaScript v2: DocumentClient, waiters, eachPage.
'use strict';
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1';
const assert = require('assert/strict');
const AWS = require('aws-sdk');
const { test, config, keys } = require('./check');

const db = new AWS.DynamoDB(config);
const doc = new AWS.DynamoDB.DocumentClient({ service: db });
const TableName = 'JsTwo';

async function code(request) {
  try {
    await request.promise();
  } catch (error) {
    return error.code;
  }
  return null;
}

test('waits for a table', async () => {
  await db.createTable({ TableName, ...keys('pk:S', 'n:N') }).promise();
  const { Table } = await db.waitFor('tableExists', { TableName }).promise();
  assert.equal(Table.TableStatus, 'ACTIVE');
});

test('puts, updates, gets and deletes', async () => {
  const Key = { pk: 'a', n: 1 };
  await doc.put({ TableName, Item: { ...Key, list: [1, { x: null }], set: doc.createSet(['p', 'q']), bin: Buffer.from([1, 2]) } }).promise();
  const { Attributes } = await doc.update({
    TableName, Key, UpdateExpression: 'SET #l[1].y = :v ADD hits :one', ExpressionAttributeNames: { '#l': 'list' },
    ExpressionAttributeValues: { ':v': 'new', ':one': 1 }, ReturnValues: 'ALL_NEW',
  }).promise();
  assert.deepEqual(Attributes.list, [1, { x: null, y: 'new' }]);
  assert.equal(Attributes.hits, 1);
  assert.deepEqual(Attributes.set.values.sort(), ['p', 'q']);
  assert.deepEqual([...Attributes.bin], [1, 2]);
  assert.equal(await code(doc.delete({ TableName, Key, ConditionExpression: 'hits > :n', ExpressionAttributeValues: { ':n': 5 } })), 'ConditionalCheckFailedException');
  assert.equal((await doc.delete({ TableName, Key, ReturnValues: 'ALL_OLD' }).promise()).Attributes.hits, 1);
});

test('pages with eachPage', async () => {
  await doc.batchWrite({ RequestItems: { [TableName]: Array.from({ length: 20 }, (_, n) => ({ PutRequest: { Item: { pk: 'q', n } } })) } }).promise();
  const seen = await new Promise((resolve, reject) => {
    const all = [];
    db.query({ TableName, KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': { S: 'q' } }, Limit: 6 }).eachPage((error, page) => {
      if (error) reject(error);
      else if (page) all.push(...page.Items.map((i) => +i.n.N));
      else resolve(all);
      return true;
    });
  });
  assert.deepEqual(seen, Array.from({ length: 20 }, (_, n) => n));
});

test('queries by the older parameters', async () => {
  const { Items } = await doc.query({
    TableName, KeyConditions: {
      pk: { ComparisonOperator: 'EQ', AttributeValueList: ['q'] }, n: { ComparisonOperator: 'BETWEEN', AttributeValueList: [3, 5] },
    }, AttributesToGet: ['n'],
  }).promise();
  assert.deepEqual(Items, [{ n: 3 }, { n: 4 }, { n: 5 }]);
});

test('scans, gets batches and runs transactions', async () => {
  const { Count } = await doc.scan({ TableName, FilterExpression: 'n < :n', ExpressionAttributeValues: { ':n': 4 } }).promise();
  assert.equal(Count, 4);
  const { Responses } = await doc.batchGet({ RequestItems: { [TableName]: { Keys: [{ pk: 'q', n: 1 }, { pk: 'q', n: 2 }] } } }).promise();
  assert.equal(Responses[TableName].length, 2);
  await doc.transactWrite({ TransactItems: [{ Put: { TableName, Item: { pk: 't', n: 1 } } }, { Delete: { TableName, Key: { pk: 'q', n: 1 } } }] }).promise();
  const got = await doc.transactGet({ TransactItems: [{ Get: { TableName, Key: { pk: 't', n: 1 } } }, { Get: { TableName, Key: { pk: 'q', n: 1 } } }] }).promise();
  assert.deepEqual(got.Responses, [{ Item: { pk: 't', n: 1 } }, {}]);
});

test('waits until a table is gone', async () => {
  await db.deleteTable({ TableName }).promise();
  await db.waitFor('tableNotExists', { TableName }).promise();
  assert.equal(await code(doc.get({ TableName, Key: { pk: 'a', n: 1 } })), 'ResourceNotFoundException');
});
