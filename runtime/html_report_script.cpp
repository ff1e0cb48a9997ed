#include "runtime/html_report_assets.hpp"

namespace backtest::html {

const std::string_view script = R"js(
'use strict';
(() => {
const root = document.documentElement;
root.classList.add('js');
addEventListener('error', e => root.setAttribute('data-script-error', e.message));
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// ---- texts
const months = ['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec'];
const two = n => String(n).padStart(2, '0');
const iso = ms => new Date(ms).toISOString();
const moment = ms => iso(ms).slice(0, 16).replace('T', ' ');
const fixed = (value, digits) =>
  value.toLocaleString('en-US', {minimumFractionDigits: digits, maximumFractionDigits: digits});
const signed = (value, digits) => {
  const text = fixed(value, digits).replace(/^-(?=[0.,]*$)/, '');
  return value > 0 && /[1-9]/.test(text) ? '+' + text : text;
};
const small = v => v.toLocaleString('en-US', {minimumFractionDigits: 8,
  maximumFractionDigits: Math.min(20, 7 - Math.floor(Math.log10(Math.abs(v))))});
const price = v => v === null ? 'N/A' : v !== 0 && Math.abs(v) < 0.0001 ? small(v)
  : fixed(v, Math.abs(v) >= 1000 ? 2 : Math.abs(v) >= 1 ? 4 : Math.abs(v) >= 0.01 ? 6 : 8);
const duration = ms => {
  const m = Math.round(ms / 60000);
  return m < 60 ? m + ' min' : m < 2880 ? Math.floor(m / 60) + ' h ' + two(m % 60) + ' min'
    : Math.floor(m / 1440) + ' d ' + two(Math.floor(m % 1440 / 60)) + ' h';
};

// ---- one tooltip for everything
const tip = make('div', {id: 'tip', hidden: true});
document.body.append(tip);
const showTip = (text, x, y) => {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, x + 14 + box.width > innerWidth ? x - 14 - box.width : x + 14) + 'px';
  tip.style.top = Math.max(4, Math.min(y + 12, innerHeight - box.height - 4)) + 'px';
};
const hideTip = () => { tip.hidden = true; };
for (const bar of all('rect[data-tip]')) {
  bar.addEventListener('pointermove', e => showTip(bar.dataset.tip, e.clientX, e.clientY));
  bar.addEventListener('pointerleave', hideTip);
}

// ---- charts over time
const H = 10000;
const niceStep = raw => {
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map(f => f * power).find(s => s >= raw * (1 - 1e-9));
};
const minuteSteps = [1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 7200, 14400];
const timeMarks = (from, until, limit) => {
  const marks = [];
  const step = minuteSteps.find(s => (until - from) / 60000 / s <= limit);
  if (step) {
    const ms = step * 60000;
    for (let t = Math.ceil(from / ms) * ms; t <= until; t += ms) {
      const d = new Date(t);
      marks.push([t, t % 86400000 ? iso(t).slice(11, 16) : d.getUTCDate() + ' ' + months[d.getUTCMonth()]]);
    }
    return marks;
  }
  const index = t => new Date(t).getUTCFullYear() * 12 + new Date(t).getUTCMonth();
  const count = index(until) - index(from) + 1;
  const each = [1, 2, 3, 6, 12, 24, 60, 120, 600].find(s => count / s <= limit) || 600;
  for (let m = index(from); m <= index(until); ++m) {
    const t = Date.UTC(Math.floor(m / 12), m % 12, 1);
    if (m % each === 0 && t >= from && t <= until) marks.push([t, months[m % 12] + ' ' + Math.floor(m / 12)]);
  }
  return marks;
};

class Chart {
  constructor(figure) {
    const data = figure.dataset;
    this.figure = figure;
    this.plot = figure.querySelector('.plot');
    this.svg = this.plot.querySelector('svg');
    this.from = +data.from; this.width = +data.width; this.low = +data.low; this.high = +data.high;
    this.unit = data.unit; this.signed = data.signed === '1';
    this.lines = all('path[data-line]', this.svg).map(path => {
      const numbers = (path.getAttribute('d').match(/-?\d+/g) || []).map(Number);
      return {path, name: path.dataset.name, x: numbers.filter((_, i) => i % 2 === 0),
              y: numbers.filter((_, i) => i % 2), shown: true};
    }).reverse();
    this.trades = all('.t', this.svg).map(g => {
      const [open, close] = g.dataset.x.split(',').map(Number);
      return {g, open, close, tip: g.dataset.tip};
    });
    this.view = [0, this.width];
    this.cursor = make('div', {className: 'cursor', hidden: true});
    this.range = make('div', {className: 'range', hidden: true});
    this.plot.append(this.cursor, this.range);
    for (const button of all('.legend button', figure))
      button.addEventListener('click', () => {
        const line = this.lines[+button.dataset.line];
        line.shown = !line.shown;
        line.path.toggleAttribute('hidden', !line.shown);
        line.path.style.display = line.shown ? '' : 'none';
        button.setAttribute('aria-pressed', line.shown);
        this.draw();
      });
    const button = (text, label, act) => make('button', {type: 'button', textContent: text, title: label,
      ariaLabel: label, onclick: act});
    this.reset = button('Reset', 'Show the whole time', () => this.zoomTo(0, this.width));
    figure.querySelector('.frame').before(make('div', {className: 'tools'},
      button('←', 'Earlier', () => this.move(-0.4)), button('→', 'Later', () => this.move(0.4)),
      button('−', 'Zoom out', () => this.scale(2)), button('+', 'Zoom in', () => this.scale(0.5)), this.reset));
    this.plot.addEventListener('pointermove', e => this.point(e));
    this.plot.addEventListener('pointerdown', e => this.press(e));
    this.plot.addEventListener('pointerup', e => this.release(e));
    this.plot.addEventListener('pointercancel', () => this.leave());
    this.plot.addEventListener('pointerleave', () => this.leave());
    this.plot.addEventListener('dblclick', () => this.zoomTo(0, this.width));
    this.draw();
  }
  value(y) { return this.high - y / H * (this.high - this.low); }
  height(value) { return (this.high - value) / (this.high - this.low) * H; }
  minuteAt(e) {
    const box = this.plot.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
    return this.view[0] + part * (this.view[1] - this.view[0]);
  }
  place(minute) { return (minute - this.view[0]) / (this.view[1] - this.view[0]) * 100 + '%'; }
  label(value, digits) {
    return (this.signed ? signed(value, digits) : fixed(value, digits)) + (this.unit ? '\u202f' + this.unit : '');
  }
  zoomTo(a, b) {
    const least = Math.min(30, this.width);
    if (b - a < least) { const middle = (a + b) / 2; a = middle - least / 2; b = middle + least / 2; }
    if (a < 0) { b -= a; a = 0; }
    if (b > this.width) { a = Math.max(0, a - (b - this.width)); b = this.width; }
    for (const chart of charts)
      if (chart.figure.dataset.group === this.figure.dataset.group) { chart.view = [a, b]; chart.draw(); }
  }
  scale(factor) {
    const [a, b] = this.view, middle = (a + b) / 2, half = (b - a) / 2 * factor;
    this.zoomTo(middle - half, middle + half);
  }
  move(part) { const [a, b] = this.view, by = (b - a) * part; this.zoomTo(a + by, b + by); }
  draw() {
    const [a, b] = this.view, whole = a <= 0 && b >= this.width;
    let top = Infinity, bottom = -Infinity;
    const cover = y => { if (y < top) top = y; if (y > bottom) bottom = y; };
    for (const line of this.lines) {
      if (!line.shown) continue;
      for (let i = 0; i < line.x.length; ++i)
        if (line.x[i] >= a && line.x[i] <= b) cover(line.y[i]);
        else if (line.x[i] < a && (i + 1 === line.x.length || line.x[i + 1] > a)) cover(line.y[i]);
    }
    let inside = 0;
    for (const t of this.trades) if (t.close >= a && t.open <= b) {
      ++inside;
      for (const n of t.g.querySelectorAll('.tp, .sl')) cover(+n.getAttribute('d').match(/-?\d+/g)[1]);
    }
    this.svg.classList.toggle('dense', inside > 60);
    this.svg.classList.toggle('crowded', inside > 200);
    if (top > bottom || whole && this.lines.every(l => l.shown)) { top = 0; bottom = H; }
    let low = this.value(bottom), high = this.value(top);
    if (!(high > low)) { const by = (this.high - this.low) / 50; low -= by; high += by; }
    const step = niceStep((high - low) / 7);
    low = Math.floor(low / step + 1e-9) * step; high = Math.ceil(high / step - 1e-9) * step;
    this.svg.setAttribute('viewBox', `${a} ${this.height(high)} ${b - a} ${this.height(low) - this.height(high)}`);
    const digits = Math.min(16, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
    const ylab = this.figure.querySelector('.ylab'), xlab = this.figure.querySelector('.xlab div');
    let grid = '';
    ylab.replaceChildren();
    for (let i = 0; i <= Math.round((high - low) / step); ++i) {
      const value = low + i * step;
      grid += `M0 ${this.height(value)}H${this.width}`;
      const label = make('span', {textContent: this.label(value, digits)});
      label.style.top = (high - value) / (high - low) * 100 + '%';
      ylab.append(label);
    }
    this.svg.querySelector('.grid').setAttribute('d', grid);
    xlab.replaceChildren(...timeMarks(this.from + a * 60000, this.from + b * 60000, 7).map(([t, text]) => {
      const label = make('span', {textContent: text});
      label.style.left = this.place((t - this.from) / 60000);
      return label;
    }));
    this.reset.disabled = whole;
  }
  point(e) {
    const at = this.minuteAt(e);
    if (this.start !== undefined && e.pointerType === 'mouse') {
      const [a, b] = [Math.min(this.start, at), Math.max(this.start, at)];
      this.range.hidden = false;
      this.range.style.left = this.place(a);
      this.range.style.right = `calc(100% - ${this.place(b)})`;
    }
    let nearest;
    const texts = [];
    for (const line of this.lines) {
      if (!line.shown || !line.x.length) continue;
      let i = 0, j = line.x.length - 1;
      while (i < j) { const m = (i + j + 1) >> 1; if (line.x[m] <= at) i = m; else j = m - 1; }
      if (i + 1 < line.x.length && line.x[i + 1] - at < at - line.x[i]) ++i;
      if (nearest === undefined) nearest = line.x[i];
      const value = this.value(line.y[i]);
      texts.push(line.name + '  ' + (this.unit ? this.label(value, 2) : price(value)));
    }
    if (nearest === undefined) return;
    const reach = (this.view[1] - this.view[0]) * 0.006;
    const near = this.trades.filter(t => at >= t.open - reach && at <= t.close + reach);
    for (const t of near.slice(0, 4)) texts.push(t.tip);
    if (near.length > 4) texts.push(`and ${near.length - 4} more trades`);
    this.cursor.hidden = false;
    this.cursor.style.left = this.place(nearest);
    showTip(moment(this.from + nearest * 60000) + ' UTC\n' + texts.join('\n'), e.clientX, e.clientY);
  }
  press(e) { if (e.button === 0) this.start = this.minuteAt(e); }
  release(e) {
    const at = this.minuteAt(e), from = this.start;
    this.leave();
    if (e.pointerType === 'mouse' && from !== undefined && Math.abs(at - from) > (this.view[1] - this.view[0]) * 0.01)
      this.zoomTo(Math.min(from, at), Math.max(from, at));
  }
  leave() { this.start = undefined; this.range.hidden = true; this.cursor.hidden = true; hideTip(); }
}
const charts = [];
const bring = figure => charts.push(new Chart(figure));
for (const figure of all('figure.chart[data-from]')) bring(figure);

// ---- one symbol of the price charts at a time
const pick = document.querySelector('.pick');
if (pick) {
  const panes = all('.prices');
  const choose = () => panes.forEach((pane, i) => { pane.hidden = i !== pick.selectedIndex; });
  pick.addEventListener('change', choose);
  pick.hidden = false;
  choose();
}

// ---- trades
const source = document.getElementById('trade-data'), table = document.querySelector('#trades table');
if (source && table) {
  const {runs, trades} = JSON.parse(source.textContent);
  const reasons = ['take profit', 'stop loss', 'time expired', 'closed by user'];
  const form = document.querySelector('.filters'), body = table.tBodies[0];
  const [needle, symbol, strategy, side, result] = all('input, select', form);
  const count = form.querySelector('output'), more = document.querySelector('.more');
  const unique = at => [...new Set(runs.map(r => r[at]))];
  for (const [list, at] of [[symbol, 0], [strategy, 1]])
    for (const text of unique(at)) list.append(make('option', {textContent: text, value: text}));
  const sideOf = t => t[1] > 0 ? 'long' : 'short';
  const columns = [
    ['Closed (UTC)', t => t[3], t => moment(t[3])], ['Symbol', t => runs[t[0]][0], null, 'text'],
    ['Strategy', t => runs[t[0]][1], null, 'text'], ['Side', sideOf, null, 'text'],
    ['Opened (UTC)', t => t[2], t => moment(t[2])], ['Duration', t => t[3] - t[2], t => duration(t[3] - t[2])],
    ['Entry', t => t[4], t => price(t[4])], ['Exit', t => t[5], t => price(t[5])],
    ['Take profit', t => t[6], t => price(t[6])], ['Stop loss', t => t[7], t => price(t[7])],
    ['PnL (net)', t => t[8], t => t[8] === null ? 'N/A' : signed(t[8], 2) + '\u202f%'],
    ['Closed by', t => reasons[t[9]], null, 'text'],
  ];
  if (trades.some(t => t.length > 10)) columns.push(['Note', t => t[10] || '', null, 'text']);
  let sorted = 0, down = true, rows = trades, shown = 0;
  const head = make('tr');
  columns.forEach(([label, , , css], i) => {
    const cell = make('th', {className: css || '', scope: 'col'}, make('button', {type: 'button', textContent: label,
      onclick: () => { down = sorted === i ? !down : !css; sorted = i; update(); }}));
    head.append(cell);
  });
  table.tHead.replaceChildren(head);
  const rowOf = t => {
    const row = make('tr');
    columns.forEach(([label, key, text, css], i) => {
      const shownText = text ? text(t) : key(t);
      const cell = make('td', {className: css || ''});
      if (i === 10) cell.classList.add(t[8] > 0 ? 'up' : t[8] < 0 ? 'down' : 'none');
      cell.append(css ? make('bdi', {textContent: shownText, title: shownText.length > 40 ? shownText : ''}) : shownText);
      row.append(cell);
    });
    return row;
  };
  const page = size => {
    body.append(...rows.slice(shown, shown + size).map(rowOf));
    shown = Math.min(rows.length, shown + size);
    more.hidden = shown >= rows.length;
    more.textContent = `Show ${Math.min(500, rows.length - shown)} more`;
    count.textContent = `${rows.length.toLocaleString('en-US')} trade${rows.length === 1 ? '' : 's'}, ` +
      `${shown.toLocaleString('en-US')} shown`;
    table.dataset.matching = rows.length;
  };
  const update = () => {
    const words = needle.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows = trades.filter(t => {
      const [a, b] = runs[t[0]];
      if (symbol.selectedIndex && symbol.value !== a || strategy.selectedIndex && strategy.value !== b) return false;
      if (side.value && side.value !== sideOf(t)) return false;
      if (result.value && result.value !== (t[8] > 0 ? 'gain' : t[8] < 0 ? 'loss' : 'even') &&
          result.value !== reasons[t[9]]) return false;
      if (!words.length) return true;
      const text = [a, b, sideOf(t), reasons[t[9]], moment(t[3]), t[10] || ''].join(' ').toLowerCase();
      return words.every(w => text.includes(w));
    });
    const key = columns[sorted][1];
    rows = rows.map((t, i) => [key(t), i, t]).sort(([a, i], [b, j]) =>
      (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1) || i - j).map(r => r[2]);
    [...head.cells].forEach((cell, i) => i === sorted
      ? cell.setAttribute('aria-sort', down ? 'descending' : 'ascending') : cell.removeAttribute('aria-sort'));
    body.replaceChildren();
    shown = 0;
    page(50);
  };
  form.addEventListener('input', update);
  form.addEventListener('submit', e => e.preventDefault());
  more.addEventListener('click', () => page(500));
  form.hidden = false;
  update();
}
root.setAttribute('data-script', 'done');
})();
)js";

} // namespace backtest::html
