// Every page at both widths and in both themes: what axe finds, whether it scrolls sideways, and a picture to look at.
import { readFileSync, writeFileSync } from "node:fs";
import { small } from "./picture.js";
import { OWNER, SCREENS, WIDTHS, act, api, axe, eventually, go, login, look, must, onHost, open, scene, status } from "./browser.js";

/** What is looked at: an empty box from the claim on, or one that knows 500 devices and 100,000 events. */
const { PICKET_PHASE: PHASE, PICKET_SESSION: SESSION } = process.env;
const ATTACKER = "192.168.9.10";
const HOSTILE = "<img/src=x/onerror=alert(1)>";
const PAGES = ["overview", "incidents", "incident", "devices", "device", "policy", "learning", "requests", "reports", "threats", "threat", "blocked", "activity", "hosts", "host", "sources", "subjects", "notifications", "users", "profile", "audit", "settings", "system", "help"];
const ONE = { device: (row) => `device/${row.device}`, learning: (row) => (row.device > 99_999 ? "learning" : `learning/${row.device}`), threat: (row) => `threat/${row.threat}`, incident: (row) => `incident/${row.incident}`, host: (row) => `host/${row.host}` };
const DIALOGS = {
  overview: ["Search", "Pause protection"], threat: [/^Write a note/, /^False alarm/], incident: ["Close incident", "Write a note"], sources: ["Enrol host"], subjects: [/^Ask for name/], blocked: ["Block a host"], device: ["Forget device"],
  policy: [/^Show: /], learning: ["Enforce"], requests: ["Ask for access", /^Grant/, /^Refuse/], users: ["New account"],
  profile: ["New token", "Set up second factor"], settings: [/^Change/], notifications: ["New channel", /^Change/, /^Remove/], system: ["Restart gateway", "Install certificate"],
};
const wrong = [];

async function shot(page, name, width, theme, state) {
  const found = await axe(page);
  if (found.length) wrong.push(`${name} ${width} ${theme} ${state}: ${found.join("; ")}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) wrong.push(`${name} ${width} ${theme} ${state}: ${over} px too wide`);
  await page.screenshot({ path: `${SCREENS}/${name}-${width}-${theme}-${state}.png`, fullPage: true });
}

const ways = Object.keys(WIDTHS).flatMap((width) => ["light", "dark"].map((theme) => [width, theme]));
/** From the claim to the first look at the overview; the session is kept for those who come after. */
async function claimed() {
  for (const [width, theme] of ways) {
    const { context, page, clean } = await look(browser, { width, theme });
    await page.getByRole("heading", { name: "Claim this box" }).waitFor();
    await shot(page, "claim", width, theme, "empty");
    clean();
    await context.close();
  }
  const first = await look(browser);
  const { claim_code: code } = await status();
  for (const [label, value] of [["Claim code", code], ["First name", OWNER.first_name], ["E-mail address", OWNER.email], ["New password", OWNER.password]]) await first.page.getByLabel(label).fill(value);
  await first.page.getByRole("button", { name: "Make it mine" }).click();
  await first.page.getByRole("heading", { name: "The box is yours" }).waitFor();
  for (const [width, theme] of ways) {
    await first.page.setViewportSize(WIDTHS[width]);
    await first.page.emulateMedia({ colorScheme: theme });
    await shot(first.page, "wizard", width, theme, "empty");
  }
  for (let step = 1; step < 7; step += 1) {
    const found = await axe(first.page);
    if (found.length) wrong.push(`wizard, question ${step}: ${found.join("; ")}`);
    await first.page.screenshot({ path: `${SCREENS}/wizard-${step}.png` });
    await first.page.locator(".steps li.past").nth(step - 1).waitFor();
    await first.page.getByRole("button", { name: step === 5 ? "Next" : "Skip" }).click();
  }
  await first.page.getByRole("heading", { name: "What needs you" }).waitFor();
  writeFileSync(SESSION, JSON.stringify(await first.context.storageState()));
  for (const [width, theme] of ways) {
    const { context, page, clean } = await look(browser, { width, theme });
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await shot(page, "login", width, theme, "empty");
    clean();
    await context.close();
  }
  told("claim, wizard, log-in");
  await first.context.close();
}

const browser = await open();
const begin = Date.now();
const told = (what) => console.log(`${((Date.now() - begin) / 1_000).toFixed(1)} s: ${what}`);
try {
  if (PHASE === "empty") await claimed();
  const state = JSON.parse(readFileSync(SESSION, "utf8"));
  const views = [];
  for (const [width, theme] of ways) views.push([width, theme, await look(browser, { width, theme, state })]);
  const all = async (which, pages, rows) => {
    await Promise.all(views.map(async ([width, theme, { page }]) => {
      for (const name of pages) {
        await go(page, ONE[name]?.(rows) ?? name);
        if (which === "busy") {
          must(await page.locator("main img").count() === 0, name, "made markup of a name");
          must(await page.locator("main .refused").count() === 0, name, "is refused:", await page.locator("main .refused").allInnerTexts());
        }
        await shot(page, name, width, theme, which);
      }
    }));
    told(`${pages.length} pages ${which}`);
  };
  if (PHASE === "empty") await all("empty", PAGES, { device: 999_999, threat: 999_999, incident: 999_999, host: "192.0.2.1" });
  else await busy(state, views, all);
  for (const [, , { clean }] of views) clean();
} catch (error) {
  wrong.push(error.stack);
  for (const context of browser.contexts()) for (const page of context.pages()) wrong.push(await scene(page));
} finally {
  await browser.close();
}
if (wrong.length) console.log(wrong.join("\n"));
process.exit(wrong.length ? 1 : 0);

/** A box with a past, on which things happen. */
async function busy(state, views, all) {
  // What the network called its devices is text here as everywhere, and no formula in a table.
  const [, , { page }] = views[0];
  const table = await page.evaluate(async () => (await fetch("/api/v1/devices?q=calc", { headers: { Accept: "text/csv" } })).text());
  must(table.includes("'=cmd|"), "a formula in the table:", table);

  // A device that calls itself by markup, and a scan.
  await onHost(`timeout 8 udhcpc -f -n -q -t 2 -T 1 -i eth0 -s /bin/true -x hostname:'${HOSTILE}' || true`);
  await onHost("nmap -n -Pn -sS -T4 --max-rate 200 --max-retries 0 --host-timeout 6s -p 1000-1060 192.168.9.1 || true");
  const threat = await eventually("a threat", async () => (await api(page, `threats?host=${ATTACKER}`)).items?.[0]);
  const device = await eventually("the device", async () => (await api(page, `devices?q=${ATTACKER}`)).items?.find(({ addresses }) => addresses.includes(ATTACKER)));
  must(device.names.some(({ name }) => name.includes("<img")), "the device told no name:", JSON.stringify(device.names));
  const asked = await act(page, "POST", "requests", { device: device.id, to: "internet", service: "https", hours: 8, reason: "<b>the</b> printer's update \u202e" });
  must(asked === 201, "asking for access:", asked);
  const changed = await act(page, "PATCH", "settings/detect.icmp_per_second", { value: 120, why: "a noisy monitor" });
  must(changed === 200, "changing a setting:", changed);
  const today = new Date().toISOString().slice(0, 10);
  await act(page, "POST", "reports", { from: `${today}T00:00:00Z`, to: `${today}T23:59:59Z`, format: "pdf" });
  await eventually("a report", async () => (await api(page, "reports")).items?.some(({ state }) => state === "done"), 20);
  const { token } = await page.evaluate(async (body) => (await fetch("/api/v1/sources", { method: "POST", headers: { "X-Picket-Page": "used", "Content-Type": "application/json" }, body })).json(), JSON.stringify({ name: "laptop7", with: "token" }));
  const taken = await page.evaluate(async ([token, body]) => (await fetch("/api/v1/logs", { method: "POST", credentials: "omit", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body })).status,
    [token, JSON.stringify({ program: "sshd", message: "Failed password for ann from 192.0.2.7 port 22 ssh2" })]);
  must(taken === 200, "telling of an account:", taken);
  const [account] = (await api(page, "subjects")).items;
  must(account.id.startsWith("person-"), "a name is shown:", account.id);
  const disclosed = await act(page, "POST", "disclosures", { subject: account.id, reason: "<b>Somebody</b> guesses passwords" });
  must(disclosed === 201, "asking for a name:", disclosed);
  for (const [name, where] of [["The admins' chat", { url: "http://192.0.2.7/hook", preset: "slack" }], ["Ada's mail", { mail: OWNER.email, high_only: true }], ["<i>SIEM</i>", { url: "eve:file" }]]) {
    const made = await act(page, "POST", "notifications", { name, ...where, quiet: ["mon-fri 22:00-06:00"], time_zone: "Europe/Berlin", digest_minutes: 90 });
    must(made === 201, "making a channel:", made);
  }
  // The API takes over what the gateway knew before, in its order: a while, on a busy machine.
  await eventually("the alert", async () => (await api(page, `alerts?host=${ATTACKER}`)).items?.length, 300);
  const incident = await eventually("its incident", async () => (await api(page, `incidents?hosts=${ATTACKER}`)).items?.[0]);
  await all("busy", PAGES, { device: device.id, threat: threat.id, incident: incident.id, host: threat.host });
  await go(views[0][2].page, `device/${device.id}`);
  await views[0][2].page.getByText(HOSTILE).first().waitFor({ timeout: 5_000 });

  // Each dialog and the menu, in both themes.
  for (const [width, theme, { page }] of views) {
    const open = async (place, button) => {
      await page.getByRole("button", { name: button }).first().click();
      await page.locator("dialog[open], nav.open").waitFor();
      const found = await axe(page);
      if (found.length) wrong.push(`${place}, ${button} ${width} ${theme}: ${found.join("; ")}`);
    };
    if (width === "phone") {
      await open("menu", "Menu");
      await page.getByRole("button", { name: "Menu" }).click();
      continue;
    }
    for (const [place, buttons] of Object.entries(DIALOGS)) {
      await go(page, ONE[place]?.({ device: device.id, threat: threat.id, incident: incident.id }) ?? place);
      for (const button of buttons) {
        await open(place, button);
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
      }
    }
  }
  told("dialogs and the menu");

  // The README's pictures, made anew with PICKET_WRITE=1.
  if (process.env.PICKET_WRITE) {
    for (const [name, width, theme] of [["overview", "desktop", "light"], ["threat", "desktop", "dark"], ["requests", "phone", "light"], ["blocked", "phone", "dark"]]) {
      const { page } = views.find(([one, other]) => one === width && other === theme)[2];
      await go(page, ONE[name]?.({ threat: threat.id }) ?? name);
      writeFileSync(new URL(`../pictures/${name}.png`, import.meta.url), small(await page.screenshot()));
    }
  }

  // Five pages in German on the smallest phone.
  const german = await look(browser, { state, locale: "de-DE" });
  await german.page.setViewportSize({ width: 320, height: 700 });
  for (const name of ["overview", "threats", "devices", "policy", "profile", "notifications"]) {
    await go(german.page, name);
    await shot(german.page, name, "german", "light", "busy");
  }
  must(await german.page.locator("html").getAttribute("lang") === "de", "the page does not say its language");
  german.clean();

  // The box is gone: what was there stays, and the page says how old it is.
  for (const [, , { page }] of views) await go(page, "overview");
  const cut = async (on) => { for (const [, , { context }] of views) await context.setOffline(on); };
  for (const name of PAGES) {
    const place = ONE[name]?.({ device: device.id, threat: threat.id, host: threat.host }) ?? name;
    for (const [, , { page }] of views) await go(page, place);
    await cut(true);
    await Promise.all(views.map(async ([width, theme, { page }]) => {
      await page.evaluate(() => dispatchEvent(new Event("offline")));
      await page.locator(".link-state.gone").waitFor({ timeout: 25_000 });
      await shot(page, name, width, theme, "offline");
    }));
    await cut(false);
    for (const [, , { page }] of views) await page.evaluate(() => dispatchEvent(new Event("online")));
  }
  told("all pages offline");
}
