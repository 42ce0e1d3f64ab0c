// Who is blocked now, why, until when; and what was blocked before.
import { post, remove } from "../api";
import { absolute, now, printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Unblock } from "../parts/event";
import { WHY, spans } from "../parts/form";
import { Ago, Head, HostLink, Left, State } from "../parts/show";
import { List } from "../parts/table";
import { ADMINS, may } from "../session";
import { t } from "../words";

const HOUR = 3_600;

export function Blocked() {
  return <>
    <Head title={t("page.blocked")} about={t("blocked.about")}>
      {may(ADMINS) && <Ask kind="danger" about={t("block.new.about")} submit={t("block.do")} fields={[
        { name: "host", label: "host.address", required: true, mono: true },
        { ...WHY, required: true },
        { name: "for_secs", label: "block.for", value: HOUR, options: spans(600, HOUR, 86_400, 604_800) },
      ]} send={async ({ host = "", why = "", for_secs }) => {
        await post("blocks", { host: host.trim(), why, for_secs: Number(for_secs) });
        return () => remove("blocks/{host}", { host: host.trim() });
      }}>{t("block.new")}</Ask>}
    </Head>
    <List path="blocks" title="overview.blocked.now" id={({ host }) => host} empty="blocked.none" csv
      filters={[["automatic", "blocked.by", [["true", t("blocked.by.picket")], ["false", t("blocked.by.person")]]]]}
      columns={[
        ["host.address", ({ host, mac }) => <HostLink host={host} mac={mac} />],
        ["threat.state", ({ state }) => <State state={state} />],
        ["threat.why", ({ why }) => <bdi>{printable(why, 300)}</bdi>, "wide"],
        ["blocked.by", ({ automatic }) => t(automatic ? "blocked.by.picket" : "blocked.by.person")],
        ["blocked.since", ({ since }) => <Ago at={since} />],
        ["blocked.left", ({ until }) => <span title={absolute(until)}><Left until={until} /></span>],
        ["", (block) => may(ADMINS) && <div class="acts">
          <Act small of={block.host} done run={() => {
            const left = Math.max(0, Math.round((Date.parse(block.until) - now()) / 1_000));
            return post("blocks", { host: block.host, why: block.why, for_secs: left + HOUR });
          }}>{t("block.extend")}</Act>
          <Unblock block={block} /></div>, "end"],
      ]} />
    <List path="activity" params={{ state: "confirmed" }} title="blocked.before" id={({ id }) => id} empty="blocked.before.none"
      columns={[
        ["threat.when", ({ at }) => <Ago at={at} />],
        ["host.address", ({ host, mac }) => <HostLink host={host} mac={mac} />],
        ["threat.why", ({ why }) => <bdi>{printable(why, 300)}</bdi>, "wide"],
        ["threat.state", ({ state }) => <State state={state} />],
      ]} />
  </>;
}
