-- wrk script: GetItem, PutItem, UpdateItem or BatchWriteItem (25 puts) on items of about 300 bytes. Arguments: op, table, first key, key
-- count. Prints one line "RESULT requests errors p50_us p99_us max_us" at the end.
local op, tbl, first, count
local n = 0
local headers = {
  ["Content-Type"] = "application/x-amz-json-1.0",
  ["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, " ..
    "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" .. string.rep("0", 64),
  ["X-Amz-Date"] = "20260101T000000Z",
}
local filler = string.rep("abcdefghij", 20)

function init(args)
  op, tbl, first, count = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  headers["X-Amz-Target"] = "DynamoDB_20120810." .. op
  math.randomseed(os.time())
end

local function item(key)
  return string.format('{"id":{"S":"key-%07d"},"n":{"N":"%d"},"data":{"S":"%s"},"flag":{"BOOL":true},"rev":{"N":"%d"}}',
    key, key, filler, math.random(1, 1000000000))
end

function request()
  n = n + 1
  local key = first + (op == "GetItem" and math.random(0, count - 1) or n % count)
  local body
  if op == "GetItem" then
    body = string.format('{"TableName":"%s","Key":{"id":{"S":"key-%07d"}}}', tbl, key)
  elseif op == "UpdateItem" then
    body = string.format('{"TableName":"%s","Key":{"id":{"S":"key-%07d"}},"UpdateExpression":"SET rev = rev + :one",' ..
      '"ExpressionAttributeValues":{":one":{"N":"1"}}}', tbl, key)
  elseif op == "BatchWriteItem" then
    local puts = {}
    for i = 1, 25 do
      puts[i] = '{"PutRequest":{"Item":' .. item(first + (n * 25 + i) % count) .. '}}'
    end
    body = string.format('{"RequestItems":{"%s":[%s]}}', tbl, table.concat(puts, ","))
  else
    body = string.format('{"TableName":"%s","Item":%s}', tbl, item(key))
  end
  return wrk.format("POST", "/", headers, body)
end

local bad = 0
function response(status)
  if status ~= 200 then
    bad = bad + 1
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %.1f %.1f %.1f\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
