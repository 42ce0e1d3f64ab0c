// What the browser tests share: Debian's Chromium, the box it looks at, and the guards that hold on every page.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
export const { PICKET_URL: URL_, PICKET_BINARY: BINARY, PICKET_CONFIG: CONFIG, PICKET_HOST: HOST, PICKET_SCREENS: SCREENS } = process.env;
export const OWNER = { first_name: "Ada", email: "ada@example.org", password: "correct-horse-7-staple" };
export const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 860 } };
const AXE = readFileSync(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");

/** A command in the box's namespace. */
export const sh = async (line) => (await run("sh", ["-c", line], { maxBuffer: 1 << 24 })).stdout;
/** A command on the host behind the LAN link. */
export const onHost = (line) => run("ip", ["netns", "exec", HOST, "sh", "-c", line]);
/** What the command line says. */
export const picket = async (...words) => JSON.parse((await run(BINARY, [...words, "--json", "--config", CONFIG])).stdout);
export const status = () => picket("status");

export function must(so, ...words) {
  if (!so) throw new Error(words.join(" "));
}
export async function eventually(what, is, seconds = 10) {
  const until = Date.now() + seconds * 1_000;
  for (;;) {
    try { const found = await is(); if (found) return found; } catch (error) { if (Date.now() > until) throw error; }
    must(Date.now() < until, "waited", seconds, "s for", what);
    await new Promise((go) => setTimeout(go, 50));
  }
}

export async function open() {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-prefers-no-reduced-motion"] });
}

/** A page with its guards: no request leaves the box, nothing breaks the policy, no script fails. */
export async function look(browser, { width = "desktop", theme = "light", locale = "en-GB", state } = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: WIDTHS[width], colorScheme: theme, locale, reducedMotion: "reduce", storageState: state });
  const page = await context.newPage();
  const wrong = [];
  page.on("request", (request) => { if (!request.url().startsWith(URL_) && !request.url().startsWith("blob:")) wrong.push(`a request to ${request.url()}`); });
  page.on("pageerror", (error) => wrong.push(`a script failed: ${error.message}`));
  page.on("console", (message) => { if (/Content Security Policy|Trusted Type/i.test(message.text())) wrong.push(message.text()); });
  await page.goto(URL_);
  return { context, page, wrong, clean: () => must(wrong.length === 0, wrong.join("; ")) };
}

/** Violations that axe finds on the page as it is. */
export async function axe(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const { violations, incomplete } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations", "incomplete"] }));
  // Two fields of one id it leaves to us to judge: each would have the label of both.
  const twins = incomplete.filter(({ id }) => id === "duplicate-id-aria");
  return [...violations, ...twins].map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(" ")} (${failureSummary.split("\n")[1]?.trim()})`).join(", ")}`);
}

/** The box's own API, as the logged-in page asks it. */
export const api = (page, path) => page.evaluate(async (path) => { const answer = await fetch(`/api/v1/${path}`); return answer.ok ? answer.json() : { status: answer.status }; }, path);

/** Has the box's API do something, as the page would: its status. */
export const act = (page, method, path, body) => page.evaluate(async ([method, path, body]) => {
  const headers = { "X-Picket-Page": "used", ...(body && { "Content-Type": "application/json" }) };
  return (await fetch(`/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) })).status;
}, [method, path, body]);

/** Where a page is and what it says: for the words of a failure. */
export const scene = (page) => page.evaluate(() => `${location.hash}: ${document.body.innerText.slice(0, 3_000)}`).catch(({ message }) => message);

export async function login(page, { email, password } = OWNER) {
  await page.getByLabel("E-mail address or user name").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Goes to a page by its address and waits until it has what it asked for. */
export async function go(page, place) {
  await page.evaluate((place) => { location.hash = `#/${place}`; }, place);
  await page.waitForFunction(() => !document.querySelector("main [aria-busy=true]") && document.querySelector("main h1"));
}

/** Waits for a note that nobody waited for before: one that says the same may still stand there. */
export async function note(page, text) {
  const it = await page.locator(".note:not([data-seen])", { hasText: text }).last().elementHandle();
  await it.evaluate((note) => { note.dataset.seen = "1"; });
}
