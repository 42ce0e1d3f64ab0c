// The whole box in one sealed file, and back from it.
import { post } from "../api";
import { count } from "../format";
import { t } from "../words";
import { Form } from "./form";
import { said } from "./notes";
import { Section } from "./show";

/** Base 64 of a file. */
async function packed(file: File): Promise<string> {
  const octets = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < octets.length; at += 8_192) text += String.fromCharCode(...octets.subarray(at, at + 8_192));
  return btoa(text);
}

export function Backup() {
  const field = { name: "passphrase", label: t("backup.passphrase"), type: "password" as const, required: true, min: 12, max: 256, autocomplete: "new-password" };
  return <Section title={t("backup.title")}>
    <div class="two">
      <Form submit={t("backup.make")} fields={[{ ...field, hint: t("backup.about") }]} run={async ({ passphrase = "" }) => {
        const made = await post("backup", { passphrase });
        const link = document.createElement("a");
        link.href = `data:application/octet-stream;base64,${made.backup}`;
        link.download = `picket-${made.at.slice(0, 10)}.backup`;
        link.click();
        said(t("backup.made", { count: count(made.records) }));
      }} />
      <Form kind="danger" submit={t("backup.restore")} fields={[{ name: "file", label: t("backup.file"), type: "file", required: true }, { ...field, autocomplete: "off", hint: t("backup.restore.about") }]} run={async ({ passphrase = "" }, form) => {
        const file = new FormData(form).get("file") as File;
        const done = await post("backup/restore", { passphrase, backup: await packed(file) });
        said(t("backup.restored", { accounts: done.accounts, devices: done.devices }));
      }} />
    </div>
  </Section>;
}
