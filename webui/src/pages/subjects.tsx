// The accounts that hosts tell of; and where pseudonyms stand for them, who asked for a name, and who consented.
import { post, remove } from "../api";
import { count, printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Once } from "../parts/dialog";
import { Ago, Head, Name, State } from "../parts/show";
import { List } from "../parts/table";
import { ADMINS, may, self } from "../session";
import { useSignal } from "../state";
import { t } from "../words";

export function Subjects() {
  const told = useSignal<{ subject: string; name: string } | null>(null);
  return <>
    <Head title={t("page.subjects")} about={t("subjects.about")} />
    <List path="subjects" title="page.subjects" id={({ id }) => id} empty="subjects.none" csv sort="-last_seen" filters={[["q", "search.title"]]} columns={[
      ["users.accounts", ({ id }) => <Name text={id} />],
      ["page.devices", ({ devices }) => <Name text={devices.join(", ")} />],
      ["sessions.from", ({ addresses }) => <span class="mono"><Name text={addresses.join(", ")} /></span>],
      ["sources.proof", ({ proof }) => <State state={proof} of="proof" />],
      ["host.last", ({ last_seen }) => <Ago at={last_seen} />],
      ["audit.records", ({ records, failed }) => <>{count(records)}{failed > 0 && <small>{t("subjects.failed", { count: count(failed) })}</small>}</>],
      ["", ({ id }) => may(ADMINS) && id.startsWith("person-") && <Ask small done of={id} about={t("disclosure.about")} fields={[{ name: "reason", label: "threat.why", required: true, max: 500 }]}
        send={({ reason = "" }) => post("disclosures", { subject: id, reason })}>{t("disclosure.ask")}</Ask>, "end"],
    ]} />
    <List path="disclosures" title="disclosure.title" id={({ id }) => id} empty="disclosure.none" sort="-created" columns={[
      ["users.accounts", ({ subject }) => <Name text={subject} />],
      ["audit.who", ({ asked_by, created }) => <><Name text={asked_by} /><small><Ago at={created} /></small></>],
      ["threat.why", ({ reason }) => <Name text={reason} most={500} />, "wide"],
      ["account.state", ({ state, consented_by, opens, until }) => <><State state={state} of="disclosed" />{consented_by && <small><Name text={consented_by} /></small>}{opens && <small><Ago at={state === "waiting" ? opens : until} /></small>}</>],
      ["", ({ id, subject, asked_by, state }) => may(ADMINS) && <div class="acts">
        {state === "waiting" && asked_by !== self.value?.email && <Act small kind="main" done of={subject} run={() => post("disclosures/{id}/consent", undefined, { id })}>{t("disclosure.consent")}</Act>}
        {state === "open" && asked_by === self.value?.email && <Act small kind="main" of={subject} run={async () => { told.value = await post("disclosures/{id}/name", undefined, { id }); }}>{t("disclosure.show")}</Act>}
        <Act small of={printable(subject)} done run={() => remove("disclosures/{id}", { id })}>{t("act.remove")}</Act>
      </div>, "end"],
    ]} />
    {told.value && <Once title={told.value.subject} code={printable(told.value.name)} close={() => { told.value = null; }}>{t("disclosure.is")}</Once>}
  </>;
}
