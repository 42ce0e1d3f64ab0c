// Incidents: what belongs together, told as one story each.
import { count, printable } from "../format";
import { Ago, Head, HostLink, Level, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { to } from "../route";
import { t } from "../words";

export function Incidents() {
  return <>
    <Head title={t("page.incidents")} about={t("incidents.about")} />
    <List path="incidents" title="page.incidents" id={({ id }) => id} empty="incidents.none" csv sort="-last"
      filters={[["state", "account.state", choices("incident", ["open", "closed"])], ["level", "threat.level", choices("level", ["HIGH", "MEDIUM"])]]}
      columns={[
        ["threat.when", ({ last }) => <Ago at={last} />],
        ["threat.level", ({ level }) => <Level level={level} />],
        ["incidents.what", ({ id, summary }) => <a href={to("incident", id)}>{printable(summary, 300)}</a>, "wide"],
        ["audit.who", ({ hosts, subjects }) => <>{subjects.slice(0, 3).map((name) => <div key={name}><Name text={name} /></div>)}{hosts.slice(0, 3).map((host) => <div key={host}><HostLink host={host} /></div>)}</>],
        ["incidents.events", ({ events }) => count(events)],
        ["account.state", ({ state, assigned, blocked }) => <><State state={state} of="incident" />{blocked && <State state="blocked" />}{assigned && <small><Name text={assigned} /></small>}</>],
      ]} />
  </>;
}
