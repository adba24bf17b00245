/** A setting of git. The name is in lower case but for the part in quotes: `filter.LFS.clean`. */
export interface GitSetting {
  name: string;
  value: string;
}

/**
 * Settings that name a file or folder which git executes or obeys, with the place that a relative path starts at.
 *
 * Source: https://git-scm.com/docs/git-config, version 2.51
 */
const PATH_SETTINGS: readonly [name: RegExp, base: "worktree" | "settings"][] = [
  [/^core\.hookspath$/, "worktree"],
  [/^include\.path$/, "settings"],
  [/^includeif\..*\.path$/s, "settings"],
  [/^init\.templatedir$/, "worktree"],
];

/** Settings whose value is a command, or the path of a program. */
const COMMAND_SETTINGS =
  /^(core\.(fsmonitor|sshcommand|editor|pager|askpass|gitproxy|alternaterefscommand)|sequence\.editor|diff\.external|diff\..*\.(command|textconv)|(difftool|mergetool|man|browser)\..*\.(cmd|path)|merge\..*\.driver|filter\..*\.(clean|smudge|process)|gpg\.(.*\.)?program|gpg\.ssh\.defaultkeycommand|credential\.(.*\.)?helper|(pager|alias)\..*|interactive\.difffilter|trailer\..*\.(command|cmd)|uploadpack\.packobjectshook|remote\..*\.(uploadpack|receivepack)|submodule\..*\.update|sendemail\..*cmd)$/s;

/** Paths that the settings of a repository name; relative ones start at `base`. */
export interface GitNamedPath {
  path: string;
  base: "worktree" | "settings";
  /** True if the path is another file with settings. */
  isSettings: boolean;
  /** True if the path is a folder of hooks. */
  isHooks: boolean;
}

/** Names of the hooks in a folder of hooks. Source: https://git-scm.com/docs/githooks */
export const HOOK_NAMES: readonly string[] = [
  ...["applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit"],
  ...[
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "pre-push",
  ],
  ...["pre-receive", "update", "proc-receive", "post-receive", "post-update", "reference-transaction"],
  ...["push-to-checkout", "pre-auto-gc", "post-rewrite", "sendemail-validate", "fsmonitor-watchman"],
  ...["p4-changelist", "p4-prepare-changelist", "p4-post-changelist", "p4-pre-submit", "post-index-change"],
];

/** Returns the paths that settings name. Of a command, each word that could be a path counts. */
export function toNamedPaths(settings: readonly GitSetting[]): GitNamedPath[] {
  return settings.flatMap(({ name, value }): GitNamedPath[] => {
    const [, base] = PATH_SETTINGS.find(([pattern]) => pattern.test(name)) ?? [];
    if (base !== undefined) {
      if (value === "") return [];
      return [{ path: value, base, isSettings: base === "settings", isHooks: name === "core.hookspath" }];
    }
    if (!COMMAND_SETTINGS.test(name)) return [];
    const words = value.split(/[\s"'`|;&()<>$=!{}]+/).filter((word) =>
      /[./]/.test(word) && !word.startsWith("-")
    );
    return words.map((path) => ({ path, base: "worktree", isSettings: false, isHooks: false }));
  });
}

/**
 * Parses a file of settings as git does. Lines that git rejects are left out.
 *
 * Source: https://git-scm.com/docs/git-config#_syntax
 */
export function parseGitSettings(text: string): GitSetting[] {
  const settings: GitSetting[] = [];
  let section = "";
  for (const line of joinLines(text)) {
    let rest = line.replace(/^\s+/, "");
    const header = /^\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(rest);
    if (header !== null) {
      const [whole, name = "", subsection] = header;
      const sub = subsection?.replace(/\\(.)/g, "$1");
      section = name.toLowerCase() + (sub === undefined ? "" : `.${sub}`);
      rest = rest.slice(whole.length).replace(/^\s+/, "");
    }
    const [, key, value] = /^([a-z][\w-]*)\s*(?:=(.*))?$/is.exec(rest) ?? [];
    if (key === undefined || section === "") continue;
    settings.push({ name: `${section}.${key.toLowerCase()}`, value: parseValue(value ?? "true") });
  }
  return settings;
}

/** Splits a text into lines, and joins those that end with an unescaped backslash with the next one. */
function joinLines(text: string): string[] {
  const lines: string[] = [];
  let joined = "";
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    if (/^(?:[^\\]|\\.)*\\$/.test(line)) {
      joined += line.slice(0, -1);
      continue;
    }
    lines.push(joined + line);
    joined = "";
  }
  return [...lines, joined];
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b" };

/** Removes the quotes, the escapes and a comment of a value. */
function parseValue(raw: string): string {
  let value = "";
  let quoted = false;
  let trailing = "";
  for (let at = 0; at < raw.length; at++) {
    const character = raw.charAt(at);
    if (character === '"') quoted = !quoted;
    else if (!quoted && /[#;]/.test(character)) break;
    else if (!quoted && /\s/.test(character)) {
      trailing += character;
      continue;
    } else {
      const escaped = character === "\\" ? raw.charAt(++at) : undefined;
      value += (value === "" ? "" : trailing) +
        (escaped === undefined ? character : ESCAPES[escaped] ?? escaped);
    }
    trailing = character === '"' ? trailing : "";
  }
  return value;
}
