// Numbers for the catalogue's keys in what is built: a catalogue becomes a list of texts, and the source says which of them.
import { readFileSync, readdirSync } from "node:fs";

/** Source files below a folder. */
const below = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? below(`${folder}/${entry.name}`) : /\.tsx?$/.test(entry.name) ? [`${folder}/${entry.name}`] : []);

/** A catalogue's source as pairs of key and text. */
const pairs = (source) => [...source.matchAll(/^ {2}("[^"]+"): (".*"),$/gm)].map(([, key, text]) => [JSON.parse(key), JSON.parse(text)]);

/** Those that stand whole in the source become numbers; keys made of a word of the box keep their names. */
export function shortKeys() {
  const keys = pairs(readFileSync("src/words/en.ts", "utf8")).map(([key]) => key);
  const all = below("src").filter((path) => !/words\/(en|de)\.ts$/.test(path)).map((path) => readFileSync(path, "utf8")).join("\n");
  const made = [...all.matchAll(/\bword\(\s*"([a-z.]+)"|\bof = "([a-z]+)"|\bof="([a-z.]+)"|choices\("([a-z.]+)"|(?:t\(|label: )`([a-z]+)\.\$/g)].map((match) => `${match.slice(1).find(Boolean)}.`);
  const whole = keys.filter((key) => !made.some((prefix) => key.startsWith(prefix)));
  const short = new Map(whole.map((key, at) => [key, at]));
  const catalogue = (source) => {
    const texts = new Map(pairs(source));
    const named = Object.fromEntries([...texts].filter(([key]) => !short.has(key)));
    return `export default { ...${JSON.stringify(whole.map((key) => texts.get(key)).join("\n"))}.split("\\n"), ...${JSON.stringify(named)} };`;
  };
  return {
    name: "short keys",
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        if (/words\/(en|de)\.ts$/.test(path)) return { contents: catalogue(source), loader: "js" };
        // As an attribute's value a number stands in braces.
        const contents = source.replace(/(=?)"([a-z_]+(?:\.[a-z_0-9]+)+)"/g, (quoted, is, key) =>
          !short.has(key) ? quoted : is ? `={${short.get(key)}}` : short.get(key));
        return path.endsWith("x") ? { contents: `import { h as _h, Fragment as _F } from "preact";${contents}`, loader: "tsx" } : { contents, loader: "ts" };
      });
    },
  };
}
