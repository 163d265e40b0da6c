-- wrk script: one operation on items of about 300 bytes. Arguments: op, table, first key, key count.
-- GetItem, PutItem, UpdateItem, DeleteItem; BatchWriteItem (of 25); PutNew: every request a new item; Query: a
-- partition "q0" ... "q<count - 1>". Prints one line "RESULT requests errors p50_us p99_us max_us" at the end.
local op, tbl, first, count
local n = 0
local headers = {
  ["Content-Type"] = "application/x-amz-json-1.0",
  ["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, " ..
    "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" .. string.rep("0", 64),
  ["X-Amz-Date"] = "20260101T000000Z",
}
local filler = string.rep("abcdefghij", 20)
local targets = {PutNew = "PutItem"}

function init(args)
  op, tbl, first, count = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  headers["X-Amz-Target"] = "DynamoDB_20120810." .. (targets[op] or op)
  math.randomseed(os.time())
end

local function item(key)
  return string.format('{"id":{"S":"key-%07d"},"n":{"N":"%d"},"g":{"S":"group-%03d"},"data":{"S":"%s"},"flag":{"BOOL":true},' ..
    '"rev":{"N":"%d"}}', key, key, key % 1000, filler, math.random(1, 1000000000))
end

local make = {
  GetItem = function()
    return string.format('{"TableName":"%s","Key":{"id":{"S":"key-%07d"}}}', tbl, first + math.random(0, count - 1))
  end,
  PutItem = function()
    return string.format('{"TableName":"%s","Item":%s}', tbl, item(first + n % count))
  end,
  PutNew = function()
    return string.format('{"TableName":"%s","Item":%s}', tbl, item(first + n))
  end,
  UpdateItem = function()
    return string.format('{"TableName":"%s","Key":{"id":{"S":"key-%07d"}},"UpdateExpression":"SET rev = :r, n = n + :one",' ..
      '"ExpressionAttributeValues":{":r":{"N":"%d"},":one":{"N":"1"}}}', tbl, first + n % count, math.random(1, 1000000000))
  end,
  BatchWriteItem = function()
    local parts = {}
    for i = 1, 25 do
      parts[i] = '{"PutRequest":{"Item":' .. item(first + (n * 25 + i) % count) .. '}}'
    end
    return string.format('{"RequestItems":{"%s":[%s]}}', tbl, table.concat(parts, ","))
  end,
  Query = function()
    return string.format('{"TableName":"%s","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"q%d"}}}',
      tbl, math.random(0, count - 1))
  end,
}

function request()
  n = n + 1
  return wrk.format("POST", "/", headers, make[op]())
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %.1f %.1f %.1f\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
