import assert from "node:assert/strict";
import { test } from "node:test";
import { type FormEvent, FormParser } from "../../../lib/server/files/multipart.ts";
import { toBytes } from "../../kit/bytes.ts";

/** Parses a form, with the content of each part as text. */
function parse(boundary: string, ...pieces: Uint8Array[]): { part: Partial<FormEvent>; text: string }[] {
  const parser = new FormParser(boundary);
  const parts: { part: Partial<FormEvent>; text: string; bytes: number[] }[] = [];
  for (const event of pieces.flatMap((piece) => parser.push(piece))) {
    if (event.type === "start") parts.push({ part: event, text: "", bytes: [] });
    if (event.type === "data") parts.at(-1)?.bytes.push(...event.bytes);
  }
  parser.end();
  return parts.map(({ part, bytes }) => ({ part, text: new TextDecoder().decode(Uint8Array.from(bytes)) }));
}

const CONTENT = "a\r\n--b\r\r\n--boundar\r\n--boundary_\u00e9\r\n";
const FORM = [
  "a preamble\r\n",
  '--boundary\r\nContent-Disposition: form-data; name="file"; filename="a %22b%22.txt"\r\n',
  `Content-Type: text/plain\r\n\r\n${CONTENT.replace("--boundary_", "--boundarx_")}`,
  "\r\n--boundary  \r\ncontent-disposition:form-data;name=empty\r\n\r\n",
  "\r\n--boundary--\r\nan epilogue",
].join("");

test("FormParser returns the same parts for any cut of the form", () => {
  const expected = [
    {
      part: { type: "start", name: "file", filename: 'a "b".txt', contentType: "text/plain" },
      text: CONTENT.replace("--boundary_", "--boundarx_"),
    },
    { part: { type: "start", name: "empty", filename: undefined, contentType: undefined }, text: "" },
  ];
  const bytes = toBytes(FORM);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(parse("boundary", bytes.slice(0, cut), bytes.slice(cut)), expected, `cut at ${cut}`);
  }
  assert.deepEqual(parse("boundary", ...Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
  assert.deepEqual(parse("boundary", toBytes(FORM.slice(FORM.indexOf("--boundary")))), expected);
});

test("FormParser reads what FormData of the runtime writes", async () => {
  const form = new FormData();
  form.append(
    "file",
    new File([Uint8Array.of(0, 13, 10, 45, 45, 255)], '\u00fc "x".bin', { type: "image/png" }),
  );
  const response = new Response(form);
  const boundary = /boundary=([^;]+)/.exec(response.headers.get("content-type") ?? "")?.[1] ?? "";
  const [{ part = undefined } = {}] = parse(
    boundary.replaceAll('"', ""),
    new Uint8Array(await response.arrayBuffer()),
  );
  assert.deepEqual(part, {
    type: "start",
    name: "file",
    filename: '\u00fc "x".bin',
    contentType: "image/png",
  });
});

const BAD: [what: string, form: string][] = [
  ["nothing", ""],
  ["no boundary", "text"],
  ["no last boundary", '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\ntext'],
  ["text after a boundary", "--bx\r\n\r\n\r\n--b--"],
  ["a part without a name", "--b\r\ncontent-disposition: form-data\r\n\r\n\r\n--b--"],
  ["a part without headers", "--b\r\n\r\n\r\n--b--"],
  ["headers that are too long", `--b\r\nx: ${"x".repeat(20_000)}\r\n\r\n\r\n--b--`],
];

for (const [what, form] of BAD) {
  test(`FormParser rejects ${what}`, () => {
    assert.throws(() => parse("b", toBytes(form)), {
      type: "invalid_request_error",
      message: /^Cannot read the form: /,
    });
  });
}
