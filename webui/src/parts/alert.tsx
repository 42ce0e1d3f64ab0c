// What people do with an alert.
import type { AlertRow } from "../../generated/schema";
import { post } from "../api";
import { spaced } from "../format";
import { ADMINS, may, self } from "../session";
import { t } from "../words";
import { Act, Ask } from "./act";

const DAY = 86_400;

export function AlertActs({ alert, brief }: { alert: AlertRow; brief?: boolean }) {
  if (!may(ADMINS)) return null;
  const id = alert.id;
  return <div class="acts">
    {!alert.acknowledged && <Act small kind={brief ? "plain" : "main"} of={`${alert.host} ${spaced(alert.family)}`} done run={() => post("alerts/{id}/acknowledge", { note: "" }, { id })}>{t("alert.acknowledge")}</Act>}
    {!brief && alert.assigned !== self.value?.email && <Act small done run={() => post("alerts/{id}/assign", { to: self.value?.email ?? "" }, { id })}>{t("alert.assign")}</Act>}
    {!brief && <Act small of={alert.host} done={alert.muted_until ? true : t("alert.muted")} run={() => post("alerts/{id}/mute", { for_secs: alert.muted_until ? 0 : DAY, note: "" }, { id })}>{t(alert.muted_until ? "alert.unmute" : "alert.mute")}</Act>}
    {!brief && <Ask small of={alert.host} submit={t("act.save")} fields={[{ name: "note", label: "alert.note.text", type: "textarea", required: true, max: 500 }]} done send={({ note = "" }) => post("alerts/{id}/note", { note }, { id })}>{t("alert.note")}</Ask>}
    {!brief && !alert.over && <Act small kind="danger" ask={t("alert.false.ask", { host: alert.host, family: spaced(alert.family) })} of={alert.host} done run={() => post("alerts/{id}/false-alarm", { note: "", for_secs: null }, { id })}>{t("alert.false")}</Act>}
  </div>;
}
