'use strict';
// The v3 clients of Lambda and CloudWatch Logs: every family of operations, waiters and paginators. Prints what it got.
const lambda = require('@aws-sdk/client-lambda');
const logs = require('@aws-sdk/client-cloudwatch-logs');

const client = new lambda.LambdaClient({});
const cwl = new logs.CloudWatchLogsClient({});
const FunctionName = 'js-v3';
const zip = Buffer.from(process.argv[2], 'base64');
const layerZip = Buffer.from(process.argv[3], 'base64');

function call(name, input) {
  return client.send(new lambda[name + 'Command']({ FunctionName, ...input }));
}

async function fails(promise) {
  try {
    await promise;
    return null;
  } catch (e) {
    return [e.name, e.$metadata.httpStatusCode];
  }
}

async function main() {
  const out = {};
  await call('CreateFunction', { Runtime: 'nodejs20.x', Handler: 'index.handler', Role: 'arn:aws:iam::000000000000:role/r',
    Code: { ZipFile: zip } });
  await lambda.waitUntilFunctionActiveV2({ client, maxWaitTime: 10 }, { FunctionName });
  const version = await call('PublishVersion', {});
  await lambda.waitUntilPublishedVersionActive({ client, maxWaitTime: 10 }, { FunctionName, Qualifier: version.Version });
  await call('UpdateFunctionConfiguration', { Timeout: 7, LoggingConfig: { LogFormat: 'JSON' } });
  await lambda.waitUntilFunctionUpdatedV2({ client, maxWaitTime: 10 }, { FunctionName });
  out.alias = (await call('CreateAlias', { Name: 'live', FunctionVersion: '1',
    RoutingConfig: { AdditionalVersionWeights: {} } })).AliasArn;
  const invoked = await call('Invoke', { Qualifier: 'live', Payload: '{"a":1}' });
  out.invoked = [invoked.ExecutedVersion, JSON.parse(Buffer.from(invoked.Payload).toString())];
  out.versions = [];
  for await (const page of lambda.paginateListVersionsByFunction({ client, pageSize: 1 }, { FunctionName }))
    out.versions.push(...page.Versions.map((v) => v.Version));
  out.aliases = [];
  for await (const page of lambda.paginateListAliases({ client }, { FunctionName }))
    out.aliases.push(...page.Aliases.map((a) => a.Name));
  out.reserved = (await call('PutFunctionConcurrency', { ReservedConcurrentExecutions: 5 })).ReservedConcurrentExecutions;
  const provisioned = await call('PutProvisionedConcurrencyConfig', { Qualifier: 'live', ProvisionedConcurrentExecutions: 1 });
  out.provisioned = [provisioned.Status];
  for (let i = 0; i < 200 && out.provisioned.length < 2; i++) {
    const got = await call('GetProvisionedConcurrencyConfig', { Qualifier: 'live' });
    if (got.Status !== 'IN_PROGRESS') out.provisioned.push(got.Status, got.AvailableProvisionedConcurrentExecutions);
    else await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const url = await call('CreateFunctionUrlConfig', { AuthType: 'NONE', Cors: { AllowOrigins: ['*'] } });
  out.url = [url.InvokeMode, url.CreationTime.length];
  const eic = await call('PutFunctionEventInvokeConfig', { MaximumRetryAttempts: 0 });
  out.eventInvoke = [eic.MaximumRetryAttempts, eic.LastModified instanceof Date && Math.abs(eic.LastModified - Date.now()) < 60000];
  const layer = await client.send(new lambda.PublishLayerVersionCommand({ LayerName: 'js-layer', Content: { ZipFile: layerZip } }));
  out.layer = [layer.Version, (await client.send(new lambda.GetLayerVersionCommand({ LayerName: 'js-layer', VersionNumber: 1 })))
    .LayerVersionArn];
  const mapping = await call('CreateEventSourceMapping', { StartingPosition: 'LATEST', Topics: ['topic'],
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['k:1'] } },
    SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s' }] });
  out.mapping = [mapping.State, mapping.LastModified instanceof Date,
    (await client.send(new lambda.GetEventSourceMappingCommand({ UUID: mapping.UUID }))).State];
  out.recursion = (await call('PutFunctionRecursionConfig', { RecursiveLoop: 'Allow' })).RecursiveLoop;
  out.management = (await call('GetRuntimeManagementConfig', {})).UpdateRuntimeOn;
  out.settings = (await client.send(new lambda.GetAccountSettingsCommand({}))).AccountLimit.UnreservedConcurrentExecutions;
  out.missing = await fails(call('GetAlias', { Name: 'nobody' }));
  out.conflict = await fails(call('CreateAlias', { Name: 'live', FunctionVersion: '1' }));

  const logGroupName = '/aws/lambda/' + FunctionName;
  const events = [];
  for await (const page of logs.paginateFilterLogEvents({ client: cwl, pageSize: 1 }, { logGroupName }))
    events.push(...page.events.map((e) => e.message));
  out.logs = events.some((m) => m.includes('said hello'));
  const streams = await cwl.send(new logs.DescribeLogStreamsCommand({ logGroupName, orderBy: 'LastEventTime', descending: true }));
  const got = await cwl.send(new logs.GetLogEventsCommand({ logGroupName, logStreamName: streams.logStreams[0].logStreamName,
    startFromHead: true }));
  out.logEvents = got.events.length > 0;
  out.noGroup = await fails(cwl.send(new logs.FilterLogEventsCommand({ logGroupName: 'nobody' })));
  await call('DeleteFunction', {});
  out.deleted = await fails(call('GetFunction', {}));
  console.log(JSON.stringify(out));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
