/*
 * Keeps a page alive: the server tells that something has changed, and the parts of this
 * page that differ are replaced by those of a fresh one. Everything on the page is made by
 * the server and can be read without this.
 */
const live = document.getElementById("live");
const about = location.pathname.match(/^\/(sweeps|jobs)\/(\d+)/);
const OFTEN = 150, SAY_EVERY = 10000;
let newest = 0, busy = false, again = false, asked = 0, said = 0;

const parse = (text) => new DOMParser().parseFromString(text, "text/html");

async function load(address) {
  const headers = newest ? { "X-Relusweep-At": String(newest) } : {};
  const answer = await fetch(address, { headers, cache: "no-cache" });
  if (!answer.ok) throw new Error(answer.status);
  return parse(await answer.text());
}

/* Replaces what differs; what a person is typing in stays. */
function renew(part, fresh) {
  if (part.contains(document.activeElement) && document.activeElement.matches("input, select")) return;
  const open = [...part.querySelectorAll("details")].map((d) => d.open);
  const chosen = new Set([...part.querySelectorAll("input:checked")].map((i) => i.value));
  const focus = [...part.querySelectorAll("a, [tabindex]")].indexOf(document.activeElement);
  const log = part.querySelector("[data-end]");
  const end = !log || log.scrollTop + log.clientHeight > log.scrollHeight - 40;
  if (part.innerHTML === fresh.innerHTML) return;
  part.replaceChildren(...[...fresh.childNodes].map((n) => document.importNode(n, true)));
  part.classList.remove("late");
  part.querySelectorAll("details").forEach((d, i) => { d.open = open[i] || false; });
  part.querySelectorAll("input[type=checkbox]").forEach((i) => { i.checked = chosen.has(i.value); });
  if (focus >= 0) [...part.querySelectorAll("a, [tabindex]")][focus]?.focus({ preventScroll: true });
  const bottom = part.querySelector("[data-end]");
  if (bottom && end) bottom.scrollTop = bottom.scrollHeight;
}

const find = (page, part) => page.querySelector(`[data-part="${part.dataset.part}"]`);

async function late(part) {
  const fresh = find(await load(part.dataset.src), part);
  if (fresh) renew(part, fresh);
}

async function refresh() {
  const parts = [...document.querySelectorAll("[data-part]")];
  const own = parts.filter((p) => !p.dataset.src);
  const jobs = parts.filter((p) => p.dataset.src).map(late);
  if (own.length) jobs.push(load(location.href).then((page) => own.forEach((part) => {
    const fresh = find(page, part);
    if (fresh) renew(part, fresh);
  })));
  await Promise.all(jobs);
  document.documentElement.dataset.shown = String(asked);
}

/* One refresh at a time; what comes meanwhile is one more after it. */
async function changed() {
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    again = false;
    asked = newest;
    try {
      await refresh();
      say();
    } catch {
      status("Cannot be read just now; trying again.");
    }
    await new Promise((done) => setTimeout(done, OFTEN));
  }
  busy = false;
}

function status(text) {
  if (live.textContent !== text) live.textContent = text;
}

/* For screen readers too, so not at every change. */
function say() {
  if (Date.now() - said < SAY_EVERY && live.textContent.startsWith("Live")) return;
  said = Date.now();
  const line = document.querySelector("[data-say]");
  status(line ? "Live: " + line.textContent.slice(0, 120) : "Live");
}

function concerns(news) {
  if (news.all || !about) return true;
  if (about[1] === "sweeps") return news.sweeps.includes(Number(about[2]));
  return news.jobs.some((job) => job[0] === Number(about[2]));
}

function listen() {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("open", () => { status("Live"); if (newest) changed(); });
  stream.addEventListener("error", () => status("Not connected; trying again."));
  stream.addEventListener("resync", (e) => { newest = Number(e.lastEventId); changed(); });
  stream.addEventListener("change", (e) => {
    const news = JSON.parse(e.data);
    newest = Number(e.lastEventId);
    if (news.lost) status("The database is away; what is shown is from before.");
    else if (concerns(news)) changed();
  });
}

document.addEventListener("renew", (e) => late(e.target).catch(() => {}));
for (const part of document.querySelectorAll("[data-src]")) late(part).catch(() => {});
if (document.querySelector("[data-part]")) listen();
