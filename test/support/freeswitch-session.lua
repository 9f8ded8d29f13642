-- A stand-in for the session that FreeSWITCH gives a script: variables from the file that is named first, the requests of its mod_curl made by
-- curl, and everything that the script does with the call printed. The script itself is named second, its own arguments follow.
local variables = {}
for line in io.lines(arg[1]) do
  local name, value = line:match("^([^=]+)=(.*)$")
  variables[name] = value
end
argv = table.pack(table.unpack(arg, 3))
freeswitch = { consoleLog = function(level, text) print("log", level, text) end }
session = {}

function session:getVariable(name) return variables[name] end

function session:setVariable(name, value)
  variables[name] = value
  print("set", name, value)
end

-- What its switch_separate_string makes of the words of curl: at most ten, taken apart at blanks.
local function curl(data)
  local words = {}
  for word in data:gmatch("[^ ]+") do words[#words + 1] = word end
  assert(#words <= 10, "more words than mod_curl takes")
  local options, posted = { url = words[1] }, nil
  local index = 2
  while index <= #words do
    if words[index] == "post" then posted = words[index + 1] else options[words[index]] = words[index + 1] end
    index = index + 2
  end
  local body = posted:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(body)
  file:close()
  local command = "curl --silent --max-time " .. options.timeout .. " --connect-timeout " .. options["connect-timeout"]
    .. " --header 'Content-Type: " .. options["content-type"] .. "' --data-binary @" .. path
    .. " --write-out '\n%{http_code}' '" .. options.url .. "'"
  local pipe = assert(io.popen(command))
  local answer, code = pipe:read("a"):match("^(.*)\n(%d+)$")
  pipe:close()
  os.remove(path)
  variables.curl_response_data, variables.curl_response_code = answer, tostring(tonumber(code))
end

function session:execute(application, data)
  if application == "curl" then curl(data) else print("execute", application, data) end
end

dofile(arg[2])
