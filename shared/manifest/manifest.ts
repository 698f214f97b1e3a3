import {
  Composer,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  type Alias,
  type CST,
  type Document,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { keyOfWord } from './number.js';
import { manifestTags } from './tags.js';

/** A place in a manifest; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One document of a manifest file. */
export interface ManifestDocument {
  /** Plain JSON: objects, arrays, strings, numbers, booleans, null. */
  readonly value: unknown;
  /** Where the document starts. */
  readonly position: Position;
  /** Where the value at a path such as `['spec', 'containers', 0, 'image']` stands; of a missing one, what surrounds it. */
  readonly locate: (path: readonly (string | number)[]) => Position;
  /** Where the name of a field stands; for an item of a list, where the item does. */
  readonly locateKey: (path: readonly (string | number)[]) => Position;
}

export interface ManifestOptions {
  /** Name of the file, for error messages. */
  readonly file?: string;
  /** Without it a key that stands twice in a mapping is an error; with it the last one counts and this is told. */
  readonly onDuplicate?: (key: string, position: Position) => void;
  /** Keys are the words that stand there, as kustomize's reader takes them: `y` stays `y`, and is not the key "true". */
  readonly hasTextKeys?: boolean;
  /** Longest text that is read, in characters. */
  readonly maxLength?: number;
  /** Most words and signs that are read: each costs microseconds, however short the text. Default: no bound. */
  readonly maxTokens?: number;
}

/** A manifest cannot be read; the message starts with `file:line:column: `. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly file: string;
  readonly position: Position | undefined;
  /** The message without the place. */
  readonly reason: string;

  constructor(file: string, position: Position | undefined, reason: string) {
    super(`${position ? `${file}:${position.line}:${position.column}` : file}: ${reason}`);
    this.file = file;
    this.position = position;
    this.reason = reason;
  }
}

const defaultMaxLength = 16 * 1024 * 1024;
/** Deeper nesting is refused while it is parsed: the composer recurses, and a stack that overflows ends the process. */
const maxDepth = 256;
const maxDocuments = 10_000;
/** Anchors may be reused this often: what a person writes stays far below, a bomb does not. */
const maxAliasCount = 100;

/**
 * Reads YAML (or JSON, which YAML contains) as kubectl does: YAML 1.1 scalars, so `0644` is octal and `no` is false.
 * Empty documents are left out.
 * @throws ManifestError
 */
export function readManifests(text: string, options: ManifestOptions = {}): ManifestDocument[] {
  return new ManifestReader(text, options).read();
}

/** Anchors of a document: those around the node that is looked at, and those that are complete. */
interface Anchors {
  readonly open: Set<string>;
  readonly known: Set<string>;
}

class ManifestReader {
  readonly #text: string;
  readonly #file: string;
  readonly #options: ManifestOptions;
  readonly #lines = new LineCounter();

  constructor(text: string, options: ManifestOptions) {
    this.#text = text;
    this.#file = options.file ?? 'manifest';
    this.#options = options;
  }

  read(): ManifestDocument[] {
    const limit = this.#options.maxLength ?? defaultMaxLength;
    if (this.#text.length > limit) {
      throw new ManifestError(this.#file, undefined, `the manifest is larger than ${limit} characters`);
    }
    // Keys are compared here, not by the composer, which compares each with each.
    const composer = new Composer({
      version: '1.1',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      stringKeys: true,
      customTags: manifestTags,
    });
    const manifests: ManifestDocument[] = [];
    for (const document of composer.compose(this.#tokens())) {
      const fault = document.errors[0];
      if (fault) throw this.#error(fault.pos[0], fault.message);
      if (manifests.length === maxDocuments) throw this.#error(0, `there are more than ${maxDocuments} documents`);
      const manifest = this.#toManifest(document);
      if (manifest) manifests.push(manifest);
    }
    return manifests;
  }

  *#tokens(): Generator<CST.Token, void> {
    const parser = new Parser(this.#lines.addNewLine);
    this.#lines.addNewLine(0);
    let tokensLeft = this.#options.maxTokens ?? Number.POSITIVE_INFINITY;
    for (const lexeme of new Lexer().lex(this.#text)) {
      if (tokensLeft-- <= 0)
        throw this.#error(parser.offset, `there are more than ${this.#options.maxTokens} parts: send it as JSON`);
      yield* parser.next(lexeme);
      if (parser.stack.length > maxDepth) {
        throw this.#error(parser.offset, `the manifest is nested deeper than ${maxDepth} levels`);
      }
    }
    yield* parser.end();
  }

  #toManifest(document: Document.Parsed): ManifestDocument | undefined {
    const root = document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return undefined;
    this.#inspect(root, { open: new Set(), known: new Set() });
    return {
      value: this.#toJson(document, root),
      position: this.#position(root.range[0]),
      locate: (path) => this.#position(deepest(root, path).range?.[0] ?? 0),
      locateKey: (path) => this.#position(keyOffset(root, path) ?? deepest(root, path).range?.[0] ?? 0),
    };
  }

  #toJson(document: Document.Parsed, root: ParsedNode): unknown {
    try {
      return document.toJS({ maxAliasCount }) as unknown;
    } catch (error) {
      // The library throws a plain error when aliases multiply.
      if (!(error instanceof Error)) throw error;
      throw this.#error(root.range[0], error.message);
    }
  }

  /** Finds keys that stand twice, and aliases that the conversion to JSON would follow for ever or not at all. */
  #inspect(node: unknown, anchors: Anchors): void {
    if (isAlias(node)) return this.#inspectAlias(node, anchors);
    const anchor = isNode(node) && 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) anchors.open.add(anchor);
    if (isCollection(node)) this.#inspectItems(node, anchors);
    if (anchor !== undefined) {
      anchors.open.delete(anchor);
      anchors.known.add(anchor);
    }
  }

  #inspectItems(node: YAMLMap | YAMLSeq, anchors: Anchors): void {
    const seen = isMap(node) ? new Set<string>() : undefined;
    for (const item of node.items) {
      if (!isPair(item)) {
        this.#inspect(item, anchors);
        continue;
      }
      this.#inspect(item.key, anchors);
      this.#inspect(item.value, anchors);
      if (!seen || !isScalar(item.key)) continue;
      // Keys have types, too, before JSON makes text of them: `yes` is the key "true".
      const { value, type, tag } = item.key;
      const isWord = type === 'PLAIN' && tag === undefined && typeof value === 'string';
      if (isWord && !this.#options.hasTextKeys) item.key.value = keyOfWord(value);
      const key = String(item.key.value);
      if (seen.has(key) && key !== '<<') this.#duplicate(key, item.key.range?.[0] ?? 0);
      seen.add(key);
    }
  }

  #inspectAlias(alias: Alias, anchors: Anchors): void {
    const offset = alias.range?.[0] ?? 0;
    if (anchors.open.has(alias.source)) throw this.#error(offset, `the alias *${alias.source} contains itself`);
    if (!anchors.known.has(alias.source))
      throw this.#error(offset, `the alias *${alias.source} has no anchor above it`);
  }

  #duplicate(key: string, offset: number): void {
    if (!this.#options.onDuplicate) throw this.#error(offset, `the key ${JSON.stringify(key)} is already set above`);
    this.#options.onDuplicate(key, this.#position(offset));
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #error(offset: number, reason: string): ManifestError {
    return new ManifestError(this.#file, this.#position(offset), reason.replace(/\s+/g, ' '));
  }
}

/** The node at a path, or the nearest one around it. */
function deepest(
  root: ParsedNode,
  path: readonly (string | number)[],
): { range?: readonly [number, number, number] | null } {
  let node: ParsedNode = root;
  for (const step of path) {
    const next: unknown = isCollection(node) ? node.get(step, true) : undefined;
    if (!isNode(next)) break;
    node = next as ParsedNode;
  }
  return node;
}

/** Offset of the last step's key; undefined where that is no key that stands in the text. */
function keyOffset(root: ParsedNode, path: readonly (string | number)[]): number | undefined {
  const parent = deepest(root, path.slice(0, -1));
  const last = path.at(-1);
  if (!isMap(parent)) return undefined;
  for (const { key } of parent.items) {
    if (isScalar(key) && key.value === last) return key.range?.[0];
  }
  return undefined;
}
