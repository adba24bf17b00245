/** Average characters of a token, for text that no upstream has counted. */
export const CHARS_PER_TOKEN = 4;
