// Builds the page into dist: types, check, bundle, document, compressed forms, and the budget that ends the build when it is exceeded.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { brotliCompressSync, constants } from "node:zlib";
import { fileURLToPath } from "node:url";
import { basename } from "node:path";
import { gzipAsync } from "@gfx/zopfli";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { shortKeys } from "./keys.js";
import { writeTypes } from "./types.js";

const root = fileURLToPath(new URL("..", import.meta.url));
// Octets in gzip: what a browser loads in one language, and everything.
const BUDGET = { language: 45_000, all: 56_000 };
const LANGUAGES = ["en", "de"];

process.chdir(root);
writeTypes("openapi.json", "generated/schema.ts");
if (spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit"], { stdio: "inherit" }).status !== 0) process.exit(1);

const work = "dist.new";
rmSync(work, { recursive: true, force: true });
const { metafile } = await esbuild.build({
  entryPoints: { app: "src/app.tsx", style: "src/style.css" },
  outdir: work,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  // The older form of JSX is the shorter one once it is compressed; the types are checked by the newer one.
  tsconfigRaw: {},
  jsx: "transform",
  jsxFactory: "_h",
  jsxFragment: "_F",
  plugins: [shortKeys()],
  metafile: true,
  logLevel: "warning",
});

const files = new Map();
const outputs = Object.entries(metafile.outputs).map(([path, made]) => ({ name: basename(path), made }));
for (const { name } of outputs) {
  const octets = readFileSync(`${work}/${name}`);
  // A second look finds what one pass leaves: a twenty-fifth of what is sent.
  const small = name.endsWith(".js") && (await minify(octets.toString(), { ecma: 2020, module: true, compress: { passes: 3, reduce_funcs: false } })).code;
  files.set(name, small ? Buffer.from(small) : octets);
}
const named = (source) => outputs.find(({ made }) => made.entryPoint === source).name;
const icon = readFileSync("src/icon.svg");
const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
files.set(iconName, icon);
const document = readFileSync("src/index.html", "utf8")
  .replace("app.js", named("src/app.tsx")).replace("style.css", named("src/style.css")).replace("icon.svg", iconName);
files.set("index.html", Buffer.from(document));

mkdirSync(work, { recursive: true });
const sizes = new Map();
for (const [name, octets] of files) {
  const gzip = await gzipAsync(octets, { numiterations: 60 });
  sizes.set(name, gzip.length);
  writeFileSync(`${work}/${name}`, octets);
  writeFileSync(`${work}/${name}.gz`, gzip);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: octets.length };
  writeFileSync(`${work}/${name}.br`, brotliCompressSync(octets, { params }));
}
const all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
const catalogues = new Map(LANGUAGES.map((language) => [language, sizes.get(named(`src/words/${language}.ts`))]));
const largest = Math.max(...catalogues.values());
const language = all - [...catalogues.values()].reduce((sum, size) => sum + size, 0) + largest;
console.log(`page: ${language} octets gzip in one language (at most ${BUDGET.language}), ${all} in all (at most ${BUDGET.all})`);
if (language > BUDGET.language || all > BUDGET.all) {
  for (const [name, size] of sizes) console.error(`  ${String(size).padStart(7)} ${name}`);
  throw new Error("the page is over its budget");
}
rmSync("dist", { recursive: true, force: true });
renameSync(work, "dist");
