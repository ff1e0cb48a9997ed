#include "runtime/html_report_assets.hpp"

namespace backtest::html {

const std::string_view style_sheet = R"css(
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --card: #ffffff; --ink: #16202c; --soft: #556272; --edge: #dde2e8; --grid: #e8ecf0;
  --accent: #0b5cad; --good: #0b62c4; --bad: #b8460b; --area: rgb(11 92 173 / .12);
  --c1: #0b5cad; --c2: #b8460b; --c3: #0f7b6c; --c4: #8a3ffc; --c5: #8d6708; --c6: #b02a6b;
  --c7: #4d5a68; --c8: #2f8fbf; --c9: #6b8e23;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f151c; --card: #17202a; --ink: #e7edf4; --soft: #9aa8b8; --edge: #2b3743; --grid: #243040;
    --accent: #6cb2ff; --good: #6cb2ff; --bad: #ff9a5c; --area: rgb(108 178 255 / .16);
    --c1: #6cb2ff; --c2: #ff9a5c; --c3: #4fd1b5; --c4: #c4a1ff; --c5: #e6c14d; --c6: #ff8fc1;
    --c7: #b4c0cc; --c8: #7fd3f7; --c9: #b5d66b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; scroll-padding-top: 3.5rem; }
body {
  margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
header, main, footer { max-width: 1280px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 30px; }
.eyebrow { margin: 0; color: var(--accent); font-size: 12px; font-weight: 700; letter-spacing: .09em;
  text-transform: uppercase; }
h1 { margin: 2px 0 8px; font-size: 30px; line-height: 1.2; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { margin: 0 0 2px; font-size: 19px; line-height: 1.3; letter-spacing: -.005em; }
h3 { margin: 22px 0 4px; font-size: 15px; }
p { margin: 0 0 10px; }
.lead, .note, .hint { color: var(--soft); }
.note { font-size: 13px; max-width: 100ch; }
.warning { margin: 10px 0 0; padding: 10px 14px; border-left: 4px solid var(--bad); font-weight: 600; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 26px; margin: 0 0 18px; padding: 0; list-style: none; }
.facts b { font-weight: 600; overflow-wrap: anywhere; }
.facts span { color: var(--soft); margin-right: 6px; }
nav { position: sticky; top: 0; z-index: 5; background: var(--bg); border-bottom: 1px solid var(--edge); }
nav div { max-width: 1280px; margin: 0 auto; padding: 0 20px; display: flex; gap: 2px; overflow-x: auto;
  scrollbar-width: none; }
nav a { padding: 10px 12px 9px; color: var(--soft); text-decoration: none; white-space: nowrap; font-size: 14px; }
nav a:first-child { margin-left: -12px; }
nav a:hover, nav a:focus-visible { color: var(--ink); box-shadow: inset 0 -2px var(--accent); }
section { margin: 18px 0; padding: 20px 22px 18px; background: var(--card); border: 1px solid var(--edge);
  border-radius: 10px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; margin: 18px 0 0; overflow: hidden;
  background: var(--edge); border: 1px solid var(--edge); border-radius: 10px; }
.tiles div { padding: 14px 18px 12px; background: var(--card); }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; font-size: 25px; font-weight: 650; line-height: 1.3; letter-spacing: -.015em; }
.tiles dd.hint { font-size: 12px; font-weight: 400; letter-spacing: 0; line-height: 1.4; }
.up { color: var(--good); } .down { color: var(--bad); } .none { color: var(--soft); }
.empty { margin: 10px 0 4px; padding: 22px; border: 1px dashed var(--edge); border-radius: 8px;
  color: var(--soft); text-align: center; }

figure { margin: 10px 0 4px; }
.frame { display: grid; grid-template: 1fr 24px / 72px 1fr; }
.plot { position: relative; height: 300px; border-bottom: 1px solid var(--edge); touch-action: pan-y; }
.low .plot { height: 170px; } .bars .plot { height: 220px; }
.plot svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: hidden; display: block; }
.ylab { position: relative; font-size: 12px; color: var(--soft); }
.ylab span { position: absolute; right: 10px; transform: translateY(-50%); white-space: nowrap; }
.xlab { grid-column: 2; position: relative; font-size: 12px; color: var(--soft); overflow: hidden; margin: 0 -28px; }
.xlab div { position: absolute; inset: 0 28px; }
.xlab span { position: absolute; top: 5px; transform: translateX(-50%); white-space: nowrap; }
svg path { fill: none; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--grid); } .zero { stroke: var(--soft); }
.line { stroke-width: 1.5; stroke-linejoin: round; }
.area { fill: var(--area) !important; stroke: none; }
.low .area { fill: color-mix(in srgb, var(--bad) 22%, transparent) !important; }
.s0 { stroke: var(--c1); stroke-width: 2.2; }
.s1 { stroke: var(--c2); } .s2 { stroke: var(--c3); stroke-dasharray: 7 3; }
.s3 { stroke: var(--c4); stroke-dasharray: 2 3; } .s4 { stroke: var(--c5); stroke-dasharray: 9 3 2 3; }
.s5 { stroke: var(--c6); stroke-dasharray: 4 2; } .s6 { stroke: var(--c7); stroke-dasharray: 1 2; }
.s7 { stroke: var(--c8); stroke-dasharray: 12 3; } .s8 { stroke: var(--c9); stroke-dasharray: 5 5; }
rect.gain { fill: var(--good); } rect.loss { fill: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 6px 0 10px; padding: 0; list-style: none; font-size: 13px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg { width: 28px; height: 12px; overflow: visible; } .legend svg[viewBox^="0 0 12"] { width: 12px; }
.legend button { display: flex; align-items: center; gap: 6px; padding: 2px 4px; margin-left: -4px; border: 0;
  background: none; color: inherit; font: inherit; border-radius: 5px; cursor: pointer; }
.legend button[aria-pressed="false"] { opacity: .42; text-decoration: line-through; }
.prices .line { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: none; }
.tp { stroke: var(--good); stroke-width: 1; stroke-dasharray: 4 3; opacity: .75; }
.sl { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 1 2; opacity: .9; }
.way { stroke-width: 1.4; } .gain .way { stroke: var(--good); } .loss .way { stroke: var(--bad); stroke-dasharray: 3 2; }
.en, .ex { stroke-linecap: round; } .en { stroke: var(--ink); stroke-width: 5; }
.ex { stroke-width: 8; } .gain .ex { stroke: var(--good); }
.loss .ex { stroke: var(--bad); stroke-linecap: square; stroke-width: 6.5; }
.dense .tp, .dense .sl { display: none; } .dense .ex { stroke-width: 5; } .dense .en { stroke-width: 3; }
.crowded .en { display: none; } .crowded .ex { stroke-width: 3.4; } .crowded .loss .ex { stroke-width: 2.8; }
.crowded .way { stroke-width: 1; opacity: .5; }
.k-en { fill: var(--ink); r: 3px; } .k-gain { fill: var(--good); } .k-loss { fill: var(--bad); }
.tools { display: none; } .js .tools { display: flex; justify-content: flex-end; gap: 4px; margin-bottom: 4px; }
.tools button, .more, .filters input, .filters select, .pick {
  font: inherit; font-size: 13px; color: var(--ink); background: var(--card); border: 1px solid var(--edge);
  border-radius: 6px; padding: 4px 9px; }
.tools button, .more, .filters select, .pick { cursor: pointer; }
.tools button { min-width: 32px; } .tools button:disabled { opacity: .4; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--soft); pointer-events: none; }
.range { position: absolute; top: 0; bottom: 0; background: var(--area); pointer-events: none; }
#tip { position: fixed; z-index: 9; pointer-events: none; max-width: 330px; padding: 7px 10px; font-size: 12.5px;
  line-height: 1.45; background: var(--ink); color: var(--card); border-radius: 7px; white-space: pre-line; }
[hidden] { display: none !important; }

.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 12px; margin-top: 12px; }
.card { padding: 12px 14px; border: 1px solid var(--edge); border-radius: 8px; min-width: 0; }
.card header { display: flex; justify-content: space-between; gap: 10px; padding: 0; font-weight: 600; }
.card bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.card p { margin: 6px 0 0; font-size: 12.5px; color: var(--soft); }
.thumb { display: block; width: 100%; height: 62px; margin-top: 6px; } .thumb.low { height: 22px; margin-top: 2px; }
.thumb .line { stroke-width: 1.6; }

.wide { overflow-x: auto; margin: 10px -22px 6px; padding: 0 22px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: 5px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th.text, td.text { text-align: left; } td.text bdi { display: inline-block; max-width: 46ch; overflow: hidden;
  text-overflow: ellipsis; vertical-align: bottom; }
thead th { color: var(--soft); font-weight: 600; font-size: 12px; border-bottom-color: var(--edge); }
tbody th { font-weight: 600; } .all th, .all td { border-top: 1px solid var(--edge); font-weight: 600; }
tfoot th, tfoot td { border-top: 2px solid var(--edge); border-bottom: 0; font-weight: 650; }
.heat td.good { background: color-mix(in srgb, var(--good) var(--h), transparent); }
.heat td.bad { background: color-mix(in srgb, var(--bad) var(--h), transparent); }
.heat th, .heat td { padding-left: 6px; padding-right: 6px; } .heat thead th { white-space: normal; vertical-align: bottom; }
.months td { min-width: 64px; } .sum { font-weight: 650; border-left: 2px solid var(--edge); }
#trades th button { all: unset; cursor: pointer; } #trades th button:focus-visible { outline: 2px solid var(--accent); }
#trades th[aria-sort="ascending"] button::after { content: " ▲"; }
#trades th[aria-sort="descending"] button::after { content: " ▼"; }
#trades tbody tr:hover { background: var(--bg); }
.filters { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 12px 0 4px; }
.filters input { flex: 1 1 180px; min-width: 0; } .filters output { color: var(--soft); font-size: 13px; }
pre { margin: 10px 0 0; padding: 14px 16px; overflow: auto; max-height: 520px; font-size: 12.5px; line-height: 1.5;
  background: var(--bg); border-radius: 8px; border: 1px solid var(--edge); tab-size: 2; }
summary { cursor: pointer; color: var(--accent); padding: 6px 0; font-size: 14px; }
footer { padding-bottom: 40px; color: var(--soft); font-size: 13px; }
@media (max-width: 700px) {
  header, main, footer, nav div { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 24px; } section { padding: 16px 14px 14px; } .wide { margin-left: -14px; margin-right: -14px; padding: 0 14px; }
  .tiles { grid-template-columns: 1fr 1fr; } .tiles div { padding: 11px 13px; } .tiles dd { font-size: 20px; }
  .frame { grid-template-columns: 58px 1fr; } .plot { height: 230px; } .low .plot { height: 130px; }
  .ylab, .xlab { font-size: 11px; } .ylab span { right: 6px; } .xlab span:nth-child(even) { display: none; }
  tbody th, .heat thead th:first-child, .heat tfoot th { position: sticky; left: -14px; background: var(--card); z-index: 1; }
}
@media print {
  :root { --bg: #fff; --card: #fff; --ink: #000; --soft: #444; --edge: #bbb; --grid: #ddd; --accent: #0b5cad;
    --good: #0b62c4; --bad: #b8460b; --area: rgb(11 92 173 / .12); --c1: #0b5cad; --c2: #b8460b; --c3: #0f7b6c;
    --c4: #8a3ffc; --c5: #8d6708; --c6: #b02a6b; --c7: #4d5a68; --c8: #2f8fbf; --c9: #6b8e23; color-scheme: light; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 11px; } nav, .tools, .more, .pick, .screen { display: none !important; }
  .prices[hidden] { display: block !important; } .filters { display: block !important; }
  .filters > :not(output) { display: none; }
  section { border: 0; padding: 0; break-inside: auto; } figure, .card, .tiles, tr { break-inside: avoid; }
  h2, h3, .note { break-after: avoid; } .wide { overflow: visible; margin: 8px 0; padding: 0; } table { font-size: 8.5px; }
  th, td { padding: 2px 4px; white-space: normal; } .heat { font-size: 7.2px; } .heat th, .heat td { padding: 2px; } .heat thead th { font-size: 6.8px; } :not(.heat) > thead th { font-size: 8px; } pre { max-height: none; white-space: pre-wrap; }
  .plot { height: 210px; } .low .plot { height: 120px; } .tiles { grid-template-columns: repeat(4, 1fr); }
  .tiles dd { font-size: 17px; } td.text bdi { max-width: none; } .months td { min-width: 0; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
)css";

} // namespace backtest::html
