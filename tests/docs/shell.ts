/** A command of a shell: the variables that are set for it alone, and its words. */
export interface Command {
  variables: Record<string, string>;
  words: string[];
}

/**
 * Splits a script into commands, at line ends and pipes. Quotes, comments and continued lines are read as a shell does;
 * variables are left as they are.
 *
 * @throws {Error} if a quote has no end.
 *
 * @example Usage
 * ```ts
 * import { readCommands } from "./shell.ts";
 *
 * const [command] = readCommands("PORT=4001 npm start -- --model 'a b'  # a comment");
 * if (command?.words.at(-1) !== "a b" || command.variables.PORT !== "4001") throw new Error("misread");
 * ```
 */
export function readCommands(script: string): Command[] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (const [piece] of script.matchAll(TOKENS)) {
    if (/^'.*'$/s.test(piece)) word = (word ?? "") + piece.slice(1, -1);
    else if (/^".*"$/s.test(piece)) word = (word ?? "") + piece.slice(1, -1).replace(/\\(["\\$`])/g, "$1");
    else if (piece === "\\\n" || /^[ \t]+$/.test(piece)) endWord();
    else if (piece === "\n" || piece === "|") {
      endWord();
      commands.push([]);
    } else if (piece === "'" || piece === '"') throw new Error(`A quote has no end in: ${script}`);
    else if (piece.startsWith("#") && word === undefined) continue;
    else word = (word ?? "") + piece;
  }
  endWord();
  return commands.filter((words) => words.length > 0).map(toCommand);
}

const TOKENS = /'[^']*'|"(?:\\.|[^"\\])*"|\\\n|\n|\||[ \t]+|(?<=^|\s)#[^\n]*|[^\s'"|\\]+|./gms;

function toCommand(words: string[]): Command {
  const first = words.findIndex((word) => !/^\w+=/.test(word));
  const cut = first < 0 ? words.length : first;
  const variables = words.slice(0, cut).map((word): [string, string] => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return { variables: Object.fromEntries(variables), words: words.slice(cut) };
}
