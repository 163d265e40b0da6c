// A small frame for the files of this folder: test(name, [operation it needs,] fn), run one after the other; prints a
// JSON list of results for ../test_js_dynamodb.py. No server of its own: AWS_ENDPOINT_URL says where.
'use strict';
const assert = require('assert/strict');
const http = require('http');

const tests = [];
const config = {
  endpoint: process.env.AWS_ENDPOINT_URL, region: 'us-east-1',
  credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY },
};

function keys(...pairs) { // 'pk:S', 'sk:N'
  return {
    KeySchema: pairs.map((p, i) => ({ AttributeName: p.split(':')[0], KeyType: i ? 'RANGE' : 'HASH' })),
    AttributeDefinitions: pairs.map((p) => ({ AttributeName: p.split(':')[0], AttributeType: p.split(':')[1] })),
    BillingMode: 'PAY_PER_REQUEST',
  };
}

async function rejects(promise, name) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.name || error.code, name, `${error.name}: ${error.message}`);
    return error;
  }
  return assert.fail(`${name} was expected`);
}

function operations() { // what the server has; nothing when it is not Puddle
  return new Promise((resolve) => {
    http.get(new URL('/_puddle/operations', config.endpoint), (reply) => {
      let text = '';
      reply.on('data', (part) => { text += part; });
      reply.on('end', () => resolve(reply.statusCode === 200 ? JSON.parse(text).dynamodb : {}));
    });
  });
}

setImmediate(async () => {
  const results = [];
  const there = await operations();
  for (const [name, needs, fn] of tests) {
    if (needs && there[needs] === false) {
      results.push({ name, skip: `the server has no ${needs}` });
      continue;
    }
    try {
      await fn();
      results.push({ name, ok: true });
    } catch (error) {
      results.push({ name, ok: false, error: String(error && error.stack) });
    }
  }
  console.log(JSON.stringify(results));
});

module.exports = { test: (name, needs, fn) => tests.push(fn ? [name, needs, fn] : [name, null, needs]), config, keys, rejects };
