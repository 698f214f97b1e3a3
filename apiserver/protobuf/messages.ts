import type { Field, StructType } from '../schema/schema-type.js';
import { readData } from '../../shared/api/tables.js';
import type { Schemas } from '../schema/schemas.js';
import { extensionMessages } from './extension-messages.js';
import { olderMessages } from './older-messages.js';
import { isPointer } from './pointers.js';

/** The table of the original's .proto files: message -> field -> [number, type]. */
export type MessageTable = Readonly<Record<string, Readonly<Record<string, readonly [number: number, type: string]>>>>;

/** How one field of a message becomes a JSON field. */
export interface MessageField {
  readonly number: number;
  /** The JSON field; undefined for a struct that JSON inlines: its fields are those of the outer object. */
  readonly field: Field | undefined;
  /** Message of an inlined struct. */
  readonly inlined: Message | undefined;
  /** What the field, its items or its entries are on the wire: a scalar of protobuf or the name of a message. */
  readonly wireType: string;
  /** Each item is a field of its own; otherwise a list is a message that repeats its items (Verbs). */
  readonly isRepeated: boolean;
  /** Whether a zero on the wire is a value. */
  readonly keepsZero: boolean;
}

/** A message together with the structure that it encodes. Fields are in the order of their numbers. */
export interface Message {
  readonly fields: readonly MessageField[];
  readonly byNumber: ReadonlyMap<number, MessageField>;
}

/** Pairs structures with messages, on first use. */
export class Messages {
  readonly #schemas: Schemas;
  readonly #table: MessageTable;
  readonly #known = new Map<StructType, Map<string, Message>>();

  constructor(schemas: Schemas, table: MessageTable) {
    this.#schemas = schemas;
    this.#table = table;
  }

  /** The structure of a definition, if it has a message. */
  structure(definition: string): StructType | undefined {
    const isKnown = this.#schemas.raw(definition) !== undefined && messageName(definition) in this.#table;
    return isKnown ? this.#schemas.type(definition) : undefined;
  }

  /** The structure of a schema inside a CustomResourceDefinition, which contains itself. */
  get schemaProps(): StructType {
    return this.#schemas.type(`io.k8s.${extensions.slice('k8s.io.'.length)}JSONSchemaProps`);
  }

  /** `name` is what the field that holds the struct calls it: an older version may borrow the message of a newer one. */
  messageOf(struct: StructType, name: string = messageName(struct.definition)): Message {
    return this.#compile(name, struct);
  }

  #compile(name: string, struct: StructType): Message {
    let ofStruct = this.#known.get(struct);
    if (!ofStruct) this.#known.set(struct, (ofStruct = new Map<string, Message>()));
    const known = ofStruct.get(name);
    if (known) return known;
    const names = new Map([...struct.fields.keys()].map((field) => [field.toLowerCase(), field]));
    const fields = Object.entries(this.#table[name] ?? {}).flatMap(([given, [number, type]]): MessageField[] => {
      // The table writes a few names as Go does: uID, aPIGroup.
      const field = struct.fields.get(given) ?? struct.fields.get(names.get(given.toLowerCase()) ?? '');
      const isRepeated = type.startsWith('repeated ');
      const wireType = type.replace(/^repeated |^map<string,|>$/g, '');
      const keepsZero = field !== undefined && (field.required || isPointer(name, field.name));
      if (field) return [{ number, field, inlined: undefined, wireType, isRepeated, keepsZero }];
      if (!(type in this.#table)) return [];
      return [
        { number, field: undefined, inlined: this.#compile(type, struct), wireType, isRepeated, keepsZero: false },
      ];
    });
    fields.sort((a, b) => a.number - b.number);
    const message = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
    ofStruct.set(name, message);
    return message;
  }
}

const extensions = 'k8s.io.apiextensions-apiserver.pkg.apis.apiextensions.v1.';

/** Messages that are one thing or another, and in JSON just that thing. */
export type Union = 'JSONSchemaPropsOrArray' | 'JSONSchemaPropsOrBool' | 'JSONSchemaPropsOrStringArray';

const unions: ReadonlyMap<string, Union> = new Map(
  (['JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray'] as const).map((union) => [
    extensions + union,
    union,
  ]),
);

export const unionOf = (wireType: string): Union | undefined => unions.get(wireType);

/** All that is known of messages. */
export function loadMessageTable(schemas: Schemas): MessageTable {
  const table = readData(schemas.directory, 'protobuf-fields.json') as MessageTable;
  return { ...table, ...extensionMessages, ...olderMessages(table) };
}

export const loadMessages = (schemas: Schemas): Messages => new Messages(schemas, loadMessageTable(schemas));

/** The message of a definition. */
export const messageName = (definition: string): string => definition.replace(/^io\.k8s\./, 'k8s.io.');
