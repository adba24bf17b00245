/** What other programs of the workspace's owner run or obey where they find it: never written by a tool. */
export const PROTECTED: readonly string[] = [
  ".bash_login",
  ".bash_logout",
  ".bash_profile",
  ".bashrc",
  ".claude",
  ".cursor",
  ".devcontainer",
  ".envrc",
  ".gitconfig",
  ".gitmodules",
  ".husky",
  ".idea",
  ".mcp.json",
  ".profile",
  ".ripgreprc",
  ".vscode",
  ".zlogin",
  ".zlogout",
  ".zprofile",
  ".zshenv",
  ".zshrc",
];

/**
 * The same inside a `.git` folder, where git runs or obeys it. A file `commondir` would make git take its hooks and
 * settings from elsewhere (https://git-scm.com/docs/gitrepository-layout).
 */
export const PROTECTED_IN_GIT: readonly string[] = [
  "commondir",
  "config",
  "config.worktree",
  "hooks",
  "modules",
  "worktrees",
];
