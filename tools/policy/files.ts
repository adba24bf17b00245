/** Which files may be read and written. */
export interface FilePolicy {
  /** The workspace: an absolute path, without links on the way. */
  readonly root: string;
  readonly write: boolean;
}
