// What a JavaScript user does with both SDKs; prints one JSON object of results for test_sdks.py.
'use strict';
const endpoint = process.env.AWS_ENDPOINT_URL;
const config = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const results = {};

async function v2() {
  const AWS = require('aws-sdk');
  const db = new AWS.DynamoDB(config);
  const doc = new AWS.DynamoDB.DocumentClient({ service: db });
  await db.createTable({
    TableName: 'JsV2', BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }, { AttributeName: 'n', KeyType: 'RANGE' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }, { AttributeName: 'n', AttributeType: 'N' }],
  }).promise();
  await db.waitFor('tableExists', { TableName: 'JsV2' }).promise();
  await doc.put({ TableName: 'JsV2', Item: { id: 'a', n: 1, list: [1, 'x', { deep: true }], nothing: null } }).promise();
  results.v2get = (await doc.get({ TableName: 'JsV2', Key: { id: 'a', n: 1 } }).promise()).Item;
  results.v2old = (await doc.delete({ TableName: 'JsV2', Key: { id: 'a', n: 1 }, ReturnValues: 'ALL_OLD' }).promise()).Attributes;
  try {
    await doc.get({ TableName: 'Missing', Key: { id: 'a' } }).promise();
  } catch (error) {
    results.v2error = [error.code, error.message, error.statusCode];
  }
}

async function v3() {
  const { DynamoDBClient, CreateTableCommand, ListTablesCommand, waitUntilTableExists } = require('@aws-sdk/client-dynamodb');
  const { DynamoDBDocumentClient, PutCommand, GetCommand } = require('@aws-sdk/lib-dynamodb');
  const { LambdaClient, InvokeCommand } = require('@aws-sdk/client-lambda');
  const client = new DynamoDBClient(config);
  const doc = DynamoDBDocumentClient.from(client);
  await client.send(new CreateTableCommand({
    TableName: 'JsV3', BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'B' }],
  }));
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 2 }, { TableName: 'JsV3' });
  const id = new Uint8Array([0, 255, 1]);
  await doc.send(new PutCommand({ TableName: 'JsV3', Item: { id, tags: new Set(['x', 'y']), big: 12345678901234567890n } }));
  const { Item } = await doc.send(new GetCommand({ TableName: 'JsV3', Key: { id } }));
  results.v3get = { id: [...Item.id], tags: [...Item.tags].sort(), big: String(Item.big) };
  results.v3tables = (await client.send(new ListTablesCommand({}))).TableNames;
  const lambda = new LambdaClient(config);
  const reply = await lambda.send(new InvokeCommand({ FunctionName: 'js', Payload: JSON.stringify({ a: 1 }), LogType: 'Tail' }));
  results.v3invoke = JSON.parse(Buffer.from(reply.Payload).toString());
  try {
    await lambda.send(new InvokeCommand({ FunctionName: 'nobody' }));
  } catch (error) {
    results.v3error = [error.name, error.$metadata.httpStatusCode];
  }
}

v2().then(v3).then(() => console.log(JSON.stringify(results)), (error) => {
  console.error(error);
  process.exit(1);
});
