// Who is blocked now, why, until when; and what was blocked before.
import { useSignal } from "@preact/signals";
import { post, remove } from "../api";
import { absolute, printable } from "../format";
import { Act } from "../parts/act";
import { Dialog } from "../parts/dialog";
import { Unblock } from "../parts/event";
import { Form } from "../parts/form";
import { said } from "../parts/notes";
import { Ago, Head, HostLink, Left, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { ADMINS, may } from "../session";
import { t } from "../words";

const HOUR = 3_600;

export function Blocked() {
  const adding = useSignal(false);
  return <>
    <Head title={t("page.blocked")} about={t("blocked.about")}>{may(ADMINS) && <button type="button" class="main" onClick={() => { adding.value = true; }}>{t("block.new")}</button>}</Head>
    <Section title={t("overview.blocked.now")}>
      <List path="blocks" label={t("overview.blocked.now")} id={({ host }) => host} empty={t("blocked.none")} csv="blocks"
        filters={[{ name: "automatic", label: t("blocked.by"), options: [["true", t("blocked.by.picket")], ["false", t("blocked.by.person")]] }]}
        columns={[
          { head: t("host.address"), cell: ({ host, mac }) => <HostLink host={host} mac={mac} /> },
          { head: t("threat.state"), cell: ({ state }) => <State state={state} /> },
          { head: t("threat.why"), wide: true, cell: ({ why }) => <bdi>{printable(why, 300)}</bdi> },
          { head: t("blocked.by"), cell: ({ automatic }) => t(automatic ? "blocked.by.picket" : "blocked.by.person") },
          { head: t("blocked.since"), cell: ({ since }) => <Ago at={since} /> },
          { head: t("blocked.left"), cell: ({ until }) => <span title={absolute(until)}><Left until={until} /></span> },
          { head: "", end: true, cell: (block) => may(ADMINS) && <div class="acts">
            <Act small label={t("block.extend.of", { host: block.host })} run={async () => {
              const left = Math.max(0, Math.round((Date.parse(block.until) - Date.now()) / 1_000));
              await post("blocks", { host: block.host, why: block.why, for_secs: left + HOUR });
              said(t("block.extended", { host: printable(block.host) }));
            }}>{t("block.extend")}</Act>
            <Unblock block={block} /></div> },
        ]} />
    </Section>
    <Section title={t("blocked.before")}>
      <List path="activity" params={{ state: "confirmed" }} label={t("blocked.before")} id={({ id }) => id} empty={t("blocked.before.none")}
        columns={[
          { head: t("threat.when"), cell: ({ at }) => <Ago at={at} /> },
          { head: t("host.address"), cell: ({ host, mac }) => <HostLink host={host} mac={mac} /> },
          { head: t("threat.why"), wide: true, cell: ({ why }) => <bdi>{printable(why, 300)}</bdi> },
          { head: t("threat.state"), cell: ({ state }) => <State state={state} /> },
        ]} />
    </Section>
    {adding.value && <Dialog title={t("block.new")} close={() => { adding.value = false; }}>
      <p>{t("block.new.about")}</p>
      <Form kind="danger" submit={t("block.do")} fields={[
        { name: "host", label: t("host.address"), required: true, mono: true },
        { name: "why", label: t("block.reason"), required: true, max: 200 },
        { name: "for_secs", label: t("block.for"), value: "3600", options: [["600", t("span.10m")], ["3600", t("span.1h")], ["86400", t("span.1d")], ["604800", t("span.7d")]] },
      ]} run={async ({ host = "", why = "", for_secs }) => {
        await post("blocks", { host: host.trim(), why, for_secs: Number(for_secs) });
        adding.value = false;
        said(t("block.done", { host }), () => remove("blocks/{host}", { host: host.trim() }));
      }} />
    </Dialog>}
  </>;
}
