// The box itself.
import { get } from "../api";
import { absolute, count, octets, printable, span } from "../format";
import { Empty, Facts, Head, Refused, Section, State } from "../parts/show";
import { useResource } from "../resource";
import { t } from "../words";

export function System() {
  const system = useResource("system", () => get("system"));
  const is = system.value;
  return <>
    <Head title={t("page.system")} about={t("system.about")} />
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
      </div>
      <Section title={t("system.certificate")}><p class="lead">{t("system.certificate.about")}</p>{is.fingerprint && <p class="code">{is.fingerprint}</p>}</Section>
    </>}
  </>;
}
