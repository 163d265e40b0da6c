-- wrk script: the same POST again and again. Arguments: path, body, Host if another. Ends with a RESULT line as in
-- dynamodb.lua.
function init(args)
  wrk.method = "POST"
  wrk.path = args[1]
  wrk.body = args[2]
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, " ..
    "SignedHeaders=host;x-amz-date, Signature=" .. string.rep("0", 64)
  wrk.headers["X-Amz-Date"] = "20260101T000000Z"
  if args[3] then wrk.headers["Host"] = args[3] end
  local p = {}
  for k, v in pairs(wrk.headers) do p[k] = v end
  req = wrk.format(wrk.method, wrk.path, p, wrk.body)
end

function request()
  return req
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %.1f %.1f %.1f\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
