// Asks over the page for what has to be proven before it goes on: a log-in, the password once more, the second factor.
import { useSignal } from "../state";
import { type Proof as What, post, proven } from "../api";
import { login, logout, self } from "../session";
import { t } from "../words";
import { Dialog } from "./dialog";
import { Form } from "./form";

/** Name and password, then the second factor where it is due. */
export function Entry({ done, known, first = "login" }: { done: (user: NonNullable<typeof self.value>) => Promise<unknown> | void; known?: string | undefined; first?: "login" | "totp" }) {
  const step = useSignal<"login" | "totp">(first);
  if (step.value === "totp") {
    return <Form key="totp" submit={t("login.enter")} fields={[{ name: "code", label: "login.code", hint: t("login.code.hint"), required: true, autocomplete: "one-time-code", min: 6, max: 40 }]}
      run={async ({ code }) => { await done(await post("auth/totp", { code: code ?? "" })); }} />;
  }
  return <Form key="login" submit={t("login.enter")} fields={[
    { name: "email", label: "login.name", required: true, autocomplete: "username", value: known ?? "" },
    { name: "password", label: "login.password", type: "password", required: true, autocomplete: "current-password" },
  ]} run={async ({ email, password }) => {
    const begun = await login(email ?? "", password ?? "");
    if (begun.due.includes("totp")) step.value = "totp"; else await done(begun.user);
  }} />;
}

export function Proof({ what }: { what: What }) {
  const again = what === "again";
  return <Dialog title={t(again ? "proof.again" : "proof.login")} firm={!again} close={() => proven(false)}>
    <p>{t(again ? "proof.again.about" : "proof.login.about")}</p>
    <Entry first={what === "totp" ? "totp" : "login"} known={self.value?.email} done={(user) => { self.value = user; proven(true); }} />
    {!again && <p><button type="button" class="link" onClick={() => { proven(false); void logout().catch(() => location.reload()); }}>{t("proof.leave")}</button></p>}
  </Dialog>;
}
