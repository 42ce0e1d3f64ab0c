// One host: where it stands, on what that rests, what was learnt of it.
import { get, post, remove } from "../api";
import { absolute, count, octets, percent, printable, spaced } from "../format";
import { Act } from "../parts/act";
import { Bars } from "../parts/chart";
import { Feed } from "../parts/event";
import { Ago, Await, Empty, Facts, Head, Level, Name, Section, State } from "../parts/show";
import { useResource } from "../resource";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

export function Host({ id = "" }: { id?: string | undefined }) {
  const detail = useResource(id, () => get("hosts/{host}", { host: id }));
  if (!detail.value) return <><Head title={<Name text={id} />} /><Await of={detail}>{() => null}</Await></>;
  const { host, events, minutes, blocked, blocked_until, learnt_since, habits_hold, busiest_hour, administers_by } = detail.value;
  const levels = Object.entries(minutes).map(([label, value]) => ({ label: word("level", label), value: value as number }));
  return <>
    <Head title={<Name text={host.host} />} about={<><Level level={host.level} />{host.family && <> · {spaced(host.family)}</>}</>}>
      {may(ADMINS) && (blocked
        ? <Act kind="main" of={host.host} run={async () => { await remove("blocks/{host}", { host: host.host }); return () => post("blocks", { host: host.host, why: blocked, for_secs: 3_600 }); }}>{t("block.end")}</Act>
        : <Act kind="danger" ask={t("block.ask", { host: host.host })} of={host.host} run={async () => { await post("blocks", { host: host.host, why: t("block.by.hand"), for_secs: 3_600 }); return () => remove("blocks/{host}", { host: host.host }); }}>{t("block.hour")}</Act>)}
    </Head>
    {blocked && <div class="warning"><span><State state="blocked" /> <bdi>{printable(blocked, 300)}</bdi></span>{blocked_until && <span>{t("blocked.until")} {absolute(blocked_until)}</span>}</div>}
    <div class="two">
      <Section title={t("host.is")}><Facts of={[
        ["host.mac", host.mac && <span class="mono"><Name text={host.mac} /></span>],
        ["host.side", word("side", host.side)],
        ["host.first", <Ago at={host.first_seen} />],
        ["host.last", <Ago at={host.last_seen} />],
        ["host.frames", count(host.frames)],
        ["host.octets", octets(host.octets)],
        ["threat.confidence", percent(host.confidence)],
      ]} /></Section>
      <Section title={t("host.habits")}>
        {learnt_since ? <Facts of={[
          ["host.learnt", <Ago at={learnt_since} />],
          ["host.holds", t(habits_hold ? "word.yes" : "host.holds.no")],
          ["host.busiest", octets(busiest_hour)],
          ["host.administers", administers_by.length ? administers_by.map((way) => printable(way)).join(", ") : t("word.none")],
        ]} /> : <Empty>{t("host.habits.none")}</Empty>}
      </Section>
      <Section title={t("host.minutes")}>
        {levels.length === 0 ? <Empty>{t("host.minutes.none")}</Empty> : <Bars points={levels} shown={(value) => t("host.minutes.value", { count: count(value) })} head={["threat.level", "host.minutes"]}
          said={levels.map(({ label, value }) => `${label}: ${count(value)}`).join(", ")} />}
      </Section>
      <Section title={t("host.events")}>{events.length === 0 ? <Empty>{t("host.events.none")}</Empty> : <Feed events={[...events].reverse().slice(0, 20)} />}</Section>
    </div>
  </>;
}
