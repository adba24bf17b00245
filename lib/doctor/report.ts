/** Result of a check: fine, something that the operator should know, or a failure. */
export type Mark = "ok" | "note" | "fail";

/** One line of the report. */
export interface Finding {
  mark: Mark;
  text: string;
}

/** A part of the report. */
export interface Section {
  title: string;
  findings: readonly Finding[];
}

/** Writes the report as text: a title, and below it one line a finding. */
export function writeReport(sections: readonly Section[]): string {
  return sections.map(({ title, findings }) =>
    [title, ...findings.map(({ mark, text }) => `  ${MARKS[mark]} ${text}`)].join("\n")
  ).join("\n\n");
}

const MARKS: Record<Mark, string> = { ok: "ok   ", note: "note ", fail: "FAIL " };
