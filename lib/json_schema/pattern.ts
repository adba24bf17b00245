import { RE2JS } from "re2js";

/** A regular expression that is matched in linear time. */
export interface Pattern {
  /** Returns true if the pattern matches somewhere in the text. */
  test(text: string): boolean;
  /** Number of instructions; a test takes at most as many steps for each character. */
  readonly size: number;
  /** What the compilation costs, in instructions. */
  readonly cost: number;
}

/** Maximum length of a pattern, in characters. */
const MAX_PATTERN_CHARS = 2000;
/** Maximum number of instructions of a pattern. */
const MAX_PATTERN_SIZE = 5000;

/**
 * Compiles a `pattern` of JSON Schema, which is written in the syntax of JavaScript, for RE2: no text takes more than
 * linear time.
 *
 * Lookaheads at the start of the whole pattern are supported, because generated schemas have them
 * (`^(?!\.)(?!.*\.\.)…`): each is tested on its own. Other lookaheads and back-references are not.
 *
 * @throws {SyntaxError} if the pattern has other syntax, or is too large.
 *
 * @example Usage
 * ```ts
 * import { compilePattern } from "./pattern.ts";
 *
 * const pattern = compilePattern("^(?!.*\\.\\.)[a-z.]+$");
 * if (!pattern.test("a.b") || pattern.test("a..b")) throw new Error("wrong match");
 * ```
 */
export function compilePattern(source: string): Pattern {
  if (source.length > MAX_PATTERN_CHARS) {
    throw new SyntaxError(`it is longer than ${MAX_PATTERN_CHARS} characters`);
  }
  const { lookaheads, rest } = splitLookaheads(source);
  const classes = classCost(toRe2(source));
  if (classes > MAX_PATTERN_SIZE) throw new SyntaxError("its classes have too many characters");
  const parts = [
    ...lookaheads.map(({ text, negative }) => ({ regexp: compile(`^(?:${text})`), negative })),
    { regexp: compile(rest), negative: false },
  ];
  const size = parts.reduce((sum, { regexp }) => sum + regexp.programSize(), 0);
  if (size > MAX_PATTERN_SIZE) throw new SyntaxError("it repeats too much");
  return {
    size,
    cost: size + classes,
    test: (text) => parts.every(({ regexp, negative }) => regexp.test(text) !== negative),
  };
}

function compile(source: string): RE2JS {
  const translated = toRe2(source);
  if (estimateSize(translated) > MAX_ESTIMATED_SIZE) throw new SyntaxError("it repeats too much");
  try {
    return RE2JS.compile(translated, RE2JS.LOOKBEHINDS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, "") : "";
    throw new SyntaxError(`it is no regular expression of RE2: ${reason}`, { cause });
  }
}

/**
 * Returns what the classes of a translated pattern cost to compile, in instructions. A Unicode property stands for
 * hundreds of ranges, and without regard to case each character of a range is looked up.
 */
function classCost(source: string): number {
  const properties = source.match(/\\[pP]/g)?.length ?? 0;
  const cost = properties * PROPERTY_COST + Math.floor(source.length / SOURCE_CHARS_PER_INSTRUCTION);
  if (!/\(\?[a-zA-Z]*i/.test(source)) return cost;
  const ranges = source.matchAll(/(\\x\{[\da-f]+\}|[^])-(\\x\{[\da-f]+\}|[^])/giu);
  const spans = [...ranges].map(([, first, last]) => codePointOf(last) - codePointOf(first));
  const looked = spans.reduce((sum, span) => sum + Math.max(span, 0), 0);
  return cost + Math.floor(looked / CHARS_PER_INSTRUCTION);
}

/** Returns the code point of a character or of its escape. */
function codePointOf(token = ""): number {
  const [, hex] = /^\\x\{(.*)\}$/.exec(token) ?? [];
  return hex === undefined ? token.codePointAt(0) ?? 0 : parseInt(hex, 16);
}

const PROPERTY_COST = 50;
const CHARS_PER_INSTRUCTION = 250;
const SOURCE_CHARS_PER_INSTRUCTION = 20;

/**
 * Estimates the number of instructions of a translated pattern, before it is compiled: repeated parts are copied.
 *
 * @example `(a{2}b){3}` has about nine.
 */
function estimateSize(source: string): number {
  const groups: number[] = [];
  let sum = 0;
  let last = 0;
  for (const [token] of source.matchAll(SIZED_TOKEN)) {
    const [, least, most] = /^\{(\d+),?(\d*)\}$/.exec(token) ?? [];
    if (least !== undefined) {
      const copies = Math.max(Number(least), Number(most), 1) - 1;
      sum += copies * last;
      last += copies * last;
    } else if (token === "(") groups.push(sum);
    else if (token === ")") last = sum - (groups.pop() ?? 0) + 1;
    else sum += last = 1;
  }
  return sum;
}

/** An escape, a class, a repetition, or another character. */
const SIZED_TOKEN = /\\(?:[pPx]\{[^}]*\}|[^])|\[(?:\\[^]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[^]/g;
/** Size above which a pattern is not compiled. Its exact size is known only then. */
const MAX_ESTIMATED_SIZE = 4 * MAX_PATTERN_SIZE;

interface SplitPattern {
  lookaheads: { text: string; negative: boolean }[];
  rest: string;
}

/** Splits the lookaheads from the start of an anchored pattern without alternatives. */
function splitLookaheads(source: string): SplitPattern {
  const lookaheads: SplitPattern["lookaheads"] = [];
  if (!/^\^\(\?[=!]/.test(source) || hasAlternatives(source)) return { lookaheads, rest: source };
  let at = 1;
  while (/^\(\?[=!]/.test(source.slice(at, at + 3))) {
    const end = findGroupEnd(source, at);
    if (end === undefined) break;
    lookaheads.push({ text: source.slice(at + 3, end), negative: source[at + 2] === "!" });
    at = end + 1;
  }
  return { lookaheads, rest: `^${source.slice(at)}` };
}

/** Returns true if a pattern has a `|` outside of its groups. */
function hasAlternatives(source: string): boolean {
  for (const { char, depth } of scan(source, 0)) if (char === "|" && depth === 0) return true;
  return false;
}

/** Returns the position of the parenthesis that closes the group at `start`. */
function findGroupEnd(source: string, start: number): number | undefined {
  for (const { char, depth, at } of scan(source, start)) if (char === ")" && depth === 0) return at;
  return undefined;
}

/** Lists the characters of a pattern outside of classes and escapes, with the depth of groups after each. */
function* scan(source: string, start: number): Generator<{ char: string; depth: number; at: number }> {
  let depth = 0;
  let inClass = false;
  for (let at = start; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === "\\") at++;
    else if (inClass) inClass = char !== "]";
    else if (char === "[") inClass = true;
    else {
      if (char === "(") depth++;
      else if (char === ")") depth--;
      yield { char, depth, at };
    }
  }
}

/** Translates JavaScript's syntax to RE2's where the two differ. */
function toRe2(source: string): string {
  let inClass = false;
  return source.replace(TOKEN, (token) => {
    if (token === "[^]") return "[\\x{0}-\\x{10FFFF}]";
    if (token === "[]") return "[^\\x{0}-\\x{10FFFF}]";
    if (token === "[" && inClass) return "\\[";
    if (token === "[" || token === "]") {
      inClass = token === "[";
      return token;
    }
    if (token === "(?<") return inClass ? token : "(?P<";
    if (token === ".") return inClass ? token : "[^\\n\\r\\x{2028}\\x{2029}]";
    return token.startsWith("\\") ? toRe2Escape(token, inClass) : token;
  });
}

const TOKEN =
  /\[\^\]|\[\]|\\u\{[\da-fA-F]+\}|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\c[a-zA-Z]|\\[pP]\{[^}]*\}|\\[^]|\(\?<(?![=!])|[[\].]/g;

function toRe2Escape(token: string, inClass: boolean): string {
  const [, hex, second] = /^\\u\{?([\da-f]+)\}?(?:\\u([\da-f]{4}))?$/i.exec(token) ?? [];
  if (hex !== undefined && second !== undefined) {
    const pair = String.fromCharCode(parseInt(hex, 16), parseInt(second, 16));
    const [one, other] = [...pair].map((char) => `\\x{${char.codePointAt(0)?.toString(16)}}`);
    return `${one}${other ?? ""}`;
  }
  if (hex !== undefined) return `\\x{${hex}}`;
  if (/^\\c[a-z]$/i.test(token)) return `\\x{${(token.charCodeAt(2) % 32).toString(16)}}`;
  if (/^\\p\{/i.test(token)) return toRe2Property(token);
  switch (token) {
    case "\\s":
      return inClass ? SPACES : `[${SPACES}]`;
    case "\\S":
      return inClass ? OTHER_THAN_SPACES : `[${OTHER_THAN_SPACES}]`;
    case "\\0":
      return "\\x{0}";
    case "\\b":
      return inClass ? "\\x{8}" : token;
  }
  // An escape without a meaning is the character itself in JavaScript; RE2 has other meanings, such as \A and \Q.
  return /^\\[a-z]$/i.test(token) && !/^\\[dDwWBtnvfrxkuc]$/.test(token) ? token.slice(1) : token;
}

/** JavaScript's white space; RE2's `\s` is ASCII only. */
const SPACES =
  "\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
/** All other characters, for classes such as `[\s\S]`. */
const OTHER_THAN_SPACES =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" +
  "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";

/** Translates a Unicode property; RE2 has short names of general categories, and names of scripts. */
function toRe2Property(token: string): string {
  const name = token.slice(3, -1).replace(/^(Script_Extensions|Script|scx|sc|General_Category|gc)=/, "");
  return `${token.slice(0, 2)}{${CATEGORIES.get(name) ?? name}}`;
}

/** Long names of general categories. Source: https://www.unicode.org/reports/tr44/#General_Category_Values */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
  ["Letter", "L"],
  ["Uppercase_Letter", "Lu"],
  ["Lowercase_Letter", "Ll"],
  ["Titlecase_Letter", "Lt"],
  ["Modifier_Letter", "Lm"],
  ["Other_Letter", "Lo"],
  ["Mark", "M"],
  ["Number", "N"],
  ["Decimal_Number", "Nd"],
  ["digit", "Nd"],
  ["Punctuation", "P"],
  ["punct", "P"],
  ["Symbol", "S"],
  ["Separator", "Z"],
  ["Space_Separator", "Zs"],
  ["Other", "C"],
  ["Control", "Cc"],
]);
