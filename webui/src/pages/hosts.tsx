// The hosts being watched.
import { octets, spaced } from "../format";
import { Ago, Head, HostLink, Level, Name, Section } from "../parts/show";
import { List } from "../parts/table";
import { t, word } from "../words";

export function Hosts() {
  const levels: Array<[string, string]> = ["HIGH", "MEDIUM", "SAFE"].map((level) => [level, word("level", level)]);
  const sides: Array<[string, string]> = ["lan", "uplink"].map((side) => [side, word("side", side)]);
  return <>
    <Head title={t("page.hosts")} about={t("hosts.about")} />
    <Section title={t("hosts.watched")}>
      <List path="hosts" label={t("hosts.watched")} id={({ host }) => host} empty={t("hosts.none")} csv="hosts" sort="-score"
        filters={[{ name: "level", label: t("threat.level"), options: levels }, { name: "side", label: t("host.side"), options: sides }, { name: "host", label: t("host.address") }]}
        columns={[
          { head: t("host.address"), cell: ({ host, mac }) => <HostLink host={host} mac={mac} /> },
          { head: t("host.mac"), cell: ({ mac }) => mac ? <span class="mono"><Name text={mac} /></span> : null },
          { head: t("threat.level"), cell: ({ level }) => <Level level={level} /> },
          { head: t("threat.family"), cell: ({ family }) => family ? spaced(family) : null },
          { head: t("host.side"), cell: ({ side }) => word("side", side) },
          { head: t("host.last"), cell: ({ last_seen }) => <Ago at={last_seen} /> },
          { head: t("host.octets"), end: true, cell: (host) => octets(host.octets) },
        ]} />
    </Section>
  </>;
}
