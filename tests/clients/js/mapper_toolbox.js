// dynamodb-toolbox: a table with a GSI and two entities doing what an application does.
'use strict';
const assert = require('assert/strict');
const { DynamoDBClient, CreateTableCommand } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient } = require('@aws-sdk/lib-dynamodb');
const t = require('dynamodb-toolbox');
const { test, config, keys, rejects } = require('./check');

const client = new DynamoDBClient(config);
const table = new t.Table({
  name: 'Toolbox', documentClient: DynamoDBDocumentClient.from(client),
  partitionKey: { name: 'pk', type: 'string' }, sortKey: { name: 'sk', type: 'string' },
  indexes: { byOwner: { type: 'global', partitionKey: { name: 'owner', type: 'string' }, sortKey: { name: 'level', type: 'number' } } },
});
const Pokemon = new t.Entity({
  name: 'Pokemon', table,
  schema: t.item({
    pk: t.string().key(), sk: t.string().key(), owner: t.string(), level: t.number(), types: t.set(t.string()).optional(),
    moves: t.list(t.map({ name: t.string(), power: t.number() })).default([]),
  }),
});

test('creates the table', async () => {
  const made = keys('pk:S', 'sk:S');
  made.AttributeDefinitions.push({ AttributeName: 'owner', AttributeType: 'S' }, { AttributeName: 'level', AttributeType: 'N' });
  await client.send(new CreateTableCommand({
    TableName: 'Toolbox', ...made, GlobalSecondaryIndexes: [{ IndexName: 'byOwner', Projection: { ProjectionType: 'ALL' },
      KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }, { AttributeName: 'level', KeyType: 'RANGE' }] }],
  }));
});

test('puts, gets and refuses a second one', async () => {
  const item = { pk: 'p', sk: '1', owner: 'ash', level: 5, types: new Set(['electric']), moves: [{ name: 'shock', power: 40 }] };
  await Pokemon.build(t.PutItemCommand).item(item).options({ condition: { attr: 'pk', exists: false } }).send();
  const { Item } = await Pokemon.build(t.GetItemCommand).key({ pk: 'p', sk: '1' }).options({ consistent: true }).send();
  assert.equal(Item.level, 5);
  assert.deepEqual(Item.moves, item.moves);
  await rejects(Pokemon.build(t.PutItemCommand).item(item).options({ condition: { attr: 'pk', exists: false } }).send(), 'ConditionalCheckFailedException');
});

test('updates with its operators', async () => {
  const { Attributes } = await Pokemon.build(t.UpdateItemCommand).item({
    pk: 'p', sk: '1', level: t.$add(3), types: t.$add(new Set(['flying'])), moves: t.$append([{ name: 'tackle', power: 10 }]),
  }).options({ returnValues: 'ALL_NEW' }).send();
  assert.equal(Attributes.level, 8);
  assert.deepEqual([...Attributes.types].sort(), ['electric', 'flying']);
  assert.equal(Attributes.moves.length, 2);
});

test('queries the table and the index', async () => {
  for (const n of [2, 3, 4]) await Pokemon.build(t.PutItemCommand).item({ pk: 'p', sk: String(n), owner: n === 4 ? 'misty' : 'ash', level: n }).send();
  const all = await table.build(t.QueryCommand).query({ partition: 'p', range: { gte: '2' } }).entities(Pokemon).send();
  assert.deepEqual(all.Items.map((i) => i.sk), ['2', '3', '4']);
  const mine = await table.build(t.QueryCommand).query({ index: 'byOwner', partition: 'ash', range: { gt: 2 } }).entities(Pokemon).options({ reverse: true }).send();
  assert.deepEqual(mine.Items.map((i) => i.level), [8, 3]);
  const strong = await table.build(t.ScanCommand).entities(Pokemon).options({ filters: { Pokemon: { attr: 'level', gte: 4 } } }).send();
  assert.equal(strong.Items.length, 2);
});

test('runs a transaction and deletes', async () => {
  await t.executeTransactWrite(
    Pokemon.build(t.PutTransaction).item({ pk: 'p', sk: '9', owner: 'brock', level: 1 }),
    Pokemon.build(t.DeleteTransaction).key({ pk: 'p', sk: '2' }),
  );
  const { Responses } = await t.executeTransactGet(
    Pokemon.build(t.GetTransaction).key({ pk: 'p', sk: '9' }), Pokemon.build(t.GetTransaction).key({ pk: 'p', sk: '2' }),
  );
  assert.equal(Responses[0].Item.owner, 'brock');
  assert.equal(Responses[1].Item, undefined);
});
