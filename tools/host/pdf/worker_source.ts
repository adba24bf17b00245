/**
 * JavaScript of the worker thread that reads a PDF. It receives the bytes, the URL of `unpdf` and the request, and
 * sends `{ ready: true }` once `unpdf` is loaded, then the result or the name of the error.
 *
 * The source is a text because Node.js 20 starts no worker from TypeScript, and Deno needs a permission to start one
 * from a file.
 */
export const PDF_WORKER_SOURCE = String.raw`
import { parentPort } from "node:worker_threads";

parentPort.once("message", async ({ bytes, library, request }) => {
  const { getDocumentProxy } = await import(library);
  parentPort.postMessage({ ready: true });
  try {
    const pdf = await getDocumentProxy(bytes, { isEvalSupported: false, verbosity: 0 });
    parentPort.postMessage(await readPages(pdf, request));
  } catch (error) {
    parentPort.postMessage({ error: error instanceof Error ? error.name : "Error" });
  }
});

async function readPages(pdf, { numbers, maxPages, maxChars, maxPageChars }) {
  const pageCount = pdf.numPages;
  const wanted = numbers ?? Array.from({ length: Math.min(pageCount, maxPages) }, (_, at) => at + 1);
  const pages = [];
  let remaining = maxChars;
  for (const number of wanted) {
    if (number > pageCount || remaining <= 0) break;
    const limit = Math.min(remaining, maxPageChars);
    const text = await readText(await pdf.getPage(number), limit);
    pages.push({ number, text: text.slice(0, limit), truncated: text.length > limit });
    remaining -= text.length;
  }
  return { pageCount, pages };
}

/** Reads the text of a page in pieces, until it exceeds the limit. */
async function readText(page, limit) {
  const reader = page.streamTextContent().getReader();
  let text = "";
  for (let read = await reader.read(); !read.done && text.length <= limit; read = await reader.read()) {
    // Items without text mark the start and end of marked content.
    for (const { str = "", hasEOL } of read.value.items) text += hasEOL ? str + "\n" : str;
  }
  await reader.cancel(new Error("The page is read")).catch(() => {});
  return text;
}
`;
