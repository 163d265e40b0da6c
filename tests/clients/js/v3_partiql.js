// AWS SDK for JavaScript v3: PartiQL through the document client and the plain one.
'use strict';
const assert = require('assert/strict');
const d = require('@aws-sdk/client-dynamodb');
const l = require('@aws-sdk/lib-dynamodb');
const { test, config, keys, rejects } = require('./check');

const client = new d.DynamoDBClient(config);
const doc = l.DynamoDBDocumentClient.from(client);
const TableName = 'PqlThree';
const run = async (Statement, Parameters, more) => (await doc.send(new l.ExecuteStatementCommand({ Statement, Parameters, ...more }))).Items;

test('inserts and selects JavaScript values', 'ExecuteStatement', async () => {
  await client.send(new d.CreateTableCommand({ TableName, ...keys('pk:S', 'sk:N') }));
  const item = { pk: 'types', sk: 1, text: "it's", n: -1.5, yes: true, nothing: null, bytes: new Uint8Array([0, 255]), list: [1, 'x', [], { deep: [null] }],
    map: { a: { b: {} } }, strings: new Set(['a']), numbers: new Set([1]) };
  const names = Object.keys(item);
  await run(`INSERT INTO ${TableName} VALUE {${names.map((n) => `'${n}': ?`)}}`, Object.values(item));
  assert.deepEqual(await run(`SELECT * FROM ${TableName} WHERE pk = ? AND sk = ?`, ['types', 1], { ConsistentRead: true }), [item]);
  assert.deepEqual(await run(`SELECT "list"[3].deep, map.a FROM ${TableName} WHERE pk = 'types'`), [{ deep: [null], a: { b: {} } }]);
  await rejects(run(`INSERT INTO ${TableName} VALUE {'pk': 'types', 'sk': 1}`), 'DuplicateItemException');
});

test('updates, deletes and says which condition failed', 'ExecuteStatement', async () => {
  const changed = await run(`UPDATE ${TableName} SET n = n + ? REMOVE "nothing" WHERE pk = ? AND sk = ? AND yes = ? RETURNING MODIFIED NEW *`, [2, 'types', 1, true]);
  assert.deepEqual(changed, [{ n: 0.5 }]);
  const error = await rejects(run(`DELETE FROM ${TableName} WHERE pk = 'types' AND sk = 1 AND n > ?`, [9], { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
    'ConditionalCheckFailedException');
  assert.deepEqual(error.Item.n, { N: '0.5' });
  const gone = await run(`DELETE FROM ${TableName} WHERE pk = 'types' AND sk = 1 RETURNING ALL OLD *`);
  assert.equal(gone[0].text, "it's");
  assert.deepEqual(await run(`SELECT * FROM ${TableName}`), []);
});

test('a batch answers every statement', 'BatchExecuteStatement', async () => {
  const batch = async (statements) => (await doc.send(new l.BatchExecuteStatementCommand({ Statements: statements }))).Responses;
  const written = await batch([1, 2, 3].map((sk) => ({ Statement: `INSERT INTO ${TableName} VALUE {'pk': 'b', 'sk': ${sk}, 'v': ?}`, Parameters: [[sk]] })));
  assert.deepEqual(written, [{ TableName }, { TableName }, { TableName }]);
  const read = await batch([{ Statement: `SELECT v FROM ${TableName} WHERE pk = 'b' AND sk = ?`, Parameters: [2] }, { Statement: `SELECT * FROM ${TableName} WHERE pk = 'b'` }]);
  assert.deepEqual(read[0], { TableName, Item: { v: [2] } });
  assert.equal(read[1].Error.Code, 'ValidationError');
});

test('a transaction is whole and gives its reasons', 'ExecuteTransaction', async () => {
  const transact = (statements, ClientRequestToken) => doc.send(new l.ExecuteTransactionCommand({ ClientRequestToken,
    TransactStatements: statements.map(([Statement, ...Parameters]) => (Parameters.length ? { Statement, Parameters } : { Statement })) }));
  const error = await rejects(transact([[`DELETE FROM ${TableName} WHERE pk = 'b' AND sk = 1`], [`UPDATE ${TableName} SET v = ? WHERE pk = 'b' AND sk = 2 AND v = ?`, 1, 'x']]),
    'TransactionCanceledException');
  assert.deepEqual(error.CancellationReasons.map((r) => r.Code), ['None', 'ConditionalCheckFailed']);
  for (let i = 0; i < 2; i += 1) {
    await transact([[`UPDATE ${TableName} SET v = list_append(v, ?) WHERE pk = 'b' AND sk = 1`, ['more']], [`DELETE FROM ${TableName} WHERE pk = 'b' AND sk = 3`]],
      'token-one');
  }
  const { Responses } = await transact([[`SELECT v FROM ${TableName} WHERE pk = 'b' AND sk = 1`], [`SELECT v FROM ${TableName} WHERE pk = 'b' AND sk = 3`]]);
  assert.deepEqual(Responses, [{ Item: { v: [1, 'more'] } }, {}]);
});

test('follows NextToken', 'ExecuteStatement', async () => {
  for (let i = 0; i < 12; i += 1) await run(`INSERT INTO ${TableName} VALUE {'pk': 'page', 'sk': ?}`, [i]);
  const found = [];
  let NextToken;
  let pages = 0;
  do {
    const page = await doc.send(new l.ExecuteStatementCommand({ Statement: `SELECT sk FROM ${TableName} WHERE pk = ? ORDER BY sk DESC`, Parameters: ['page'], Limit: 5, NextToken }));
    found.push(...page.Items.map((i) => i.sk));
    NextToken = page.NextToken;
    pages += 1;
  } while (NextToken);
  assert.deepEqual(found, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  assert.equal(pages, 3);
});
