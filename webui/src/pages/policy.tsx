// What may talk with what: the rules, the text behind them, drafts with what they would change, versions, and "would this pass?".
import { signal, useSignal } from "../state";
import { type Gives, get, post, remove, there } from "../api";
import { printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Dialog } from "../parts/dialog";
import { Form, WHY, spans } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Await, Empty, Facts, Head, Name, Section, State, Texts } from "../parts/show";
import { List, choices } from "../parts/table";
import { Tried } from "../parts/tried";
import { written } from "../parts/week";
import { useResource } from "../resource";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

type Diff = Gives<"POST", "rules/diff">;

/** What would go and what would come. */
function Changes({ diff }: { diff: Diff }) {
  if (diff.removed.length + diff.added.length === 0) return <Empty>{t("policy.same")}</Empty>;
  return <pre aria-label={t("policy.diff")}>{diff.removed.map((part, n) => <span key={`-${n}`} class="take">{part.trim().replace(/^/gm, "− ")}{"\n\n"}</span>)}{diff.added.map((part, n) => <span key={`+${n}`} class="add">{part.trim().replace(/^/gm, "+ ")}{"\n\n"}</span>)}</pre>;
}

/** Tells the draft's editor what came from elsewhere on the page. */
const dropped = signal(0);

function Draft({ text, version }: { text: string; version: number }) {
  const draft = useSignal<string | null>(null);
  const diff = useSignal<Diff | null>(null);
  const past = useSignal<Gives<"POST", "rules/timemachine"> | null>(null);
  const faults = useSignal<Array<{ line: number; what: string }>>([]);
  const kept = useResource(`draft ${dropped.value}`, () => there(get("rules/draft")));
  const now = draft.value ?? kept.value?.text ?? null;
  const fresh = (): void => { diff.value = null; past.value = null; };
  const look = async (): Promise<void> => {
    fresh();
    await post("rules/draft", { text: now ?? "" });
    const checked = await post("rules/check", { text: now ?? "" });
    faults.value = checked.faults;
    if (checked.good) diff.value = await post("rules/diff", { text: now ?? "" });
  };
  const end = (): void => { draft.value = null; fresh(); faults.value = []; kept.reload(); };
  if (now === null) return <><p class="lead">{t("policy.draft.about")}</p><div class="acts"><button type="button" class="main" onClick={() => { draft.value = text; }}>{t("policy.draft.begin")}</button></div></>;
  return <>
    {kept.value?.outdated && <p class="warning">{t("policy.draft.old")}</p>}
    <label><span class="dim">{t("policy.draft.text")}</span>
      <textarea class="mono" rows={16} spellcheck={false} value={now} aria-invalid={faults.value.length > 0 ? true : undefined} onInput={(event) => { draft.value = event.currentTarget.value; fresh(); }} /></label>
    {faults.value.length > 0 && <ul class="refused" role="alert">{faults.value.map(({ line, what }) => <li key={`${line}${what}`}>{t("policy.line", { line })}: {printable(what, 300)}</li>)}</ul>}
    <div class="acts"><Ask fields={[
      { name: "name", label: "rule.name", required: true, max: 64 }, { name: "who", label: "rule.who", required: true, value: "lan" }, { name: "to", label: "rule.to", required: true, value: "internet" },
      { name: "service", label: "rule.service", required: true, value: "https" }, { name: "effect", label: "rule.effect", options: choices("effect", ["allow", "deny"]) }, { name: "days", label: "rule.when", type: "week" },
    ]} send={async ({ effect, name, who, to, service }, form) => {
      const [days = [], [from = "", until = ""] = []] = ["days", "times"].map((field) => new FormData(form).getAll(field) as string[]);
      const rule = { name, who, to, service, when: written(days, from, until) };
      draft.value = `${now.trimEnd()}\n\n[[${effect}]]\n${Object.entries(rule).map(([key, value]) => value && `${key} = ${JSON.stringify(value)}\n`).join("")}`;
      fresh();
    }}>{t("rule.add")}</Ask>
      <Act kind={diff.value ? "plain" : "main"} run={look}>{t("policy.look")}</Act>
      <Act run={async () => { past.value = await post("rules/timemachine", { text: now, days: null }); }}>{t("policy.past")}</Act>
      <Act done run={async () => { if (kept.value) await remove("rules/draft"); end(); }}>{t("policy.draft.drop")}</Act></div>
    {past.value && <><h3>{t("policy.past")}</h3><Tried tried={past.value} /></>}
    {diff.value && <><h3>{t("policy.diff")}</h3><Changes diff={diff.value} />
      <Form row submit={t("policy.apply")} fields={[
        WHY,
        { name: "within", label: "policy.within", value: 120, options: [...spans(60, 120, 600), ["", t("policy.within.good")]] },
        { name: "force", label: "policy.force", type: "checkbox" },
      ]} run={async ({ why = "", within, force }) => {
        await post("rules/apply", { text: now, why, within_secs: within ? Number(within) : null, force: force === "yes", if_version: version });
        await remove("rules/draft").catch(() => undefined);
        end();
        said(t(within ? "policy.trial" : "policy.applied"));
      }} /></>}
  </>;
}

/** A manufacturer's description (RFC 8520) as rules. */
function Mud({ text }: { text: string }) {
  const read = useSignal<Gives<"POST", "rules/mud"> | null>(null);
  const is = read.value;
  return <Section title={t("mud.title")}>
    <Form row submit={t("mud.read")} fields={[{ name: "file", label: "mud.file", type: "file", required: true }, { name: "device", label: "device.name", max: 64 }]} run={async ({ device }, form) => {
      const file = await (new FormData(form).get("file") as File).text();
      read.value = await post("rules/mud", { device: device || null, file: JSON.parse(file) as unknown });
    }} />
    {is && <>
      <Facts of={[["mud.is", printable(is.system ?? is.model ?? is.url, 200)], ["mud.maker", is.manufacturer && printable(is.manufacturer)], ["host.last", <Ago at={is.last_update} />], ["mud.supported", t(is.supported ? "word.yes" : "word.no")]]} />
      <Texts of={is.rules} />
      {is.untold.length > 0 && <><h3>{t("mud.untold")}</h3><Texts of={is.untold} /></>}
      <pre>{is.policy}</pre>
      {may(ADMINS) && <div class="acts"><Act run={async () => { await post("rules/draft", { text: `${text}\n${is.policy}` }); dropped.value += 1; }}>{t("learning.edit")}</Act></div>}
    </>}
  </Section>;
}

function Passes() {
  const ruling = useSignal<Gives<"POST", "rules/explain"> | null>(null);
  return <Section title={t("policy.passes")}>
    <Form row submit={t("policy.ask")} fields={[
      { name: "from", label: "policy.from", required: true, max: 253 }, { name: "to", label: "policy.to", required: true, max: 253 }, { name: "service", label: "rule.service", required: true, value: "tcp/443", max: 64, mono: true },
    ]} run={async ({ from = "", to = "", service = "" }) => { ruling.value = await post("rules/explain", { from, to, service, at: null }); }} />
    {ruling.value && <Facts of={[["policy.decision", <State state={ruling.value.decision} of="decision" />], ["rule.name", <Name text={ruling.value.rule} />], ["threat.why", printable(ruling.value.why, 300)]]} />}
  </Section>;
}

export function Policy() {
  const held = useResource("policy", () => get("rules/policy"));
  const shown = useSignal<Gives<"GET", "rules/history/{id}"> | null>(null);
  return <>
    <Head title={t("page.policy")} about={t("policy.about")} />
    <Await of={held}>{(held) => <Section title={t("policy.held")}>
      <Facts of={[["system.posture", <State state={held.posture} of="posture" />], ["policy.new", word("posture", held.new)], ["policy.version", held.version], ["policy.counts", t("policy.counts.value", { rules: held.rules, devices: held.devices })]]} />
      <details><summary>{t("policy.text")}</summary><pre>{held.text || t("policy.text.none")}</pre></details>
      <details><summary>{t("policy.built_in")}</summary><pre>{held.built_in}</pre></details>
    </Section>}</Await>
    {held.value && may(ADMINS) && <Section title={t("policy.draft")}><Draft text={held.value.text} version={held.value.version} /></Section>}
    <Passes />
    {held.value && <Mud text={held.value.text} />}
      <List path="rules" title="policy.rules" id={({ id }) => id} empty="policy.rules.none" csv filters={[["q", "search.title"]]} columns={[
        ["rule.name", ({ id, built_in }) => <><Name text={id} />{built_in && <small>{t("rule.built_in")}</small>}</>],
        ["rule.effect", ({ effect, shadow }) => <><State state={effect} of="effect" />{shadow && <small>{t("rule.shadow")}</small>}</>],
        ["rule.who", ({ who }) => <Name text={who.join(", ")} />],
        ["rule.to", ({ to }) => <Name text={to.join(", ")} />],
        ["rule.service", ({ service }) => <Name text={service.join(", ")} />],
        ["rule.when", ({ when, until }) => <>{when.join(", ")}{until && <small><Ago at={until} /></small>}</>],
        ["rule.comment", ({ comment }) => <Name text={comment} />, "wide"],
      ]} />
      <List path="rules/history" title="policy.history" id={({ id }) => id} empty="policy.history.none" columns={[
        ["policy.version", ({ id, in_force }) => <>{id} {in_force && <State state="in force" of="version" />}</>],
        ["threat.when", ({ at }) => <Ago at={at} />],
        ["audit.who", ({ author }) => <Name text={author} />],
        ["audit.what", ({ act }) => printable(act)],
        ["threat.why", ({ why }) => <Name text={why} />, "wide"],
        ["", ({ id, in_force }) => <div class="acts"><Act small of={String(id)} run={async () => { shown.value = await get("rules/history/{id}", { id }); }}>{t("policy.show")}</Act>
          {may(ADMINS) && !in_force && <Act small of={String(id)} ask={t("policy.revert.ask", { version: id })} done run={() => post("rules/revert", { version: id, why: "" })}>{t("policy.revert")}</Act>}</div>, "end"],
      ]} />
    {shown.value && <Dialog title={t("policy.text")} close={() => { shown.value = null; }}><pre>{shown.value.text || t("policy.text.none")}</pre></Dialog>}
  </>;
}
