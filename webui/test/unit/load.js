// A module of the page, as the tests can import it.
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

export const src = fileURLToPath(new URL("../../src/", import.meta.url));

export async function load(name) {
  const outfile = join(mkdtempSync(join(tmpdir(), "picket-page-")), "module.mjs");
  await esbuild.build({ entryPoints: [src + name], bundle: true, format: "esm", outfile, platform: "neutral", mainFields: ["module", "main"], logLevel: "error" });
  return import(outfile);
}

/** Every source file below a folder, as [path, text]. */
export function sources(folder = src) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : /\.tsx?$/.test(entry.name) ? [[path.slice(src.length), readFileSync(path, "utf8")]] : [];
  });
}
