// What people do with an alert.
import { useSignal } from "@preact/signals";
import type { AlertRow } from "../../generated/schema";
import { post } from "../api";
import { spaced } from "../format";
import { ADMINS, may, self } from "../session";
import { t } from "../words";
import { Act } from "./act";
import { Dialog } from "./dialog";
import { Form } from "./form";
import { said } from "./notes";

const DAY = 86_400;

export function AlertActs({ alert, brief }: { alert: AlertRow; brief?: boolean }) {
  const noting = useSignal(false);
  if (!may(ADMINS)) return null;
  const id = alert.id;
  return <div class="acts">
    {!alert.acknowledged && <Act small kind={brief ? "plain" : "main"} label={t("alert.acknowledge.of", { host: alert.host, family: spaced(alert.family) })} run={async () => {
      await post("alerts/{id}/acknowledge", { note: "" }, { id });
      said(t("alert.acknowledged"));
    }}>{t("alert.acknowledge")}</Act>}
    {!brief && alert.assigned !== self.value?.email && <Act small run={async () => {
      await post("alerts/{id}/assign", { to: self.value?.email ?? "" }, { id });
      said(t("alert.assigned"));
    }}>{t("alert.assign")}</Act>}
    {!brief && <Act small label={t(alert.muted_until ? "alert.unmute.of" : "alert.mute.of", { host: alert.host })} run={async () => {
      await post("alerts/{id}/mute", { for_secs: alert.muted_until ? 0 : DAY, note: "" }, { id });
      said(t(alert.muted_until ? "alert.unmuted" : "alert.muted"));
    }}>{t(alert.muted_until ? "alert.unmute" : "alert.mute")}</Act>}
    {!brief && <button type="button" class="small" onClick={() => { noting.value = true; }}>{t("alert.note")}</button>}
    {!brief && !alert.over && <Act small kind="danger" ask={t("alert.false.ask", { host: alert.host, family: spaced(alert.family) })} label={t("alert.false.of", { host: alert.host })} run={async () => {
      await post("alerts/{id}/false-alarm", { note: "", for_secs: null }, { id });
      said(t("alert.false.done"));
    }}>{t("alert.false")}</Act>}
    {noting.value && <Dialog title={t("alert.note")} close={() => { noting.value = false; }}>
      <Form submit={t("act.save")} fields={[{ name: "note", label: t("alert.note.text"), type: "textarea", required: true, max: 500 }]} run={async ({ note = "" }) => {
        await post("alerts/{id}/note", { note }, { id });
        noting.value = false;
        said(t("alert.noted"));
      }} />
    </Dialog>}
  </div>;
}
