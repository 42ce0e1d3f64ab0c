// Requests for access: who wants a device to reach something, for how long and why; an admin grants or refuses.
import type { RowOf } from "../api";
import { get, post, remove } from "../api";
import { count, printable } from "../format";
import { Act, Ask } from "../parts/act";
import { Ago, Head, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { useResource } from "../resource";
import { ADMINS, may, self } from "../session";
import { t } from "../words";

const HOURS_MAX = 720;

export function Requests() {
  const devices = useResource("own", async () => (await get("devices", { limit: 100 })).items);
  const asks = self.value?.role !== "auditor";
  const acts = ({ id, to, state, hours, asked_by }: RowOf<"requests">) => state === "waiting" && <div class="acts">
    {may(ADMINS) && <><Ask small kind="main" of={to} about={t("requests.grant.about")} fields={[{ name: "hours", label: "requests.hours", type: "number", value: hours, min: 1, max: HOURS_MAX, required: true }, { name: "note", label: "requests.note", max: 500 }]}
      done send={({ hours, note = "" }) => post("requests/{id}/grant", { hours: Number(hours), note }, { id })}>{t("requests.grant")}</Ask>
      <Ask small kind="danger" of={to} fields={[{ name: "note", label: "requests.note", required: true, max: 500 }]}
        done send={({ note = "" }) => post("requests/{id}/refuse", { note }, { id })}>{t("requests.refuse")}</Ask></>}
    {asked_by === self.value?.email && <Act small of={to} done run={() => remove("requests/{id}", { id })}>{t("requests.withdraw")}</Act>}
  </div>;
  return <>
    <Head title={t("page.requests")} about={t("requests.about")}>
      {asks && devices.value && devices.value.length > 0 && <Ask kind="main" submit={t("requests.send")} fields={[
        { name: "device", label: "page.device", options: devices.value.map(({ id, name }) => [String(id), printable(name || `#${id}`, 60)]) },
        { name: "to", label: "policy.to", required: true, max: 253 },
        { name: "service", label: "rule.service", required: true, value: "https", max: 253, mono: true },
        { name: "hours", label: "requests.hours", type: "number", value: 8, min: 1, max: HOURS_MAX, required: true },
        { name: "reason", label: "threat.why", required: true, max: 500 },
      ]} done={t("requests.sent")} send={async ({ device, to = "", service = "", hours, reason = "" }) => {
        const { id } = await post("requests", { device: Number(device), to, service, hours: Number(hours), reason });
        return () => remove("requests/{id}", { id });
      }}>{t("requests.new")}</Ask>}
    </Head>
    <List path="requests" title="page.requests" id={({ id }) => id} empty="requests.none" csv sort="-created"
      filters={[["state", "account.state", choices("request", ["waiting", "granted", "refused", "withdrawn"])]]} columns={[
        ["threat.when", ({ created }) => <Ago at={created} />],
        ["account.state", ({ state, until }) => <><State state={state} of="request" />{until && <small><Ago at={until} /></small>}</>],
        ["audit.who", ({ asked_by, device_name }) => <><Name text={asked_by} /><small><Name text={device_name} /></small></>],
        ["rule.to", ({ to, service }) => <><Name text={to} /><small class="mono"><Name text={service} /></small></>],
        ["requests.hours", ({ hours }) => count(hours)],
        ["threat.why", ({ reason, decided_by, note }) => <><Name text={reason} most={500} />{decided_by && <small><Name text={decided_by} />: <Name text={note} most={500} /></small>}</>, "wide"],
        ["", acts, "end"],
      ]} />
  </>;
}
