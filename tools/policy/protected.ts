/** Names of files and folders that other programs execute or obey wherever they find them. No tool writes them. */
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
