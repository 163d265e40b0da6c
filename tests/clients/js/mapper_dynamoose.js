// Dynamoose: it makes its tables itself, then models do their work.
'use strict';
const assert = require('assert/strict');
const dynamoose = require('dynamoose');
const { test, config } = require('./check');

dynamoose.aws.ddb.set(new dynamoose.aws.ddb.DynamoDB(config));
const schema = new dynamoose.Schema({
  id: { type: String, hashKey: true },
  n: { type: Number, rangeKey: true },
  owner: { type: String, index: { name: 'byOwner', type: 'global' } },
  born: Date,
  tags: { type: Set, schema: [String] },
  address: { type: Object, schema: { town: String, lines: { type: Array, schema: [String] } } },
}, { timestamps: true });
const Cat = dynamoose.model('Cat', schema, { create: true, waitForActive: { enabled: true, check: { timeout: 20000, frequency: 20 } } });

test('saves and gets', async () => {
  const born = new Date('2020-01-02T03:04:05.000Z');
  await Cat.create({ id: 'tom', n: 1, owner: 'ann', born, tags: new Set(['grey']), address: { town: 'Oslo', lines: ['a', 'b'] } });
  const cat = await Cat.get({ id: 'tom', n: 1 });
  assert.equal(cat.born.getTime(), born.getTime());
  assert.deepEqual([...cat.tags], ['grey']);
  assert.deepEqual(cat.address.lines, ['a', 'b']);
  await assert.rejects(Cat.create({ id: 'tom', n: 1 }), /conditional request failed/);
});

test('updates', async () => {
  const cat = await Cat.update({ id: 'tom', n: 1 }, { $SET: { owner: 'bob' }, $ADD: { tags: new Set(['fat']) } });
  assert.equal(cat.owner, 'bob');
  assert.deepEqual([...cat.tags].sort(), ['fat', 'grey']);
});

test('queries and scans', async () => {
  await Cat.batchPut(Array.from({ length: 12 }, (_, n) => ({ id: 'many', n, owner: n % 3 ? 'ann' : 'bob' })));
  const some = await Cat.query('id').eq('many').where('n').between(3, 8).sort('descending').exec();
  assert.deepEqual(some.map((c) => c.n), [8, 7, 6, 5, 4, 3]);
  const bobs = await Cat.query('owner').eq('bob').using('byOwner').exec();
  assert.equal(bobs.length, 5);
  const page = await Cat.query('id').eq('many').limit(5).exec();
  const next = await Cat.query('id').eq('many').startAt(page.lastKey).exec();
  assert.deepEqual([page.length, next.length], [5, 7]);
  const found = await Cat.scan('owner').eq('ann').and().filter('n').gt(6).exec();
  assert.deepEqual(found.map((c) => c.n).sort((a, b) => a - b), [7, 8, 10, 11]);
  assert.equal((await Cat.scan().count().exec()).count, 13);
});

test('batches and transactions', async () => {
  assert.equal((await Cat.batchGet([{ id: 'many', n: 1 }, { id: 'many', n: 99 }])).length, 1);
  await dynamoose.transaction([Cat.transaction.create({ id: 'tx', n: 1 }), Cat.transaction.delete({ id: 'many', n: 0 })]);
  assert.ok(await Cat.get({ id: 'tx', n: 1 }));
  assert.equal(await Cat.get({ id: 'many', n: 0 }), undefined);
  await Cat.batchDelete([{ id: 'many', n: 1 }, { id: 'many', n: 2 }]);
  assert.equal((await Cat.query('id').eq('many').count().exec()).count, 9);
});
