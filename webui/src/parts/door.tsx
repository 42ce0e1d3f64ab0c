// What stands before the box is reached: one narrow card.
import type { ComponentChildren } from "preact";
import { LANGUAGES, type Language, language, speak, t } from "../words";

export function Door({ title, about, children }: { title: string; about?: ComponentChildren; children: ComponentChildren }) {
  return <div class="door"><main>
    <span class="brand"><Mark />Picket</span>
    <div class="part"><h1 tabIndex={-1}>{title}</h1>{about && <p class="about">{about}</p>}{children}</div>
    <Tongue />
  </main></div>;
}

export function Mark() {
  return <img src={document.querySelector<HTMLLinkElement>("link[rel=icon]")?.href ?? ""} alt="" />;
}

export function Tongue() {
  return <label class="dim">{t("frame.language")} <select value={language.value} onChange={(event) => void speak(event.currentTarget.value as Language, true)}>
    {Object.entries(LANGUAGES).map(([tag, name]) => <option key={tag} value={tag} selected={tag === language.value}>{name}</option>)}</select></label>;
}
