import { findNodeAtLocation, type Node, type ParseError, parseTree } from "jsonc-parser";
import { describeError, toPosition } from "./json_error.ts";
import { quote } from "../../base/redact.ts";
import { nearestName } from "../nearest.ts";
import { isSettingName, SECRET_SETTINGS, SETTING_NAMES, type SettingName, SETTINGS } from "../settings.ts";
import { expandVariables, type ReadVariable } from "./variables.ts";

/** Settings of a configuration file. */
export interface ConfigFile {
  /** Values by setting name, with variables replaced. They are not validated. */
  values: Readonly<Partial<Record<SettingName, unknown>>>;
  /** Paths of files that hold the value of a setting, from keys such as `OPENROUTER_API_KEY_FILE`. */
  secretFiles: Readonly<Partial<Record<SettingName, string>>>;
  /** One line for each mistake, with the file's name, line and column. */
  mistakes: readonly string[];
  /** Returns the place of a value, such as `gateway.json:3:11`; the nearest one outside if there is no such value. */
  locate(path: readonly (string | number)[]): string;
}

/**
 * Parses a configuration file: a JSON object of settings, with comments and trailing commas. `${NAME}` and
 * `${NAME:-default}` in texts stand for variables, which `readVariable` reads.
 *
 * @example Usage
 * ```ts
 * import { parseConfigFile } from "./config_file.ts";
 *
 * const file = parseConfigFile('{ "PORT": 8080 } // comment', "gateway.json", () => undefined);
 * if (file.values.PORT !== 8080) throw new Error("not found");
 * if (file.locate(["PORT"]) !== "gateway.json:1:11") throw new Error("wrong place");
 * ```
 */
export function parseConfigFile(text: string, name: string, readVariable: ReadVariable): ConfigFile {
  const json = text.replace(/^\ufeff/, "");
  const errors: ParseError[] = [];
  const root = parseTree(json, errors, { allowTrailingComma: true });
  const place = (offset: number) => `${name}:${toPosition(json, offset)}`;
  const mistakes: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  const secretFiles: Partial<Record<SettingName, string>> = {};

  const [error] = errors; // The parser's later errors follow from the first.
  if (error !== undefined) {
    mistakes.push(`Cannot read ${place(error.offset)}: ${describeError(error)}`);
  } else if (root?.type !== "object") {
    mistakes.push(`Cannot read ${place(0)}: expected an object of settings, such as {"PORT": 4000}`);
  } else {
    readSettings(root);
  }

  function readSettings(object: Node): void {
    const seen = new Set<string>();
    for (const { key, keyNode, valueNode } of membersOf(object)) {
      const reject = (why: string) =>
        mistakes.push(`Cannot use ${quote(key)} (${place(keyNode.offset)}): ${why}`);
      const secret = SECRET_SETTINGS.find((setting) => `${setting}_FILE` === key);
      const setting = secret ?? key;
      if (seen.has(key)) reject("it is set twice");
      else if (isSettingName(setting) && seen.has(secret ?? `${key}_FILE`)) {
        reject(`${setting} and ${setting}_FILE are both set`);
      }
      seen.add(key);
      if (key === "$schema") continue;
      if (!isSettingName(setting)) {
        reject(unknownSetting(key));
        continue;
      }
      const value = readValue(valueNode);
      if (value === UNSET) {
        if (SETTINGS[setting].guards) reject("its variables are empty, and access would be open without it");
        continue;
      }
      if (secret === undefined) values[setting] = value;
      else if (typeof value === "string" && value !== "") secretFiles[secret] = value;
      else reject("expected the path of a file");
    }
  }

  /** Returns the value of a node, or `UNSET` for a text that is empty because its variables are. */
  function readValue(node: Node): unknown {
    if (node.type !== "string") return toValue(node);
    const text: string = node.value;
    const expanded = toValue(node);
    return expanded === "" && text !== "" ? UNSET : expanded;
  }

  function toValue(node: Node): unknown {
    switch (node.type) {
      case "object":
        // A member named `__proto__` must not set the prototype.
        return Object.fromEntries(membersOf(node).map(({ key, valueNode }) => [key, toValue(valueNode)]));
      case "array":
        return (node.children ?? []).map(toValue);
      case "string": {
        const { text, mistake } = expandVariables(node.value, readVariable);
        if (mistake !== undefined) mistakes.push(`Cannot use ${place(node.offset)}: ${mistake}`);
        return text;
      }
      default:
        return node.value;
    }
  }

  return {
    values,
    secretFiles,
    mistakes,
    locate(path) {
      for (let length = path.length; root !== undefined && length > 0; length--) {
        const node = findNodeAtLocation(root, path.slice(0, length));
        if (node !== undefined) return place(node.offset);
      }
      return place(0);
    },
  };
}

const UNSET = Symbol("unset");

/** Returns the members of an object that the parser has found complete. */
function membersOf({ children = [] }: Node): { key: string; keyNode: Node; valueNode: Node }[] {
  return children.flatMap(({ children: [keyNode, valueNode] = [] }) =>
    keyNode === undefined || valueNode === undefined ? [] : [{ key: keyNode.value, keyNode, valueNode }]
  );
}

function unknownSetting(key: string): string {
  const names = [...SETTING_NAMES, ...SECRET_SETTINGS.map((secret) => `${secret}_FILE`)];
  const nearest = nearestName(key.toUpperCase(), names);
  if (nearest !== undefined) return `no setting has this name; the nearest is ${nearest}`;
  const base = key.endsWith("_FILE") && isSettingName(key.slice(0, -"_FILE".length));
  return base ? "only secrets can be read from a file" : "no setting has this name, --help lists all";
}
