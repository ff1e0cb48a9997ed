#!/bin/sh
# Makes the pictures of the README anew, from real sessions of the command: docs/run.svg,
# docs/live.svg and, with Chromium installed, docs/report.png and docs/walk.png.
set -eu
cd "$(dirname "$0")/.."
backtest=$PWD/${1:-build/release/tools/backtest}
docs=$PWD/docs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > portfolio.json <<'EOF'
{ "config": { "percent_fee": 0.04, "percent_slippage": 0.02 },
  "exchanges": [ { "name": "made_up", "type": "synthetic", "seed": 7, "volatility": 0.9,
                   "start_price": 40000,
                   "symbols": ["BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"] } ],
  "frames": [ { "name": "march", "interval": "1m", "start": "2024-03-01T00:00:00Z",
                "end": "2024-03-31T23:59:00Z" },
              { "name": "day", "interval": "1m", "start": "2024-03-01T00:00:00Z",
                "end": "2024-03-01T17:59:00Z" } ],
  "risks": [ { "name": "cap", "rules": [ { "type": "max_positions", "limit": 4 } ] } ],
  "strategies": [
    { "name": "pullback", "type": "pullback_limit", "interval": "1h", "risk_name": "cap",
      "params": { "threshold": 0.02, "offset": 0.005, "take_profit": 0.04, "stop_loss": 0.02,
                  "minutes": 1440 } },
    { "name": "cross", "type": "sma_cross", "interval": "15m", "risk_name": "cap" },
    { "name": "grid", "type": "time_grid" } ],
  "walkers": [ { "name": "compare", "exchange": "made_up", "frame": "march",
                 "strategies": ["pullback", "cross", "grid"], "metric": "sharpe_ratio" } ] }
EOF

# Lines on stdin as a terminal; the first is the command.
terminal() {
  awk -v title="$1" '
    function escaped(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); return text }
    function colour(number, text) {
      if (number == 1) return "#8fd18f"
      if (text ~ /^-+$/) return "#8b94a3"
      if (text ~ /^(Strategy|Rank)/) return "#ffffff"
      if (text ~ / closed .* \+[0-9.]+ %$/) return "#8fd18f"
      if (text ~ / closed .* -[0-9.]+ %$/) return "#e58f8a"
      if (text ~ / (scheduled|cancelled) /) return "#8b94a3"
      return "#d6dae1"
    }
    { lines[NR] = $0; if (length($0) > widest) widest = length($0) }
    END {
      width = 40 + int(widest * 7.83 + 0.5); height = 50 + NR * 18
      printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n", width, height, width, height, title
      print "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1b1e24\"/>"
      print "<circle cx=\"20\" cy=\"18\" r=\"5\" fill=\"#e0625a\"/><circle cx=\"38\" cy=\"18\" r=\"5\" fill=\"#e2b64b\"/><circle cx=\"56\" cy=\"18\" r=\"5\" fill=\"#5cb85c\"/>"
      print "<g font-family=\"ui-monospace, DejaVu Sans Mono, Menlo, monospace\" font-size=\"13\" xml:space=\"preserve\">"
      for (i = 1; i <= NR; i++)
        printf "<text x=\"20\" y=\"%d\" fill=\"%s\">%s</text>\n", 32 + i * 18, colour(i, lines[i]), escaped(lines[i])
      print "</g>\n</svg>"
    }'
}

# Prints a command as it would be typed, and what it says; lines beyond so many in the middle are
# left out.
session() {
  printf '$ backtest %s\n' "$*"
  "$backtest" "$@" 2>&1
}

shortened() {
  awk -v most="$1" '
    { lines[NR] = $0 }
    END {
      for (i = 1; i <= NR; i++) {
        if (NR > most && i == 15) print "..."
        if (NR <= most || i < 15 || i > NR - (most - 15)) print lines[i]
      }
    }'
}

session run --config portfolio.json --frame march | terminal 'A backtest in the terminal' > "$docs/run.svg"
session live --config portfolio.json --data-dir data --clock replay --speed max --frame day \
  --symbol BTCUSDT --symbol ETHUSDT --strategy cross --strategy pullback | shortened 26 |
  terminal 'A live run on the replay clock' > "$docs/live.svg"

if ! command -v chromium > /dev/null; then
  echo "docs/report.png and docs/walk.png stay as they are: chromium is not installed"
  exit 0
fi

# The top of a page, as small as it can be read.
photograph() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
    --window-size=1000,"$3" --virtual-time-budget=5000 --screenshot="$docs/$2" "file://$1" \
    > /dev/null 2>&1
}
"$backtest" demo --out demo --quiet > /dev/null
photograph "$work/demo/report.html" report.png 1250
"$backtest" walk --config portfolio.json --walker compare --symbol BTCUSDT --html walk.html --quiet \
  > /dev/null
photograph "$work/walk.html" walk.png 900
