// The paths that a person walks, each checked behind the page: the API, the kernel's ruleset, a packet.
import { X509Certificate, createHmac } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { OWNER, act, api, axe, eventually, go, login, look, must, note, onHost, open, scene, sh, status } from "./browser.js";

const ROUTER = "192.168.9.1";
const ATTACKER = "192.168.9.10";
const table = () => sh("nft list table bridge picket 2>/dev/null || true");
const pings = async () => (await onHost(`ping -n -q -c 2 -i 0.2 -W 1 ${ROUTER} || true`)).stdout.match(/(\d) received/)?.[1] === "2";
const POST = process.env.PICKET_POST;
/** The newest message for somebody, as it lies in the mail server's box. */
const mailed = (to) => {
  const [newest] = readdirSync(`${POST}/mail`).filter((name) => name.endsWith(`-${to}`)).sort((a, b) => parseInt(b, 10) - parseInt(a, 10));
  return newest && readFileSync(`${POST}/mail/${newest}`, "utf8");
};
let on_trial = false;
/** A description of a lamp that talks to its maker's cloud and nobody else (RFC 8520). */
const LAMP = {
  "ietf-mud:mud": {
    "mud-version": 1, "mud-url": "https://lamp.example/lamp.json", "last-update": "2026-01-01T00:00:00+00:00", "cache-validity": 48, "is-supported": true, systeminfo: "The lamp of the test",
    "from-device-policy": { "access-lists": { "access-list": [{ name: "from-lamp" }] } },
    "to-device-policy": { "access-lists": { "access-list": [] } },
  },
  "ietf-access-control-list:acls": {
    acl: [{
      name: "from-lamp", type: "ipv4-acl-type",
      aces: { ace: [{
        name: "cloud",
        matches: { ipv4: { "ietf-acldns:dst-dnsname": "cloud.lamp.example", protocol: 6 }, tcp: { "ietf-mud:direction-initiated": "from-device", "destination-port": { operator: "eq", port: 8883 } } },
        actions: { forwarding: "accept" },
      }] },
    }],
  },
};
/** What an authenticator app shows for a secret (RFC 6238: SHA-1, 30 s, 6 digits), some steps from now. */
function totp(secret, ahead = 0) {
  const bits = [...secret.replace(/\s|=/g, "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const walks = {
  async claim_to_overview(page) {
    const { claim_code: code } = await status();
    await page.getByLabel("Claim code").fill("aaaa-bbbb-cccc-dddd");
    await page.getByLabel("First name").fill(OWNER.first_name);
    await page.getByLabel("E-mail address").fill(OWNER.email);
    await page.getByLabel("New password").fill(OWNER.password);
    await page.getByRole("button", { name: "Make it mine" }).click();
    await page.getByText("the code is wrong").waitFor();
    must(await page.getByLabel("First name").inputValue() === OWNER.first_name, "what was typed is lost");
    await page.getByLabel("Claim code").fill(code.toUpperCase().replaceAll("-", " "));
    await page.getByRole("button", { name: "Make it mine" }).click();
    await page.getByRole("heading", { name: "The box is yours" }).waitFor();
    const [cookie] = await page.context().cookies();
    must(cookie.name === "__Host-picket" && cookie.httpOnly && cookie.secure && cookie.sameSite === "Strict", JSON.stringify(cookie));
    must(!(await status()).claim_code, "the box can still be claimed");
  },

  async the_questions_are_kept_by_the_box_and_go_on_where_they_were(page) {
    const setting = async (id) => (await api(page, `settings/${id}`)).value;
    const next = () => page.getByRole("button", { name: "Next" }).click();
    await page.getByText("Restore from a backup instead").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("Cellar");
    await page.getByLabel("Time zone").selectOption("Europe/Berlin");
    await next();
    await page.getByText("Where is it reached?").waitFor();
    must(await setting("box.name") === "Cellar" && await setting("setup.step") === 2, "the first answer is not kept");
    must((await api(page, "rules/policy")).text.includes(`time_zone = "Europe/Berlin"`), "the time zone is not kept");
    await page.reload();
    await page.getByText("Where is it reached?").waitFor();
    await next();
    await page.getByText("May it write mail?").waitFor();
    await page.getByRole("button", { name: "Back" }).click();
    await page.getByText("Where is it reached?").waitFor();
    await next();
    await page.getByText("May it write mail?").waitFor();
    await page.getByRole("button", { name: "Skip" }).click();
    await page.getByLabel("Never block").fill("192.168.9.77, nonsense");
    await next();
    await page.locator(".refused, .error").first().waitFor();
    must(await setting("setup.step") === 4, "a refused answer is passed over");
    await page.getByLabel("Never block").fill("192.168.9.77");
    await next();
    must(await page.getByLabel("Posture").inputValue() === "protect", "protect is not what is proposed");
    await next();
    await page.getByLabel("Days looked at").fill("14");
    await page.getByRole("button", { name: "To the overview" }).click();
    await page.getByRole("heading", { name: "What needs you" }).waitFor();
    must(await setting("learning.days") === 14 && await setting("setup.step") === 0, "the last answer is not kept");
    must(JSON.stringify(await setting("never_block.addresses")) === `["192.168.9.77"]`, "it may be blocked");
    must((await status()).posture === "protect", "it does not protect");
    await page.reload();
    await page.getByRole("heading", { name: "What needs you" }).waitFor();
    must((await page.locator(".brand").innerText()).includes("Cellar"), "its name is not shown");
  },

  async a_request_from_elsewhere_changes_nothing(page) {
    const send = (headers) => page.evaluate(async (headers) => (await fetch("/api/v1/auth/logout", { method: "POST", headers })).status, headers);
    must(await send({}) === 403, "a change without the page's header is taken");
    const before = await api(page, "profile");
    must(before.email === OWNER.email, "the session is gone");
  },

  async a_scan_is_seen_opened_and_unblocked(page) {
    await go(page, "overview");
    must(await pings(), "the host reaches the router");
    const begin = Date.now();
    await onHost(`nmap -n -Pn -sS -T4 --max-rate 200 --max-retries 0 --host-timeout 6s -p 1000-1060 ${ROUTER} || true`);
    await page.locator(".feed li", { hasText: ATTACKER }).filter({ hasText: "Port scan" }).first().waitFor({ timeout: 8_000 });
    console.log(`  in the feed ${Date.now() - begin} ms after the scan began`);
    await eventually("the kernel's block", async () => (await table()).includes(ATTACKER) || (await table()).includes("02:09:00:00:00:10"));
    must(!(await pings()), "a blocked host reaches nobody");
    await page.locator(".feed").getByRole("link", { name: "Port scan" }).first().click();
    await page.getByRole("heading", { name: "What Picket did" }).waitFor();
    await page.getByText("Evidence in numbers").waitFor();
    const unblock = page.getByRole("button", { name: `Unblock: ${ATTACKER}` });
    await unblock.waitFor();
    await unblock.click();
    await note(page, "Done: Unblock");
    must((await api(page, `blocks/${ATTACKER}`)).status === 404, "the API still has the block");
    await eventually("the host to reach the router again", pings);
    // And its inverse, in the same place.
    await page.locator(".note").getByRole("button", { name: "Undo" }).last().click();
    await note(page, "Taken back");
    await eventually("the block to be back", async () => (await api(page, `blocks/${ATTACKER}`)).host === ATTACKER);
    await go(page, "blocked");
    await page.getByRole("button", { name: `Unblock: ${ATTACKER}` }).click();
    await note(page, "Done: Unblock");
    await eventually("the host to reach the router again", pings);
  },

  async an_alert_is_acknowledged_and_noted(page) {
    await go(page, "threats");
    await page.getByRole("button", { name: /^Seen:/ }).first().click();
    await note(page, "Done: Seen");
    const { items } = await api(page, `alerts?host=${ATTACKER}`);
    must(items[0].acknowledged_by === OWNER.email, JSON.stringify(items));
    await go(page, `threat/${items[0].threat}`);
    const muted = async () => (await api(page, `alerts?host=${ATTACKER}`)).items[0].muted_until;
    await page.getByRole("button", { name: /^Mute for a day/ }).click();
    await note(page, "tells nobody for a day");
    must(Date.parse(await muted()) > Date.now() + 23 * 3_600_000, "it is not mute:", await muted());
    await page.getByRole("button", { name: /^Unmute/ }).click();
    await note(page, "Done: Unmute");
    must(!(await muted()), "it is mute still");
  },

  async an_incident_is_read_closed_and_opened_again(page) {
    const [{ id }] = (await api(page, "incidents?state=open&sort=-last")).items;
    const story = async () => api(page, `incidents/${id}`);
    await go(page, "overview");
    await page.locator(`.todo a[href="#/incident/${id}"]`).click();
    await page.getByRole("heading", { name: "What to do next" }).waitFor();
    await page.locator(".feed", { hasText: ATTACKER }).waitFor();
    await page.getByRole("button", { name: "Close incident" }).click();
    await page.getByLabel("What was found").fill("our own scan");
    await page.locator("dialog").getByRole("button", { name: "Close incident" }).click();
    await note(page, "Done: Close incident");
    must((await story()).closed_for === "our own scan", JSON.stringify(await story()));
    await page.locator(".note").getByRole("button", { name: "Undo" }).last().click();
    await note(page, "Taken back");
    must((await story()).state === "open", "it is not open again");
  },

  async a_host_is_enrolled_and_its_token_is_shown_once(page) {
    await go(page, "sources");
    await page.getByRole("button", { name: "Enrol host" }).click();
    await page.getByLabel("Host", { exact: true }).fill("laptop7");
    await page.getByLabel("Hand it").selectOption("token");
    await page.locator("dialog").getByRole("button", { name: "Enrol host" }).click();
    const token = await page.locator("dialog .code").innerText();
    must(token.length >= 20, "no token:", token);
    const { items } = await api(page, "sources");
    must(items.some(({ name, enrolled }) => name === "laptop7" && enrolled), JSON.stringify(items));
    must(!JSON.stringify(items).includes(token), "the token can be read again");
    await page.getByRole("button", { name: "I have written it down" }).click();
    await page.getByRole("button", { name: "Remove: laptop7" }).click();
    await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
    await note(page, "Done: Remove: laptop7");
    must(!(await api(page, "sources")).items.some(({ name }) => name === "laptop7"), "it may still tell");
  },

  async a_device_is_approved_and_that_is_undone(page) {
    const device = async () => (await api(page, "devices")).items.find(({ addresses }) => addresses.includes(ATTACKER));
    await eventually("the device", device);
    await go(page, "devices");
    const { name } = await device();
    await page.getByRole("button", { name: `Approve: ${name}` }).click();
    await note(page, "Approved");
    must((await device()).state === "approved", "it is not approved");
    await page.locator(".note").getByRole("button", { name: "Undo" }).last().click();
    await note(page, "Taken back");
    must((await device()).state === "new", "it is not undone");
  },

  async protection_pauses_and_comes_back(page) {
    await go(page, "overview");
    await page.getByRole("button", { name: "Pause protection" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Protection paused:").waitFor();
    must((await status()).posture === "observe", "it does not pause");
    await page.getByRole("button", { name: "Protect again" }).click();
    await note(page, "Done: Protect again");
    must((await status()).posture === "protect", "it does not protect again");
  },

  async a_schedule_is_made_tried_and_kept(page) {
    await go(page, "policy");
    await page.getByRole("button", { name: "Begin with what is in force" }).click();
    await page.getByRole("button", { name: "Add rule" }).click();
    const dialog = page.locator("dialog");
    await dialog.getByLabel("Rule", { exact: true }).fill("weekend");
    await dialog.getByLabel("Who begins").fill("new");
    await dialog.getByLabel("With whom").fill("192.0.2.77");
    await dialog.getByLabel("Service").fill("tcp/8080");
    for (const day of ["Sat", "Sun"]) await dialog.getByLabel(day).check();
    await dialog.locator("input[type=time]").first().fill("22:00");
    await dialog.locator("input[type=time]").last().fill("02:00");
    const found = await axe(page);
    must(found.length === 0, found.join("; "));
    await dialog.getByRole("button", { name: "Add rule" }).click();
    await dialog.waitFor({ state: "detached" });
    must((await page.getByLabel("Your draft").inputValue()).includes('when = "sat,sun 22:00-02:00"'), await page.getByLabel("Your draft").inputValue());
    await page.getByRole("button", { name: "What would change?" }).click();
    await page.getByLabel("What would change").getByText("weekend").waitFor();
    await page.getByRole("button", { name: "Apply", exact: true }).click();
    await page.getByRole("region", { name: "A policy is on trial" }).getByRole("button", { name: "Keep it" }).click();
    await note(page, "Done: Keep it");
    await page.getByRole("region", { name: "A policy is on trial" }).waitFor({ state: "detached" });
    const { items } = await api(page, "rules?q=weekend");
    must(items[0].when.join() === "sat,sun 22:00-02:00", JSON.stringify(items));
    await page.getByRole("row").filter({ hasText: "weekend" }).getByText("sat,sun 22:00-02:00").waitFor();
  },

  async a_draft_is_looked_at_and_applied_on_trial(page) {
    const before = await api(page, "rules/policy");
    await go(page, "policy");
    await page.getByRole("button", { name: "Begin with what is in force" }).click();
    const box = page.getByLabel("Your draft");
    await box.fill("posture = \"protekt\"\n");
    await page.getByRole("button", { name: "What would change?" }).click();
    await page.getByText("Line 1").waitFor();
    const rule = `\n[[allow]]\nname = "page-test"\nwho = "lan"\nto = "192.0.2.9"\nservice = "tcp/8443"\n`;
    await box.fill(before.text.replace("posture = \"protect\"", "posture = \"enforce\"") + rule);
    await page.getByRole("button", { name: "What would change?" }).click();
    await page.getByLabel("What would change").getByText("page-test").waitFor();
    await page.getByLabel("Keep within").selectOption("60");
    await page.getByLabel("Even if approved").check();
    await page.getByRole("button", { name: "Apply", exact: true }).click();
    await page.getByRole("region", { name: "A policy is on trial" }).waitFor();
    await eventually("the trial", async () => { const { text, on_trial } = await api(page, "rules/policy"); return on_trial && text.includes("page-test"); });
    must(!(await pings()), "default deny lets a new device ping the router");
    on_trial = true;
  },

  async a_manufacturers_description_becomes_a_draft(page) {
    await go(page, "policy");
    await page.getByLabel("MUD file (RFC 8520)").setInputFiles({ name: "lamp.json", mimeType: "application/mud+json", buffer: Buffer.from(JSON.stringify(LAMP)) });
    await page.locator("section", { has: page.getByRole("heading", { name: /MUD/ }) }).getByLabel("Name").fill("lamp");
    await page.getByRole("button", { name: "Read file" }).click();
    await page.getByText("The lamp of the test").waitFor();
    await page.getByRole("button", { name: "Edit as a draft" }).click();
    const draft = await eventually("the draft", async () => { const { text } = await api(page, "rules/draft"); return text?.includes("cloud.lamp.example") && text; });
    must(draft.includes("tcp/8883"), draft);
    await eventually("the draft in the editor", async () => await page.getByLabel("Your draft").inputValue() === draft);
  },

  async a_draft_is_tried_on_the_past(page) {
    const draft = page.getByLabel("Your draft");
    await page.getByRole("button", { name: "Try on the past" }).click();
    await page.locator(".note.bad", { hasText: '"lamp" is no device' }).waitFor();
    await draft.fill(`${await draft.inputValue()}\n[[device]]\nname = "lamp"\nmacs = ["02:00:00:00:77:01"]\nstate = "approved"\n`);
    await page.getByRole("button", { name: "What would change?" }).click();
    await page.getByLabel("What would change").getByText("cloud.lamp.example").waitFor();
    await page.getByRole("button", { name: "Try on the past" }).click();
    await page.getByText(/conversations/).first().waitFor();
    const { text } = await api(page, "rules/draft");
    const tried = await page.evaluate((body) => fetch("/api/v1/rules/timemachine", { method: "POST", headers: { "X-Picket-Page": "used", "Content-Type": "application/json" }, body }).then((answer) => answer.json()), JSON.stringify({ text, days: null }));
    must(tried.conversations > 0, "nothing was kept of what the devices did:", JSON.stringify(tried));
    await page.getByRole("button", { name: "Drop draft" }).click();
    await note(page, "Done: Drop draft");
    must((await api(page, "rules/draft")).status === 404, "the draft is still kept");
  },

  async would_this_pass_is_answered_with_the_rule(page) {
    await go(page, "policy");
    await page.getByLabel("From (device").fill(ATTACKER);
    await page.getByLabel("To (device").fill(ROUTER);
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    const told = await page.locator("main .state", { hasText: /^(passes|does not pass)$/ }).first().innerText();
    const said = await page.evaluate((body) => fetch("/api/v1/rules/explain", { method: "POST", headers: { "X-Picket-Page": "used", "Content-Type": "application/json" }, body }).then((answer) => answer.json()), JSON.stringify({ from: ATTACKER, to: ROUTER, service: "tcp/443" }));
    must(told === (said.decision === "allow" ? "passes" : "does not pass"), told, JSON.stringify(said));
  },

  async the_audit_is_read_again(page) {
    await go(page, "audit");
    await page.getByRole("button", { name: "Verify chain" }).click();
    await note(page, "the chain is whole");
    const { records, whole } = await api(page, "audit/verify");
    must(whole && records > 10, records, "records");
  },

  async a_report_is_made_and_fetched(page) {
    await go(page, "reports");
    await page.getByLabel("Form").selectOption("json");
    await page.getByRole("button", { name: "Make report" }).click();
    await note(page, "The report is being made");
    const [report] = await eventually("the report", async () => { const { items } = await api(page, "reports"); return items[0]?.state === "done" ? items : null; }, 20);
    const save = page.getByRole("button", { name: /^Save: / });
    await save.waitFor();
    const [saved] = await Promise.all([page.waitForEvent("download"), save.click()]);
    const file = await saved.path();
    const told = JSON.parse(readFileSync(file, "utf8"));
    must(Object.keys(told).length > 2 && readFileSync(file).length === report.octets, "the file is not the report");
  },

  async the_search_is_reached_by_a_key_and_jumps(page) {
    await go(page, "overview");
    await page.keyboard.press("/");
    await page.getByRole("searchbox", { name: "Search" }).waitFor();
    await page.keyboard.type(ATTACKER);
    await page.locator(".found a", { hasText: ATTACKER }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: ATTACKER }).waitFor();
  },

  async mail_is_set_up_and_tried(page) {
    await go(page, "settings");
    const dialog = page.locator("dialog");
    const change = async (id, value) => {
      await page.getByRole("searchbox").fill(id);
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: `Change: ${id}`, exact: true }).click();
      await dialog.getByLabel("Value").fill(value);
      await dialog.getByRole("button", { name: "Save" }).click();
      await note(page, `Done: Change: ${id}`);
      await dialog.waitFor({ state: "detached" });
    };
    await change("mail.server", "127.0.0.1");
    await change("mail.port", "587");
    await change("mail.ca", readFileSync(`${POST}/ca.pem`, "utf8"));
    await change("mail.user", "box");
    await change("mail.password", "mail-secret-9");
    await change("mail.from", "picket@example.org");
    const shown = await api(page, "settings/mail.password");
    must(!JSON.stringify(shown).includes("mail-secret-9"), "the page is told a password");
  },

  async a_user_is_invited_by_mail_and_sets_a_password(page, { browser }) {
    await go(page, "users");
    await page.getByRole("button", { name: "New account" }).click();
    await page.getByLabel("First name").fill("<img src=x onerror=alert(1)>");
    await page.getByLabel("E-mail address").fill("guest@example.org");
    await page.getByLabel("Role", { exact: true }).last().selectOption("auditor");
    await page.getByRole("button", { name: "Make account" }).click();
    await note(page, "by mail");
    const code = await eventually("the code in the mailbox", () => mailed("guest@example.org")?.match(/ is (\d[\d ]+\d)/)?.[1].replaceAll(" ", ""));
    await page.getByText("<img src=x onerror=alert(1)>").first().waitFor();
    must(await page.locator("main img").count() === 0, "a name became markup");
    const other = await look(browser);
    await other.page.getByRole("button", { name: "I have a one-time code" }).click();
    await other.page.getByLabel("E-mail address").fill("guest@example.org");
    await other.page.getByLabel("One-time code").fill(code);
    await other.page.getByLabel("New password").fill("another-horse-8-staple");
    await other.page.getByRole("button", { name: "Set password" }).click();
    await other.page.getByRole("heading", { name: "Log in" }).waitFor();
    await login(other.page, { email: "guest@example.org", password: "another-horse-8-staple" });
    await other.page.getByRole("heading", { name: "What needs you" }).waitFor();
    must(await other.page.getByRole("button", { name: "Pause protection" }).count() === 0, "an auditor is offered what only admins may");
    other.clean();
    await other.context.close();
  },

  async a_session_that_ended_asks_over_the_page_and_goes_on(page) {
    await go(page, "profile");
    await page.getByLabel("First name").fill("Adele");
    const { items } = await api(page, "sessions");
    const own = items.find(({ current }) => current);
    // In one go: between the two the page may ask for something by itself, and its log-in would stand over the button.
    await page.evaluate(async (id) => {
      await fetch(`/api/v1/sessions/${id}`, { method: "DELETE", headers: { "X-Picket-Page": "used" } });
      document.querySelector("main form button[type=submit]").click();
    }, own.id);
    await page.getByRole("heading", { name: "Your session is over" }).waitFor();
    const found = await axe(page);
    must(found.length === 0, found.join("; "));
    await page.locator("dialog").getByLabel("Password").fill(OWNER.password);
    await page.locator("dialog").getByRole("button", { name: "Log in" }).click();
    await note(page, "Saved");
    must((await api(page, "profile")).first_name === "Adele", "what was typed is lost");
  },

  async a_box_that_restarts_is_waited_for(page) {
    // After a session that ended the page listens again only some seconds later: here it must listen before the box goes.
    await Promise.all([page.waitForResponse((answer) => answer.url().includes("/api/v1/events")), page.reload()]);
    await go(page, "overview");
    const api_process = (await sh("pgrep -f 'exe api$' || true")).trim().split("\n").filter(Boolean);
    must(api_process.length > 0, "no API process");
    const { uptime } = await api(page, "system");
    // Where other boxes run too the shell is long about it, and the page may be back by then.
    await Promise.all([
      page.locator(".link-state.gone").waitFor({ timeout: 30_000 }),
      sh(`for p in ${api_process.join(" ")}; do ip netns identify $p | grep -q "$(ip netns identify $$)" && kill -9 $p; done || true`),
    ]);
    await page.locator(".link-state:not(.gone)").waitFor({ timeout: 40_000 });
    must((await api(page, "system")).uptime > uptime, "the gateway went on");
  },

  async a_second_factor_is_set_up_asked_for_and_ended(page) {
    await go(page, "profile");
    await page.getByRole("button", { name: "Set up second factor" }).click();
    const secret = await page.locator("dialog .code").innerText();
    must(await page.locator("dialog svg.qr path").getAttribute("d"), "no picture to scan");
    await page.locator("dialog").getByRole("textbox", { name: "Code" }).fill("000000");
    await page.locator("dialog").getByRole("button", { name: "Confirm" }).click();
    await page.locator("dialog [role=alert]").waitFor();
    await page.locator("dialog").getByRole("textbox", { name: "Code" }).fill(totp(secret));
    await page.locator("dialog").getByRole("button", { name: "Confirm" }).click();
    await note(page, "Saved");
    must((await page.locator("main pre").innerText()).trim().split("\n").length >= 8, "no recovery codes");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await login(page);
    const code = page.getByRole("textbox", { name: "Code" });
    await code.waitFor();
    must((await api(page, "devices")).status >= 401, "the password alone opens it");
    // A code is worth one log-in: this is the next one.
    await code.fill(totp(secret, 1));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("navigation").first().waitFor();
    await go(page, "profile");
    await page.getByRole("button", { name: "End second factor" }).click();
    await page.locator("dialog").getByRole("button", { name: "End second factor" }).click();
    await note(page, "Done: End second factor");
    must((await api(page, "profile")).totp === false, "it is asked for still");
    await go(page, "overview");
  },

  async logging_out_ends_the_session(page) {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    must((await api(page, "profile")).status === 401, "the session lives on");
    must((await page.context().cookies()).length === 0, "the cookie is still there");
    await login(page);
    await page.getByRole("heading", { name: "What needs you" }).waitFor();
  },

  async a_policy_that_nobody_keeps_goes_by_itself(page) {
    must(on_trial, "none was applied");
    // On a busy machine it may be gone by now: when it went is told by the box.
    await eventually("the policy to go", async () => !(await api(page, "rules/policy")).text.includes("page-test"), 75);
    await page.getByRole("region", { name: "A policy is on trial" }).waitFor({ state: "detached" });
    const [gone, applied] = (await api(page, "rules/history")).items.map(({ at }) => Date.parse(at));
    const took = gone - applied;
    must(took > 58_000 && took < 66_000, "it went after", took, "ms");
    // Debian 12's nft cannot list a policy's chains: a packet tells.
    must(await pings(), "the host does not reach the router again");
  },

  async what_a_device_needs_is_proposed_and_watched_in_shadow(page) {
    const device = (await api(page, "devices")).items.find(({ addresses }) => addresses.includes(ATTACKER));
    await go(page, "learning");
    await page.getByRole("link", { name: device.name }).first().click();
    await page.getByRole("heading", { name: "Proposed rules" }).waitFor();
    await page.getByRole("button", { name: "Begin shadow" }).click();
    await note(page, "Done: Begin shadow");
    must((await api(page, `proposals/${device.id}/shadow`)).since, "it is not watched");
    await page.getByText("Watched since").waitFor();
    await page.getByRole("button", { name: "End shadow" }).click();
    await note(page, "Done: End shadow");
    must(!(await api(page, `proposals/${device.id}/shadow`)).since, "it is still watched");
    // What is held against what it did: the scan's conversations would be cut by default deny.
    await page.getByText("would have been cut").waitFor();
  },

  async access_is_asked_for_granted_refused_and_withdrawn(page) {
    const device = (await api(page, "devices")).items.find(({ addresses }) => addresses.includes(ATTACKER));
    await go(page, "requests");
    const dialog = page.locator("dialog");
    const wish = async (service) => {
      await page.getByRole("button", { name: "Ask for access" }).click();
      await dialog.getByLabel("Device", { exact: true }).selectOption(String(device.id));
      await dialog.getByLabel("To (device").fill("192.0.2.44");
      await dialog.getByLabel("Service").fill(service);
      await dialog.getByLabel("Why").fill("the build server");
      await dialog.getByRole("button", { name: "Ask", exact: true }).click();
      await note(page, "The admins are told");
      await page.getByRole("cell", { name: service }).waitFor();
    };
    const states = async () => Object.fromEntries((await api(page, "requests")).items.map(({ service, state }) => [service, state]));
    const row = (service) => page.getByRole("row").filter({ hasText: service });
    await wish("tcp/8001");
    await row("tcp/8001").getByRole("button", { name: /^Grant/ }).click();
    const found = await axe(page);
    must(found.length === 0, found.join("; "));
    await dialog.getByLabel("For how many hours").fill("2");
    await dialog.getByRole("button", { name: "Grant" }).click();
    await note(page, "Done: Grant");
    must((await api(page, "rules/policy")).text.includes("192.0.2.44"), "no rule was made");
    await wish("tcp/8002");
    await row("tcp/8002").getByRole("button", { name: /^Refuse/ }).click();
    await dialog.getByLabel("For who asked").fill("ask the owner");
    await dialog.getByRole("button", { name: "Refuse" }).click();
    await note(page, "Done: Refuse");
    await wish("tcp/8003");
    await row("tcp/8003").getByRole("button", { name: /^Withdraw/ }).click();
    await note(page, "Done: Withdraw");
    must(JSON.stringify(await states()) === JSON.stringify({ "tcp/8001": "granted", "tcp/8002": "refused", "tcp/8003": "withdrawn" }), JSON.stringify(await states()));
  },

  async a_channel_is_made_tried_changed_and_taken_away(page) {
    const heard = [];
    const receiver = createServer((request, answer) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => { heard.push({ headers: request.headers, body: Buffer.concat(parts).toString() }); answer.end(); });
    });
    await new Promise((go) => receiver.listen(0, "127.0.0.1", go));
    const channel = async () => (await api(page, "notifications")).items.find(({ name }) => name === "on call");
    const dialog = page.locator("dialog");
    await go(page, "notifications");
    await page.getByRole("button", { name: "New channel" }).click();
    await dialog.getByLabel("Name").fill("on call");
    await dialog.getByLabel("Where to").fill("gopher://nobody");
    await dialog.getByRole("button", { name: "New channel" }).click();
    await dialog.locator(".error", { hasText: "takes an address" }).waitFor();
    must(await dialog.getByLabel("Name").inputValue() === "on call" && !(await channel()), "a wrong address is taken, or what was typed is lost");
    await dialog.getByLabel("Where to").fill(`http://127.0.0.1:${receiver.address().port}/hook`);
    await dialog.getByLabel("New devices").check();
    await dialog.getByLabel("Incidents").uncheck();
    await dialog.getByLabel("Quiet hours").fill("mon-fri 22:00-06:00\nsat,sun 00:00-24:00");
    await dialog.getByLabel("Time zone").fill("Europe/Berlin");
    await dialog.getByRole("button", { name: "New channel" }).click();
    await dialog.locator(".code").waitFor();
    const secret = await dialog.locator(".code").innerText();
    await page.getByRole("button", { name: "I have written it down" }).click();
    const made = await channel();
    must(made.quiet.length === 2 && made.time_zone === "Europe/Berlin" && made.families.includes("device") && !made.families.includes("incident"), JSON.stringify(made));
    await page.getByRole("button", { name: "Test: on call" }).click();
    const [{ headers, body }] = await eventually("the message", () => heard.length && heard, 20);
    const tag = createHmac("sha256", Buffer.from(secret, "hex")).update(`${headers["x-picket-timestamp"]}.${body}`).digest("hex");
    must(headers["x-picket-signature"] === `sha256=${tag}`, "the secret that was shown is not the one that signs:", headers["x-picket-signature"]);
    await page.locator("td", { hasText: "works" }).waitFor();
    // A receiver that is gone shows, with the reason and with what waits for it.
    await new Promise((go) => { receiver.close(go); receiver.closeAllConnections(); });
    await page.getByRole("button", { name: "Test: on call" }).click();
    await page.locator("td", { hasText: "fails" }).waitFor({ timeout: 45_000 });
    await page.getByRole("button", { name: "What did not arrive: on call" }).click();
    await dialog.getByText(/^[1-9] tries$/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Change: on call" }).click();
    await dialog.getByLabel("High alone").check();
    await dialog.getByLabel("Quiet hours").fill("never");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.locator(".error").waitFor();
    await dialog.getByLabel("Quiet hours").fill("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await note(page, "Done: Change: on call");
    const changed = await channel();
    must(changed.level === "HIGH" && changed.quiet.length === 0, JSON.stringify(changed));
    await page.getByRole("button", { name: "Remove: on call" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await note(page, "Done: Remove: on call");
    must(!(await channel()), "it is still told");
  },

  async a_certificate_is_installed_and_taken_away(page) {
    const of = `${process.env.PICKET_SCREENS}/certificate`;
    await sh(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=gate.example.org -addext subjectAltName=DNS:gate.example.org -addext basicConstraints=critical,CA:FALSE -keyout ${of}.key -out ${of}.pem 2>&1`);
    const [pem, key] = ["pem", "key"].map((kind) => readFileSync(`${of}.${kind}`, "utf8"));
    const print = new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
    const installed = async () => (await api(page, "system/certificate")).installed;
    const dialog = page.locator("dialog");
    await go(page, "system");
    await page.getByRole("button", { name: "Install certificate" }).click();
    await dialog.getByLabel("Certificate (PEM)").fill(pem);
    await dialog.getByLabel("Private key (PEM)").fill("no key");
    await dialog.getByRole("button", { name: "Install certificate" }).click();
    await dialog.locator("[role=alert]").waitFor();
    must(!(await installed()), "it is installed without its key");
    await dialog.getByLabel("Private key (PEM)").fill(key);
    await dialog.getByRole("button", { name: "Install certificate" }).click();
    await note(page, "Done: Install certificate");
    must((await installed()).fingerprint === print, "another one is installed:", JSON.stringify(await installed()));
    await page.getByText(print).waitFor();
    await page.getByRole("button", { name: "Remove certificate" }).click();
    await dialog.getByRole("button", { name: "Remove certificate" }).click();
    await note(page, "Done: Remove certificate");
    must(!(await installed()), "it is still there");
  },

  async a_device_with_a_rule_is_enforced_on_trial_and_taken_back(page) {
    const { id } = (await api(page, "devices")).items.find(({ addresses }) => addresses.includes(ATTACKER));
    await go(page, `learning/${id}`);
    await page.getByRole("button", { name: "Enforce" }).click();
    await page.locator("dialog").getByRole("button", { name: "Enforce" }).click();
    const trial = page.getByRole("region", { name: "A policy is on trial" });
    await trial.waitFor();
    await eventually("the trial", async () => { const { text, on_trial } = await api(page, "rules/policy"); return on_trial && text.includes("enforce"); });
    const device = await api(page, `devices/${id}`);
    must(device.state === "approved", "the device is", device.state);
    await trial.getByRole("button", { name: "Back at once" }).click();
    await note(page, "Done: Back at once");
    await trial.waitFor({ state: "detached" });
    must(!(await api(page, "rules/policy")).on_trial, "it is still on trial");
    must(await pings(), "the host does not reach the router again");
  },

  async a_backup_is_made_and_restored(page) {
    await go(page, "system");
    const part = page.locator("section", { has: page.getByRole("heading", { name: "Backup", exact: true }) });
    const passphrase = "a long way to the cellar";
    await part.getByLabel("Passphrase").first().fill(passphrase);
    const [file] = await Promise.all([page.waitForEvent("download"), part.getByRole("button", { name: "Make backup" }).click()]);
    const path = await file.path();
    const before = await api(page, "devices");
    // What came after the backup goes with it.
    const number = before.items[0].id;
    await act(page, "PATCH", `devices/${number}`, { notes: "afterwards" });
    must((await api(page, `devices/${number}`)).notes === "afterwards", "the note is not there");
    await part.getByLabel("Backup file").setInputFiles(path);
    await part.getByLabel("Passphrase").last().fill("another way to the cellar");
    await part.getByRole("button", { name: "Restore" }).click();
    await part.locator("[role=alert]").waitFor();
    must((await api(page, `devices/${number}`)).notes === "afterwards", "a wrong passphrase changed something");
    await part.getByLabel("Passphrase").last().fill(passphrase);
    await part.getByRole("button", { name: "Restore" }).click();
    await note(page, "Restored: ");
    await eventually("the page to start again", () => page.getByRole("heading", { name: "Log in" }).isVisible(), 20);
    await login(page);
    await page.getByRole("navigation").first().waitFor();
    must((await api(page, `devices/${number}`)).notes === before.items[0].notes, "the note outlived the restore");
  },
};

const browser = await open();
let failed = 0;
try {
  const { page, clean } = await look(browser);
  for (const [name, walk] of Object.entries(walks)) {
    const begin = Date.now();
    try {
      await walk(page, { browser });
      console.log(`walked ${name} in ${Date.now() - begin} ms`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}: ${error.stack}\n${await scene(page)}`);
      await page.screenshot({ path: `${process.env.PICKET_SCREENS}/failed-${name}.png` });
      // What stands open would be in the way of the next.
      await page.reload();
    }
  }
  clean();
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
