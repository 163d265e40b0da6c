// AWS SDK for JavaScript v3: the client, its paginators and waiters.
'use strict';
const assert = require('assert/strict');
const d = require('@aws-sdk/client-dynamodb');
const s = require('@aws-sdk/client-dynamodb-streams');
const { test, config, keys, rejects } = require('./check');

const db = new d.DynamoDBClient(config);
const streams = new s.DynamoDBStreamsClient(config);
const S = (x) => ({ S: x });
const N = (x) => ({ N: String(x) });

test('waits for a table, lists and describes it', async () => {
  await db.send(new d.CreateTableCommand({ TableName: 'JsThree', ...keys('pk:S', 'sk:N') }));
  const { state } = await d.waitUntilTableExists({ client: db, minDelay: 1, maxWaitTime: 20 }, { TableName: 'JsThree' });
  assert.equal(state, 'SUCCESS');
  const names = [];
  for await (const page of d.paginateListTables({ client: db, pageSize: 1 }, {})) names.push(...page.TableNames);
  assert.ok(names.includes('JsThree'));
  const { Table } = await db.send(new d.DescribeTableCommand({ TableName: 'JsThree' }));
  assert.equal(Table.TableStatus, 'ACTIVE');
  assert.ok(Table.CreationDateTime instanceof Date);
});

test('puts with a condition, and the error carries the item', async () => {
  const Item = { pk: S('c'), sk: N(1), v: S('x') };
  await db.send(new d.PutItemCommand({ TableName: 'JsThree', Item, ConditionExpression: 'attribute_not_exists(pk)' }));
  const error = await rejects(db.send(new d.PutItemCommand({
    TableName: 'JsThree', Item, ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })), 'ConditionalCheckFailedException');
  assert.ok(error instanceof d.ConditionalCheckFailedException);
  assert.deepEqual(error.Item, Item);
  assert.equal(error.$metadata.httpStatusCode, 400);
});

test('updates and returns what changed', async () => {
  const { Attributes } = await db.send(new d.UpdateItemCommand({
    TableName: 'JsThree', Key: { pk: S('u'), sk: N(1) }, UpdateExpression: 'ADD n :one SET l = list_append(if_not_exists(l, :e), :l)',
    ExpressionAttributeValues: { ':one': N(1), ':e': { L: [] }, ':l': { L: [S('a')] } }, ReturnValues: 'UPDATED_NEW',
  }));
  assert.deepEqual(Attributes, { n: N(1), l: { L: [S('a')] } });
});

test('writes a batch and pages through a query', async () => {
  const puts = Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { pk: S('q'), sk: N(i) } } }));
  const { UnprocessedItems } = await db.send(new d.BatchWriteItemCommand({ RequestItems: { JsThree: puts } }));
  assert.deepEqual(UnprocessedItems, {});
  const seen = [];
  const input = {
    TableName: 'JsThree', KeyConditionExpression: 'pk = :p AND sk >= :s', ExpressionAttributeValues: { ':p': S('q'), ':s': N(3) },
  };
  for await (const page of d.paginateQuery({ client: db, pageSize: 4 }, input)) seen.push(...page.Items.map((i) => +i.sk.N));
  assert.deepEqual(seen, Array.from({ length: 22 }, (_, i) => i + 3));
});

test('scans in segments, each item once', async () => {
  const seen = [];
  for (const Segment of [0, 1, 2]) {
    for await (const page of d.paginateScan({ client: db, pageSize: 5 }, { TableName: 'JsThree', Segment, TotalSegments: 3 })) {
      seen.push(...page.Items.map((i) => i.pk.S + i.sk.N));
    }
  }
  const { Count } = await db.send(new d.ScanCommand({ TableName: 'JsThree', Select: 'COUNT' }));
  assert.equal(seen.length, Count);
  assert.equal(new Set(seen).size, Count);
});

test('gets a batch', async () => {
  const { Responses, UnprocessedKeys } = await db.send(new d.BatchGetItemCommand({
    RequestItems: { JsThree: { Keys: [{ pk: S('q'), sk: N(1) }, { pk: S('none'), sk: N(1) }], ProjectionExpression: 'sk' } },
  }));
  assert.deepEqual(Responses, { JsThree: [{ sk: N(1) }] });
  assert.deepEqual(UnprocessedKeys, {});
});

test('a transaction that fails gives its reasons', async () => {
  const Put = { TableName: 'JsThree', Item: { pk: S('t'), sk: N(1) } };
  await db.send(new d.TransactWriteItemsCommand({ TransactItems: [{ Put }] }));
  const error = await rejects(db.send(new d.TransactWriteItemsCommand({
    TransactItems: [
      { Put: { ...Put, Item: { pk: S('t'), sk: N(2) } } },
      { Put: { ...Put, ConditionExpression: 'attribute_not_exists(pk)' } },
    ],
  })), 'TransactionCanceledException');
  assert.deepEqual(error.CancellationReasons.map((r) => r.Code), ['None', 'ConditionalCheckFailed']);
  const got = await db.send(new d.TransactGetItemsCommand({
    TransactItems: [1, 2].map((i) => ({ Get: { TableName: 'JsThree', Key: { pk: S('t'), sk: N(i) } } })),
  }));
  assert.deepEqual(got.Responses, [{ Item: Put.Item }, {}]);
});

test('runs PartiQL', 'ExecuteStatement', async () => {
  await db.send(new d.ExecuteStatementCommand({ Statement: 'INSERT INTO "JsThree" VALUE {\'pk\': ?, \'sk\': ?}', Parameters: [S('p'), N(1)] }));
  const { Items } = await db.send(new d.ExecuteStatementCommand({ Statement: 'SELECT * FROM JsThree WHERE pk = ?', Parameters: [S('p')] }));
  assert.deepEqual(Items, [{ pk: S('p'), sk: N(1) }]);
});

test('reads a stream', async () => {
  const { TableDescription } = await db.send(new d.CreateTableCommand({
    TableName: 'JsStream', ...keys('pk:S'), StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  }));
  await d.waitUntilTableExists({ client: db, minDelay: 1, maxWaitTime: 20 }, { TableName: 'JsStream' });
  await db.send(new d.PutItemCommand({ TableName: 'JsStream', Item: { pk: S('a') } }));
  const StreamArn = TableDescription.LatestStreamArn;
  const { StreamDescription } = await streams.send(new s.DescribeStreamCommand({ StreamArn }));
  const { ShardIterator } = await streams.send(new s.GetShardIteratorCommand({
    StreamArn, ShardId: StreamDescription.Shards[0].ShardId, ShardIteratorType: 'TRIM_HORIZON',
  }));
  const { Records } = await streams.send(new s.GetRecordsCommand({ ShardIterator }));
  assert.equal(Records.length, 1);
  assert.equal(Records[0].eventName, 'INSERT');
  assert.deepEqual(Records[0].dynamodb.NewImage, { pk: S('a') });
  assert.ok(Records[0].dynamodb.ApproximateCreationDateTime instanceof Date);
});

test('waits until a table is gone', async () => {
  await db.send(new d.DeleteTableCommand({ TableName: 'JsStream' }));
  const { state } = await d.waitUntilTableNotExists({ client: db, minDelay: 1, maxWaitTime: 20 }, { TableName: 'JsStream' });
  assert.equal(state, 'SUCCESS');
  await rejects(db.send(new d.DescribeTableCommand({ TableName: 'JsStream' })), 'ResourceNotFoundException');
});
