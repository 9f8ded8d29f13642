-- Requests of one route, each about another call. Calls are lines of Identity, calling and called number, tabs between.
-- After `--`: route, file, offset of the first line in the file, how many lines.

local at = 0
local requests = {}

local bodies = {
  ["check"] = function(identity) return identity end,
  ["verification"] = function(identity, from, to)
    return '{"verificationRequest":{"identity":"' .. identity .. '","from":{"tn":"' .. from .. '"},"to":{"tn":["' .. to ..
      '"]},"time":' .. os.time() .. '}}'
  end,
  ["sign-csv"] = function(identity, from, to)
    return from .. "," .. to .. ",A,," .. identity:match("info=<([^>]*)>")
  end,
  ["signing"] = function(_, from, to)
    return '{"signingRequest":{"attest":"A","orig":{"tn":"' .. from .. '"},"dest":{"tn":["' .. to .. '"]},"iat":' ..
      os.time() .. '}}'
  end,
}

function init(args)
  local route, file, offset, count = args[1], args[2], tonumber(args[3]), tonumber(args[4])
  local json = route == "verification" or route == "signing"
  local headers = { ["Content-Type"] = json and "application/json" or "text/plain", ["Host"] = wrk.headers["Host"] }
  local lines = assert(io.open(file, "r"))
  lines:seek("set", offset)
  for index = 1, count do
    local identity, from, to = lines:read("*l"):match("^([^\t]*)\t([^\t]*)\t([^\t]*)$")
    requests[index] = wrk.format("POST", nil, headers, bodies[route](identity, from, to))
  end
  lines:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

-- os.clock: processor time of this process.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"failed":%d,"broken":%d,"p50Us":%d,"p99Us":%d,"cpuSeconds":%f}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), os.clock()
  ))
end
