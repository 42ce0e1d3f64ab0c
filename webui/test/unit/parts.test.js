// What has logic of its own: scales, names from the network, lengths of time, addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.js";

Object.assign(globalThis, { addEventListener() {}, location: { hash: "" }, document: { documentElement: {} } });
const { area, nice } = await load("parts/scale.ts");
const { countdown, octets, printable, span } = await load("format.ts");
const { filled } = await load("api.ts");
const { written } = await load("parts/week.tsx");

test("an axis ends at 1, 2 or 5 times a power of ten", () => {
  for (const [most, end] of [[0, 1], [1, 1], [1.5, 2], [3, 5], [7, 10], [10, 10], [11, 20], [499, 500], [1e6, 1e6], [NaN, 1]]) assert.equal(nice(most), end, most);
});

test("an area begins and ends on its ground, whatever it holds", () => {
  assert.equal(area([], 1, 10, 10, 10), "");
  assert.equal(area([1], 1, 10, 10, 10), "M0 10L0.0 0.0L0.0 10z");
  assert.equal(area([0, 5, 10], 10, 100, 50, 40), "M0 50L0.0 50.0L50.0 30.0L100.0 10.0L100.0 50z");
});

test("what cannot be seen in a name is written out, and a long one is cut", () => {
  assert.equal(printable("a\u202eb"), "a‹U+202E›b");
  assert.equal(printable("a\r\nb\u0000"), "a‹U+000D›‹U+000A›b‹U+0000›");
  assert.equal(printable("\u{e0041}\u200b\ufeff"), "‹U+E0041›‹U+200B›‹U+FEFF›");
  assert.equal(printable("<img src=x onerror=alert(1)>"), "<img src=x onerror=alert(1)>");
  assert.equal([...printable("x".repeat(10_000))].length, 121);
  assert.equal(printable("Küche 📷"), "Küche 📷");
});

test("lengths of time and octets keep to two units and one", () => {
  assert.equal(countdown(119.2), "2:00");
  assert.equal(countdown(-3), "0:00");
  assert.match(span(93_784), /^1.*day/);
  assert.match(span(3_725), /1.*hr.*2.*min/);
  assert.match(octets(1_500_000), /1.5.MB/);
  assert.match(octets(999), /999.B/);
});

test("a path takes its names, and the rest becomes its query", () => {
  assert.equal(filled("blocks/{host}", { host: "fe80::1%eth0", q: "a b", none: "", nil: null }), "blocks/fe80%3A%3A1%25eth0?q=a%20b");
  assert.equal(filled("alerts"), "alerts");
});

test("a weekly window is written as a policy's text says it", () => {
  assert.equal(written(["mon", "tue"], "08:00", "18:00"), "mon,tue 08:00-18:00");
  assert.equal(written(["sat", "sun"], "22:00", "02:00"), "sat,sun 22:00-02:00");
  assert.equal(written(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "00:00", "12:00"), "mon,tue,wed,thu,fri,sat,sun 00:00-12:00");
  assert.equal(written([], "08:00", "18:00"), "");
});
