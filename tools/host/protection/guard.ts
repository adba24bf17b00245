import { mkdir, readFile, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../errors.ts";
import { PLACEHOLDERS, PROTECTED_IN_GIT } from "../../policy/protected.ts";
import { systemErrorCode } from "../files/file_errors.ts";
import { isInside } from "../is_inside.ts";
import { identify, type Identity } from "./identity.ts";
import { readRebaseCommands, REBASE_INSTRUCTIONS } from "./rebase.ts";
import { scanWorkspace } from "./scan.ts";
import { restoreLink, setAside } from "./set_aside.ts";

/** Protection of a workspace during one command. */
export interface WorkspaceGuard {
  /** Paths mounted read-only. */
  readOnly: string[];
  /** Folders whose content may change, but which cannot be moved or replaced. */
  fixed: string[];
  /**
   * Renames protected files that the command has created or changed. Call it once all processes of the command have
   * ended.
   *
   * @throws {ToolError} if the workspace can no longer be looked through.
   */
  check(): Promise<SetAsideFile[]>;
  /** Removes the placeholders of missing paths once no other command needs them. */
  release(): Promise<void>;
}

/** A protected file that a command has created or changed. */
export interface SetAsideFile {
  /** Path relative to the workspace. */
  path: string;
  /** New name in the same folder; undefined if it could not be renamed. */
  newName: string | undefined;
}

/** Maximum number of entries of a workspace in which commands run, and after a command. */
const MAX_ENTRIES = { before: 500_000, after: 1_500_000 };
/** Maximum number of mounts of a command. The time to create them grows with the square of their number. */
const MAX_MOUNTS = 500;

/** `.git` is one of the placeholders, because a new repository could come with hooks. */
const ROOT_PLACEHOLDERS = [...PLACEHOLDERS, ".git"];

/** Git fails if this file is empty or a folder. As a placeholder it names the folder that contains it. */
const COMMON_DIR = "commondir";
const COMMON_DIR_TEXT = ".\n";

/**
 * Creates a function that protects the workspace for one command: by mounts while it runs, and by a check when it has
 * ended.
 *
 * A mount needs an existing path. A missing path at the root or in a repository gets a placeholder while commands run: an
 * empty folder, even in place of a file, because git ignores empty folders. Nothing can be mounted on a symbolic link, so
 * its target is mounted, and the check notices a change of the link.
 */
export function createWorkspaceGuard(root: string): () => Promise<WorkspaceGuard> {
  const placeholders = new Map<string, Identity | undefined>();
  let commands = 0;

  return async () => {
    commands += 1;
    try {
      await createPlaceholders(root, ROOT_PLACEHOLDERS);
      const { protectedPaths, gitFolders } = await scanWorkspace(root, MAX_ENTRIES.before);
      for (const { folder } of gitFolders) await createPlaceholders(folder, PROTECTED_IN_GIT);
      const inGit = gitFolders.flatMap(({ folder }) => PROTECTED_IN_GIT.map((name) => join(folder, name)));
      const before = await identifyAll(new Set([...protectedPaths, ...inGit]));
      const fixed = gitFolders.map(({ folder }) => folder).filter((folder) => folder !== root);
      const readOnly = [...new Set([...before.values()].flatMap((identity) => toMounts(root, identity)))];
      if (fixed.length + readOnly.length > MAX_MOUNTS) throw tooMany(fixed.length + readOnly.length);
      const rebases = new Map<string, Set<string>>();
      for (const { folder } of gitFolders) rebases.set(folder, await readRebaseCommands(folder));
      const held = new Map([...before, ...await identifyAll(new Set(fixed))]);
      const check = () => checkWorkspace(root, { before: held, rebases, placeholders });
      return { readOnly, fixed, check, release };
    } catch (error) {
      await release();
      throw error;
    }
  };

  async function createPlaceholders(folder: string, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = join(folder, name);
      const make = name === COMMON_DIR ? writeFile(path, COMMON_DIR_TEXT, { flag: "wx" }) : mkdir(path);
      // A path that the gateway cannot create, a command cannot create either.
      if (await succeeds(make)) placeholders.set(path, await identify(path));
    }
  }

  async function release(): Promise<void> {
    commands -= 1;
    if (commands > 0) return;
    const paths = [...placeholders.keys()];
    placeholders.clear();
    for (const path of paths) await succeeds(path.endsWith(COMMON_DIR) ? unlinkCommonDir(path) : rmdir(path));
  }
}

interface CheckOptions {
  before: ReadonlyMap<string, Identity>;
  rebases: ReadonlyMap<string, ReadonlySet<string>>;
  placeholders: ReadonlyMap<string, Identity | undefined>;
}

async function checkWorkspace(
  root: string,
  { before, rebases, placeholders }: CheckOptions,
): Promise<SetAsideFile[]> {
  const scan = await scanWorkspace(root, MAX_ENTRIES.after);
  const after = await identifyAll(scan.protectedPaths);
  for (const { folder } of scan.gitFolders) {
    const known = rebases.get(folder);
    const commands = await readRebaseCommands(folder);
    const instructions = await identify(join(folder, REBASE_INSTRUCTIONS));
    if (instructions !== undefined && [...commands].some((line) => !known?.has(line))) {
      after.set(instructions.path, instructions);
    }
  }
  const beforeByFile = new Map([...before.values()].map((identity) => [identity.file, identity]));
  const changed: SetAsideFile[] = [];
  for (const identity of after.values()) {
    const { path } = identity;
    const earlier = before.get(path);
    // The folder above a mounted path may have been renamed.
    const isHeld = isUnchanged(identity, earlier) || isUnchanged(identity, beforeByFile.get(identity.file));
    if (isHeld || placeholders.get(path)?.file === identity.file) continue;
    const newName = await setAside(root, identity).catch(() => undefined);
    changed.push({ path: path.slice(root.length + 1), newName });
    if (newName !== undefined && earlier !== undefined) await restore(root, earlier, identity);
  }
  return changed;
}

/** Creates a replaced link again, if it still leads to the same file. */
async function restore(root: string, earlier: Identity, now: Identity): Promise<void> {
  if (earlier.target === undefined || earlier.target === now.target) return;
  if (!await succeeds(restoreLink(root, earlier.path, earlier.target))) return;
  const restored = await identify(earlier.path);
  if (restored !== undefined && !isUnchanged(restored, earlier)) await setAside(root, restored);
}

/**
 * True if the command could not change a path: it was mounted read-only, and still is in the same folder. A change then
 * comes from another program. A link and a file with several names could not be held, and must be the same.
 */
function isUnchanged(now: Identity, earlier: Identity | undefined): boolean {
  if (earlier === undefined || earlier.parent !== now.parent) return false;
  if (earlier.kind === "link" || now.kind === "link") {
    return earlier.target === now.target && earlier.leadsTo === now.leadsTo &&
      earlier.leadsToFile === now.leadsToFile;
  }
  return earlier.version === now.version;
}

async function identifyAll(paths: ReadonlySet<string>): Promise<Map<string, Identity>> {
  const identities = new Map<string, Identity>();
  for (const path of paths) {
    const identity = await identify(path);
    if (identity !== undefined) identities.set(path, identity);
  }
  return identities;
}

/** Returns the paths to mount for a protected path. */
function toMounts(root: string, { kind, path, leadsTo }: Identity): string[] {
  if (kind !== "link") return [path];
  return leadsTo !== undefined && isInside(root, leadsTo) ? [leadsTo] : [];
}

function tooMany(count: number): ToolError {
  return new ToolError(
    `Cannot run commands: the workspace has ${count} files and folders that other programs execute, and ${MAX_MOUNTS} ` +
      "is the limit; the operator must set WORKSPACE_ROOT to a folder with fewer repositories",
  );
}

async function unlinkCommonDir(path: string): Promise<void> {
  if (await readFile(path, "utf8") === COMMON_DIR_TEXT) await unlink(path);
}

/** Returns false if the file system rejects the change. */
async function succeeds(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (EXPECTED_ERRORS.includes(systemErrorCode(error) ?? "")) return false;
    throw error;
  }
}

const EXPECTED_ERRORS = [
  ...["EACCES", "EEXIST", "EISDIR", "ELOOP", "ENOENT", "ENOTDIR", "ENOTEMPTY", "EPERM", "EROFS"],
];
