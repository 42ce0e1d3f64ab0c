// The posture in the header, its pause, and over every page the policy that is on trial, with one clear way to keep it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refusal, get, post } from "../api";
import { countdown, now, span } from "../format";
import { clock } from "../live";
import { useResource } from "../resource";
import { ADMINS, may, self } from "../session";
import { t } from "../words";
import { Act } from "./act";
import { Dialog } from "./dialog";
import { Form } from "./form";
import { said } from "./notes";
import { State } from "./show";

/** The trial under way, if there is one, and when it ends by the box's time. */
export function useTrial() {
  return useResource("trial", async () => {
    const { posture, left } = await get("posture");
    const trial = left === null || left === undefined ? null : await get("rules/trial").catch((error: unknown) => { if (error instanceof Refusal && error.status === 404) return null; throw error; });
    return { posture, ends: trial ? now() + trial.left * 1_000 : null, author: trial?.author ?? "", version: trial?.version ?? 0 };
  });
}

const PAUSES: Array<[string, number]> = [["300", 300], ["900", 900], ["3600", 3_600]];

export function Posture() {
  const trial = useTrial();
  const asking = useSignal(false);
  const held = trial.value;
  void clock.value;
  const ends = held?.ends ?? null;
  useEffect(() => { if (ends !== null && ends < now()) trial.reload(); });
  if (!held) return null;
  const paused = held.posture === "observe" && ends !== null;
  if (paused) {
    return <span class="acts"><span>{t("pause.left")} <strong>{countdown((ends - now()) / 1_000)}</strong></span>
      {may(ADMINS) && <Act small kind="main" run={async () => { await post("rules/revert", { version: null, why: t("pause.over") }); said(t("pause.ended")); }}>{t("pause.end")}</Act>}</span>;
  }
  return <><State state={held.posture} of="posture" />
    {may(ADMINS) && held.posture !== "observe" && <button type="button" onClick={() => { asking.value = true; }}>{t("pause.begin")}</button>}
    {asking.value && <Dialog title={t("pause.begin")} close={() => { asking.value = false; }}>
      <p>{t("pause.about")}</p>
      <Form kind="danger" submit={t("pause.do")} fields={[{ name: "for", label: t("block.for"), value: "900", options: PAUSES.map(([value, secs]): [string, string] => [value, span(secs)]) }, { name: "why", label: t("block.reason"), max: 200 }]}
        run={async ({ for: secs, why = "" }) => { await post("posture", { posture: "observe", for: Number(secs), why }); asking.value = false; said(t("pause.begun")); }} />
    </Dialog>}</>;
}

/** The big countdown. */
export function Trial() {
  const trial = useTrial();
  const held = trial.value;
  void clock.value;
  const ends = held?.ends ?? null;
  useEffect(() => { if (ends !== null && ends < now()) trial.reload(); });
  if (!held || ends === null || held.posture === "observe") return null;
  const mine = held.author === self.value?.email;
  return <div class="warning" role="region" aria-label={t("trial.title")}>
    <span><strong>{t("trial.title")}</strong><br />{t(mine ? "trial.mine" : "trial.theirs", { who: held.author, version: held.version })}</span>
    <span class="big" role="timer">{countdown((ends - now()) / 1_000)}</span>
    {may(ADMINS) && <span class="acts">{mine && <Act kind="main" run={async () => { await post("rules/confirm", undefined); said(t("trial.kept")); }}>{t("trial.keep")}</Act>}
      <Act run={async () => { await post("rules/revert", { version: null, why: "" }); said(t("trial.reverted")); }}>{t("trial.revert")}</Act></span>}
  </div>;
}
