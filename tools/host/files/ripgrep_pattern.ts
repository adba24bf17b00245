/** A search pattern in RE2 syntax. */
export interface SearchPattern {
  source: string;
  ignoreCase: boolean;
  /** True if a match may span several lines. */
  multiline: boolean;
}

/**
 * Converts a pattern from RE2 syntax to ripgrep's. In ripgrep, `\w`, `\d`, `\s` and `\b` include all of Unicode,
 * classes can be nested, and `\A` and `\z` match at the ends of the file rather than of the line.
 */
export function toRipgrepPattern({ source, multiline }: Pick<SearchPattern, "source" | "multiline">): string {
  let inClass = false;
  let first = false;
  return source.replace(TOKENS, (token, offset) => {
    const opens = !inClass && token === "[";
    const atStart = first;
    first = opens || (first && token === "^");
    if (opens) {
      inClass = true;
      return token;
    }
    if (!inClass) {
      return ANCHORS[multiline ? "text" : "line"][token] ?? OUTSIDE_CLASS[token] ?? INSIDE_CLASS[token] ??
        token;
    }
    if (token === "]" && !atStart) inClass = false;
    if (token === "]" && atStart) return "\\]";
    if (token.startsWith("[:")) return token;
    // A literal hyphen is first or last in its class.
    if (token === "-" && (atStart || source[offset + 1] === "]")) return "\\-";
    return INSIDE_CLASS[token] ?? CLASS_LITERALS[token] ?? token;
  });
}

/** Tokens of a pattern: an escape, a named class or a character. */
const TOKENS = /\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|.)|\[:\^?\w+:\]|[\s\S]/gu;

const OUTSIDE_CLASS: Readonly<Record<string, string>> = { "\\b": "(?-u:\\b)", "\\B": "(?-u:\\B)" };

const INSIDE_CLASS: Readonly<Record<string, string>> = {
  "\\w": "[0-9A-Za-z_]",
  "\\W": "[^0-9A-Za-z_]",
  "\\d": "[0-9]",
  "\\D": "[^0-9]",
  "\\s": "[\\t\\n\\f\\r ]",
  "\\S": "[^\\t\\n\\f\\r ]",
};

/** Start and end anchors. The end of a text is before its last line break, which the tools remove. */
const ANCHORS: Readonly<Record<"line" | "text", Readonly<Record<string, string>>>> = {
  line: { "\\A": "^", "\\z": "$" },
  text: { "\\z": "(?:\\n)?\\z" },
};

/** Characters that are special in a class of ripgrep's, but literal in RE2. */
const CLASS_LITERALS: Readonly<Record<string, string>> = { "[": "\\[", "&": "\\&", "~": "\\~" };
