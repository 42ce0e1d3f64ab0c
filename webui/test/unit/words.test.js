// The catalogues: the same keys in every language, German in German, and no text anywhere else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, sources } from "./load.js";

const en = (await load("words/en.ts")).default;
const de = (await load("words/de.ts")).default;
const code = sources().filter(([path]) => !path.startsWith("words/en") && !path.startsWith("words/de"));
const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("both languages hold the same keys, and each text the same names", () => {
  assert.deepEqual(Object.keys(de), Object.keys(en));
  // The build finds a key by its dot.
  for (const key of Object.keys(en)) assert.match(key, /^[a-z_]+(\.[a-z_0-9]+)+$/);
  for (const key of Object.keys(en)) assert.deepEqual(names(de[key]), names(en[key]), key);
});

test("every key that the page uses is there", () => {
  const used = code.flatMap(([path, text]) => [...text.matchAll(/\bt\(\s*"([^"]+)"/g)].map(([, key]) => [path, key]));
  assert.ok(used.length > 200);
  for (const [path, key] of used) assert.ok(key in en, `${path} uses ${key}`);
});

test("every key that is there is used", () => {
  const all = code.map(([, text]) => text).join("\n");
  const prefixes = [...all.matchAll(/\bword\(\s*"([a-z.]+)"|\bof = "([a-z]+)"|\bof="([a-z.]+)"|choices\("([a-z.]+)"|(?:t\(|label: )`([a-z]+)\.\$/g)].map((match) => match.slice(1).find(Boolean) + ".");
  for (const key of Object.keys(en)) assert.ok(all.includes(`"${key}"`) || prefixes.some((prefix) => key.startsWith(prefix)), `${key} is used nowhere`);
});

test("German texts are German", () => {
  const same = Object.keys(en).filter((key) => en[key] === de[key]);
  assert.ok(same.length < Object.keys(en).length / 10, same.join(", "));
});

test("no component holds a text of its own", () => {
  for (const [path, text] of code.filter(([path]) => path.endsWith(".tsx"))) {
    const plain = text.replace(/^\s*(\/\/|\/\*\*).*$/gm, "");
    // What stands between tags, and what is read out.
    const literal = [...plain.matchAll(/>([^<>{}=;()]*[A-Za-z]{3,}[^<>{}=;()]*)<\//g), ...plain.matchAll(/(?:aria-label|title|placeholder|alt)="([^"]*[A-Za-z]{3,}[^"]*)"/g)].map(([, found]) => found.trim());
    const commands = literal.filter((found) => !(found in en) && !/^(Picket|picket audit .*)$/.test(found));
    assert.deepEqual(commands, [], path);
  }
});
