-- The order of bench/load/spec.py in wrk's words: every request unique and every answer looked at.
-- All that varies comes in BENCH_… variables: each template under each head, cut at its places once, at the start.

local kind, run = os.getenv("BENCH_KIND"), os.getenv("BENCH_RUN")
local players = tonumber(os.getenv("BENCH_PLAYERS"))
local threads, thread_count = {}, 0
local LAG = tonumber(os.getenv("BENCH_LAG"))
local SPREADER, REPEATS, ROLLBACKS, UNPAIRED = 2654435761, 8, 3, 16 ^ 11
local format, floor, random = string.format, math.floor, math.random

-- A template's fixed parts, with gaps between them, and which place each gap is of.
local function cut(template)
  local parts, gaps, from = {}, {}, 1
  while true do
    local at = template:find("@[PURN]", from)
    if not at then break end
    parts[#parts + 1] = template:sub(from, at - 1)
    parts[#parts + 1] = ""
    gaps[#gaps + 1] = { at = #parts, place = template:sub(at + 1, at + 1) }
    from = at + 2
  end
  parts[#parts + 1] = template:sub(from)
  return { parts = parts, gaps = gaps }
end

local templates, expected, heads = {}, {}, tonumber(os.getenv("BENCH_HEADS"))
for i = 1, 3 do
  local expect = os.getenv("BENCH_EXPECT" .. i)
  if expect then expected[i] = expect end
  if os.getenv("BENCH_TEMPLATE" .. i .. "_1") then
    templates[i] = {}
    for j = 1, heads do templates[i][j] = cut(os.getenv("BENCH_TEMPLATE" .. i .. "_" .. j)) end
  end
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

-- Modulo 2^32 in two steps: a double holds no product of more than 53 bits.
local function scattered(k)
  local low = k % 65536
  local high = (k - low) / 65536 % 65536
  return (low * SPREADER + high * SPREADER % 65536 * 65536) % 4294967296
end
local function pick(k, count) return floor(scattered(k) / 256) % count end
local function player_of(k) return pick(k, players) end
local tail = "-" .. run:sub(1, 4) .. "-4" .. run:sub(5, 7) .. "-8" .. run:sub(8, 10) .. "-"
local function uuid_of(k) return format("%08x%s%012x", scattered(k), tail, k) end

local head, values = 1, {}
local function spelled(forms, player, uuid, reference)
  values.P, values.U, values.R = format("p%06d", player), uuid, reference
  local parts, gaps = forms[head].parts, forms[head].gaps
  for i = 1, #gaps do parts[gaps[i].at] = values[gaps[i].place] end
  return table.concat(parts)
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
  return play(pick(past, 100) < ROLLBACKS and 3 or 2, past, k)
end

function request()
  local k = n
  n = n + 1
  head, values.N = pick(k, heads) + 1, format("%08x", scattered(k))
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
