/** Writes docs/api.md; run by `npm run docs`. */
import { writeFileSync } from "node:fs";
import { createDocument } from "../../lib/server/openapi/document.ts";
import { ROUTES } from "../../lib/server/routes.ts";
import { writeApiPage } from "./api/page.ts";
import { runExamples } from "./api/run_examples.ts";

const page = writeApiPage(createDocument(ROUTES), await runExamples());
writeFileSync(new URL("../../docs/api.md", import.meta.url), page);
