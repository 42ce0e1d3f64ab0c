// Who did what: every record is chained to the one before, so that none can be changed or taken away unseen.
import { useSignal } from "../state";
import { get, save } from "../api";
import { count, printable } from "../format";
import { Act } from "../parts/act";
import { said } from "../parts/notes";
import { Ago, Await, Facts, Head, Name, Section } from "../parts/show";
import { List } from "../parts/table";
import { useResource } from "../resource";
import { t } from "../words";

export function Audit() {
  const state = useResource("audit state", () => get("audit/state"));
  const wanted = useSignal("");
  const broken = useSignal<string | null>(null);
  const holds = (texts: Array<string | null | undefined>): boolean => texts.some((text) => text?.toLowerCase().includes(wanted.value));
  const verify = async (): Promise<void> => {
    const { records, whole, broken_at, why } = await get("audit/verify");
    broken.value = whole ? null : t("audit.broken", { number: broken_at ?? 0, why: printable(why ?? "") });
    if (whole) said(t("audit.verified", { count: count(records) }));
  };
  return <>
    <Head title={t("page.audit")} about={t("audit.about")}>
      <Act kind="main" run={verify}>{t("audit.verify")}</Act>
      <Act run={() => save("audit", { limit: 100 }, "text/csv", "audit.csv")}>{t("list.csv")}</Act>
    </Head>
    <Section title={t("audit.state")}>
      {broken.value && <p class="refused" role="alert">{broken.value}</p>}
      <Await of={state}>{({ records, head, key }) => <><p class="lead">{t("audit.whole", { count: count(records) })}</p>
        <Facts of={[["audit.head", <span class="mono">{head}</span>], ["audit.key", <span class="mono">{key}</span>]]} />
        <p class="dim">{t("audit.copy")} <code>picket audit export --out audit.jsonl</code>, <code>picket audit verify audit.jsonl</code></p></>}</Await>
    </Section>
    <List path="audit" title="audit.records" id={({ number }) => number} empty="audit.none"
      keep={(row) => !wanted.value || holds([row.who, row.what, row.on, row.why, row.result, row.from])}
      columns={[
        ["threat.when", ({ at }) => <Ago at={at} />],
        ["audit.who", ({ who, from }) => <><Name text={who} />{from && <small class="mono">{from}</small>}</>],
        ["audit.what", ({ what }) => <code>{what}</code>],
        ["audit.on", ({ on, why }) => <><Name text={on} />{why && <small><bdi>{printable(why, 200)}</bdi></small>}</>, "wide"],
        ["audit.result", ({ result }) => <bdi>{printable(result)}</bdi>],
      ]}>
      <div class="filters"><label><span>{t("audit.search")}</span><input type="search" onInput={(event) => { wanted.value = event.currentTarget.value.toLowerCase(); }} /></label></div>
    </List>
  </>;
}
