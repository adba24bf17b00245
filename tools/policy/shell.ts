/** How commands may run. */
export interface ShellPolicy {
  /** The workspace: an absolute path, without links on the way. */
  readonly root: string;
  /** Whether a command may run where the operating system has no sandbox. */
  readonly sandbox: "required" | "off";
  /** Whether a command reaches the network. */
  readonly network: boolean;
}
