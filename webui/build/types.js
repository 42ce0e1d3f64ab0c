// Client types out of the OpenAPI document: one interface a schema, and for each operation what it takes and gives.
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";

const name = (ref) => ref.split("/").pop();

/** A schema as a TypeScript type. */
function type(schema) {
  if (schema === undefined || schema === true) return "unknown";
  if (schema.$ref) return name(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(type).join(" | ");
  if (schema.allOf) return schema.allOf.map(type).join(" & ");
  const kinds = [schema.type ?? []].flat();
  return kinds.map((kind) => of(kind, schema)).join(" | ") || (schema.properties ? of("object", schema) : "unknown");
}

function of(kind, schema) {
  switch (kind) {
    case "integer":
    case "number": return "number";
    case "array": return `Array<${type(schema.items)}>`;
    case "object":
      if (schema.properties) return fields(schema);
      return `{ [name: string]: ${schema.additionalProperties ? type(schema.additionalProperties) : "unknown"} }`;
    default: return kind;
  }
}

function fields(schema) {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([key, value]) => {
    const about = value.description ? `  /** ${value.description.replaceAll("*/", "* /")} */\n` : "";
    return `${about}  ${JSON.stringify(key)}${required.has(key) ? "" : "?"}: ${type(value)}`;
  });
  return `{\n${lines.join(";\n")};\n}`;
}

function operation(entry) {
  const good = Object.entries(entry.responses).find(([status]) => status.startsWith("2"))?.[1];
  const gives = good?.content?.["application/json"]?.schema ?? (good?.content ? { type: "string" } : { type: "null" });
  const takes = entry.requestBody?.content?.["application/json"]?.schema;
  return `{ takes: ${takes ? type(takes) : "undefined"}; gives: ${type(gives)} }`;
}

/** Writes the types of a document to a file, if they are not there already. */
export function writeTypes(document, file) {
  const { paths, components } = JSON.parse(readFileSync(document, "utf8"));
  const schemas = Object.entries(components.schemas).map(([key, schema]) => `export type ${key} = ${type(schema)};`);
  const methods = { get: [], post: [], put: [], patch: [], delete: [] };
  for (const [path, entries] of Object.entries(paths)) {
    const short = JSON.stringify(path.replace("/api/v1/", ""));
    for (const [method, entry] of Object.entries(entries)) methods[method]?.push(`  ${short}: ${operation(entry)};`);
  }
  const tables = Object.entries(methods).map(([method, lines]) => `export interface ${method[0].toUpperCase() + method.slice(1)} {\n${lines.join("\n")}\n}`);
  const text = `// Written by build/types.js out of openapi.json; do not edit.\n${schemas.join("\n")}\n${tables.join("\n")}\n`;
  mkdirSync(new URL("../generated/", import.meta.url), { recursive: true });
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
}
