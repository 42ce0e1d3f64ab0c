// After the claim: six questions with safe defaults. Where they stand is kept by the box, so they go on wherever the page is opened.
import { Refusal, get, patch, post } from "../api";
import { printable } from "../format";
import { Act } from "../parts/act";
import { Restore } from "../parts/backup";
import { Door } from "../parts/door";
import { type Field, Form, type Values } from "../parts/form";
import { Await, Facts } from "../parts/show";
import { choices } from "../parts/table";
import { useResource } from "../resource";
import { name as called, stage, step } from "../session";
import { type Key, t } from "../words";

interface Question { title: Key; about: Key; fields?: Field[]; facts?: Array<[Key, string]>; send?: (values: Values) => Promise<unknown> }
const MAIL = ["server", "port", "security", "user", "password", "from"];
const set = (id: string, value: unknown): Promise<unknown> => patch("settings/{id}", { value, why: t("wizard.title") }, { id });

async function ask() {
  const [settings, policy, system] = await Promise.all([get("settings", { limit: 100 }), get("rules/policy"), get("system")]);
  return { policy, system, values: Object.fromEntries(settings.items.map(({ id, value }) => [id, value])) };
}

/** The policy's text with another time zone. */
function zoned(text: string, posture: string, zone: string): string {
  const line = `time_zone = ${JSON.stringify(zone)}`;
  const named = /^time_zone *=.*$/m.test(text) ? text.replace(/^time_zone *=.*$/m, line) : `${line}\n${text}`;
  return /^posture *=/m.test(named) ? named : `posture = ${JSON.stringify(posture)}\n${named}`;
}

function questions({ policy, system, values }: Awaited<ReturnType<typeof ask>>): Question[] {
  const held = /^time_zone *= *"(.*)"/m.exec(policy.text)?.[1];
  const here = held ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...new Set([here, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  const spared = (values["never_block.addresses"] as string[] | undefined ?? []).join(", ");
  const is = (id: string): string => String(values[id] ?? "");
  return [{
    title: "wizard.name", about: "wizard.name.about",
    fields: [{ name: "name", label: "account.name", value: is("box.name"), max: 64 }, { name: "zone", label: "wizard.zone", value: here, options: zones.map((zone) => [zone, zone]) }],
    send: async ({ name = "", zone = "UTC" }) => {
      await set("box.name", name);
      called.value = name;
      if (zone !== (held ?? "UTC")) await post("rules/apply", { text: zoned(policy.text, policy.posture, zone), why: t("wizard.title"), within_secs: null, force: false, if_version: policy.version });
    },
  }, {
    title: "wizard.address", about: "wizard.address.about",
    facts: [["host.address", is("admin.listen")], ["system.certificate", system.fingerprint ?? ""]],
  }, {
    title: "wizard.mail", about: "wizard.mail.about",
    fields: MAIL.map((name) => ({
      name, label: `mail.${name}` as Key, value: name === "password" ? "" : is(`mail.${name}`), max: 254,
      ...(name === "port" ? { type: "number" as const, min: 1, max: 65_535 } : name === "password" ? { type: "password" as const } : name === "security" ? { options: [["starttls", "STARTTLS"], ["tls", "TLS"]] as Array<[string, string]> } : {}),
    })),
    send: async (typed) => {
      if (!typed.server) return;
      for (const name of MAIL) if (typed[name]) await set(`mail.${name}`, name === "port" ? Number(typed[name]) : typed[name]);
      const { mail, detail } = await post("settings/mail/test", undefined as never);
      if (mail !== "accepted") throw new Refusal(422, `${t("wizard.mail.failed")} ${detail}`);
    },
  }, {
    title: "wizard.spare", about: "wizard.spare.about",
    facts: [["wizard.servers", policy.servers.join(", ")]],
    fields: [{ name: "addresses", label: "wizard.addresses", value: spared, mono: true }],
    send: async ({ addresses = "" }) => { if (addresses !== spared) await set("never_block.addresses", addresses.split(",").map((one) => one.trim()).filter(Boolean)); },
  }, {
    title: "wizard.posture", about: "wizard.posture.about",
    fields: [{ name: "posture", label: "system.posture", value: "protect", options: choices("posture", ["protect", "observe"]) }],
    send: ({ posture }) => post("posture", { posture: posture as "protect", for: null, why: t("wizard.title") }),
  }, {
    title: "wizard.learning", about: "wizard.learning.about",
    fields: [{ name: "days", label: "learning.span", type: "number", value: is("learning.days"), min: 1, max: 90, required: true }],
    send: ({ days }) => set("learning.days", Number(days)),
  }];
}

export function Wizard() {
  const known = useResource("wizard", ask);
  const at = step.value;
  const move = async (next: number): Promise<void> => {
    const wanted = next > 6 ? 0 : next;
    await set("setup.step", wanted);
    if (wanted === 0) { stage.value = "in"; location.hash = "#/overview"; } else { known.reload(); step.value = wanted; }
  };
  return <Door title={t("wizard.title")} about={t("wizard.about")}>
    <Await of={known}>{(given) => {
      const all = questions(given);
      const { title, about, fields = [], facts, send } = all[at - 1] ?? all[0]!;
      return <>
        <ul class="steps" aria-hidden="true">{all.map((_, n) => <li key={n} class={n < at ? "past" : undefined} />)}</ul>
        <h2>{t("wizard.step", { step: at })} {t(title)}</h2>
        <p>{t(about)}</p>
        {facts && <Facts of={facts.map(([name, text]) => [name, <span class="mono">{printable(text, 200) || t("word.none")}</span>])} />}
        <Form key={at} submit={t(at < 6 ? "list.next" : "wizard.go")} fields={fields} run={async (typed) => { await send?.(typed); await move(at + 1); }}>
          {at > 1 && <Act run={() => move(at - 1)}>{t("list.back")}</Act>}
          <Act run={() => move(at + 1)}>{t("wizard.skip")}</Act>
        </Form>
        {at === 1 && <details><summary>{t("backup.restore.title")}</summary><Restore /></details>}
      </>;
    }}</Await>
  </Door>;
}
