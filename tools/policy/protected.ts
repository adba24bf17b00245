/** Names that a kind of program executes or obeys wherever it finds them. */
export interface ProtectedNames {
  /** Names of files and folders, at any depth: `.envrc`, `*.code-workspace`, or a name below a folder, `.mvn/jvm.config`. */
  readonly names: readonly string[];
  /**
   * True if commands find an empty folder in place of each missing name, at the top of the workspace. That keeps them from
   * creating it. It is no use for a file that programs read there.
   */
  readonly placeholder: boolean;
  /** Documents that the programs obey these names, or the advisory of an attack through them. */
  readonly source: string;
}

/** Date on which the names were last compared with their sources. */
export const PROTECTED_AS_OF = "2026-11-30";

/**
 * Files and folders that other programs execute or obey, by the programs. No tool writes them.
 *
 * Names that are the work itself are left out: `package.json`, `Makefile`, `.github/workflows`, `CLAUDE.md`.
 */
export const PROTECTED_BY_PROGRAM = {
  git: {
    names: [".gitconfig", ".gitmodules", ".githooks"],
    placeholder: true,
    source: "https://git-scm.com/docs/git-config",
  },
  hookManagers: {
    names: [
      ...[".pre-commit-config.yaml", "lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml"],
      ...["lefthook-local.yml", ".lefthook-local.yml"],
    ],
    placeholder: false,
    source: "https://pre-commit.com, https://lefthook.dev/configuration",
  },
  husky: { names: [".husky"], placeholder: true, source: "https://typicode.github.io/husky" },
  otherVersionControl: {
    names: [".hg", ".hgrc", ".svn", ".jj"],
    placeholder: false,
    source: "https://www.mercurial-scm.org/doc/hgrc.5.html",
  },
  agents: {
    names: [
      ...[".claude", ".cursor", ".mcp.json", ".codex", ".gemini", ".kiro", ".windsurf", ".continue", ".roo"],
      ...[".junie", ".amazonq", ".opencode", ".agents"],
    ],
    placeholder: true,
    source: "CVE-2026-25725, CVE-2025-61260, https://github.com/google-gemini/gemini-cli/issues/28215, " +
      "https://github.com/kirodotdev/KiroCrew/issues/4769, https://github.com/openai/codex/pull/24461",
  },
  agentFiles: {
    names: [".claude.json", "opencode.json", "opencode.jsonc"],
    placeholder: false,
    source: "https://opencode.ai/docs/config",
  },
  editors: {
    names: [".vscode", ".idea", ".devcontainer", ".zed"],
    placeholder: true,
    source: "https://code.visualstudio.com/docs/editor/workspace-trust, https://zed.dev/docs/tasks",
  },
  editorFiles: {
    names: [
      ...[
        "*.code-workspace",
        "*.sublime-project",
        ".vimrc",
        ".exrc",
        ".nvimrc",
        ".nvim.lua",
        ".dir-locals.el",
      ],
      ...[".gdbinit", ".lldbinit"],
    ],
    placeholder: false,
    source:
      "https://code.visualstudio.com/docs/editor/workspaces, https://neovim.io/doc/user/options.html#'exrc', " +
      "https://www.gnu.org/software/emacs/manual/html_node/emacs/Directory-Variables.html",
  },
  shells: {
    names: [
      ...[".bash_login", ".bash_logout", ".bash_profile", ".bashrc", ".profile", ".zlogin", ".zlogout"],
      ...[".zprofile", ".zshenv", ".zshrc", ".envrc"],
    ],
    placeholder: true,
    source: "https://www.gnu.org/software/bash/manual/bash.html#Bash-Startup-Files, https://direnv.net",
  },
  otherShells: {
    names: [".bash_aliases", ".login", ".kshrc", ".cshrc", ".tcshrc", ".inputrc", "mise.toml", ".mise.toml"],
    placeholder: false,
    source: "https://mise.jdx.dev/configuration.html",
  },
  accounts: {
    names: [".netrc", ".ssh", ".gnupg", ".pypirc"],
    placeholder: false,
    source: "https://man.openbsd.org/ssh_config",
  },
  packageManagers: {
    names: [".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", ".pnp.cjs", ".pnp.loader.mjs"],
    placeholder: false,
    source: "https://docs.npmjs.com/cli/configuring-npm/npmrc, https://yarnpkg.com/configuration/yarnrc",
  },
  buildTools: {
    names: [
      ...[".cargo/config.toml", ".cargo/config", ".bazelrc", ".mvn/extensions.xml", ".mvn/jvm.config"],
      ...[".mvn/maven.config", ".latexmkrc"],
    ],
    placeholder: false,
    source: "https://doc.rust-lang.org/cargo/reference/config.html, https://bazel.build/run/bazelrc, " +
      "https://maven.apache.org/configure.html",
  },
  interpreters: {
    names: [".Rprofile", ".ghci", ".pdbrc", ".irbrc", ".pryrc", ".iex.exs"],
    placeholder: false,
    source: "https://docs.python.org/3/library/pdb.html, https://hexdocs.pm/iex/IEx.html",
  },
  search: {
    names: [".ripgreprc"],
    placeholder: true,
    source: "https://github.com/BurntSushi/ripgrep/blob/master/GUIDE.md#configuration-file",
  },
} as const satisfies Record<string, ProtectedNames>;

const GROUPS: readonly ProtectedNames[] = Object.values(PROTECTED_BY_PROGRAM);

/** All protected names. */
export const PROTECTED: readonly string[] = GROUPS.flatMap(({ names }) => names);

/** Names for which commands find a placeholder at the top of the workspace. */
export const PLACEHOLDERS: readonly string[] = GROUPS.flatMap(({ names, placeholder }) =>
  placeholder ? names : []
);

/**
 * Names inside a `.git` folder that git executes or obeys. A file `commondir` makes git read hooks and settings from
 * another folder (https://git-scm.com/docs/gitrepository-layout).
 */
export const PROTECTED_IN_GIT: readonly string[] = [
  "commondir",
  "config",
  "config.worktree",
  "hooks",
  "modules",
  "worktrees",
];
