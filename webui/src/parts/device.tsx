// What is decided about a device, each with its inverse for 10 s.
import type { Device } from "../../generated/schema";
import { post } from "../api";
import { printable } from "../format";
import { to } from "../route";
import { ADMINS, may } from "../session";
import { t } from "../words";
import { Act } from "./act";
import { said } from "./notes";
import { Name } from "./show";

export type Decision = "approve" | "quarantine" | "block";
const STATES: Record<Decision, string> = { approve: "approved", quarantine: "quarantined", block: "blocked" };
const INVERSE: Record<string, Decision | "undecide"> = { approved: "approve", quarantined: "quarantine", blocked: "block", new: "undecide" };

export function DeviceLink({ device }: { device: Device }) {
  return <a href={to("device", device.id)}><Name text={device.name || device.macs[0] || `#${device.id}`} /></a>;
}

/** Decides about devices one after the other; the undo takes all of it back. */
export async function decide(devices: Device[], decision: Decision): Promise<void> {
  const before = devices.map(({ id, state }) => ({ id, back: INVERSE[state] ?? "undecide" }));
  for (const { id } of devices) await post(`devices/{id}/${decision}`, { name: null, why: "" }, { id });
  const names = devices.map(({ name }) => printable(name, 40)).join(", ");
  said(t(`device.${decision}.done`, { names }), async () => {
    for (const { id, back } of before) await post(`devices/{id}/${back}`, { name: null, why: t("act.undone") }, { id });
  });
}

export function DeviceActs({ device }: { device: Device }) {
  if (!may(ADMINS)) return null;
  const open = (Object.keys(STATES) as Decision[]).filter((decision) => STATES[decision] !== device.state);
  return <div class="acts">{open.map((decision) => <Act key={decision} small kind={decision === "approve" && device.state === "new" ? "main" : decision === "block" ? "danger" : "plain"}
    of={device.name} run={() => decide([device], decision)}>{t(`device.${decision}`)}</Act>)}</div>;
}
