// What may talk with what: the rules, the text behind them, drafts with what they would change, versions, and "would this pass?".
import { useSignal } from "@preact/signals";
import { type Gives, Refusal, get, post, remove } from "../api";
import { printable } from "../format";
import { Act } from "../parts/act";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Empty, Facts, Head, Name, Refused, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { useResource } from "../resource";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

type Diff = Gives<"POST", "rules/diff">;

/** What would go and what would come. */
function Changes({ diff }: { diff: Diff }) {
  if (diff.removed.length + diff.added.length === 0) return <Empty>{t("policy.same")}</Empty>;
  return <pre aria-label={t("policy.diff")}>{diff.removed.map((part, n) => <span key={`-${n}`} class="take">{part.trim().replace(/^/gm, "− ")}{"\n\n"}</span>)}{diff.added.map((part, n) => <span key={`+${n}`} class="add">{part.trim().replace(/^/gm, "+ ")}{"\n\n"}</span>)}</pre>;
}

function Draft({ text, version }: { text: string; version: number }) {
  const draft = useSignal<string | null>(null);
  const diff = useSignal<Diff | null>(null);
  const faults = useSignal<Array<{ line: number; what: string }>>([]);
  const kept = useResource("draft", () => get("rules/draft").catch((error: unknown) => { if (error instanceof Refusal && error.status === 404) return null; throw error; }));
  const now = draft.value ?? kept.value?.text ?? null;
  const look = async (): Promise<void> => {
    diff.value = null;
    await post("rules/draft", { text: now ?? "" });
    const checked = await post("rules/check", { text: now ?? "" });
    faults.value = checked.faults;
    if (checked.good) diff.value = await post("rules/diff", { text: now ?? "" });
  };
  if (now === null) return <><p class="lead">{t("policy.draft.about")}</p><div class="acts"><button type="button" class="main" onClick={() => { draft.value = text; }}>{t("policy.draft.begin")}</button></div></>;
  return <>
    {kept.value?.outdated && <p class="warning">{t("policy.draft.old")}</p>}
    <label><span class="dim">{t("policy.draft.text")}</span>
      <textarea class="mono" rows={16} spellcheck={false} value={now} aria-invalid={faults.value.length > 0 ? true : undefined} onInput={(event) => { draft.value = event.currentTarget.value; diff.value = null; }} /></label>
    {faults.value.length > 0 && <ul class="refused" role="alert">{faults.value.map(({ line, what }) => <li key={`${line}${what}`}>{t("policy.line", { line })}: {printable(what, 300)}</li>)}</ul>}
    <div class="acts"><Act kind={diff.value ? "plain" : "main"} run={look}>{t("policy.look")}</Act>
      <Act run={async () => { draft.value = null; diff.value = null; faults.value = []; if (kept.value) await remove("rules/draft"); kept.reload(); said(t("policy.draft.dropped")); }}>{t("policy.draft.drop")}</Act></div>
    {diff.value && <><h3>{t("policy.diff")}</h3><Changes diff={diff.value} />
      <Form row submit={t("policy.apply")} fields={[
        { name: "why", label: t("block.reason"), max: 200 },
        { name: "within", label: t("policy.within"), value: "120", options: [["60", t("span.60s")], ["120", t("span.120s")], ["600", t("span.10m")], ["", t("policy.within.good")]] },
        { name: "force", label: t("policy.force"), type: "checkbox" },
      ]} run={async ({ why = "", within, force }) => {
        await post("rules/apply", { text: now, why, within_secs: within ? Number(within) : null, force: force === "yes", if_version: version });
        await remove("rules/draft").catch(() => undefined);
        draft.value = null;
        diff.value = null;
        kept.reload();
        said(t(within ? "policy.trial" : "policy.applied"));
      }} /></>}
  </>;
}

function Passes() {
  const ruling = useSignal<Gives<"POST", "rules/explain"> | null>(null);
  return <>
    <Form row submit={t("policy.ask")} fields={[
      { name: "from", label: t("policy.from"), required: true, max: 253 }, { name: "to", label: t("policy.to"), required: true, max: 253 }, { name: "service", label: t("rule.service"), required: true, value: "tcp/443", max: 64, mono: true },
    ]} run={async ({ from = "", to = "", service = "" }) => { ruling.value = await post("rules/explain", { from, to, service, at: null }); }} />
    {ruling.value && <Facts of={[[t("policy.decision"), <State key="d" state={ruling.value.decision} of="decision" />], [t("rule.name"), <Name key="r" text={ruling.value.rule} />], [t("threat.why"), printable(ruling.value.why, 300)]]} />}
  </>;
}

export function Policy() {
  const held = useResource("policy", () => get("rules/policy"));
  const shown = useSignal<number | null>(null);
  const old = useResource(`version ${shown.value}`, async () => (shown.value === null ? null : get("rules/history/{id}", { id: shown.value })));
  return <>
    <Head title={t("page.policy")} about={t("policy.about")} />
    {held.refusal && <Refused refusal={held.refusal} again={held.reload} />}
    {held.value && <Section title={t("policy.held")}>
      <Facts of={[[t("system.posture"), <State key="p" state={held.value.posture} of="posture" />], [t("policy.new"), word("posture", held.value.new)], [t("policy.version"), held.value.version], [t("policy.counts"), t("policy.counts.value", { rules: held.value.rules, devices: held.value.devices })]]} />
      <details><summary>{t("policy.text")}</summary><pre>{held.value.text || t("policy.text.none")}</pre></details>
      <details><summary>{t("policy.built_in")}</summary><pre>{held.value.built_in}</pre></details>
    </Section>}
    {held.value && may(ADMINS) && <Section title={t("policy.draft")}><Draft text={held.value.text} version={held.value.version} /></Section>}
    <Section title={t("policy.passes")}><Passes /></Section>
    <Section title={t("policy.rules")}>
      <List path="rules" label={t("policy.rules")} id={({ id }) => id} empty={t("policy.rules.none")} csv="rules" filters={[{ name: "q", label: t("search.title") }]} columns={[
        { head: t("rule.name"), cell: ({ id, built_in }) => <><Name text={id} />{built_in && <small>{t("rule.built_in")}</small>}</> },
        { head: t("rule.effect"), cell: ({ effect, shadow }) => <><State state={effect} of="effect" />{shadow && <small>{t("rule.shadow")}</small>}</> },
        { head: t("rule.who"), cell: ({ who }) => <Name text={who.join(", ")} /> },
        { head: t("rule.to"), cell: ({ to }) => <Name text={to.join(", ")} /> },
        { head: t("rule.service"), cell: ({ service }) => <Name text={service.join(", ")} /> },
        { head: t("rule.when"), cell: ({ when, until }) => <>{when.join(", ")}{until && <small><Ago at={until} /></small>}</> },
        { head: t("rule.comment"), wide: true, cell: ({ comment }) => <Name text={comment} /> },
      ]} />
    </Section>
    <Section title={t("policy.history")}>
      <List path="rules/history" label={t("policy.history")} id={({ id }) => id} empty={t("policy.history.none")} columns={[
        { head: t("policy.version"), cell: ({ id, in_force }) => <>{id} {in_force && <State state="in force" of="version" />}</> },
        { head: t("threat.when"), cell: ({ at }) => <Ago at={at} /> },
        { head: t("audit.who"), cell: ({ author }) => <Name text={author} /> },
        { head: t("audit.what"), cell: ({ act }) => printable(act) },
        { head: t("threat.why"), wide: true, cell: ({ why }) => <Name text={why} /> },
        { head: "", end: true, cell: ({ id, in_force }) => <div class="acts"><button type="button" class="small" aria-label={t("policy.show.of", { version: id })} onClick={() => { shown.value = shown.value === id ? null : id; }}>{t("policy.show")}</button>
          {may(ADMINS) && !in_force && <Act small label={t("policy.revert.of", { version: id })} ask={t("policy.revert.ask", { version: id })} run={async () => { await post("rules/revert", { version: id, why: "" }); said(t("policy.reverted", { version: id })); }}>{t("policy.revert")}</Act>}</div> },
      ]} />
      {old.value && <><h3>{t("policy.show.of", { version: shown.value ?? 0 })}</h3><pre>{old.value.text || t("policy.text.none")}</pre></>}
    </Section>
  </>;
}
