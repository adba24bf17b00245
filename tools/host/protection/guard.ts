import { mkdir, readFile, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ToolError } from "../../errors.ts";
import { PLACEHOLDERS, PROTECTED_IN_GIT } from "../../policy/protected.ts";
import { quotePath } from "../../policy/files.ts";
import { systemErrorCode } from "../files/file_errors.ts";
import { isInside } from "../is_inside.ts";
import type { GitFolder } from "./git_paths.ts";
import { identify, type Identity } from "./identity.ts";
import { readStateCommands, STATE_FILES } from "./state_files.ts";
import { isCovered, scanWorkspace } from "./scan.ts";
import { openUp, restoreLink, setAside } from "./set_aside.ts";

/** Protection of a workspace during one command. */
export interface WorkspaceGuard {
  /** Paths mounted read-only. */
  readOnly: string[];
  /** Folders whose content may change, but which cannot be moved or replaced. */
  fixed: string[];
  /**
   * Renames protected files that the command has created or changed. Call it once all processes of the command have
   * ended.
   */
  check(): Promise<CommandCheck>;
  /** Removes the placeholders of missing paths once no other command needs them. */
  release(): Promise<void>;
}

/** What a command has done to protected files. */
export interface CommandCheck {
  setAside: SetAsideFile[];
  /** Why a part of the workspace could not be checked, if so. */
  problem: ToolError | undefined;
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
 * A mount needs an existing path. A missing path at the root or in a repository gets a placeholder while commands run:
 * an empty folder, even in place of a file, because git ignores empty folders. Nothing can be mounted on a symbolic
 * link, so its target is mounted, and the check notices a change of the link.
 */
export function createWorkspaceGuard(root: string): () => Promise<WorkspaceGuard> {
  const placeholders = new Map<string, Identity | undefined>();
  let commands = 0;
  // What was there before the first of the commands that run. What a command has created is not held for another one,
  // which could otherwise put it back after the check of the first.
  let baseline: Promise<Baseline> | undefined;

  return async () => {
    commands += 1;
    try {
      await createPlaceholders(root, ROOT_PLACEHOLDERS);
      const { protectedPaths, links, gitFolders, problem } = await scanWorkspace(root, {
        maxEntries: MAX_ENTRIES.before,
      });
      if (problem !== undefined) throw problem;
      for (const { folder } of gitFolders) await createPlaceholders(folder, PROTECTED_IN_GIT);
      const inGit = gitFolders.flatMap(({ folder }) => PROTECTED_IN_GIT.map((name) => join(folder, name)));
      const before = new Map([
        ...await identifyAll(new Set([...protectedPaths, ...inGit])),
        ...toHeldLinks(await identifyAll(links), protectedPaths),
      ]);
      const fixed = gitFolders.map(({ folder }) => folder).filter((folder) => folder !== root);
      const readOnly = [...new Set([...before.values()].flatMap((identity) => toMounts(root, identity)))];
      if (fixed.length + readOnly.length > MAX_MOUNTS) throw tooMany(fixed.length + readOnly.length);
      const earliest = await (baseline ??= readBaseline({ before, fixed, gitFolders }));
      return { readOnly, fixed, check: () => checkWorkspace(root, { ...earliest, placeholders }), release };
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
    baseline = undefined;
    const paths = [...placeholders.keys()];
    placeholders.clear();
    for (const path of paths) await succeeds(path.endsWith(COMMON_DIR) ? unlinkCommonDir(path) : rmdir(path));
  }
}

/** Protected files before a command. */
interface Baseline {
  files: ReadonlyMap<string, Identity>;
  /** What a rebase or the like in progress runs, by the path of its state file. */
  commands: ReadonlyMap<string, ReadonlySet<string>>;
}

async function readBaseline({ before, fixed, gitFolders }: {
  before: ReadonlyMap<string, Identity>;
  fixed: readonly string[];
  gitFolders: readonly GitFolder[];
}): Promise<Baseline> {
  const commands = new Map<string, ReadonlySet<string>>();
  for (const { folder } of gitFolders) {
    for (const file of STATE_FILES) {
      commands.set(join(folder, file.path), await readStateCommands(folder, file));
    }
  }
  return { files: new Map([...before, ...await identifyAll(new Set(fixed))]), commands };
}

interface CheckOptions extends Baseline {
  placeholders: ReadonlyMap<string, Identity | undefined>;
}

async function checkWorkspace(
  root: string,
  { files: before, commands, placeholders }: CheckOptions,
): Promise<CommandCheck> {
  const openFolder = (folder: string) => openUp(root, folder);
  const scan = await scanWorkspace(root, { maxEntries: MAX_ENTRIES.after, openFolder });
  let { problem } = scan;
  const note = (path: string) => problem ??= unreachable(root, path);
  const after = new Map([
    ...await identifyAll(scan.protectedPaths, note, openFolder),
    ...toHeldLinks(await identifyAll(scan.links, note), scan.protectedPaths),
  ]);
  for (const { folder } of scan.gitFolders) {
    for (const file of STATE_FILES) {
      const state = await identify(join(folder, file.path));
      if (state === undefined) continue;
      if (await hasNewCommands(folder, file, commands.get(state.path))) after.set(state.path, state);
    }
  }
  const beforeByFile = new Map([...before.values()].map((identity) => [identity.file, identity]));
  const setAsideFiles: SetAsideFile[] = [];
  for (const identity of after.values()) {
    const { path } = identity;
    const earlier = before.get(path);
    // The folder above a mounted path may have been renamed.
    const isHeld = isUnchanged(identity, earlier) || isUnchanged(identity, beforeByFile.get(identity.file));
    if (isHeld || placeholders.get(path)?.file === identity.file) continue;
    const newName = await setAside(root, identity).catch(() => undefined);
    setAsideFiles.push({ path: path.slice(root.length + 1), newName });
    if (newName !== undefined && earlier !== undefined) await restore(root, earlier, identity);
  }
  return { setAside: setAsideFiles, problem };
}

/** True if a state file runs what is not known, or is too large to be read. */
async function hasNewCommands(
  gitFolder: string,
  file: typeof STATE_FILES[number],
  known: ReadonlySet<string> | undefined,
): Promise<boolean> {
  try {
    return [...await readStateCommands(gitFolder, file)].some((command) => !known?.has(command));
  } catch (error) {
    if (error instanceof ToolError) return true;
    throw error;
  }
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

/** Identifies the paths that exist. `onUnreachable` gets those that the system does not let the gateway look at. */
async function identifyAll(
  paths: ReadonlySet<string>,
  onUnreachable?: (path: string) => void,
  openFolder?: (folder: string) => Promise<void>,
): Promise<Map<string, Identity>> {
  const identities = new Map<string, Identity>();
  for (const path of paths) {
    try {
      const identity = await identify(path).catch(async (error) => {
        if (openFolder === undefined || systemErrorCode(error) !== "EACCES") throw error;
        await openFolder(dirname(path));
        return await identify(path);
      });
      if (identity !== undefined) identities.set(path, identity);
    } catch (error) {
      if (onUnreachable === undefined || systemErrorCode(error) === undefined) throw error;
      onUnreachable(path);
    }
  }
  return identities;
}

/**
 * Returns the links in protected folders whose targets programs execute or obey. The target is left alone if it is
 * protected itself, contains the link, or is a text for agents: `.claude/CLAUDE.md` may lead to `CLAUDE.md`.
 */
function toHeldLinks(
  links: ReadonlyMap<string, Identity>,
  protectedPaths: ReadonlySet<string>,
): [path: string, identity: Identity][] {
  return [...links].filter(([path, { leadsTo }]) =>
    leadsTo === undefined ||
    !(leadsTo.endsWith(".md") || isInside(leadsTo, path) || isCovered(leadsTo, protectedPaths))
  );
}

/** Returns the paths to mount for a protected path. */
function toMounts(root: string, { kind, path, leadsTo }: Identity): string[] {
  if (kind !== "link") return [path];
  return leadsTo !== undefined && isInside(root, leadsTo) ? [leadsTo] : [];
}

function unreachable(root: string, path: string): ToolError {
  return new ToolError(
    `Cannot protect ${
      quotePath(path.slice(root.length + 1))
    }: the system does not let the gateway look at it; ` +
      "the operator must remove it",
  );
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
