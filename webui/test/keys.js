// The main paths by keyboard alone: from a fresh load only keys are sent, and what has the focus is visible at each step.
import { OWNER, api, axe, eventually, look, must, note, onHost, open, scene, sh, status } from "./browser.js";

const ROUTER = "192.168.9.1";
const ATTACKER = "192.168.9.10";
/** More steps than any page has stops. */
const STOPS = 120;
const pings = async () => (await onHost(`ping -n -q -c 2 -i 0.2 -W 1 ${ROUTER} || true`)).stdout.match(/(\d) received/)?.[1] === "2";

/** What has the focus: its role, its name, and whether a person can see it and that it has the focus. */
const focused = (page) => page.evaluate(() => {
  const it = document.activeElement;
  if (!it || it === document.body) return { name: "", seen: true };
  const label = it.labels?.[0]?.textContent ?? "";
  const name = (it.getAttribute("aria-label") ?? (label || it.textContent) ?? "").trim();
  const box = it.getBoundingClientRect();
  const at = document.elementFromPoint(box.x + Math.min(box.width, innerWidth) / 2, box.y + Math.min(box.height, 40) / 2);
  const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  const { outlineStyle, outlineWidth } = getComputedStyle(it);
  // A heading or the content itself has it only after a jump, and is what the jump was for.
  const ring = /^(h1|main)$/.test(it.localName) || outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  return { tag: it.localName, name, seen: inside && ring && (at === it || it.contains(at) || (at?.contains(it) ?? false) || at?.closest("label")?.control === it), box: JSON.stringify(box), ring };
});

/** Presses Tab until what has this name has the focus. */
async function reach(page, name, backward = false) {
  const passed = [];
  for (let stop = 0; stop < STOPS; stop += 1) {
    const is = await focused(page);
    must(is.seen, "the focus cannot be seen on", JSON.stringify(is));
    if (typeof name === "string" ? is.name === name : name.test(is.name)) return;
    passed.push(is.name);
    await page.keyboard.press(backward ? "Shift+Tab" : "Tab");
  }
  throw new Error(`no key reaches ${name}; passed: ${[...new Set(passed)].join(" | ").slice(0, 900)}`);
}
const press = async (page, name) => { await reach(page, name); await page.keyboard.press("Enter"); };
const type = async (page, name, text) => { await reach(page, name); await page.keyboard.type(text); };
/** Goes to a page as a person does: by the search. */
async function jump(page, text) {
  await page.keyboard.press("/");
  await page.locator("dialog input").waitFor();
  await page.keyboard.type(text);
  await page.locator(".found a").first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
}

const browser = await open();
let failed = false;
const { page, clean } = await look(browser);
try {
  // Claim, the six questions, the overview.
  await page.getByRole("heading", { name: "Claim this box" }).waitFor();
  const { claim_code: code } = await status();
  await type(page, "Claim code", code);
  await type(page, "First name", OWNER.first_name);
  await type(page, "E-mail address", OWNER.email);
  await type(page, "New password", OWNER.password);
  await page.keyboard.press("Enter");
  await page.getByText("What is this box called?").waitFor();
  await type(page, "Name", "Attic");
  for (const next of ["Where is it reached?", "May it write mail?", "Whom must no block cut?", "What shall it do", "How long shall it learn?"]) {
    await press(page, "Next");
    await page.getByText(next).waitFor();
  }
  await press(page, "To the overview");
  await page.getByRole("heading", { name: "What needs you" }).waitFor();
  must((await api(page, "settings/box.name")).value === "Attic", "the name is not kept");
  console.log("claimed by keys");

  // A scan is opened from the feed, understood, unblocked.
  await page.reload();
  await page.getByRole("heading", { name: "What needs you" }).waitFor();
  must(await pings(), "the host reaches the router");
  await onHost(`nmap -n -Pn -sS -T4 --max-rate 200 --max-retries 0 --host-timeout 6s -p 1000-1060 ${ROUTER} || true`);
  await page.locator(".feed li", { hasText: "Port scan" }).first().waitFor();
  await eventually("the kernel's block", async () => !(await pings()));
  await press(page, "Port scan vertical");
  await page.getByRole("heading", { name: "What Picket did" }).waitFor();
  must(await page.evaluate(() => document.activeElement?.localName) === "h1", "the focus does not go to the heading");
  await press(page, `Unblock: ${ATTACKER}`);
  await note(page, "Done: Unblock");
  await eventually("the host to reach the router again", pings);
  await press(page, "Undo");
  await note(page, "Taken back");
  await eventually("the block to be back", async () => (await api(page, `blocks/${ATTACKER}`)).host === ATTACKER);
  await jump(page, "Blocked");
  await press(page, `Unblock: ${ATTACKER}`);
  await eventually("the end of the block", async () => (await api(page, `blocks/${ATTACKER}`)).status === 404);
  console.log("unblocked by keys");

  // A device is approved, and that is undone.
  await page.reload();
  const device = async () => (await api(page, "devices")).items.find(({ addresses }) => addresses.includes(ATTACKER));
  const { name } = await eventually("the device", device);
  await jump(page, "Devices");
  await press(page, `Approve: ${name}`);
  await note(page, "Approved");
  must((await device()).state === "approved", "it is not approved");
  await press(page, "Undo");
  await note(page, "Taken back");
  must((await device()).state === "new", "it is still approved");

  // A host is blocked by hand: the dialog keeps the focus, Escape closes it and gives the focus back.
  await jump(page, "Blocked");
  await press(page, "Block a host");
  await page.locator("dialog").waitFor();
  must((await axe(page)).length === 0, "the dialog:", (await axe(page)).join("; "));
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await eventually("the focus to be given back", async () => (await focused(page)).name === "Block a host", 2).catch(() => undefined);
  must((await focused(page)).name === "Block a host", "the focus is not given back:", JSON.stringify(await focused(page)));
  await page.keyboard.press("Enter");
  await type(page, "Host", "192.168.9.99");
  await type(page, "Why, for those who look later", "by keys");
  await page.keyboard.press("Enter");
  await note(page, "Done: Block a host");
  must((await api(page, "blocks/192.168.9.99")).why === "by keys", "it is not blocked");
  console.log("decided by keys");

  // A channel is made, tried and taken away.
  await jump(page, "Notifications");
  await press(page, "New channel");
  await type(page, "Name", "by keys");
  await type(page, "Where to", "eve:file");
  await reach(page, "New devices");
  await page.keyboard.press("Space");
  await press(page, "New channel");
  await note(page, "Done: New channel");
  const channel = async () => (await api(page, "notifications")).items.find(({ name }) => name === "by keys");
  must((await channel()).families.includes("device"), "it does not hear of new devices:", JSON.stringify(await channel()));
  await press(page, "Test: by keys");
  await eventually("the test to be written", async () => (await channel()).last_sent, 20);
  await press(page, "Remove: by keys");
  await press(page, "Remove");
  await note(page, "Done: Remove: by keys");
  must(!(await channel()), "it is still told");
  console.log("a channel by keys");

  // A rule is drafted and looked at, then applied on trial and kept.
  await page.reload();
  await page.locator("main h1").waitFor();
  await jump(page, "Policy");
  await press(page, "Begin with what is in force");
  await press(page, "Add rule");
  await page.locator("dialog").waitFor();
  await type(page, "Rule", "evenings");
  await type(page, "Service", "ftp");
  for (const day of ["Mon", "Fri"]) { await reach(page, day); await page.keyboard.press("Space"); }
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  await reach(page, /^Your draft/);
  await page.keyboard.press("Control+End");
  await page.keyboard.type(`\n[[allow]]\nname = "by-keys"\nwho = "lan"\nto = "192.0.2.9"\nservice = "tcp/8443"\n`);
  await press(page, "What would change?");
  await page.getByLabel("What would change").getByText("by-keys").waitFor();
  await press(page, "Apply");
  await page.getByRole("region", { name: "A policy is on trial" }).waitFor();
  await press(page, "Keep it");
  await note(page, "Done: Keep it");
  must((await api(page, "rules?q=evenings")).items[0].when.join() === "mon,fri 08:00-18:00", "no schedule was made");
  must((await api(page, "rules/policy")).text.includes("by-keys") && !(await api(page, "rules/policy")).on_trial, "it is not kept");
  must((await sh("nft list table bridge picket 2>/dev/null || true")).length > 0, "no ruleset");
  await reach(page, "Log out", true);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  console.log("a policy by keys");
  clean();
} catch (error) {
  failed = true;
  console.log(`FAILED: ${error.stack}\n${await scene(page)}`);
  await page.screenshot({ path: `${process.env.PICKET_SCREENS}/failed-keys.png` });
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
