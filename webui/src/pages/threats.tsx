// Alerts that want to be looked at, and the log of all that was found.
import { printable, spaced } from "../format";
import { AlertActs } from "../parts/alert";
import { Ago, Head, HostLink, Level, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { to } from "../route";
import { t } from "../words";

export function Threats() {
  return <>
    <Head title={t("page.threats")} about={t("threats.about")} />
      <List path="alerts" title="threats.alerts" id={({ id }) => id} empty="threats.alerts.none" csv
        filters={[["acknowledged", "alert.seen", [["false", t("word.no")], ["true", t("word.yes")]]]]}
        columns={[
          ["threat.level", ({ severity }) => <Level level={severity} />],
          ["threat.family", (alert) => <><a href={to("threat", alert.threat)}>{spaced(alert.family)}</a>{alert.repeats > 0 && <small>{t("alert.repeats", { count: alert.repeats })}</small>}</>],
          ["host.address", ({ host, mac }) => <HostLink host={host} mac={mac} />],
          ["threat.when", ({ last }) => <Ago at={last} />],
          ["alert.state", (alert) => alert.acknowledged_by ? <small>{t("alert.seen.by", { who: printable(alert.acknowledged_by) })}</small> : <State state={alert.over ? "over" : "unseen"} />],
          ["", (alert) => <AlertActs alert={alert} brief />, "end"],
        ]} />
      <List path="threats" title="threats.log" id={({ id }) => id} empty="threats.log.none" csv
        filters={[["level", "threat.level", choices("level", ["HIGH", "MEDIUM"])], ["host", "host.address"], ["family", "threat.family"]]}
        columns={[
          ["threat.when", ({ at }) => <Ago at={at} />],
          ["threat.level", ({ level }) => <Level level={level} />],
          ["threat.family", ({ id, family }) => <a href={to("threat", id)}>{spaced(family ?? "")}</a>],
          ["host.address", ({ host, mac }) => <HostLink host={host} mac={mac} />],
          ["threat.why", ({ why }) => <bdi>{printable(why, 300)}</bdi>, "wide"],
          ["threat.state", ({ state }) => <State state={state} />],
        ]} />
  </>;
}
