// The posture in the header, its pause, and over every page the policy that is on trial, with one clear way to keep it.
import { useEffect } from "preact/hooks";
import { get, post, there } from "../api";
import { countdown, now } from "../format";
import { clock } from "../live";
import { useValue } from "../state";
import { useResource } from "../resource";
import { ADMINS, may, self } from "../session";
import { t } from "../words";
import { Act, Ask } from "./act";
import { WHY, spans } from "./form";
import { State } from "./show";

/** The trial under way, if there is one, and when it ends by the box's time. */
export function useTrial() {
  return useResource("trial", async () => {
    const { posture, left } = await get("posture");
    const trial = left === null || left === undefined ? null : await there(get("rules/trial"));
    return { posture, ends: trial ? now() + trial.left * 1_000 : null, author: trial?.author ?? "", version: trial?.version ?? 0 };
  });
}

export function Posture() {
  const trial = useTrial();
  const held = trial.value;
  useValue(clock);
  const ends = held?.ends ?? null;
  useEffect(() => { if (ends !== null && ends < now()) trial.reload(); });
  if (!held) return null;
  const paused = held.posture === "observe" && ends !== null;
  if (paused) {
    return <span class="acts"><span>{t("pause.left")} <strong>{countdown((ends - now()) / 1_000)}</strong></span>
      {may(ADMINS) && <Act small kind="main" done run={() => post("rules/revert", { version: null, why: t("pause.over") })}>{t("pause.end")}</Act>}</span>;
  }
  return <><State state={held.posture} of="posture" />
    {may(ADMINS) && held.posture !== "observe" && <Ask about={t("pause.about")} submit={t("pause.do")} fields={[{ name: "for", label: "block.for", value: "900", options: spans(300, 900, 3_600) }, WHY]}
      done send={({ for: secs, why = "" }) => post("posture", { posture: "observe", for: Number(secs), why })}>{t("pause.begin")}</Ask>}</>;
}

/** The big countdown. */
export function Trial() {
  const trial = useTrial();
  const held = trial.value;
  useValue(clock);
  const ends = held?.ends ?? null;
  useEffect(() => { if (ends !== null && ends < now()) trial.reload(); });
  if (!held || ends === null || held.posture === "observe") return null;
  const mine = held.author === self.value?.email;
  return <div class="warning" role="region" aria-label={t("trial.title")}>
    <span><strong>{t("trial.title")}</strong><br />{t(mine ? "trial.mine" : "trial.theirs", { who: held.author, version: held.version })}</span>
    <span class="big" role="timer">{countdown((ends - now()) / 1_000)}</span>
    {may(ADMINS) && <span class="acts">{mine && <Act kind="main" done run={() => post("rules/confirm", undefined)}>{t("trial.keep")}</Act>}
      <Act done run={() => post("rules/revert", { version: null, why: "" })}>{t("trial.revert")}</Act></span>}
  </div>;
}
