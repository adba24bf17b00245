/** Names that a kind of program executes or obeys wherever it finds them. */
export interface ProtectedNames {
  /**
   * Names of files and folders, at any depth: `.envrc`, `*.code-workspace`, or a name below a folder,
   * `.mvn/jvm.config`.
   */
  readonly names: readonly string[];
  /**
   * True if commands find an empty folder in place of each missing name, at the top of the workspace. That keeps them
   * from creating it. It is no use for a file that programs read there.
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
      ...["lefthook-local.yml", ".lefthook-local.yml", ".overcommit.yml", ".simple-git-hooks.json"],
      ...[".simple-git-hooks.cjs", ".simple-git-hooks.js", ".lintstagedrc", ".lintstagedrc.json"],
      ...[
        ".lintstagedrc.yaml",
        ".lintstagedrc.yml",
        ".lintstagedrc.js",
        ".lintstagedrc.mjs",
        ".lintstagedrc.cjs",
      ],
    ],
    placeholder: false,
    source:
      "https://pre-commit.com, https://lefthook.dev/configuration, https://github.com/sds/overcommit, " +
      "https://github.com/toplenboren/simple-git-hooks, https://github.com/lint-staged/lint-staged",
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
    names: [
      ...[".claude.json", "opencode.json", "opencode.jsonc", ".aider.conf.yml", "crush.json", ".crush.json"],
      ...[".qwen", ".github/hooks"],
    ],
    placeholder: false,
    source: "https://opencode.ai/docs/config, https://aider.chat/docs/config/aider_conf.html, " +
      "https://github.com/charmbracelet/crush, https://github.com/QwenLM/qwen-code, " +
      "https://docs.github.com/en/copilot/concepts/agents/coding-agent/about-hooks",
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
        ".dir-locals-2.el",
        "_vimrc",
        "_exrc",
        ".gvimrc",
        "_gvimrc",
        ".helix",
        ".devcontainer.json",
      ],
      ...[".gdbinit", ".lldbinit"],
    ],
    placeholder: false,
    source:
      "https://code.visualstudio.com/docs/editor/workspaces, https://neovim.io/doc/user/options.html#'exrc', " +
      "https://vimhelp.org/options.txt.html#'exrc', https://docs.helix-editor.com/configuration.html, " +
      "https://containers.dev/implementors/spec, " +
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
    names: [
      ".bash_aliases",
      ".login",
      ".kshrc",
      ".cshrc",
      ".tcshrc",
      ".inputrc",
      "mise.toml",
      ".mise.toml",
      "mise.local.toml",
      ".mise.local.toml",
      ".mise",
      ".config/mise.toml",
      ".config/mise",
      "mise/config.toml",
    ],
    placeholder: false,
    source: "https://mise.jdx.dev/configuration.html",
  },
  accounts: {
    names: [".netrc", ".ssh", ".gnupg", ".pypirc"],
    placeholder: false,
    source: "https://man.openbsd.org/ssh_config",
  },
  packageManagers: {
    names: [
      ".npmrc",
      ".yarnrc",
      ".yarnrc.yml",
      ".pnpmfile.cjs",
      ".pnp.cjs",
      ".pnp.loader.mjs",
      ".pnpmfile.mjs",
      ".yarn/releases",
      ".yarn/plugins",
    ],
    placeholder: false,
    source: "https://docs.npmjs.com/cli/configuring-npm/npmrc, https://yarnpkg.com/configuration/yarnrc",
  },
  buildTools: {
    names: [
      ...[".cargo/config.toml", ".cargo/config", ".bazelrc", ".mvn/extensions.xml", ".mvn/jvm.config"],
      ...[
        ".mvn/maven.config",
        ".latexmkrc",
        "latexmkrc",
        ".bazeliskrc",
        ".buckconfig",
        ".buckconfig.local",
        ".pants.rc",
      ],
    ],
    placeholder: false,
    source: "https://doc.rust-lang.org/cargo/reference/config.html, https://bazel.build/run/bazelrc, " +
      "https://maven.apache.org/configure.html, https://mg.readthedocs.io/latexmk.html, " +
      "https://github.com/bazelbuild/bazelisk, https://buck2.build/docs/concepts/buckconfig, " +
      "https://www.pantsbuild.org/stable/docs/using-pants/key-concepts/options",
  },
  interpreters: {
    names: [
      ".Rprofile",
      ".Renviron",
      ".RData",
      ".ghci",
      ".pdbrc",
      ".irbrc",
      "_irbrc",
      "irb.rc",
      ".pryrc",
      ".iex.exs",
      ".octaverc",
      ".ocamlinit",
      ".perldb",
      ".jdbrc",
      ".byebugrc",
      ".rdbgrc",
    ],
    placeholder: false,
    source: "https://docs.python.org/3/library/pdb.html, https://hexdocs.pm/iex/IEx.html, " +
      "https://stat.ethz.ch/R-manual/R-devel/library/base/html/Startup.html, https://ocaml.org/manual/toplevel.html, " +
      "https://docs.octave.org/latest/Startup-Files.html, https://perldoc.perl.org/perldebug, " +
      "https://github.com/ruby/debug, https://github.com/ruby/irb",
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
