/*
 * The page in a real browser. Environment: BASE (address), PSQL (command that runs SQL
 * from its standard input), RESTART (command that stops the server and starts it again),
 * WEB_PID (file), BIG (set: the sweep of big.sql is there too, and budgets are measured).
 */
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { BASE, PSQL, RESTART, WEB_PID, BIG } = process.env;

const sql = (text) => execSync(PSQL, { input: text, encoding: "utf8" }).trim();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const pages = ["/sweeps", "/sweeps/1", "/sweeps/1/pareto", "/sweeps/1/grid", "/sweeps/1/jobs",
  "/jobs?state=failed", "/jobs/1", "/jobs/4", "/jobs/6", "/jobs/4/log", "/jobs/6/curves",
  "/compare?job=1&job=6", "/workers", "/system", "/confirm?action=retry&state=failed"];

function check(what, ok, detail = "") {
  if (!ok) throw new Error(`${what} ${detail}`);
}

async function until(what, ms, test) {
  const start = performance.now();
  while (!(await test())) {
    check(what, performance.now() - start < ms, `not within ${ms} ms`);
    await sleep(10);
  }
  return performance.now() - start;
}

/* A request below the browser, which would not let us lie. */
function ask(path, headers = {}, method = "GET", body = "") {
  return new Promise((done, fail) => {
    const r = http.request(BASE + path, { method, headers }, (answer) => {
      let text = "";
      answer.on("data", (d) => { text += d; });
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, text }));
      answer.on("error", fail);
    });
    r.on("error", fail);
    r.end(body);
  });
}

/* Listens to events once `open` is there; `stop` hangs up. */
function listen(last) {
  const heard = [];
  const headers = last ? { "Last-Event-ID": String(last) } : {};
  let opened;
  const open = new Promise((done) => { opened = done; });
  const r = http.get(BASE + "/api/v1/events", { headers }, (answer) => {
    let text = "";
    opened();
    answer.on("data", (d) => {
      text += d;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const field = (name) => text.slice(0, end).match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
        if (field("event")) heard.push({ id: Number(field("id")), event: field("event"), data: field("data") });
      }
    });
    answer.on("error", () => {});
  });
  r.on("error", () => {});
  return { heard, open, stop: () => r.destroy() };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });

async function open(path, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  page.wrong = [];
  page.on("dialog", (d) => { page.wrong.push(`dialog ${d.message()}`); d.dismiss(); });
  page.on("pageerror", (e) => page.wrong.push(e.message));
  page.on("console", (m) => m.type() === "error" && page.wrong.push(m.text()));
  await page.goto(BASE + path);
  await until("late parts come", 20000, () => page.evaluate(() => !document.querySelector(".late")));
  return page;
}
const close = (page) => page.context().close();

const tests = {
  async "no name can run a script, and all are shown as they are"() {
    for (const path of pages) {
      const page = await open(path);
      await sleep(150);
      check(path, page.wrong.length === 0, page.wrong.join("; "));
      check(path, await page.evaluate(() => !document.querySelector("main script, main img")));
      await close(page);
    }
    const page = await open("/sweeps/1");
    check("the name", (await page.textContent("h1")).startsWith("sweep<img src=x onerror="));
    await close(page);
  },

  async "axe finds nothing serious, light, dark and narrow"() {
    const small = { colorScheme: "dark", viewport: { width: 360, height: 740 } };
    for (const [options, some] of [[small, pages], [{}, pages.filter((_, i) => i % 4 === 1)]])
      for (const path of some) {
        const page = await open(path, { ...options, bypassCSP: true });
        await page.evaluate(axe);
        const found = await page.evaluate(async () => (await globalThis.axe.run()).violations
          .filter((v) => ["serious", "critical"].includes(v.impact))
          .map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)} ${v.nodes[0].failureSummary}`));
        check(path, found.length === 0, found.join("\n"));
        check(path, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
          "is too wide: " + await page.evaluate(() => [...document.querySelectorAll("main *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll, svg"))
            .slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join("\n")));
        await close(page);
      }
  },

  async "pages can be read without JavaScript"() {
    for (const path of pages) {
      const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
      check(path, (await page.goto(BASE + path)).status() === 200);
      check(path, (await page.textContent("main")).length > 40);
      await close(page);
    }
  },

  async "a committed point is on the screen at once"() {
    const page = await open("/sweeps/1");
    await until("it is live", 10000, async () => (await page.textContent("#live")).startsWith("Live"));
    await sleep(500);
    const took = [];
    for (let i = 0; i < 5; i++) {
      const state = i % 2 ? "leased" : "succeeded", done = i % 2 ? 3 : 4;
      sql(`UPDATE job SET state = '${state}' WHERE id = 6`);
      took.push(await until("the change is there", 5000, async () =>
        (await page.textContent("[data-say]")).startsWith(`${done} of 6`)));
      await sleep(400);
    }
    sql("UPDATE job SET state = 'leased' WHERE id = 6");
    console.log(`# on screen after ${took.map((t) => t.toFixed(0)).join(", ")} ms`);
    await close(page);
  },

  async "a page lives through a restart of the server"() {
    const page = await open("/jobs/6");
    execSync(RESTART);
    sql("UPDATE job SET state = 'succeeded' WHERE id = 6");
    await until("it has caught up", 15000, async () => (await page.textContent("[data-say]")).includes("succeeded"));
    sql("UPDATE job SET state = 'leased' WHERE id = 6");
    await until("it is live again", 10000, async () => (await page.textContent("[data-say]")).includes("running"));
    await close(page);
  },

  async "a stream goes on where it was, without gaps or doubles"() {
    const all = listen();
    await all.open;
    let ids = [], last = 0;
    for (let round = 0; round < 6; round++) {
      const part = listen(last);
      await part.open;
      sql(`UPDATE job SET n_error = ${round} WHERE id = 5`);
      await until("an event comes", 5000, () => part.heard.some((e) => e.id > last));
      part.stop();
      ids.push(...part.heard.map((e) => e.id));
      last = ids.at(-1);
      sql(`UPDATE job SET n_lost = ${round} WHERE id = 5`);
      await until("it is heard elsewhere", 5000, () => all.heard.at(-1)?.id > last);
    }
    const whole = all.heard.map((e) => e.id).filter((id) => id >= ids[0] && id <= last);
    check("the same events", JSON.stringify(ids) === JSON.stringify(whole), `${ids} ${whole}`);
    const old = listen(12345);
    await until("a stale one is told", 5000, () => old.heard[0]?.event === "resync");
    old.stop();
    all.stop();
  },

  async "a retry by keyboard alone asks first, then does it"() {
    const page = await open("/jobs?state=failed");
    await page.keyboard.press("Tab");
    check("the skip link is first", await page.evaluate(() => document.activeElement.className === "skip"));
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement.textContent.startsWith("Retry"))) break;
    }
    await page.keyboard.press("Enter");
    await page.waitForURL("**/confirm**");
    check("it says how many", (await page.textContent("main")).includes("1 jobs match"));
    await page.locator("form button").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/jobs");
    check("it is done", sql("SELECT state FROM job WHERE id = 4") !== "failed");
    sql("UPDATE job SET state = 'failed' WHERE id = 4");
    await close(page);
  },

  async "a sweep can be paused, given another priority and resumed"() {
    const act = async (name, fill) => {
      const page = await open("/sweeps/1");
      await page.locator(".actions a", { hasText: name }).click();
      await page.waitForURL("**/confirm**");
      if (fill) await fill(page);
      await page.locator("form button").click();
      await page.waitForURL("**/sweeps/1");
      check(name, page.wrong.length === 0, page.wrong.join("; "));
      return page;
    };
    sql("UPDATE job SET state = 'ready' WHERE id = 3");
    await close(await act("Priority", (page) => page.fill("input[name=to]", "7")));
    check("the priority", sql("SELECT priority FROM job WHERE id = 3") === "7");
    check("what is done keeps its own", sql("SELECT priority FROM job WHERE id = 1") === "0");
    const paused = await act("Pause", (page) => page.check("input[name=running]"));
    check("it is held", sql("SELECT state FROM job WHERE id = 3") === "held");
    check("what runs is asked to stop", sql("SELECT count(*) FROM request WHERE kind = 'hold' AND job = 6") === "1");
    check("the page says so", (await paused.textContent("main")).includes("Paused by a person"));
    await close(paused);
    await close(await act("Resume"));
    check("it goes on", sql("SELECT state FROM job WHERE id = 3") === "ready");
    check("so does the other", sql("SELECT count(*) FROM request WHERE done_at IS NULL") === "0");
    sql("UPDATE job SET state = 'succeeded' WHERE id = 3");
  },

  async "the jobs of one cause can be seen and retried by themselves"() {
    const page = await open("/sweeps/1");
    await page.locator(".failure a", { hasText: "all" }).click();
    await page.waitForURL("**/jobs?*cause=*");
    check("one job", await page.locator("tbody tr").count() === 1);
    await page.goBack();
    await page.locator(".failure a", { hasText: "retry" }).click();
    await page.waitForURL("**/confirm**");
    check("it says how many", (await page.textContent("main")).includes("1 jobs match"));
    await page.locator("form button").click();
    await page.waitForURL("**/sweeps/1");
    check("it is done", sql("SELECT state FROM job WHERE id = 4") !== "failed");
    sql("UPDATE job SET state = 'failed' WHERE id = 4");
    await close(page);
  },

  async "chosen jobs and no others are acted on; choosing none is not all"() {
    const page = await open("/jobs");
    await page.locator("button[value=cancel]").click();
    await page.waitForURL("**/confirm**");
    check("none", (await page.textContent("main")).includes("no job was chosen"));
    sql("UPDATE job SET state = 'ready' WHERE id IN (2, 3)");
    await page.goto(`${BASE}/jobs`);
    await page.check("input[value='2']");
    await page.check("input[value='6']");
    await page.locator("button[value=cancel]").click();
    await page.waitForURL("**/confirm**");
    check("two", (await page.textContent("main")).includes("2 of them"));
    await page.locator("form button").click();
    await page.waitForURL("**/jobs");
    check("cancelled", sql("SELECT string_agg(state::text, ' ' ORDER BY id) FROM job WHERE id IN (2, 3, 6)")
      === "cancelled ready leased");
    check("asked", sql("SELECT count(*) FROM request WHERE kind = 'cancel' AND job = 6") === "1");
    sql("UPDATE job SET state = 'succeeded' WHERE id IN (2, 3); DELETE FROM request");
    const form = (await page.goto(`${BASE}/confirm?action=priority&job=6&to=999`)) && await page.inputValue("input[name=to]");
    check("a link does not fill in the form", form === "10", form);
    await close(page);
  },

  async "artifacts come as they are stored, and nothing else does"() {
    const whole = await ask("/jobs/1/artifact?name=model");
    check("length", whole.text.length === 2621440, whole.text.length);
    check("order", /^0+1+2+$/.test(whole.text));
    check("attachment", whole.headers["content-disposition"].startsWith("attachment; filename="));
    check("type", whole.headers["content-type"] === "application/octet-stream");
    check("no other name", (await ask("/jobs/1/artifact?name=other")).status === 404);
    check("no other job", (await ask("/jobs/2/artifact?name=model")).status === 404);
    check("head", (await ask("/jobs/1/artifact?name=model", {}, "HEAD")).headers["content-length"] === "2621440");
    const broken = JSON.parse((await ask("/api/v1/jobs/1")).text).artifacts.find((a) => a.name !== "model");
    const end = await ask(`/jobs/1/artifact?name=${encodeURIComponent(broken.name)}`).catch((e) => e.code);
    check("a missing piece breaks off", end === "ECONNRESET", end);
    for (let i = 0; i < 20; i++)
      await new Promise((done) => http.get(`${BASE}/jobs/1/artifact?name=model`, (a) => a.once("data", () => { a.destroy(); done(); })));
    check("those who leave do no harm", (await ask("/jobs/1/artifact?name=model")).text.length === 2621440);
    const page = await open("/jobs/1");
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByText("model", { exact: true }).click()]);
    check("its name", file.suggestedFilename().endsWith("-1-model.safetensors"), file.suggestedFilename());
    await close(page);
  },

  async "a cursor reads a curve, and a range of it can be looked at more closely"() {
    const page = await open("/jobs/6");
    await page.waitForSelector("figure[data-chart] svg");
    const figure = page.locator("figure[data-chart]").first();
    const box = async () => (await figure.locator("svg").boundingBox());
    let b = await box();
    await page.mouse.move(b.x + b.width * 0.55, b.y + b.height / 2);
    const text = await figure.locator("output").textContent();
    const [, step, value] = text.match(/^step (\d+): ([\d.]+)$/) || [];
    check("the value of the point", Math.abs(Number(value) - (3 - Number(step) / 20)) < 0.01, text);
    await page.mouse.down();
    await page.mouse.move(b.x + b.width * 0.8, b.y + b.height / 2);
    await page.mouse.up();
    await until("it is drawn anew", 10000, async () =>
      Number((await figure.getAttribute("data-chart")).split(" ")[0]) > 20);
    b = await box();
    await page.mouse.dblclick(b.x + b.width / 2, b.y + b.height / 2);
    await until("all is back", 10000, async () => Number((await figure.getAttribute("data-chart")).split(" ")[0]) < 1);
    check("no errors", page.wrong.length === 0, page.wrong.join("; "));
    await page.goto(`${BASE}/compare?job=1&job=6`);
    await page.fill("input[name=from]", "10");
    await page.fill("input[name=to]", "12");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/compare?*from=10*");
    const [from, to] = (await page.locator("figure[data-chart]").first().getAttribute("data-chart")).split(" ").map(Number);
    check("by the form", from > 9 && to < 13 && page.url().includes("job=1&job=6"), `${from} ${to} ${page.url()}`);
    await close(page);
  },

  async "of a long log the end is shown, and all can be had"() {
    const page = await open("/jobs/1");
    const text = await page.textContent(".log");
    check("its end", text.endsWith("\n") && text.includes("line 4999") && !text.includes("line 1."));
    check("whole lines", text.startsWith("line "), text.slice(0, 50));
    check("all", (await ask("/jobs/1/log/text")).text.length === 200000);
    const doc = JSON.parse((await ask("/api/v1/jobs/1/log?from=199960")).text);
    check("a range", doc.text.startsWith("line 4999") && doc.size === 200000 && doc.from === 199960);
    await close(page);
  },

  async "others may neither read nor change anything"() {
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const host = new URL(BASE).host;
    check("a foreign name", (await ask("/sweeps", { Host: "evil.example" })).status === 421);
    check("a foreign page", (await ask("/actions", { ...form, Origin: "http://evil.example" }, "POST", "a=b")).status === 403);
    check("another site", (await ask("/actions", { ...form, "Sec-Fetch-Site": "cross-site" }, "POST", "a=b")).status === 403);
    check("no secret", (await ask("/actions", { ...form, Origin: `http://${host}` }, "POST", "action=cancel")).status === 403);
    check("another method", (await ask("/sweeps", {}, "DELETE")).status >= 400);
    check("malformed", (await ask("/jobs?a=%00")).status === 404);
    const answer = await ask("/sweeps");
    check("policy", answer.headers["content-security-policy"].includes("default-src 'none'"));
    check("nosniff", answer.headers["x-content-type-options"] === "nosniff");
  },

  async "probes and metrics answer"() {
    check("livez", (await ask("/livez")).text === "alive\n");
    check("readyz", (await ask("/readyz")).text === "ready\n");
    const text = (await ask("/metrics")).text;
    check("metrics", /^relusweep_jobs\{state="succeeded"\} 3$/m.test(text) || BIG, text);
    const doc = JSON.parse((await ask("/api/v1/sweeps/1")).text);
    check("api", doc.cells === 6 && doc.jobs.succeeded === 3);
    check("api error", JSON.parse((await ask("/api/v1/sweeps/777")).text).error.includes("777"));
  },

  async "a thousand streams are cheap, and slow ones do not hurt"() {
    const pid = readFileSync(WEB_PID, "utf8").trim();
    const rss = () => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]);
    const before = rss();
    const streams = Array.from({ length: 1000 }, () => listen());
    const count = async () => Number((await ask("/metrics")).text.match(/^relusweep_web_streams (\d+)/m)[1]);
    await until("all are open", 20000, async () => (await count()) >= 1000);
    sql("UPDATE job SET n_oom = 1 WHERE id = 5");
    await until("all have heard", 10000, () => streams.every((s) => s.heard.length > 0));
    console.log(`# 1,000 streams take ${((rss() - before) / 1024).toFixed(1)} MiB`);
    check("memory", rss() - before < 16 * 1024);
    streams.forEach((s) => s.stop());
    await until("all are gone", 10000, async () => (await count()) < 5);
  },
};

/* Times are printed beside their goals; whether a machine is quick is nothing to fail by. */
async function paintOf(page, path) {
  const start = performance.now();
  await page.goto(BASE + path);
  let paint;
  await until("it is painted", 60000, async () => (paint = await page.evaluate(() =>
    performance.getEntriesByName("first-contentful-paint")[0]?.startTime)) !== undefined);
  await until("all is there", 60000, () => page.evaluate(() => !document.querySelector(".late")));
  return { paint, all: performance.now() - start };
}

const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) * p)].toFixed(0);

if (BIG) tests["budgets with a hundred thousand jobs"] = async () => {
  const page = await (await browser.newContext()).newPage();
  for (const path of ["/sweeps/2", "/sweeps/2", "/sweeps"]) {
    const { paint, all } = await paintOf(page, path);
    const bytes = await page.evaluate(() => performance.getEntries().reduce((n, e) => n + (e.transferSize || 0), 0));
    console.log(`# ${path}: first paint ${paint.toFixed(0)} ms (500), all data ${all.toFixed(0)} ms (1000), ` +
      `${(bytes / 1000).toFixed(0)} kB (150)`);
    check("bytes", bytes < 150000, bytes);
  }
  const counted = JSON.parse((await ask("/api/v1/sweeps/2")).text).jobs;
  for (const state of ["succeeded", "ready", "blocked", "failed"])
    check(state, counted[state] === Number(sql(`SELECT count(*) FROM job WHERE id > 6 AND state = '${state}'`)));
  const took = [];
  for (let i = 0; i < 60; i++) {
    const where = ["relu_budget%3E" + i + "k", "relu_budget%3D7k+seed%3D3", "temperature!%3D4+seed%3C50"][i % 3];
    const t = performance.now();
    await ask(`/api/v1/sweeps/2/jobs?state=${["ready", "failed", "succeeded", ""][i % 4]}&where=${where}`);
    took.push(performance.now() - t);
  }
  console.log(`# filter p50 ${percentile(took, 0.5)} p95 ${percentile(took, 0.95)} ms (100)`);
  await page.goto(`${BASE}/sweeps/2`);
  await until("it is live", 10000, async () => (await page.textContent("#live")).startsWith("Live"));
  await sleep(500);
  const job = sql("SELECT max(id) FROM job WHERE state = 'leased'"), seen = [];
  const text = () => page.textContent("[data-say]");
  for (let i = 0; i < 10; i++) {
    const before = await text();
    sql(`UPDATE job SET state = '${i % 2 ? "leased" : "succeeded"}' WHERE id = ${job}`);
    seen.push(await until("the change is there", 20000, async () => (await text()) !== before));
    await sleep(400);
  }
  console.log(`# a committed change on the screen: p50 ${percentile(seen, 0.5)} worst ${percentile(seen, 1)} ms (300)`);
  await close(page);
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (process.argv[2] && !name.includes(process.argv[2])) continue;
  try {
    await test();
    console.log(`ok - ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAILED - ${name}: ${e.message}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
