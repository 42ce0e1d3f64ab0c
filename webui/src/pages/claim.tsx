// The first screen of a box without an owner: the code on its console makes the first account.
import { post } from "../api";
import { Door } from "../parts/door";
import { Form } from "../parts/form";
import { enter, login } from "../session";
import { t } from "../words";

export function Claim() {
  return <Door title={t("claim.title")} about={t("claim.about")}>
    <Form submit={t("claim.submit")} fields={[
      { name: "code", label: t("claim.code"), hint: t("claim.code.hint"), required: true, mono: true, max: 100 },
      { name: "first_name", label: t("account.first_name"), required: true, max: 64, autocomplete: "given-name" },
      { name: "email", label: t("account.email"), type: "email", required: true, max: 254, autocomplete: "username" },
      { name: "password", label: t("account.password"), type: "password", required: true, min: 12, max: 256, autocomplete: "new-password", hint: t("account.password.hint") },
    ]} run={async ({ code = "", first_name = "", email = "", password = "" }) => {
      await post("auth/claim", { code, first_name, email, password });
      const begun = await login(email, password);
      await enter(begun.user, "wizard");
    }} />
    <small>{t("claim.meanwhile")}</small>
  </Door>;
}
