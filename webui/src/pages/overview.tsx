// One look: is the network all right, what did the box do, what must I do.
import { get } from "../api";
import { absolute, count, octets, printable, span, spaced } from "../format";
import { events } from "../live";
import { Bars } from "../parts/chart";
import { Course } from "../parts/course";
import { Feed, Unblock } from "../parts/event";
import { AlertActs } from "../parts/alert";
import { Ago, Await, Empty, Facts, Head, HostLink, Left, Level, Section, State } from "../parts/show";
import { useResource } from "../resource";
import { to } from "../route";
import { t } from "../words";

export function Overview() {
  const totals = useResource("totals", () => get("statistics"));
  const system = useResource("system", () => get("system"));
  const alerts = useResource("alerts", () => get("alerts", { acknowledged: false, limit: 20 }));
  const fresh = useResource("fresh", async () => { const { items, next } = await get("devices", { state: "new", limit: 100 }); return next ? "100+" : items.length; });
  const asked = useResource("asked", async () => (await get("requests", { state: "waiting", limit: 100 })).items.length);
  const machine = useResource("machine", () => get("system/resources"));
  const stories = useResource("stories", async () => (await get("incidents", { state: "open", sort: "-last", limit: 5 })).items);
  const blocks = useResource("blocks", () => get("blocks", { limit: 8 }));
  const now = totals.value;
  if (!now || !system.value) {
    return <><Head title={t("page.overview")} /><Await of={totals}>{() => null}</Await></>;
  }
  const of = (level: string): number => now.hosts[level] ?? 0;
  const hosts = of("SAFE") + of("MEDIUM") + of("HIGH");
  const waiting = alerts.value?.items.filter(({ over }) => !over) ?? [];
  const high = of("HIGH") > 0;
  const sentence = high ? t(of("HIGH") === 1 ? "overview.high.one" : "overview.high", { hosts: count(of("HIGH")), blocked: count(now.blocks) })
    : of("MEDIUM") > 0 ? t("overview.medium", { hosts: count(of("MEDIUM")) })
    : now.blocks > 0 ? t("overview.blocked", { blocked: count(now.blocks) }) : hosts === 0 ? t("overview.nobody") : t("overview.quiet", { hosts: count(hosts) });
  const families = Object.entries(now.families).map(([label, value]) => ({ label: spaced(label), value: value as number, id: label })).sort((a, b) => b.value - a.value).slice(0, 8);
  return <>
    <div class={`banner${high ? " high" : of("MEDIUM") > 0 ? " medium" : ""}`}>
      <h1 tabIndex={-1}>{sentence}</h1>
      <p>{t(system.value.posture === "protect" ? "overview.protects" : "overview.observes")} <State state={system.value.posture} of="posture" /></p>
    </div>
    <Section title={t("overview.needs")}>
      {waiting.length === 0 && system.value.warnings.length === 0 && !fresh.value && !asked.value && !stories.value?.length ? <Empty>{t("overview.nothing")}</Empty>
        : <ul class="todo">
          {stories.value?.map(({ id, level, summary, last }) => <li key={id}><span><Level level={level} /> <a href={to("incident", id)}>{printable(summary, 300)}</a> · <Ago at={last} /></span></li>)}
          {system.value.warnings.map((warning) => <li key={warning}><a href={to("system")}>{printable(warning, 300)}</a></li>)}
          {fresh.value ? <li><a href={to("devices", undefined, { state: "new" })}>{t("overview.new", { count: fresh.value })}</a></li> : null}
          {asked.value ? <li><a href={to("requests", undefined, { state: "waiting" })}>{t("overview.requests", { count: count(asked.value) })}</a></li> : null}
          {waiting.slice(0, 5).map((alert) => <li key={alert.id}><span><a href={to("threat", alert.threat)}>{spaced(alert.family)}</a> · <HostLink host={alert.host} mac={alert.mac} /> · <Ago at={alert.last} /></span><AlertActs alert={alert} brief /></li>)}
          {waiting.length > 5 && <li><a href={to("threats")}>{t("overview.more", { count: count(waiting.length - 5) })}</a></li>}
        </ul>}
    </Section>
    <div class="tiles">
      {["HIGH", "MEDIUM", "SAFE"].map((level) => <a key={level} class="tile" href={to("hosts", undefined, { level })}><Level level={level} /><strong>{count(of(level))}</strong><small>{t("overview.hosts")}</small></a>)}
      <a class="tile" href={to("blocked")}><span>{t("page.blocked")}</span><strong>{count(now.blocks)}</strong><small>{t("overview.now")}</small></a>
      <a class="tile" href={to("threats")}><span>{t("overview.findings")}</span><strong>{count(now.findings)}</strong><small>{t("overview.since", { span: span(system.value.uptime) })}</small></a>
    </div>
    <div class="two">
      <Section title={t("overview.live")} side={<a href={to("activity")}>{t("page.activity")}</a>}>
        {events.value.length === 0 ? <Empty>{t("overview.live.none")}</Empty> : <Feed events={events.value.slice(0, 9)} />}
      </Section>
      <Section title={t("overview.blocked.now")} side={<a href={to("blocked")}>{t("page.blocked")}</a>}>
        {blocks.value?.items.length === 0 && <Empty>{t("blocked.none")}</Empty>}
        <ul class="todo">{blocks.value?.items.map((block) => <li key={block.host}><span><HostLink host={block.host} mac={block.mac} /> · {t("blocked.left")} <Left until={block.until} /><br /><small>{printable(block.why, 160)}</small></span><Unblock block={block} /></li>)}</ul>
      </Section>
      <Course title="traffic.title" none="traffic.none" topic="protocols" shown={octets} head="host.octets" />
      <Course title="overview.trend" none="overview.families.none" topic="levels" shown={count} head="overview.findings" />
      <Section title={t("overview.families")}>
        {families.length === 0 ? <Empty>{t("overview.families.none")}</Empty>
          : <Bars points={families} said={t("overview.families.said", { first: families[0]!.label, count: count(families[0]!.value) })} shown={count} head={["threat.family", "overview.findings"]}
              link={(point) => to("threats", undefined, { family: (point as { id?: string }).id ?? "" })} />}
      </Section>
      <Section title={t("overview.busiest")}>
        {now.busiest.length === 0 ? <Empty>{t("overview.nobody")}</Empty>
          : <Bars points={now.busiest.slice(0, 6).map(({ host, octets: value }) => ({ label: printable(host), value }))} shown={octets} head={["host.address", "host.octets"]}
              said={t("overview.busiest.said", { host: printable(now.busiest[0]!.host), octets: octets(now.busiest[0]!.octets) })} link={(point) => to("host", point.label)} />}
      </Section>
    </div>
      <Section title={t("overview.health")} side={<a href={to("system")}>{t("page.system")}</a>}>
        <Facts of={[
          ["system.uptime", span(system.value.uptime)],
          ["system.inspected", t("system.inspected.value", { frames: count(now.frames), octets: octets(now.octets) })],
          ["system.missed", count(now.not_inspected)],
          ["system.table", t(system.value.table_intact ? "system.table.good" : "system.table.bad")],
          ["system.store", octets(system.value.store_octets)],
          ["system.memory", machine.value && t("system.free", { free: octets(machine.value.memory_free), all: octets(machine.value.memory) })],
          ["system.disk", machine.value && t("system.free", { free: octets(machine.value.disk_free), all: octets(machine.value.disk) })],
          ["system.clock", absolute(system.value.clock)],
        ]} />
      </Section>
  </>;
}
