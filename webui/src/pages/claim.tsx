// The first screen of a box without an owner: the code on its console makes the first account.
import { post } from "../api";
import { Door } from "../parts/door";
import { Form, password } from "../parts/form";
import { enter, login } from "../session";
import { t } from "../words";

export function Claim() {
  return <Door title={t("claim.title")} about={t("claim.about")}>
    <Form submit={t("claim.submit")} fields={[
      { name: "code", label: "claim.code", hint: t("claim.code.hint"), required: true, mono: true, max: 100 },
      { name: "first_name", label: "account.first_name", required: true, max: 64, autocomplete: "given-name" },
      { name: "email", label: "account.email", type: "email", required: true, max: 254, autocomplete: "username" },
      password(),
    ]} run={async ({ code = "", first_name = "", email = "", password = "" }) => {
      await post("auth/claim", { code, first_name, email, password });
      await enter((await login(email, password)).user);
    }} />
    <small>{t("claim.meanwhile")}</small>
  </Door>;
}
