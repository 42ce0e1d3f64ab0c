// Log-in, and an account's first password with the code that a superadmin handed out.
import { useSignal } from "../state";
import { post } from "../api";
import { Door } from "../parts/door";
import { Form, password } from "../parts/form";
import { said } from "../parts/notes";
import { Entry } from "../parts/proof";
import { enter } from "../session";
import { t } from "../words";

export function Login() {
  const first = useSignal(false);
  if (first.value) {
    return <Door title={t("first.title")} about={t("first.about")}>
      <Form submit={t("first.set")} fields={[
        { name: "email", label: "account.email", type: "email", required: true, autocomplete: "username" },
        { name: "code", label: "first.code", required: true, mono: true },
        password(),
      ]} run={async ({ email = "", code = "", password = "" }) => {
        await post("auth/verify", { email, code, password });
        first.value = false;
        said(t("first.done"));
      }}><button type="button" onClick={() => { first.value = false; }}>{t("act.cancel")}</button></Form>
    </Door>;
  }
  return <Door title={t("login.title")} about={t("login.about")}>
    <Entry done={(user) => enter(user)} />
    <button type="button" class="link" onClick={() => { first.value = true; }}>{t("first.link")}</button>
  </Door>;
}
