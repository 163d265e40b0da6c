// AWS SDK for JavaScript v3: lib-dynamodb's document client and its paginators.
'use strict';
const assert = require('assert/strict');
const { DynamoDBClient, CreateTableCommand } = require('@aws-sdk/client-dynamodb');
const l = require('@aws-sdk/lib-dynamodb');
const { test, config, keys, rejects } = require('./check');

const client = new DynamoDBClient(config);
const doc = l.DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
const TableName = 'Doc';

test('every JavaScript value comes back', async () => {
  await client.send(new CreateTableCommand({ TableName, ...keys('pk:S', 'sk:S') }));
  const Item = {
    pk: 'types', sk: 'ü', text: '', n: -1.5, big: 12345678901234567890n, yes: true, nothing: null, bytes: new Uint8Array([0, 255]),
    list: [1, 'x', [], { deep: [null] }], map: { a: { b: {} } }, strings: new Set(['a', 'b']), numbers: new Set([1, 2]), gone: undefined,
  };
  await doc.send(new l.PutCommand({ TableName, Item }));
  const got = (await doc.send(new l.GetCommand({ TableName, Key: { pk: 'types', sk: 'ü' }, ConsistentRead: true }))).Item;
  delete Item.gone;
  assert.deepEqual(got, Item);
});

test('updates with every kind of clause', async () => {
  const Key = { pk: 'u', sk: '1' };
  await doc.send(new l.PutCommand({ TableName, Item: { ...Key, n: 1, gone: 'x', tags: new Set(['a', 'b']), steps: [1, 2, 3] } }));
  const { Attributes } = await doc.send(new l.UpdateCommand({
    TableName, Key, UpdateExpression: 'SET #s = :s, n = n + :two REMOVE gone, steps[1] DELETE tags :t ADD hits :two',
    ExpressionAttributeNames: { '#s': 'status' }, ExpressionAttributeValues: { ':s': 'ok', ':two': 2, ':t': new Set(['a']) },
    ConditionExpression: 'attribute_exists(pk) AND n < :two', ReturnValues: 'ALL_NEW',
  }));
  assert.deepEqual(Attributes, { ...Key, status: 'ok', n: 3, tags: new Set(['b']), steps: [1, 3], hits: 2 });
  const error = await rejects(doc.send(new l.UpdateCommand({
    TableName, Key, UpdateExpression: 'SET n = :n', ConditionExpression: 'n = :n', ExpressionAttributeValues: { ':n': 9 },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })), 'ConditionalCheckFailedException');
  assert.deepEqual(error.Item.n, { N: '3' }); // this client leaves errors as they come
});

test('pages through queries, scans and their filters', async () => {
  for (let i = 0; i < 30; i += 10) {
    await doc.send(new l.BatchWriteCommand({ RequestItems: { [TableName]: Array.from({ length: 10 }, (_, j) => (
      { PutRequest: { Item: { pk: 'page', sk: String(100 + i + j), even: (i + j) % 2 === 0 } } })) } }));
  }
  const query = {
    TableName, KeyConditionExpression: 'pk = :p AND begins_with(sk, :b)', FilterExpression: 'even = :t',
    ExpressionAttributeValues: { ':p': 'page', ':b': '1', ':t': true }, ScanIndexForward: false,
  };
  const found = [];
  let pages = 0;
  for await (const page of l.paginateQuery({ client: doc, pageSize: 7 }, query)) {
    pages += 1;
    found.push(...page.Items.map((i) => i.sk));
  }
  assert.deepEqual(found, Array.from({ length: 15 }, (_, i) => String(128 - 2 * i)));
  assert.ok(pages >= 5);
  let count = 0;
  for await (const page of l.paginateScan({ client: doc, pageSize: 4 }, { TableName, FilterExpression: 'attribute_exists(even)' })) count += page.Count;
  assert.equal(count, 30);
});

test('batches get and delete', async () => {
  const Keys = Array.from({ length: 20 }, (_, i) => ({ pk: 'page', sk: String(100 + i) }));
  const { Responses } = await doc.send(new l.BatchGetCommand({ RequestItems: { [TableName]: { Keys, ProjectionExpression: 'sk' } } }));
  assert.deepEqual(Responses[TableName].map((i) => i.sk).sort(), Keys.map((k) => k.sk));
  await doc.send(new l.BatchWriteCommand({ RequestItems: { [TableName]: Keys.map((Key) => ({ DeleteRequest: { Key } })) } }));
  const left = await doc.send(new l.QueryCommand({ TableName, KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': 'page' }, Select: 'COUNT' }));
  assert.equal(left.Count, 10);
});

test('transactions move money, or do not', async () => {
  const account = (sk) => ({ pk: 'bank', sk });
  for (const sk of ['a', 'b']) await doc.send(new l.PutCommand({ TableName, Item: { ...account(sk), money: 10 } }));
  const move = (from, to, sum) => doc.send(new l.TransactWriteCommand({ TransactItems: [
    { Update: { TableName, Key: account(from), UpdateExpression: 'SET money = money - :m', ConditionExpression: 'money >= :m', ExpressionAttributeValues: { ':m': sum } } },
    { Update: { TableName, Key: account(to), UpdateExpression: 'SET money = money + :m', ExpressionAttributeValues: { ':m': sum } } },
  ] }));
  await move('a', 'b', 7);
  const error = await rejects(move('a', 'b', 7), 'TransactionCanceledException');
  assert.equal(error.CancellationReasons[0].Code, 'ConditionalCheckFailed');
  const { Responses } = await doc.send(new l.TransactGetCommand({ TransactItems: ['a', 'b'].map((sk) => ({ Get: { TableName, Key: account(sk) } })) }));
  assert.deepEqual(Responses.map((r) => r.Item.money), [3, 17]);
});

test('the full client of the older style works too', async () => {
  const full = l.DynamoDBDocument.from(client);
  await full.put({ TableName, Item: { pk: 'full', sk: '1', v: 1 } });
  assert.equal((await full.get({ TableName, Key: { pk: 'full', sk: '1' } })).Item.v, 1);
  await full.delete({ TableName, Key: { pk: 'full', sk: '1' } });
  assert.equal((await full.get({ TableName, Key: { pk: 'full', sk: '1' } })).Item, undefined);
});

test('PartiQL through the document client', 'ExecuteStatement', async () => {
  await doc.send(new l.ExecuteStatementCommand({ Statement: `INSERT INTO "${TableName}" VALUE {'pk': ?, 'sk': ?, 'm': ?}`, Parameters: ['pql', '1', { a: [1, 2] }] }));
  const { Items } = await doc.send(new l.ExecuteStatementCommand({ Statement: `SELECT m.a[1] FROM "${TableName}" WHERE pk = ? AND sk = ?`, Parameters: ['pql', '1'] }));
  assert.equal(Items.length, 1);
});
