// A screenshot made small enough to be kept in the tree: its most frequent colours as a palette. The page has few.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const COLOURS = 64;

const CRC = Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  let crc = -1;
  for (const octet of body) crc = CRC[(crc ^ octet) & 255] ^ (crc >>> 8);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(~crc >>> 0);
  return Buffer.concat([length, body, sum]);
}

/** The colours of a PNG of 8 bits a channel without interlacing, row by row. */
function pixels(png) {
  const [width, height, channels] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25] === 6 ? 4 : 3];
  const parts = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [filtered, row] = [inflateSync(Buffer.concat(parts)), width * channels];
  const plain = Buffer.alloc(row * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < row; x += 1) {
      const left = x < channels ? 0 : plain[y * row + x - channels];
      const up = y === 0 ? 0 : plain[(y - 1) * row + x];
      const corner = x < channels || y === 0 ? 0 : plain[(y - 1) * row + x - channels];
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      const before = [0, left, up, (left + up) >> 1, a <= b && a <= c ? left : b <= c ? up : corner][filtered[y * (row + 1)]];
      plain[y * row + x] = filtered[y * (row + 1) + 1 + x] + before;
    }
  }
  return { width, height, colour: (x, y) => plain.readUIntBE(y * row + x * channels, 3) };
}

/** The same picture as a PNG with a palette. */
export function small(png) {
  const { width, height, colour } = pixels(png);
  const counts = new Map();
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) counts.set(colour(x, y), (counts.get(colour(x, y)) ?? 0) + 1);
  const palette = [...counts].sort(([, a], [, b]) => b - a).slice(0, COLOURS).map(([value]) => value);
  const far = (a, b) => ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;
  const nearest = new Map([...counts.keys()].map((value) => [value, palette.reduce((best, one, at) => (far(one, value) < far(palette[best], value) ? at : best), 0)]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = nearest.get(colour(x, y));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const colours = Buffer.concat(palette.map((value) => Buffer.from([value >> 16, (value >> 8) & 255, value & 255])));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
