// After the claim: what the box does from now on, said before the overview opens.
import { get } from "../api";
import { Door } from "../parts/door";
import { Facts, Refused, State } from "../parts/show";
import { useResource } from "../resource";
import { stage } from "../session";
import { t } from "../words";

export function Wizard() {
  const system = useResource("wizard", () => get("system"));
  return <Door title={t("wizard.title")} about={t("wizard.about")}>
    {system.refusal && <Refused refusal={system.refusal} again={system.reload} />}
    {system.value && <Facts of={[
      [t("system.posture"), <State key="p" state={system.value.posture} of="posture" />],
      [t("system.bridge"), system.value.bridge],
      [t("system.version"), system.value.version],
    ]} />}
    <ol class="lead"><li>{t("wizard.one")}</li><li>{t("wizard.two")}</li><li>{t("wizard.three")}</li></ol>
    <div class="acts"><button type="button" class="main" onClick={() => { stage.value = "in"; location.hash = "#/overview"; }}>{t("wizard.go")}</button></div>
  </Door>;
}
