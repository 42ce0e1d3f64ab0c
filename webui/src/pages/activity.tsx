// All that was found and done, newest first; and what devices talked about.
import { octets, printable } from "../format";
import { What } from "../parts/event";
import { Ago, Head, HostLink, Level, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { t, word } from "../words";

export function Activity() {
  return <>
    <Head title={t("page.activity")} about={t("activity.about")} />
    <List path="activity" title="activity.events" id={({ id }) => id} empty="activity.none" csv
      filters={[["state", "threat.state", choices("state", ["observed", "would block", "blocked", "confirmed"])], ["host", "host.address"]]}
      columns={[
        ["threat.when", ({ at }) => <Ago at={at} />],
        ["threat.level", ({ level }) => <Level level={level} />],
        ["host.address", ({ host, mac }) => <HostLink host={host} mac={mac} />],
        ["threat.state", ({ state }) => <State state={state} />],
        ["threat.why", (event) => <What event={event} />, "wide"],
        ["threat.detector", ({ detector }) => <span class="dim">{printable(detector)}</span>],
      ]} />
    <Flows />
  </>;
}

/** Conversations, of one device where it is named. */
export function Flows({ mac }: { mac?: string | undefined }) {
  return <List path="flows" params={{ mac }} title="flows.title" id={({ id }) => id} empty="flows.none" csv
    filters={[["peer", "rule.to"], ["service", "rule.service"], ["begun_by", "rule.who", choices("side", ["lan", "uplink"])]]}
    columns={[
      ["threat.when", ({ last }) => <Ago at={last} />],
      ["host.address", ({ device }) => <HostLink host={device} />],
      ["rule.to", ({ peer, names }) => <>{names[0] ? <Name text={names[0]} /> : null}<small class="mono"><Name text={peer} /></small></>],
      ["rule.service", ({ service }) => <code>{printable(service)}</code>],
      ["rule.who", ({ begun_by }) => word("side", begun_by)],
      ["host.octets", ({ octets_in, octets_out }) => octets(octets_in + octets_out), "end"],
    ]} />;
}
