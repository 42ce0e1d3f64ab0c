// The box itself.
import { get, post } from "../api";
import { absolute, count, number, octets, printable, span } from "../format";
import { Act } from "../parts/act";
import { Backup } from "../parts/backup";
import { Certificate } from "../parts/certificate";
import { Empty, Facts, Head, Refused, Section, State, Texts } from "../parts/show";
import { List, Rows } from "../parts/table";
import { useResource } from "../resource";
import { OWNERS, may } from "../session";
import { t } from "../words";

export function System() {
  const system = useResource("system", () => get("system"));
  const machine = useResource("machine", () => get("system/resources"));
  const is = system.value;
  const has = machine.value;
  return <>
    <Head title={t("page.system")} about={t("system.about")}>
      {may(OWNERS) && <Act kind="danger" ask={t("system.restart.ask")} done run={() => post("system/restart", { why: "" })}>{t("system.restart")}</Act>}
    </Head>
    {system.refusal && <Refused refusal={system.refusal} again={system.reload} />}
    {is && <>
      <Section title={t("system.warnings")}>
        {is.warnings.length === 0 ? <Empty>{t("system.warnings.none")}</Empty> : <Texts of={is.warnings} />}
      </Section>
      <div class="two">
        <Section title={t("system.box")}><Facts of={[
          ["system.version", is.version],
          ["system.posture", <State state={is.posture} of="posture" />],
          ["system.bridge", printable(is.bridge, 300)],
          ["system.uptime", span(is.uptime)],
          ["system.clock", absolute(is.clock)],
        ]} /></Section>
        <Section title={t("system.keeps")}><Facts of={[
          ["system.table", t(is.table_intact ? "system.table.good" : "system.table.bad")],
          ["system.store", octets(is.store_octets)],
          ["system.evicted", count(is.evicted)],
        ]} /></Section>
        {has && <Section title={t("system.machine")}><Facts of={[
          ["system.processors", `${has.processors} × ${printable(has.machine)}`],
          ["system.load", has.load.map(number).join(" · ")],
          ["system.memory", t("system.free", { free: octets(has.memory_free), all: octets(has.memory) })],
          ["system.memory.own", octets(has.memory_gateway + has.memory_api)],
          ["system.disk", t("system.free", { free: octets(has.disk_free), all: octets(has.disk) })],
          ["system.temperature", has.temperature === null || has.temperature === undefined ? undefined : `${number(has.temperature)} °C`],
          ["system.kernel", printable(has.kernel)],
          ["system.up", span(has.up)],
        ]} /></Section>}
        {has && <Section title={t("system.links")}><Rows rows={has.links} label={t("system.links")} columns={[
          ["settings.name", ({ name }) => <code>{printable(name)}</code>],
          ["system.carrier", ({ carrier, speed }) => carrier ? (speed ? `${count(speed)} Mbit/s` : t("word.yes")) : t("word.no")],
          ["host.mac", ({ mac }) => <span class="mono">{mac}</span>],
        ]} /></Section>}
      </div>
      <List path="system/ports" title="system.ports" id={({ id }) => id} empty="system.ports.none" columns={[
        ["frame.protocol", ({ protocol }) => protocol], ["device.addresses", ({ address }) => <span class="mono">{address}</span>], ["system.port", ({ port }) => port],
      ]} />
      {may(OWNERS) && <Backup />}
      <Certificate />
    </>}
  </>;
}
