-- The order of bench/load/spec.py in wrk's words: every request unique and every answer looked at.
-- All that varies comes in BENCH_… variables. "%c" of templates is cut at @P, @U and @R once, at the start.

local kind, run = os.getenv("BENCH_KIND"), os.getenv("BENCH_RUN")
local players = tonumber(os.getenv("BENCH_PLAYERS"))
local threads, thread_count = {}, 0
local SPREADER, REPEATS, LAG, ROLLBACKS, UNPAIRED = 2654435761, 8, 1000, 3, 16 ^ 11
local format, floor, random = string.format, math.floor, math.random

local function cut(template)
  local parts, from = {}, 1
  while true do
    local at = template:find("@[PUR]", from)
    if not at then break end
    parts[#parts + 1] = template:sub(from, at - 1)
    parts[#parts + 1] = template:sub(at, at + 1)
    from = at + 2
  end
  parts[#parts + 1] = template:sub(from)
  return parts
end

local templates, expected = {}, {}
for i = 1, 3 do
  local template, expect = os.getenv("BENCH_TEMPLATE" .. i), os.getenv("BENCH_EXPECT" .. i)
  if template then templates[i] = cut(template) end
  if expect then expected[i] = expect end
end

function setup(thread)
  thread:set("number", thread_count)
  thread_count = thread_count + 1
  threads[thread_count] = thread
end

function init()
  wrong, n = 0, number * 16 ^ 9
  math.randomseed(tonumber(run:sub(1, 6), 16) + number)
end

local function scattered(k) return k * SPREADER % 4294967296 end
local function player_of(k) return floor(scattered(k) / 256) % players end
local tail = "-" .. run:sub(1, 4) .. "-4" .. run:sub(5, 7) .. "-8" .. run:sub(8, 10) .. "-"
local function uuid_of(k) return format("%08x%s%012x", scattered(k % 1048576), tail, k) end

local function spelled(template, player, uuid, reference)
  local text = {}
  for i = 1, #template, 2 do
    text[i] = template[i]
    local place = template[i + 1]
    if place == "@P" then text[i + 1] = format("p%06d", player)
    elseif place == "@U" then text[i + 1] = uuid
    elseif place == "@R" then text[i + 1] = reference end
  end
  return table.concat(text)
end

local function play(template, bet, k)
  return spelled(templates[template], player_of(bet), uuid_of(k), run:sub(1, 8) .. format("%012x", bet))
end

local function mixed(k)
  local base = k - k % 16 ^ 9  -- this thread's own bets
  local i = k - base
  local bet = base + floor(i / 2)
  if i % 2 == 0 then return play(1, bet, k) end
  if floor(i / 2) < LAG then return play(1, bet + UNPAIRED, k) end
  local past = bet - LAG
  return play(floor(scattered(past) / 256) % 100 < ROLLBACKS and 3 or 2, past, k)
end

function request()
  local k = n
  n = n + 1
  if kind == "mix" then return mixed(k) end
  if kind == "hot" then return spelled(templates[1], 0, uuid_of(k)) end
  if kind == "repeats" then
    k = floor(k / REPEATS)
    return spelled(templates[1], player_of(k), uuid_of(k))
  end
  return spelled(templates[1], random(0, players - 1), uuid_of(k))
end

function response(status, headers, body)
  for i = 1, #expected do
    if body:find(expected[i], 1, true) and status == 200 then return end
  end
  wrong = wrong + 1
  if wrong <= 2 then io.stderr:write("wrong answer: ", status, " ", body, "\n") end
end

function done(summary, latency, requests)
  local total = 0
  for _, thread in ipairs(threads) do total = total + thread:get("wrong") end
  local e = summary.errors
  io.write(format('\nRESULT {"answers":%d,"seconds":%f,"wrong":%d,"lost":%d}\n',
    summary.requests, summary.duration / 1e6, total, e.connect + e.read + e.write + e.timeout))
end
