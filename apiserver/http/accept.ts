import { notAcceptable } from '../registry/status-errors.js';

/** In which form an answer is wanted. */
export interface Negotiated {
  readonly encoding: 'json' | 'yaml' | 'protobuf';
  /** What objects are turned into first. */
  readonly transform: 'none' | 'Table' | 'PartialObjectMetadata';
  /** PartialObjectMetadataList was asked for. */
  readonly isListForm: boolean;
  /** v1 or v1beta1 of meta.k8s.io, for a transform. */
  readonly transformVersion: string;
  readonly isPretty: boolean;
}

const plainJson: Negotiated = {
  encoding: 'json',
  transform: 'none',
  isListForm: false,
  transformVersion: 'v1',
  isPretty: false,
};

export interface Capabilities {
  readonly allowsTable: boolean;
  /** YAML has no form for streams. */
  readonly allowsYaml: boolean;
  /** Whether whole objects have a protobuf form; the metadata of all objects has one. Absent: they have. */
  readonly hasProtobuf?: () => boolean;
}

const maxClauses = 32;

/** The form that the Accept header prefers among those that this server can give; 406 when there is none. */
export function negotiate(accept: string | undefined, capabilities: Capabilities): Negotiated {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plainJson;
  for (const clause of clausesOf(accept)) {
    const found = readClause(clause, capabilities);
    if (found) return found;
  }
  const types = capabilities.allowsYaml ? mediaTypes : streamTypes;
  throw notAcceptable(`only the following media types are accepted: ${types.join(', ')}`);
}

const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

/**
 * For answers that have no other form: a refusal must reach everybody, so nothing is unacceptable. Whether the answer
 * has a protobuf form is for the caller to find out.
 */
export function plainEncoding(accept: string | undefined): Negotiated['encoding'] {
  if (accept === undefined || !/yaml|protobuf/.test(accept)) return 'json';
  for (const clause of clausesOf(accept)) {
    const found = readClause(clause, { allowsTable: false, allowsYaml: true });
    // A form of objects is none of what the server says of itself.
    if (found?.encoding === 'protobuf' && found.transform !== 'none') continue;
    if (found) return found.encoding;
  }
  return 'json';
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** What a client accepts, preferred first. */
function clausesOf(accept: string): Clause[] {
  const clauses = accept.split(',', maxClauses).map((clause): Clause => {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map((parameter) => splitParameter(parameter)));
    const quality = Number(parameters.get('q') ?? 1);
    return { type, parameters, quality: Number.isNaN(quality) ? 1 : quality };
  });
  return clauses.filter(({ quality }) => quality !== 0).sort((a, b) => b.quality - a.quality);
}

function readClause({ type, parameters }: Clause, capabilities: Capabilities): Negotiated | undefined {
  const encoding = encodingOf(type, capabilities);
  if (!encoding) return undefined;
  const isPretty = parameters.get('pretty') === '1';
  const as = parameters.get('as');
  if (as === undefined) {
    const isMissing = encoding === 'protobuf' && capabilities.hasProtobuf?.() === false;
    return isMissing ? undefined : { ...plainJson, encoding, isPretty };
  }
  const transformVersion = parameters.get('v') ?? 'v1';
  if (parameters.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(transformVersion)) return undefined;
  // Cells are values of any type: tables have no protobuf form.
  if (as === 'Table' && capabilities.allowsTable && encoding !== 'protobuf') {
    return { encoding, transform: 'Table', isListForm: false, transformVersion, isPretty };
  }
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    const isListForm = as === 'PartialObjectMetadataList';
    return { encoding, transform: 'PartialObjectMetadata', isListForm, transformVersion, isPretty };
  }
  return undefined;
}

function encodingOf(type: string, capabilities: Capabilities): Negotiated['encoding'] | undefined {
  switch (type) {
    case '*/*':
    case 'application/*':
    case 'application/json':
      return 'json';
    case 'application/yaml':
      return capabilities.allowsYaml ? 'yaml' : undefined;
    case 'application/vnd.kubernetes.protobuf':
      return 'protobuf';
    default:
      return undefined;
  }
}

function splitParameter(parameter: string): [string, string] {
  const equals = parameter.indexOf('=');
  return equals < 0 ? [parameter, ''] : [parameter.slice(0, equals).trim(), parameter.slice(equals + 1).trim()];
}
