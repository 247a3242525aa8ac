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
    });
    r.on("error", fail);
    r.end(body);
  });
}

/* Listens to events; `stop` hangs up. */
function listen(last) {
  const heard = [];
  const headers = last ? { "Last-Event-ID": String(last) } : {};
  const r = http.get(BASE + "/api/v1/events", { headers }, (answer) => {
    let text = "";
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
  return { heard, stop: () => r.destroy() };
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
    await sleep(500);
    let ids = [], last = 0;
    for (let round = 0; round < 6; round++) {
      const part = listen(last);
      await sleep(150);
      sql(`UPDATE job SET n_error = ${round} WHERE id = 5`);
      await until("an event comes", 5000, () => part.heard.some((e) => e.id > last));
      part.stop();
      ids.push(...part.heard.map((e) => e.id));
      last = ids.at(-1);
      sql(`UPDATE job SET n_lost = ${round} WHERE id = 5`);
      await until("it is heard elsewhere", 5000, () => all.heard.at(-1).id > last);
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
    check("it is done", sql("SELECT state FROM job WHERE id = 5") !== "failed");
    sql("UPDATE job SET state = 'failed' WHERE id = 5");
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

if (BIG) tests["budgets with a hundred thousand jobs"] = async () => {
  const page = await (await browser.newContext()).newPage();
  const start = performance.now();
  await page.goto(`${BASE}/sweeps/2`);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  await until("all is there", 60000, () => page.evaluate(() => !document.querySelector(".late")));
  const all = performance.now() - start;
  const bytes = await page.evaluate(() => performance.getEntries().reduce((n, e) => n + (e.transferSize || 0), 0));
  const took = [];
  for (let i = 0; i < 40; i++) {
    const t = performance.now();
    await ask(`/api/v1/sweeps/2/jobs?state=${["ready", "failed", "succeeded"][i % 3]}&where=relu_budget%3E${i}k`);
    took.push(performance.now() - t);
  }
  took.sort((a, b) => a - b);
  console.log(`# first paint ${paint.toFixed(0)} ms, all data ${all.toFixed(0)} ms, ` +
    `${(bytes / 1000).toFixed(0)} kB, filter p50 ${took[20].toFixed(0)} p95 ${took[38].toFixed(0)} ms`);
  check("bytes", bytes < 150000);
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
