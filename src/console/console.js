/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: asks for everything each two seconds, and shows it.
 *
 *	poll() ─▶ state ─▶ render(): tiles, tables, charts
 *	              └──▶ remember(): figures of the last minutes, for "live"
 *
 * What came from elsewhere gets into the page as text and attributes only,
 * never as markup.
 */
"use strict";

const POLL = 2000;		// ms
const PATIENCE = 6000;		// ms: then an answer is lost
const LIVE = 5 * 60;		// s: how far the live charts reach back
const SPANS = [["live", "Live"], [3, "3 h"], [12, "12 h"], [72, "72 h"]];

const $ = (id) => document.getElementById(id);
let state = null;		// the last answer
let before = null;		// the one before it
let lastAnswer = 0;		// when it came, ms
let chosen = null;		// the file system of the charts
let span = "live";
let past = null;		// { of, span, data, at }
const live = new Map();		// file system -> [{ time, read, … }]

// ------------------------------------------------------------- elements ---

/* el("td", { class: "number" }, "5 GiB", node…); null is left out. */
function el(tag, attributes, ...children) {
  const svg = ["svg", "g", "path", "line", "circle", "text", "rect"];
  const e = svg.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false)
      e.setAttribute(name, value === true ? "" : value);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const chip = (text, tone) => el("span", { class: `chip ${tone || ""}` }, text);
const sub = (text) => el("span", { class: "sub" }, text);
const mono = (text) => el("span", { class: "mono" }, text);

// --------------------------------------------------------------- figures ---

function scaled(value, units, step) {
  let i = 0;
  while (Math.abs(value) >= step && i < units.length - 1) {
    value /= step;
    i++;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[i]}`;
}
const bytes = (n) =>
  scaled(n, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024);
const rate = (n) =>
  scaled(n, ["B/s", "KiB/s", "MiB/s", "GiB/s"], 1024);
const count = (n) => Number(n).toLocaleString("en");
const many = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;

function ago(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function clock(time, long) {
  const d = new Date(time * 1000);
  const options = { hour: "2-digit", minute: "2-digit" };
  if (long) options.second = "2-digit";
  if (Date.now() / 1000 - time > 20 * 3600) options.weekday = "short";
  return d.toLocaleTimeString([], options);
}

const TONES = {
  available: "good", OK: "good", optimized: "good",
  error: "bad", ALARM: "bad", inaccessible: "bad", missing: "bad",
  persistent_loss: "bad",
};
const stateChip = (s) => chip(String(s).replaceAll("_", " "), TONES[s] || "warn");

// ---------------------------------------------------------------- tables ---

/*
 * columns: [{ title, number, cell(row) }], where cell gives a text, a node, or
 * an array of those.  Rows that have not changed stay as they are, and with
 * them what has the focus.
 */
function table(place, caption, columns, rows, key, empty) {
  if (rows.length === 0) {
    place.replaceChildren(...(empty ? [empty] : []));
    return;
  }
  let body = place.querySelector("tbody");
  if (!body) {
    body = el("tbody");
    place.replaceChildren(el("table", {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...columns.map((c) =>
        el("th", { scope: "col", class: c.number ? "number" : null },
          c.title)))),
      body));
  }
  body.parentNode.caption.textContent = caption;
  const old = new Map([...body.rows].map((tr) => [tr.dataset.key, tr]));
  const now = rows.map((row) => tableRow(old.get(key(row)), columns, row, key));
  if (now.length !== body.rows.length ||
      now.some((tr, i) => tr !== body.rows[i]))
    body.replaceChildren(...now);
}

function tableRow(tr, columns, row, key) {
  if (!tr) {
    tr = el("tr");
    tr.dataset.key = key(row);
    tr.append(...columns.map((c) => el("td",
      { class: c.number ? "number" : null, "data-label": c.title })));
  }
  columns.forEach((c, i) => {
    const made = el("td", {}, ...[c.cell(row)].flat());
    if (made.innerHTML !== tr.cells[i].innerHTML)
      tr.cells[i].replaceChildren(...made.childNodes);
  });
  return tr;
}

const nothing = (text, command) =>
  el("p", { class: "empty" }, text, command ? el("code", {}, command) : null);

const named = (thing) =>
  thing.name ? [thing.name, el("span", { class: "sub mono" }, thing.id)]
             : [mono(thing.id)];

function renderFileSystems() {
  const list = state.file_systems;
  table($("fs"), `${list.length} in all; throughput is that of now.`, [
    { title: "Name", cell: (f) => el("button",
      { type: "button", "data-fs": f.id,
        "aria-pressed": String(f.id === chosen) }, ...named(f)) },
    { title: "State", cell: (f) => stateChip(f.state) },
    { title: "Stored", number: true, cell: (f) => bytes(f.used_bytes) },
    { title: "Files", number: true, cell: (f) => count(f.used_files) },
    { title: "Read", number: true, cell: (f) => rate(ratesOf(f).read) },
    { title: "Written", number: true, cell: (f) => rate(ratesOf(f).written) },
    { title: "Clients", number: true, cell: (f) => f.stats
      ? [count(f.stats.clients), sub(many(f.stats.connections, "connection"))]
      : "–" },
    { title: "Limit", number: true, cell: limitOf },
  ], list, (f) => f.id,
  nothing("There is no file system yet.", "hawser fs create --name music"));
}

function limitOf(f) {
  const s = f.stats;
  if (!s || !s.permitted_throughput) return "none";
  const waits = s.waiting > 0 ? [sub(`${count(s.waiting)} waiting`)] : [];
  return [rate(s.permitted_throughput), ...waits];
}

const hostPort = (host, port) =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

function clientsOf(target) {
  const fs = state.file_systems.find((f) => f.id === target.fs);
  const at = hostPort(target.address, target.port);
  return fs ? fs.clients.filter((c) => c.target === at) : [];
}

function renderTargets() {
  const list = state.mount_targets;
  const name = (id) =>
    (state.file_systems.find((f) => f.id === id) || {}).name || id;
  const first = state.file_systems[0];
  table($("targets"), `${list.length} addresses: each is a path to its file ` +
    "system.", [
    { title: "Address", cell: (t) => [mono(hostPort(t.address, t.port)),
      el("span", { class: "sub mono" }, t.id)] },
    { title: "File system", cell: (t) => name(t.fs) },
    { title: "Zone", cell: (t) => t.zone },
    { title: "State", cell: (t) => stateChip(t.state) },
    { title: "Clients", number: true, cell: (t) =>
      count(new Set(clientsOf(t).map((c) => c.client)).size) },
    { title: "Connections", number: true, cell: (t) =>
      count(clientsOf(t).reduce((n, c) => n + c.connections, 0)) },
  ], list, (t) => t.id,
  nothing("No file system is served on any address.",
    `hawser mount-target create ${first ? first.id : "FS"}`));

  const clients = state.file_systems.flatMap((f) =>
    f.clients.map((c) => ({ ...c, fs: f.id })));
  const more = state.file_systems.reduce((n, f) => n + f.more_clients, 0);
  const target = list[0];
  table($("clients"), "Who is connected, by which path" +
    (more ? `; ${count(more)} connections more are not listed.` : "."), [
    { title: "Client", cell: (c) => mono(c.client) },
    { title: "Path", cell: (c) => mono(c.target) },
    { title: "File system", cell: (c) => name(c.fs) },
    { title: "Connections", number: true, cell: (c) => count(c.connections) },
    { title: "For", number: true, cell: (c) => ago(state.now - c.since) },
  ], clients, (c) => `${c.fs} ${c.client} ${c.target}`,
  target && nothing("Nobody is connected.",
    `hawser mount ${target.address}:/ DIRECTORY`));
}

function usageOf(p) {
  if (p.used_bytes === undefined) return ["not counted"];
  const used = bytes(p.used_bytes) + (p.counting ? " and counting" : "");
  if (!p.quota_bytes) return [used];
  return [`${used} of ${bytes(p.quota_bytes)} `,
    el("meter", { min: 0, max: p.quota_bytes, value: p.used_bytes,
      high: p.quota_bytes * .8, optimum: 0, "aria-label": "used" })];
}

function renderPoints() {
  const list = state.access_points;
  const first = state.file_systems[0];
  table($("points"), list.length >= 200 ? "The first 200."
                                        : `${list.length} in all.`, [
    { title: "Name", cell: named },
    { title: "File system", cell: (p) => mono(p.fs) },
    { title: "Directory", cell: (p) => mono(p.path) },
    { title: "Used", cell: usageOf },
    { title: "Files", number: true, cell: (p) =>
      p.used_files === undefined ? "–"
        : count(p.used_files) +
          (p.quota_files ? ` of ${count(p.quota_files)}` : "") },
  ], list, (p) => p.id,
  nothing("There is no access point.", "aws efs create-access-point " +
    `--file-system-id ${first ? first.id : "FS"} --root-directory Path=/app`));
}

function renderVolumes() {
  table($("volumes"), `${state.volumes.length} in all.`, [
    { title: "Name", cell: named },
    { title: "State", cell: (v) => stateChip(v.state) },
    { title: "Size", number: true, cell: (v) => bytes(v.size) },
    { title: "Written", number: true, cell: (v) => bytes(v.used_bytes) },
    { title: "Subsystem", cell: (v) => mono(v.nqn) },
  ], state.volumes, (v) => v.id,
  nothing("There is no block volume.",
    "hawser volume create --name disk --size 10G"));

  const listeners = state.subsystems.flatMap((s) =>
    (s.listeners || []).map((l) => ({ ...l, of: s })));
  table($("listeners"), "Listeners of NVMe/TCP subsystems, and how their " +
    "paths are (ANA).", [
    { title: "Address", cell: (l) =>
      mono(hostPort(l.address.traddr, l.address.trsvcid)) },
    { title: "Subsystem", cell: (l) => mono(l.of.nqn) },
    { title: "ANA state", cell: anaOf },
    { title: "Hosts", number: true, cell: (l) => count(new Set(
      (l.of.controllers || []).map((c) => c.hostnqn)).size) },
  ], listeners, (l) => `${l.of.nqn} ${l.address.traddr} ${l.address.trsvcid}`);
}

/* One chip for each state, with its groups if they differ. */
function anaOf(l) {
  const by = new Map();
  for (const a of l.ana_states || [])
    by.set(a.ana_state, [...(by.get(a.ana_state) || []), a.ana_group]);
  if (by.size === 0) return l.ana_state ? stateChip(l.ana_state) : "–";
  return [...by].flatMap(([s, groups]) =>
    by.size === 1 ? [stateChip(s)]
                  : [stateChip(s), ` groups ${groups.join(", ")} `]);
}

function renderAlarms() {
  const first = state.file_systems[0];
  const fs = (a) => (a.Dimensions || []).map((d) => d.Value).join(", ");
  table($("alarms"), `${state.alarms.length} in all.`, [
    { title: "Name", cell: (a) => a.name },
    { title: "State", cell: (a) => stateChip(a.StateValue || "?") },
    { title: "Metric", cell: (a) => [a.MetricName || "", sub(fs(a))] },
    { title: "Why", cell: (a) => a.StateReason || "" },
  ], state.alarms, (a) => a.name,
  nothing("There is no alarm.", "aws cloudwatch put-metric-alarm " +
    "--alarm-name credits-low --namespace AWS/EFS " +
    "--metric-name BurstCreditBalance --dimensions " +
    `Name=FileSystemId,Value=${first ? first.id : "FS"} --statistic Average ` +
    "--period 60 --evaluation-periods 5 --threshold 1000000000000 " +
    "--comparison-operator LessThanThreshold"));
}

function tile(name, value, note, bad) {
  return el("dl", { class: bad ? "tile bad" : "tile" }, el("dt", {}, name),
    el("dd", {}, value, note ? el("small", {}, ` ${note}`) : null));
}

function renderTiles() {
  const fs = state.file_systems;
  const sum = (f) => fs.reduce((n, x) => n + f(x), 0);
  const up = state.mount_targets.filter((t) => t.state === "available").length;
  const ringing = state.alarms.filter((a) => a.StateValue === "ALARM").length;
  const n = state.mount_targets.length;
  const all = sum((f) => ratesOf(f).read + ratesOf(f).written);
  $("tiles").replaceChildren(
    tile("File systems", count(fs.length),
      bytes(sum((f) => f.used_bytes))),
    tile("Mount targets up", `${up}`, n ? `of ${n}` : "", up < n),
    tile("Clients", count(sum((f) => f.stats ? f.stats.clients : 0)),
      `on ${many(sum((f) => f.stats ? f.stats.connections : 0), "path")}`),
    tile("Throughput", rate(all)),
    tile("Volumes", count(state.volumes.length),
      bytes(state.volumes.reduce((s, v) => s + (v.size || 0), 0))),
    tile("Alarms", count(ringing), `of ${state.alarms.length}`, ringing > 0));
}

// --------------------------------------------------------- what happened ---

/* A second, between the last two answers. */
function ratesOf(f) {
  const was = before && before.file_systems.find((x) => x.id === f.id);
  const seconds = before ? state.now - before.now : 0;
  const none = { read: 0, written: 0, metered: 0 };
  if (!was || !was.stats || !f.stats || seconds <= 0) return none;
  const per = (name) =>
    Math.max(0, (f.stats[name] - was.stats[name]) / seconds);
  return { read: per("bytes_read"), written: per("bytes_written"),
           metered: per("bytes_metered") };
}

function remember() {
  for (const f of state.file_systems) {
    if (!live.has(f.id)) live.set(f.id, []);
    const points = live.get(f.id);
    if (before) points.push({ time: state.now, ...ratesOf(f),
      permitted: (f.stats && f.stats.permitted_throughput) || null,
      credits: f.stats ? f.stats.burst_credits : null,
      connections: f.stats ? f.stats.connections : null });
    while (points.length && points[0].time < state.now - LIVE) points.shift();
  }
  for (const id of live.keys())
    if (!state.file_systems.some((f) => f.id === id)) live.delete(id);
}

/* [{ time, read, written, … }] of what the charts show. */
function chartPoints() {
  if (span === "live") return live.get(chosen) || [];
  if (!past || past.of !== chosen || past.span !== span) return [];
  const d = past.data;
  return (d.read || []).map((_, i) => ({
    time: Math.min(d.start + (i + .5) * d.period, state.now),
    read: d.read[i],
    written: d.written[i], metered: d.metered[i],
    permitted: d.permitted[i] || null, credits: d.credits[i],
    connections: d.connections[i] }));
}

/* Live charts grow with what is known, from a minute on. */
function chartStart(points) {
  if (span !== "live") return state.now - span * 3600;
  const first = points.length ? points[0].time : state.now;
  return Math.max(state.now - LIVE, Math.min(first, state.now - 60));
}

async function askHistory() {
  if (span === "live" || !chosen) return;
  const fresh = past && past.of === chosen && past.span === span &&
    Date.now() - past.at < 20000;
  if (fresh) return;
  const of = chosen, asked = span;
  const data = await get(`/console/history?fs=${encodeURIComponent(of)}` +
    `&hours=${asked}`);
  past = { of, span: asked, data, at: Date.now() };
  renderCharts();
}

// ---------------------------------------------------------------- charts ---

/* The next round figure above, for an axis. */
function ceiling(value, step) {
  if (value <= 0) return step === 1024 ? 1024 : 1;
  let unit = 1;
  while (value >= unit * step) unit *= step;
  for (const n of [1, 2, 4, 5, 8, 10, 16, 20, 32, 40, 50, 64, 80, 100, 128,
                   160, 200, 256, 320, 400, 512, 640, 800, 1024])
    if (value <= n * unit) return n * unit;
  return unit * step;
}

/*
 * A chart over time: series [{ name, field, tone, fill }] of points
 * [{ time, … }]; where there is no value the line is broken.  The nearest point
 * is told on hover, and with the arrow keys.
 */
class Chart {
  constructor(place, title, series, unit, step) {
    Object.assign(this, { place, title, series, unit, step });
    this.at = null;			// where the cursor is: a time
    this.caption = el("figcaption", {});
    this.svg = el("svg", { class: "chart", tabindex: "0", role: "img" });
    place.replaceChildren(this.caption, this.svg);
    this.svg.addEventListener("pointermove", (e) => this.point(e.offsetX));
    this.svg.addEventListener("pointerleave", () => this.leave());
    this.svg.addEventListener("blur", () => this.leave());
    this.svg.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.draw()).observe(place);
  }

  leave() { this.at = null; this.draw(); }

  point(x) {
    this.at = this.from + (x - this.left) / (this.right - this.left) *
      (this.to - this.from);
    this.draw();
  }

  key(e) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!step || this.points.length === 0) return;
    e.preventDefault();
    const i = this.at === null ? this.points.length - (step < 0 ? 0 : 1)
      : this.points.indexOf(this.nearest());
    const j = Math.min(Math.max(i + step, 0), this.points.length - 1);
    this.at = this.points[j].time;
    this.draw();
  }

  nearest() {
    const far = (p) => Math.abs(p.time - this.at);
    return this.points.reduce((a, b) => far(b) < far(a) ? b : a);
  }

  show(points, from, to) {
    Object.assign(this, { points, from, to });
    this.draw();
  }

  draw() {
    if (!this.points) return;
    const width = this.place.clientWidth, height = width < 500 ? 170 : 210;
    this.left = 74; this.right = width - 12;
    this.top = 10; this.bottom = height - 24;
    const values = this.points.flatMap((p) =>
      this.series.map((s) => p[s.field])).filter((v) => v !== null);
    this.max = ceiling(Math.max(0, ...values), this.step);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...this.axes(), ...this.lanes(values),
      ...this.cursor());
    this.tell(values);
  }

  x(t) {
    return this.left + (t - this.from) / (this.to - this.from) *
      (this.right - this.left);
  }

  y(v) {
    return this.bottom - v / this.max * (this.bottom - this.top);
  }

  axes() {
    const parts = [];
    for (let i = 0; i <= 4; i++) {
      const v = this.max * i / 4, y = this.y(v);
      if (this.step === 1000 && !Number.isInteger(v)) continue;
      parts.push(el("line", { class: "grid", x1: this.left, x2: this.right,
        y1: y, y2: y }));
      parts.push(el("text", { x: this.left - 8, y: y + 4,
        "text-anchor": "end" }, this.unit(v)));
    }
    const n = this.right - this.left < 420 ? 2 : 5;
    for (let i = 0; i <= n; i++) {
      const t = this.from + (this.to - this.from) * i / n;
      parts.push(el("text", { x: this.x(t), y: this.bottom + 18,
        "text-anchor": i === 0 ? "start" : i === n ? "end" : "middle" },
      clock(t, this.to - this.from < 600)));
    }
    return parts;
  }

  lanes(values) {
    if (values.length === 0)
      return [el("text", { class: "nothing", "text-anchor": "middle",
        x: (this.left + this.right) / 2, y: (this.top + this.bottom) / 2 },
      "nothing is known of this time")];
    return this.series.flatMap((s) => {
      const runs = [];
      let run = [];
      for (const p of [...this.points, { [s.field]: null }]) {
        if (p[s.field] !== null && p[s.field] !== undefined) run.push(p);
        else if (run.length) { runs.push(run); run = []; }
      }
      return runs.flatMap((r) => this.lane(s, r));
    });
  }

  lane(s, run) {
    const line = run.map((p, i) => `${i ? "L" : "M"}` +
      `${this.x(p.time).toFixed(1)} ${this.y(p[s.field]).toFixed(1)}`).join("");
    if (run.length === 1)
      return [el("circle", { class: `dot ${s.tone}`, r: 3.5,
        cx: this.x(run[0].time), cy: this.y(run[0][s.field]) })];
    const area = `${line}L${this.x(run.at(-1).time).toFixed(1)} ` +
      `${this.bottom}L${this.x(run[0].time).toFixed(1)} ${this.bottom}Z`;
    return [
      s.fill ? el("path", { class: `fill ${s.tone}`, d: area }) : null,
      el("path", { class: `lane ${s.tone}`, d: line }),
    ].filter(Boolean);
  }

  cursor() {
    if (this.at === null || this.points.length === 0) return [];
    const p = this.nearest(), x = this.x(p.time);
    return [el("line", { class: "cursor", x1: x, x2: x, y1: this.top,
      y2: this.bottom }),
    ...this.series.filter((s) => p[s.field] !== null).map((s) =>
      el("circle", { class: `dot ${s.tone}`, r: 4, cx: x,
        cy: this.y(p[s.field]) }))];
  }

  /* The caption: the values at the cursor, or the last ones. */
  tell(values) {
    const p = this.points.length === 0 ? null
      : this.at === null ? this.points.at(-1) : this.nearest();
    const of = (s) => p && p[s.field] !== null && p[s.field] !== undefined
      ? this.unit(p[s.field]) : "–";
    this.caption.replaceChildren(el("b", {}, this.title +
      (p ? `, ${clock(p.time, span === "live")}` : "")),
    ...this.series.map((s) =>
      el("span", { class: s.tone }, `${s.name} ${of(s)}`)));
    this.svg.setAttribute("aria-label", `${this.title}. ` +
      this.series.map((s) => `${s.name}: ${of(s)}`).join(", ") +
      (values.length ? `; the greatest is ${this.unit(Math.max(...values))}.`
                     : "."));
  }
}

let charts = null;
function makeCharts() {
  charts = {
    throughput: new Chart($("throughput"), "Throughput", [
      { name: "read", field: "read", tone: "c0", fill: true },
      { name: "written", field: "written", tone: "c1", fill: true },
      { name: "permitted (metered)", field: "permitted", tone: "c2" },
    ], rate, 1024),
    credits: new Chart($("credits"), "Burst credits", [
      { name: "left", field: "credits", tone: "c0", fill: true },
    ], bytes, 1024),
    connections: new Chart($("connections"), "Connections", [
      { name: "open", field: "connections", tone: "c0", fill: true },
    ], (n) => count(Math.round(n * 100) / 100), 1000),
  };
  $("span").append(...SPANS.map(([value, text]) =>
    el("button", { type: "button", "data-span": value,
      "aria-pressed": String(value === span) }, text)));
}

function renderCharts() {
  const list = state.file_systems;
  if (!list.some((f) => f.id === chosen))
    chosen = list.length ? list[0].id : null;
  $("charts").hidden = !chosen;
  if (!chosen) return;
  if (!charts) makeCharts();
  const options = list.map((f) => f.id).join();
  if ($("which").dataset.of !== options) {
    $("which").replaceChildren(...list.map((f) =>
      el("option", { value: f.id }, f.name ? `${f.name} (${f.id})` : f.id)));
    $("which").dataset.of = options;
  }
  $("which").value = chosen;
  for (const b of $("span").children)
    b.setAttribute("aria-pressed", String(b.dataset.span === String(span)));
  const points = chartPoints();
  for (const c of Object.values(charts))
    c.show(points, chartStart(points), state.now);
}

function choose(fs) {
  chosen = fs;
  refresh();
}

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-fs], [data-span]");
  if (!button) return;
  if (button.dataset.fs) return choose(button.dataset.fs);
  span = button.dataset.span === "live" ? "live" : Number(button.dataset.span);
  refresh();
});
document.addEventListener("change", (e) => {
  if (e.target === $("which")) choose(e.target.value);
});

// ------------------------------------------------------------------ poll ---

function say(kind, text) {
  const s = $("status");
  if (s.textContent !== text) s.textContent = text;
  s.dataset.state = kind;
  document.body.classList.toggle("lost", kind === "lost");
}

class Ended extends Error {}

async function get(path) {
  const reply = await fetch(path, { cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE) });
  if (reply.status === 401) throw new Ended();
  if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
  return reply.json();
}

function refresh() {
  if (!state) return;
  renderTiles();
  renderCharts();
  renderFileSystems();
  renderTargets();
  renderPoints();
  renderVolumes();
  renderAlarms();
  $("service").textContent = `version ${state.service.version}, up for ` +
    ago(state.now - state.service.started);
  askHistory().catch(lost);
}

function lost(error) {
  if (error instanceof Ended)
    return say("lost", "session ended: run “hawser console”");
  const since = lastAnswer
    ? `, last heard ${ago((Date.now() - lastAnswer) / 1000)} ago` : "";
  say("lost", `connection lost, retrying${since}`);
}

async function poll() {
  try {
    const answer = await get("/console/state");
    before = state && answer.service.pid === state.service.pid ? state : null;
    state = answer;
    lastAnswer = Date.now();
    remember();
    refresh();
    say("live", "live");
  } catch (error) {
    lost(error);
  }
  setTimeout(poll, POLL);
}

poll();
