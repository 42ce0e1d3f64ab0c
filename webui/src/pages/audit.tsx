// Who did what: every record is chained to the one before, so that none can be changed or taken away unseen.
import { useSignal } from "@preact/signals";
import { get, save } from "../api";
import { count, printable } from "../format";
import { Act } from "../parts/act";
import { Ago, Facts, Head, Name, Refused, Section } from "../parts/show";
import { List } from "../parts/table";
import { useResource } from "../resource";
import { t } from "../words";

export function Audit() {
  const state = useResource("audit state", () => get("audit/state"));
  const wanted = useSignal("");
  const holds = (texts: Array<string | null | undefined>): boolean => texts.some((text) => text?.toLowerCase().includes(wanted.value));
  return <>
    <Head title={t("page.audit")} about={t("audit.about")}><Act run={() => save("audit", { limit: 100 }, "text/csv", "audit.csv")}>{t("audit.save")}</Act></Head>
    <Section title={t("audit.state")}>
      {state.refusal && <Refused refusal={state.refusal} again={state.reload} />}
      {state.value && <><p class="lead">{t("audit.whole", { count: count(state.value.records) })}</p>
        <Facts of={[[t("audit.head"), <span key="h" class="mono">{state.value.head}</span>], [t("audit.key"), <span key="k" class="mono">{state.value.key}</span>]]} />
        <p class="dim">{t("audit.copy")} <code>picket audit export --out audit.jsonl</code>, <code>picket audit verify audit.jsonl</code></p></>}
    </Section>
    <Section title={t("audit.records")}>
      <div class="filters"><label><span>{t("audit.search")}</span><input type="search" onInput={(event) => { wanted.value = event.currentTarget.value.toLowerCase(); }} /></label></div>
      <List path="audit" label={t("audit.records")} id={({ number }) => number} empty={t("audit.none")}
        keep={(row) => !wanted.value || holds([row.who, row.what, row.on, row.why, row.result, row.from])}
        columns={[
          { head: t("threat.when"), cell: ({ at }) => <Ago at={at} /> },
          { head: t("audit.who"), cell: ({ who, from }) => <><Name text={who} />{from && <small class="mono">{from}</small>}</> },
          { head: t("audit.what"), cell: ({ what }) => <code>{what}</code> },
          { head: t("audit.on"), wide: true, cell: ({ on, why }) => <><Name text={on} />{why && <small><bdi>{printable(why, 200)}</bdi></small>}</> },
          { head: t("audit.result"), cell: ({ result }) => <bdi>{printable(result)}</bdi> },
        ]} />
    </Section>
  </>;
}
