import assert from "node:assert/strict";
import { test } from "node:test";
import { notebookEdit } from "../../../tools/files/notebook_edit.ts";
import { notebookRead } from "../../../tools/files/notebook_read.ts";
import { read } from "../../../tools/files/read.ts";
import { PNG } from "./media.ts";
import { useWorkspaces } from "./workspace.ts";

const IMAGE = btoa(String.fromCharCode(...PNG));

/** A notebook with parts that are easily lost: numbers that JavaScript rounds, odd indents, unknown members. */
const NOTEBOOK = `{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "intro",
   "metadata": {"x": 1.0, "big": 12345678901234567890},
   "source": ["# Title\\n", "text"]
  },
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "plot",
   "metadata": {},
   "outputs": [
    {"name": "stdout", "output_type": "stream", "text": ["hello\\n", "\\u001b[31mred\\u001b[0m\\n"]},
    {"data": {"image/png": "${IMAGE}", "text/plain": ["<Figure>"]}, "metadata": {}, "output_type": "display_data"},
    {"data": {"text/plain": ["1.0"]}, "execution_count": 3, "metadata": {}, "output_type": "execute_result"},
    {"ename": "E", "evalue": "v", "output_type": "error", "traceback": ["line 1", "E: v"]}
   ],
   "source": ["print('hello')\\n", "plot()"]
  },
  {
   "cell_type": "raw",
   "metadata": {},
   "source": "raw"
  }
 ],
 "metadata": {"language_info": {"name": "python"}, "version": 1.0},
 "nbformat": 4,
 "nbformat_minor": 5
}
`;

const createWorkspace = useWorkspaces();

/** Creates a workspace with a notebook. */
function createNotebook(notebook = NOTEBOOK) {
  const workspace = createWorkspace();
  workspace.put({ "n.ipynb": notebook });
  return workspace;
}

test("NotebookRead and Read return cells with their outputs", async () => {
  const { content, run, fail, put } = createNotebook();
  const blocks = await content(notebookRead, { notebook_path: "n.ipynb" });
  assert.deepEqual(blocks, await content(read, { file_path: "n.ipynb" }));
  assert.deepEqual(blocks.map(({ type }) => type), ["text", "image", "text"]);
  const [first, , last] = blocks;
  assert.ok(first?.type === "text" && last?.type === "text");
  assert.equal(
    first.text,
    '<cell id="intro" index="0" type="markdown">\n# Title\ntext\n</cell>\n' +
      '<cell id="plot" index="1" type="code" execution_count="3">\nprint(\'hello\')\nplot()\n</cell>\n' +
      '<output stream="stdout">\nhello\nred\n</output>',
  );
  assert.equal(
    last.text,
    '<output>\n1.0\n</output>\n<output error="E">\nline 1\nE: v\n</output>\n<cell id="cell-2" index="2" type="raw">\nraw\n</cell>',
  );
  assert.match(
    await run(notebookRead, { file_path: "n.ipynb", cell_index: 2 }),
    /^<cell id="cell-2".*\nraw\n<\/cell>$/,
  );
  assert.match(
    await run(notebookRead, { file_path: "n.ipynb", cell_id: "intro" }),
    /^<cell id="intro"[^]*<\/cell>$/,
  );
  assert.match(await fail(notebookRead, { file_path: "n.ipynb", cell_index: 9 }), /index 9 .*it has 3 cells/);
  assert.match(await fail(notebookRead, { file_path: "n.ipynb", cell_id: "x" }), /id "x"/);
  put({ "old.ipynb": '{"nbformat": 3, "worksheets": []}', "bad.ipynb": "{", "none.ipynb": "" });
  for (const path of ["old.ipynb", "bad.ipynb", "none.ipynb"]) {
    assert.match(await fail(notebookRead, { file_path: path }), /not a notebook in version 4/);
  }
});

test("NotebookEdit changes one cell and no other byte of the file", async () => {
  const { run, get, fail } = createNotebook();
  const edited = (input: Record<string, unknown>) =>
    run(notebookEdit, { notebook_path: "n.ipynb", ...input });
  assert.match(
    await fail(notebookEdit, { file_path: "n.ipynb", cell_index: 0, new_source: "" }),
    /read it first/,
  );
  await run(read, { file_path: "n.ipynb" });
  const [before = "", after = ""] = NOTEBOOK.split(/ {3}"cell_type": "code",[^]*plot\(\)"\]\n/);

  assert.equal(await edited({ cell_id: "plot", new_source: 'a\n"b"' }), "Replaced cell 1 in n.ipynb");
  const replaced =
    '   "cell_type": "code",\n   "execution_count": null,\n   "id": "plot",\n   "metadata": {},\n' +
    '   "outputs": [],\n   "source": [\n    "a\\n",\n    "\\"b\\""\n   ]\n';
  assert.equal(get("n.ipynb"), before + replaced + after);

  assert.equal(
    await edited({ cell_id: "intro", new_source: "new", edit_mode: "insert", cell_type: "markdown" }),
    'Inserted cell 1, id "cell-3", in n.ipynb',
  );
  const inserted =
    '  {\n   "cell_type": "markdown",\n   "id": "cell-3",\n   "metadata": {},\n   "source": [\n    "new"\n   ]\n  },\n';
  assert.equal(get("n.ipynb"), before.replace(/ {2}\{\n$/, `${inserted}  {\n`) + replaced + after);

  assert.equal(await edited({ cell_id: "cell-3", edit_mode: "delete" }), "Deleted cell 1 in n.ipynb");
  assert.equal(get("n.ipynb"), before + replaced + after);

  // Names of the original tool's input.
  assert.equal(
    await run(notebookEdit, {
      file_path: "n.ipynb",
      cell_index: 2,
      new_content: "code()",
      cell_type: "code",
    }),
    "Replaced cell 2 in n.ipynb",
  );
  const { cells } = JSON.parse(get("n.ipynb"));
  assert.deepEqual(cells[2], {
    cell_type: "code",
    metadata: {},
    source: "code()",
    execution_count: null,
    outputs: [],
  });
  assert.match(
    await fail(notebookEdit, { file_path: "n.ipynb", new_source: "x" }),
    /cell_id or cell_index is required/,
  );
  assert.match(await fail(notebookEdit, { file_path: "n.ipynb", cell_index: 1 }), /new_source is required/);
  assert.match(
    await fail(notebookEdit, { file_path: "n.ipynb", cell_index: 7, new_source: "" }),
    /it has 3 cells/,
  );
  assert.match(
    await fail(notebookEdit, { file_path: "no.ipynb", cell_index: 7, new_source: "" }),
    /no such file/,
  );
});

test("NotebookEdit inserts first, last and only cells into any form of file", async () => {
  const forms = [
    '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":4}',
    '{\n    "cells": [],\n    "metadata": {},\n    "nbformat": 4,\n    "nbformat_minor": 4\n}\n',
    '{\r\n\t"cells": [\r\n\t],\r\n\t"nbformat": 4,\r\n\t"nbformat_minor": 4\r\n}',
    '\ufeff{"nbformat":4,"cells":"two","cells": [ ] ,"nbformat_minor":4, "a]":"[{\\""}',
  ];
  for (const form of forms) {
    const { run, get } = createNotebook(form);
    const insert = (more: object) =>
      run(notebookEdit, { file_path: "n.ipynb", edit_mode: "insert", ...more });
    await run(read, { file_path: "n.ipynb" });
    await insert({ new_source: "b" });
    await insert({ new_source: "a\nä", cell_type: "raw" });
    await insert({ new_source: "d", cell_index: 2 });
    await insert({ new_source: "c", cell_id: "cell-1" });
    const text = get("n.ipynb").replace("\ufeff", "");
    const sources = JSON.parse(text).cells.map(({ source }: { source: string[] }) => source.join(""));
    assert.deepEqual(sources, ["a\nä", "b", "c", "d"]);
    assert.equal(text.includes("\r\n"), form.includes("\r\n"));
    assert.equal(/[^\r]\n/.test(text), /[^\r]\n/.test(form));
    for (const index of [3, 0, 0, 0]) {
      await run(notebookEdit, { file_path: "n.ipynb", edit_mode: "delete", cell_index: index });
    }
    assert.deepEqual(JSON.parse(get("n.ipynb").replace("\ufeff", "")).cells, []);
  }
});
