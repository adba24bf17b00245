/** What is looked for, in the words of RE2. */
export interface SearchPattern {
  source: string;
  ignoreCase: boolean;
  /** Whether one match may go over several lines. */
  multiline: boolean;
}

/**
 * Says a pattern of RE2 in ripgrep's words: there `\w`, `\d`, `\s` and `\b` mean all of Unicode, classes may hold
 * classes, and `\A` and `\z` are the ends of the file rather than of the line.
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
    // A hyphen that stands for itself is at either end.
    if (token === "-" && (atStart || source[offset + 1] === "]")) return "\\-";
    return INSIDE_CLASS[token] ?? CLASS_LITERALS[token] ?? token;
  });
}

/** An escape, a named class, a character. */
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

/** The beginning and the end; that of a text is before its last line break, which we take away. */
const ANCHORS: Readonly<Record<"line" | "text", Readonly<Record<string, string>>>> = {
  line: { "\\A": "^", "\\z": "$" },
  text: { "\\z": "(?:\\n)?\\z" },
};

/** What has a meaning in a class of ripgrep's, and none in one of RE2's. */
const CLASS_LITERALS: Readonly<Record<string, string>> = { "[": "\\[", "&": "\\&", "~": "\\~" };
