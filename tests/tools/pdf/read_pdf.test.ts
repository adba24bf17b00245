import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { deflateSync } from "node:zlib";
import { PdfError, readPdf } from "../../../tools/host/pdf/read_pdf.ts";
import { read } from "../../../tools/files/read.ts";
import { FetchError } from "../../../tools/errors.ts";
import { useWorkspaces } from "../files/workspace.ts";
import { writePdf } from "../../kit/pdf.ts";
import { createTestWeb, serve } from "../../kit/servers/web.ts";

const createWorkspace = useWorkspaces();
const never = new AbortController().signal;

/** Filters of a stream, and the functions that encode its content. */
const FILTERS = {
  "/FlateDecode": (content: Uint8Array) => deflateSync(content),
  // The size of this stream cannot be measured without parsing the file.
  "[/ASCIIHexDecode /FlateDecode]": (content: Uint8Array) =>
    new TextEncoder().encode(deflateSync(content).toString("hex")),
};

/** Writes a PDF with one page whose content is compressed. */
function pack(content: string, filter: keyof typeof FILTERS = "/FlateDecode"): Uint8Array<ArrayBuffer> {
  const data = FILTERS[filter](new TextEncoder().encode(`BT /F1 24 Tf 72 700 Td ${content} ET`));
  const page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] " +
    "/Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    page,
  ].map((object, at) => `${at + 1} 0 obj\n${object}\nendobj\n`);
  const head = `%PDF-1.4\n${
    objects.join("")
  }5 0 obj\n<< /Length ${data.length} /Filter ${filter} >>\nstream\n`;
  const tail = "\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n";
  const encoder = new TextEncoder();
  return Uint8Array.from(Buffer.concat([encoder.encode(head), data, encoder.encode(tail)]));
}

test("readPdf() reads the named pages, up to its limits", async () => {
  const pdf = writePdf(["Hello first page", "And the second", "Last"]);
  const page = (number: number, text: string, truncated = false) => ({ number, text, truncated });
  const cases: [Parameters<typeof readPdf>[1], object[]][] = [
    [{ maxChars: 1000 }, [page(1, "Hello first page"), page(2, "And the second"), page(3, "Last")]],
    [{ pages: [2], maxChars: 1000 }, [page(2, "And the second")]],
    [{ pages: [3, 4, 5], maxChars: 1000 }, [page(3, "Last")]],
    [{ pages: [], maxChars: 1000 }, []],
    [{ maxChars: 1000, maxPageChars: 5 }, [page(1, "Hello", true), page(2, "And t", true), page(3, "Last")]],
    [{ maxChars: 5 }, [page(1, "Hello", true)]],
  ];
  for (const [request, pages] of cases) {
    assert.deepEqual(await readPdf(pdf, request, never), { pageCount: 3, pages }, JSON.stringify(request));
  }
  assert.ok(pdf.length > 0, "the caller keeps the bytes");
});

test("readPdf() rejects files that are not a PDF", async () => {
  for (const text of ["", "%PDF-1.4 nothing", "%PDF-1.4\ntrailer\n<< /Root 1 0 R >>"]) {
    const failed = readPdf(new TextEncoder().encode(text), { maxChars: 10 }, never);
    await assert.rejects(failed, { name: "PdfError", message: "it is damaged or not a PDF" });
  }
});

/** PDFs of less than 1 MB that need much memory. */
const BOMBS: Record<string, Uint8Array<ArrayBuffer>> = {
  "one long text": pack(`(${"x".repeat(100e6)}) Tj`),
  "a longer one with two filters": pack(`(${"x".repeat(200e6)}) Tj`, "[/ASCIIHexDecode /FlateDecode]"),
  "a stream larger than the limit": pack(" ".repeat(140e6)),
};

for (const [what, bomb] of Object.entries(BOMBS)) {
  test(`readPdf() rejects ${what}`, { timeout: 120_000 }, async () => {
    assert.ok(bomb.length < 1e6);
    const error = await readPdf(bomb, { maxChars: 1e6 }, never).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof PdfError && error.tooLarge, String(error));
  });
}

/** A PDF that needs many seconds because of its number of texts. */
const slow = pack("(x) Tj ".repeat(2e7), "[/ASCIIHexDecode /FlateDecode]");

test("readPdf() does not block the event loop, and ends with its signal", { timeout: 120_000 }, async () => {
  const controller = new AbortController();
  const reading = readPdf(slow, { maxChars: 1e6 }, controller.signal);
  reading.catch(() => {});
  // A parser in this thread would not return to the event loop before it has finished.
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  const reason = new Error("the client has left");
  controller.abort(reason);
  await assert.rejects(reading, (error) => error === reason);
  const aborted = readPdf(slow, { maxChars: 1e6 }, AbortSignal.abort(reason));
  await assert.rejects(aborted, (error) => error === reason);
});

test("Read and fetchPage() reject the same PDFs", { timeout: 120_000 }, async () => {
  const bomb = BOMBS["a stream larger than the limit"];
  assert.ok(bomb);
  const workspace = createWorkspace();
  workspace.put({ "bomb.pdf": bomb });
  const message = /: it is too large after decompression$/;
  assert.match(await workspace.fail(read, { file_path: "bomb.pdf", pages: "1" }), message);
  const server = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "application/pdf" }).end(bomb);
  });
  try {
    const page = createTestWeb({ allow: [server.host] }).fetchPage(`http://${server.host}/bomb.pdf`);
    await assert.rejects(page, (error) => {
      assert.ok(error instanceof FetchError && error.code === "content_too_large", String(error));
      assert.match(error.message, /because it is too large after decompression$/);
      return true;
    });
  } finally {
    await server.close();
  }
});
