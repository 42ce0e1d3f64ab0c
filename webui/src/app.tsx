// The page: what stage it is at, and around it notes, proofs that are asked for, and the search.
import { render } from "preact";
import { useEffect, useReducer } from "preact/hooks";
import { proof } from "./api";
import { Notes } from "./parts/notes";
import { Proof } from "./parts/proof";
import { Frame } from "./parts/frame";
import { Claim } from "./pages/claim";
import { Login } from "./pages/login";
import { Wizard } from "./pages/wizard";
import { open, stage } from "./session";
import { page } from "./state";
import { preferred, speak, t } from "./words";

function Page() {
  // Drawn anew by its own state: each further `render` would count the ids of fields from their beginning.
  const [, draw] = useReducer((times: number) => times + 1, 0);
  useEffect(() => { page.add(() => draw(undefined)); void open(); }, []);
  return <>
    {stage.value === "claim" && <Claim />}
    {stage.value === "wizard" && <Wizard />}
    {stage.value === "login" && <Login />}
    {stage.value === "in" && <Frame />}
    {stage.value === "unreached" && <p class="door" role="alert">{t("refusal.offline")}</p>}
    {proof.value && stage.value !== "login" && <Proof what={proof.value} />}
    <Notes />
  </>;
}

try {
  const theme = localStorage.getItem("picket-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* private windows keep nothing */ }
void speak(preferred()).then(() => render(<Page />, document.getElementById("page")!));
