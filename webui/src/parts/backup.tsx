// The whole box in one sealed file, and back from it.
import { post } from "../api";
import { count, printable } from "../format";
import { t } from "../words";
import { type Field, Form } from "./form";
import { said } from "./notes";
import { Section } from "./show";

/** How long the API takes to start again with what was restored. Units: milliseconds. */
const RESTARTS = 4_000;
const field = (hint: string, autocomplete: string): Field => ({ name: "passphrase", label: "backup.passphrase", type: "password", required: true, min: 12, max: 256, autocomplete, hint });

/** Base 64 of a file. */
async function packed(file: File): Promise<string> {
  const octets = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < octets.length; at += 8_192) text += String.fromCharCode(...octets.subarray(at, at + 8_192));
  return btoa(text);
}

export function Restore() {
  return <Form kind="danger" submit={t("backup.restore")} fields={[{ name: "file", label: "backup.file", type: "file", required: true }, field(t("backup.restore.about"), "off")]} run={async ({ passphrase = "" }, form) => {
    const file = new FormData(form).get("file") as File;
    const done = await post("backup/restore", { passphrase, backup: await packed(file) });
    const left = done.left.length ? ` ${t("backup.left", { what: printable(done.left.join("; "), 500) })}` : "";
    said(t("backup.restored", { accounts: done.accounts, devices: done.devices }) + left);
    // Whoever is told that something is missing gets the time to read it.
    setTimeout(() => location.reload(), left ? 5 * RESTARTS : RESTARTS);
  }} />;
}

export function Backup() {
  return <Section title={t("backup.title")}>
    <div class="two">
      <Form submit={t("backup.make")} fields={[field(t("backup.about"), "new-password")]} run={async ({ passphrase = "" }) => {
        const made = await post("backup", { passphrase });
        const link = document.createElement("a");
        link.href = `data:application/octet-stream;base64,${made.backup}`;
        link.download = `picket-${made.at.slice(0, 10)}.backup`;
        link.click();
        said(t("backup.made", { count: count(made.records) }));
      }} />
      <Restore />
    </div>
  </Section>;
}
