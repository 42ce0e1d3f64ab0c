// One incident: what happened in which order, what was done, what to do next.
import { get, post } from "../api";
import { count, printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Ago, Await, Empty, Facts, Head, HostLink, Level, Name, Remarks, Section, State, Texts } from "../parts/show";
import { useResource } from "../resource";
import { to } from "../route";
import { ADMINS, may, self } from "../session";
import { t } from "../words";

export function Incident({ id = "" }: { id?: string | undefined }) {
  const story = useResource(id, () => get("incidents/{id}", { id }));
  if (!story.value) return <><Head title={t("page.incident")} /><Await of={story}>{() => null}</Await></>;
  const { summary, level, state, began, last, hosts, subjects, sources, timeline, left_out, done, next, comments, assigned, closed_for } = story.value;
  const open = state === "open";
  const me = self.value?.email ?? "";
  const reopen = (reason: string) => post("incidents/{id}/reopen", { reason }, { id });
  return <>
    <Head title={printable(summary, 300)} about={<><Level level={level} /> <State state={state} of="incident" /> <Ago at={last} /></>}>
      {may(ADMINS) && <>
        {open && <Ask kind="main" fields={[{ name: "reason", label: "incidents.reason", type: "textarea", required: true, max: 1_000 }]} send={async ({ reason = "" }) => {
          await post("incidents/{id}/close", { reason }, { id });
          return () => reopen(t("act.undo"));
        }}>{t("incidents.close")}</Ask>}
        {!open && <Ask fields={[{ name: "reason", label: "threat.why", required: true, max: 1_000 }]} send={({ reason = "" }) => reopen(reason)}>{t("incidents.reopen")}</Ask>}
        {open && assigned !== me && <Act done run={() => post("incidents/{id}/assign", { to: me }, { id })}>{t("alert.assign")}</Act>}
        <Ask submit={t("act.save")} fields={[{ name: "text", label: "alert.note.text", type: "textarea", required: true, max: 1_000 }]} done send={({ text = "" }) => post("incidents/{id}/comment", { text }, { id })}>{t("alert.note")}</Ask>
      </>}
    </Head>
    <div class="two">
      <Section title={t("incidents.next")}><Texts of={next} /></Section>
      <Section title={t("threat.did")}>{done.length === 0 ? <Empty>{t("incidents.done.none")}</Empty> : <Texts of={done} />}
        <Facts of={[
          ["page.hosts", hosts.length > 0 && <ul>{hosts.map((host) => <li key={host}><HostLink host={host} /></li>)}</ul>],
          ["users.accounts", subjects.map((name) => printable(name)).join(", ")],
          ["page.sources", sources.map((name) => printable(name)).join(", ")],
          ["host.first", <Ago at={began} />],
          ["incidents.assigned", assigned && <Name text={assigned} />],
          ["incidents.reason", closed_for && <Name text={closed_for} most={1_000} />],
        ]} />
      </Section>
    </div>
    <Section title={t("incidents.timeline")}>
      <ul class="feed">{timeline.map((one, place) => <li key={place}>
        <Ago at={one.at} /><span><Level level={one.level} /></span>
        <span><HostLink host={one.host} /> <Name text={one.subject} /> <bdi>{printable(one.text, 300)}</bdi>{one.repeats > 0 && <small> {t("alert.repeats", { count: count(one.repeats) })}, <Ago at={one.last} /></small>}
          {open && timeline.length > 1 && one.event > 0 && may(ADMINS) && <> <Act small of={one.text} ask={t("incidents.split.ask")} run={async () => { location.hash = to("incident", (await post("incidents/{id}/split", { events: [one.event] }, { id })).id); }}>{t("incidents.split")}</Act></>}</span></li>)}</ul>
      {left_out > 0 && <Empty>{t("overview.more", { count: count(left_out) })}</Empty>}
    </Section>
    <Section title={t("threat.notes")}><Remarks of={comments} /></Section>
  </>;
}
