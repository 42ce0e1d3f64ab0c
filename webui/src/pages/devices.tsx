// Every device of the network: what it is, whose, and what was decided about it.
import { useSignal } from "../state";
import type { Device } from "../../generated/schema";
import { Act } from "../parts/act";
import { DeviceActs, DeviceLink, decide } from "../parts/device";
import { Ago, Head, Name, State } from "../parts/show";
import { List, choices } from "../parts/table";
import { ADMINS, may } from "../session";
import { t, word } from "../words";

const STATES = ["new", "approved", "quarantined", "blocked"];

export function Devices() {
  const chosen = useSignal<Map<number, Device>>(new Map());
  const choose = (device: Device, on: boolean): void => {
    const next = new Map(chosen.value);
    if (on) next.set(device.id, device); else next.delete(device.id);
    chosen.value = next;
  };
  const all = (decision: "approve" | "quarantine" | "block") => async (): Promise<void> => { await decide([...chosen.value.values()], decision); chosen.value = new Map(); };
  return <>
    <Head title={t(may(ADMINS) ? "page.devices" : "devices.mine")} about={t("devices.about")} />
    <List path="devices" title="devices.known" id={({ id }) => id} empty="devices.none" csv sort="-last_seen"
        filters={[["q", "search.title"], ["state", "device.state", choices("device.state", STATES)], ["side", "host.side", choices("side", ["lan", "uplink"])]]}
        columns={[
          ["device.name", (device) => <>{may(ADMINS) && <input type="checkbox" checked={chosen.value.has(device.id)} aria-label={t("devices.choose", { name: device.name })} onChange={(event) => choose(device, event.currentTarget.checked)} />} <DeviceLink device={device} /></>],
          ["device.state", ({ state }) => <State state={state} of="device.state" />],
          ["device.kind", ({ kind, vendor }) => <>{kind && word("kind", kind)}{vendor && <small><Name text={vendor} /></small>}</>],
          ["host.address", ({ addresses, macs }) => <span class="mono"><Name text={addresses[0] ?? ""} />{macs[0] && <small><Name text={macs[0]} /></small>}</span>],
          ["device.owner", ({ owner }) => <Name text={owner} />],
          ["host.last", ({ last_seen }) => <Ago at={last_seen} />],
          ["", (device) => <DeviceActs device={device} />, "end"],
        ]}>
      {chosen.value.size > 0 && <div class="warning"><span>{t("devices.chosen", { count: chosen.value.size })}</span><div class="acts">
        <Act small kind="main" run={all("approve")}>{t("device.approve")}</Act><Act small run={all("quarantine")}>{t("device.quarantine")}</Act><Act small kind="danger" run={all("block")}>{t("device.block")}</Act></div></div>}
    </List>
  </>;
}
