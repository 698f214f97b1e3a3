import { notAcceptable } from '../registry/status-errors.js';

/** In which form an answer is wanted. */
export interface Negotiated {
  readonly encoding: 'json' | 'yaml';
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
}

/** The first form in the Accept header that this server can give; 406 when there is none. */
export function negotiate(accept: string | undefined, capabilities: Capabilities): Negotiated {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plainJson;
  for (const clause of accept.split(',', 32)) {
    const found = readClause(clause, capabilities);
    if (found) return found;
  }
  const known = capabilities.allowsYaml ? 'application/json, application/yaml' : 'application/json';
  throw notAcceptable(`only the following media types are accepted: ${known}`);
}

/** For answers that have no other form: a refusal must reach everybody, so nothing is unacceptable. */
export function jsonOrYaml(accept: string | undefined): Negotiated['encoding'] {
  if (!accept?.includes('yaml')) return 'json';
  for (const clause of accept.split(',', 32)) {
    const found = readClause(clause, { allowsTable: false, allowsYaml: true });
    if (found) return found.encoding;
  }
  return 'json';
}

function readClause(clause: string, capabilities: Capabilities): Negotiated | undefined {
  const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
  const encoding = encodingOf(type, capabilities);
  if (!encoding) return undefined;
  const values = new Map(parameters.map((parameter) => splitParameter(parameter)));
  if (Number(values.get('q') ?? 1) === 0) return undefined;
  const isPretty = values.get('pretty') === '1';
  const as = values.get('as');
  if (as === undefined) return { ...plainJson, encoding, isPretty };
  const transformVersion = values.get('v') ?? 'v1';
  if (values.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(transformVersion)) return undefined;
  if (as === 'Table' && capabilities.allowsTable) {
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
    default:
      return undefined;
  }
}

function splitParameter(parameter: string): [string, string] {
  const equals = parameter.indexOf('=');
  return equals < 0 ? [parameter, ''] : [parameter.slice(0, equals).trim(), parameter.slice(equals + 1).trim()];
}
