// All that was found and done, newest first.
import { printable } from "../format";
import { What } from "../parts/event";
import { Ago, Head, HostLink, Level, Section, State } from "../parts/show";
import { List } from "../parts/table";
import { t, word } from "../words";

export function Activity() {
  const states: Array<[string, string]> = ["observed", "would block", "blocked", "confirmed"].map((state) => [state, word("state", state)]);
  return <>
    <Head title={t("page.activity")} about={t("activity.about")} />
    <Section title={t("activity.events")}>
      <List path="activity" label={t("activity.events")} id={({ id }) => id} empty={t("activity.none")} csv="activity"
        filters={[{ name: "state", label: t("threat.state"), options: states }, { name: "host", label: t("host.address") }]}
        columns={[
          { head: t("threat.when"), cell: ({ at }) => <Ago at={at} /> },
          { head: t("threat.level"), cell: ({ level }) => <Level level={level} /> },
          { head: t("host.address"), cell: ({ host, mac }) => <HostLink host={host} mac={mac} /> },
          { head: t("threat.state"), cell: ({ state }) => <State state={state} /> },
          { head: t("threat.why"), wide: true, cell: (event) => <What event={event} /> },
          { head: t("threat.detector"), cell: ({ detector }) => <span class="dim">{printable(detector)}</span> },
        ]} />
    </Section>
  </>;
}
