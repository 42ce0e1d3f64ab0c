// The pictures in the README: there, named, and small.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../pictures/", import.meta.url));
const MOST = 150_000;

test("the README shows every picture, and all together are small", () => {
  const readme = readFileSync(fileURLToPath(new URL("../../../README.md", import.meta.url)), "utf8");
  const names = readdirSync(folder);
  assert.ok(names.length >= 4);
  for (const name of names) assert.ok(readme.includes(`webui/pictures/${name}`), name);
  const octets = names.reduce((sum, name) => sum + readFileSync(folder + name).length, 0);
  assert.ok(octets < MOST, `${octets} octets`);
});
