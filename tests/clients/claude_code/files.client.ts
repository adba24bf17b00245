import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders, TOOLS } from "./testbed.ts";
import { PNG } from "../kit/scenarios.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

const PDF = toPdf("Hello from a page");

describe("Claude Code, files that are no text", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const prompt = createPrompt(testbed, route);
    const [one, two] = route.ids;

    testWithFolders(
      `an image and a PDF that Read finds reach the upstream, ${route.name}`,
      async (folders) => {
        const [image, document] = [join(folders.work, "dot.png"), join(folders.work, "page.pdf")];
        await writeFile(image, Buffer.from(PNG, "base64"));
        await writeFile(document, PDF, "latin1");
        testbed.upstream.script(
          reply({ tools: [call(one, "Read", { file_path: image })] }),
          reply({ tools: [call(two, "Read", { file_path: document })] }),
          reply({ text: ["A dot and a page."] }),
        );
        checkResult((await prompt(folders, "Look at both", ...TOOLS)).result, "A dot and a page.");

        const sent = testbed.sent(2);
        const urls = [`data:image/png;base64,${PNG}`, `data:application/pdf;base64,${btoa(PDF)}`];
        assert.deepEqual([...sent.images, ...sent.files], urls);
        assert.deepEqual(sent.results.map(({ id }) => id), [one, two]);
        // A chat completion takes neither in a tool's message, so they follow it in one of the user's.
        assert.deepEqual(sent.inResults, route.name === "native" ? urls : []);
        assert.match(sent.results[1]?.text ?? "", /PDF file read/);
      },
    );
  }
});

/** A PDF of one page with a line of text. */
function toPdf(text: string): string {
  const stream = `BT /F1 24 Tf 40 100 Td (${text}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let pdf = "%PDF-1.4\n";
  const offsets = objects.map((object, at) => {
    const offset = pdf.length;
    pdf += `${at + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${pdf.length}\n%%EOF\n`;
  return `${pdf}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}${trailer}`;
}
