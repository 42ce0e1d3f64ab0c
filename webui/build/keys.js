// Short names for the catalogue's keys in what is built: they are written in three files, and nobody reads them there.
import { readFileSync, readdirSync } from "node:fs";

/** Source files below a folder. */
const below = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? below(`${folder}/${entry.name}`) : /\.tsx?$/.test(entry.name) ? [`${folder}/${entry.name}`] : []);

/** The keys that stand whole in the source; those made of a word of the box keep their names. */
export function shortKeys() {
  const keys = [...readFileSync("src/words/en.ts", "utf8").matchAll(/^ {2}"([^"]+)":/gm)].map(([, key]) => key);
  const all = below("src").filter((path) => !/words\/(en|de)\.ts$/.test(path)).map((path) => readFileSync(path, "utf8")).join("\n");
  const made = [...all.matchAll(/\bword\(\s*"([a-z.]+)"|\bof = "([a-z]+)"|\bof="([a-z.]+)"|t\(`([a-z]+)\.\$/g)].map((match) => `${match.slice(1).find(Boolean)}.`);
  const whole = keys.filter((key) => !made.some((prefix) => key.startsWith(prefix)));
  const short = new Map(whole.map((key, at) => [key, `~${at.toString(36)}`]));
  return {
    name: "short keys",
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replace(/"([a-z_]+(?:\.[a-z_0-9]+)+)"/g, (quoted, key) => (short.has(key) ? `"${short.get(key)}"` : quoted)),
        loader: path.endsWith("x") ? "tsx" : "ts",
      }));
    },
  };
}
