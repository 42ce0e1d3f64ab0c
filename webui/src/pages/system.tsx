// The box itself.
import { get, post } from "../api";
import { absolute, count, number, octets, printable, span } from "../format";
import { Act } from "../parts/act";
import { Backup } from "../parts/backup";
import { said } from "../parts/notes";
import { Empty, Facts, Head, Refused, Section, State } from "../parts/show";
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
      {may(OWNERS) && <Act kind="danger" ask={t("system.restart.ask")} label={t("system.restart")} run={async () => { await post("system/restart", { why: "" }); said(t("system.restart.done")); }}>{t("system.restart")}</Act>}
    </Head>
    {system.refusal && <Refused refusal={system.refusal} again={system.reload} />}
    {is && <>
      <Section title={t("system.warnings")}>
        {is.warnings.length === 0 ? <Empty>{t("system.warnings.none")}</Empty> : <ul class="todo">{is.warnings.map((warning) => <li key={warning}><span><bdi>{printable(warning, 400)}</bdi></span></li>)}</ul>}
      </Section>
      <div class="two">
        <Section title={t("system.box")}><Facts of={[
          [t("system.version"), is.version],
          [t("system.posture"), <State key="p" state={is.posture} of="posture" />],
          [t("system.bridge"), printable(is.bridge, 300)],
          [t("system.uptime"), span(is.uptime)],
          [t("system.clock"), absolute(is.clock)],
        ]} /></Section>
        <Section title={t("system.keeps")}><Facts of={[
          [t("system.table"), t(is.table_intact ? "system.table.good" : "system.table.bad")],
          [t("system.store"), octets(is.store_octets)],
          [t("system.evicted"), count(is.evicted)],
        ]} /></Section>
        {has && <Section title={t("system.machine")}><Facts of={[
          [t("system.processors"), `${has.processors} × ${printable(has.machine)}`],
          [t("system.load"), has.load.map(number).join(" · ")],
          [t("system.memory"), t("system.free", { free: octets(has.memory_free), all: octets(has.memory) })],
          [t("system.memory.own"), octets(has.memory_gateway + has.memory_api)],
          [t("system.disk"), t("system.free", { free: octets(has.disk_free), all: octets(has.disk) })],
          [t("system.temperature"), has.temperature === null || has.temperature === undefined ? undefined : `${number(has.temperature)} °C`],
          [t("system.kernel"), printable(has.kernel)],
          [t("system.up"), span(has.up)],
        ]} /></Section>}
        {has && <Section title={t("system.links")}><Rows rows={has.links} id={({ name }) => name} label={t("system.links")} columns={[
          { head: t("settings.name"), cell: ({ name }) => <code>{printable(name)}</code> },
          { head: t("system.carrier"), cell: ({ carrier, speed }) => carrier ? (speed ? `${count(speed)} Mbit/s` : t("word.yes")) : t("word.no") },
          { head: t("host.mac"), cell: ({ mac }) => <span class="mono">{mac}</span> },
        ]} /></Section>}
      </div>
      <Section title={t("system.ports")}>
        <List path="system/ports" label={t("system.ports")} id={({ id }) => id} empty={t("system.ports.none")} columns={[
          { head: t("frame.protocol"), cell: ({ protocol }) => protocol }, { head: t("device.addresses"), cell: ({ address }) => <span class="mono">{address}</span> }, { head: t("system.port"), cell: ({ port }) => port },
        ]} />
      </Section>
      {may(OWNERS) && <Backup />}
      <Section title={t("system.certificate")}><p class="lead">{t("system.certificate.about")}</p>{is.fingerprint && <p class="code">{is.fingerprint}</p>}</Section>
    </>}
  </>;
}
