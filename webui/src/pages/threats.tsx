// Alerts that want to be looked at, and the log of all that was found.
import { printable, spaced } from "../format";
import { AlertActs } from "../parts/alert";
import { Ago, Head, HostLink, Level, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { to } from "../route";
import { t, word } from "../words";

export function Threats() {
  const levels: Array<[string, string]> = ["HIGH", "MEDIUM"].map((level) => [level, word("level", level)]);
  return <>
    <Head title={t("page.threats")} about={t("threats.about")} />
    <Section title={t("threats.alerts")}>
      <List path="alerts" label={t("threats.alerts")} id={({ id }) => id} empty={t("threats.alerts.none")} csv="alerts"
        filters={[{ name: "acknowledged", label: t("alert.seen"), options: [["false", t("alert.seen.no")], ["true", t("alert.seen.yes")]] }]}
        columns={[
          { head: t("threat.level"), cell: ({ severity }) => <Level level={severity} /> },
          { head: t("threat.family"), cell: (alert) => <><a href={to("threat", alert.threat)}>{spaced(alert.family)}</a>{alert.repeats > 0 && <small>{t("alert.repeats", { count: alert.repeats })}</small>}</> },
          { head: t("host.address"), cell: ({ host, mac }) => <HostLink host={host} mac={mac} /> },
          { head: t("threat.when"), cell: ({ last }) => <Ago at={last} /> },
          { head: t("alert.state"), cell: (alert) => alert.acknowledged_by ? <small>{t("alert.seen.by", { who: printable(alert.acknowledged_by) })}</small> : <State state={alert.over ? "over" : "unseen"} /> },
          { head: "", end: true, cell: (alert) => <AlertActs alert={alert} brief /> },
        ]} />
    </Section>
    <Section title={t("threats.log")}>
      <List path="threats" label={t("threats.log")} id={({ id }) => id} empty={t("threats.log.none")} csv="threats"
        filters={[{ name: "level", label: t("threat.level"), options: levels }, { name: "host", label: t("host.address") }, { name: "family", label: t("threat.family") }]}
        columns={[
          { head: t("threat.when"), cell: ({ at }) => <Ago at={at} /> },
          { head: t("threat.level"), cell: ({ level }) => <Level level={level} /> },
          { head: t("threat.family"), cell: ({ id, family }) => <a href={to("threat", id)}>{spaced(family ?? "")}</a> },
          { head: t("host.address"), cell: ({ host, mac }) => <HostLink host={host} mac={mac} /> },
          { head: t("threat.why"), wide: true, cell: ({ why }) => <bdi>{printable(why, 300)}</bdi> },
          { head: t("threat.state"), cell: ({ state }) => <State state={state} /> },
        ]} />
    </Section>
  </>;
}
