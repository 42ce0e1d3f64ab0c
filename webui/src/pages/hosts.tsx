// The hosts being watched.
import { octets, spaced } from "../format";
import { Ago, Head, HostLink, Level, Name } from "../parts/show";
import { List, choices } from "../parts/table";
import { t, word } from "../words";

export function Hosts() {
  return <>
    <Head title={t("page.hosts")} about={t("hosts.about")} />
      <List path="hosts" title="hosts.watched" id={({ host }) => host} empty="hosts.none" csv sort="-score"
        filters={[["level", "threat.level", choices("level", ["HIGH", "MEDIUM", "SAFE"])], ["side", "host.side", choices("side", ["lan", "uplink"])], ["host", "host.address"]]}
        columns={[
          ["host.address", ({ host, mac }) => <HostLink host={host} mac={mac} />],
          ["host.mac", ({ mac }) => mac ? <span class="mono"><Name text={mac} /></span> : null],
          ["threat.level", ({ level }) => <Level level={level} />],
          ["threat.family", ({ family }) => family ? spaced(family) : null],
          ["host.side", ({ side }) => word("side", side)],
          ["host.last", ({ last_seen }) => <Ago at={last_seen} />],
          ["host.octets", (host) => octets(host.octets), "end"],
        ]} />
  </>;
}
