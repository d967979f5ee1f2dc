"use strict";
// The row browser. Every text of a row goes into the page as a text node: nothing in it is ever parsed as HTML.
(() => {
  const CONFIG = JSON.parse(document.getElementById("config").textContent);
  const PAGE = 50, LONGEST = 200000, HIGHLIGHTED = 60000;
  const byId = (id) => document.getElementById(id);

  // ---- text ----
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
  const escape = (c) => { const n = c.charCodeAt(0); return n < 256 ? "\\x" + n.toString(16).padStart(2, "0") : "\\u" + n.toString(16).padStart(4, "0"); };
  const visible = (text) => {
    text = String(text);
    const more = text.length - LONGEST;
    return (more > 0 ? text.slice(0, LONGEST) : text).replace(HIDDEN, escape) + (more > 0 ? `\n… ${more.toLocaleString("en")} more characters` : "");
  };
  const el = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) if (value != null) made.setAttribute(key, value);
    made.append(...children.filter((child) => child != null));
    return made;
  };

  // ---- where rows come from: scripts beside this page, or the server that shows it ----
  const chunks = new Map();
  const loaded = new Map();
  globalThis.ossRows = (name, packed) => loaded.set(name, packed);
  const unpack = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
  };
  const script = (name) => new Promise((resolve, reject) => {
    const made = document.createElement("script");
    made.src = `rows/${name}.js`;
    made.onload = () => { made.remove(); const packed = loaded.get(name); loaded.delete(name); packed ? resolve(unpack(packed)) : reject(new Error(name)); };
    made.onerror = () => reject(new Error(`rows/${name}.js is missing. Keep the folder rows beside the page.`));
    document.head.append(made);
  });
  const chunk = (number) => {
    if (!chunks.has(number)) {
      if (chunks.size > 40) chunks.delete(chunks.keys().next().value);
      chunks.set(number, script(String(number).padStart(5, "0")));
    }
    return chunks.get(number);
  };
  const matches = (value, text) => typeof value === "string" ? value.toLowerCase().includes(text)
    : value && typeof value === "object" && Object.values(value).some((inner) => matches(inner, text));

  const beside = {
    async open() { this.index = await script("index"); return this.index.facets.map(({ name, label, values }) => ({ name, label, values })); },
    async query(text, chosen, offset, alive, progress) {
      const { rows, facets } = this.index;
      const tests = facets.filter((facet) => chosen[facet.name]).map((facet) => [facet.codes, facet.values.indexOf(chosen[facet.name])]);
      const passes = (n) => tests.every(([codes, value]) => Array.isArray(codes[n]) ? codes[n].includes(value) : codes[n] === value);
      const found = [];
      const wanted = text.toLowerCase();
      for (let first = 0; first < rows; first += this.index.chunk) {
        const last = Math.min(first + this.index.chunk, rows), places = [];
        for (let n = first; n < last; n++) if (passes(n)) places.push(n);
        if (!wanted || !places.length) { for (const n of places) found.push(n); continue; }
        const full = await chunk(first / this.index.chunk);
        if (!alive()) return null;
        for (const n of places) if (matches(full[n - first], wanted)) found.push(n);
        progress(last, rows, found.length);
      }
      return { total: found.length, items: found.slice(offset, offset + PAGE).map((n) => this.item(n)) };
    },
    item(n) {
      const details = this.index.facets.filter((facet) => facet.listed).map((facet) => facet.codes[n]).map((code, i) => {
        const values = this.index.facets.filter((facet) => facet.listed)[i].values;
        return (Array.isArray(code) ? code : [code]).map((one) => values[one]).join(", ");
      });
      return { key: this.key(n), title: this.index.titles[n], details: details.filter(Boolean).join(" · ") };
    },
    key(n) { return n < this.index.kept ? `kept-${n}` : `rejected-${n - this.index.kept}`; },
    async row(key) {
      const place = /^(kept|rejected)-(\d+)$/.exec(key);
      const n = place ? (place[1] === "kept" ? 0 : this.index.kept) + Number(place[2]) : this.index.ids.indexOf(key);
      if (n < 0 || n >= this.index.rows) return null;
      const full = await chunk(Math.floor(n / this.index.chunk));
      return { key: this.key(n), row: full[n % this.index.chunk] };
    },
  };
  const ask = async (path, values) => {
    const answer = await fetch(`api/${path}?${new URLSearchParams(values)}`);
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return answer.json();
  };
  const served = {
    open: () => ask("facets", {}),
    values: (name) => ask("values", { name }),
    async query(text, chosen, offset, alive, progress) {
      let found;
      do {  // a search answers after a moment with what it has, and goes on when asked again
        found = await ask("rows", { ...chosen, text, offset, limit: PAGE });
        if (!alive()) return null;
        if (found.cursor) progress(found.looked, found.rows, found.total);
      } while (found.cursor && found.items.length < PAGE);
      return found;
    },
    row: async (key) => { const found = await ask("row", { key }); return found.key ? found : null; },
  };
  const source = CONFIG.served ? served : beside;

  // ---- the list ----
  const state = { text: "", chosen: {}, offset: 0, total: 0, asked: 0, items: [], current: null, pinned: null };
  const reading = ({ name, label }) => el("div", {}, el("label", { for: `filter-${name}` }, label), el("select", { id: `filter-${name}`, disabled: "" }, el("option", {}, "reading …")));
  const control = (name, label, values) => {
    if (values.length < 2) return null;
    const long = values.length > 400;
    const id = `filter-${name}`;
    const meant = new Map(values.map((value) => [visible(value), value]));
    const input = long ? el("input", { id, list: `${id}-list`, autocomplete: "off", placeholder: "any" })
      : el("select", { id }, el("option", { value: "" }, "any"), ...[...meant.keys()].map((value) => el("option", { value }, value)));
    const choices = long ? el("datalist", { id: `${id}-list` }, ...[...meant.keys()].slice(0, 2000).map((value) => el("option", { value }))) : null;
    input.addEventListener("change", () => { state.chosen[name] = meant.get(input.value) ?? input.value; state.offset = 0; list(); });
    return el("div", {}, el("label", { for: id }, label), input, choices);
  };
  const list = async () => {
    const asked = ++state.asked, alive = () => asked === state.asked;
    const chosen = Object.fromEntries(Object.entries(state.chosen).filter(([, value]) => value));
    byId("browser").setAttribute("aria-busy", "true");
    const progress = (looked, rows, found) => { byId("count").textContent = `Searching: ${looked.toLocaleString("en")} of ${rows.toLocaleString("en")} rows, ${found.toLocaleString("en")} found …`; };
    const found = await source.query(state.text, chosen, state.offset, alive, progress);
    if (!found || !alive()) return;
    state.items = found.items; state.total = found.total;
    const first = found.items.length ? state.offset + 1 : 0;
    const all = found.cursor ? "more than " + (state.offset + found.items.length).toLocaleString("en") : found.total.toLocaleString("en");
    byId("count").textContent = `Rows ${first.toLocaleString("en")} to ${(state.offset + found.items.length).toLocaleString("en")} of ${all}`;
    byId("previous").disabled = !state.offset;
    byId("next").disabled = !found.cursor && state.offset + PAGE >= found.total;
    byId("list").replaceChildren(...found.items.map((item) =>
      el("li", {}, el("a", { href: `#row=${item.key}`, "data-key": item.key }, el("b", {}, visible(item.title) || "(empty)"), el("span", {}, visible(item.details))))));
    byId("browser").removeAttribute("aria-busy");
    mark();
  };
  const mark = () => {
    for (const link of byId("list").querySelectorAll("a")) {
      if (link.dataset.key === state.current) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    }
  };

  // ---- a row ----
  const code = (text, lang, kind) => {
    const block = el("pre", { tabindex: "0", class: kind });
    const shown = visible(text);
    const known = lang && hljs.getLanguage(lang);
    if (!known || shown.length > HIGHLIGHTED) { block.textContent = shown; return block; }
    // The highlighter returns HTML. It is parsed apart, and only text and class names are taken from it.
    const parsed = new DOMParser().parseFromString(hljs.highlight(shown, { language: lang, ignoreIllegals: true }).value, "text/html");
    const copy = (from, to) => {
      for (const node of from.childNodes) {
        if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
        else if (node.nodeType === Node.ELEMENT_NODE) { const span = el("span", { class: node.className }); copy(node, span); to.append(span); }
      }
    };
    copy(parsed.body, block);
    return block;
  };
  const prose = (text, lang) => {  // Markdown of a kind: fenced code is code, everything else is text
    const parts = [];
    let rest = String(text).slice(0, LONGEST + 1);
    const fence = /^(`{3,})([^\n`]*)\n([\s\S]*?)^\1[ \t]*$/m;
    for (let match; parts.length < 200 && (match = fence.exec(rest)); rest = rest.slice(match.index + match[0].length)) {
      if (rest.slice(0, match.index).trim()) parts.push(el("pre", { class: "text", tabindex: "0" }, visible(rest.slice(0, match.index).trim())));
      parts.push(code(match[3].replace(/\n$/, ""), match[2].trim().toLowerCase() || lang));
    }
    if (rest.trim()) parts.push(el("pre", { class: "text", tabindex: "0" }, visible(text.length > LONGEST ? text.slice(text.length - rest.length) : rest.trim())));
    return parts;
  };
  const plain = (value) => typeof value === "string" ? value : JSON.stringify(value, null, 1);
  const verdict = (value) => value === true ? "passed" : value === false ? "failed" : "unknown";
  const tests = (row) => {
    const given = Array.isArray(row.tests) ? row.tests : row.tests ? [row.tests] : [];
    const results = Array.isArray(row.test_results) ? row.test_results : [];
    return given.flatMap((test, n) => [el("p", {}, el("span", { class: `tag ${verdict(results[n])}` }, `test ${n + 1}: ${verdict(results[n])}`)), code(plain(test), row.lang)]);
  };
  const solutions = (row) => (Array.isArray(row.solutions) ? row.solutions : []).flatMap((one, n) => {
    if (!one || typeof one !== "object") return [code(plain(one), row.lang)];
    return [el("p", {}, el("span", { class: "tag" }, visible(`solution ${n + 1}: ${one.status ?? "not run"}`))), ...(one.text ? prose(one.text, row.lang) : [])];
  });
  const MARKS = { passed: "✓", failed: "✗", unknown: "?" };
  const matrix = (row) => {  // which solution passes which test
    const runs = (Array.isArray(row.solutions) ? row.solutions : []).filter((one) => one && Array.isArray(one.results) && one.results.length);
    if (!runs.length) return [];
    const width = Math.min(Math.max(...runs.map((one) => one.results.length)), 200);
    const numbers = [...Array(width).keys()];
    const cell = (result) => { const status = verdict(result); return el("td", { class: status }, MARKS[status], el("span", { class: "hidden" }, status)); };
    const head = el("tr", {}, el("th", { scope: "col" }, "solution"), ...numbers.map((n) => el("th", { scope: "col" }, `test ${n + 1}`)), el("th", { scope: "col" }, "passed"));
    const body = runs.map((one) => el("tr", {}, el("th", { scope: "row" }, visible(`${row.solutions.indexOf(one) + 1}: ${String(one.status ?? "not run").slice(0, 40)}`)), ...numbers.map((n) => cell(one.results[n])), el("td", {}, `${one.results.filter((result) => result === true).length} of ${one.results.length}`)));
    const share = (n) => `${runs.filter((one) => one.results[n] === true).length} of ${runs.length}`;
    const foot = el("tr", {}, el("th", { scope: "row" }, "passed by"), ...numbers.map((n) => el("td", {}, share(n))), el("td", {}));
    return [el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Which solution passes which test" }, el("table", { class: "matrix" }, el("thead", {}, head), el("tbody", {}, ...body, foot)))];
  };
  const SECTIONS = [["Seed", "seed"], ["Problem", CONFIG.problem], ["Solution", CONFIG.solution], ["What the teacher answered", "received"], ["Reasoning", "reasoning"], ["Error output", "stderr_tail"]];
  const HANDLED = new Set([...SECTIONS.map(([, name]) => name), "tests", "test_results", "solutions", "_link"]);
  const article = (key, row) => {
    const facts = el("dl", {});
    if (row._link) facts.append(el("dt", {}, "source"), el("dd", {}, el("a", { href: row._link, rel: "noreferrer noopener", target: "_blank" }, visible(row._link.replace("https://", "")))));
    for (const [name, value] of Object.entries(row)) {
      if (HANDLED.has(name) || value == null || value === "" || (Array.isArray(value) && !value.length)) continue;
      facts.append(el("dt", {}, visible(name)), el("dd", {}, visible(plain(value))));
    }
    const pin = el("button", { type: "button", "aria-pressed": String(state.pinned === key) }, state.pinned === key ? "Release" : "Compare");
    pin.addEventListener("click", () => { state.pinned = state.pinned === key ? null : key; show(); });
    const close = el("button", { type: "button" }, "Close");
    close.addEventListener("click", () => shut(key));
    const parts = SECTIONS.filter(([, name]) => row[name]).flatMap(([title, name]) => [el("h4", {}, title), ...(name === "seed" ? [code(plain(row[name]), row.lang, "seed")] : prose(plain(row[name]), row.lang))]);
    const more = [["Which solution passes which test", matrix(row)], ["Tests", tests(row)], ["Solutions", solutions(row)]].filter(([, found]) => found.length).flatMap(([title, found]) => [el("h4", {}, title), ...found]);
    return el("article", { class: "panel row", "aria-label": `Row ${key}` }, el("div", { class: "bar" }, el("h3", { class: "count", tabindex: "-1" }, el("a", { href: `#row=${key}` }, key.replace("-", " "))), pin, close), ...parts, ...more, el("h4", {}, "Columns"), facts);
  };
  const show = async () => {
    const keys = [...new Set([state.pinned, state.current].filter(Boolean))];
    const found = await Promise.all(keys.map((key) => source.row(key)));
    const articles = found.map((one, n) => one ? article(one.key, one.row) : el("p", { class: "panel" }, `There is no row ${visible(keys[n])}.`));
    byId("open").replaceChildren(...articles);
    byId("browser").classList.toggle("two", articles.length > 1);
    const hash = state.current ? `#row=${encodeURIComponent(state.current)}` + (keys.length > 1 ? `&with=${encodeURIComponent(state.pinned)}` : "") : "#rows";
    if (location.hash !== hash) history.replaceState(null, "", hash);
    mark();
  };
  const shut = (key) => {
    if (state.pinned === key) state.pinned = null;
    if (state.current === key) { state.current = state.pinned; state.pinned = null; }
    show();
  };
  const follow = async (scroll) => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (!asked.has("row")) return;
    const found = await source.row(asked.get("row"));
    state.current = found ? found.key : asked.get("row");
    state.pinned = asked.get("with") || state.pinned;
    await show();
    if (scroll || window.matchMedia("(max-width: 60rem)").matches) byId("open").scrollIntoView({ block: "start" });
  };
  const step = (by) => {
    const at = state.items.findIndex((item) => item.key === state.current);
    const item = state.items[Math.min(Math.max(at + by, 0), state.items.length - 1)];
    if (!item) return;
    state.current = item.key;
    show();
    byId("list").querySelector(`[data-key="${item.key}"]`).scrollIntoView({ block: "nearest" });
  };
  const turn = (by) => { state.offset = Math.max(0, state.offset + by * PAGE); list(); byId("list").scrollTop = 0; };

  // ---- start ----
  const start = async () => {
    const facets = await source.open();
    const search = el("input", { id: "search", type: "search", placeholder: "words in any column", autocomplete: "off" });
    let timer;
    search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => { state.text = search.value.trim(); state.offset = 0; list(); }, 250); });
    byId("filters").append(el("div", { class: "wide" }, el("label", { for: "search" }, "Search"), search), ...facets.map((facet) => facet.values ? control(facet.name, facet.label, facet.values) : reading(facet)).filter((made) => made));
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("previous").addEventListener("click", () => turn(-1));
    byId("next").addEventListener("click", () => turn(1));
    document.addEventListener("click", (event) => { const point = event.target.closest("[data-row]"); if (point) { location.hash = `row=${point.dataset.row}`; byId("rows").scrollIntoView(); } });
    addEventListener("hashchange", () => follow(false));
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) { if (event.key === "Escape") event.target.blur(); return; }
      const keys = { "/": () => search.focus(), j: () => step(1), k: () => step(-1), c: () => { state.pinned = state.pinned ? null : state.current; show(); }, Escape: () => state.current && shut(state.current) };
      if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
    });
    await list();
    await follow(true);
    for (const facet of facets.filter((one) => !one.values)) {  // the rows are there; what they can be filtered by follows
      const made = control(facet.name, facet.label, await source.values(facet.name));
      const place = byId(`filter-${facet.name}`).parentElement;
      if (made) place.replaceWith(made); else place.remove();
    }
  };
  start().catch((error) => { byId("count").textContent = `The rows cannot be shown. ${error.message}`; });
})();
