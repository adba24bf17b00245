/** Shells that lines can be written for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** Name of a shell; `bash` stands for every shell of the POSIX standard. */
export type Shell = (typeof SHELLS)[number];

/**
 * Returns the line of a shell that sets a variable for the programs it starts, or removes it if the value is undefined.
 *
 * @example Usage
 * ```ts
 * import { toShellLine } from "./shell.ts";
 *
 * toShellLine("bash", "NAME", "it's"); // export NAME='it'\''s'
 * ```
 */
export function toShellLine(shell: Shell, name: string, value: string | undefined): string {
  switch (shell) {
    case "bash":
    case "zsh":
      return value === undefined ? `unset ${name}` : `export ${name}='${value.replaceAll("'", "'\\''")}'`;
    case "fish":
      return value === undefined ? `set -e ${name}` : `set -gx ${name} '${value.replace(/['\\]/g, "\\$&")}'`;
    case "powershell":
      return value === undefined
        ? `Remove-Item Env:${name} -ErrorAction SilentlyContinue`
        // PowerShell also accepts typographic quotes as the end of a string.
        : `$env:${name} = '${value.replace(/['‘’‚‛]/g, "$&$&")}'`;
  }
}
