import { existsSync, readFileSync } from "node:fs";
import { dig, isJson, type Json, objects, text } from "../kit/json.ts";

/** An answer recorded from a live API. */
export interface Recording {
  /** The path below the corpus. */
  file: string;
  /** The last six characters of the file's name, which are unique. */
  id: string;
  kind: string;
  streamed: boolean;
  status: number;
  /** The host that answered. */
  host: string;
  /** The model that answered, if the index names it. */
  model: string;
  /** The recorded request in the index, which may have truncated long texts. */
  indexedRequest: Json | undefined;
  /** The recorded request; `undefined` if it was truncated. */
  request: Json | undefined;
  /** The stop sequences of the recorded request. */
  stopSequences: string[];
  read(): Uint8Array;
}

const CORPUS = new URL("../../../shared/corpus/", import.meta.url);

/** Reads the indexes of the corpus, which lies beside the checkout. Returns `undefined` if there is none. */
export function readCorpus(): Recording[] | undefined {
  const indexes = ["index.json", "responses-index.json"].map((name) => new URL(name, CORPUS)).filter(
    existsSync,
  );
  if (indexes.length === 0) return undefined;
  return indexes.flatMap((index) =>
    objects(dig(JSON.parse(readFileSync(index, "utf8")), "entries")).map(toRecording)
  );
}

/** The mark of a truncated text in the index. */
const CUT = /…\[\+\d+ chars cut\]/;

function toRecording(entry: Json): Recording {
  const file = text(entry.file);
  const indexedRequest = isJson(entry.request) && Array.isArray(entry.request.messages)
    ? entry.request
    : undefined;
  const stops = dig(entry.request, "stop_sequences");
  return {
    file,
    id: /\.(\w{6})\.\w+$/.exec(file)?.[1] ?? file,
    kind: text(entry.kind),
    streamed: entry.streaming === true,
    status: Number(entry.status),
    host: text(entry.host),
    model: text(entry.model),
    indexedRequest,
    request: CUT.test(JSON.stringify(indexedRequest)) ? undefined : indexedRequest,
    stopSequences: Array.isArray(stops) ? stops.map(String) : [],
    read: () => readFileSync(new URL(file, CORPUS)),
  };
}
