// ElectroDB: a single-table service with two entities, collections, batches and transactions.
'use strict';
const assert = require('assert/strict');
const { DynamoDBClient, CreateTableCommand } = require('@aws-sdk/client-dynamodb');
const { Entity, Service } = require('electrodb');
const { test, config, keys } = require('./check');

const client = new DynamoDBClient(config);
const Task = new Entity({
  model: { entity: 'task', version: '1', service: 'work' },
  attributes: {
    team: { type: 'string', required: true }, task: { type: 'string', required: true }, project: { type: 'string' },
    points: { type: 'number', default: 1 }, tags: { type: 'set', items: 'string' }, closed: { type: 'boolean', default: false },
    notes: { type: 'list', items: { type: 'map', properties: { text: { type: 'string' } } } },
  },
  indexes: {
    byTeam: { pk: { field: 'pk', composite: ['team'] }, sk: { field: 'sk', composite: ['task'] } },
    byProject: { index: 'gsi1', collection: 'work', pk: { field: 'gsi1pk', composite: ['project'] }, sk: { field: 'gsi1sk', composite: ['task'] } },
  },
}, { client, table: 'Electro' });
const Member = new Entity({
  model: { entity: 'member', version: '1', service: 'work' },
  attributes: { team: { type: 'string', required: true }, name: { type: 'string', required: true }, project: { type: 'string' } },
  indexes: {
    byTeam: { pk: { field: 'pk', composite: ['team'] }, sk: { field: 'sk', composite: ['name'] } },
    byProject: { index: 'gsi1', collection: 'work', pk: { field: 'gsi1pk', composite: ['project'] }, sk: { field: 'gsi1sk', composite: ['name'] } },
  },
}, { client, table: 'Electro' });
const service = new Service({ task: Task, member: Member });

test('creates the table', async () => {
  const made = keys('pk:S', 'sk:S');
  made.AttributeDefinitions.push(...keys('gsi1pk:S', 'gsi1sk:S').AttributeDefinitions);
  await client.send(new CreateTableCommand({
    TableName: 'Electro', ...made,
    GlobalSecondaryIndexes: [{ IndexName: 'gsi1', KeySchema: keys('gsi1pk:S', 'gsi1sk:S').KeySchema, Projection: { ProjectionType: 'ALL' } }],
  }));
});

test('creates once, gets, patches', async () => {
  await Task.create({ team: 'red', task: '1', project: 'x', tags: ['a'], notes: [{ text: 'first' }] }).go();
  await assert.rejects(Task.create({ team: 'red', task: '1', project: 'x' }).go(), /conditional request failed/);
  const { data } = await Task.patch({ team: 'red', task: '1' }).set({ closed: true }).add({ points: 4, tags: ['b'] })
    .append({ notes: [{ text: 'second' }] }).go({ response: 'all_new' });
  assert.equal(data.points, 5);
  assert.deepEqual(data.tags.sort(), ['a', 'b']);
  assert.deepEqual(data.notes.map((n) => n.text), ['first', 'second']);
  assert.equal((await Task.get({ team: 'red', task: '1' }).go()).data.closed, true);
  assert.equal((await Task.get({ team: 'red', task: 'none' }).go()).data, null);
});

test('queries, filters and pages', async () => {
  await Task.put(Array.from({ length: 30 }, (_, i) => ({ team: 'blue', task: String(100 + i), project: 'y', points: i }))).go();
  const { data } = await Task.query.byTeam({ team: 'blue' }).between({ task: '110' }, { task: '119' })
    .where(({ points }, { gte }) => gte(points, 15)).go();
  assert.deepEqual(data.map((d) => d.points), [15, 16, 17, 18, 19]);
  const seen = [];
  let cursor = null;
  do {
    const page = await Task.query.byProject({ project: 'y' }).go({ cursor, limit: 7 });
    seen.push(...page.data.map((d) => d.task));
    cursor = page.cursor;
  } while (cursor !== null);
  assert.equal(new Set(seen).size, 30);
  assert.equal(seen.length, 30);
});

test('a collection finds both entities', async () => {
  await Member.create({ team: 'red', name: 'ann', project: 'x' }).go();
  const { data } = await service.collections.work({ project: 'x' }).go();
  assert.deepEqual([data.task.length, data.member.length], [1, 1]);
});

test('batches and transactions', async () => {
  const got = await Task.get([{ team: 'blue', task: '100' }, { team: 'blue', task: '129' }, { team: 'blue', task: 'none' }]).go();
  assert.equal(got.data.length, 2);
  const result = await service.transaction.write(({ task, member }) => [
    task.remove({ team: 'blue', task: '100' }).commit(),
    member.create({ team: 'red', name: 'ann' }).commit(),
  ]).go();
  assert.equal(result.canceled, true);
  assert.equal((await Task.get({ team: 'blue', task: '100' }).go()).data.points, 0);
  await Task.delete([{ team: 'blue', task: '100' }, { team: 'blue', task: '101' }]).go();
  assert.equal((await Task.query.byTeam({ team: 'blue' }).go({ pages: 'all' })).data.length, 28);
});
