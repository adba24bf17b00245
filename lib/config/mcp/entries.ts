import * as v from "valibot";
import type { HttpServer, StdioServer } from "../../../tools/mcp/managed/server_config.ts";
import type { JsonObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import { MASK, mask, secretsInArgs, secretsInText } from "./masking.ts";
import { type CommonFields, HttpEntry, StdioEntry } from "./schema.ts";
import { expandVariables } from "./variables.ts";

/** A parsed entry of the file. */
export interface ParsedEntry {
  server: StdioServer | HttpServer;
  common: CommonFields;
  /** What the operator may see of the server: no values of variables, headers and secrets. */
  view: JsonObject;
  secrets: readonly string[];
  unknownFields: readonly string[];
}

/** Expands the texts of one entry, and collects mistakes with their places. */
export class EntryReader {
  readonly mistakes: string[] = [];
  /** Values that came from variables. */
  readonly values: string[] = [];
  readonly #place: string;
  readonly #readVariable: (name: string) => string | undefined;

  /** `place` is the path of the entry in the file, for mistakes. */
  constructor(place: string, readVariable: (name: string) => string | undefined) {
    this.#place = place;
    this.#readVariable = readVariable;
  }

  /** Parses a server that is started as a process. Returns undefined if a field is invalid. */
  readStdio(entry: JsonObject): ParsedEntry | undefined {
    const parsed = this.#parse(StdioEntry, { command: undefined, ...entry });
    if (parsed === undefined) return undefined;
    const { command, args, env, cwd } = parsed;
    const server: StdioServer = {
      type: "stdio",
      command: this.#expand("command", command),
      args: args.map((arg, at) => this.#expand(`args.${at}`, arg)),
      env: mapRecord(env, (value, name) => this.#expand(`env.${name}`, value)),
      ...(cwd !== undefined && { cwd: this.#expand("cwd", cwd) }),
    };
    for (const name of Object.keys(env)) {
      if (!/^[^=\0]+$/.test(name)) this.#add("env", `${quote(name)} is not the name of a variable`);
    }
    const texts = [server.command, ...server.args, ...Object.values(server.env), server.cwd ?? ""];
    if (texts.some((text) => text.includes("\0"))) this.#add("command", "a text has a NUL character");
    if (server.command === "") this.#add("command", "expected a command");
    const written = [...secretsInArgs(args), ...secretsInText(command)];
    return {
      server,
      common: parsed,
      view: {
        type: "stdio",
        command: mask(command, written),
        args: args.map((arg) => mask(arg, written)),
        ...(cwd !== undefined && { cwd: mask(cwd, written) }),
        environment: mapRecord(env, () => MASK),
      },
      secrets: [...written, ...secretsInArgs(server.args), ...Object.values(server.env)],
      unknownFields: findUnknown(entry, StdioEntry),
    };
  }

  /** Parses a server over streamable HTTP. Returns undefined if a field is invalid. */
  readHttp(entry: JsonObject): ParsedEntry | undefined {
    const parsed = this.#parse(HttpEntry, { url: undefined, ...entry });
    if (parsed === undefined) return undefined;
    const { url, headers } = parsed;
    const server: HttpServer = {
      type: "http",
      url: this.#expand("url", url),
      headers: mapRecord(headers, (value, name) => this.#expand(`headers.${name}`, value)),
    };
    if (!isHttpUrl(server.url)) {
      this.#add("url", "expected an http or https URL without user name and password");
    }
    for (const [name, value] of Object.entries(server.headers)) {
      const isHeader = /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t -~]*$/.test(value);
      if (!isHeader) this.#add("headers", `${quote(name)} is not a header in a single line of ASCII text`);
    }
    const values = Object.values(server.headers);
    return {
      server,
      common: parsed,
      view: { type: "http", url: mask(url, secretsInText(url)), headers: mapRecord(headers, () => MASK) },
      secrets: [...secretsInText(server.url), ...values, ...values.map(withoutScheme)],
      unknownFields: findUnknown(entry, HttpEntry),
    };
  }

  #parse<Schema extends v.GenericSchema>(
    schema: Schema,
    entry: JsonObject,
  ): v.InferOutput<Schema> | undefined {
    const result = v.safeParse(schema, entry);
    if (result.success) return result.output;
    for (const issue of result.issues) this.#add(v.getDotPath(issue) ?? "", issue.message);
    return undefined;
  }

  #expand(field: string, text: string): string {
    const expanded = expandVariables(text, this.#readVariable);
    this.values.push(...expanded.values);
    for (const mistake of expanded.mistakes) this.#add(field, mistake);
    return expanded.text;
  }

  #add(field: string, mistake: string): void {
    this.mistakes.push(`${[this.#place, field].filter((part) => part !== "").join(".")}: ${mistake}`);
  }
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username + password === "";
}

/** `Bearer abc` -> `abc` */
function withoutScheme(header: string): string {
  return header.replace(/^\S+\s+(?=\S+$)/, "");
}

function findUnknown(entry: JsonObject, { entries }: { entries: object }): string[] {
  return Object.keys(entry).filter((name) => !Object.hasOwn(entries, name));
}

/** Maps the values of a record. A member called `__proto__` stays a member. */
function mapRecord(record: Readonly<Record<string, string>>, map: (value: string, name: string) => string) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}
