// How the box proves that it is this box: its own certificate, and one that people install for names of their own.
import { get, post, remove } from "../api";
import { printable } from "../format";
import { useResource } from "../resource";
import { OWNERS, may } from "../session";
import { t } from "../words";
import { Act, Ask } from "./act";
import type { Field } from "./form";
import { Ago, Await, Facts, Section } from "./show";

const pem = (name: "certificate" | "key"): Field => ({ name, label: `certificate.${name}`, type: "textarea", rows: 5, mono: true, required: true, max: 24_576, hint: t(`certificate.${name}.hint`) });
const print = (fingerprint: string) => <span class="mono">{fingerprint}</span>;

export function Certificate() {
  const served = useResource("certificate", () => get("system/certificate"));
  return <Section title={t("system.certificate")} side={may(OWNERS) && <Ask small done about={t("certificate.about")} fields={[pem("certificate"), pem("key")]}
    send={({ certificate = "", key = "" }) => post("system/certificate", { certificate, key })}>{t("certificate.install")}</Ask>}>
    <p class="lead">{t("system.certificate.about")}</p>
    <Await of={served}>{({ fingerprint, names, until, installed }) => <>
      <p class="code">{fingerprint}</p>
      <Facts of={[["certificate.names", names.join(", ")], ["tokens.until", <Ago at={until} />]]} />
      {installed && <><h3>{t("certificate.installed")}</h3>
        <Facts of={[
          ["certificate.print", print(installed.fingerprint)],
          ["certificate.names", printable(installed.names.join(", "), 400)],
          ["certificate.issuer", printable(installed.issuer, 300)],
          ["tokens.until", <Ago at={installed.until} />],
          ["audit.who", <>{printable(installed.by)} · <Ago at={installed.installed} /></>],
        ]} />
        {may(OWNERS) && <div class="acts"><Act small kind="danger" done ask={t("certificate.remove.ask")} run={() => remove("system/certificate")}>{t("certificate.remove")}</Act></div>}</>}
    </>}</Await>
  </Section>;
}
