import { Failure } from '../cluster/failure.js';
import type { Schema, OpenApi } from '../open-api.js';
import type { ResourceType } from '../resource-mapper.js';
import { wrapped } from './wrap.js';

/** What `explain` shows: a type, or one of its fields. */
export interface Explanation {
  readonly type: ResourceType;
  readonly path: readonly string[];
  readonly isRecursive: boolean;
}

const width = 76;
const maxDepth = 12;

/** The text of `explain`, as kubectl's plaintext template writes it. @throws Failure for a field that does not exist. */
export async function explainText(openApi: OpenApi, explanation: Explanation): Promise<string> {
  const { type, path } = explanation;
  const reader = new SchemaReader(openApi, type);
  const lines: string[] = [
    ...(type.group === '' ? [] : [`GROUP:      ${type.group}`]),
    `KIND:       ${type.kind}`,
    `VERSION:    ${type.version}`,
    '',
  ];
  let field: Schema = await reader.root();
  const walked: string[] = [];
  for (const step of path) {
    const inner = await reader.structure(field);
    const next = inner.properties?.[step];
    if (!next) throw new UnknownField(lines, step);
    field = next;
    walked.push(step);
  }
  const structure = await reader.structure(field);
  if (walked.length > 0)
    lines.push(
      `FIELD: ${walked.at(-1) ?? ''} <${await reader.typeText(field)}>`,
      ...enumLines(structure, '    '),
      '',
      '',
    );
  lines.push('DESCRIPTION:');
  // A field that refers to a type has a text of its own before that of the type, even where they are alike.
  const refers = walked.length > 0 && structure !== field;
  const texts = refers ? [field.description, structure.description] : [structure.description];
  const shown = texts.filter((text) => text !== undefined && text !== '');
  for (const text of shown.length > 0 ? shown : ['<empty>'])
    lines.push(...wrapped(text ?? '', width).map((line) => `    ${line}`));
  lines.push('    ');
  const properties = Object.entries(structure.properties ?? {});
  if (properties.length > 0) {
    lines.push('FIELDS:');
    lines.push(...(explanation.isRecursive ? await reader.tree(structure, 1, 1) : await reader.fields(structure)));
  }
  lines.push('', '');
  return lines.join('\n');
}

/** The failure of a wrong field path; kubectl has printed the head by then. */
export class UnknownField extends Failure {
  readonly head: string;

  constructor(head: readonly string[], field: string) {
    super(`field "${field}" does not exist`);
    this.head = head.join('\n');
  }
}

function enumLines({ enum: values }: Schema, indent: string): string[] {
  if (!values?.length) return [];
  const all = values.map((value) => (value === '' ? '""' : String(value)));
  return [`${indent.slice(4)}ENUM:`, ...all.map((value) => `${indent}${value}`)];
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** Reads schemas of one type's document, with references followed. */
class SchemaReader {
  readonly #openApi: OpenApi;
  readonly #type: ResourceType;

  constructor(openApi: OpenApi, type: ResourceType) {
    this.#openApi = openApi;
    this.#type = type;
  }

  async root(): Promise<Schema> {
    const schema = await this.#openApi.schemaAt(this.#type, []);
    if (!schema)
      throw new Failure(
        `couldn't find resource for "${this.#type.group}/${this.#type.version}, Kind=${this.#type.kind}"`,
      );
    return schema;
  }

  /** The object inside lists and maps. */
  async structure(field: Schema): Promise<Schema> {
    let schema = await this.#followed(field);
    for (let depth = 0; depth < maxDepth; depth++) {
      const inner =
        schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
      if (!inner || schema.properties) return schema;
      schema = await this.#followed(inner);
    }
    return schema;
  }

  /** The schema that a reference names, with that schema's own description. */
  #followed(schema: Schema): Promise<Schema> {
    const { description: _, ...bare } = schema;
    return hasReference(schema) ? this.#openApi.resolve(this.#type, bare) : Promise.resolve(schema);
  }

  /** `string`, `[]Container`, `map[string]Quantity`. */
  async typeText(field: Schema): Promise<string> {
    const reference = referenceOf(field);
    if (field.items) return `[]${await this.typeText(field.items)}`;
    if (typeof field.additionalProperties === 'object')
      return `map[string]${await this.typeText(field.additionalProperties)}`;
    if (reference !== undefined) {
      const target = await this.#followed(field);
      const name = reference.split('.').at(-1) ?? reference;
      if (name === 'Time' || name === 'MicroTime') return 'string';
      return target.properties || !target.type || name === 'IntOrString' || name === 'Quantity'
        ? name
        : target.type === 'object'
          ? name
          : target.type;
    }
    return field.type ?? 'Object';
  }

  async fields(schema: Schema): Promise<string[]> {
    const lines: string[] = [];
    for (const [name, field] of Object.entries(schema.properties ?? {}).sort(byName)) {
      lines.push(await this.#fieldLine(schema, name, field, 1), ...enumLines(await this.#followed(field), '    '));
      const text = field.description || (field.$ref && (await this.#followed(field)).description) || '<no description>';
      lines.push(...wrapped(text, width).map((line) => `    ${line}`), '');
    }
    return lines;
  }

  async tree(schema: Schema, level: number, depth: number, seen: readonly string[] = []): Promise<string[]> {
    const lines: string[] = [];
    for (const [name, field] of Object.entries(schema.properties ?? {}).sort(byName)) {
      lines.push(
        await this.#fieldLine(schema, name, field, level),
        ...enumLines(await this.#followed(field), '  '.repeat(level)),
      );
      const reference = innermost(field);
      // A schema that contains itself (JSONSchemaProps) is shown once.
      if (depth >= maxDepth || (reference !== undefined && seen.includes(reference))) continue;
      const inner = await this.structure(field);
      if (inner.properties) {
        lines.push(
          ...(await this.tree(inner, level + 1, depth + 1, reference === undefined ? seen : [...seen, reference])),
        );
      }
    }
    return lines;
  }

  async #fieldLine(schema: Schema, name: string, field: Schema, level: number): Promise<string> {
    const required = schema.required?.includes(name) ? ' -required-' : '';
    return `${'  '.repeat(level)}${name}\t<${await this.typeText(field)}>${required}`;
  }
}

const referenceOf = (schema: Schema): string | undefined => {
  const reference = schema.$ref ?? schema.allOf?.find((part) => part.$ref)?.$ref;
  return reference?.split('/').at(-1);
};
const hasReference = (schema: Schema): boolean => referenceOf(schema) !== undefined;

function innermost(schema: Schema): string | undefined {
  if (schema.items) return innermost(schema.items);
  if (typeof schema.additionalProperties === 'object') return innermost(schema.additionalProperties);
  return referenceOf(schema);
}
