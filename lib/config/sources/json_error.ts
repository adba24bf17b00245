import { type ParseError, printParseErrorCode } from "jsonc-parser";

/** Returns line and column, both from 1, separated by a colon. */
export function toPosition(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
}

/** The parser's errors by name, in words. */
const PARSE_ERRORS: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no value: texts are in double quotes",
  InvalidNumberFormat: "this is not a number",
  PropertyNameExpected: "expected a name in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon",
  CommaExpected: "expected a comma",
  CloseBraceExpected: "expected }",
  CloseBracketExpected: "expected ]",
  EndOfFileExpected: "expected the end of the file",
  InvalidCommentToken: "this comment is not valid",
  UnexpectedEndOfComment: "a comment has no end",
  UnexpectedEndOfString: "a text has no end",
  UnexpectedEndOfNumber: "a number has no end",
  InvalidUnicode: "this is not a character's code",
  InvalidEscapeCharacter: "no such escape: a backslash is written \\\\",
  InvalidCharacter: "a text must not have this character",
};

/** Returns the reason of an error of the parser. */
export function describeError({ error }: ParseError): string {
  const name = printParseErrorCode(error);
  return PARSE_ERRORS[name] ?? `it is not JSON (${name})`;
}
